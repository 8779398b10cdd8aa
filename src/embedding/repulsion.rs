//! What the gradient descent needs to know of the forces between all pairs of points.

use crate::error::Result;

/// One way to compute the repulsion.
pub(super) trait Repulsion: Sync {
    /// Prepares for the points of `map`, `[n, 2]`.
    ///
    /// # Errors
    /// If a transform fails.
    fn update(&mut self, map: &[f32]) -> Result<()>;

    /// The repulsion of a point of the map that [`update`](Self::update) was given.
    fn of_point(&self, point: usize, map: &[f32]) -> PointRepulsion;
}

/// The repulsion of one point by all others.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PointRepulsion {
    /// Σⱼ (yᵢ − yⱼ) / (1 + |yᵢ − yⱼ|²)².
    pub force: [f32; 2],
    /// Σⱼ 1 / (1 + |yᵢ − yⱼ|²).
    pub similarity_sum: f32,
}
