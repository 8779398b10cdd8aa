//! The nearest neighbours of every point, in arrays: exact, or by a search whose cost grows about linearly.
//!
//! The search begins with the points that share a leaf with a point in some trees of a forest of random projections
//! (`projection_forest.rs`), and then looks among the neighbours of the neighbours (as NN-descent, Dong, Moses & Li 2011,
//! <https://doi.org/10.1145/1963405.1963487>, but every point reads the graph of the last round, so that the result does not
//! depend on the order of work). The crates for it (`hnsw_rs`, `instant-distance`) insert points in parallel, and
//! their graphs depend on the threads' timing.

use std::cmp::Ordering;

use rayon::prelude::*;

use super::EXACT_POINTS;
use super::projection_forest::{PaddedPoints, ProjectionForest};
use crate::compare::{PointSet, nearest_neighbours};

/// The number of trees.
const TREES: usize = 6;
/// Rounds of looking among the neighbours of the neighbours.
const ROUNDS: usize = 2;
/// The least width of the graph during the search: a narrow graph leads to few points.
const MIN_WIDTH: usize = 40;
/// How many of a neighbour's own neighbours are looked at.
const EXPANDED: usize = 40;
/// The bit that marks a neighbour which the last round found.
const NEW: u32 = 1 << 31;
/// Points that one thread takes at a time, so that few tables of marks are made.
const CHUNK: usize = 512;

/// For every point the same number of neighbours, nearest first.
#[derive(Debug, Clone)]
pub struct NeighbourGraph {
    /// How many points there are.
    count: usize,
    /// How many neighbours each point has.
    width: usize,
    /// `[n, width]`.
    neighbours: Vec<u32>,
    /// `[n, width]`.
    squared_distances: Vec<f64>,
}

impl NeighbourGraph {
    /// The `width` nearest neighbours of every point, or all others if there are fewer: exact up to [`EXACT_POINTS`] points.
    pub fn new(points: &PointSet, width: usize) -> NeighbourGraph {
        if points.len() <= EXACT_POINTS {
            NeighbourGraph::exact(points, width)
        } else {
            NeighbourGraph::approximate(points, width)
        }
    }

    /// The exact neighbours: of two at the same distance, the lower index first.
    pub fn exact(points: &PointSet, width: usize) -> NeighbourGraph {
        let count = points.len();
        let mut graph = NeighbourGraph {
            count,
            width: width.min(count.saturating_sub(1)),
            neighbours: Vec::new(),
            squared_distances: Vec::new(),
        };
        for neighbour in nearest_neighbours(points, width).into_iter().flatten() {
            graph.neighbours.push(neighbour.point as u32);
            graph.squared_distances.push(neighbour.squared_distance);
        }
        graph
    }

    /// Most of the `width` nearest neighbours, and in place of those that the search misses, the next ones: of 90 neighbours
    /// among 50 000 codes of 50 components it found more than 99 %. Distances are in single precision.
    pub fn approximate(points: &PointSet, width: usize) -> NeighbourGraph {
        let count = points.len();
        let most = count.saturating_sub(1);
        let kept = width.min(most);
        let searched = width.max(MIN_WIDTH).min(most);
        if kept == 0 {
            return NeighbourGraph::exact(points, 0);
        }
        // Numbered so that points near each other are near each other in memory.
        let points = PaddedPoints::new(points);
        let order = ProjectionForest::new(&points, searched + 1, 1).into_order();
        let points = points.reordered(&order);
        let mut graph = from_forest(&points, searched);
        for _ in 0..ROUNDS {
            graph = from_neighbours(&points, searched, &graph);
        }
        // Row by row in the points' own numbers.
        let mut rows = vec![0; count];
        order
            .iter()
            .enumerate()
            .for_each(|(row, point)| rows[*point as usize] = row);
        let entries = || {
            rows.iter()
                .flat_map(|row| &graph[row * searched..row * searched + kept])
        };
        NeighbourGraph {
            count,
            width: kept,
            neighbours: entries()
                .map(|(_, other)| order[(other & !NEW) as usize])
                .collect(),
            squared_distances: entries()
                .map(|(distance, _)| f64::from(*distance))
                .collect(),
        }
    }

    /// The number of points.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are no points.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The number of neighbours of each point.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The neighbours of a point, nearest first.
    ///
    /// # Panics
    /// If there is no such point.
    pub fn neighbours(&self, point: usize) -> &[u32] {
        &self.neighbours[point * self.width..(point + 1) * self.width]
    }

    /// The squared Euclidean distances of a point's neighbours.
    ///
    /// # Panics
    /// If there is no such point.
    pub fn squared_distances(&self, point: usize) -> &[f64] {
        &self.squared_distances[point * self.width..(point + 1) * self.width]
    }
}

/// The graph among the points that share a leaf; all neighbours are new.
fn from_forest(points: &PaddedPoints, width: usize) -> Vec<(f32, u32)> {
    let forest = ProjectionForest::new(points, width + 1, TREES);
    search(points, width, |point, candidates| {
        for tree in 0..TREES {
            for other in forest.leaf(tree, point) {
                candidates.add(*other, NEW);
            }
        }
    })
}

/// The graph among the neighbours of the neighbours in `graph`, without the pairs that an earlier round has seen: those of
/// two neighbours that are not new.
fn from_neighbours(points: &PaddedPoints, width: usize, graph: &[(f32, u32)]) -> Vec<(f32, u32)> {
    let row = |point: u32| {
        let start = (point & !NEW) as usize * width;
        &graph[start..start + width]
    };
    search(points, width, |point, candidates| {
        for &(distance, neighbour) in row(point) {
            candidates.keep(distance, neighbour & !NEW);
        }
        for &(_, neighbour) in row(point) {
            for &(_, other) in &row(neighbour)[..EXPANDED.min(width)] {
                if (neighbour | other) & NEW != 0 {
                    candidates.add(other & !NEW, NEW);
                }
            }
        }
    })
}

/// For every point the `width` nearest of the candidates that `propose` adds, as squared distance and point, `[n, width]`.
/// There must be as many.
fn search(
    points: &PaddedPoints,
    width: usize,
    propose: impl Fn(u32, &mut Candidates) + Sync,
) -> Vec<(f32, u32)> {
    let mut graph = vec![(f32::INFINITY, 0); points.len() * width];
    graph
        .par_chunks_mut(CHUNK * width)
        .enumerate()
        .for_each(|(chunk, rows)| {
            let mut candidates = Candidates::new(points, width);
            for (offset, row) in rows.chunks_exact_mut(width).enumerate() {
                let point = (chunk * CHUNK + offset) as u32;
                candidates.begin(point);
                propose(point, &mut candidates);
                candidates.finish(row);
            }
        });
    graph
}

/// The nearest of the points that have been proposed to one point.
struct Candidates<'a> {
    points: &'a PaddedPoints,
    width: usize,
    point: u32,
    /// The last point to which each point was proposed, plus 1.
    marks: Vec<u32>,
    found: Vec<(f32, u32)>,
    /// No nearer than this is of use.
    bound: f32,
}

impl<'a> Candidates<'a> {
    fn new(points: &'a PaddedPoints, width: usize) -> Self {
        Candidates {
            points,
            width,
            point: 0,
            marks: vec![0; points.len()],
            found: Vec::with_capacity(3 * width),
            bound: f32::INFINITY,
        }
    }

    fn begin(&mut self, point: u32) {
        self.point = point;
        self.marks[point as usize] = point + 1;
        self.found.clear();
        self.bound = f32::INFINITY;
    }

    /// Proposes a point, and says by `mark` whether it is new.
    fn add(&mut self, other: u32, mark: u32) {
        let last = &mut self.marks[other as usize];
        if *last == self.point + 1 {
            return;
        }
        *last = self.point + 1;
        let distance = self.points.squared_distance(self.point, other);
        if distance <= self.bound {
            self.found.push((distance, other | mark));
            if self.found.len() == 3 * self.width {
                self.keep_nearest();
            }
        }
    }

    /// Adds a neighbour of the last round.
    fn keep(&mut self, distance: f32, other: u32) {
        self.marks[other as usize] = self.point + 1;
        self.found.push((distance, other));
        if self.found.len() == self.width {
            // The last round sorted them.
            self.bound = distance;
        }
    }

    fn keep_nearest(&mut self) {
        if self.found.len() > self.width {
            self.found.select_nth_unstable_by(self.width - 1, nearer);
            self.found.truncate(self.width);
            self.bound = self.found[self.width - 1].0;
        }
    }

    fn finish(&mut self, row: &mut [(f32, u32)]) {
        self.keep_nearest();
        self.found.sort_unstable_by(nearer);
        for (to, found) in row.iter_mut().zip(&self.found) {
            *to = *found;
        }
    }
}

fn nearer(one: &(f32, u32), other: &(f32, u32)) -> Ordering {
    let order = one.0.total_cmp(&other.0);
    order.then((one.1 & !NEW).cmp(&(other.1 & !NEW)))
}
