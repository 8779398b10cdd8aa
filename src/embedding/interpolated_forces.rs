//! Repulsion interpolated on a grid, as FIt-SNE (Linderman et al. 2019, <https://doi.org/10.1038/s41592-018-0308-4>): the cost
//! grows with the number of points and the area of the map, not with the pairs.
//!
//! FIt-SNE interpolates four sums with the kernel 1 / (1 + d²)². All that is needed follows from one, the potential
//! Φ(y) = Σⱼ 1 / (1 + |y − yⱼ|²): Q's normaliser is its sum over the points, and the force on a point is −½ ∇Φ. Φ is
//! interpolated by B-splines, whose gradient is continuous. The points are distributed over the nodes of the grid, convolved
//! with the kernel, and Φ is read off at each point. The transform of the kernel divided by that of the splines makes the
//! interpolation exact at the nodes; it is kept as long as the grid's spacing and side are the same, which leaves two
//! transforms a step.

use super::grid_convolution::{GridConvolution, fast_side};
use super::repulsion::{PointRepulsion, Repulsion};
use super::spline::{self, ORDER};
use crate::error::Result;

/// The largest distance of two nodes: the kernel's width is 1.
const MAX_SPACING: f64 = 0.4;
/// The smallest one, against rounding while the map is tiny.
const MIN_SPACING: f64 = 0.01;
/// The least number of nodes along the map's longer side.
const MIN_NODES: f64 = 50.0;
/// The largest number of nodes along a side, at which the transforms take about 200 MB; the spacing grows beyond.
const MAX_NODES: f64 = 1600.0;

/// Nodes beyond the map: where the periodic kernel turns around at half its length it has a kink, about which the division by the
/// splines' transform rings.
const GUARD: usize = 16;

/// The potential of a map's points on a grid.
pub(super) struct InterpolatedForces {
    spacing: f64,
    /// The coordinates of the first node.
    origin: [f64; 2],
    /// `[side, side]`.
    potential: Vec<f64>,
    convolution: Option<GridConvolution>,
}

impl InterpolatedForces {
    pub fn new() -> Self {
        InterpolatedForces {
            spacing: 0.0,
            origin: [0.0; 2],
            potential: Vec::new(),
            convolution: None,
        }
    }

    /// The first node of a point along each axis, and its part of the way to the next one after the middle.
    fn position(&self, point: [f32; 2], side: usize) -> ([usize; 2], [f64; 2]) {
        let mut first = [0; 2];
        let mut part = [0.0; 2];
        for axis in 0..2 {
            let at = (f64::from(point[axis]) - self.origin[axis]) / self.spacing;
            // Casts saturate: a coordinate that is not finite stays within the grid.
            let before = (at.floor() as usize).clamp(ORDER / 2 - 1, side - ORDER / 2 - 1);
            first[axis] = before - (ORDER / 2 - 1);
            part[axis] = at - before as f64;
        }
        (first, part)
    }

    /// The convolution for a map with the longer side `span`, kept from the last step if it fits.
    fn convolution(&mut self, span: f64) -> Result<GridConvolution> {
        let spacing = (span / MIN_NODES).clamp(MIN_SPACING, MAX_SPACING);
        let spacing = spacing.max(span / MAX_NODES);
        let nodes = (span / spacing).ceil().min(MAX_NODES) as usize + ORDER + 1 + GUARD;
        let side = fast_side(nodes);
        let kept = self.convolution.take();
        if let Some(kept) = kept
            && self.spacing == spacing
            && kept.side() == side
        {
            return Ok(kept);
        }
        self.spacing = spacing;
        let kernel = |x: f64, y: f64| 1.0 / (1.0 + spacing * spacing * (x * x + y * y));
        GridConvolution::new(side, kernel, |frequency| {
            spline::transform(frequency).powi(-2)
        })
    }
}

impl Repulsion for InterpolatedForces {
    fn update(&mut self, map: &[f32]) -> Result<()> {
        let (points, _) = map.as_chunks::<2>();
        let mut low = [f64::INFINITY; 2];
        let mut high = [f64::NEG_INFINITY; 2];
        for point in points {
            for axis in 0..2 {
                low[axis] = low[axis].min(f64::from(point[axis]));
                high[axis] = high[axis].max(f64::from(point[axis]));
            }
        }
        let span = (high[0] - low[0]).max(high[1] - low[1]).max(0.0);
        let convolution = self.convolution(span)?;
        let side = convolution.side();
        let margin = (ORDER / 2) as f64 * self.spacing;
        self.origin = low.map(|low| low - margin);
        let mut charges = vec![0.0; side * side];
        // In the order of the points: the sums don't depend on the threads.
        for point in points {
            let ([column, row], [x, y]) = self.position(*point, side);
            let ([across, _], [down, _]) = (spline::weights(x), spline::weights(y));
            for (offset, down) in down.iter().enumerate() {
                let start = (row + offset) * side + column;
                for (charge, across) in charges[start..start + ORDER].iter_mut().zip(&across) {
                    *charge += down * across;
                }
            }
        }
        self.potential = convolution.apply(&charges)?;
        self.convolution = Some(convolution);
        Ok(())
    }

    fn of_point(&self, point: usize, map: &[f32]) -> PointRepulsion {
        let side = self.convolution.as_ref().map_or(0, GridConvolution::side);
        let (points, _) = map.as_chunks::<2>();
        let ([column, row], [x, y]) = self.position(points[point], side);
        let ([across, across_slope], [down, down_slope]) = (spline::weights(x), spline::weights(y));
        let (mut potential, mut slope) = (0.0, [0.0; 2]);
        for offset in 0..ORDER {
            let start = (row + offset) * side + column;
            let (mut value, mut along) = (0.0, 0.0);
            for (node, at) in self.potential[start..start + ORDER].iter().enumerate() {
                value += across[node] * at;
                along += across_slope[node] * at;
            }
            potential += down[offset] * value;
            slope[0] += down[offset] * along;
            slope[1] += down_slope[offset] * value;
        }
        PointRepulsion {
            force: slope.map(|slope| (-0.5 * slope / self.spacing) as f32),
            // Without the point itself.
            similarity_sum: (potential - 1.0) as f32,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    #[test]
    fn forces_are_near_the_sums_over_all_pairs() {
        for scale in [1e-3, 3.0, 12.0] {
            let mut map = Rng::new(1, "a map").normal(800, scale);
            map[0] = 4.0 * scale as f32;
            let mut forces = InterpolatedForces::new();
            forces.update(&map).unwrap();
            let (points, _) = map.as_chunks::<2>();
            let (mut error, mut size) = (0.0, 0.0);
            let (mut sums, mut exact_sums) = (0.0, 0.0);
            for (i, a) in points.iter().enumerate() {
                let (mut force, mut sum) = ([0.0; 2], -1.0);
                for b in points {
                    let [x, y] = [f64::from(a[0] - b[0]), f64::from(a[1] - b[1])];
                    let similarity = 1.0 / (1.0 + x * x + y * y);
                    sum += similarity;
                    force[0] += similarity * similarity * x;
                    force[1] += similarity * similarity * y;
                }
                let ours = forces.of_point(i, &map);
                sums += f64::from(ours.similarity_sum);
                exact_sums += sum;
                for (ours, exact) in ours.force.into_iter().zip(force) {
                    error += (f64::from(ours) - exact).powi(2);
                    size += exact.powi(2);
                }
            }
            let relative = (error / size).sqrt();
            assert!(relative < 0.015, "{scale}: {relative}");
            assert!(
                (sums / exact_sums - 1.0).abs() < 1e-3,
                "{scale}: {sums} {exact_sums}"
            );
        }
    }
}
