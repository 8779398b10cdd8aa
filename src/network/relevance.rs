//! Layer-wise relevance propagation, LRP (Bach et al. 2015, <https://doi.org/10.1371/journal.pone.0130140>; Montavon et
//! al. 2019, <https://doi.org/10.1007/978-3-030-28954-6_10>): a logit propagated back to the pixels, each node
//! distributing its relevance over its inputs by how much they contributed to its value.
//!
//! A convolution, a linear layer, average pooling and the sum at the end of a residual block are sums of contributions
//! `x · w` and follow a [`RelevanceRule`]. Max pooling gives all relevance to the maximum; the gate of a
//! squeeze-and-excitation counts as a constant; elementwise functions (ReLU, SiLU) pass their relevance on unchanged.

use tch::{Kind, Tensor};

use super::forward::Network;
use super::graph::{Node, NodeId};
use super::node_values::NodeValues;
use super::op::{Op, Reduce, ReducedFigure};
use crate::error::{Error, ErrorKind, Result};

/// How a sum distributes its relevance over its contributions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RelevanceRule {
    /// In proportion to each contribution, with the sum kept away from 0 by this many root mean squares of the layer.
    Epsilon(f64),
    /// Contributions of the sum's own sign count `1 + gamma` times.
    Gamma(f64),
    /// Positive contributions get `alpha` times the relevance, negative ones `1 − alpha` times.
    AlphaBeta(f64),
}

/// The rule of each kind of node.
#[derive(Debug, Clone, PartialEq)]
pub struct RelevanceRules {
    /// The rule of convolutions and of the sums at the end of residual blocks.
    pub convolutions: RelevanceRule,
    /// The rule of linear layers and average pooling.
    pub linear: RelevanceRule,
    /// The lowest and the highest value of the input, by channel, for the rule zᴮ at the first convolution. `None`: the
    /// first convolution follows `convolutions`.
    pub input: Option<[Vec<f32>; 2]>,
    /// Whether biases count as contributions and absorb relevance. If not, the contributions of the inputs share all of
    /// it.
    pub biases: bool,
}

/// The relevance of a node's value from that value, in its shape.
pub type InitialRelevance<'a> = dyn Fn(&Tensor) -> Result<Tensor> + 'a;

/// The relevance of an input for a logit.
#[derive(Debug)]
pub struct Relevance {
    /// The relevance of every value of the input, in the input's shape.
    pub input: Tensor,
    /// The sum of what was distributed.
    pub total: f64,
}

/// The stabiliser of divisions by a sum where the rule has none of its own, in root mean squares of the sum.
const STABILISER: f64 = 1e-9;

impl Network {
    /// The relevance of `input`, `[1, C, H, W]`, where `start` gives the relevance of the value of `node` from that value, in
    /// its shape: for a class, its logit at its position and 0 elsewhere. For a network with batch norms, call it on the
    /// [folded](Self::folded) network.
    ///
    /// # Errors
    /// If libtorch fails.
    pub fn relevance(
        &self,
        input: &Tensor,
        (node, start): (NodeId, &InitialRelevance),
        rules: &RelevanceRules,
    ) -> Result<Relevance> {
        let graph = self.graph();
        let all: Vec<NodeId> = (0..graph.nodes().len()).collect();
        let input = input.f_detach()?;
        let values = tch::no_grad(|| self.forward(&input, &all))?;
        let start = start(values.value(node)?)?;
        let total = start.f_sum(Kind::Double)?.f_double_value(&[])?;
        let mut found = NodeValues::from([(node, start)]);
        let first = graph.convolutions().next();
        let batch = input.size()[0];
        for (id, node) in graph.nodes().iter().enumerate().skip(1).rev() {
            let Some(relevance) = found.remove(&id) else {
                continue;
            };
            let inputs: Vec<&Tensor> = node
                .inputs
                .iter()
                .map(|&input| values.value(input))
                .collect::<Result<_>>()?;
            let z = values.value(id)?;
            let parts = match &rules.input {
                Some(bounds) if first == Some(id) => {
                    vec![self.distribute_within_bounds(node, inputs[0], z, &relevance, bounds)?]
                }
                _ if matches!(node.op, Op::Mul(_)) => self.distribute_product(id, &relevance)?,
                _ => self.distribute(node, &inputs, z, &relevance, rules, batch)?,
            };
            for (&input, part) in node.inputs.iter().zip(parts) {
                found.accumulate(input, part)?;
            }
        }
        let input = match found.remove(&graph.input()) {
            Some(found) => found,
            None => input.f_zeros_like()?,
        };
        Ok(Relevance { input, total })
    }

    /// The relevance of the inputs of a product: all of it goes to the features, none to the gate. `x · sigmoid(x)` is an
    /// activation, which passes its relevance on.
    fn distribute_product(&self, id: NodeId, relevance: &Tensor) -> Result<Vec<Tensor>> {
        let graph = self.graph();
        let inputs = &graph.node(id).inputs;
        let features = match (graph.gated_product(id), &inputs[..]) {
            (Some((features, _)), _) => features,
            // Of an activation, the side that is not a function of the other.
            (None, _) => inputs.iter().copied().min().unwrap_or_default(),
        };
        let mut given = false;
        let mut parts = Vec::with_capacity(inputs.len());
        for &input in inputs {
            let own = input == features && !given;
            given |= own;
            parts.push(if own {
                relevance.shallow_clone()
            } else {
                relevance.f_zeros_like()?
            });
        }
        Ok(parts)
    }

    /// The relevance of each input `x` of `node`, whose value is `z`; the inputs that are left out get none.
    fn distribute(
        &self,
        node: &Node,
        x: &[&Tensor],
        z: &Tensor,
        relevance: &Tensor,
        rules: &RelevanceRules,
        batch: i64,
    ) -> Result<Vec<Tensor>> {
        Ok(match &node.op {
            Op::Input(_) => Vec::new(),
            Op::Relu(_) | Op::Clamp(_) | Op::Unary(_) | Op::Identity(_) => {
                vec![relevance.shallow_clone()]
            }
            // Values that are moved, and maxima that are chosen.
            Op::Flatten(_)
            | Op::Reshape(_)
            | Op::Permute(_)
            | Op::Unsqueeze(_)
            | Op::Squeeze(_)
            | Op::Slice(_)
            | Op::Select(_)
            | Op::Roll(_)
            | Op::Pad(_)
            | Op::MaxPool2d(_) => {
                vec![gradient(x[0], relevance, |x| {
                    self.apply(node, &[x], batch)
                })?]
            }
            Op::Cat(_) | Op::Stack(_) => self.distribute_joined(node, x, relevance, batch)?,
            Op::AdaptiveAvgPool2d(_)
            | Op::AvgPool2d(_)
            | Op::Reduce(Reduce {
                figure: ReducedFigure::Mean,
                ..
            }) => {
                let sum = |x: &Tensor, weights: Weights| match weights {
                    Weights::Negative => self.apply(node, &[&x.f_mul_scalar(0.0)?], batch),
                    Weights::All | Weights::Positive => self.apply(node, &[x], batch),
                };
                let rule = rules.linear;
                vec![rule.distribute_weighted(x[0], z, None, relevance, &sum)?]
            }
            Op::BatchNorm(_) => {
                // A batch norm that could not be folded computes `a · x + b` in every channel.
                let shift = self.apply(node, &[&x[0].f_zeros_like()?], batch)?;
                let own = z.f_sub(&shift)?;
                vec![relevance.f_mul(&own.f_div(&stabilise(z, STABILISER)?)?)?]
            }
            Op::Add(_) => rules
                .convolutions
                .distribute_added(x[0], x[1], z, relevance)?,
            Op::Conv2d(_) => {
                vec![self.distribute_layer(
                    node,
                    x[0],
                    z,
                    relevance,
                    rules.convolutions,
                    rules.biases,
                )?]
            }
            Op::Linear(_) => {
                vec![self.distribute_layer(node, x[0], z, relevance, rules.linear, rules.biases)?]
            }
            other => {
                let message = format!(
                    "`{}` is an operator `{}`, for which no relevance rule is defined",
                    node.name,
                    other.name()
                );
                return Err(Error::new(ErrorKind::Network, message));
            }
        })
    }

    /// The relevance of each of several values that are joined: that of its own part.
    fn distribute_joined(
        &self,
        node: &Node,
        x: &[&Tensor],
        relevance: &Tensor,
        batch: i64,
    ) -> Result<Vec<Tensor>> {
        let mut parts = Vec::with_capacity(x.len());
        for index in 0..x.len() {
            let with = |own: &Tensor| {
                let mut all = x.to_vec();
                all[index] = own;
                self.apply(node, &all, batch)
            };
            parts.push(gradient(x[index], relevance, with)?);
        }
        Ok(parts)
    }

    /// The weight and the bias of a convolution or a linear layer.
    ///
    /// # Errors
    /// If they are no parameters.
    fn layer_weights(&self, node: &Node) -> Result<(&Tensor, Option<&Tensor>)> {
        self.weight_and_bias(node).ok_or_else(|| {
            let message = format!("the weight of `{}` is no parameter", node.name);
            Error::new(ErrorKind::Network, message)
        })
    }

    /// The relevance of the input `x` of a convolution or a linear layer with the value `z`.
    fn distribute_layer(
        &self,
        node: &Node,
        x: &Tensor,
        z: &Tensor,
        relevance: &Tensor,
        rule: RelevanceRule,
        biases: bool,
    ) -> Result<Tensor> {
        let (weight, bias) = self.layer_weights(node)?;
        let sum = |x: &Tensor, weights: Weights| {
            let chosen = match weights {
                Weights::All => weight.shallow_clone(),
                Weights::Positive => weight.f_relu()?,
                Weights::Negative => weight.f_clamp_max(0.0)?,
            };
            self.apply_weight(node, x, &chosen, None)
        };
        if biases {
            return rule.distribute_weighted(x, z, bias, relevance, &sum);
        }
        let z = self.apply_weight(node, x, weight, None)?;
        rule.distribute_weighted(x, &z, None, relevance, &sum)
    }

    /// The rule zᴮ (Montavon et al. 2017, <https://doi.org/10.1016/j.patcog.2016.11.008>): the relevance of the input `x`
    /// of a convolution with the value `z`, where `x` is within `bounds`, by channel. Without the bias, as in the paper.
    fn distribute_within_bounds(
        &self,
        node: &Node,
        x: &Tensor,
        z: &Tensor,
        relevance: &Tensor,
        [low, high]: &[Vec<f32>; 2],
    ) -> Result<Tensor> {
        let (weight, _) = self.layer_weights(node)?;
        let plain_colour = |colour: &[f32]| -> Result<Tensor> {
            let colour = Tensor::from_slice(colour).f_view([1, -1, 1, 1])?;
            let colour = colour.f_to_device(x.device())?;
            Ok(x.f_zeros_like()?.f_add(&colour)?)
        };
        let parts = [
            (x.shallow_clone(), weight.shallow_clone(), 1.0),
            (plain_colour(low)?, weight.f_relu()?, -1.0),
            (plain_colour(high)?, weight.f_clamp_max(0.0)?, -1.0),
        ];
        let mut total = z.f_zeros_like()?;
        for (x, weight, sign) in &parts {
            let part = self.apply_weight(node, x, weight, None)?;
            total = total.f_add(&part.f_mul_scalar(*sign)?)?;
        }
        let ratio = relevance.f_div(&stabilise(&total, STABILISER)?)?;
        let mut sum = x.f_zeros_like()?;
        for (x, weight, sign) in &parts {
            let part = gradient(x, &ratio, |x| self.apply_weight(node, x, weight, None))?;
            sum = sum.f_add(&part.f_mul(x)?.f_mul_scalar(*sign)?)?;
        }
        Ok(sum)
    }
}

/// Which weights of a layer a sum is computed with; the others count as 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weights {
    All,
    Positive,
    Negative,
}

/// A layer's sum of contributions for an input, with some of its weights.
type WeightedSum<'a> = dyn Fn(&Tensor, Weights) -> Result<Tensor> + 'a;

impl RelevanceRule {
    /// The relevance of the input `x` of a node with the value `z = sum(x, All) + bias`.
    fn distribute_weighted(
        self,
        x: &Tensor,
        z: &Tensor,
        bias: Option<&Tensor>,
        relevance: &Tensor,
        sum: &WeightedSum,
    ) -> Result<Tensor> {
        if let RelevanceRule::Epsilon(epsilon) = self {
            let ratio = relevance.f_div(&stabilise(z, epsilon)?)?;
            return Ok(gradient(x, &ratio, |x| sum(x, Weights::All))?.f_mul(x)?);
        }
        let above = x.f_relu()?;
        // After a ReLU no value is below 0, and half of the sums can be left out.
        let below = if x.f_lt(0.0)?.f_any()?.f_int64_value(&[])? != 0 {
            Some(x.f_clamp_max(0.0)?)
        } else {
            None
        };
        // The sum of the contributions of one sign: with `same` the positive ones (both factors above 0, or both below),
        // otherwise the negative ones.
        let signed = |same: bool| -> Result<(Tensor, Vec<Recorded>)> {
            let (for_above, for_below) = if same {
                (Weights::Positive, Weights::Negative)
            } else {
                (Weights::Negative, Weights::Positive)
            };
            let mut sides = vec![(&above, for_above)];
            sides.extend(below.as_ref().map(|below| (below, for_below)));
            let mut total = z.f_zeros_like()?;
            let mut sums = Vec::new();
            for (x, weights) in sides {
                let part = Recorded::new(x, |x| sum(x, weights))?;
                total = total.f_add(&part.value.f_detach()?)?;
                sums.push(part);
            }
            Ok((total, sums))
        };
        let (positive, positive_sums) = signed(true)?;
        // With alpha 1 negative contributions get no relevance.
        let (negative, negative_sums) = if self == RelevanceRule::AlphaBeta(1.0) {
            (z.f_zeros_like()?, Vec::new())
        } else {
            signed(false)?
        };
        let (bias_above, bias_below) = bias_by_sign(bias, z)?;
        let positive = positive.f_add(&bias_above)?;
        let negative = negative.f_add(&bias_below)?;
        let factors = self.factors(z, &positive, &negative, relevance)?;
        let mut total = x.f_zeros_like()?;
        for (sums, factor) in [(positive_sums, factors.0), (negative_sums, factors.1)] {
            for sum in sums {
                total = total.f_add(&sum.gradient(&factor)?.f_mul(&sum.x)?)?;
            }
        }
        Ok(total)
    }

    /// The relevance of `a` and of `b`, where `z = a + b`.
    fn distribute_added(
        self,
        a: &Tensor,
        b: &Tensor,
        z: &Tensor,
        relevance: &Tensor,
    ) -> Result<Vec<Tensor>> {
        if let RelevanceRule::Epsilon(epsilon) = self {
            let ratio = relevance.f_div(&stabilise(z, epsilon)?)?;
            return Ok(vec![a.f_mul(&ratio)?, b.f_mul(&ratio)?]);
        }
        let (a_above, a_below) = by_sign(a)?;
        let (b_above, b_below) = by_sign(b)?;
        let (positive, negative) = (a_above.f_add(&b_above)?, a_below.f_add(&b_below)?);
        let (positive_factor, negative_factor) =
            self.factors(z, &positive, &negative, relevance)?;
        let weigh = |above: Tensor, below: Tensor| -> Result<Tensor> {
            Ok(above
                .f_mul(&positive_factor)?
                .f_add(&below.f_mul(&negative_factor)?)?)
        };
        Ok(vec![weigh(a_above, a_below)?, weigh(b_above, b_below)?])
    }

    /// The factors that turn a positive and a negative contribution to `z` into relevance, where `positive` and `negative`
    /// are the sums of all contributions of either sign.
    fn factors(
        self,
        z: &Tensor,
        positive: &Tensor,
        negative: &Tensor,
        relevance: &Tensor,
    ) -> Result<(Tensor, Tensor)> {
        match self {
            RelevanceRule::Gamma(gamma) => {
                let up = z.f_ge(0.0)?.f_to_kind(Kind::Float)?;
                let more = |own: &Tensor| own.f_mul_scalar(gamma)?.f_add_scalar(1.0);
                let (for_positive, for_negative) =
                    (more(&up)?, more(&up.f_neg()?.f_add_scalar(1.0)?)?);
                let total = positive
                    .f_mul(&for_positive)?
                    .f_add(&negative.f_mul(&for_negative)?)?;
                let ratio = relevance.f_div(&stabilise(&total, STABILISER)?)?;
                Ok((ratio.f_mul(&for_positive)?, ratio.f_mul(&for_negative)?))
            }
            RelevanceRule::AlphaBeta(alpha) => {
                let factor = |sum: &Tensor, times: f64| -> Result<Tensor> {
                    let relevance = relevance.f_mul_scalar(times)?;
                    Ok(relevance.f_div(&stabilise(sum, STABILISER)?)?)
                };
                Ok((factor(positive, alpha)?, factor(negative, 1.0 - alpha)?))
            }
            RelevanceRule::Epsilon(epsilon) => {
                let ratio = relevance.f_div(&stabilise(z, epsilon)?)?;
                Ok((ratio.shallow_clone(), ratio))
            }
        }
    }
}

/// The values of `x` above 0 and those below, zero elsewhere.
fn by_sign(x: &Tensor) -> Result<(Tensor, Tensor)> {
    let above = x.f_relu()?;
    let below = x.f_sub(&above)?;
    Ok((above, below))
}

/// A bias by sign, in a shape that can be added to the layer's value `z`; zeros if there is none.
fn bias_by_sign(bias: Option<&Tensor>, z: &Tensor) -> Result<(Tensor, Tensor)> {
    let Some(bias) = bias else {
        return Ok((z.f_zeros_like()?, z.f_zeros_like()?));
    };
    let shape: &[i64] = if z.dim() == 4 {
        &[1, -1, 1, 1]
    } else {
        &[1, -1]
    };
    by_sign(&bias.f_view(shape)?)
}

/// Moves each value of `z` away from 0 by `epsilon` root mean squares of `z`, at least by 1e-30, and keeps its sign.
fn stabilise(z: &Tensor, epsilon: f64) -> Result<Tensor> {
    let rms = z
        .f_square()?
        .f_mean(Kind::Double)?
        .f_sqrt()?
        .f_double_value(&[])?;
    let side = z
        .f_ge(0.0)?
        .f_to_kind(Kind::Float)?
        .f_mul_scalar(2.0)?
        .f_add_scalar(-1.0)?;
    Ok(z.f_add(&side.f_mul_scalar((epsilon * rms).max(1e-30))?)?)
}

/// The gradient of `Σ weights · f(x)` at `x`.
fn gradient(x: &Tensor, weights: &Tensor, f: impl Fn(&Tensor) -> Result<Tensor>) -> Result<Tensor> {
    Recorded::new(x, f)?.gradient(weights)
}

/// A function's value at `x`, recorded for its gradient.
struct Recorded {
    x: Tensor,
    leaf: Tensor,
    value: Tensor,
}

impl Recorded {
    fn new(x: &Tensor, f: impl Fn(&Tensor) -> Result<Tensor>) -> Result<Self> {
        let leaf = x.f_detach()?.f_set_requires_grad(true)?;
        let value = tch::with_grad(|| f(&leaf))?;
        Ok(Recorded {
            x: x.f_detach()?,
            leaf,
            value,
        })
    }

    /// The gradient of `Σ weights · value` at `x`.
    fn gradient(&self, weights: &Tensor) -> Result<Tensor> {
        tch::with_grad(|| {
            let objective = self.value.f_mul(weights)?.f_sum(Kind::Float)?;
            let found = Tensor::f_run_backward(&[&objective], &[&self.leaf], false, false)?;
            match found.into_iter().next().filter(Tensor::defined) {
                Some(found) => Ok(found.f_detach()?),
                None => Ok(self.x.f_zeros_like()?),
            }
        })
    }
}
