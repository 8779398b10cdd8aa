//! `convscope kernel`: a Jupyter kernel in which `:dep convscope` finds libtorch.
//!
//! It is evcxr's kernel with an environment of its own, under a name of its own, so that the user's other
//! kernels stay as they are. What a cell compiles is kept between kernels, in a folder that one kernel has
//! at a time: compiling the bindings to libtorch takes minutes, and two kernels in one folder would take
//! each other's cells.

use std::path::{Path, PathBuf};

use convscope::fetch::Cache;
use convscope::results::store;
use convscope::{Error, ErrorKind, Result};
use serde_json::json;

use super::{Done, pretty, print};

/// The kernel's name among Jupyter's, and its folder.
const NAME: &str = "convscope";
const EVCXR: &str = "evcxr_jupyter";
const EVCXR_HELP: &str = "cargo install evcxr_jupyter --version '^0.22' --locked";

/// Starts evcxr with a build folder that no other kernel has.
const START: &str = include_str!("kernel.sh");

#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Register the kernel "Rust (convscope)" with Jupyter; other kernels stay as they are.
    Install(Place),
    /// Say what is there and what is missing, a line each.
    Check(Place),
    /// Take the kernel away again.
    Remove(Place),
}

#[derive(Debug, clap::Args)]
struct Place {
    /// Jupyter's data folder; by default JUPYTER_DATA_DIR, else the user's.
    #[arg(long, value_name = "DIR", conflicts_with = "prefix")]
    dir: Option<PathBuf>,
    /// The environment whose share/jupyter is Jupyter's data folder (a venv, a conda environment).
    #[arg(long, value_name = "DIR")]
    prefix: Option<PathBuf>,
    /// The program evcxr_jupyter; by default the one on the PATH or in cargo's folder.
    #[arg(long, value_name = "FILE")]
    evcxr: Option<PathBuf>,
}

impl Arguments {
    pub fn execute(&self) -> Result<Done> {
        match &self.command {
            Command::Install(place) => place.install(),
            Command::Check(place) => place.check(),
            Command::Remove(place) => place.remove(),
        }
    }
}

impl Place {
    fn install(&self) -> Result<Done> {
        let folder = self.folder()?;
        let evcxr = self.evcxr()?;
        let spec = kernel(&evcxr, &libtorch()?)?;
        let _made = store::prepare(&folder)?;
        let spec = pretty(&spec)? + "\n";
        let files = [
            ("kernel.json", spec.as_bytes()),
            ("start.sh", START.as_bytes()),
        ];
        store::write(&folder, &files)?;
        print(&format!(
            "{}\nin a notebook of the kernel \"Rust (convscope)\" begin with:\n  {}",
            folder.join("kernel.json").display(),
            dependency()
        ))
    }

    fn check(&self) -> Result<Done> {
        let jupyter = on_path("jupyter").ok_or_else(|| {
            Error::new(ErrorKind::Io, "not found").help("python3 -m pip install jupyterlab")
        });
        let cargo = on_path("cargo").ok_or_else(|| {
            Error::new(ErrorKind::Io, "not found").help("install Rust from https://rustup.rs")
        });
        let kernel = self.folder().and_then(|folder| {
            let file = folder.join("kernel.json");
            match file.is_file() {
                true => Ok(file),
                false => Err(Error::new(ErrorKind::Io, format!("no {}", file.display()))
                    .help("convscope kernel install")),
            }
        });
        let lines = [
            ("Jupyter", jupyter),
            ("cargo", cargo),
            (EVCXR, self.evcxr()),
            ("Rust's sources", standard_library()),
            ("libtorch", libtorch().map(|libtorch| libtorch.root)),
            ("kernel", kernel),
        ];
        let mut text = String::new();
        let mut done = Done::Well;
        for (what, found) in lines {
            text.push_str(&match found {
                Ok(path) => format!("{what}: {}\n", path.display()),
                Err(error) => {
                    done = Done::Partly;
                    let help = error.advice().unwrap_or("see the README");
                    format!(
                        "{what}: missing ({}); get it with: {help}\n",
                        error.message()
                    )
                }
            });
        }
        print(&text)?;
        Ok(done)
    }

    fn remove(&self) -> Result<Done> {
        let folder = self.folder()?;
        if !folder.join("kernel.json").is_file() {
            let message = format!("there is no kernel in {}", folder.display());
            return Err(Error::new(ErrorKind::Usage, message)
                .help("`--dir` and `--prefix` name another Jupyter folder"));
        }
        std::fs::remove_dir_all(&folder).map_err(|error| Error::io("remove", &folder, error))?;
        print(&folder.display().to_string())
    }

    /// Where the kernel's files go.
    fn folder(&self) -> Result<PathBuf> {
        let data = match (&self.dir, &self.prefix) {
            (Some(dir), _) => dir.clone(),
            (None, Some(prefix)) => prefix.join("share").join("jupyter"),
            (None, None) => data_folder()?,
        };
        Ok(data.join("kernels").join(NAME))
    }

    fn evcxr(&self) -> Result<PathBuf> {
        if let Some(path) = &self.evcxr {
            return match path.is_file() {
                true => std::path::absolute(path).map_err(|e| Error::io("find", path, e)),
                false => {
                    let message = format!("there is no program {}", path.display());
                    Err(Error::new(ErrorKind::Usage, message).help(EVCXR_HELP))
                }
            };
        }
        let home = set("CARGO_HOME").map(PathBuf::from);
        let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
        let beside_cargo = home.map(|home| home.join("bin").join(program(EVCXR)));
        on_path(EVCXR)
            .or_else(|| beside_cargo.filter(|path| path.is_file()))
            .ok_or_else(|| {
                Error::new(ErrorKind::Io, format!("{EVCXR} is not on the PATH")).help(EVCXR_HELP)
            })
    }
}

/// Where Jupyter keeps a user's data, as its own `jupyter_core.paths` finds it.
fn data_folder() -> Result<PathBuf> {
    if let Some(folder) = set("JUPYTER_DATA_DIR") {
        return Ok(folder.into());
    }
    let home = || {
        std::env::home_dir().ok_or_else(|| {
            Error::new(
                ErrorKind::Usage,
                "there is no home folder to put the kernel in",
            )
            .help("`--dir` names Jupyter's data folder")
        })
    };
    Ok(match std::env::consts::OS {
        "macos" => home()?.join("Library").join("Jupyter"),
        "windows" => match set("APPDATA") {
            Some(folder) => Path::new(&folder).join("jupyter"),
            None => home()?.join("jupyter"),
        },
        _ => match set("XDG_DATA_HOME") {
            Some(folder) => Path::new(&folder).join("jupyter"),
            None => home()?.join(".local").join("share").join("jupyter"),
        },
    })
}

/// What stands in `kernel.json`.
fn kernel(evcxr: &Path, libtorch: &Libtorch) -> Result<serde_json::Value> {
    let cache = Cache::from_env(true)?.root;
    let search = match std::env::consts::OS {
        "macos" => "DYLD_LIBRARY_PATH",
        _ => "LD_LIBRARY_PATH",
    };
    // Jupyter puts this in the place of what the user has, so that has to stay in it.
    let mut folders = vec![libtorch.lib.clone()];
    let others = set(search).unwrap_or_default();
    for folder in std::env::split_paths(&others) {
        if !folder.as_os_str().is_empty() && !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    let folders = std::env::join_paths(&folders).map_err(|error| {
        let message = format!("can't write {search}");
        Error::new(ErrorKind::Usage, message).because(error)
    })?;
    let mut environment = serde_json::Map::new();
    environment.insert("LIBTORCH".into(), text(&libtorch.root)?.into());
    environment.insert(search.into(), text(Path::new(&folders))?.into());
    environment.insert("CONVSCOPE_CACHE".into(), text(&cache)?.into());
    let argv = match cfg!(target_os = "linux") {
        true => {
            environment.insert("CONVSCOPE_EVCXR".into(), text(evcxr)?.into());
            json!(["sh", "{resource_dir}/start.sh", "{connection_file}"])
        }
        false => json!([text(evcxr)?, "--control_file", "{connection_file}"]),
    };
    Ok(json!({
        "argv": argv,
        "display_name": "Rust (convscope)",
        "language": "rust",
        "interrupt_mode": "message",
        "env": environment,
    }))
}

/// The line that a notebook begins with: from the sources where they are, else from the registry.
pub fn dependency() -> String {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR"));
    match sources.join("Cargo.toml").is_file() {
        true => format!(
            ":dep convscope = {{ path = {:?} }}",
            sources.display().to_string()
        ),
        false => format!(":dep convscope = \"{}\"", env!("CARGO_PKG_VERSION")),
    }
}

/// The sources of Rust's standard library: without them evcxr can't tell what type a cell's `let` has, as soon
/// as a `?` stands in it. rustup gets them by itself in the first cell, if it is there and online.
fn standard_library() -> Result<PathBuf> {
    let named = set("RUST_SRC_PATH").map(PathBuf::from);
    let output = std::process::Command::new("rustc")
        .args(["--print", "sysroot"])
        .output();
    let sysroot = output.ok().filter(|output| output.status.success());
    let sysroot = sysroot.and_then(|output| String::from_utf8(output.stdout).ok());
    let below = sysroot.map(|root| {
        let root = Path::new(root.trim_end_matches(['\r', '\n']));
        root.join("lib/rustlib/src/rust/library")
    });
    let mut places = [named, below].into_iter().flatten();
    places
        .find(|library| library.join("core").is_dir())
        .ok_or_else(|| {
            Error::new(ErrorKind::Io, "not found").help(
                "rustup component add rust-src (without rustup: the system's package rust-src)",
            )
        })
}

struct Libtorch {
    root: PathBuf,
    lib: PathBuf,
}

/// The libtorch that the user names, else the one this program was built with, else the cache's.
fn libtorch() -> Result<Libtorch> {
    let named = set("LIBTORCH").map(PathBuf::from);
    let built = option_env!("CONVSCOPE_LIBTORCH").map(Path::new);
    let built = built.and_then(|lib| lib.parent()).map(Path::to_owned);
    let cached = Cache::from_env(true).ok();
    let cached = cached.map(|cache| cache.root.join("libtorch-2.13.0-cpu"));
    let name = match std::env::consts::OS {
        "macos" => "libtorch_cpu.dylib",
        "windows" => "torch_cpu.dll",
        _ => "libtorch_cpu.so",
    };
    let libtorch = |root: PathBuf| {
        let lib = root.join("lib");
        lib.join(name).is_file().then_some(Libtorch { root, lib })
    };
    if let Some(root) = named {
        return libtorch(root.clone()).ok_or_else(|| {
            let message = format!("LIBTORCH is {}, and there is no lib/{name}", root.display());
            Error::new(ErrorKind::Usage, message).help("unset LIBTORCH, or name libtorch's folder")
        });
    }
    let mut places = [built, cached].into_iter().flatten();
    places.find_map(libtorch).ok_or_else(|| {
        Error::new(ErrorKind::Io, "there is no libtorch 2.13.0").help("make libtorch")
    })
}

/// JSON has no other text than UTF-8.
fn text(path: &Path) -> Result<&str> {
    path.to_str().ok_or_else(|| {
        let message = format!("{} is not UTF-8, and kernel.json has to be", path.display());
        Error::new(ErrorKind::Usage, message)
    })
}

fn set(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = set("PATH")?;
    let mut all = std::env::split_paths(&path).map(|folder| folder.join(program(name)));
    all.find(|file| file.is_file())
}

fn program(name: &str) -> String {
    format!("{name}{}", std::env::consts::EXE_SUFFIX)
}
