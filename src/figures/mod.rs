//! The results of methods, checks and comparisons: figures with their tensors.
//!
//! Plain data without libtorch: a program that reads results (the report, a notebook, a script) needs no network. A
//! tensor is named by its key in `data.safetensors`. The serialised names are part of the result format and stay as
//! they are; where a Rust name differs, serde renames it.

mod atlas;
mod checks;
mod class_info;
mod codes;
mod comparison;
mod evaluation;
mod figure;
mod kernels;
mod layer_statistics;
mod note;
mod residual;
mod target_info;
mod tensors;
mod units;

pub use atlas::Atlas;
pub use checks::{CheckedMap, MapSource};
pub use class_info::ClassInfo;
pub use codes::{CodedImage, Codes, GroupedBy, ImageGroups, KnnAccuracy, Trustworthiness};
pub use comparison::{ComparedPart, Comparison, ImageAgreement, LayerAgreement, MapAgreement};
pub use evaluation::{
    CalibrationBin, ClassAccuracy, ClassRanking, Confusion, ConfusionMatrix, CorruptedAccuracy,
    CorruptionEvaluation, CorruptionRecords, CorruptionStrip, EvaluatedTask, Evaluation,
    EvaluationRecords, Gallery, GalleryImage, GalleryKind, GalleryMap, GalleryPrediction,
    GroupAccuracy, LabelIssues, ModelEvaluation, ModelLabelIssues, ModelSlices,
    MultiLabelEvaluation, OutputScores, PairEvaluation, RegressionEvaluation, RightTogether, Slice,
    SliceImage, SliceSource, SuggestedLabel, SuspectLabel,
};
pub use figure::{Content, Figure};
pub use kernels::KernelNorms;
pub use layer_statistics::LayerStatistics;
pub use note::Note;
pub use residual::{AblatedPrediction, EnergyMaps, GradientShares, ResidualBlock};
pub use target_info::{ContrastInfo, LikenessInfo, Quantity, TargetInfo};
pub use tensors::{Array, Tensors, Values};
pub use units::{AscentImage, Exemplar, MaximisedImage, TopImage, UnitExemplars, UnitProjection};
