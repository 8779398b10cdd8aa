//! A spec with its text, so that whoever finds a fault later can still point at it.

use std::path::{Path, PathBuf};

use super::source::{Step, Tree, pointing};
use super::{Experiment, read};
use crate::error::{Error, ErrorKind, Result};

/// An experiment and the file it was read from.
///
/// ```
/// use convscope::spec::{SpecFile, Step};
///
/// let text = "title: One look\nmodels: [resnet50]\nimages: [cat.jpg]\n";
/// let spec = SpecFile::parse("look.yaml", text)?;
/// assert_eq!(spec.experiment.models[0].arch, "resnet50");
/// let at = [Step::Key("images"), Step::Index(0)];
/// let error = spec.error_at(&at, "there is no cat.jpg", "not found", "paths start at the spec's folder");
/// assert_eq!(error.exit_code(), 2);
/// # Ok::<(), convscope::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct SpecFile {
    /// What errors call it: the path as it was given, and the `--set`s if there are any.
    pub name: String,
    /// The YAML, with every `--set` worked in.
    pub text: String,
    /// What it says.
    pub experiment: Experiment,
    path: Option<PathBuf>,
    tree: Tree,
}

impl SpecFile {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if it can't be read, else as [`parse`](Self::parse).
    pub fn read(path: &Path) -> Result<SpecFile> {
        Self::with_overrides(path, &[])
    }

    /// Reads and checks a file after each `KEY=VALUE` of `sets` has been worked into its text.
    ///
    /// A key is a path with dots, list places counted from 0 (`models.0.weights`); a value is YAML.
    /// Later ones win.
    ///
    /// # Errors
    /// Also [`ErrorKind::Usage`] if a key leads nowhere or a value is not YAML, with the flag.
    pub fn with_overrides(path: &Path, sets: &[String]) -> Result<SpecFile> {
        let name = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|error| {
            let missing = error.kind() == std::io::ErrorKind::NotFound;
            let kind = if missing {
                ErrorKind::Spec
            } else {
                ErrorKind::Io
            };
            let error = Error::new(kind, format!("can't read {name}")).because(error);
            match missing {
                true => error.help("`convscope init` writes a spec to start from"),
                false => error,
            }
        })?;
        let mut text = read::utf8(&name, bytes)?;
        for set in sets {
            text = super::overrides::apply(&name, &text, set)?;
        }
        // A fault may come from a flag and not from the file.
        let name = match sets {
            [] => name,
            _ => format!("{name} (with --set {})", sets.join(" --set ")),
        };
        Ok(Self::parse(&name, &text)?.at(path))
    }

    /// Reads and checks a text; errors call it `name`.
    ///
    /// # Errors
    /// [`ErrorKind::Spec`] with the place of the first fault: not YAML, an unknown or a second
    /// key, a wrong type, an unknown name, a value that can't be.
    pub fn parse(name: &str, text: &str) -> Result<SpecFile> {
        // Editors on Windows put a byte-order mark first.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let tree = Tree::parse(name, text)?;
        let experiment = read::read(name, text, &tree)?;
        let spec = SpecFile {
            name: name.to_owned(),
            text: text.to_owned(),
            experiment,
            path: None,
            tree,
        };
        spec.check()?;
        Ok(spec)
    }

    /// The same spec as if it stood in the file at `path`: there its relative paths start.
    pub fn at(mut self, path: impl Into<PathBuf>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// The file, if the spec came from one.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Where the spec's relative paths start: the file's folder, or the current one.
    pub fn folder(&self) -> &Path {
        match self.path.as_deref().and_then(Path::parent) {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        }
    }

    /// A path of the spec as seen from the current folder.
    pub fn resolve(&self, path: &Path) -> PathBuf {
        // `./photos` reads worse than `photos` in a message.
        match self.folder() {
            folder if folder == Path::new(".") => path.to_owned(),
            folder => folder.join(path),
        }
    }

    /// A spec error that points at the value at `path`.
    ///
    /// Where the path leads further than the file (a default, a short form), it points at the
    /// deepest value that is written.
    pub fn error_at(
        &self,
        path: &[Step],
        message: impl Into<String>,
        label: impl Into<String>,
        help: impl Into<String>,
    ) -> Error {
        let found = self.tree.find(path);
        pointing(&self.name, &self.text, found.value, message, label).help(help)
    }

    /// Like [`error_at`](Self::error_at), at the key in front of the value.
    pub fn error_at_key(
        &self,
        path: &[Step],
        message: impl Into<String>,
        label: impl Into<String>,
        help: impl Into<String>,
    ) -> Error {
        let found = self.tree.find(path);
        pointing(&self.name, &self.text, found.key, message, label).help(help)
    }

    /// Makes an error from elsewhere (an unknown layer) point at the value at `path`, with its
    /// message and its help. It becomes a spec error, unless the spec is right and what it names
    /// could not be fetched or loaded.
    pub fn locate(&self, path: &[Step], error: Error) -> Error {
        let found = self.tree.find(path);
        let message = error.one_line();
        let mut placed = pointing(&self.name, &self.text, found.value, message, "here");
        if matches!(error.kind(), ErrorKind::Fetch | ErrorKind::Weights) {
            placed = placed.of_kind(error.kind());
        }
        match error.advice() {
            Some(help) => placed.help(help),
            None => placed,
        }
    }

    /// Whether the file itself says something at `path`.
    pub fn has(&self, path: &[Step]) -> bool {
        self.tree.find(path).steps == path.len()
    }
}
