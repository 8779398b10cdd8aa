//! Labels that are probably wrong, by confident learning (Northcutt et al. 2021).

use serde::{Deserialize, Serialize};

/// The labels that are probably wrong.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LabelIssues {
    /// What each network that chooses one of several classes found.
    pub models: Vec<ModelLabelIssues>,
    /// The images, those that most networks suggest the same class for first.
    pub images: Vec<SuspectLabel>,
}

/// How many labels one network takes for wrong.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ModelLabelIssues {
    /// The model's id.
    pub model: String,
    /// How many images.
    pub found: usize,
    /// How many images can't be decided on, because only the most probable classes are stored.
    pub undecided: usize,
}

/// An image whose label is probably wrong.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SuspectLabel {
    /// Its id in the collection.
    pub image: String,
    /// Its path as the experiment names it.
    pub source: String,
    /// The class that it is labelled with.
    pub class: String,
    /// What each network suggests in its place, in the order of `models`; absent where a network suggests nothing.
    pub suggested: Vec<Option<SuggestedLabel>>,
    /// Key of its thumbnail; absent for images beyond those that are shown, and where the file can't be read again.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub thumbnail: Option<String>,
}

/// The class that an image probably is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SuggestedLabel {
    /// Its name.
    pub class: String,
    /// The probability of the given label, 0 to 1.
    pub self_confidence: f64,
    /// The probability of the given label minus the highest one of another class, −1 to 1.
    pub margin: f64,
}
