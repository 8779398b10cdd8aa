//! The outputs of a program: which one is explained, and which ones could be.

use serde_json::Value;

use super::schema::GraphModule;
use crate::error::{Error, ErrorKind, Result};
use crate::network::graph::NodeId;
use crate::network::op::shape::Shape;
use crate::network::output_choice::OutputChoice;

/// An output of a program.
#[derive(Debug, Clone, PartialEq)]
pub struct ProgramOutput {
    /// Its name: that of a dictionary's key where the network returns one.
    pub name: String,
    /// Its shape, with the batch: `[N, 1000]`.
    pub shape: String,
    /// Its node and the number of classes, where it has the shape `[N, classes]`, or `[N]` with a node that adds the axis.
    pub(in crate::network) logits: Option<(NodeId, usize)>,
}

impl ProgramOutput {
    pub(super) fn new(
        name: String,
        shape: &Shape,
        logits: Option<(NodeId, usize)>,
    ) -> ProgramOutput {
        ProgramOutput {
            name,
            shape: shape.to_string(),
            logits,
        }
    }
}

/// The index of the output that `choice` names, with its node and its number of classes; the first one of shape
/// `[N, classes]`, or else of shape `[N]`, if there is no choice.
///
/// # Errors
/// If there is none, or it has another shape.
pub(super) fn choose(
    outputs: &[ProgramOutput],
    choice: Option<&OutputChoice>,
) -> Result<(usize, NodeId, usize)> {
    let all = outputs.iter().enumerate();
    let found = match choice {
        None => {
            let mut with_logits = all.clone().filter(|(_, output)| output.logits.is_some());
            let has_classes = |(_, output): &(usize, &ProgramOutput)| output.shape.contains(',');
            with_logits.clone().find(has_classes).or(with_logits.next())
        }
        Some(OutputChoice::Index(index)) => outputs.get(*index).map(|output| (*index, output)),
        Some(OutputChoice::Name(name)) => all.clone().find(|(_, output)| output.name == *name),
    };
    let logits = found.and_then(|(index, output)| Some((index, output.logits?)));
    if let Some((index, (node, classes))) = logits {
        return Ok((index, node, classes));
    }
    let list: Vec<String> = all
        .map(|(index, output)| format!("{index} (`{}`, {})", output.name, output.shape))
        .collect();
    let what = match (choice, found) {
        (None, _) => "the network has no output of shape [N, classes] or [N]".to_owned(),
        (Some(choice), None) => format!("the network has no output {choice}"),
        (Some(choice), Some((_, output))) => format!(
            "output {choice} has shape {}; one of shape [N, classes] or [N] can be explained",
            output.shape
        ),
    };
    Err(Error::new(ErrorKind::Weights, what).help(format!("its outputs: {}", list.join(", "))))
}

/// The names of a program's outputs: the keys of the dictionary that the network returns, or else those in the program.
pub(super) fn names(module: &GraphModule, in_program: &[String]) -> Vec<String> {
    keys(module)
        .filter(|keys| keys.len() == in_program.len())
        .unwrap_or_else(|| in_program.to_vec())
}

/// The keys of the dictionary that the network returns.
fn keys(module: &GraphModule) -> Option<Vec<String>> {
    let network = module.module_call_graph.iter();
    let network = network
        .into_iter()
        .find(|call| call.get("fqn").and_then(Value::as_str) == Some(""))?;
    let spec = network.get("signature")?.get("out_spec")?.as_str()?;
    let spec: Value = serde_json::from_str(spec).ok()?;
    let tree = spec.get(1)?;
    let keys: Value = serde_json::from_str(tree.get("context")?.as_str()?).ok()?;
    let keys = keys
        .as_array()?
        .iter()
        .map(|key| key.as_str().map(str::to_owned));
    keys.collect()
}
