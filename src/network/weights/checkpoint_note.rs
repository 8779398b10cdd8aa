//! What a reader of the report should know of the weights in a file: which of its tensors were used, and what was assumed of
//! modules that a state dict doesn't name.

use crate::figures::Note;

/// A sentence about a weight file, for the report and for the terminal.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckpointNote {
    /// The sentence in the report's words.
    pub note: Note,
    /// The sentence in English.
    pub text: String,
}

/// The sentences in English by their keys in the word files of other languages, with gaps in braces.
pub const CHECKPOINT_SENTENCES: [(&str, &str); 12] = [
    (
        "network_note.prefix",
        "Its weights are those whose names begin with {prefix}.",
    ),
    (
        "network_note.copies",
        "{others} would fit as well and is not used.",
    ),
    (
        "network_note.left_out",
        "Tensors of the file that are not used: {list}.",
    ),
    (
        "network_note.small_stem",
        "Its stem is a 3 × 3 convolution: stride 1 and no max pooling are assumed, as for images of 32 × 32 pixels; a state \
         dict doesn't say.",
    ),
    (
        "network_note.zero_shortcuts",
        "Its shortcuts have no weights: where the shape changes, every second position and channels of zeros are assumed.",
    ),
    (
        "network_note.pooled",
        "Its head takes the features of a map of {side} × {side} positions: images of {pixels} × {pixels} pixels are assumed.",
    ),
    (
        "network_note.head",
        "Its head is {layers}. A state dict doesn't name modules without weights: one ReLU between two linear layers is \
         assumed, and dropout elsewhere.",
    ),
    (
        "network_note.dropout",
        "Its head is {layers}; other modules in it have no weights and are assumed to be dropout.",
    ),
    (
        "network_note.no_activation",
        "Between the linear layers {first} and {second} there is no gap, so no activation.",
    ),
    (
        "network_note.no_bias",
        "The linear layer {layer} has no bias.",
    ),
    (
        "network_note.no_head",
        "It has no head, so no classes: its output is the vector of {features} features.",
    ),
    (
        "network_note.head_beside",
        "Its head is {head} of the same file.",
    ),
];

impl CheckpointNote {
    /// The sentence with this key of [`CHECKPOINT_SENTENCES`], its gaps filled with these values.
    pub(super) fn new(key: &str, values: &[(&str, String)]) -> Self {
        let sentence = CHECKPOINT_SENTENCES.iter().find(|(own, _)| *own == key);
        let mut text = sentence.map_or(key, |(_, text)| text).to_owned();
        let mut note = Note::new(key);
        for (name, value) in values {
            text = text.replace(&format!("{{{name}}}"), value);
            note = note.with(name, value);
        }
        CheckpointNote { note, text }
    }
}
