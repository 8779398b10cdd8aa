//! Measures that compare networks, maps and point sets: agreement of two maps of an image, CKA between layers, how well
//! a map of points keeps their neighbourhoods and classes, and how well networks predict the labels of a collection.
//!
//! All of them take plain arrays and are exact (no approximate neighbours). The result has the same bits for any number
//! of threads.

mod block_sums;
mod cka;
mod effective_rank;
mod evaluation;
mod k_means;
mod knn_accuracy;
mod neighbours;
mod overlap;
mod pearson;
mod point_set;
mod spearman;
mod ssim;
mod trustworthiness;

pub use block_sums::{BLOCK, BlockSums};
pub use cka::{Gram, MIN_BATCH, cka};
pub use effective_rank::effective_rank;
pub use evaluation::{
    Calibration, ConfidentJoint, ConfidentThresholds, ConfusedPair, Confusion, LabelIssue,
    LabelledPrediction, LogFactorials, MultiLabelScores, RELIABILITY_BINS, RegressionScores,
    ReliabilityBin, auroc, average_precision, cohen_kappa, error_consistency, holm, mcnemar_exact,
    multi_label_scores, regression_scores, wilson_interval,
};
pub use k_means::{KMeans, k_means};
pub use knn_accuracy::{LeaveOneOutAccuracy, knn_accuracy};
pub use neighbours::{Neighbour, nearest_neighbours};
pub use overlap::overlap;
pub use pearson::pearson;
pub use point_set::PointSet;
pub use spearman::spearman;
pub use ssim::ssim;
pub use trustworthiness::trustworthiness;
