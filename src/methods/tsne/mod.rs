//! `tsne`: what lies near what for a network.

mod affinities;
mod descent;
mod divergence;
mod grid;
mod pca;

pub use affinities::Affinities;
pub use descent::{descend, layout};
pub use divergence::divergence;
pub use grid::{grid, sides};
pub use pca::{Components, components};
