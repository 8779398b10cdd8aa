//! `randomisation`: the cascading randomisation of the sanity checks by Adebayo et al. 2018
//! (<https://arxiv.org/abs/1810.03292>).
//!
//! # What it shows
//! Whether a map depends on what the network has learned.
//!
//! # How it is computed
//! From the classifier down, the parameters of one resolution after another are replaced by those of an untrained
//! network (Kaiming-uniform; batch norms' statistics too), and stay so. After each stage the maps are computed again for
//! the same class and compared with the original ones: rank correlation of the magnitudes, and SSIM.
//!
//! # How to read it
//! The correlation of a map that explains the network falls to about 0 at the first stage. A map that stays the same
//! shows the image rather than what the network computes from it.
//!
//! # What it can't show
//! That a map is right: passing is necessary, not sufficient. Where all maps of an image are much alike (one bright
//! region in the middle), even a good map keeps some correlation.
//!
//! # Options
//! None.
//!
//! # Cost
//! One forward and one backward pass for each of about six stages. Methods that make passes of their own (integrated
//! gradients, occlusion, …) are left out.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::check::Check;
use super::context::{CheckContext, TestedMap, float_values};
use super::info::{Better, CheckChartInfo, CheckChartLine, CheckInfo, ScoreFormat, ScoreInfo};
use crate::compare::{spearman, ssim};
use crate::error::{Error, ErrorKind, Result};
use crate::figures::{Array, Tensors};
use crate::methods::{LoadedModel, MethodOutput, MethodSpec, PassCount};
use crate::network::graph::{Graph, NodeId, Parameter, ParameterKind};
use crate::network::node_info::NodeInfo;
use crate::network::random_weights;

/// The options of `randomisation`: none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Randomisation {}

/// The similarity of a map to the original one after a part of the network was randomised.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RandomisedStage {
    /// The last part that was randomised, with all above it: `classifier`, or a resolution (`7 × 7`).
    pub down_to: String,
    /// Rank correlation of the magnitudes, −1 to 1; absent where a map is constant.
    pub spearman: Option<f64>,
    /// Structural similarity of the magnitudes, −1 to 1; absent where a map is constant.
    pub ssim: Option<f64>,
}

impl Check for Randomisation {
    const INFO: CheckInfo = CheckInfo {
        key: "randomisation",
        result_key: "randomised",
        title: "Randomisation",
        summary: "the change of the map while parameters are randomised from the classifier down (Adebayo et al. 2018)",
        read: "The parameters are replaced by those of an untrained network, from the classifier down. A map that stays \
               the same depends little on what was learned. Methods that make many passes of their own are left out.",
        papers: &[
            "Adebayo, J., Gilmer, J., Muelly, M., Goodfellow, I., Hardt, M., and Kim, B. (2018). Sanity checks for \
             saliency maps. NeurIPS. arXiv:1810.03292",
        ],
        scores: &[ScoreInfo {
            key: "randomised",
            title: "With a random classifier",
            note: "rank correlation with the original map; should be near 0",
            format: ScoreFormat::Decimals(3),
            better: Better::NearZero,
        }],
        charts: &[CheckChartInfo {
            key: "randomised",
            title: "Cascading randomisation",
            legend: "Rank correlation of each map with the original one as parameters are randomised from the classifier \
                     (left) down to the first layer (right). The correlation of a map that explains the network falls \
                     at once; a map that stays the same shows the photo.",
            alt: "{map}: rank correlation with the original map while the network is randomised",
            axis: [
                ("whole", "trained"),
                ("forgets", "randomised from the top"),
                ("forgot", "all"),
            ],
            range: (-1.0, 1.0),
            format: ScoreFormat::Decimals(1),
            each_image: true,
            of_targets: false,
        }],
        notes: &[],
        value_texts: &[],
    };

    /// One entry per stage, from the classifier down.
    type MapResult = Vec<RandomisedStage>;

    fn compute(
        &self,
        context: &CheckContext,
        maps: &[TestedMap],
    ) -> Result<Vec<Option<Vec<RandomisedStage>>>> {
        let model = context.model();
        let graph = model.network.graph();
        let untrained = random_weights::seeded_weights(graph, model.seed.wrapping_add(1));
        let mut parameters = model.network.parameters();
        let methods = repeatable_methods(context, maps);
        let mut results: Vec<Option<Vec<RandomisedStage>>> = maps.iter().map(|_| None).collect();
        for (down_to, nodes) in stages(graph, &model.info) {
            for node in nodes {
                for &parameter in &graph.node(node).parameters {
                    let Parameter {
                        name,
                        kind,
                        trained,
                        ..
                    } = &graph.parameters()[parameter];
                    let random = untrained.get(name);
                    if let Some(tensor) =
                        random.filter(|_| *kind != ParameterKind::Constant || *trained > 0)
                    {
                        parameters.insert(name.clone(), tensor.f_to_device(model.device)?);
                    }
                }
            }
            let randomised = with_parameters(model, &parameters)?;
            let tensors = method_tensors(context, &randomised, &methods)?;
            for (map, result) in maps.iter().zip(&mut results) {
                if let Some(after) = map.key.as_ref().and_then(|key| tensors.get(key)) {
                    let stage = compare_maps(&down_to, &map.map, after)?;
                    result.get_or_insert_default().push(stage);
                }
            }
        }
        Ok(results)
    }

    fn scores(result: &Vec<RandomisedStage>) -> Vec<Option<f64>> {
        vec![result.first().and_then(|stage| stage.spearman)]
    }

    fn charts(result: &Vec<RandomisedStage>) -> Vec<Vec<CheckChartLine>> {
        // Before the first stage, the map is the original one.
        let original = std::iter::once(Some(1.0));
        let values = original.chain(result.iter().map(|stage| stage.spearman));
        vec![vec![CheckChartLine {
            hollow: false,
            values: values.collect(),
        }]]
    }
}

/// The model with other parameters.
fn with_parameters(
    model: &LoadedModel,
    parameters: &BTreeMap<String, Tensor>,
) -> Result<LoadedModel> {
    let parameters = parameters.iter();
    let parameters = parameters.map(|(name, tensor)| (name.clone(), tensor.shallow_clone()));
    Ok(LoadedModel {
        task: model.task,
        id: model.id.clone(),
        // One pass does not pay for a preparation.
        network: model
            .network
            .with_parameters(parameters.collect())?
            .unprepared(),
        info: model.info.clone(),
        labels: model.labels.clone(),
        preprocess: model.preprocess.clone(),
        device: model.device,
        seed: model.seed,
    })
}

/// The similarity of the magnitudes of `before`, `[H, W]`, and `after`.
fn compare_maps(down_to: &str, before: &Tensor, after: &Array) -> Result<RandomisedStage> {
    let width = before.size()[1] as usize;
    let before = float_values(&before.f_abs()?)?;
    let Some(after) = after.floats() else {
        return Err(Error::new(ErrorKind::Network, "a map must be float32"));
    };
    let after: Vec<f32> = after.iter().map(|value| value.abs()).collect();
    Ok(RandomisedStage {
        down_to: down_to.to_owned(),
        spearman: spearman(&before, &after),
        ssim: ssim(&before, &after, width),
    })
}

/// The nodes with parameters in stages, from the classifier down: the layers without spatial positions first, then one
/// stage per resolution, each with its name.
fn stages(graph: &Graph, info: &[NodeInfo]) -> Vec<(String, Vec<NodeId>)> {
    let mut stages: Vec<(String, Vec<NodeId>)> = Vec::new();
    for id in (0..graph.nodes().len()).rev() {
        if graph.node(id).parameters.is_empty() {
            continue;
        }
        // The gate of a squeeze-and-excitation has one spatial position; it belongs to the stage of its block.
        let name = match info[id].shape[..] {
            [_, 1, 1] if !stages.is_empty() => None,
            [_, height, width] => Some(format!("{width} × {height}")),
            _ => Some("classifier".to_owned()),
        };
        match (stages.last_mut(), name) {
            (Some((last, nodes)), name) if name.as_ref().is_none_or(|name| name == last) => {
                nodes.push(id);
            }
            (_, name) => stages.push((name.unwrap_or_default(), vec![id])),
        }
    }
    stages
}

/// The methods of `maps` that make no pass of their own, each with its layers.
fn repeatable_methods<'a>(
    context: &'a CheckContext,
    maps: &[TestedMap],
) -> Vec<&'a (&'a MethodSpec, &'a [NodeId])> {
    let info = &context.model().info;
    let repeatable = context.methods.iter().filter(|(entry, layers)| {
        let method_key = context.pass.key(entry.name(), None);
        let mut keys = maps.iter().filter_map(|map| map.key.as_ref());
        let method = entry.method().for_class();
        keys.any(|key| key.starts_with(&method_key))
            && method.is_some_and(|method| method.passes(info, layers) == PassCount::default())
    });
    repeatable.collect()
}

/// The tensors that `methods` compute for `model`, by key, from one forward and one backward pass.
fn method_tensors(
    context: &CheckContext,
    model: &LoadedModel,
    methods: &[&(&MethodSpec, &[NodeId])],
) -> Result<Tensors> {
    let graph = model.network.graph();
    let mut nodes = Vec::new();
    for (entry, layers) in methods {
        nodes.extend(*layers);
        nodes.extend(entry.method().nodes(graph));
    }
    let image = &context.pass.forward.image;
    let target = context.pass.target.for_model(model)?;
    let kept = [nodes.as_slice(), &[target.node]].concat();
    let forward = model.forward_with_gradients(image, &context.input()?, &kept)?;
    let backward = forward.backward(target, &nodes)?;
    let mut tensors = Tensors::new();
    for (entry, layers) in methods {
        let Some(method) = entry.method().for_class() else {
            continue;
        };
        let mut output = MethodOutput::default();
        tch::no_grad(|| method.class_figures(&backward, layers, &mut output))?;
        tensors.extend(output.tensors);
    }
    Ok(tensors)
}
