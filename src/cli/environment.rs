//! Environment variables and programs on the PATH.

use std::ffi::OsString;
use std::path::PathBuf;

/// The value of an environment variable that is set and not empty.
pub fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// The path of a program on the PATH.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = variable("PATH")?;
    let mut files = std::env::split_paths(&path).map(|folder| folder.join(program_file(name)));
    files.find(|file| file.is_file())
}

/// A program's file name on this system.
pub fn program_file(name: &str) -> String {
    format!("{name}{}", std::env::consts::EXE_SUFFIX)
}
