//! Jupyter's data folder, and the `kernel.json` of a kernel with libtorch in its environment.

use std::path::{Path, PathBuf};

use convscope::fetch::Cache;
use convscope::{Error, ErrorKind, Result};
use serde_json::json;

use super::libtorch::Libtorch;
use crate::cli::environment::variable;

/// The folder of a user's Jupyter data, as Jupyter's own `jupyter_core.paths` finds it.
///
/// # Errors
/// If no variable names it and the user has no home folder.
pub fn data_folder() -> Result<PathBuf> {
    if let Some(folder) = variable("JUPYTER_DATA_DIR") {
        return Ok(folder.into());
    }
    let home = || {
        std::env::home_dir().ok_or_else(|| {
            let message = "there is no home folder for the kernel";
            Error::new(ErrorKind::Usage, message).help("set Jupyter's data folder with `--dir`")
        })
    };
    Ok(match std::env::consts::OS {
        "macos" => home()?.join("Library").join("Jupyter"),
        "windows" => match variable("APPDATA") {
            Some(folder) => Path::new(&folder).join("jupyter"),
            None => home()?.join("jupyter"),
        },
        _ => match variable("XDG_DATA_HOME") {
            Some(folder) => Path::new(&folder).join("jupyter"),
            None => home()?.join(".local").join("share").join("jupyter"),
        },
    })
}

/// The content of `kernel.json`.
///
/// # Errors
/// If a path can't be written in it because it is not UTF-8 or contains a separator.
pub fn kernel_json(evcxr: &Path, libtorch: &Libtorch) -> Result<serde_json::Value> {
    let cache = Cache::from_env(true)?.root;
    let search_path = match std::env::consts::OS {
        "macos" => "DYLD_LIBRARY_PATH",
        _ => "LD_LIBRARY_PATH",
    };
    // The kernel's value replaces the user's, so it has to contain the user's folders, too.
    let mut folders = vec![libtorch.lib.clone()];
    let others = variable(search_path).unwrap_or_default();
    for folder in std::env::split_paths(&others) {
        if !folder.as_os_str().is_empty() && !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    let folders = std::env::join_paths(&folders).map_err(|error| {
        let message = format!("can't write {search_path}");
        Error::new(ErrorKind::Usage, message).caused_by(error)
    })?;
    let mut environment = serde_json::Map::new();
    environment.insert("LIBTORCH".into(), utf8(&libtorch.root)?.into());
    environment.insert(search_path.into(), utf8(Path::new(&folders))?.into());
    environment.insert("CONVSCOPE_CACHE".into(), utf8(&cache)?.into());
    let argv = if cfg!(target_os = "linux") {
        environment.insert("CONVSCOPE_EVCXR".into(), utf8(evcxr)?.into());
        json!(["sh", "{resource_dir}/start.sh", "{connection_file}"])
    } else {
        json!([utf8(evcxr)?, "--control_file", "{connection_file}"])
    };
    Ok(json!({
        "argv": argv,
        "display_name": "Rust (convscope)",
        "language": "rust",
        "interrupt_mode": "message",
        "env": environment,
    }))
}

/// The path as text: JSON is UTF-8.
fn utf8(path: &Path) -> Result<&str> {
    path.to_str().ok_or_else(|| {
        let message = format!(
            "a path in kernel.json must be UTF-8, got {}",
            path.display()
        );
        Error::new(ErrorKind::Usage, message)
    })
}
