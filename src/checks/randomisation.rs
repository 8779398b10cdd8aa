//! `randomisation`: the sanity check of Adebayo et al. 2018 (<https://arxiv.org/abs/1810.03292>).
//!
//! **What it shows.** Whether a map has anything to do with what the network has learned.
//! **How it is computed.** From the classifier down, one resolution after another gets the weights of an untrained network
//! (Kaiming-uniform, batch norm's numbers too), together with all above it. Each time the maps are made anew, for the same class, and
//! held against the first ones: rank correlation of the magnitudes, and SSIM.
//! **How to read it.** A map that explains the network must fall to about 0 at once. One that stays shows the picture, not
//! what the network makes of it.
//! **What it can't show.** That a map is right: passing is needed, not enough. Where all maps of a photo are much alike
//! (one bright spot in the middle), even a good map keeps some correlation.
//! **Options.** None. **Cost.** One forward and one backward pass for each of about six stages. Methods that make passes of their own
//! (integrated gradients, occlusion, …) are left out.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::{Asked, Candidate, Check};
use crate::compare::{spearman, ssim};
use crate::error::Result;
use crate::figures::{Array, CheckedMap, Randomised};
use crate::methods::{BackwardPass, ForwardPass, LoadedModel, MethodOutput, PassCount, to_array};
use crate::network::graph::{Graph, NodeId};
use crate::network::node_info::NodeInfo;
use crate::network::{gradients, random_weights};

/// No options.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Randomisation {}

impl Check for Randomisation {
    fn look(&self, asked: &Asked, maps: &[Candidate], found: &mut [CheckedMap]) -> Result<()> {
        let subject = asked.subject();
        let graph = subject.network.graph();
        let untrained = random_weights::seeded_weights(graph, subject.seed.wrapping_add(1));
        let mut parameters: BTreeMap<String, Tensor> = BTreeMap::new();
        for (name, _) in graph.parameters() {
            if let Some(tensor) = subject.network.parameter(&name) {
                parameters.insert(name, tensor.shallow_clone());
            }
        }
        for (down_to, nodes) in stages(graph, &subject.info) {
            for node in nodes {
                let name = &graph.node(node).name;
                for (part, _) in graph.node(node).op.parameters() {
                    let full = format!("{name}.{part}");
                    if let Some(tensor) = untrained.get(&full) {
                        parameters.insert(full, tensor.f_to_device(subject.device)?);
                    }
                }
            }
            let copy = parameters.iter();
            let copy = copy.map(|(name, tensor)| (name.clone(), tensor.shallow_clone()));
            let forgetful = LoadedModel {
                id: subject.id.clone(),
                network: subject.network.with_parameters(copy.collect())?,
                info: subject.info.clone(),
                labels: subject.labels.clone(),
                preprocess: subject.preprocess.clone(),
                device: subject.device,
                seed: subject.seed,
            };
            let again = maps_of(asked, &forgetful, maps)?;
            for (candidate, found) in maps.iter().zip(found.iter_mut()) {
                let Some(after) = candidate.key.as_ref().and_then(|key| again.get(key)) else {
                    continue;
                };
                let before = to_array(&candidate.map.f_abs()?)?;
                let after: Vec<f32> = after
                    .floats()
                    .unwrap_or_default()
                    .iter()
                    .map(|v| v.abs())
                    .collect();
                let before = before.floats().unwrap_or_default();
                let width = candidate.map.size()[1] as usize;
                found.randomised.push(Randomised {
                    down_to: down_to.clone(),
                    spearman: spearman(before, &after),
                    ssim: ssim(before, &after, width),
                });
            }
        }
        Ok(())
    }
}

/// The nodes with weights, from the top: those without places first, then resolution by resolution.
fn stages(graph: &Graph, info: &[NodeInfo]) -> Vec<(String, Vec<NodeId>)> {
    let mut stages: Vec<(String, Vec<NodeId>)> = Vec::new();
    for id in (0..graph.nodes().len()).rev() {
        if graph.node(id).op.parameters().is_empty() {
            continue;
        }
        // A gate of a squeeze-and-excitation has one place; it belongs to the block around it.
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

/// The maps of all methods that need no pass of their own, by key, from one forward and one backward pass.
fn maps_of(
    asked: &Asked,
    subject: &LoadedModel,
    maps: &[Candidate],
) -> Result<BTreeMap<String, Array>> {
    let graph = subject.network.graph();
    let methods: Vec<_> = asked
        .methods
        .iter()
        .filter(|(entry, layers)| {
            let key = asked.pass.key(entry.name(), None);
            let keys = maps.iter().filter_map(|map| map.key.as_ref());
            { keys }.any(|of| of.starts_with(&key))
                && entry
                    .method()
                    .for_class()
                    .is_some_and(|method| method.passes(&subject.info, layers) == PassCount::default())
        })
        .collect();
    let mut nodes = vec![graph.input(), graph.output()];
    for (entry, layers) in &methods {
        nodes.extend(*layers);
        nodes.extend(entry.method().nodes(graph));
    }
    nodes.sort_unstable();
    nodes.dedup();
    let input = asked.input()?.f_set_requires_grad(true)?;
    let values = tch::with_grad(|| subject.network.forward(&input, &nodes))?;
    let pass = ForwardPass {
        subject,
        image: asked.pass.pass.image,
        input: &input,
        values: &values,
    };
    let class = asked.pass.class.clone();
    let logits = pass.value(graph.output())?;
    let objective = tch::with_grad(|| logits.f_select(1, class.index as i64)?.f_sum(Kind::Float))?;
    let gradients = gradients(&objective, &values, &nodes)?;
    let of_class = BackwardPass {
        pass: &pass,
        class,
        gradients: &gradients,
    };
    let mut all = BTreeMap::new();
    for (entry, layers) in methods {
        let Some(method) = entry.method().for_class() else {
            continue;
        };
        let mut out = MethodOutput::default();
        tch::no_grad(|| method.class_figures(&of_class, layers, &mut out))?;
        all.extend(out.tensors);
    }
    Ok(all)
}
