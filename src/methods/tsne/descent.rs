//! The descent of t-SNE (van der Maaten & Hinton 2008, <https://www.jmlr.org/papers/v9/vandermaaten08a.html>),
//! its repulsion by Barnes–Hut (van der Maaten 2014, <https://www.jmlr.org/papers/v15/vandermaaten14a.html>).
//!
//! The tree is `barnes-hut-tree`'s, of the `bhtsne` crate; the descent around it is ours, for two
//! measured reasons: `bhtsne` caps the gains at 2, and so ends at a divergence of 0.98 where the
//! published algorithm reaches 0.76 in as many steps; and it recentres the map by a sum whose order
//! hangs on the threads' luck, so that two runs differ. Here every point's force is its own sum, and
//! a map has the same bytes on one thread or many.

use barnes_hut_tree::{BarnesHutTree, Dim, Morton};
use rayon::prelude::*;

use super::affinities::Affinities;
use super::pca::Components;
use crate::error::{Error, ErrorKind, Result};
use crate::progress::{Progress, ProgressUnit};
use crate::rng::SplitMix64;

/// A cell of the tree counts as one point where half its side is less than that part of its distance:
/// of the whole side, as most count it, that is 0.5.
const THETA: f32 = 0.25;
/// How much nearer neighbours seem in the first steps, so that clusters find together.
const EXAGGERATION: f32 = 12.0;
/// How many steps that are.
const EXAGGERATED: usize = 250;
/// The standard deviation of the initial layout's first coordinate.
const SPREAD: f64 = 1e-4;
/// By what part of that the seed moves each point.
const JITTER: f64 = 1e-3;

type Tree = BarnesHutTree<f32, <Dim<2> as Morton<2>>::Word, 2>;

/// The first two principal components, scaled down so that forces decide where points go and not
/// where they stood, each moved by at most a thousandth of the spread as `seed` says: the map shows
/// one of several that are as good, and another seed shows another.
///
/// # Errors
/// If all points are the same.
pub fn layout(components: &Components, seed: u64) -> Result<Vec<f32>> {
    let dims = components.dims;
    let count = components.values.len() / dims.max(1);
    let first = components.values.iter().step_by(dims.max(1));
    let variance = first.map(|x| f64::from(*x).powi(2)).sum::<f64>() / count.max(1) as f64;
    if variance <= 0.0 {
        return Err(Error::new(
            ErrorKind::Network,
            "the layer says the same of every image: there is nothing to map",
        ));
    }
    let stream = SplitMix64::new(seed);
    let luck = |at: usize| (stream.at(at as u64 + 1) as i64 as f64) / 2f64.powi(63);
    let scale = SPREAD / variance.sqrt();
    let mut layout = Vec::with_capacity(count * 2);
    for point in 0..count {
        for axis in 0..2 {
            let at = match axis < dims {
                true => f64::from(components.values[point * dims + axis]) * scale,
                false => 0.0,
            };
            layout.push((at + luck(2 * point + axis) * SPREAD * JITTER) as f32);
        }
    }
    Ok(layout)
}

/// Moves the points of `layout`, `[n, 2]`, down the gradient of KL(P ‖ Q) for `epochs` steps; of these
/// 250 (half of them where they are fewer than 500) with exaggerated nearness. The map's mean is 0.
///
/// # Errors
/// If `layout` is not of as many points as `p`.
pub fn descend(
    p: &Affinities,
    layout: &[f32],
    epochs: usize,
    progress: &dyn Progress,
) -> Result<Vec<f32>> {
    let count = p.len();
    if layout.len() != 2 * count {
        let message = format!("{} numbers can't lay out {count} points", layout.len());
        return Err(Error::new(ErrorKind::Network, message));
    }
    // Belkina et al. 2019: steps that grow with the set. Sixty points still find their places with 5;
    // with 50, scikit-learn's least, they end 10 % worse.
    let rate = (count as f32 / EXAGGERATION / 4.0).max(5.0);
    let exaggerated = EXAGGERATED.min(epochs / 2);
    let rows: Vec<Vec<(u32, f32)>> = (0..count)
        .map(|point| {
            let row = p.row(point).iter();
            row.map(|&(other, p)| (other as u32, p as f32)).collect()
        })
        .collect();
    let mut map = layout.to_vec();
    let mut tree = Tree::empty();
    let mut forces = vec![Force::default(); count];
    let mut paces = vec![Pace::default(); 2 * count];
    for epoch in 0..epochs {
        if epoch == exaggerated {
            // What was learnt of the exaggerated slope says nothing about the true one.
            paces.fill(Pace::default());
        }
        let (exaggeration, momentum) = match epoch < exaggerated {
            true => (EXAGGERATION, 0.5),
            false => (1.0, 0.8),
        };
        tree.rebuild_uniform(&map);
        forces
            .par_iter_mut()
            .enumerate()
            .for_each(|(point, force)| {
                *force = Force::at(point, &map, &rows[point], &tree);
            });
        let all: f64 = forces.iter().map(|force| f64::from(force.nearness)).sum();
        let part = (1.0 / all) as f32;
        for ((place, pace), at) in map.iter_mut().zip(&mut paces).zip(0..) {
            let (force, axis): (&Force, usize) = (&forces[at / 2], at % 2);
            let slope = 4.0 * (exaggeration * force.towards[axis] - part * force.away[axis]);
            *place += pace.step(slope, momentum, rate);
        }
        progress.advance(epoch as u64 + 1, Some(epochs as u64), ProgressUnit::Items);
    }
    for axis in 0..2 {
        let along = map.iter().skip(axis).step_by(2);
        let mean = along.map(|x| f64::from(*x)).sum::<f64>() / count.max(1) as f64;
        let along = map.iter_mut().skip(axis).step_by(2);
        along.for_each(|x| *x = (f64::from(*x) - mean) as f32);
    }
    Ok(map)
}

/// What pulls and pushes one point.
#[derive(Debug, Clone, Copy, Default)]
struct Force {
    towards: [f32; 2],
    away: [f32; 2],
    /// Its share of Q's divisor.
    nearness: f32,
}

impl Force {
    fn at(point: usize, map: &[f32], row: &[(u32, f32)], tree: &Tree) -> Force {
        let mut force = Force::default();
        let (places, _) = map.as_chunks::<2>();
        let [x, y] = places[point];
        for &(other, p) in row {
            let [u, v] = places[other as usize];
            let apart = [x - u, y - v];
            let weight = p / (1.0 + apart[0] * apart[0] + apart[1] * apart[1]);
            force.towards[0] += weight * apart[0];
            force.towards[1] += weight * apart[1];
        }
        let mut stack = <Dim<2> as Morton<2>>::empty_stack();
        tree.compute_non_edge_forces(
            point,
            THETA * THETA,
            map,
            &mut force.away,
            &mut force.nearness,
            stack.as_mut(),
        );
        force
    }
}

/// How fast one coordinate moves, and how much of the step it takes (Jacobs 1988).
#[derive(Debug, Clone, Copy)]
struct Pace {
    speed: f32,
    gain: f32,
}

impl Default for Pace {
    fn default() -> Self {
        Pace {
            speed: 0.0,
            gain: 1.0,
        }
    }
}

impl Pace {
    fn step(&mut self, slope: f32, momentum: f32, rate: f32) -> f32 {
        // Going on downhill: a larger part of the step. Overshot: a smaller one.
        self.gain = match self.speed * slope < 0.0 {
            true => self.gain + 0.2,
            false => (self.gain * 0.8).max(0.01),
        };
        self.speed = momentum * self.speed - rate * self.gain * slope;
        self.speed
    }
}
