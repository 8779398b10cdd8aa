//! Measures that hold networks and maps against each other: whether two maps of a photo agree, whether two
//! layers find the same images alike, how much of a space's neighbourhoods a map of it keeps, and how
//! well neighbours in it agree on their class.
//!
//! All of them work on plain numbers, are exact (no approximate neighbours), and give the same bits
//! however many threads share the work.

mod cka;
mod enlarged;
mod neighbours;
mod overlap;
mod points;
mod spearman;
mod ssim;
mod trustworthiness;
mod vote;

pub use cka::{FEWEST, Gram, cka};
pub use enlarged::enlarged;
pub use neighbours::{Neighbour, nearest};
pub use overlap::overlap;
pub use points::Points;
pub use spearman::spearman;
pub use ssim::ssim;
pub use trustworthiness::trustworthiness;
pub use vote::{Vote, vote};
