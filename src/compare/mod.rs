//! Measures that hold networks and maps against each other: how much of a space's neighbourhoods a
//! map of it keeps, and how well neighbours in it agree on their class.
//!
//! All of them work on plain numbers, are exact (no approximate neighbours), and give the same bits
//! however many threads share the work.

mod neighbours;
mod points;
mod trustworthiness;
mod vote;

pub use neighbours::{Neighbour, nearest};
pub use points::Points;
pub use trustworthiness::trustworthiness;
pub use vote::{Vote, vote};
