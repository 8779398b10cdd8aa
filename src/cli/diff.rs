//! `convscope diff`: compares two finished runs and writes the difference as one page.

use std::path::{Path, PathBuf};

use convscope::report::{FinishedRun, RenderOptions, render_diff};
use convscope::results::store;
use convscope::{Error, ErrorKind, Result};

use super::exit_status::{Status, print};

#[derive(Debug, clap::Args)]
pub struct DiffArgs {
    /// The output folder of the first run.
    #[arg(value_name = "RUN")]
    first: PathBuf,
    /// The output folder of the second run, of the same network at another time or with other weights.
    #[arg(value_name = "RUN")]
    second: PathBuf,
    /// The folder for the page; by default `output/FIRST-SECOND`.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Use the templates in this folder instead of the built-in ones of the same name.
    #[arg(long, value_name = "DIR")]
    templates: Option<PathBuf>,
}

impl DiffArgs {
    /// Writes the page and prints its path.
    pub fn run(&self) -> Result<Status> {
        let names = names(&self.first, &self.second);
        let folder = match &self.out {
            Some(folder) => folder.clone(),
            None => Path::new("output").join(names.join("-").replace(['/', '\\'], "-")),
        };
        for run in [&self.first, &self.second] {
            if is_same(run, &folder) {
                let message = format!(
                    "`--out` must be another folder than the run {}",
                    run.display()
                );
                return Err(
                    Error::new(ErrorKind::Usage, message).help("it would replace the run's report")
                );
            }
        }
        let (first, second) = (store::read(&self.first)?, store::read(&self.second)?);
        let run = |name, (results, tensors)| FinishedRun {
            name,
            results,
            tensors,
        };
        let options = RenderOptions {
            templates: self.templates.clone(),
        };
        let page = render_diff(
            run(&names[0], (&first.0, &first.1)),
            run(&names[1], (&second.0, &second.1)),
            &options,
        )?;
        let _prepared = store::prepare_folder(&folder)?;
        store::write(&folder, &[(store::REPORT, page.as_bytes())])?;
        print(&folder.join(store::REPORT).display().to_string())
    }
}

/// What the runs are called: their folders' names, or where these are equal their paths.
fn names(first: &Path, second: &Path) -> [String; 2] {
    let name = |path: &Path| {
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let name = absolute
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        name.unwrap_or_else(|| path.display().to_string())
    };
    let names = [name(first), name(second)];
    if names[0] == names[1] {
        [first, second].map(|path| path.display().to_string())
    } else {
        names
    }
}

fn is_same(run: &Path, folder: &Path) -> bool {
    match (run.canonicalize(), folder.canonicalize()) {
        (Ok(run), Ok(folder)) => run == folder,
        _ => false,
    }
}
