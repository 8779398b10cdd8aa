//! What a figure explains, in words: a class, a class rather than another, the similarity to an image.

use crate::figures::{ContrastInfo, LikenessInfo, Quantity, TargetInfo};
use crate::report::words::Words;

/// The target's name: `tabby`, `tabby instead of tiger cat`, `similarity to reference`.
pub fn target_name(target: &TargetInfo, words: &Words) -> String {
    match target {
        TargetInfo::Class(class) => class.name.clone(),
        TargetInfo::Contrast(ContrastInfo { class, instead_of }) => words.text(
            "target.contrast",
            &[("class", &class.name), ("other", &instead_of.name)],
        ),
        TargetInfo::Likeness(LikenessInfo { like, .. }) => {
            words.text("target.likeness", &[("image", like)])
        }
    }
}

/// A target's value, with as many digits as its quantity needs.
pub fn target_value(value: f64, quantity: Quantity, words: &Words) -> String {
    match quantity {
        Quantity::Logit | Quantity::LogitDifference => words.signed(value, 1),
        Quantity::Probability => words.percent(value),
        Quantity::ProbabilityDifference | Quantity::Similarity => words.signed(value, 2),
        Quantity::Output => words.number(value),
    }
}

/// The change of a target's value, with its sign.
pub fn target_change(change: f64, quantity: Quantity, words: &Words) -> String {
    let text = match quantity {
        Quantity::Logit | Quantity::LogitDifference => words.signed(change, 1),
        Quantity::Output => words.number(change),
        _ => words.signed(change, 3),
    };
    // No plus before a change that is rounded to 0.
    let is_zero = text.chars().all(|c| !c.is_ascii_digit() || c == '0');
    if change > 0.0 && !is_zero {
        format!("+{text}")
    } else {
        text
    }
}
