//! Repulsion by Barnes–Hut (van der Maaten 2014, <https://www.jmlr.org/papers/v15/vandermaaten14a.html>): far points count as
//! one, with the tree of the `bhtsne` crate.

use barnes_hut_tree::{BarnesHutTree, Dim, Morton};

use super::repulsion::{PointRepulsion, Repulsion};
use crate::error::Result;

/// A cell of the tree counts as one point if half its side is below this part of its distance; of the whole side, by
/// which most implementations define θ, that is 0.5.
const THETA: f32 = 0.25;

type Tree = BarnesHutTree<f32, <Dim<2> as Morton<2>>::Word, 2>;

/// The tree of a map's points.
pub(super) struct BarnesHut(Tree);

impl BarnesHut {
    pub fn new() -> Self {
        BarnesHut(Tree::empty())
    }
}

impl Repulsion for BarnesHut {
    fn update(&mut self, map: &[f32]) -> Result<()> {
        self.0.rebuild_uniform(map);
        Ok(())
    }

    fn of_point(&self, point: usize, map: &[f32]) -> PointRepulsion {
        let mut repulsion = PointRepulsion::default();
        let mut stack = <Dim<2> as Morton<2>>::empty_stack();
        self.0.compute_non_edge_forces(
            point,
            THETA * THETA,
            map,
            &mut repulsion.force,
            &mut repulsion.similarity_sum,
            stack.as_mut(),
        );
        repulsion
    }
}
