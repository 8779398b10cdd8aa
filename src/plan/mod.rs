//! What can be known of an experiment before anything runs: which networks, weights, layers, classes
//! and pictures its words mean. `check` stops here; `run` goes on from here.

use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::fetch::{Cache, WeightSet, weight_set};
use crate::image::Preprocess;
use crate::network::ClassSpec;
use crate::network::graph::{Graph, NodeId};
use crate::network::labels::Labels;
use crate::network::node_info::{self, NodeInfo};
use crate::network::zoo::{self, Arch};
use crate::progress::Progress;
use crate::results::SelectedLayers;
use crate::spec::{ModelSpec, SizeOrNone, SpecFile, Step, unique_ids};

pub mod images;

use images::{Label, PlannedImage};

/// An experiment whose words have been looked up.
#[derive(Debug)]
pub struct Plan {
    pub models: Vec<PlannedModel>,
    pub pictures: Vec<PlannedImage>,
    /// What some methods look through; empty where none of the experiment's does.
    pub collection: Vec<PlannedImage>,
}

/// A network of the experiment, not loaded yet.
#[derive(Debug)]
pub struct PlannedModel {
    /// Unique in the experiment.
    pub id: String,
    pub arch: &'static Arch,
    pub options: zoo::Options,
    pub source: Source,
    pub preprocess: Preprocess,
    /// What its classes are called; `None` until the weight file says how many there are.
    pub labels: Option<Labels>,
    /// The layers of every method, in the order of the experiment's methods.
    pub layers: Vec<Vec<NodeId>>,
    /// What each selector became, for the record.
    pub selected: Vec<SelectedLayers>,
    /// Its place in the spec's list.
    pub place: usize,
}

/// Where a network's numbers come from.
#[derive(Debug, Clone)]
pub enum Source {
    /// A set of the catalogue.
    Set(&'static WeightSet),
    /// A file of the user's.
    File(PathBuf),
    /// `network::random`: untrained, the same everywhere.
    Random,
}

impl Plan {
    /// Looks up everything that the spec names. Photo packs come from the cache or, if that may fetch,
    /// from their package.
    ///
    /// # Errors
    /// For the first word that means nothing, with its place in the spec.
    pub fn new(spec: &SpecFile, cache: &Cache, progress: &dyn Progress) -> Result<Self> {
        let models = models(spec)?;
        classes(spec, &models)?;
        let pictures = images::list(spec, cache, progress)?;
        labels(spec, "images", &models, &pictures)?;
        let collection = collection(spec, &models, || images::collection(spec, cache, progress))?;
        Ok(Plan {
            models,
            pictures,
            collection,
        })
    }

    /// The same with these pictures, whatever the spec's own `images` are.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_pictures(spec: &SpecFile, pictures: &[PlannedImage]) -> Result<Self> {
        let models = models(spec)?;
        classes(spec, &models)?;
        labels(spec, "images", &models, pictures)?;
        let collection = collection(spec, &models, || in_files(pictures))?;
        Ok(Plan {
            models,
            pictures: pictures.to_vec(),
            collection,
        })
    }

    /// The same without a network: `None` for the pictures where a pack is not in the cache.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn check(
        spec: &SpecFile,
        cache: &Cache,
    ) -> Result<(Vec<PlannedModel>, Option<Vec<PlannedImage>>)> {
        match Plan::new(spec, cache, &crate::progress::Silent) {
            Ok(plan) => Ok((plan.models, Some(plan.pictures))),
            Err(error) if error.kind() == ErrorKind::Fetch => Ok((models(spec)?, None)),
            Err(error) => Err(error),
        }
    }
}

/// The images that some methods look through, if any does; and whether they can with so many.
fn collection(
    spec: &SpecFile,
    models: &[PlannedModel],
    images: impl FnOnce() -> Result<Vec<PlannedImage>>,
) -> Result<Vec<PlannedImage>> {
    let entries = spec.experiment.methods.iter().enumerate();
    let looking: Vec<_> = entries
        .filter(|(_, entry)| entry.method().looks_through_collection())
        .collect();
    if looking.is_empty() {
        return Ok(Vec::new());
    }
    let pictures = images()?;
    labels(spec, "collection", models, &pictures)?;
    for (place, entry) in looking {
        entry
            .method()
            .check_collection(pictures.len())
            .map_err(|error| {
                let at = [
                    Step::Key("methods"),
                    Step::Index(place),
                    Step::Key(entry.name()),
                ];
                spec.locate(&at, error)
            })?;
    }
    Ok(pictures)
}

/// What looks through a collection reads its images when it comes to them.
fn in_files(pictures: &[PlannedImage]) -> Result<Vec<PlannedImage>> {
    match pictures.iter().find(|picture| picture.photo.is_some()) {
        None => Ok(pictures.to_vec()),
        Some(picture) => {
            let message = format!("`{}` is in memory, and a collection is files", picture.id);
            let error = Error::new(ErrorKind::Usage, message);
            Err(error.help("give an experiment with a `collection` to this method"))
        }
    }
}

fn models(spec: &SpecFile) -> Result<Vec<PlannedModel>> {
    let all = &spec.experiment.models;
    let wanted = all
        .iter()
        .map(|model| (model.id.as_deref(), model.arch.clone()));
    let ids = unique_ids(wanted);
    let mut planned = Vec::with_capacity(all.len());
    for (place, (model, id)) in all.iter().zip(ids).enumerate() {
        planned.push(plan_model(spec, model, id, place)?);
    }
    Ok(planned)
}

fn plan_model(
    spec: &SpecFile,
    model: &ModelSpec,
    id: String,
    place: usize,
) -> Result<PlannedModel> {
    let at = |key: &'static str| [Step::Key("models"), Step::Index(place), Step::Key(key)];
    let arch = zoo::find(&model.arch).map_err(|error| spec.locate(&at("arch"), error))?;
    let source = source(spec, model, arch).map_err(|error| spec.locate(&at("weights"), error))?;
    let mut options = zoo::Options::default();
    let mut preprocess = Preprocess::for_input(arch.input as u32);
    let mut labels = None;
    match &source {
        Source::Set(set) => {
            options = set.options();
            preprocess = set.preprocess.clone();
            labels = Some(Labels::imagenet());
        }
        Source::Random => labels = Some(Labels::imagenet()),
        Source::File(_) => {}
    }
    if let Some(path) = &model.labels {
        let named = Labels::from_file(&spec.resolve(path));
        labels = Some(named.map_err(|error| spec.locate(&at("labels"), error))?);
    }
    if let Some(changes) = &model.preprocess {
        changes.apply(&mut preprocess);
    }
    let graph = arch.graph(options);
    let (width, height) = nominal_size(&preprocess, arch);
    let info = node_info::of_graph(&graph, height, width)
        .map_err(|error| spec.locate(&at("preprocess"), error))?;
    let (layers, selected) = select(spec, model, &graph, &info)?;
    Ok(PlannedModel {
        id,
        arch,
        options,
        source,
        preprocess,
        labels,
        layers,
        selected,
        place,
    })
}

/// The size that a layer table is drawn up for, where pictures may come in many.
pub fn nominal_size(preprocess: &Preprocess, arch: &Arch) -> (i64, i64) {
    let side = preprocess
        .crop
        .or(preprocess.resize)
        .map_or(arch.input, i64::from);
    (side, side)
}

fn source(spec: &SpecFile, model: &ModelSpec, arch: &Arch) -> Result<Source> {
    let Some(name) = model.weights.as_deref() else {
        return Ok(Source::Set(weight_set(arch.name, None)?));
    };
    if name == "random" {
        return Ok(Source::Random);
    }
    let path = spec.resolve(Path::new(name));
    let looks_like_a_file = [".pth", ".pt", ".safetensors", ".bin"]
        .iter()
        .any(|end| name.ends_with(end))
        || name.contains(['/', '\\']);
    if path.is_file() {
        return Ok(Source::File(path));
    }
    if looks_like_a_file {
        let message = format!("there is no weight file {}", path.display());
        return Err(Error::new(ErrorKind::Spec, message)
            .help("paths are meant from the experiment file's folder"));
    }
    Ok(Source::Set(weight_set(arch.name, Some(name))?))
}

type Selected = (Vec<Vec<NodeId>>, Vec<SelectedLayers>);

fn select(
    spec: &SpecFile,
    model: &ModelSpec,
    graph: &Graph,
    info: &[NodeInfo],
) -> Result<Selected> {
    let mut layers = Vec::new();
    let mut selected = Vec::new();
    for (place, entry) in spec.experiment.methods.iter().enumerate() {
        let method = entry.method();
        let in_method = [
            Step::Key("methods"),
            Step::Index(place),
            Step::Key(entry.name()),
        ];
        let mut of_method: Vec<NodeId> = Vec::new();
        for (number, word) in method.selectors().iter().enumerate() {
            let found = method.resolve(word, graph, info).map_err(|error| {
                let at = [&in_method[..], &[Step::Key("layers"), Step::Index(number)]].concat();
                spec.locate(&at, for_model(error, model, spec))
            })?;
            selected.push(SelectedLayers {
                method: entry.name().to_owned(),
                selector: word.0.clone(),
                layers: found
                    .iter()
                    .map(|&id| graph.node(id).name.clone())
                    .collect(),
            });
            for id in found {
                if !of_method.contains(&id) {
                    of_method.push(id);
                }
            }
        }
        // In the network's order, whatever the selectors' order was.
        of_method.sort_unstable();
        method
            .check(graph, info, &of_method)
            .map_err(|error| spec.locate(&in_method, for_model(error, model, spec)))?;
        layers.push(of_method);
    }
    Ok((layers, selected))
}

/// Says which network a layer is missing in, where there are several.
fn for_model(error: Error, model: &ModelSpec, spec: &SpecFile) -> Error {
    if spec.experiment.models.len() < 2 {
        return error;
    }
    let message = format!("{} in `{}`", error.message(), model.arch);
    let said = Error::new(error.kind(), message);
    match error.advice() {
        Some(help) => said.help(help),
        None => said,
    }
}

/// Every class that the spec names is one that some network knows (or may turn out to know).
fn classes(spec: &SpecFile, models: &[PlannedModel]) -> Result<()> {
    for (place, class) in spec.experiment.classes.iter().enumerate() {
        let text = match class {
            ClassSpec::Predicted | ClassSpec::Label => continue,
            ClassSpec::Index(index) => index.to_string(),
            ClassSpec::Name(name) => name.clone(),
        };
        known(&text, models)
            .map_err(|error| spec.locate(&[Step::Key("classes"), Step::Index(place)], error))?;
    }
    for (place, entry) in spec.experiment.methods.iter().enumerate() {
        for class in entry.method().classes() {
            known(&class, models).map_err(|error| {
                let at = [
                    Step::Key("methods"),
                    Step::Index(place),
                    Step::Key(entry.name()),
                ];
                spec.locate(&at, error)
            })?;
        }
    }
    Ok(())
}

fn labels(
    spec: &SpecFile,
    list: &'static str,
    models: &[PlannedModel],
    pictures: &[PlannedImage],
) -> Result<()> {
    for picture in pictures {
        if let Some(Label::Said(label)) = &picture.label {
            known(label, models).map_err(|error| {
                let at = [
                    Step::Key(list),
                    Step::Index(picture.place),
                    Step::Key("class"),
                ];
                spec.locate(&at, error)
            })?;
        }
    }
    Ok(())
}

fn known(class: &str, models: &[PlannedModel]) -> Result<()> {
    let mut refused = None;
    for model in models {
        match model.labels.as_ref().map(|labels| labels.resolve(class)) {
            None | Some(Ok(_)) => return Ok(()),
            Some(Err(error)) => refused = refused.or(Some(error)),
        }
    }
    refused.map_or(Ok(()), Err)
}

impl crate::spec::PreprocessSpec {
    /// Puts what the spec says in the place of what the weight set says.
    fn apply(&self, preprocess: &mut Preprocess) {
        let size = |said: SizeOrNone| match said {
            SizeOrNone::None => None,
            SizeOrNone::Size(size) => Some(size),
        };
        if let Some(said) = self.resize {
            preprocess.resize = size(said);
        }
        if let Some(said) = self.crop {
            preprocess.crop = size(said);
        }
        preprocess.interpolation = self.interpolation.unwrap_or(preprocess.interpolation);
        preprocess.mean = self.mean.unwrap_or(preprocess.mean);
        preprocess.std = self.std.unwrap_or(preprocess.std);
    }
}
