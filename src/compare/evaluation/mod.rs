//! How well networks predict the labels of a collection of images, and how far two networks agree: what the method
//! `evaluate` reports.
//!
//! What is summed over images is added image by image, so that memory does not grow with their number, except where a
//! measure needs the order of all scores (average precision, AUROC) or names images (label issues).

mod calibration;
mod confident_learning;
mod confusion;
mod fisher;
mod kappa;
mod mcnemar;
mod multi_label;
mod regression;
mod wilson;

pub use calibration::{Calibration, RELIABILITY_BINS, ReliabilityBin};
pub use confident_learning::{ConfidentJoint, ConfidentThresholds, LabelIssue, LabelledPrediction};
pub use confusion::{ConfusedPair, Confusion};
pub use fisher::{LogFactorials, holm};
pub use kappa::{cohen_kappa, error_consistency};
pub use mcnemar::mcnemar_exact;
pub use multi_label::{MultiLabelScores, auroc, average_precision, multi_label_scores};
pub use regression::{RegressionScores, regression_scores};
pub use wilson::wilson_interval;
