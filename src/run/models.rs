//! Loads the networks of a plan: from the catalogue, from a file of the user's, or untrained.

use tch::Device;

use super::network_cache::{self, NetworkCache};
use crate::error::{Error, ErrorKind, Result};
use crate::fetch::{self, Cache};
use crate::figures::Note;
use crate::image::{Interpolation, Preprocess};
use crate::methods::LoadedModel;
use crate::network::graph::{Graph, NodeId, Op};
use crate::network::labels::Labels;
use crate::network::node_info::{self, NodeInfo};
use crate::network::{Network, random_weights, weights};
use crate::plan::{PlannedModel, Source};
use crate::progress::Progress;
use crate::results::lock;
use crate::results::{LayerInfo, ModelInfo, WeightsInfo};
use crate::spec::{SpecFile, Step};

/// A network that is ready, with all that a run needs to know of it.
#[derive(Debug)]
pub struct Model {
    pub subject: LoadedModel,
    /// The layers of every method, in the order of the experiment's methods.
    pub layers: Vec<Vec<NodeId>>,
    /// What the results say of it.
    pub record: ModelInfo,
}

/// Loads one.
///
/// # Errors
/// If its weights can't be had or do not fit, pointing at the model in the spec.
pub fn load(
    spec: &SpecFile,
    planned: &PlannedModel,
    cache: &Cache,
    device: Device,
    shelf: &NetworkCache,
    progress: &dyn Progress,
) -> Result<Model> {
    let at = [
        Step::Key("models"),
        Step::Index(planned.place),
        Step::Key("weights"),
    ];
    let placed = |error: Error| spec.locate(&at, error);
    let key = network_cache::key(planned, device).map_err(placed)?;
    let (network, weights) = shelf
        .find_or(key, || {
            let (network, weights) = numbers(planned, cache, progress)?;
            Ok((network.on(device)?, weights))
        })
        .map_err(placed)?;
    if let Some(lock) = &spec.experiment.lock {
        lock::hold(&lock.weights, &planned.id, &weights.sha256, "weights").map_err(placed)?;
    }
    let classes = classes(network.graph());
    let labels = labels(planned, classes).map_err(|error| {
        let at = [
            Step::Key("models"),
            Step::Index(planned.place),
            Step::Key("labels"),
        ];
        spec.locate(&at, error)
    })?;
    let (width, height) = crate::plan::nominal_size(&planned.preprocess, planned.arch);
    let info = node_info::of_graph(network.graph(), height, width)?;
    let record = record(planned, network.graph(), &info, weights, classes);
    Ok(Model {
        subject: LoadedModel {
            id: planned.id.clone(),
            network,
            info,
            labels,
            preprocess: planned.preprocess.clone(),
            device,
            seed: spec.experiment.seed,
        },
        layers: planned.layers.clone(),
        record,
    })
}

fn numbers(
    planned: &PlannedModel,
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<(Network, WeightsInfo)> {
    let (arch, options) = (planned.arch, planned.options);
    match &planned.source {
        Source::Set(set) => {
            let files = fetch::fetch_weights(set, cache, progress)?;
            progress.step(&format!(
                "{}: reading {} {}",
                planned.id, set.arch, set.name
            ));
            let first = files
                .first()
                .map(|file| file.path.clone())
                .unwrap_or_default();
            let format = match set.format {
                fetch::WeightSetFormat::Pth => weights::Format::StateDict,
                fetch::WeightSetFormat::Tfjs => weights::Format::TfjsResnet50,
                fetch::WeightSetFormat::OnnxVggBackbone => weights::Format::OnnxVgg16,
            };
            let network = weights::load_files(arch, options, format, &[first])?;
            let info = WeightsInfo {
                name: set.name.clone(),
                source: set.source_line(),
                licence: Some(set.licence.clone()),
                sha256: fetch::combined_sha256(&files),
                note: set.note.clone(),
            };
            Ok((network, info))
        }
        Source::File(path) => {
            progress.step(&format!("{}: reading {}", planned.id, path.display()));
            let network = weights::load_files(
                arch,
                options,
                weights::Format::StateDict,
                std::slice::from_ref(path),
            )?;
            let info = WeightsInfo {
                name: path
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned(),
                source: path.display().to_string(),
                licence: None,
                sha256: fetch::file_sha256(path)?,
                note: None,
            };
            Ok((network, info))
        }
        Source::Random => {
            let graph = arch.graph(options);
            let parameters = random_weights::weights(&graph);
            let info = WeightsInfo {
                name: "random".into(),
                source: "convscope".into(),
                licence: None,
                sha256: String::new(),
                note: Some("Untrained: every weight is a pseudo-random number.".into()),
            };
            Ok((Network::new(graph, parameters)?, info))
        }
    }
}

/// The names of a network's classes.
fn labels(planned: &PlannedModel, classes: usize) -> Result<Labels> {
    match &planned.labels {
        Some(labels) if labels.len() == classes => Ok(labels.clone()),
        Some(labels) => {
            let message = format!(
                "`{}` tells {classes} classes apart, but {} names are given",
                planned.id,
                labels.len()
            );
            Err(Error::new(ErrorKind::Weights, message).help(
                "`labels` is a text file with one class name a line, in the order of the head",
            ))
        }
        None if classes == 1000 => Ok(Labels::imagenet()),
        None => Ok(Labels::numbered(classes)),
    }
}

fn classes(graph: &Graph) -> usize {
    match graph.node(graph.output()).op {
        Op::Linear { outputs, .. } => outputs as usize,
        _ => 0,
    }
}

fn record(
    planned: &PlannedModel,
    graph: &Graph,
    info: &[NodeInfo],
    weights: WeightsInfo,
    classes: usize,
) -> ModelInfo {
    let sum = |of: fn(&NodeInfo) -> i64| info.iter().map(of).sum::<i64>() as u64;
    let mut shown: Vec<NodeId> = planned.layers.iter().flatten().copied().collect();
    shown.sort_unstable();
    shown.dedup();
    let last = (graph.nodes().len() - 1).max(1) as f64;
    ModelInfo {
        id: planned.id.clone(),
        arch: planned.arch.name.to_owned(),
        family: planned.arch.family.to_owned(),
        weights,
        parameters: sum(|info| info.parameters),
        multiply_adds: sum(|info| info.multiply_adds),
        depth: depth(graph),
        residual_blocks: graph.residual_adds().count() as u32,
        input: [0, 1, 2].map(|side| info[0].shape[side] as u32),
        preprocess: planned.preprocess.describe(),
        preprocessing: preprocessing(&planned.preprocess),
        classes: classes as u32,
        selected: planned.selected.clone(),
        layers: shown
            .into_iter()
            .map(|id| LayerInfo {
                name: graph.node(id).name.clone(),
                op: graph.node(id).op.label().to_owned(),
                shape: info[id].shape.clone(),
                stride: info[id].stride,
                receptive_field: info[id].receptive_field,
                depth: id as f64 / last,
            })
            .collect(),
    }
}

/// What is done to a picture, for the report.
fn preprocessing(preprocess: &Preprocess) -> Note {
    let how = match preprocess.interpolation {
        Interpolation::Bilinear => "bilinear",
        Interpolation::Bicubic => "bicubic",
    };
    let short = |short: u32| ("short", short.to_string());
    let side = |side: u32| ("side", side.to_string());
    let (key, values) = match (preprocess.resize, preprocess.crop) {
        (Some(resize), Some(crop)) => (
            format!("preprocess.both.{how}"),
            vec![short(resize), side(crop)],
        ),
        (Some(resize), None) => (format!("preprocess.resize.{how}"), vec![short(resize)]),
        (None, Some(crop)) => ("preprocess.crop".to_owned(), vec![side(crop)]),
        (None, None) => ("preprocess.none".to_owned(), Vec::new()),
    };
    let told = |note: Note, (name, value): (&str, String)| note.with(name, value);
    values.into_iter().fold(Note::new(&key), told)
}

/// Layers with weights (convolutions and linear layers) on the longest path; gates are no part of
/// it, for they only weigh.
fn depth(graph: &Graph) -> u32 {
    let mut depths: Vec<u32> = Vec::with_capacity(graph.nodes().len());
    for node in graph.nodes() {
        let inputs = match node.op {
            Op::Mul => &node.inputs[..1],
            _ => &node.inputs[..],
        };
        let below = inputs.iter().map(|&input| depths[input]).max().unwrap_or(0);
        let own = matches!(node.op, Op::Conv(_) | Op::Linear { .. });
        depths.push(below + u32::from(own));
    }
    depths.last().copied().unwrap_or(0)
}
