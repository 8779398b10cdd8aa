//! The gradient descent of t-SNE (van der Maaten & Hinton 2008, <https://www.jmlr.org/papers/v9/vandermaaten08a.html>)
//! with the repulsion of Barnes–Hut, or interpolated beyond [`EXACT_POINTS`] points.
//!
//! The descent is our own and not that of the `bhtsne` crate, whose tree Barnes–Hut uses, for two measured reasons: `bhtsne`
//! caps the gains at 2, and so ends at a divergence of 0.98 where the published algorithm reaches 0.76 in as many steps;
//! and it recentres the map by a sum whose order depends on the threads' timing, so that two runs differ. Here every
//! point's force is a sum of its own, and a map has the same bytes for any number of threads.

use rayon::prelude::*;

use super::EXACT_POINTS;
use super::affinities::Affinities;
use super::barnes_hut::BarnesHut;
use super::interpolated_forces::InterpolatedForces;
use super::repulsion::{PointRepulsion, Repulsion};
use crate::error::{Error, ErrorKind, Result};
use crate::progress::{Progress, ProgressUnit};

/// The factor of the affinities during early exaggeration, so that clusters form.
const EARLY_EXAGGERATION: f32 = 12.0;
/// Steps of early exaggeration.
const EXAGGERATED_STEPS: usize = 250;
/// The longest step of a point of a large map, against oscillations.
const MAX_STEP: f32 = 5.0;

/// Moves the points of `layout`, `[n, 2]`, along the negative gradient of KL(P ‖ Q) for `epochs` steps, the first 250
/// (half of them if they are fewer than 500) with early exaggeration. The map's mean is 0.
///
/// # Errors
/// If the layout has another number of points than `p`, or a Fourier transform fails.
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
    let exaggerated_steps = EXAGGERATED_STEPS.min(epochs / 2);
    let mut map = layout.to_vec();
    let mut repulsion: Box<dyn Repulsion> = if count > EXACT_POINTS {
        Box::new(InterpolatedForces::new())
    } else {
        Box::new(BarnesHut::new())
    };
    let probabilities = p.probabilities();
    let mut forces = vec![PointForces::default(); count];
    let mut updates = vec![CoordinateUpdate::default(); 2 * count];
    for epoch in 0..epochs {
        if epoch == exaggerated_steps {
            // Velocities and gains of the exaggerated objective do not fit the true one.
            updates.fill(CoordinateUpdate::default());
        }
        let phase = Phase::new(count, epoch < exaggerated_steps);
        repulsion.update(&map)?;
        forces
            .par_iter_mut()
            .enumerate()
            .for_each(|(point, force)| {
                let row = p.row_starts()[point]..p.row_starts()[point + 1];
                let others = &p.others()[row.clone()];
                *force = PointForces {
                    attraction: attraction(point, &map, others, &probabilities[row]),
                    repulsion: repulsion.of_point(point, &map),
                };
            });
        let normaliser: f64 = forces
            .iter()
            .map(|force| f64::from(force.repulsion.similarity_sum))
            .sum();
        let factor = (1.0 / normaliser) as f32;
        map.par_chunks_exact_mut(2)
            .zip(updates.par_chunks_exact_mut(2))
            .zip(&forces)
            .for_each(|((point, updates), forces)| phase.step(point, updates, forces, factor));
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

/// What the steps of early exaggeration and those after it differ in.
struct Phase {
    exaggeration: f32,
    momentum: f32,
    learning_rate: f32,
    max_step: f32,
}

impl Phase {
    /// The learning rate is proportional to the number of points (Belkina et al. 2019,
    /// <https://doi.org/10.1038/s41467-019-13055-y>). Sixty points converge with 5; with 50, scikit-learn's minimum, they end
    /// 10 % worse. Large maps take openTSNE's momentum and its learning rate, inversely proportional to the exaggeration,
    /// without which 10 000 points end 17 % worse after 750 steps.
    fn new(count: usize, exaggerated: bool) -> Phase {
        let is_large = count > EXACT_POINTS;
        let exaggeration = if exaggerated { EARLY_EXAGGERATION } else { 1.0 };
        let slowed = if is_large {
            exaggeration
        } else {
            EARLY_EXAGGERATION
        };
        Phase {
            exaggeration,
            momentum: if exaggerated && !is_large { 0.5 } else { 0.8 },
            learning_rate: (count as f32 / slowed / 4.0).max(5.0),
            max_step: if is_large { MAX_STEP } else { f32::INFINITY },
        }
    }

    /// Moves a point by one step; `factor` is 1 by Q's normaliser.
    fn step(
        &self,
        point: &mut [f32],
        updates: &mut [CoordinateUpdate],
        forces: &PointForces,
        factor: f32,
    ) {
        let mut step = [0.0; 2];
        for (axis, update) in updates.iter_mut().enumerate() {
            let attraction = self.exaggeration * forces.attraction[axis];
            let gradient = 4.0 * (attraction - factor * forces.repulsion.force[axis]);
            step[axis] = update.step(gradient, self.momentum, self.learning_rate);
        }
        let length = step[0].hypot(step[1]);
        if length > self.max_step {
            for (step, update) in step.iter_mut().zip(updates) {
                *step *= self.max_step / length;
                update.velocity = *step;
            }
        }
        for (coordinate, step) in point.iter_mut().zip(step) {
            *coordinate += step;
        }
    }
}

/// The two sums of one point's gradient, and its part of Q's normaliser.
#[derive(Debug, Clone, Copy, Default)]
struct PointForces {
    attraction: [f32; 2],
    repulsion: PointRepulsion,
}

/// Σⱼ p(i, j) (yᵢ − yⱼ) / (1 + |yᵢ − yⱼ|²).
fn attraction(point: usize, map: &[f32], others: &[u32], probabilities: &[f32]) -> [f32; 2] {
    let (positions, _) = map.as_chunks::<2>();
    let [x, y] = positions[point];
    let mut attraction = [0.0; 2];
    for (&other, p) in others.iter().zip(probabilities) {
        let [u, v] = positions[other as usize];
        let difference = [x - u, y - v];
        let weight = p / (1.0 + difference[0] * difference[0] + difference[1] * difference[1]);
        attraction[0] += weight * difference[0];
        attraction[1] += weight * difference[1];
    }
    attraction
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
