//! Says of the figures that were computed in bfloat16 that they were.

use crate::figures::{Figure, Note};
use crate::methods::ManyInputs;
use crate::network::{Precision, Precisions};

/// Adds the note to `figures`, whose passes over many inputs are of a kind, if these were not in float32.
pub(super) fn add_precision_note(
    figures: &mut [Figure],
    kind: Option<ManyInputs>,
    precisions: Precisions,
) {
    let precision = match kind {
        Some(ManyInputs::Passes) => precisions.passes,
        Some(ManyInputs::Gradients) => precisions.gradients,
        None => Precision::Float32,
    };
    if precision == Precision::Bf16 {
        for figure in figures {
            figure.notes.push(Note::new("note.bf16"));
        }
    }
}
