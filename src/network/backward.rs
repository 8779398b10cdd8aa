//! The way back from a logit with a rule of one's own at every ReLU: plain, guided (Springenberg et
//! al. 2014, <https://arxiv.org/abs/1412.6806>) or deconvnet (Zeiler & Fergus 2013,
//! <https://arxiv.org/abs/1311.2901>).
//!
//! libtorch's gradient has no such rule, and tch no custom function to give it one. So the forward pass
//! is cut at every ReLU: what comes out of one is the start of a new stretch, and the way back goes
//! stretch by stretch, with the rule applied in between. Max pooling goes back by its own switches.

use tch::{Kind, Tensor};

use super::forward::Network;
use super::graph::{NodeId, Op};
use super::node_values::NodeValues;
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
        self.graph()
            .nodes()
            .iter()
            .any(|n| ceiling(&n.op).is_some())
    }

    /// Whether its ReLUs end somewhere (ReLU6), which the papers' rules know nothing of.
    pub fn has_relu6(&self) -> bool {
        self.graph().nodes().iter().any(|n| n.op == Op::Relu6)
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
        self.tape(input, &[node])?.back(node, weights, rule)
    }

    /// A forward pass of `input`, `[N, 3, H, W]`, from whose `nodes` one can go back, many times.
    ///
    /// # Errors
    /// If libtorch refuses.
    pub fn tape(&self, input: &Tensor, nodes: &[NodeId]) -> Result<Tape<'_>> {
        tch::with_grad(|| self.cut_at_relus(input, nodes))
    }

    fn cut_at_relus(&self, input: &Tensor, nodes: &[NodeId]) -> Result<Tape<'_>> {
        let graph = self.graph();
        let start = input.f_detach()?.set_requires_grad(true);
        let mut feeds_relu = vec![false; graph.nodes().len()];
        for node in graph.nodes() {
            if let (Some(_), Some(&input)) = (ceiling(&node.op), node.inputs.first()) {
                feeds_relu[input] = true;
            }
        }
        let given = NodeValues::from([(graph.input(), start.shallow_clone())]);
        let mut before_relu = NodeValues::new();
        if feeds_relu[graph.input()] {
            before_relu.insert(graph.input(), start.shallow_clone());
        }
        let mut begins = NodeValues::from([(graph.input(), start)]);
        let values = self.walk(&given, nodes, &mut |id, value| {
            let value = match ceiling(&graph.node(id).op) {
                Some(_) => {
                    let begin = value.f_detach()?.set_requires_grad(true);
                    begins.insert(id, begin.shallow_clone());
                    begin
                }
                None => value,
            };
            if feeds_relu[id] {
                before_relu.insert(id, value.shallow_clone());
            }
            Ok(value)
        })?;
        Ok(Tape {
            network: self,
            begins,
            before_relu,
            values,
        })
    }
}

/// Where a ReLU ends: `None` if the operation is none, `Some(None)` for one without an end.
fn ceiling(op: &Op) -> Option<Option<f64>> {
    match op {
        Op::Relu => Some(None),
        Op::Relu6 => Some(Some(6.0)),
        _ => None,
    }
}

/// A forward pass, cut at its ReLUs.
#[derive(Debug)]
pub struct Tape<'a> {
    network: &'a Network,
    /// What every stretch begins with: the input, and what came out of each ReLU.
    begins: NodeValues,
    /// What every ReLU was given, by the node that gave it.
    before_relu: NodeValues,
    values: NodeValues,
}

impl Tape<'_> {
    /// The value of one of the nodes that the tape was made for, without its past.
    ///
    /// # Errors
    /// If it was made for others.
    pub fn value(&self, node: NodeId) -> Result<Tensor> {
        let value = self.values.get(&node).ok_or_else(|| self.missing(node))?;
        Ok(value.f_detach()?)
    }

    /// The sum of `weights · value` at `node`, one of the tape's, taken back to the input by `rule`, in
    /// the input's shape. Asked at a ReLU itself, [`Rule::Guided`] takes that one as it is: the
    /// question stands behind it.
    ///
    /// # Errors
    /// If the tape was made for others, or libtorch refuses.
    pub fn back(&self, node: NodeId, weights: &Tensor, rule: Rule) -> Result<Tensor> {
        tch::with_grad(|| self.stretch_by_stretch(node, weights, rule))
    }

    fn stretch_by_stretch(&self, node: NodeId, weights: &Tensor, rule: Rule) -> Result<Tensor> {
        let graph = self.network.graph();
        let asked = self.values.get(&node).ok_or_else(|| self.missing(node))?;
        let mut arrived = NodeValues::new();
        self.go_back(asked, weights, node, &mut arrived)?;
        // A stretch's end is a ReLU; all that come later have been through by then.
        for id in (0..=node).rev() {
            let Some(ceiling) = ceiling(&graph.node(id).op) else {
                continue;
            };
            let Some(incoming) = arrived.remove(&id) else {
                continue;
            };
            let rule = match rule {
                Rule::Guided if id == node => Rule::Plain,
                rule => rule,
            };
            let before = graph.node(id).inputs[0];
            let x = self.before_relu.get(&before);
            let x = x.ok_or_else(|| self.missing(before))?;
            let outgoing = rule.apply(&incoming, &x.f_detach()?, ceiling)?;
            self.go_back(x, &outgoing, before, &mut arrived)?;
        }
        let input = graph.input();
        match (arrived.remove(&input), self.begins.get(&input)) {
            (Some(found), _) => Ok(found),
            (None, Some(start)) => Ok(start.f_detach()?.f_zeros_like()?),
            (None, None) => Err(self.missing(input)),
        }
    }

    fn missing(&self, id: NodeId) -> Error {
        let message = format!("`{}` was not computed", self.network.graph().node(id).name);
        Error::new(ErrorKind::Network, message)
    }

    /// Takes `weights` at `value` (of `node`) back to where its stretch begins, and adds it up there.
    fn go_back(
        &self,
        value: &Tensor,
        weights: &Tensor,
        node: NodeId,
        arrived: &mut NodeValues,
    ) -> Result<()> {
        let mut reached = Vec::new();
        let mut open = vec![node];
        while let Some(id) = open.pop() {
            match self.begins.get(&id) {
                Some(begin) => reached.push((id, begin)),
                None => open.extend(&self.network.graph().node(id).inputs),
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
