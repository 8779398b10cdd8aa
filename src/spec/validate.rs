//! Checks of an experiment's values that need no network and no file: ranges, names, and entries that exclude each other.

use std::collections::BTreeSet;
use std::path::Path;

use super::experiment::ExperimentSpec;
use super::ids::is_valid_id;
use super::image_spec::ImageSpec;
use super::library_faults;
use super::model_spec::ModelSpec;
use super::preprocess_spec::PreprocessSpec;
use super::spec_text::SpecText;
use super::yaml_tree::PathStep::{self, Index, Key};
use crate::error::{Error, ErrorKind, Mistakes, Result};
use crate::network::zoo;
use crate::network::{ClassSpec, selector};
use crate::option_ranges::OutOfRange;

/// Checks an experiment that was read from `text`.
///
/// # Errors
/// For all values that are wrong, with their positions.
pub(super) fn validate(experiment: &ExperimentSpec, text: &SpecText) -> Result<()> {
    let text = Some(text);
    Validator { experiment, text }.experiment()
}

/// Checks the models and methods of an experiment that was made from values instead of a text.
///
/// # Errors
/// For all values that are wrong.
pub fn validate_values(experiment: &ExperimentSpec) -> Result<()> {
    let text = None;
    let validator = Validator { experiment, text };
    validator.models()?;
    validator.methods()
}

/// An experiment, with its text if it has one.
struct Validator<'a> {
    experiment: &'a ExperimentSpec,
    text: Option<&'a SpecText>,
}

impl Validator<'_> {
    fn experiment(&self) -> Result<()> {
        let experiment = self.experiment;
        let mut mistakes = Mistakes::default();
        mistakes.add(self.title())?;
        let count = experiment.models.len();
        mistakes.add(self.not_empty(&[Key("models")], count, "models: [resnet50]"))?;
        mistakes.add(self.images_are_given())?;
        mistakes.add(self.models())?;
        mistakes.add(self.images())?;
        for (index, image) in experiment.collection.0.iter().enumerate() {
            mistakes.add(self.image_entry("collection", index, image))?;
        }
        mistakes.add(self.classes())?;
        mistakes.add(self.max_size())?;
        mistakes.add(self.methods())?;
        mistakes.add(self.checks())?;
        mistakes.into_result()
    }

    fn title(&self) -> Result<()> {
        if self.experiment.title.trim().is_empty() {
            let help = "write in a line what the experiment asks";
            return Err(self.empty(&[Key("title")], "title", help));
        }
        Ok(())
    }

    /// Checks that there are images, or that nothing needs single ones.
    fn images_are_given(&self) -> Result<()> {
        let experiment = self.experiment;
        let example = "images: [photos/cat.jpg]";
        let mut lists = ["images", "collection", "methods"].into_iter();
        if !experiment.images.is_empty() || lists.any(|list| self.is_incomplete(list)) {
            return Ok(());
        }
        if self.is_written(&[Key("images")]) {
            return self.not_empty(&[Key("images")], 0, example);
        }
        let help = format!("add for example `{example}`");
        if experiment.collection.is_empty() {
            let message = "the spec has no `images`";
            return Err(self.error_at(&[], message, "`images` is missing", help));
        }
        for (index, entry) in experiment.methods.iter().enumerate() {
            let method = entry.method();
            let of_set = method.for_collection().is_some() || method.for_network().is_some();
            if !of_set && (method.for_image().is_some() || method.for_class().is_some()) {
                let path = [Key("methods"), Index(index)];
                let name = entry.name();
                let message = format!("`{name}` explains single images, and the spec has none");
                return Err(self.error_at(&path, message, "needs `images`", help));
            }
        }
        if !experiment.checks.is_empty() {
            let message = "checks test the maps of single images, and the spec has none";
            return Err(self.error_at(&[Key("checks")], message, "needs `images`", help));
        }
        if experiment.methods.is_empty() {
            let message = "the spec has no `images`, and no method for its `collection`";
            let help = format!("{help}, or a method for the collection: `methods: [exemplars]`");
            return Err(self.error_at(&[Key("collection")], message, "not used", help));
        }
        Ok(())
    }

    fn models(&self) -> Result<()> {
        let mut mistakes = Mistakes::default();
        let mut ids = BTreeSet::new();
        for (index, model) in self.experiment.models.iter().enumerate() {
            mistakes.add(self.network(index, model))?;
            if let Some(id) = &model.id {
                let path = [Key("models"), Index(index), Key("id")];
                mistakes.add(self.id(&path, id, &mut ids))?;
            }
            mistakes.add(self.model_texts(index, model))?;
            if let Some(preprocess) = &model.preprocess {
                mistakes.add(self.preprocess(index, preprocess))?;
            }
        }
        mistakes.into_result()
    }

    /// Checks which network an entry of `models` names.
    fn network(&self, index: usize, model: &ModelSpec) -> Result<()> {
        if let Some(fault) = library_faults::fault(model) {
            let path = [Key("models"), Index(index), Key(fault.key)];
            return Err(self.error_at(&path, fault.message, fault.label, fault.help));
        }
        if model.exported_program().is_none() && model.library_network().is_none() {
            self.architecture(index, model)?;
        }
        Ok(())
    }

    fn architecture(&self, index: usize, model: &ModelSpec) -> Result<()> {
        let entry = [Key("models"), Index(index)];
        if model.arch.is_empty() {
            let message = "an entry of `models` must have `arch`, `timm` or `torchvision`, or `weights` with a `.pt2` file";
            let help = "for example `{arch: resnet50}`; `convscope models` lists the architectures";
            return Err(self.error_at(&entry, message, "here", help));
        }
        let path = [Key("models"), Index(index), Key("arch")];
        zoo::find(&model.arch).map_err(|error| self.attach_position(&path, error))?;
        Ok(())
    }

    fn model_texts(&self, index: usize, model: &ModelSpec) -> Result<()> {
        let labels = model.labels.as_ref().and_then(|path| path.to_str());
        for (key, text) in [("weights", model.weights.as_deref()), ("labels", labels)] {
            if text.is_some_and(|text| text.trim().is_empty()) {
                let path = [Key("models"), Index(index), Key(key)];
                return Err(self.empty(&path, key, "leave the key out for the default"));
            }
        }
        Ok(())
    }

    fn preprocess(&self, index: usize, preprocess: &PreprocessSpec) -> Result<()> {
        let path = |key| [Key("models"), Index(index), Key("preprocess"), Key(key)];
        for (key, values) in [("mean", &preprocess.mean), ("std", &preprocess.std)] {
            if values.as_ref().is_some_and(Vec::is_empty) {
                let help = "give it one number for each channel of the network";
                return Err(self.empty(&path(key), key, help));
            }
        }
        let first = |values: &Option<Vec<f64>>, wrong: &dyn Fn(&f64) -> bool| {
            let values = values.iter().flatten();
            values.copied().find(wrong)
        };
        // Images of floats may have any range; whether there are some is known when they are read.
        let may_be_float = self.experiment.images.iter().any(ImageSpec::may_be_float);
        let is_wrong = |mean: &f64| {
            let range = if may_be_float {
                f64::MIN..=f64::MAX
            } else {
                0.0..=1.0
            };
            !range.contains(mean)
        };
        if let Some(mean) = first(&preprocess.mean, &is_wrong) {
            let message = format!("the values of `mean` must be 0 to 1, got {mean}");
            let help = "divide means of colours from 0 to 255 by 255";
            return Err(self.error_at(&path("mean"), message, "here", help));
        }
        if let Some(std) = first(&preprocess.std, &|std| !(std.is_finite() && *std > 0.0)) {
            let message = format!("the values of `std` must be above 0, got {std}");
            let help = "the input is divided by it: colours from 0 to 1 have for example [0.229, 0.224, 0.225]";
            return Err(self.error_at(&path("std"), message, "here", help));
        }
        Ok(())
    }

    fn images(&self) -> Result<()> {
        let mut mistakes = Mistakes::default();
        let mut ids = BTreeSet::new();
        let images = &self.experiment.images;
        for (index, image) in images.iter().enumerate() {
            let path = |key| [Key("images"), Index(index), Key(key)];
            match image {
                ImageSpec::Pack { pick, .. }
                    if pick.is_empty() && self.is_written(&path("pick")) =>
                {
                    let help = "leave it out for all photos of the pack";
                    mistakes.add(Err(self.empty(&path("pick"), "pick", help)))?;
                }
                ImageSpec::Path { id: Some(id), .. } => {
                    mistakes.add(self.id(&path("id"), id, &mut ids))?;
                }
                _ => {}
            }
            mistakes.add(self.image_entry("images", index, image))?;
            mistakes.add(self.image_box(index, image))?;
            if images[..index].contains(image) {
                let entry = [Key("images"), Index(index)];
                let error = self.given_twice(&entry, "this image", "keep one of them");
                mistakes.add(Err(error))?;
            }
        }
        mistakes.into_result()
    }

    /// Checks what entries of `images` and `collection` have in common: names, counts and bands.
    fn image_entry(&self, list: &'static str, index: usize, image: &ImageSpec) -> Result<()> {
        let texts: &[(&'static str, Option<&str>)] = &match image {
            ImageSpec::Pack { pack, .. } => [("pack", Some(pack.as_str())), ("", None)],
            ImageSpec::Path { path, .. } => [("path", path.to_str()), ("", None)],
            ImageSpec::Dir { dir, labels, .. } => [
                ("dir", dir.to_str()),
                ("labels", labels.as_deref().and_then(Path::to_str)),
            ],
            ImageSpec::List { list, labels, .. } => [
                ("list", list.to_str()),
                ("labels", labels.as_deref().and_then(Path::to_str)),
            ],
            ImageSpec::Tar { tar, .. } => [("tar", tar.to_str()), ("", None)],
            ImageSpec::Table { labels, .. } => [("labels", labels.to_str()), ("", None)],
        };
        let mut texts = texts.iter();
        let empty = texts.find(|(_, text)| text.is_some_and(|text| text.trim().is_empty()));
        if let Some((key, _)) = empty {
            let path = self.entry_path(list, index, key);
            return Err(self.empty(&path, key, "name a file, a folder or a pack"));
        }
        let (limit, sample) = image.limit_and_sample();
        for (key, count) in [("limit", limit), ("sample", sample)] {
            if count == Some(0) {
                let path = self.entry_path(list, index, key);
                let message = format!("`{key}` must be 1 or more, got 0");
                let help = "leave it out for all images of the entry";
                return Err(self.error_at(&path, message, "here", help));
            }
        }
        if limit.is_some() && sample.is_some() {
            let path = self.entry_path(list, index, "sample");
            let message = "an entry must have `limit` or `sample`, got both";
            let help = "`limit` takes the first images, `sample` draws some at random; leave one of them out";
            return Err(self.error_at(&path, message, "here", help));
        }
        self.shown_bands(list, index, image)
    }

    /// The path of an entry's key; a single entry may be written without a list around it.
    fn entry_path(
        &self,
        list: &'static str,
        index: usize,
        key: &'static str,
    ) -> Vec<PathStep<'static>> {
        let entry = [Key(list), Index(index)];
        if self.is_written(&entry) {
            vec![Key(list), Index(index), Key(key)]
        } else {
            vec![Key(list), Key(key)]
        }
    }

    /// Checks that `show` lists one band or three, counted from 1.
    fn shown_bands(&self, list: &'static str, index: usize, image: &ImageSpec) -> Result<()> {
        let show = image.shown_bands();
        let path = self.entry_path(list, index, "show");
        let help =
            "list 1 band for a grey picture, or 3 for red, green and blue: `show: [3, 2, 1]`";
        if show.is_empty() && self.is_written(&path) {
            return Err(self.empty(&path, "show", help));
        }
        let message = match show.len() {
            0 => return Ok(()),
            1 | 3 if !show.contains(&0) => return Ok(()),
            1 | 3 => "`show` counts bands from 1, got 0".to_owned(),
            _ => format!("`show` must have 1 or 3 bands, got {}", show.len()),
        };
        Err(self.error_at(&path, message, "here", help))
    }

    /// Checks that a `box` has an area and belongs to one image.
    fn image_box(&self, index: usize, image: &ImageSpec) -> Result<()> {
        let path = [Key("images"), Index(index), Key("box")];
        let bounds = match image {
            ImageSpec::Pack { bounds, .. } | ImageSpec::Path { bounds, .. } => *bounds,
            ImageSpec::Dir { .. }
            | ImageSpec::List { .. }
            | ImageSpec::Tar { .. }
            | ImageSpec::Table { .. } => None,
        };
        let Some([left, top, right, bottom]) = bounds else {
            return Ok(());
        };
        let has_area = 0.0 <= left && left < right && 0.0 <= top && top < bottom;
        if !(has_area && right.is_finite() && bottom.is_finite()) {
            let message = format!(
                "`box` must be [left, top, right, bottom] with left < right and top < bottom, \
                 got [{left}, {top}, {right}, {bottom}]"
            );
            let help = "give it in pixels of the image, for example `box: [40, 12, 310, 290]`";
            return Err(self.error_at(&path, message, "here", help));
        }
        match image {
            ImageSpec::Pack { pick, .. } if pick.len() != 1 => {
                let message = "`box` must be that of one image, and this entry has several";
                let help = "`pick` one photo in this entry";
                Err(self.error_at(&path, message, "here", help))
            }
            ImageSpec::Path { mask: Some(_), .. } => {
                let message = "an image must have `box` or `mask`, got both";
                Err(self.error_at(&path, message, "here", "leave one of them out"))
            }
            _ => Ok(()),
        }
    }

    fn classes(&self) -> Result<()> {
        let classes = &self.experiment.classes;
        let example = "classes: [predicted, label]";
        self.not_empty(&[Key("classes")], classes.len(), example)?;
        let mut mistakes = Mistakes::default();
        for (index, class) in classes.iter().enumerate() {
            let path = [Key("classes"), Index(index)];
            if matches!(class, ClassSpec::Name(name) if name.trim().is_empty()) {
                let message = "an entry of `classes` must not be empty";
                let help = "write `predicted`, `label`, a name, a WordNet id or an index";
                mistakes.add(Err(self.error_at(&path, message, "no text here", help)))?;
            }
            if classes[..index].contains(class) {
                let error = self.given_twice(&path, "this class", "keep one of them");
                mistakes.add(Err(error))?;
            }
        }
        mistakes.into_result()
    }

    fn max_size(&self) -> Result<()> {
        let Some(size) = &self.experiment.max_size else {
            return Ok(());
        };
        if size.megabytes.is_finite() && size.megabytes > 0.0 {
            return Ok(());
        }
        let path = [Key("max_size"), Key("megabytes")];
        let message = format!("`megabytes` must be above 0, got {}", size.megabytes);
        let help = "for example `max_size: {megabytes: 15, over: fail}`";
        Err(self.error_at(&path, message, "here", help))
    }

    fn methods(&self) -> Result<()> {
        let mut mistakes = Mistakes::default();
        for (index, method) in self.experiment.methods.iter().enumerate() {
            let earlier = &self.experiment.methods[..index];
            // Results are keyed by the method's name, so a second entry would overwrite the first one's.
            if earlier.iter().any(|other| other.name() == method.name()) {
                let help =
                    "put all its layers into one entry; other options need a spec of their own";
                let name = format!("`{}`", method.name());
                let entry = [Key("methods"), Index(index)];
                mistakes.add(Err(self.given_twice(&entry, &name, help)))?;
            }
            let checked = self.options("methods", index, method.name(), method.check_ranges());
            mistakes.add(checked)?;
            for (position, layer) in method.method().selectors().iter().enumerate() {
                let path = [
                    Key("methods"),
                    Index(index),
                    Key(method.name()),
                    Key("layers"),
                    Index(position),
                ];
                let checked = selector::check(layer);
                mistakes.add(checked.map_err(|error| self.attach_position(&path, error)))?;
            }
        }
        mistakes.into_result()
    }

    /// Points at the option of an entry of `list` that is out of its range.
    fn options(
        &self,
        list: &str,
        index: usize,
        name: &str,
        checked: std::result::Result<(), OutOfRange>,
    ) -> Result<()> {
        checked.map_err(|out_of_range| {
            let option = Key(out_of_range.option.as_str());
            let path = [Key(list), Index(index), Key(name), option];
            self.attach_position(&path, out_of_range.error)
        })
    }

    fn checks(&self) -> Result<()> {
        let mut mistakes = Mistakes::default();
        let checks = &self.experiment.checks;
        for (index, check) in checks.iter().enumerate() {
            let entry = [Key("checks"), Index(index)];
            if checks[..index]
                .iter()
                .any(|other| other.name() == check.name())
            {
                let name = format!("`{}`", check.name());
                mistakes.add(Err(self.given_twice(&entry, &name, "keep one of them")))?;
            }
            let checked = self.options("checks", index, check.name(), check.check_ranges());
            mistakes.add(checked)?;
        }
        mistakes.into_result()
    }

    /// Checks an explicit id and adds it to those that are taken.
    fn id<'a>(&self, path: &[PathStep], id: &'a str, taken: &mut BTreeSet<&'a str>) -> Result<()> {
        if !is_valid_id(id) {
            let message =
                format!("`id` must have letters, digits, `_`, `-` and `.` only, got `{id}`");
            let help = "it is part of the results' keys: a to z, A to Z, 0 to 9; `_` must not be the first";
            return Err(self.error_at(path, message, "not allowed in a key", help));
        }
        if taken.insert(id) {
            Ok(())
        } else {
            let help = "each id must be unique";
            Err(self.given_twice(path, &format!("the id `{id}`"), help))
        }
    }

    /// An error if the list at `path` has no entries.
    fn not_empty(&self, path: &[PathStep], count: usize, example: &str) -> Result<()> {
        match path.last() {
            Some(Key(key)) if count == 0 && !self.is_incomplete(key) => {
                let message = format!("`{key}` must have at least one entry");
                let help = format!("for example `{example}`");
                Err(self.error_at(path, message, "no entry", help))
            }
            _ => Ok(()),
        }
    }

    fn empty(&self, path: &[PathStep], key: &str, help: &str) -> Error {
        self.error_at(path, format!("`{key}` must not be empty"), "empty", help)
    }

    fn given_twice(&self, path: &[PathStep], what: &str, help: &str) -> Error {
        self.error_at(
            path,
            format!("{what} is given twice"),
            "the second one",
            help,
        )
    }

    fn error_at(
        &self,
        path: &[PathStep],
        message: impl Into<String>,
        label: &str,
        help: impl Into<String>,
    ) -> Error {
        match self.text {
            Some(text) => text.error_at(path, message, label).help(help),
            None => Error::new(ErrorKind::Spec, message).help(help),
        }
    }

    fn attach_position(&self, path: &[PathStep], error: Error) -> Error {
        match self.text {
            Some(text) => text.attach_position(path, error),
            None => error,
        }
    }

    /// Whether something of the value of a key could not be read.
    fn is_incomplete(&self, key: &str) -> bool {
        self.text.is_some_and(|text| text.unread.is_incomplete(key))
    }

    /// Whether the text has a value at `path`.
    fn is_written(&self, path: &[PathStep]) -> bool {
        self.text.is_some_and(|text| text.contains(path))
    }
}
