//! A forest of random projection trees (Dasgupta & Freund 2008, <https://doi.org/10.1145/1374376.1374452>): each node halves its
//! points along the line between two of them, so that the points of a leaf are near each other in most trees.

use rayon::prelude::*;

use crate::compare::PointSet;
use crate::rng::{SplitMix64, fnv1a, mix64};

/// Coordinates of a point are padded with zeros to a multiple of this, which the compiler turns into vector instructions.
const LANES: usize = 8;

/// Points whose distances are computed in single precision.
pub(super) struct PaddedPoints {
    count: usize,
    dims: usize,
    values: Vec<[f32; LANES]>,
}

impl PaddedPoints {
    pub fn new(points: &PointSet) -> Self {
        let dims = points.dims().div_ceil(LANES);
        let mut values = vec![[0.0; LANES]; dims * points.len()];
        for point in 0..points.len() {
            let row = values[point * dims..(point + 1) * dims].as_flattened_mut();
            row[..points.dims()].copy_from_slice(points.row(point));
        }
        PaddedPoints {
            count: points.len(),
            dims,
            values,
        }
    }

    /// The same points, numbered as in `order`.
    pub fn reordered(&self, order: &[u32]) -> Self {
        PaddedPoints {
            count: self.count,
            dims: self.dims,
            values: order
                .iter()
                .flat_map(|point| self.row(*point))
                .copied()
                .collect(),
        }
    }

    pub fn len(&self) -> usize {
        self.count
    }

    fn row(&self, point: u32) -> &[[f32; LANES]] {
        let start = point as usize * self.dims;
        &self.values[start..start + self.dims]
    }

    pub fn squared_distance(&self, one: u32, other: u32) -> f32 {
        let mut sums = [0.0; LANES];
        for (a, b) in self.row(one).iter().zip(self.row(other)) {
            for lane in 0..LANES {
                let difference = a[lane] - b[lane];
                sums[lane] += difference * difference;
            }
        }
        sums.iter().sum()
    }

    fn dot(&self, point: u32, direction: &[[f32; LANES]]) -> f32 {
        let mut sums = [0.0; LANES];
        for (a, b) in self.row(point).iter().zip(direction) {
            for lane in 0..LANES {
                sums[lane] += a[lane] * b[lane];
            }
        }
        sums.iter().sum()
    }
}

/// Some trees over the same points.
pub(super) struct ProjectionForest {
    trees: Vec<Tree>,
}

/// The leaves of a tree.
struct Tree {
    /// The points, leaf by leaf.
    order: Vec<u32>,
    /// For each point the range of its leaf in `order`.
    leaves: Vec<[u32; 2]>,
}

impl ProjectionForest {
    /// Trees whose leaves have at least `leaf` points, and fewer than twice as many, if there are as many points.
    pub fn new(points: &PaddedPoints, leaf: usize, trees: usize) -> Self {
        let seed = fnv1a("trees of random projections");
        let trees = (0..trees as u64).into_par_iter();
        let trees = trees.map(|tree| Tree::new(points, leaf.max(1), mix64(seed ^ tree)));
        ProjectionForest {
            trees: trees.collect(),
        }
    }

    /// The points in the order of the leaves of the first tree.
    pub fn into_order(self) -> Vec<u32> {
        let first = self.trees.into_iter().next();
        first.map(|tree| tree.order).unwrap_or_default()
    }

    /// The points of the leaf of `point` in a tree.
    pub fn leaf(&self, tree: usize, point: u32) -> &[u32] {
        let tree = &self.trees[tree];
        let [from, to] = tree.leaves[point as usize];
        &tree.order[from as usize..to as usize]
    }
}

impl Tree {
    fn new(points: &PaddedPoints, leaf: usize, seed: u64) -> Tree {
        let count = points.len();
        let mut order: Vec<(f32, u32)> = (0..count as u32).map(|point| (0.0, point)).collect();
        let mut leaves = vec![[0; 2]; count];
        let random = SplitMix64::new(seed);
        let mut drawn = 0;
        let mut direction = vec![[0.0; LANES]; points.dims];
        let mut open: Vec<_> = std::iter::once(0..count).collect();
        while let Some(range) = open.pop() {
            let part = &mut order[range.clone()];
            if part.len() < 2 * leaf {
                for (_, point) in part {
                    leaves[*point as usize] = [range.start as u32, range.end as u32];
                }
                continue;
            }
            drawn += 2;
            let pick = |draw| part[(random.at(draw) % part.len() as u64) as usize].1;
            let (one, other) = (points.row(pick(drawn - 1)), points.row(pick(drawn)));
            for ((to, a), b) in direction.iter_mut().zip(one).zip(other) {
                *to = std::array::from_fn(|lane| a[lane] - b[lane]);
            }
            for (along, point) in part.iter_mut() {
                *along = points.dot(*point, &direction);
            }
            let middle = part.len() / 2;
            part.select_nth_unstable_by(middle, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            open.push(range.start..range.start + middle);
            open.push(range.start + middle..range.end);
        }
        Tree {
            order: order.into_iter().map(|(_, point)| point).collect(),
            leaves,
        }
    }
}
