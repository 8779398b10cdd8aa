//! What a network's outputs mean: as the experiment says, or as the network suggests; and the logits before its final softmax
//! or sigmoid, which are what is explained.

use crate::error::{Error, ErrorKind, Result};
use crate::network::Task;
use crate::network::final_activation::{FinalActivation, final_activation};
use crate::network::pt2::ExportedNetwork;
use crate::results::NetworkNote;

/// The task of an exported network, and what a user should know of it. A final softmax, log-softmax or sigmoid is left off,
/// but for a regression.
///
/// # Errors
/// If the given task doesn't fit the network's last function.
pub(super) fn plan_task(
    given: Option<Task>,
    exported: &mut ExportedNetwork,
) -> Result<(Task, Vec<NetworkNote>)> {
    let Some((activation, logits)) = final_activation(exported.network.graph()) else {
        let task = given.unwrap_or_default();
        let notes = one_output_note(given, exported.classes);
        return Ok((task, notes.into_iter().collect()));
    };
    if given == Some(Task::Regression) {
        return Ok((Task::Regression, Vec::new()));
    }
    let several = exported.classes > 1;
    let task = match (activation, given) {
        (_, Some(Task::Codes)) => return Ok((Task::Codes, Vec::new())),
        (FinalActivation::Sigmoid, Some(Task::Classes)) if several => {
            let message = format!(
                "the network ends with a sigmoid of each of its {} outputs, so its classes are independent, and `task` is `classes`",
                exported.classes
            );
            return Err(Error::new(ErrorKind::Spec, message)
                .help("write `task: multi-label`, or export the network without the sigmoid"));
        }
        (FinalActivation::Sigmoid, None) if several => Task::MultiLabel,
        (FinalActivation::Softmax | FinalActivation::LogSoftmax, Some(Task::MultiLabel)) => {
            let message = format!(
                "the network ends with a {} over its outputs, so that one class is true, and `task` is `multi-label`",
                activation.name()
            );
            return Err(Error::new(ErrorKind::Spec, message).help("write `task: classes`"));
        }
        (FinalActivation::Softmax | FinalActivation::LogSoftmax, _) if !several => {
            let message = format!(
                "the network ends with a {} over one output, which is always the same",
                activation.name()
            );
            return Err(Error::new(ErrorKind::Weights, message)
                .help("export it without that function, or with a sigmoid"));
        }
        (_, given) => given.unwrap_or_default(),
    };
    exported.set_output(logits);
    let mut notes = vec![NetworkNote::new(
        "final_activation",
        "The network's final {function} is left off: the logits before it are explained.",
        &[("function", &activation.name())],
    )];
    match task {
        Task::MultiLabel if given.is_none() => notes.push(NetworkNote::new(
            "multi_label",
            "The network ends with a sigmoid of each output, so its classes are taken as independent: `task: multi-label`.",
            &[],
        )),
        _ => notes.extend(one_output_note(given, exported.classes)),
    }
    Ok((task, notes))
}

/// What is assumed of a network with one output, if the experiment doesn't say its task.
pub(super) fn one_output_note(given: Option<Task>, outputs: usize) -> Option<NetworkNote> {
    (given.is_none() && outputs == 1).then(|| {
        NetworkNote::new(
            "one_logit",
            "The network has one output, taken as the logit of the second of two classes; write `task: regression` if it is a value.",
            &[],
        )
    })
}
