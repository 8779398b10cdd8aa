//! The gradient descent of t-SNE (van der Maaten & Hinton 2008, <https://www.jmlr.org/papers/v9/vandermaaten08a.html>)
//! with Barnes–Hut repulsion (van der Maaten 2014, <https://www.jmlr.org/papers/v15/vandermaaten14a.html>).
//!
//! The tree is `barnes-hut-tree`'s, of the `bhtsne` crate. The descent is our own for two measured reasons: `bhtsne`
//! caps the gains at 2, and so ends at a divergence of 0.98 where the published algorithm reaches 0.76 in as many steps;
//! and it recentres the map by a sum whose order depends on the threads' timing, so that two runs differ. Here every
//! point's force is a sum of its own, and a map has the same bytes for any number of threads.

use barnes_hut_tree::{BarnesHutTree, Dim, Morton};
use rayon::prelude::*;

use super::affinities::Affinities;
use crate::error::{Error, ErrorKind, Result};
use crate::progress::{Progress, ProgressUnit};

/// A cell of the tree counts as one point if half its side is below this part of its distance; of the whole side, by
/// which most implementations define θ, that is 0.5.
const THETA: f32 = 0.25;
/// The factor of the affinities during early exaggeration, so that clusters form.
const EARLY_EXAGGERATION: f32 = 12.0;
/// Steps of early exaggeration.
const EXAGGERATED_STEPS: usize = 250;
/// Momentum during early exaggeration, and after it.
const MOMENTA: [f32; 2] = [0.5, 0.8];

type Tree = BarnesHutTree<f32, <Dim<2> as Morton<2>>::Word, 2>;

/// Moves the points of `layout`, `[n, 2]`, along the negative gradient of KL(P ‖ Q) for `epochs` steps, the first 250
/// (half of them if they are fewer than 500) with early exaggeration. The map's mean is 0.
///
/// # Errors
/// If the layout has another number of points than `p`.
pub fn gradient_descent(
    p: &Affinities,
    layout: &[f32],
    epochs: usize,
    progress: &dyn Progress,
) -> Result<Vec<f32>> {
    let count = p.len();
    if layout.len() != 2 * count {
        let message = format!(
            "the layout of {count} points needs {} coordinates, got {}",
            2 * count,
            layout.len()
        );
        return Err(Error::new(ErrorKind::Network, message));
    }
    // Belkina et al. 2019: proportional to the number of points. Sixty points converge with 5; with 50, scikit-learn's
    // minimum, they end 10 % worse.
    let learning_rate = (count as f32 / EARLY_EXAGGERATION / 4.0).max(5.0);
    let exaggerated_steps = EXAGGERATED_STEPS.min(epochs / 2);
    let rows: Vec<Vec<(u32, f32)>> = (0..count)
        .map(|point| {
            let row = p.row(point).iter();
            row.map(|&(other, p)| (other as u32, p as f32)).collect()
        })
        .collect();
    let mut map = layout.to_vec();
    let mut tree = Tree::empty();
    let mut forces = vec![PointForces::default(); count];
    let mut updates = vec![CoordinateUpdate::default(); 2 * count];
    for epoch in 0..epochs {
        if epoch == exaggerated_steps {
            // Velocities and gains of the exaggerated objective do not fit the true one.
            updates.fill(CoordinateUpdate::default());
        }
        let (exaggeration, momentum) = if epoch < exaggerated_steps {
            (EARLY_EXAGGERATION, MOMENTA[0])
        } else {
            (1.0, MOMENTA[1])
        };
        tree.rebuild_uniform(&map);
        forces
            .par_iter_mut()
            .enumerate()
            .for_each(|(point, force)| {
                *force = PointForces::new(point, &map, &rows[point], &tree);
            });
        let normaliser: f64 = forces
            .iter()
            .map(|force| f64::from(force.similarity_sum))
            .sum();
        let factor = (1.0 / normaliser) as f32;
        for ((coordinate, update), index) in map.iter_mut().zip(&mut updates).zip(0..) {
            let (force, axis): (&PointForces, usize) = (&forces[index / 2], index % 2);
            let gradient =
                4.0 * (exaggeration * force.attraction[axis] - factor * force.repulsion[axis]);
            *coordinate += update.step(gradient, momentum, learning_rate);
        }
        progress.advance(epoch as u64 + 1, Some(epochs as u64), ProgressUnit::Items);
    }
    centre(&mut map);
    Ok(map)
}

/// Subtracts the mean of both coordinates.
fn centre(map: &mut [f32]) {
    for axis in 0..2 {
        let coordinates = map.iter().skip(axis).step_by(2);
        let sum = coordinates.map(|x| f64::from(*x)).sum::<f64>();
        let mean = sum / (map.len() / 2).max(1) as f64;
        let coordinates = map.iter_mut().skip(axis).step_by(2);
        coordinates.for_each(|x| *x = (f64::from(*x) - mean) as f32);
    }
}

/// The two sums of one point's gradient, and its part of Q's normaliser.
#[derive(Debug, Clone, Copy, Default)]
struct PointForces {
    /// Σⱼ p(i, j) (yᵢ − yⱼ) / (1 + |yᵢ − yⱼ|²).
    attraction: [f32; 2],
    /// Σⱼ (yᵢ − yⱼ) / (1 + |yᵢ − yⱼ|²)², by Barnes–Hut.
    repulsion: [f32; 2],
    /// Σⱼ 1 / (1 + |yᵢ − yⱼ|²), by Barnes–Hut.
    similarity_sum: f32,
}

impl PointForces {
    fn new(point: usize, map: &[f32], affinities: &[(u32, f32)], tree: &Tree) -> PointForces {
        let mut forces = PointForces::default();
        let (positions, _) = map.as_chunks::<2>();
        let [x, y] = positions[point];
        for &(other, p) in affinities {
            let [u, v] = positions[other as usize];
            let difference = [x - u, y - v];
            let weight = p / (1.0 + difference[0] * difference[0] + difference[1] * difference[1]);
            forces.attraction[0] += weight * difference[0];
            forces.attraction[1] += weight * difference[1];
        }
        let mut stack = <Dim<2> as Morton<2>>::empty_stack();
        tree.compute_non_edge_forces(
            point,
            THETA * THETA,
            map,
            &mut forces.repulsion,
            &mut forces.similarity_sum,
            stack.as_mut(),
        );
        forces
    }
}

/// The velocity of one coordinate, and the gain of its learning rate (Jacobs 1988: delta-bar-delta).
#[derive(Debug, Clone, Copy)]
struct CoordinateUpdate {
    velocity: f32,
    gain: f32,
}

impl Default for CoordinateUpdate {
    fn default() -> Self {
        CoordinateUpdate {
            velocity: 0.0,
            gain: 1.0,
        }
    }
}

impl CoordinateUpdate {
    /// The change of the coordinate by one step of gradient descent with momentum.
    fn step(&mut self, gradient: f32, momentum: f32, learning_rate: f32) -> f32 {
        // The gain grows while the coordinate moves against the gradient, and falls after overshooting.
        self.gain = if self.velocity * gradient < 0.0 {
            self.gain + 0.2
        } else {
            (self.gain * 0.8).max(0.01)
        };
        self.velocity = momentum * self.velocity - learning_rate * self.gain * gradient;
        self.velocity
    }
}
