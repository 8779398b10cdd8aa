//! The libtorch that a notebook's kernel uses.

use std::path::{Path, PathBuf};

use convscope::fetch::Cache;
use convscope::{Error, ErrorKind, Result};

use crate::cli::environment::variable;

/// A libtorch installation.
pub struct Libtorch {
    /// Its folder, as `LIBTORCH` names it.
    pub root: PathBuf,
    /// The folder of its libraries.
    pub lib: PathBuf,
}

/// Finds the libtorch that `LIBTORCH` names, else the one that this program was built with, else the one
/// in the cache.
///
/// # Errors
/// If there is none, or `LIBTORCH` names a folder without one.
pub fn find_libtorch() -> Result<Libtorch> {
    let named = variable("LIBTORCH").map(PathBuf::from);
    let built = option_env!("CONVSCOPE_LIBTORCH").map(Path::new);
    let built = built.and_then(|lib| lib.parent()).map(Path::to_owned);
    let cached = Cache::from_env(true).ok();
    let cached = cached.map(|cache| cache.root.join("libtorch-2.13.0-cpu"));
    let library = match std::env::consts::OS {
        "macos" => "libtorch_cpu.dylib",
        "windows" => "torch_cpu.dll",
        _ => "libtorch_cpu.so",
    };
    let libtorch_in = |root: PathBuf| {
        let lib = root.join("lib");
        lib.join(library)
            .is_file()
            .then_some(Libtorch { root, lib })
    };
    if let Some(root) = named {
        return libtorch_in(root.clone()).ok_or_else(|| {
            let message = format!(
                "LIBTORCH must be libtorch's folder, got {}, which has no lib/{library}",
                root.display()
            );
            Error::new(ErrorKind::Usage, message)
                .help("unset LIBTORCH, or set it to the folder of a libtorch")
        });
    }
    let mut roots = [built, cached].into_iter().flatten();
    roots.find_map(libtorch_in).ok_or_else(|| {
        Error::new(ErrorKind::Io, "there is no libtorch 2.13.0").help("make libtorch")
    })
}
