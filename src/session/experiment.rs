//! An experiment from YAML, from a file, or built in Rust: three ways to the same spec.
//!
//! What is built becomes YAML first and is read like any other, so that there is one reader, one set of
//! checks, and an error that points at a line either way.

use std::path::{Path, PathBuf};

use crate::checks::CheckSpec;
use crate::error::{Error, ErrorKind, Result};
use crate::methods::MethodSpec;
use crate::network::ClassSpec;
use crate::spec::{self, CollectionSpec, ImageSpec, Lang, ModelSpec, SpecFile};

/// What errors call an experiment that stands in no file.
const NAME: &str = "experiment";

/// A question to some networks about some pictures.
///
/// ```
/// use convscope::prelude::*;
///
/// let built = Experiment::new("Where do they look?")
///     .model("resnet50")
///     .model(ModelSpec::new("vgg16").weights("imagenet-gap"))
///     .image("cat.jpg")
///     .class("tabby")
///     .method(GradCam::last());
/// let read = Experiment::from_yaml("
/// title: Where do they look?
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
    content: spec::Experiment,
    /// The text as it was read, until something is changed.
    read: Option<SpecFile>,
    /// Where relative paths start, where there is a file.
    path: Option<PathBuf>,
    /// Whether the classes are still the default.
    unasked: bool,
}

impl Experiment {
    /// An experiment that has a title and nothing else yet.
    pub fn new(title: impl Into<String>) -> Self {
        let content = spec::Experiment {
            title: title.into(),
            question: None,
            lang: Lang::default(),
            seed: 0,
            models: Vec::new(),
            images: Vec::new(),
            collection: CollectionSpec::default(),
            classes: vec![ClassSpec::Predicted],
            methods: Vec::new(),
            checks: Vec::new(),
            max_size: None,
            lock: None,
        };
        Experiment {
            content,
            read: None,
            path: None,
            unasked: true,
        }
    }

    /// Reads a spec's text; its paths start at the current folder.
    ///
    /// # Errors
    /// With line and caret, for the first fault.
    pub fn from_yaml(text: &str) -> Result<Self> {
        SpecFile::parse(NAME, text).map(Self::from)
    }

    /// Reads a spec's file; its paths start at the file's folder.
    ///
    /// # Errors
    /// With line and caret, for the first fault; or if the file can't be read.
    pub fn from_path(path: impl AsRef<Path>) -> Result<Self> {
        SpecFile::read(path.as_ref()).map(Self::from)
    }

    /// The same experiment as if it stood in the file at `path`, which need not exist: there its relative
    /// paths start.
    pub fn beside(mut self, path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        self.read = self.read.map(|spec| spec.at(path.clone()));
        self.path = Some(path);
        self
    }

    /// Adds a network: an architecture's name, or a [`ModelSpec`].
    pub fn model(self, model: impl Into<ModelSpec>) -> Self {
        self.change(|content| content.models.push(model.into()))
    }

    /// Adds a picture: a path, or an [`ImageSpec`].
    pub fn image(self, image: impl Into<ImageSpec>) -> Self {
        self.change(|content| content.images.push(image.into()))
    }

    /// Adds a class to ask about: `predicted`, `label`, a name, a WordNet id or an index. Without any, the
    /// network's first choice is asked about.
    pub fn class(mut self, class: impl Into<ClassSpec>) -> Self {
        if std::mem::take(&mut self.unasked) {
            self.content.classes.clear();
        }
        self.change(|content| content.classes.push(class.into()))
    }

    /// Adds a way of looking: `GradCam::last()`.
    pub fn method(self, method: impl Into<MethodSpec>) -> Self {
        self.change(|content| content.methods.push(method.into()))
    }

    /// Adds a test of the maps: `Curves::default()`.
    pub fn check(self, check: impl Into<CheckSpec>) -> Self {
        self.change(|content| content.checks.push(check.into()))
    }

    /// Adds images to the set that some methods look through.
    pub fn collection(self, images: impl Into<ImageSpec>) -> Self {
        self.change(|content| content.collection.0.push(images.into()))
    }

    /// Says what the report should answer.
    pub fn question(self, question: impl Into<String>) -> Self {
        self.change(|content| content.question = Some(question.into()))
    }

    /// Sets what every random choice starts from.
    pub fn seed(self, seed: u64) -> Self {
        self.change(|content| content.seed = seed)
    }

    /// Sets the report's language.
    pub fn lang(self, lang: Lang) -> Self {
        self.change(|content| content.lang = lang)
    }

    /// The experiment as a spec file would say it: as it was read, or as it was built.
    ///
    /// # Errors
    /// If something in it can't be written as YAML.
    pub fn to_yaml(&self) -> Result<String> {
        match &self.read {
            Some(spec) => Ok(spec.text.clone()),
            None => serde_yaml::to_string(&self.content).map_err(|error| {
                Error::new(ErrorKind::Spec, "can't write the experiment as YAML").because(error)
            }),
        }
    }

    /// The experiment with its text, read and checked: what a run takes.
    ///
    /// # Errors
    /// With line and caret, for the first fault.
    pub fn spec(&self) -> Result<SpecFile> {
        match (&self.read, &self.path) {
            (Some(spec), _) => Ok(spec.clone()),
            (None, Some(path)) => Ok(SpecFile::parse(NAME, &self.to_yaml()?)?.at(path.clone())),
            (None, None) => SpecFile::parse(NAME, &self.to_yaml()?),
        }
    }

    fn change(mut self, with: impl FnOnce(&mut spec::Experiment)) -> Self {
        with(&mut self.content);
        self.read = None;
        self
    }
}

impl From<SpecFile> for Experiment {
    fn from(spec: SpecFile) -> Self {
        let asked = [spec::Step::Key("classes")];
        Experiment {
            content: spec.experiment.clone(),
            path: spec.path().map(Path::to_owned),
            unasked: !spec.has(&asked),
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
