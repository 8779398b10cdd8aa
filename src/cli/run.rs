//! `convscope run`: experiments in, reports out.

use std::path::{Path, PathBuf};

use convscope::results::{Failure, store};
use convscope::run::{self, Options};
use convscope::spec::SpecFile;
use convscope::{Error, ErrorKind, Report, Result, notebook};
use tch::Device;

use super::kernel::dependency;
use super::terminal::Terminal;
use super::{Done, complain};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Experiment files; a folder means every YAML file below it.
    #[arg(required = true, value_name = "SPEC")]
    specs: Vec<PathBuf>,
    /// Where the reports go, a folder an experiment.
    #[arg(long, value_name = "DIR", default_value = "output")]
    out: PathBuf,
    /// Set a key of the experiment: `--set seed=3`, `--set models.0.weights=mine.pth`.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Where the networks run: `cpu`, or `cuda:0`.
    #[arg(long, default_value = "cpu", value_parser = device)]
    device: Device,
    /// Fetch nothing; use what the cache has.
    #[arg(long)]
    offline: bool,
    /// Compute everything anew; take up no earlier results.
    #[arg(long)]
    no_cache: bool,
    /// Draw the report with the templates in this folder where it has them.
    #[arg(long, value_name = "DIR")]
    templates: Option<PathBuf>,
    /// Also write a notebook: the experiment, the calls, and the figures as their outputs.
    #[arg(long, value_name = "FILE.ipynb")]
    notebook: Option<PathBuf>,
    /// Open the report in the browser.
    #[arg(long)]
    open: bool,
}

/// `cpu`, `cuda` or `cuda:N`.
pub fn device(text: &str) -> Result<Device, String> {
    match text.split_once(':') {
        None if text == "cpu" => Ok(Device::Cpu),
        None if text == "cuda" => Ok(Device::Cuda(0)),
        Some(("cuda", number)) => number
            .parse()
            .map(Device::Cuda)
            .map_err(|_| format!("`{number}` is no device number")),
        _ => Err("it is `cpu` or `cuda:N`".to_owned()),
    }
}

impl Arguments {
    pub fn execute(&self, progress: &Terminal) -> Result<Done> {
        let files = spec_files(&self.specs)?;
        if let (Some(file), true) = (&self.notebook, files.len() > 1) {
            let message = format!(
                "{} is one notebook for {} specs",
                file.display(),
                files.len()
            );
            return Err(Error::new(ErrorKind::Usage, message)
                .help("`--notebook` goes with one spec; call it once for each"));
        }
        let mut done = Done::Well;
        let mut refused: Option<Error> = None;
        for file in &files {
            match self.one(&file.path, &self.out.join(&file.name), progress) {
                Ok(Done::Well) => {}
                Ok(Done::Partly) => done = Done::Partly,
                // The others still run; the worst exit code is the last word.
                Err(error) => {
                    progress.finish();
                    if let Some(earlier) = refused.take() {
                        let worse = earlier.exit_code() > error.exit_code();
                        let (said, kept) = if worse {
                            (error, earlier)
                        } else {
                            (earlier, error)
                        };
                        complain(said);
                        refused = Some(kept);
                    } else {
                        refused = Some(error);
                    }
                }
            }
        }
        refused.map_or(Ok(done), Err)
    }

    fn one(&self, path: &Path, folder: &Path, progress: &Terminal) -> Result<Done> {
        let spec = SpecFile::with_overrides(path, &self.set)?;
        let _folder = store::prepare(folder)?;
        let options = Options {
            device: self.device,
            offline: self.offline,
            cached: !self.no_cache,
            ..Options::default()
        };
        let notebook = self.notebook.as_deref().map(notebook_folder).transpose()?;
        let report = Report::new(run::run(&spec, &options, progress)?, spec);
        let drawn = convscope::report::Options {
            templates: self.templates.clone(),
        };
        let page = report.save_with(folder, &drawn)?;
        if let Some((folder, name, _made)) = &notebook {
            let text = notebook::text(&report, folder, &dependency())?;
            store::write(folder, &[(name, text.as_bytes())])?;
        }
        progress.finish();
        println!("{}", page.display());
        if let Some(file) = &self.notebook {
            println!("{}", file.display());
        }
        if self.open {
            open(&page)?;
        }
        Ok(tell(report.failures()))
    }
}

/// The folder of a notebook to be written, which is made if need be, and the file's name in it.
fn notebook_folder(file: &Path) -> Result<(&Path, &str, store::Prepared)> {
    let name = file.file_name().and_then(|name| name.to_str());
    let name = name
        .filter(|name| name.ends_with(".ipynb"))
        .ok_or_else(|| {
            let message = format!("{} is no name for a notebook", file.display());
            Error::new(ErrorKind::Usage, message).help("write `--notebook FILE.ipynb`")
        })?;
    let folder = match file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    Ok((folder, name, store::prepare(folder)?))
}

/// Says on stderr what failed, and whether anything did.
fn tell(failures: &[Failure]) -> Done {
    if failures.is_empty() {
        return Done::Well;
    }
    eprintln!("what failed: {} (the report says so too):", failures.len());
    for failure in failures {
        let parts = [&failure.model, &failure.image, &failure.method];
        let place: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
        eprintln!("  {}: {}", place.join(", "), failure.message);
        if let Some(help) = &failure.help {
            eprintln!("    {help}");
        }
    }
    Done::Partly
}

/// An experiment file, and what its output folder is called.
#[derive(Debug)]
pub struct Spec {
    pub path: PathBuf,
    pub name: String,
}

/// The experiment files that the arguments mean: files as they are, folders as every YAML file
/// below them but the locks that earlier runs wrote.
pub fn spec_files(paths: &[PathBuf]) -> Result<Vec<Spec>> {
    let mut files: Vec<Spec> = Vec::new();
    for path in paths {
        if !path.is_dir() {
            let name = path.file_stem().unwrap_or_default();
            files.push(Spec {
                name: name.to_string_lossy().into_owned(),
                path: path.clone(),
            });
            continue;
        }
        let before = files.len();
        for entry in walkdir::WalkDir::new(path).sort_by_file_name() {
            let entry = entry.map_err(|error| {
                let message = format!("can't look through {}", path.display());
                Error::new(ErrorKind::Usage, message).because(error)
            })?;
            let yaml = |ending: &std::ffi::OsStr| ending == "yaml" || ending == "yml";
            // A lock is what a run wrote, not a spec of its own: a second `run .` would run it too.
            if entry.file_type().is_file()
                && entry.file_name() != store::LOCK
                && entry.path().extension().is_some_and(yaml)
            {
                let below = entry.path().strip_prefix(path).unwrap_or(entry.path());
                let name = below
                    .with_extension("")
                    .to_string_lossy()
                    .replace(['/', '\\'], "-");
                files.push(Spec {
                    path: entry.into_path(),
                    name,
                });
            }
        }
        if files.len() == before {
            let message = format!("there is no YAML file below {}", path.display());
            return Err(Error::new(ErrorKind::Usage, message));
        }
    }
    // Two experiments never write into one folder.
    for at in 1..files.len() {
        let base = files[at].name.clone();
        let mut number = 2;
        while files[..at].iter().any(|other| other.name == files[at].name) {
            files[at].name = format!("{base}-{number}");
            number += 1;
        }
    }
    Ok(files)
}

fn open(page: &Path) -> Result<()> {
    let program = match std::env::consts::OS {
        "macos" => "open",
        "windows" => "explorer",
        _ => "xdg-open",
    };
    std::process::Command::new(program)
        .arg(page)
        .spawn()
        .map(drop)
        .map_err(|error| {
            let message = format!("can't open {} ({program})", page.display());
            Error::new(ErrorKind::Io, message).because(error)
        })
}
