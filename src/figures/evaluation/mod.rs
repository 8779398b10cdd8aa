//! How well networks classify a labelled collection: accuracy, calibration, confusions, and where two networks differ.

mod accuracy;
mod agreement;
mod corruptions;
mod galleries;
mod label_issues;
mod other_tasks;
mod records;
mod slices;

use serde::{Deserialize, Serialize};

pub use accuracy::{
    CalibrationBin, ClassAccuracy, Confusion, ConfusionMatrix, GroupAccuracy, ModelEvaluation,
};
pub use agreement::{PairEvaluation, RightTogether};
pub use corruptions::{CorruptedAccuracy, CorruptionEvaluation, CorruptionStrip};
pub use galleries::{Gallery, GalleryImage, GalleryKind, GalleryMap, GalleryPrediction};
pub use label_issues::{LabelIssues, ModelLabelIssues, SuggestedLabel, SuspectLabel};
pub use other_tasks::{ClassRanking, MultiLabelEvaluation, OutputScores, RegressionEvaluation};
pub use records::{CorruptionRecords, EvaluatedTask, EvaluationRecords};
pub use slices::{ModelSlices, Slice, SliceImage, SliceSource};

/// The evaluation of all networks on a collection. Shares are 0 to 1, intervals are Wilson's at 95 %.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Evaluation {
    /// How many images of the collection have a label that some network knows, or a true value.
    pub images: usize,
    /// The networks that have been evaluated, in the experiment's order.
    pub models: Vec<ModelEvaluation>,
    /// Every two of them.
    pub pairs: Vec<PairEvaluation>,
    /// Which networks are right together, most images first, where there are two or more.
    pub combinations: Vec<RightTogether>,
    /// Images that show where the networks differ or err.
    pub galleries: Vec<Gallery>,
    /// The method whose maps stand beside the images of the galleries; absent for none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub attribution: Option<String>,
    /// Labels that are probably wrong; absent where no network chooses one of several classes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub label_issues: Option<LabelIssues>,
    /// Groups of images for which a network's accuracy is off.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub slices: Vec<ModelSlices>,
    /// The accuracy on corrupted images; absent where none are asked for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub corruptions: Option<CorruptionEvaluation>,
    /// The networks whose classes are independent.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub multi_label: Vec<MultiLabelEvaluation>,
    /// The networks that predict values.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub regression: Vec<RegressionEvaluation>,
}
