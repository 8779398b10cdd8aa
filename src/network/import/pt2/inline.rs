//! Programs within programs: what ran below `torch.no_grad()` or a disabled `torch.autocast` is a graph of its own in the file.
//! It takes the place of its call here.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::argument::tensor_names;
use super::fault::wrong;
use super::schema::{GraphRecord, NamedArgument, NodeRecord};
use crate::error::Result;

/// The deepest nesting of programs.
const MAX_DEPTH: usize = 16;

/// Puts the nodes of inner programs in the place of their calls.
///
/// # Errors
/// If one ran below an enabled `torch.autocast`, which computes in half precision, or is inconsistent.
pub(super) fn inline(record: &mut GraphRecord) -> Result<()> {
    for depth in 0..MAX_DEPTH {
        if !record.nodes.iter().any(is_call) {
            return Ok(());
        }
        inline_once(record, depth)?;
    }
    Err(wrong("its programs are nested too deeply"))
}

fn is_call(node: &NodeRecord) -> bool {
    let name = node.target.rsplit('.').next().unwrap_or_default();
    ["wrap_with_set_grad_enabled", "wrap_with_autocast"].contains(&name)
}

fn inline_once(record: &mut GraphRecord, depth: usize) -> Result<()> {
    let nodes = std::mem::take(&mut record.nodes);
    let mut renamed: HashMap<String, String> = HashMap::new();
    for (index, mut node) in nodes.into_iter().enumerate() {
        for input in &mut node.inputs {
            rename(&mut input.arg, &renamed, "");
        }
        if !is_call(&node) {
            record.nodes.push(node);
            continue;
        }
        let (mut inner, operands) = inner_program(&node)?;
        let prefix = format!("{depth}.{index}/");
        let mut names: HashMap<String, String> = HashMap::new();
        for (input, operand) in inner.inputs.iter().flat_map(tensor_names).zip(operands) {
            names.insert(input.to_owned(), operand);
        }
        for mut own in inner.nodes {
            for input in &mut own.inputs {
                rename(&mut input.arg, &names, &prefix);
            }
            for output in &mut own.outputs {
                rename(output, &HashMap::new(), &prefix);
            }
            record.nodes.push(own);
        }
        for output in &mut inner.outputs {
            rename(output, &names, &prefix);
        }
        let results = inner.outputs.iter().flat_map(tensor_names);
        let outputs = node.outputs.iter().flat_map(tensor_names);
        let is_detached = runs_without_gradients(&node);
        for (output, result) in outputs.zip(results) {
            if is_detached {
                record.nodes.push(detached(result, output, &node));
            } else {
                renamed.insert(output.to_owned(), result.to_owned());
            }
        }
        let own = inner.tensor_values.into_iter();
        record
            .tensor_values
            .extend(own.map(|(name, meta)| (format!("{prefix}{name}"), meta)));
        let own = inner.sym_int_values.into_iter();
        record
            .sym_int_values
            .extend(own.map(|(name, size)| (format!("{prefix}{name}"), size)));
    }
    // An output of a call may be that of a call within its program.
    for name in record.renamed.values_mut() {
        if let Some(other) = renamed.get(name) {
            name.clone_from(other);
        }
    }
    record.renamed.extend(renamed);
    Ok(())
}

/// Whether a call's inner program ran below `torch.no_grad()`.
fn runs_without_gradients(node: &NodeRecord) -> bool {
    let mut flags = node
        .inputs
        .iter()
        .filter_map(|input| input.arg.get("as_bool"));
    node.target.ends_with("wrap_with_set_grad_enabled")
        && flags.next().and_then(Value::as_bool) == Some(false)
}

/// The value called `result` without its gradient, as `output` of the call `node`.
fn detached(result: &str, output: &str, node: &NodeRecord) -> NodeRecord {
    let tensor = |name: &str| json!({"as_tensor": {"name": name}});
    NodeRecord {
        target: "torch.ops.aten.detach.default".to_owned(),
        inputs: vec![NamedArgument {
            name: "self".to_owned(),
            arg: tensor(result),
        }],
        outputs: vec![tensor(output)],
        metadata: node.metadata.clone(),
    }
}

/// The inner program of a call, and the names of the values that are its inputs.
fn inner_program(node: &NodeRecord) -> Result<(GraphRecord, Vec<String>)> {
    if node.target.ends_with("wrap_with_autocast") {
        let flags: Vec<bool> = node
            .inputs
            .iter()
            .filter_map(|input| input.arg.get("as_bool")?.as_bool())
            .collect();
        // The device, the data type, whether it is enabled, whether the weights are cached.
        if flags.first() != Some(&false) {
            return Err(wrong(
                "a part of it runs below `torch.autocast`, in half precision; export it without",
            ));
        }
    }
    let graph = node
        .inputs
        .iter()
        .find_map(|input| input.arg.get("as_graph")?.get("graph"));
    let graph = graph.ok_or_else(|| wrong(format!("`{}` has no program", node.target)))?;
    let inner: GraphRecord = serde_json::from_value(graph.clone())
        .map_err(|error| wrong(format!("an inner program can't be read: {error}")))?;
    let operands = node
        .inputs
        .iter()
        .flat_map(|input| tensor_names(&input.arg));
    Ok((inner, operands.map(str::to_owned).collect()))
}

/// Renames all tensors and integers in an argument: those in `names` as it says, others by a prefix.
fn rename(value: &mut Value, names: &HashMap<String, String>, prefix: &str) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields.iter_mut() {
                match value {
                    // The names in a program within are its own.
                    _ if key == "as_graph" => {}
                    Value::String(name) if key == "name" || key == "as_name" => {
                        *name = match names.get(name) {
                            Some(other) => other.clone(),
                            None => format!("{prefix}{name}"),
                        };
                    }
                    // The names in an inner program are its own.
                    _ if key == "as_graph" => {}
                    other => rename(other, names, prefix),
                }
            }
        }
        Value::Array(values) => values
            .iter_mut()
            .for_each(|value| rename(value, names, prefix)),
        _ => {}
    }
}
