//! Networks from files that hold a graph. Each format has a reader of its own; all build the graph with `builder`, which
//! infers shapes, computes constants and follows the batch axis.

mod batch_axis;
mod builder;
mod kinds;
mod limits;
pub mod pt2;
mod verify;
