//! The networks of a plan: their architecture, where their weights come from, their layers and classes.

use std::borrow::Cow;
use std::path::Path;

use super::class_names::{class_count, class_names, no_classes};
use super::layers::select_layers;
use super::preprocess::{self, AssumedPreprocess, PreprocessSources};
use super::spec_origin::Origin;
use super::task::plan_task;
use super::weights_source::WeightsSource;
use super::zoo_network::ZooNetwork;
use crate::error::{Error, ErrorKind, Mistakes, Result};
use crate::fetch::{self, Cache, weight_set};
use crate::image::Preprocess;
use crate::network::graph::{Graph, NodeId};
use crate::network::labels::Labels;
use crate::network::pt2::{self, ExportedNetwork};
use crate::network::weights::{check_header, refuse_networks};
use crate::network::zoo::{self, Arch};
use crate::network::{OutputChoice, Task, node_info};
use crate::progress::Progress;
use crate::results::{NetworkNote, SelectedLayers};
use crate::spec::{
    ExperimentSpec, LibraryNetwork, LibraryWeights, ModelSpec, PathStep, unique_ids,
};

/// A network of the experiment that is not loaded yet.
#[derive(Debug)]
pub struct PlannedModel {
    /// Unique in the experiment.
    pub id: String,
    /// Where its graph comes from.
    pub architecture: Architecture,
    /// Where its weights come from.
    pub source: WeightsSource,
    /// What its outputs mean.
    pub task: Task,
    /// What a user should know of it.
    pub notes: Vec<NetworkNote>,
    /// The preprocessing of its input images.
    pub preprocess: Preprocess,
    /// What was assumed of the preprocessing, where neither the experiment nor the weights say it.
    pub assumed_preprocess: Option<AssumedPreprocess>,
    /// The names of its classes.
    pub labels: Labels,
    /// The layers of every method, in the order of the experiment's methods.
    pub layers: Vec<Vec<NodeId>>,
    /// The layers of each selector, for the results.
    pub selected: Vec<SelectedLayers>,
    /// Its index in the experiment's `models`.
    pub entry: usize,
}

/// Where a network's graph comes from.
#[derive(Debug)]
pub enum Architecture {
    /// An architecture of the zoo, in the variant that the weights need.
    Zoo(ZooNetwork),
    /// The network in a `.pt2` file, and its name: the file's without its ending, or the one in its library.
    Exported(String, Box<ExportedNetwork>),
}

impl Architecture {
    /// Its name.
    pub fn name(&self) -> String {
        match self {
            Architecture::Zoo(zoo) => zoo.arch.name.to_owned(),
            Architecture::Exported(name, _) => name.clone(),
        }
    }

    /// Its graph.
    pub fn graph(&self) -> Cow<'_, Graph> {
        match self {
            Architecture::Zoo(zoo) => zoo.graph(),
            Architecture::Exported(_, exported) => Cow::Borrowed(exported.network.graph()),
        }
    }

    /// The architecture's family.
    pub fn family(&self) -> &'static str {
        match self {
            Architecture::Zoo(zoo) => zoo.arch.family,
            Architecture::Exported(..) => "torch.export",
        }
    }

    /// Makes another output the explained one.
    ///
    /// # Errors
    /// If the network has one output only, no such output, or one of another shape than `[N, classes]`.
    fn choose_output(&mut self, choice: &OutputChoice) -> Result<()> {
        match self {
            Architecture::Exported(_, exported) => exported.choose_output(choice),
            Architecture::Zoo(zoo) => {
                let message = format!("{} has one output, its logits", zoo.arch.name);
                Err(Error::new(ErrorKind::Spec, message)
                    .help("leave out `output`; networks of `.pt2` files can have several"))
            }
        }
    }

    /// What a user should know of the network: which of several outputs is explained, and what its file's reader has to say.
    pub fn notes(&self) -> Vec<String> {
        let Architecture::Exported(_, exported) = self else {
            return Vec::new();
        };
        let mut notes = exported.warnings.clone();
        if exported.outputs.len() > 1 {
            let outputs = exported.outputs.iter().enumerate();
            let list: Vec<String> = outputs
                .map(|(index, output)| format!("{index} `{}` {}", output.name, output.shape))
                .collect();
            notes.push(format!("output {} of {}", exported.output, list.join(", ")));
        }
        notes
    }

    /// The side of the square input that the network was made for, in pixels.
    pub fn side(&self) -> i64 {
        match self {
            Architecture::Zoo(zoo) => zoo.arch.side(&zoo.options),
            Architecture::Exported(_, exported) => exported.input_size[0],
        }
    }
}

impl PlannedModel {
    /// The side in pixels of the square input for which shapes are computed if the size of images may vary.
    pub fn nominal_side(&self) -> i64 {
        nominal_side(&self.preprocess, &self.architecture)
    }
}

/// Where files are looked for, and how progress is reported.
struct Files<'a> {
    origin: &'a Origin,
    cache: &'a Cache,
    progress: &'a dyn Progress,
}

/// Plans every network of the experiment.
///
/// # Errors
/// For an architecture, a weight set, a weight file, a labels file or a layer that doesn't exist, and for a library's network
/// that can't be exported.
pub(super) fn plan_models(
    experiment: &ExperimentSpec,
    origin: &Origin,
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<Vec<PlannedModel>> {
    let files = Files {
        origin,
        cache,
        progress,
    };
    let models = experiment.models.iter();
    let ids = unique_ids(models.map(|model| (model.id.as_deref(), model.default_id())));
    let mut planned = Vec::new();
    let mut mistakes = Mistakes::default();
    for (entry, (model, id)) in experiment.models.iter().zip(ids).enumerate() {
        planned.extend(mistakes.collect(plan_model(experiment, model, id, entry, &files))?);
    }
    mistakes.into_result()?;
    Ok(planned)
}

fn plan_model(
    experiment: &ExperimentSpec,
    model: &ModelSpec,
    id: String,
    entry: usize,
    files: &Files,
) -> Result<PlannedModel> {
    let origin = files.origin;
    let locate = |key: &'static str| {
        let path = [
            PathStep::Key("models"),
            PathStep::Index(entry),
            PathStep::Key(key),
        ];
        move |error: Error| origin.locate(&path, error)
    };
    let (mut architecture, source) = match (model.exported_program(), model.library_network()) {
        (Some(path), _) => exported(path, origin).map_err(locate("weights"))?,
        (None, Some(network)) => {
            let key = network.library.name();
            let network = with_weight_file(network, origin).map_err(locate("weights"))?;
            let lock = experiment.lock.as_ref();
            let locked = lock.and_then(|lock| lock.weights.get(&id));
            let locked = locked.map(String::as_str);
            library(network, locked, files).map_err(locate(key))?
        }
        (None, None) => {
            let arch = zoo::find(&model.arch).map_err(locate("arch"))?;
            let source = find_weights(model, arch, origin).map_err(locate("weights"))?;
            let zoo = ZooNetwork::new(arch, &source, &id, files.progress);
            (Architecture::Zoo(zoo.map_err(locate("weights"))?), source)
        }
    };
    if let Some(output) = &model.output {
        architecture
            .choose_output(output)
            .map_err(locate("output"))?;
    }
    let (task, notes) = match &mut architecture {
        Architecture::Exported(_, exported) => {
            plan_task(model.task, exported).map_err(locate("task"))?
        }
        Architecture::Zoo(zoo) => zoo.task(model.task).map_err(locate("task"))?,
    };
    let mut labels = own_labels(&architecture, &source);
    if let Some(path) = &model.labels {
        let named = Labels::from_file(&origin.resolve(path));
        labels = Some(named.map_err(locate("labels"))?);
    }
    let graph = architecture.graph();
    let (preprocess, assumed_preprocess) = PreprocessSources {
        known: known_preprocess(&source, &architecture),
        changes: model.preprocess.as_ref(),
        is_trained: !matches!(source, WeightsSource::Random),
        sizes: match &architecture {
            Architecture::Zoo(zoo) => zoo.preprocess(),
            Architecture::Exported(..) => Preprocess::for_input(architecture.side() as u32),
        },
        channels: graph.input_channels(),
    }
    .choose()
    .map_err(|(key, error)| preprocess::locate(origin, entry, key, error))?;
    let side = nominal_side(&preprocess, &architecture);
    let info = node_info::from_graph(&graph, side, side).map_err(locate("preprocess"))?;
    let outputs = class_count(&graph, &info);
    if model.labels.is_some() && task == Task::Codes {
        return Err(locate("labels")(no_classes(&id)));
    }
    let labels = class_names(labels.as_ref(), &id, task, outputs).map_err(locate("labels"))?;
    let (layers, selected) = select_layers(experiment, &id, &graph, &info, origin)?;
    drop(graph);
    Ok(PlannedModel {
        id,
        architecture,
        source,
        task,
        notes,
        preprocess,
        assumed_preprocess,
        labels,
        layers,
        selected,
        entry,
    })
}

/// The class names of a network where the experiment has none.
fn own_labels(architecture: &Architecture, source: &WeightsSource) -> Option<Labels> {
    match (architecture, source) {
        (Architecture::Exported(_, exported), _) => exported.extra.labels.clone(),
        (_, WeightsSource::Set(_) | WeightsSource::Random) => Some(Labels::imagenet()),
        (_, WeightsSource::File(_) | WeightsSource::Library(..)) => None,
    }
}

/// The preprocessing that the weight set or the file names.
fn known_preprocess<'a>(
    source: &WeightsSource,
    architecture: &'a Architecture,
) -> Option<&'a Preprocess> {
    match (source, architecture) {
        (_, Architecture::Exported(_, exported)) => exported.extra.preprocess.as_ref(),
        (WeightsSource::Set(set), _) => Some(&set.preprocess),
        _ => None,
    }
}

fn nominal_side(preprocess: &Preprocess, architecture: &Architecture) -> i64 {
    let side = preprocess.crop.or(preprocess.resize);
    side.map_or(architecture.side(), i64::from)
}

/// The network in the `.pt2` file at `path`.
fn exported(path: &str, origin: &Origin) -> Result<(Architecture, WeightsSource)> {
    let path = origin.resolve(Path::new(path));
    if !path.is_file() {
        return Err(no_weight_file(&path, origin));
    }
    let exported = read_square(&path)?;
    let name = path.file_stem().unwrap_or_default();
    let name = name.to_string_lossy().into_owned();
    let architecture = Architecture::Exported(name, Box::new(exported));
    Ok((architecture, WeightsSource::File(path)))
}

/// A library's network whose weight file, if it has one, is relative to the current folder, exists, and begins as one.
fn with_weight_file(mut network: LibraryNetwork, origin: &Origin) -> Result<LibraryNetwork> {
    if let LibraryWeights::File(path) = &mut network.weights {
        *path = origin.resolve(path);
        if !path.is_file() {
            return Err(no_weight_file(path, origin));
        }
        // Python is slow to start, and its messages are about its own names.
        check_header(path)?;
    }
    Ok(network)
}

/// The network of a Python library.
fn library(
    network: LibraryNetwork,
    locked: Option<&str>,
    files: &Files,
) -> Result<(Architecture, WeightsSource)> {
    let file = fetch::fetch_network(&network, locked, files.cache, files.progress)?;
    let exported = read_square(&file.path).map_err(|error| {
        Error::new(error.kind(), format!("{network} can't be used")).caused_by(error)
    })?;
    let architecture = Architecture::Exported(network.name.clone(), Box::new(exported));
    Ok((architecture, WeightsSource::Library(network, file)))
}

/// The network in the `.pt2` file at `path`, whose inputs must be square.
fn read_square(path: &Path) -> Result<ExportedNetwork> {
    let exported = pt2::read(path)?;
    let [height, width] = exported.input_size;
    if height != width {
        let message = format!(
            "{} was exported for inputs of {width} × {height} pixels; they must be square",
            path.display()
        );
        return Err(Error::new(ErrorKind::Weights, message));
    }
    Ok(exported)
}

fn no_weight_file(path: &Path, origin: &Origin) -> Error {
    let message = format!("there is no weight file {}", path.display());
    Error::new(ErrorKind::Spec, message).help(origin.paths_help())
}

/// A weight set, a file or `random`, as the model's `weights` names it; by default the architecture's first set.
fn find_weights(model: &ModelSpec, arch: &Arch, origin: &Origin) -> Result<WeightsSource> {
    let Some(name) = model.weights.as_deref() else {
        return Ok(WeightsSource::Set(weight_set(arch.name, None)?));
    };
    if name == "random" {
        return Ok(WeightsSource::Random);
    }
    let path = origin.resolve(Path::new(name));
    if path.is_file() {
        refuse_networks(&path)?;
        return Ok(WeightsSource::File(path));
    }
    let extensions = [".pth", ".pt", ".safetensors", ".bin"];
    if extensions.iter().any(|end| name.ends_with(end)) || name.contains(['/', '\\']) {
        return Err(no_weight_file(&path, origin));
    }
    Ok(WeightsSource::Set(weight_set(arch.name, Some(name))?))
}
