//! A spec: the experiment with the text that it was read from, so that an error found later can point at its cause.

use std::path::{Path, PathBuf};

use super::experiment::ExperimentSpec;
use super::overrides;
use super::recovery;
use super::spec_text::SpecText;
use super::text_error::decode_utf8;
use super::validate::validate;
use super::yaml_tree::PathStep;
use crate::error::{Error, ErrorKind, Mistakes, Result};

/// An experiment and the text that it was read from.
///
/// ```
/// use convscope::spec::{PathStep, SpecFile};
///
/// let text = "title: One network\nmodels: [resnet50]\nimages: [cat.jpg]\n";
/// let spec = SpecFile::parse("one.yaml", text)?;
/// assert_eq!(spec.experiment.models[0].arch, "resnet50");
/// let path = [PathStep::Key("images"), PathStep::Index(0)];
/// let help = "relative paths start at the spec's folder";
/// let error = spec.error_at(&path, "there is no cat.jpg", "not found", help);
/// assert_eq!(error.exit_code(), 2);
/// # Ok::<(), convscope::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct SpecFile {
    /// The experiment.
    pub experiment: ExperimentSpec,
    text: SpecText,
    path: Option<PathBuf>,
}

impl SpecFile {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if it can't be read, else as [`parse`](Self::parse).
    pub fn read(path: &Path) -> Result<SpecFile> {
        Self::read_with_overrides(path, &[])
    }

    /// Reads and checks a file after applying each `KEY=VALUE` of `overrides` to its text; later ones win.
    ///
    /// A key is a path with dots, with positions in lists counted from 0 (`models.0.weights`); a value is YAML.
    ///
    /// # Errors
    /// Also [`ErrorKind::Usage`] if a key leads nowhere or a value is not YAML.
    pub fn read_with_overrides(path: &Path, overrides: &[String]) -> Result<SpecFile> {
        let (spec, mistakes) = Self::read_tolerantly(path, overrides)?;
        mistakes.into_result()?;
        Ok(spec)
    }

    /// Reads what can be read of a file with overrides, and collects its mistakes.
    ///
    /// # Errors
    /// If the file can't be read, is not YAML, or has mistakes after which nothing else can be read; and for an override that
    /// can't be applied.
    pub fn read_tolerantly(path: &Path, overrides: &[String]) -> Result<(SpecFile, Mistakes)> {
        let name = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|error| {
            let message = format!("can't read {name}");
            if error.kind() == std::io::ErrorKind::NotFound {
                Error::new(ErrorKind::Spec, message)
                    .caused_by(error)
                    .help("`convscope init` writes a spec to start from")
            } else {
                Error::new(ErrorKind::Io, message).caused_by(error)
            }
        })?;
        let text = decode_utf8(&name, bytes)?;
        let (spec, mistakes) = Self::parse_tolerantly(&name, &text, overrides)?;
        Ok((spec.with_path(path), mistakes))
    }

    /// Reads and checks a text; `name` is its name in errors.
    ///
    /// # Errors
    /// [`ErrorKind::Spec`] with the positions of all errors that don't follow from each other: not YAML, an unknown or a repeated
    /// key, a wrong type, an unknown name, a value out of its range.
    pub fn parse(name: &str, text: &str) -> Result<SpecFile> {
        let (spec, mistakes) = Self::parse_tolerantly(name, text, &[])?;
        mistakes.into_result()?;
        Ok(spec)
    }

    /// Reads what can be read of a text with overrides, and collects its mistakes: the experiment lacks the entries and keys that
    /// can't be read, and a plan of it finds further mistakes.
    ///
    /// # Errors
    /// As [`read_tolerantly`](Self::read_tolerantly).
    pub fn parse_tolerantly(
        name: &str,
        text: &str,
        overrides: &[String],
    ) -> Result<(SpecFile, Mistakes)> {
        let mut text = text.to_owned();
        for key_value in overrides {
            text = overrides::apply(name, &text, key_value)?;
        }
        // An error may come from an override and not from the file.
        let name = if overrides.is_empty() {
            name.to_owned()
        } else {
            format!("{name} (with --set {})", overrides.join(" --set "))
        };
        let mut text = SpecText::parse(&name, &text)?;
        let mut mistakes = Mistakes::default();
        let experiment = recovery::read(&mut text, &mut mistakes)?;
        mistakes.add(validate(&experiment, &text))?;
        let path = None;
        let spec = SpecFile {
            experiment,
            text,
            path,
        };
        Ok((spec, mistakes))
    }

    /// Sets the file of the spec; relative paths start at its folder.
    pub fn with_path(mut self, path: impl Into<PathBuf>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// The name in errors: the path of the file, and the overrides if there are any.
    pub fn name(&self) -> &str {
        &self.text.name
    }

    /// The YAML, with every override applied.
    pub fn text(&self) -> &str {
        &self.text.text
    }

    /// The file, if the spec came from one.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The folder at which relative paths start: the file's folder, or the current one.
    pub fn folder(&self) -> &Path {
        match self.path.as_deref().and_then(Path::parent) {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        }
    }

    /// A path of the spec as seen from the current folder.
    pub fn resolve(&self, path: &Path) -> PathBuf {
        let folder = self.folder();
        // `photos` reads better in a message than `./photos`.
        if folder == Path::new(".") {
            path.to_owned()
        } else {
            folder.join(path)
        }
    }

    /// A spec error at the value at `path`. Where the path leads further than what is written (a default, a short form),
    /// it points at the deepest value that is.
    pub fn error_at(
        &self,
        path: &[PathStep],
        message: impl Into<String>,
        label: impl Into<String>,
        help: impl Into<String>,
    ) -> Error {
        self.text.error_at(path, message, label).help(help)
    }

    /// Like [`error_at`](Self::error_at), at the key of the value.
    pub fn error_at_key(
        &self,
        path: &[PathStep],
        message: impl Into<String>,
        label: impl Into<String>,
        help: impl Into<String>,
    ) -> Error {
        self.text.error_at_key(path, message, label).help(help)
    }

    /// An error from a lower layer (an unknown node) with the position of the value at `path`, and its message and help
    /// as they are. It becomes a spec error, except an error of fetching or of weights: then the spec is right.
    pub fn attach_position(&self, path: &[PathStep], error: Error) -> Error {
        self.text.attach_position(path, error)
    }

    /// Whether something of the value of a key could not be read, so that the experiment lacks it.
    pub fn is_incomplete(&self, key: &str) -> bool {
        self.text.unread.is_incomplete(key)
    }

    /// Whether a value is written at `path`.
    pub fn contains(&self, path: &[PathStep]) -> bool {
        self.text.contains(path)
    }
}
