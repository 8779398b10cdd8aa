//! What can be wrong with an experiment that serde reads: known without a network or a file.

use std::collections::BTreeMap;

use super::source::Step::{self, Index, Key};
use super::{Experiment, ImageSpec, SpecFile, is_id};
use crate::error::{Error, ErrorKind, Result};
use crate::methods::MethodSpec;
use crate::methods::activations::Channels;
use crate::network::zoo;
use crate::network::{ClassSpec, LayerSelector, selector};

impl SpecFile {
    /// Checks everything that can be known without a network or a file.
    ///
    /// # Errors
    /// For the first thing that is wrong, pointing at it.
    pub(super) fn check(&self) -> Result<()> {
        let (experiment, spec) = (&self.experiment, Some(self));
        Checker { experiment, spec }.experiment()
    }
}

/// Checks the models and methods of an experiment that was made from values instead of a text.
///
/// # Errors
/// For the first thing that is wrong.
pub fn check_values(experiment: &Experiment) -> Result<()> {
    let checker = Checker {
        experiment,
        spec: None,
    };
    checker.models()?;
    checker.methods()
}

/// An experiment, and its text if it has one.
struct Checker<'a> {
    experiment: &'a Experiment,
    spec: Option<&'a SpecFile>,
}

impl Checker<'_> {
    fn error_at(
        &self,
        path: &[Step],
        message: impl Into<String>,
        label: impl Into<String>,
        help: impl Into<String>,
    ) -> Error {
        match self.spec {
            Some(spec) => spec.error_at(path, message, label, help),
            None => Error::new(ErrorKind::Spec, message).help(help),
        }
    }

    fn locate(&self, path: &[Step], error: Error) -> Error {
        match self.spec {
            Some(spec) => spec.locate(path, error),
            None => error,
        }
    }

    fn has(&self, path: &[Step]) -> bool {
        self.spec.is_some_and(|spec| spec.has(path))
    }

    fn experiment(&self) -> Result<()> {
        let spec = self.experiment;
        if spec.title.trim().is_empty() {
            let help = "say in a line what the experiment asks";
            return Err(self.error_at(&[Key("title")], "the title is empty", "no text here", help));
        }
        self.not_empty(&[Key("models")], spec.models.len(), "models: [resnet50]")?;
        self.not_empty(
            &[Key("images")],
            spec.images.len(),
            "images: [photos/cat.jpg]",
        )?;
        self.not_empty(
            &[Key("classes")],
            spec.classes.len(),
            "classes: [predicted, label]",
        )?;
        self.models()?;
        self.images()?;
        for (at, class) in spec.classes.iter().enumerate() {
            let path = [Key("classes"), Index(at)];
            if matches!(class, ClassSpec::Name(name) if name.trim().is_empty()) {
                let help = "`predicted`, `label`, a name, a WordNet id or an index";
                return Err(self.error_at(
                    &path,
                    "an empty text names no class",
                    "no text here",
                    help,
                ));
            }
            if spec.classes[..at].contains(class) {
                return Err(self.error_at(
                    &path,
                    "this class stands in the list twice",
                    "again here",
                    "keep one of them",
                ));
            }
        }
        self.max_size()?;
        self.methods()?;
        self.checks()
    }

    fn max_size(&self) -> Result<()> {
        match &self.experiment.max_size {
            Some(size) if !(size.megabytes.is_finite() && size.megabytes > 0.0) => Err(self
                .error_at(
                    &[Key("max_size"), Key("megabytes")],
                    "no report is as small as that",
                    "above 0 and finite",
                    "for example `max_size: {megabytes: 15, over: fail}`",
                )),
            _ => Ok(()),
        }
    }

    fn not_empty(&self, path: &[Step], count: usize, example: &str) -> Result<()> {
        let Some(Key(key)) = path.last().filter(|_| count == 0) else {
            return Ok(());
        };
        let message = format!("`{key}` is empty");
        Err(self.error_at(
            path,
            message,
            "nothing in it",
            format!("for example `{example}`"),
        ))
    }

    fn models(&self) -> Result<()> {
        let mut ids = BTreeMap::new();
        for (at, model) in self.experiment.models.iter().enumerate() {
            let path = |key| [Key("models"), Index(at), Key(key)];
            zoo::find(&model.arch).map_err(|error| self.locate(&path("arch"), error))?;
            if let Some(id) = &model.id {
                self.id(&path("id"), id, &mut ids)?;
            }
            for (key, text) in [
                ("weights", model.weights.as_deref()),
                (
                    "labels",
                    model.labels.as_ref().and_then(|path| path.to_str()),
                ),
            ] {
                if text.is_some_and(|text| text.trim().is_empty()) {
                    let message = format!("`{key}` is empty");
                    return Err(self.error_at(
                        &path(key),
                        message,
                        "no text here",
                        "leave the key out for the default",
                    ));
                }
            }
            let Some(preprocess) = &model.preprocess else {
                continue;
            };
            let below = |key| [Key("models"), Index(at), Key("preprocess"), Key(key)];
            let bad = |values: Option<[f64; 3]>, fit: fn(f64) -> bool| {
                values.is_some_and(|values| !values.iter().all(|value| fit(*value)))
            };
            if bad(preprocess.mean, |mean| (0.0..=1.0).contains(&mean)) {
                let help = "the mean is of colours from 0 to 1; divide one from 0 to 255 by 255";
                return Err(self.error_at(&below("mean"), "a mean outside 0 to 1", "here", help));
            }
            if bad(preprocess.std, |std| std.is_finite() && std > 0.0) {
                let help = "it divides, so it has to be above 0";
                return Err(self.error_at(
                    &below("std"),
                    "a deviation that is not above 0",
                    "here",
                    help,
                ));
            }
        }
        Ok(())
    }

    fn images(&self) -> Result<()> {
        let mut ids = BTreeMap::new();
        for (at, image) in self.experiment.images.iter().enumerate() {
            let entry = [Key("images"), Index(at)];
            let path = |key| [Key("images"), Index(at), Key(key)];
            let (key, text) = match image {
                ImageSpec::Pack { pack, .. } => ("pack", pack.as_str()),
                ImageSpec::Path { path, .. } => ("path", path.to_str().unwrap_or("?")),
                ImageSpec::Dir { dir, .. } => ("dir", dir.to_str().unwrap_or("?")),
            };
            if text.trim().is_empty() {
                return Err(self.error_at(
                    &path(key),
                    format!("`{key}` is empty"),
                    "no text here",
                    "name a file, a folder or a pack",
                ));
            }
            match image {
                ImageSpec::Pack { pick, .. } => {
                    let said = self.has(&path("pick"));
                    if said && pick.is_empty() {
                        return Err(self.error_at(
                            &path("pick"),
                            "`pick` picks nothing",
                            "nothing in it",
                            "leave it out for all photos of the pack",
                        ));
                    }
                }
                ImageSpec::Path { id: Some(id), .. } => self.id(&path("id"), id, &mut ids)?,
                ImageSpec::Dir { limit: Some(0), .. } => {
                    return Err(self.error_at(
                        &path("limit"),
                        "a limit of 0 leaves no picture",
                        "here",
                        "leave it out for all pictures of the folder",
                    ));
                }
                _ => {}
            }
            self.shown_where(at, image)?;
            if self.experiment.images[..at].contains(image) {
                return Err(self.error_at(
                    &entry,
                    "this picture stands in the list twice",
                    "again here",
                    "keep one of them",
                ));
            }
        }
        Ok(())
    }

    /// Whether a `box` has an inside, and belongs to one photo.
    fn shown_where(&self, at: usize, image: &ImageSpec) -> Result<()> {
        let path = [Key("images"), Index(at), Key("box")];
        let (bounds, one) = match image {
            ImageSpec::Pack { bounds, pick, .. } => (bounds, pick.len() == 1),
            ImageSpec::Path { bounds, mask, .. } => (bounds, mask.is_none()),
            ImageSpec::Dir { .. } => return Ok(()),
        };
        let Some([left, top, right, bottom]) = *bounds else {
            return Ok(());
        };
        let inside = left < right && top < bottom && left >= 0.0 && top >= 0.0;
        if !(inside && right.is_finite() && bottom.is_finite()) {
            let help =
                "left, top, right and bottom in pixels of the picture: `box: [40, 12, 310, 290]`";
            return Err(self.error_at(&path, "a box without an inside", "here", help));
        }
        match one {
            true => Ok(()),
            false => Err(self.error_at(
                &path,
                "a box is that of one photo",
                "here",
                "`pick` one photo in this entry; and give a `box` or a `mask`, not both",
            )),
        }
    }

    /// The checks, each once, and their options.
    fn checks(&self) -> Result<()> {
        let all = &self.experiment.checks;
        for (at, check) in all.iter().enumerate() {
            let entry = [Key("checks"), Index(at)];
            if all[..at].iter().any(|other| other.name() == check.name()) {
                let message = format!("`{}` stands in the list twice", check.name());
                return Err(self.error_at(&entry, message, "again here", "keep one of them"));
            }
            let inside = [Key("checks"), Index(at), Key(check.name())];
            let options = check.check().validate_options();
            options.map_err(|error| self.locate(&inside, error))?;
        }
        Ok(())
    }

    fn id<'a>(&self, path: &[Step], id: &'a str, taken: &mut BTreeMap<&'a str, ()>) -> Result<()> {
        if !is_id(id) {
            let message = format!("`{id}` can't be an id");
            let help = "an id becomes part of the results' keys: the letters a to z and A to Z, digits, `_`, `-` and `.`, not `_` first";
            return Err(self.error_at(path, message, "not fit for a key", help));
        }
        match taken.insert(id, ()) {
            None => Ok(()),
            Some(()) => Err(self.error_at(
                path,
                format!("the id `{id}` is taken"),
                "again here",
                "each id may stand once",
            )),
        }
    }

    fn methods(&self) -> Result<()> {
        for (at, method) in self.experiment.methods.iter().enumerate() {
            let entry = [Key("methods"), Index(at)];
            let path = |key| [Key("methods"), Index(at), Key(method.name()), Key(key)];
            let earlier = &self.experiment.methods[..at];
            // Results are keyed by the method's name, so two of one name would overwrite another.
            if earlier.iter().any(|other| other.name() == method.name()) {
                let message = format!("`{}` stands in the list twice", method.name());
                let help =
                    "put all its layers into one entry; other options need a spec of their own";
                return Err(self.error_at(&entry, message, "again here", help));
            }
            let layers = method.method().selectors();
            // Without layers it may still be asked about classes.
            let may_be_none = matches!(method, MethodSpec::Maximize(_));
            if !layers.is_empty() || (self.has(&path("layers")) && !may_be_none) {
                self.layers(&path("layers"), layers)?;
            }
            match method {
                MethodSpec::Activations(options) => {
                    self.channels(&path("channels"), &options.channels)?;
                }
                MethodSpec::Deconvnet(options) => {
                    self.channels(&path("units"), &options.units)?;
                }
                MethodSpec::Filters(options) if options.count == 0 => {
                    let help = "leave the method out, or show at least 1";
                    return Err(self.error_at(&path("count"), "no kernel to show", "here", help));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn channels(&self, path: &[Step], channels: &Channels) -> Result<()> {
        let nothing = match channels {
            Channels::Strongest(count) => *count == 0,
            Channels::Listed(list) => list.is_empty(),
        };
        if nothing {
            let help = "a number of channels, or a list of channel numbers";
            return Err(self.error_at(path, "no channel to show", "here", help));
        }
        Ok(())
    }

    fn layers(&self, path: &[Step], layers: &[LayerSelector]) -> Result<()> {
        self.not_empty(path, layers.len(), "layers: [stage3, last]")?;
        for (at, layer) in layers.iter().enumerate() {
            let path: Vec<Step> = path.iter().copied().chain([Index(at)]).collect();
            selector::check(layer).map_err(|error: Error| self.locate(&path, error))?;
        }
        Ok(())
    }
}
