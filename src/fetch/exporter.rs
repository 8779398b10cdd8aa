//! Runs `scripts/export.py` through the user's Python, and puts the `.pt2` file that it writes into the cache.
//!
//! The script runs in a temporary folder of the cache. It can't wait for input, and is ended after a time limit.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use tempfile::NamedTempFile;

use super::cache::{Cache, CachedFile};
use super::checksum::file_sha256;
use super::export_place::{ExportIndex, ExportPlace, SCRIPT};
use super::package_client::last_lines;
use crate::error::{Error, ErrorKind, Result};
use crate::network::pt2;
use crate::progress::Progress;
use crate::spec::{LibraryNetwork, LibraryWeights};

/// The variable that names the Python.
const VARIABLE: &str = "CONVSCOPE_PYTHON";
/// How long an export may take by default: pretrained weights of some gigabytes are downloaded in it.
const TIME_LIMIT: Duration = Duration::from_secs(60 * 60);
/// The interval at which the end of the script is polled.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Exports networks of Python libraries.
#[derive(Debug, Clone)]
pub struct Exporter {
    /// The Python interpreter, which has PyTorch and the library.
    pub python: OsString,
    /// After this time the script is ended.
    pub time_limit: Duration,
}

impl Exporter {
    /// The Python that the environment variable `CONVSCOPE_PYTHON` names, else `python3`, with a time limit of an hour.
    pub fn from_env() -> Self {
        let named = std::env::var_os(VARIABLE).filter(|value| !value.is_empty());
        Exporter {
            python: named.unwrap_or_else(|| "python3".into()),
            time_limit: TIME_LIMIT,
        }
    }

    /// Exports a network into the cache, whether it is there or not.
    ///
    /// # Errors
    /// If the Python can't be started, lacks a package, fails, takes too long or writes no `.pt2` file.
    pub fn export_network(
        &self,
        network: &LibraryNetwork,
        cache: &Cache,
        progress: &dyn Progress,
    ) -> Result<CachedFile> {
        self.run(network, &ExportPlace::new(network, cache)?, cache, progress)
    }

    /// Exports a network into the cache; another run that does the same is waited for.
    pub(super) fn export(
        &self,
        network: &LibraryNetwork,
        place: &ExportPlace,
        cache: &Cache,
        progress: &dyn Progress,
    ) -> Result<CachedFile> {
        let _lock = cache.lock(&place.folder, &network.to_string(), progress)?;
        // Another run may have exported it while this one waited.
        if let Ok(Some(file)) = place.find(None, cache) {
            return Ok(file);
        }
        self.run(network, place, cache, progress)
    }

    fn run(
        &self,
        network: &LibraryNetwork,
        place: &ExportPlace,
        cache: &Cache,
        progress: &dyn Progress,
    ) -> Result<CachedFile> {
        let python = self.python.to_string_lossy();
        progress.step(&format!("{network}: exporting with {python}"));
        let folder = cache.temporary_folder()?;
        let made = folder.path().join("net.pt2");
        let output = folder.path().join("output");
        self.run_script(network, folder.path(), &made, &output)?;
        let wrong = |cause: Option<Error>| {
            let message = format!("`{python}` wrote no .pt2 file of {network}");
            let error = Error::new(ErrorKind::Fetch, message);
            match cause {
                Some(cause) => error.caused_by(cause),
                None => error.caused_by(last_lines(&output)),
            }
        };
        if !made.is_file() || !pt2::is_exported_program(&made).map_err(|e| wrong(Some(e)))? {
            return Err(wrong(None));
        }
        let versions = pt2::versions(&made).map_err(|e| wrong(Some(e)))?;
        let sha256 = file_sha256(&made)?;
        let path = place.file(cache, &sha256)?;
        let parent = path.parent().unwrap_or(&cache.root);
        fs::create_dir_all(parent)
            .map_err(|cause| Error::io("create the folder", parent, cause))?;
        fs::rename(&made, &path).map_err(|cause| Error::io("write", &path, cause))?;
        let index = ExportIndex {
            network: network.to_string(),
            sha256: sha256.clone(),
            versions,
        };
        write_index(&index, &place.index, parent)?;
        Ok(CachedFile { path, sha256 })
    }

    /// Runs the script in `folder`; what it prints goes into `output`.
    fn run_script(
        &self,
        network: &LibraryNetwork,
        folder: &Path,
        made: &Path,
        output: &Path,
    ) -> Result<()> {
        let script = folder.join("export.py");
        fs::write(&script, SCRIPT).map_err(|cause| Error::io("write", &script, cause))?;
        let write_error = |cause| Error::io("write", output, cause);
        let printed = File::create(output).map_err(write_error)?;
        let mut command = Command::new(&self.python);
        command
            .arg(&script)
            .arg(format!("{}:{}", network.library.name(), network.name))
            .arg("--output")
            .arg(made)
            .args(weight_arguments(&network.weights)?)
            .stdin(Stdio::null())
            .stdout(printed.try_clone().map_err(write_error)?)
            .stderr(printed);
        match std::env::var_os("LD_LIBRARY_PATH") {
            Some(path) => command.env("LD_LIBRARY_PATH", without_libtorch(&path)),
            None => &mut command,
        };
        tracing::debug!(?command, "exporter");
        let python = self.python.to_string_lossy();
        let packages = format!("torch {}", network.library.name());
        let install = format!(
            "install what is missing with `{python} -m pip install {packages}`, or set {VARIABLE} to a Python that has it"
        );
        let child = command.spawn().map_err(|cause| {
            let message = format!("can't start the Python `{python}`, which exports {network}");
            let help = format!(
                "install Python, then `python3 -m pip install {packages}`; or set {VARIABLE} to a Python that has it"
            );
            Error::new(ErrorKind::Fetch, message)
                .caused_by(cause)
                .help(help)
        })?;
        let Some(status) = self.wait(child).map_err(write_error)? else {
            let message = format!(
                "`{python}` did not export {network} within {} seconds",
                self.time_limit.as_secs()
            );
            let error = Error::new(ErrorKind::Fetch, message);
            return Err(error.caused_by(last_lines(output)));
        };
        if status.success() {
            return Ok(());
        }
        let lines = last_lines(output);
        let mut message = format!("`{python}` can't export {network}");
        if status.code().is_none() {
            // Ended from outside, as for want of memory.
            message.push_str(&format!(" ({status})"));
        }
        let mut error = Error::new(ErrorKind::Fetch, message);
        if lines.contains("No module named") {
            error = error.help(install);
        }
        // The lines before the last one are of downloads, or of where in Python's code the error was.
        let last = lines.lines().last().unwrap_or_default().to_owned();
        Err(error.caused_by(last))
    }

    /// Waits for the script; `None` if it was ended after the time limit.
    fn wait(&self, mut child: Child) -> std::io::Result<Option<ExitStatus>> {
        let start = Instant::now();
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(Some(status));
            }
            if start.elapsed() >= self.time_limit {
                child.kill()?;
                child.wait()?;
                return Ok(None);
            }
            std::thread::sleep(POLL_INTERVAL);
        }
    }
}

/// The script's arguments about weights.
fn weight_arguments(weights: &LibraryWeights) -> Result<Vec<OsString>> {
    Ok(match weights {
        LibraryWeights::Pretrained => Vec::new(),
        LibraryWeights::Untrained { seed } => vec!["--seed".into(), seed.to_string().into()],
        LibraryWeights::File(path) => {
            let path = std::path::absolute(path).map_err(|cause| Error::io("find", path, cause))?;
            vec!["--weights".into(), path.into()]
        }
    })
}

/// `LD_LIBRARY_PATH` without the folders of a libtorch: it is convscope's, and Python's PyTorch has its own.
fn without_libtorch(path: &OsStr) -> OsString {
    let folders = std::env::split_paths(path);
    let others = folders.filter(|folder| !folder.join("libtorch_cpu.so").exists());
    std::env::join_paths(others).unwrap_or_default()
}

fn write_index(index: &ExportIndex, path: &Path, folder: &Path) -> Result<()> {
    let write_error = |cause| Error::io("write", path, cause);
    let json = serde_json::to_vec_pretty(index).map_err(|cause| write_error(cause.into()))?;
    let mut temporary = NamedTempFile::new_in(folder).map_err(write_error)?;
    temporary.write_all(&json).map_err(write_error)?;
    temporary
        .persist(path)
        .map_err(|error| write_error(error.error))?;
    Ok(())
}
