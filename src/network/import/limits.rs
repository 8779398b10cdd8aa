//! What a network from a file may need to be computed, by the size of the file: a small file must not fill the memory, or take
//! minutes, when it is read. The limits are far above what networks of that many parameters need.

use crate::error::{Error, ErrorKind, Result};
use crate::network::arg::NodeId;
use crate::network::graph::Graph;
use crate::network::op::Op;
use crate::network::op::shape::Shape;

/// The most nodes that a network may have.
const MAX_NODES: usize = 50_000;

/// The most values that a node may have for one image.
const MAX_VALUES: i64 = 1 << 28;

/// The limits of one file, and how much of them is used.
#[derive(Debug, Clone)]
pub(super) struct Limits {
    /// Values of a node for one image.
    node: i64,
    /// Values of all constants that are computed when the file is read.
    constants: i64,
    /// Values that are read and written, of all nodes for one image and all constants.
    work: i64,
    /// Multiply-adds, of all nodes for one image and all constants.
    multiply_adds: i64,
    /// Values for one image that are needed at the same time.
    live: i64,
}

impl Limits {
    /// The limits of a file of `bytes` bytes.
    pub(super) fn of_file(bytes: u64) -> Limits {
        // As many parameters as it may have, with two bytes for each.
        let stored = i64::try_from(bytes / 2).unwrap_or(i64::MAX);
        let limit = |base: i64, each: i64| base.saturating_add(stored.saturating_mul(each));
        Limits {
            node: limit(1 << 26, 16).min(MAX_VALUES),
            constants: limit(1 << 25, 16),
            work: limit(1 << 32, 256),
            multiply_adds: limit(1 << 36, 1 << 14),
            live: limit(1 << 28, 64),
        }
    }

    /// Counts the value of `op` of this shape, before it is computed or added to a graph of `nodes` nodes.
    ///
    /// # Errors
    /// If it is more than a file of this size may need.
    pub(super) fn add(
        &mut self,
        op: &Op,
        inputs: &[&Shape],
        value: &Shape,
        is_constant: bool,
        nodes: usize,
    ) -> Result<()> {
        let count = value.count()?;
        if nodes >= MAX_NODES {
            return Err(too_large(format!("it has more than {MAX_NODES} nodes")));
        }
        if count > self.node {
            let message = format!("a value of shape {value} is too large for a file of this size");
            return Err(too_large(message));
        }
        if is_constant {
            spend(
                &mut self.constants,
                count,
                "the constants that it computes have too many values",
            )?;
        }
        let mut work = count;
        for input in inputs {
            work = work.saturating_add(input.count()?);
        }
        spend(&mut self.work, work, "its values are too many")?;
        let multiply_adds = op.operator().multiply_adds(inputs, value);
        spend(
            &mut self.multiply_adds,
            multiply_adds,
            "it needs too many multiply-adds",
        )
    }

    /// Checks how many values a graph with values of these shapes needs at the same time.
    ///
    /// # Errors
    /// If they are more than a file of this size may need.
    pub(super) fn check_live(&self, graph: &Graph, shapes: &[Shape], output: NodeId) -> Result<()> {
        let nodes = graph.nodes();
        let mut uses = vec![0usize; nodes.len()];
        let mut needed = vec![false; nodes.len()];
        needed[output] = true;
        for id in (0..=output).rev() {
            if needed[id] {
                for &input in &nodes[id].inputs {
                    needed[input] = true;
                    uses[input] += 1;
                }
            }
        }
        let mut live = 0i64;
        for id in (0..=output).filter(|&id| needed[id]) {
            live = live.saturating_add(shapes[id].count()?);
            if live > self.live {
                let message = "its values at one time are too many for a file of this size";
                return Err(too_large(message));
            }
            for &input in &nodes[id].inputs {
                uses[input] -= 1;
                if uses[input] == 0 {
                    live -= shapes[input].count()?;
                }
            }
        }
        Ok(())
    }
}

/// Takes `amount` off a limit.
fn spend(left: &mut i64, amount: i64, what: &str) -> Result<()> {
    *left = left.saturating_sub(amount.max(0));
    if *left < 0 {
        return Err(too_large(format!("{what} for a file of this size")));
    }
    Ok(())
}

fn too_large(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Weights, message.into())
}
