//! Measures that hold networks and maps against each other: whether two maps of a photo agree, whether two
//! layers find the same images alike, how much of a space's neighbourhoods a map of it keeps, and how
//! well neighbours in it agree on their class.
//!
//! All of them work on plain numbers, are exact (no approximate neighbours), and give the same bits
//! however many threads share the work.

mod cka;
mod knn_accuracy;
mod neighbours;
mod overlap;
mod point_set;
mod resample;
mod spearman;
mod ssim;
mod trustworthiness;

pub use cka::{FEWEST, Gram, cka};
pub use knn_accuracy::{Vote, vote};
pub use neighbours::{Neighbour, nearest};
pub use overlap::overlap;
pub use point_set::PointSet;
pub use resample::enlarged;
pub use spearman::spearman;
pub use ssim::ssim;
pub use trustworthiness::trustworthiness;
