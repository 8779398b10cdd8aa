//! Resolves the methods' layer selectors in one network.

use super::spec_origin::Origin;
use crate::error::{Error, Mistakes, Result};
use crate::methods::MethodSpec;
use crate::network::LayerSelector;
use crate::network::graph::{Graph, NodeId};
use crate::network::node_info::NodeInfo;
use crate::results::SelectedLayers;
use crate::spec::{ExperimentSpec, PathStep};

/// The layers of every method, in the order of the experiment's methods, and the layers of each selector.
pub(super) type MethodLayers = (Vec<Vec<NodeId>>, Vec<SelectedLayers>);

/// Resolves the selectors of every method in the network `arch`, and checks the methods' options against it.
///
/// # Errors
/// For selectors that select nothing, and options that the network can't satisfy.
pub(super) fn select_layers(
    experiment: &ExperimentSpec,
    arch: &str,
    graph: &Graph,
    info: &[NodeInfo],
    origin: &Origin,
) -> Result<MethodLayers> {
    let several = experiment.models.len() > 1;
    let for_arch = |error: Error| {
        if several {
            with_arch(error, arch)
        } else {
            error
        }
    };
    let mut layers = Vec::new();
    let mut selected = Vec::new();
    let mut mistakes = Mistakes::default();
    for (index, entry) in experiment.methods.iter().enumerate() {
        let method = entry.method();
        let path = [
            PathStep::Key("methods"),
            PathStep::Index(index),
            PathStep::Key(entry.name()),
        ];
        let mut method_layers: Vec<NodeId> = Vec::new();
        let mut all_found = true;
        for (number, selector) in selectors(entry, graph, info).iter().enumerate() {
            let nodes = method.resolve(selector, graph, info).map_err(|error| {
                let path = [
                    &path[..],
                    &[PathStep::Key("layers"), PathStep::Index(number)],
                ]
                .concat();
                origin.locate(&path, for_arch(error))
            });
            let Some(nodes) = mistakes.collect(nodes)? else {
                all_found = false;
                continue;
            };
            let names = nodes.iter().map(|&id| graph.node(id).name.clone());
            selected.push(SelectedLayers {
                method: entry.name().to_owned(),
                selector: selector.0.clone(),
                layers: names.collect(),
            });
            method_layers.extend(nodes);
        }
        // In the network's order, without duplicates.
        method_layers.sort_unstable();
        method_layers.dedup();
        if all_found {
            let checked = method.check(graph, info, &method_layers);
            mistakes.add(checked.map_err(|error| origin.locate(&path, for_arch(error))))?;
        }
        layers.push(method_layers);
    }
    mistakes.into_result()?;
    Ok((layers, selected))
}

/// The selectors of a method in one network: those that the experiment gives. The stages among a method's default selectors
/// are left out where the network does not have them; a network with one resolution, such as a vision transformer, has depths
/// in their place, `stage2` becomes `40%`.
fn selectors(entry: &MethodSpec, graph: &Graph, info: &[NodeInfo]) -> Vec<LayerSelector> {
    let method = entry.method();
    let own = method.selectors();
    let defaults = MethodSpec::all();
    let default = defaults.iter().find(|other| other.name() == entry.name());
    let is_default = default.is_some_and(|default| default.method().selectors() == own);
    let is_missing = |selector: &LayerSelector| {
        selector.stage().is_some() && method.resolve(selector, graph, info).is_err()
    };
    if !is_default || !own.iter().any(is_missing) {
        return own.to_vec();
    }
    let stages = own.iter().filter(|selector| selector.stage().is_some());
    if stages.filter(|selector| !is_missing(selector)).count() > 1 {
        return own
            .iter()
            .filter(|selector| !is_missing(selector))
            .cloned()
            .collect();
    }
    let by_depth = own.iter().map(|selector| match selector.stage() {
        Some(number @ 1..=4) => LayerSelector(format!("{}%", 20 * number)),
        Some(_) => LayerSelector::from("last"),
        None => selector.clone(),
    });
    by_depth.collect()
}

/// Adds the architecture's name to the error's message.
fn with_arch(error: Error, arch: &str) -> Error {
    let named = Error::new(error.kind(), format!("{} in `{arch}`", error.message()));
    match error.help_text() {
        Some(help) => named.help(help),
        None => named,
    }
}
