//! A network of a run, loaded, with the layers that the methods use.

use tch::Device;

use super::device::{device_name, require_device};
use super::fingerprint::fingerprint;
use super::load_weights::load_weights;
use super::model_info::model_info;
use super::network_cache::{NetworkCache, network_key};
use super::options::RunOptions;
use crate::error::{Error, ErrorKind, Result};
use crate::methods::{LoadedModel, Target};
use crate::network::graph::NodeId;
use crate::network::node_info;
use crate::plan::{Plan, PlannedModel, class_count};
use crate::progress::Progress;
use crate::results::{ModelInfo, lock};
use crate::spec::PathStep;

/// A network that is loaded for a plan.
#[derive(Debug)]
pub struct RunModel {
    /// The network with its class names and preprocessing, as methods use it.
    pub loaded: LoadedModel,
    /// The layers of every method, in the order of the experiment's methods.
    pub layers: Vec<Vec<NodeId>>,
    /// Its position in the experiment.
    pub(super) position: usize,
    /// The likenesses of the experiment, once the codes of their references are computed.
    pub(super) likenesses: Vec<Likeness>,
    /// Its description in the results.
    pub info: ModelInfo,
    /// A hash of everything about the network that results depend on.
    pub(super) identity: String,
    /// A hash of the identity and of what results depend on about the machine.
    pub(super) fingerprint: String,
}

/// The similarity to a reference image, as one network computes it.
#[derive(Debug)]
pub(super) struct Likeness {
    /// The index of its entry in the experiment's `classes`.
    pub(super) entry: usize,
    /// The sha256 of the reference's file.
    pub(super) sha256: String,
    pub(super) target: Target,
}

/// Loads the first network of a plan.
///
/// # Errors
/// If the plan has no network, if its weights can't be fetched or read, or if they don't fit.
pub fn load_model(
    plan: &Plan,
    options: &RunOptions,
    networks: &NetworkCache,
    progress: &dyn Progress,
) -> Result<RunModel> {
    let Some(planned) = plan.models.first() else {
        return Err(Error::new(ErrorKind::Usage, "there is no network to load"));
    };
    let device = require_device(options.device)?;
    load_planned(plan, planned, device, options, networks, progress)
}

/// Loads a network of a plan on `device`.
///
/// # Errors
/// If its weights can't be fetched or read, don't fit, or aren't those of the experiment's lock; pointing at the model
/// in the spec.
pub(super) fn load_planned(
    plan: &Plan,
    planned: &PlannedModel,
    device: Device,
    options: &RunOptions,
    networks: &NetworkCache,
    progress: &dyn Progress,
) -> Result<RunModel> {
    let locate = |key: &'static str| {
        let path = [
            PathStep::Key("models"),
            PathStep::Index(planned.entry),
            PathStep::Key(key),
        ];
        move |error: Error| plan.origin.locate(&path, error)
    };
    let cache = options.cache()?;
    let key = network_key(planned, device).map_err(locate("weights"))?;
    let (network, weights) = networks
        .find_or_load(key, || {
            let (network, weights) = load_weights(planned, &cache, progress)?;
            Ok((network.to_device(device)?, weights))
        })
        .map_err(locate("weights"))?;
    if let Some(lock) = &plan.experiment.lock {
        lock::verify_sha256(&lock.weights, &planned.id, &weights.sha256, "weights")
            .map_err(locate("weights"))?;
    }
    let side = planned.nominal_side();
    let node_info = node_info::from_graph(network.graph(), side, side)?;
    let classes = class_count(network.graph(), &node_info);
    let classes = planned.task.classes(classes);
    let info = model_info(planned, network.graph(), &node_info, weights, classes);
    let loaded = LoadedModel {
        id: planned.id.clone(),
        network: network.with_precisions(plan.experiment.precision.0),
        info: node_info,
        task: planned.task,
        labels: planned.labels.clone(),
        preprocess: planned.preprocess.clone(),
        device,
        seed: plan.experiment.seed,
    };
    let identity = model_identity(&loaded, &info)?;
    let machine = (device_name(device), tch::get_num_threads());
    Ok(RunModel {
        fingerprint: fingerprint(&(&identity, machine))?,
        identity,
        loaded,
        layers: planned.layers.clone(),
        position: planned.entry,
        likenesses: Vec::new(),
        info,
    })
}

/// A hash of everything about a network that results depend on.
fn model_identity(loaded: &LoadedModel, info: &ModelInfo) -> Result<String> {
    let labels = &loaded.labels;
    let class_names: Vec<String> = (0..labels.len()).map(|index| labels.name(index)).collect();
    fingerprint(&(
        &loaded.id,
        &info.arch,
        &info.weights.sha256,
        &info.weights.name,
        &loaded.preprocess,
        (loaded.task, class_names),
        loaded.network.precisions(),
    ))
}
