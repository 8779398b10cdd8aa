//! The names of a network's classes: those of the experiment or the file, one for each output, or those that its task has.

use crate::error::{Error, ErrorKind, Result};
use crate::network::Task;
use crate::network::graph::Graph;
use crate::network::labels::Labels;
use crate::network::node_info::NodeInfo;

/// The number of values of the output.
pub fn class_count(graph: &Graph, info: &[NodeInfo]) -> usize {
    match info.get(graph.output()).map(|info| &info.shape[..]) {
        Some(&[classes]) => classes.max(0) as usize,
        _ => 0,
    }
}

/// The error about names for a network without classes.
pub(super) fn no_classes(id: &str) -> Error {
    let message = format!("`{id}` has no head, so no classes that `labels` could name");
    Error::new(ErrorKind::Spec, message).help("leave out `labels`")
}

/// The names of the classes of the network `id` with this task and number of outputs: `given`, else ImageNet's for 1000 classes,
/// no and yes for one logit, else numbers; for a network without classes the names of its outputs.
///
/// # Errors
/// If another number of names is given.
pub(super) fn class_names(
    given: Option<&Labels>,
    id: &str,
    task: Task,
    outputs: usize,
) -> Result<Labels> {
    let classes = task.classes(outputs);
    match given {
        Some(labels) if labels.len() == classes => Ok(labels.clone()),
        Some(_) if task == Task::Codes => Ok(Labels::numbered(0)),
        Some(labels) => {
            let what = match task {
                Task::Classes if outputs == 1 => "2 class names, for no and yes".to_owned(),
                Task::Regression => format!("{classes} names, one for each output"),
                _ => format!("{classes} class names, one for each output"),
            };
            let message = format!("`labels` of `{id}` must have {what}, got {}", labels.len());
            Err(Error::new(ErrorKind::Spec, message).help(
                "`labels` is a file with the names of all classes, in the order of the outputs: text with one name a line, \
                 JSON or CSV",
            ))
        }
        None => Ok(default_names(task, outputs)),
    }
}

fn default_names(task: Task, outputs: usize) -> Labels {
    match (task, outputs) {
        (Task::Classes, 1) => Labels::from_names(vec!["no".into(), "yes".into()]),
        (Task::Classes, 1000) => Labels::imagenet(),
        (Task::Regression, 1) => Labels::from_names(vec!["output".into()]),
        (Task::Regression, _) => {
            let names = (0..outputs).map(|index| format!("output {index}"));
            Labels::from_names(names.collect())
        }
        _ => Labels::numbered(task.classes(outputs)),
    }
}
