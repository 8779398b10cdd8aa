//! Resolves the methods' layer selectors in one network.

use super::spec_origin::Origin;
use crate::error::{Error, Result};
use crate::network::graph::{Graph, NodeId};
use crate::network::node_info::NodeInfo;
use crate::results::SelectedLayers;
use crate::spec::{ExperimentSpec, PathStep};

/// The layers of every method, in the order of the experiment's methods, and the layers of each selector.
pub(super) type MethodLayers = (Vec<Vec<NodeId>>, Vec<SelectedLayers>);

/// Resolves the selectors of every method in the network `arch`, and checks the methods' options against it.
///
/// # Errors
/// For a selector that selects nothing, or an option that the network can't satisfy.
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
    for (index, entry) in experiment.methods.iter().enumerate() {
        let method = entry.method();
        let path = [
            PathStep::Key("methods"),
            PathStep::Index(index),
            PathStep::Key(entry.name()),
        ];
        let mut method_layers: Vec<NodeId> = Vec::new();
        for (number, selector) in method.selectors().iter().enumerate() {
            let nodes = method.resolve(selector, graph, info).map_err(|error| {
                let path = [
                    &path[..],
                    &[PathStep::Key("layers"), PathStep::Index(number)],
                ]
                .concat();
                origin.locate(&path, for_arch(error))
            })?;
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
        method
            .check(graph, info, &method_layers)
            .map_err(|error| origin.locate(&path, for_arch(error)))?;
        layers.push(method_layers);
    }
    Ok((layers, selected))
}

/// Adds the architecture's name to the error's message.
fn with_arch(error: Error, arch: &str) -> Error {
    let named = Error::new(error.kind(), format!("{} in `{arch}`", error.message()));
    match error.help_text() {
        Some(help) => named.help(help),
        None => named,
    }
}
