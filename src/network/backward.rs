//! The way back from a logit with a rule of one's own at every ReLU: plain, guided (Springenberg et
//! al. 2014, <https://arxiv.org/abs/1412.6806>) or deconvnet (Zeiler & Fergus 2013,
//! <https://arxiv.org/abs/1311.2901>).
//!
//! libtorch's gradient has no such rule, and tch no custom function to give it one. So the forward pass
//! is cut at every ReLU: what comes out of one is the start of a new stretch, and the way back goes
//! stretch by stretch, with the rule applied in between. Max pooling goes back by its own switches.

use std::collections::BTreeMap;

use tch::{Kind, Tensor};

use super::exec::{Kept, Network};
use super::graph::{NodeId, Op};
use crate::error::{Error, ErrorKind, Result};

/// What a ReLU lets through on the way back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The gradient: what comes in where the ReLU was open.
    Plain,
    /// What is positive where the ReLU was open.
    Guided,
    /// What is positive, wherever the ReLU was open: the deconvnet's own ReLU.
    Deconvnet,
}

impl Rule {
    /// `incoming` as it leaves a ReLU (one that ends at `ceiling`, if any) whose input was `x`.
    fn apply(self, incoming: &Tensor, x: &Tensor, ceiling: Option<f64>) -> Result<Tensor> {
        let positive = match self {
            Rule::Plain => incoming.shallow_clone(),
            Rule::Guided | Rule::Deconvnet => incoming.f_relu()?,
        };
        if self == Rule::Deconvnet {
            return Ok(positive);
        }
        let mut open = x.f_gt(0.0)?;
        if let Some(ceiling) = ceiling {
            open = open.f_logical_and(&x.f_lt(ceiling)?)?;
        }
        Ok(positive.f_mul(&open)?)
    }
}

impl Network {
    /// Whether the network has a ReLU at all: without one there is nothing for a rule to change.
    pub fn has_relu(&self) -> bool {
        let relu = |op: &Op| matches!(op, Op::Relu | Op::Relu6);
        self.graph().nodes().iter().any(|node| relu(&node.op))
    }

    /// The sum of `weights · value` at `node`, taken back to the input `[N, 3, H, W]` by `rule`;
    /// `weights` has the shape of the node's value and says what is asked of it (a class's logit, one
    /// place of one channel).
    ///
    /// # Errors
    /// If libtorch refuses.
    pub fn backward(
        &self,
        input: &Tensor,
        node: NodeId,
        weights: &Tensor,
        rule: Rule,
    ) -> Result<Tensor> {
        tch::with_grad(|| self.stretch_by_stretch(input, node, weights, rule))
    }

    fn stretch_by_stretch(
        &self,
        input: &Tensor,
        node: NodeId,
        weights: &Tensor,
        rule: Rule,
    ) -> Result<Tensor> {
        let graph = self.graph();
        let ceiling = |id: NodeId| match graph.node(id).op {
            Op::Relu => Some(None),
            Op::Relu6 => Some(Some(6.0)),
            _ => None,
        };
        let start = input.f_detach()?.set_requires_grad(true);
        // What every stretch begins with, and what every ReLU was given.
        let mut begins = Kept::from([(graph.input(), start.shallow_clone())]);
        let mut given = Kept::new();
        let feeds_relu: BTreeMap<NodeId, ()> = (0..=node)
            .filter(|&id| ceiling(id).is_some())
            .map(|id| (graph.node(id).inputs[0], ()))
            .collect();
        let kept = self.walk(
            &Kept::from([(graph.input(), start.shallow_clone())]),
            &[node],
            &mut |id, value| {
                let value = match ceiling(id) {
                    // Asked at a ReLU itself, that one is open: the question stands behind it.
                    Some(_) if id != node => {
                        let begin = value.f_detach()?.set_requires_grad(true);
                        begins.insert(id, begin.shallow_clone());
                        begin
                    }
                    _ => value,
                };
                if feeds_relu.contains_key(&id) {
                    given.insert(id, value.shallow_clone());
                }
                Ok(value)
            },
        )?;
        let missing = |id: NodeId| {
            let message = format!("`{}` was not computed", graph.node(id).name);
            Error::new(ErrorKind::Network, message)
        };
        let asked = kept.get(&node).ok_or_else(|| missing(node))?;
        let mut arrived = Kept::new();
        self.go_back(asked, weights, node, &begins, &mut arrived)?;
        // A stretch's end is a ReLU; all that come later have been through by then.
        for id in (0..node).rev() {
            let Some(ceiling) = ceiling(id) else { continue };
            let Some(incoming) = arrived.remove(&id) else {
                continue;
            };
            let before = graph.node(id).inputs[0];
            let x = given.get(&before).ok_or_else(|| missing(before))?;
            let outgoing = rule.apply(&incoming, &x.f_detach()?, ceiling)?;
            self.go_back(x, &outgoing, before, &begins, &mut arrived)?;
        }
        match arrived.remove(&graph.input()) {
            Some(found) => Ok(found),
            None => Ok(input.f_zeros_like()?),
        }
    }

    /// Takes `weights` at `value` (of `node`) back to where its stretch begins, and adds it up there.
    fn go_back(
        &self,
        value: &Tensor,
        weights: &Tensor,
        node: NodeId,
        begins: &Kept,
        arrived: &mut Kept,
    ) -> Result<()> {
        let mut reached = Vec::new();
        let mut open = vec![node];
        while let Some(id) = open.pop() {
            match begins.get(&id) {
                Some(begin) => reached.push((id, begin)),
                None => open.extend(&self.graph().node(id).inputs),
            }
        }
        reached.sort_by_key(|(id, _)| *id);
        reached.dedup_by_key(|(id, _)| *id);
        let mut add = |id: NodeId, found: Tensor| -> Result<()> {
            let sum = match arrived.remove(&id) {
                Some(before) => before.f_add(&found)?,
                None => found,
            };
            arrived.insert(id, sum);
            Ok(())
        };
        if let [(id, _)] = reached[..]
            && id == node
        {
            // Two ReLUs in a row, or a question about the input: a stretch of no length.
            return add(id, weights.shallow_clone());
        }
        let objective = value.f_mul(weights)?.f_sum(Kind::Float)?;
        let starts: Vec<&Tensor> = reached.iter().map(|(_, begin)| *begin).collect();
        let found = Tensor::f_run_backward(&[&objective], &starts, true, false)?;
        for ((id, _), found) in reached.iter().zip(found) {
            if found.defined() {
                add(*id, found)?;
            }
        }
        Ok(())
    }
}
