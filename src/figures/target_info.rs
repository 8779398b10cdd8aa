//! What a figure explains: the logit of a class, the difference of two, a value, or the similarity to another image.

use serde::{Deserialize, Serialize};

use super::ClassInfo;

/// What a figure explains.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum TargetInfo {
    /// A class rather than another one.
    Contrast(ContrastInfo),
    /// A class, or an output of a network without classes.
    Class(ClassInfo),
    /// The similarity to a reference image.
    Likeness(LikenessInfo),
}

/// A class rather than another one: the difference of their logits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ContrastInfo {
    /// The class.
    #[serde(flatten)]
    pub class: ClassInfo,
    /// The other one.
    pub instead_of: ClassInfo,
}

/// The cosine similarity of an image's code with that of a reference image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LikenessInfo {
    /// The id of the reference: that of its image, with a number where an experiment has several of one image.
    pub like: String,
    /// The full name of the layer whose values are the code.
    pub layer: String,
}

impl TargetInfo {
    /// Its part of the key of a tensor: `281`, `281-282` or `like-reference`.
    pub fn key(&self) -> String {
        match self {
            TargetInfo::Class(class) => class.index.to_string(),
            TargetInfo::Contrast(ContrastInfo { class, instead_of }) => {
                format!("{}-{}", class.index, instead_of.index)
            }
            TargetInfo::Likeness(LikenessInfo { like, .. }) => format!("like-{like}"),
        }
    }

    /// Its name in English: `tabby`, `tabby instead of tiger cat`, `like reference`.
    pub fn name(&self) -> String {
        match self {
            TargetInfo::Class(class) => class.name.clone(),
            TargetInfo::Contrast(ContrastInfo { class, instead_of }) => {
                format!("{} instead of {}", class.name, instead_of.name)
            }
            TargetInfo::Likeness(LikenessInfo { like, .. }) => format!("like {like}"),
        }
    }

    /// The class, where the target is a class alone.
    pub fn class(&self) -> Option<&ClassInfo> {
        match self {
            TargetInfo::Class(class) => Some(class),
            _ => None,
        }
    }
}

impl From<ClassInfo> for TargetInfo {
    fn from(class: ClassInfo) -> Self {
        TargetInfo::Class(class)
    }
}

/// What the value of a target is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// A class's logit; of a network with one logit, the log-odds of the class.
    Logit,
    /// A class's probability, 0 to 1.
    #[default]
    Probability,
    /// The difference of two logits.
    LogitDifference,
    /// The difference of two probabilities, −1 to 1.
    ProbabilityDifference,
    /// A cosine similarity, −1 to 1.
    Similarity,
    /// An output of a network without classes, in its own unit.
    Output,
}

impl Quantity {
    /// Its key in the word files: `quantity.KEY`.
    pub fn key(self) -> &'static str {
        match self {
            Quantity::Logit => "logit",
            Quantity::Probability => "probability",
            Quantity::LogitDifference => "logit_difference",
            Quantity::ProbabilityDifference => "probability_difference",
            Quantity::Similarity => "similarity",
            Quantity::Output => "output",
        }
    }

    /// Whether it is the default, which results leave out.
    pub fn is_probability(&self) -> bool {
        *self == Quantity::Probability
    }
}
