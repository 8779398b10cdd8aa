//! An experiment, from a file, from YAML, or built in Rust.
//!
//! An experiment built in Rust is written as YAML before it runs and read like any other, so that all experiments pass
//! the same checks and every error points at a line.

use std::path::{Path, PathBuf};

use crate::checks::CheckSpec;
use crate::error::{Error, ErrorKind, Result};
use crate::methods::MethodSpec;
use crate::network::ClassSpec;
use crate::spec::{self, ImageSpec, Lang, ModelSpec, SpecFile};

/// The name in errors of an experiment without a file.
const NAME: &str = "experiment";

/// Networks, images, classes, methods and checks: what one YAML file describes.
///
/// ```
/// use convscope::prelude::*;
///
/// let built = Experiment::new("Which pixels support the class?")
///     .model("resnet50")
///     .model(ModelSpec::new("vgg16").weights("imagenet-gap"))
///     .image("cat.jpg")
///     .class("tabby")
///     .method(GradCam::last());
/// let read = Experiment::from_yaml("
/// title: Which pixels support the class?
/// models: [resnet50, {arch: vgg16, weights: imagenet-gap}]
/// images: [cat.jpg]
/// classes: [tabby]
/// methods: [grad_cam]
/// ")?;
/// assert_eq!(built.spec()?.experiment, read.spec()?.experiment);
/// # Ok::<(), convscope::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Experiment {
    content: spec::ExperimentSpec,
    /// The spec that was read; `None` after a change.
    read: Option<SpecFile>,
    /// The file at whose folder relative paths start, if there is one.
    path: Option<PathBuf>,
    /// Whether `classes` still has its default, which the first class replaces.
    default_classes: bool,
}

impl Experiment {
    /// An experiment that has only a title.
    pub fn new(title: impl Into<String>) -> Self {
        Experiment {
            content: spec::ExperimentSpec::new(title),
            read: None,
            path: None,
            default_classes: true,
        }
    }

    /// Reads a spec's text; its relative paths start at the current folder.
    ///
    /// # Errors
    /// If the spec is invalid: an error about the first invalid value, which points at its line.
    pub fn from_yaml(text: &str) -> Result<Self> {
        SpecFile::parse(NAME, text).map(Self::from)
    }

    /// Reads a spec's file; its relative paths start at the file's folder.
    ///
    /// # Errors
    /// If the file can't be read, or the spec is invalid: an error about the first invalid value, which points at its
    /// line.
    pub fn from_path(path: impl AsRef<Path>) -> Result<Self> {
        SpecFile::read(path.as_ref()).map(Self::from)
    }

    /// The same experiment with relative paths that start at the folder of the file `path`, which need not exist.
    pub fn with_path(mut self, path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        self.read = self.read.map(|spec| spec.with_path(path.clone()));
        self.path = Some(path);
        self
    }

    /// Adds a network: an architecture's name, or a [`ModelSpec`].
    pub fn model(self, model: impl Into<ModelSpec>) -> Self {
        self.change(|content| content.models.push(model.into()))
    }

    /// Adds an image: a path, or an [`ImageSpec`].
    pub fn image(self, image: impl Into<ImageSpec>) -> Self {
        self.change(|content| content.images.push(image.into()))
    }

    /// Adds a class that methods explain: `predicted`, `label`, a name, a WordNet id or an index. The default is
    /// `predicted`.
    pub fn class(mut self, class: impl Into<ClassSpec>) -> Self {
        if std::mem::take(&mut self.default_classes) {
            self.content.classes.clear();
        }
        self.change(|content| content.classes.push(class.into()))
    }

    /// Adds a method: `GradCam::last()`.
    pub fn method(self, method: impl Into<MethodSpec>) -> Self {
        self.change(|content| content.methods.push(method.into()))
    }

    /// Adds a check of the maps: `Curves::default()`.
    pub fn check(self, check: impl Into<CheckSpec>) -> Self {
        self.change(|content| content.checks.push(check.into()))
    }

    /// Adds images to the collection that some methods search.
    pub fn collection(self, images: impl Into<ImageSpec>) -> Self {
        self.change(|content| content.collection.0.push(images.into()))
    }

    /// Sets the question that the report should answer.
    pub fn question(self, question: impl Into<String>) -> Self {
        self.change(|content| content.question = Some(question.into()))
    }

    /// Sets the seed of every pseudo-random number.
    pub fn seed(self, seed: u64) -> Self {
        self.change(|content| content.seed = seed)
    }

    /// Sets the report's language.
    pub fn lang(self, lang: Lang) -> Self {
        self.change(|content| content.lang = lang)
    }

    /// The text of a spec file with this experiment: the text that was read, or a text with every key.
    ///
    /// # Errors
    /// If a value can't be written as YAML.
    pub fn to_yaml(&self) -> Result<String> {
        match &self.read {
            Some(spec) => Ok(spec.text().to_owned()),
            None => serde_yaml::to_string(&self.content).map_err(|error| {
                Error::new(ErrorKind::Spec, "can't write the experiment as YAML").caused_by(error)
            }),
        }
    }

    /// The experiment as a checked spec, with its text.
    ///
    /// # Errors
    /// If the spec is invalid: an error about the first invalid value, which points at its line.
    pub fn spec(&self) -> Result<SpecFile> {
        match (&self.read, &self.path) {
            (Some(spec), _) => Ok(spec.clone()),
            (None, Some(path)) => {
                Ok(SpecFile::parse(NAME, &self.to_yaml()?)?.with_path(path.clone()))
            }
            (None, None) => SpecFile::parse(NAME, &self.to_yaml()?),
        }
    }

    fn change(mut self, with: impl FnOnce(&mut spec::ExperimentSpec)) -> Self {
        with(&mut self.content);
        self.read = None;
        self
    }
}

impl From<SpecFile> for Experiment {
    fn from(spec: SpecFile) -> Self {
        let classes = [spec::PathStep::Key("classes")];
        Experiment {
            content: spec.experiment.clone(),
            path: spec.path().map(Path::to_owned),
            default_classes: !spec.contains(&classes),
            read: Some(spec),
        }
    }
}

impl std::fmt::Display for Experiment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.to_yaml() {
            Ok(yaml) => f.write_str(yaml.trim_end()),
            Err(error) => write!(f, "{error:?}"),
        }
    }
}
