//! `convscope kernel`: a Jupyter kernel in which `:dep convscope` finds libtorch.
//!
//! It is evcxr's kernel with other environment variables under another name, so that the user's other kernels
//! don't change. Compiled crates are kept between sessions in a build folder. Only one kernel at a time uses a
//! build folder, because two would overwrite each other's cells. `start_kernel.sh` chooses the folder.

pub mod dependency_line;
mod jupyter;
mod libtorch;

use std::path::PathBuf;

use convscope::results::store;
use convscope::{Error, ErrorKind, Result};

use super::environment::{find_program, program_file, variable};
use super::exit_status::{Status, print, to_json};
use dependency_line::dependency_line;
use jupyter::{data_folder, kernel_json};
use libtorch::find_libtorch;

/// The kernel's name in Jupyter, and its folder.
const NAME: &str = "convscope";
const EVCXR: &str = "evcxr_jupyter";
const EVCXR_HELP: &str = "cargo install evcxr_jupyter --version '^0.22' --locked";

/// Starts evcxr with a build folder that no other kernel uses.
const START_SCRIPT: &str = include_str!("start_kernel.sh");

#[derive(Debug, clap::Args)]
pub struct KernelArgs {
    #[command(subcommand)]
    command: KernelCommand,
}

#[derive(Debug, clap::Subcommand)]
enum KernelCommand {
    /// Register the kernel "Rust (convscope)" with Jupyter; other kernels don't change.
    Install(KernelLocation),
    /// List what the kernel needs and what is missing, one line each.
    Check(KernelLocation),
    /// Remove the kernel from Jupyter.
    Remove(KernelLocation),
}

#[derive(Debug, clap::Args)]
struct KernelLocation {
    /// Jupyter's data folder; by default JUPYTER_DATA_DIR, else the user's.
    #[arg(long, value_name = "DIR", conflicts_with = "prefix")]
    dir: Option<PathBuf>,
    /// A venv or conda environment; its share/jupyter is Jupyter's data folder.
    #[arg(long, value_name = "DIR")]
    prefix: Option<PathBuf>,
    /// The program evcxr_jupyter; by default the one on the PATH or in cargo's folder.
    #[arg(long, value_name = "FILE")]
    evcxr: Option<PathBuf>,
}

impl KernelArgs {
    /// Installs, checks or removes the kernel.
    pub fn run(&self) -> Result<Status> {
        match &self.command {
            KernelCommand::Install(location) => location.install(),
            KernelCommand::Check(location) => location.check(),
            KernelCommand::Remove(location) => location.remove(),
        }
    }
}

impl KernelLocation {
    fn install(&self) -> Result<Status> {
        let folder = self.folder()?;
        let evcxr = self.evcxr()?;
        let json = to_json(&kernel_json(&evcxr, &find_libtorch()?)?)? + "\n";
        let _prepared = store::prepare_folder(&folder)?;
        let files = [
            ("kernel.json", json.as_bytes()),
            ("start.sh", START_SCRIPT.as_bytes()),
        ];
        store::write(&folder, &files)?;
        print(&format!(
            "{}\nthe first cell of a notebook with the kernel \"Rust (convscope)\":\n  {}",
            folder.join("kernel.json").display(),
            dependency_line()
        ))
    }

    fn check(&self) -> Result<Status> {
        let jupyter = find_program("jupyter").ok_or_else(|| {
            Error::new(ErrorKind::Io, "not on the PATH").help("python3 -m pip install jupyterlab")
        });
        let cargo = find_program("cargo").ok_or_else(|| {
            Error::new(ErrorKind::Io, "not on the PATH").help("install Rust from https://rustup.rs")
        });
        let kernel = self.folder().and_then(|folder| {
            let file = folder.join("kernel.json");
            if file.is_file() {
                return Ok(file);
            }
            Err(Error::new(ErrorKind::Io, format!("no {}", file.display()))
                .help("convscope kernel install"))
        });
        let requirements = [
            ("Jupyter", jupyter),
            ("cargo", cargo),
            (EVCXR, self.evcxr()),
            ("Rust's sources", find_rust_sources()),
            ("libtorch", find_libtorch().map(|libtorch| libtorch.root)),
            ("kernel", kernel),
        ];
        let mut text = String::new();
        let mut status = Status::Success;
        for (requirement, found) in requirements {
            text.push_str(&match found {
                Ok(path) => format!("{requirement}: {}\n", path.display()),
                Err(error) => {
                    status = Status::PartialFailure;
                    let help = error.help_text().unwrap_or("see the README");
                    format!("{requirement}: missing ({}); {help}\n", error.message())
                }
            });
        }
        print(&text)?;
        Ok(status)
    }

    fn remove(&self) -> Result<Status> {
        let folder = self.folder()?;
        if !folder.join("kernel.json").is_file() {
            let message = format!("there is no kernel in {}", folder.display());
            return Err(Error::new(ErrorKind::Usage, message)
                .help("set Jupyter's data folder with `--dir` or `--prefix`"));
        }
        std::fs::remove_dir_all(&folder).map_err(|error| Error::io("remove", &folder, error))?;
        print(&folder.display().to_string())
    }

    /// The kernel's folder.
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
            if path.is_file() {
                return std::path::absolute(path).map_err(|error| Error::io("find", path, error));
            }
            let message = format!(
                "`--evcxr` must be the program {EVCXR}, got {}, which is not a file",
                path.display()
            );
            return Err(Error::new(ErrorKind::Usage, message).help(EVCXR_HELP));
        }
        let home = variable("CARGO_HOME").map(PathBuf::from);
        let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
        let installed = home.map(|home| home.join("bin").join(program_file(EVCXR)));
        find_program(EVCXR)
            .or_else(|| installed.filter(|path| path.is_file()))
            .ok_or_else(|| Error::new(ErrorKind::Io, "not on the PATH").help(EVCXR_HELP))
    }
}

/// The sources of Rust's standard library. Without them evcxr can't infer the type of a `let` in a cell
/// with a `?`. If rustup is installed and online, it fetches them in the first cell.
fn find_rust_sources() -> Result<PathBuf> {
    let named = variable("RUST_SRC_PATH").map(PathBuf::from);
    let output = std::process::Command::new("rustc")
        .args(["--print", "sysroot"])
        .output();
    let sysroot = output.ok().filter(|output| output.status.success());
    let sysroot = sysroot.and_then(|output| String::from_utf8(output.stdout).ok());
    let installed = sysroot.map(|root| {
        let root = std::path::Path::new(root.trim_end_matches(['\r', '\n']));
        root.join("lib/rustlib/src/rust/library")
    });
    let mut folders = [named, installed].into_iter().flatten();
    folders
        .find(|library| library.join("core").is_dir())
        .ok_or_else(|| {
            Error::new(ErrorKind::Io, "not found").help(
                "rustup component add rust-src (without rustup: the system's package rust-src)",
            )
        })
}
