//! Maps of points in the plane: t-SNE and the steps around it (principal components, neighbours, affinities, a grid).
//!
//! Up to [`EXACT_POINTS`] points neighbours are exact and forces are those of Barnes–Hut; beyond, neighbours are found by a
//! forest of random projections and forces are interpolated on a grid, so that the cost of a map grows about linearly. All
//! results have the same bits for any number of threads.

mod affinities;
mod barnes_hut;
mod conditional_probabilities;
mod gradient_descent;
mod grid;
mod grid_convolution;
mod grid_order;
mod initial_layout;
mod interpolated_forces;
mod kl_divergence;
mod neighbour_graph;
mod pca;
mod projection_forest;
mod repulsion;
mod spline;

pub use affinities::Affinities;
pub use gradient_descent::gradient_descent;
pub use grid::{assign_to_grid, grid_size};
pub use initial_layout::initial_layout;
pub use kl_divergence::{interpolated_kl_divergence, kl_divergence};
pub use neighbour_graph::NeighbourGraph;
pub use pca::{
    MAX_STREAMED_DIMS, PointChunks, PrincipalComponents, principal_components,
    streamed_principal_components,
};

/// The largest number of points with exact neighbours and Barnes–Hut forces; measured, both ways take about as long there.
pub const EXACT_POINTS: usize = 5000;
