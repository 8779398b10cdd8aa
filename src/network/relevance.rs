//! Layer-wise relevance propagation (Bach et al. 2015, <https://doi.org/10.1371/journal.pone.0130140>; Montavon et al. 2019,
//! <https://doi.org/10.1007/978-3-030-28954-6_10>): a logit handed back to the pixels, each node sharing out what it got
//! among its inputs by what they contributed.
//!
//! A convolution, a linear layer, average pooling and the sum at the end of a residual block are all a sum of contributions
//! `x · w`, and get a [`Share`]. Max pooling gives all to the winner; a gate of a squeeze-and-excitation counts as a
//! constant; what works place by place (ReLU, SiLU) passes on what it gets.

use tch::{Kind, Tensor};

use super::forward::Network;
use super::graph::{Node, NodeId, Op};
use super::node_values::NodeValues;
use crate::error::Result;

/// How a sum shares out its relevance among its contributions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Share {
    /// In proportion, with the sum held away from 0 by so many of its root mean squares over the layer.
    Epsilon(f64),
    /// Contributions of the sum's own sign count `1 + gamma` times.
    Gamma(f64),
    /// Positive contributions get `alpha` times the relevance, negative ones give `alpha − 1` times it back.
    AlphaBeta(f64),
}

/// Which share where.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    pub convolutions: Share,
    /// Of linear layers and the pooling before them.
    pub linear: Share,
    /// The lowest and the highest value of the input, by colour, where the first convolution is to use them (zᴮ).
    pub input: Option<[[f32; 3]; 2]>,
    /// Whether biases keep their share; otherwise contributions share out everything.
    pub biases: bool,
}

/// A logit, handed back.
#[derive(Debug)]
pub struct Relevance {
    /// Of every value of the input, in its shape.
    pub input: Tensor,
    /// What was shared out: the logit.
    pub logit: f64,
}

/// Keeps a sum of nothing from dividing.
const SMALL: f64 = 1e-9;

impl Network {
    /// Hands the logit of `class` back to `input`, `[1, 3, H, W]`. Batch norms should be [folded](Self::folded) before.
    ///
    /// # Errors
    /// If libtorch refuses.
    pub fn relevance(&self, input: &Tensor, class: usize, rules: &Rules) -> Result<Relevance> {
        let graph = self.graph();
        let all: Vec<NodeId> = (0..graph.nodes().len()).collect();
        let input = input.f_detach()?;
        let values = tch::no_grad(|| self.forward(&input, &all))?;
        let output = graph.output();
        let logits = values.value(output)?;
        let start = logits.f_zeros_like()?;
        let logit = logits.f_double_value(&[0, class as i64])?;
        let _ = start.f_select(1, class as i64)?.f_fill_(logit)?;
        let mut arrived = NodeValues::from([(output, start)]);
        let first = graph.convolutions().next();
        for (id, node) in graph.nodes().iter().enumerate().rev() {
            let Some(relevance) = arrived.remove(&id) else {
                continue;
            };
            if node.op == Op::Input {
                arrived.insert(id, relevance);
                continue;
            }
            let inputs: Vec<&Tensor> = node
                .inputs
                .iter()
                .map(|&input| values.value(input))
                .collect::<Result<_>>()?;
            let bounds = rules.input.filter(|_| first == Some(id));
            let parts = self.share(node, &inputs, values.value(id)?, &relevance, rules, bounds)?;
            for (&input, part) in node.inputs.iter().zip(parts) {
                arrived.accumulate(input, part)?;
            }
        }
        let found = match arrived.remove(&graph.input()) {
            Some(found) => found,
            None => input.f_zeros_like()?,
        };
        Ok(Relevance {
            input: found,
            logit,
        })
    }

    /// What each of the inputs gets of a node's relevance; those that are left out get nothing.
    fn share(
        &self,
        node: &Node,
        x: &[&Tensor],
        z: &Tensor,
        relevance: &Tensor,
        rules: &Rules,
        bounds: Option<[[f32; 3]; 2]>,
    ) -> Result<Vec<Tensor>> {
        let passed = || Ok(vec![relevance.shallow_clone()]);
        match &node.op {
            Op::Input => Ok(Vec::new()),
            Op::Relu | Op::Relu6 | Op::Silu | Op::Sigmoid | Op::Dropout | Op::Mul => passed(),
            Op::Flatten => Ok(vec![relevance.f_reshape(x[0].size().as_slice())?]),
            Op::MaxPool { .. } => Ok(vec![back(x[0], relevance, |x| self.apply(node, &[x]))?]),
            Op::AvgPool { .. } => {
                // Its weights are all positive.
                let sum = |x: &Tensor, sign: i32| match sign {
                    -1 => self.apply(node, &[&x.f_mul_scalar(0.0)?]),
                    _ => self.apply(node, &[x]),
                };
                Ok(vec![rules.linear.out(x[0], z, None, relevance, &sum)?])
            }
            Op::BatchNorm { .. } => {
                // One that could not be folded: `a · x + b` in every channel.
                let shift = self.apply(node, &[&x[0].f_zeros_like()?])?;
                let own = z.f_sub(&shift)?;
                Ok(vec![relevance.f_mul(&own.f_div(&steady(z, SMALL)?)?)?])
            }
            Op::Add => rules.convolutions.two(x[0], x[1], z, relevance),
            Op::Conv(_) | Op::Linear { .. } => {
                let weight = self.weight(node)?;
                if let Some([low, high]) = bounds {
                    let corner = |colours: [f32; 3]| -> Result<Tensor> {
                        let colours = Tensor::from_slice(&colours).f_view([1, 3, 1, 1])?;
                        let colours = colours.f_to_device(x[0].device())?;
                        Ok(x[0].f_zeros_like()?.f_add(&colours)?)
                    };
                    let parts = [
                        (x[0].shallow_clone(), weight.shallow_clone(), 1.0),
                        (corner(low)?, weight.f_relu()?, -1.0),
                        (corner(high)?, weight.f_clamp_max(0.0)?, -1.0),
                    ];
                    // Without the bias, as in the paper.
                    let mut total = z.f_zeros_like()?;
                    for (x, weight, sign) in &parts {
                        let part = self.linear(node, x, weight, None)?;
                        total = total.f_add(&part.f_mul_scalar(*sign)?)?;
                    }
                    let ratio = relevance.f_div(&steady(&total, SMALL)?)?;
                    let mut sum = x[0].f_zeros_like()?;
                    for (x, weight, sign) in &parts {
                        let part = back(x, &ratio, |x| self.linear(node, x, weight, None))?;
                        sum = sum.f_add(&part.f_mul(x)?.f_mul_scalar(*sign)?)?;
                    }
                    return Ok(vec![sum]);
                }
                let share = match node.op {
                    Op::Conv(_) => rules.convolutions,
                    _ => rules.linear,
                };
                let sum = |x: &Tensor, sign: i32| {
                    let signed = match sign {
                        1 => weight.f_relu()?,
                        -1 => weight.f_clamp_max(0.0)?,
                        _ => weight.shallow_clone(),
                    };
                    self.linear(node, x, &signed, None)
                };
                if rules.biases {
                    let bias = self.bias(node);
                    return Ok(vec![share.out(x[0], z, bias, relevance, &sum)?]);
                }
                let z = self.linear(node, x[0], weight, None)?;
                Ok(vec![share.out(x[0], &z, None, relevance, &sum)?])
            }
        }
    }
}

impl Share {
    /// What `x` gets of the relevance of `z = sum(x, 0) + bias`, where `sum(x, 1)` and `sum(x, −1)` are the same sum over
    /// positive and over negative weights alone.
    fn out(
        self,
        x: &Tensor,
        z: &Tensor,
        bias: Option<&Tensor>,
        relevance: &Tensor,
        sum: &dyn Fn(&Tensor, i32) -> Result<Tensor>,
    ) -> Result<Tensor> {
        if let Share::Epsilon(epsilon) = self {
            let ratio = relevance.f_div(&steady(z, epsilon)?)?;
            return Ok(back(x, &ratio, |x| sum(x, 0))?.f_mul(x)?);
        }
        // After a ReLU there is nothing below 0, and half of the sums is spared.
        let mut sides = vec![(1, x.f_relu()?)];
        if x.f_lt(0.0)?.f_any()?.f_int64_value(&[])? != 0 {
            sides.push((-1, x.f_clamp_max(0.0)?));
        }
        // Positive contributions: both factors of one sign. Negative ones: of two.
        let signed = |sign: i32| -> Result<(Tensor, Vec<Sum>)> {
            let mut all = z.f_zeros_like()?;
            let mut sums = Vec::new();
            for (side, x) in &sides {
                let part = Sum::new(x, |x| sum(x, sign * side))?;
                all = all.f_add(&part.value.f_detach()?)?;
                sums.push(part);
            }
            Ok((all, sums))
        };
        let (positive, of_positive) = signed(1)?;
        // With alpha 1 negative contributions get nothing.
        let (negative, of_negative) = match self == Share::AlphaBeta(1.0) {
            true => (z.f_zeros_like()?, Vec::new()),
            false => signed(-1)?,
        };
        let (bias_above, bias_below) = match bias {
            Some(bias) => {
                let shape: Vec<i64> = match z.dim() {
                    4 => vec![1, -1, 1, 1],
                    _ => vec![1, -1],
                };
                let bias = bias.f_view(shape.as_slice())?;
                (bias.f_relu()?, bias.f_sub(&bias.f_relu()?)?)
            }
            None => (z.f_zeros_like()?, z.f_zeros_like()?),
        };
        let positive_all = positive.f_add(&bias_above)?;
        let negative_all = negative.f_add(&bias_below)?;
        let factors = self.factors(z, &positive_all, &negative_all, relevance)?;
        let mut total = x.f_zeros_like()?;
        for (sums, factor) in [(of_positive, factors.0), (of_negative, factors.1)] {
            for sum in sums {
                total = total.f_add(&sum.back(&factor)?.f_mul(&sum.x)?)?;
            }
        }
        Ok(total)
    }

    /// What the two sides of `z = a + b` get.
    fn two(self, a: &Tensor, b: &Tensor, z: &Tensor, relevance: &Tensor) -> Result<Vec<Tensor>> {
        if let Share::Epsilon(epsilon) = self {
            let ratio = relevance.f_div(&steady(z, epsilon)?)?;
            return Ok(vec![a.f_mul(&ratio)?, b.f_mul(&ratio)?]);
        }
        let parts =
            |x: &Tensor| -> Result<(Tensor, Tensor)> { Ok((x.f_relu()?, x.f_sub(&x.f_relu()?)?)) };
        let (a_above, a_below) = parts(a)?;
        let (b_above, b_below) = parts(b)?;
        let (positive, negative) = (a_above.f_add(&b_above)?, a_below.f_add(&b_below)?);
        let (of_positive, of_negative) = self.factors(z, &positive, &negative, relevance)?;
        let of = |above: Tensor, below: Tensor| -> Result<Tensor> {
            Ok(above
                .f_mul(&of_positive)?
                .f_add(&below.f_mul(&of_negative)?)?)
        };
        Ok(vec![of(a_above, a_below)?, of(b_above, b_below)?])
    }

    /// What a positive and a negative contribution are multiplied with, where all of them sum to `positive` and `negative`.
    fn factors(
        self,
        z: &Tensor,
        positive: &Tensor,
        negative: &Tensor,
        relevance: &Tensor,
    ) -> Result<(Tensor, Tensor)> {
        match self {
            Share::Gamma(gamma) => {
                let up = z.f_ge(0.0)?.f_to_kind(Kind::Float)?;
                let more = |own: &Tensor| own.f_mul_scalar(gamma)?.f_add_scalar(1.0);
                let (for_positive, for_negative) =
                    (more(&up)?, more(&up.f_neg()?.f_add_scalar(1.0)?)?);
                let total = positive
                    .f_mul(&for_positive)?
                    .f_add(&negative.f_mul(&for_negative)?)?;
                let ratio = relevance.f_div(&steady(&total, SMALL)?)?;
                Ok((ratio.f_mul(&for_positive)?, ratio.f_mul(&for_negative)?))
            }
            Share::AlphaBeta(alpha) => {
                let of = |sum: &Tensor, times: f64| -> Result<Tensor> {
                    Ok(relevance.f_mul_scalar(times)?.f_div(&steady(sum, SMALL)?)?)
                };
                Ok((of(positive, alpha)?, of(negative, 1.0 - alpha)?))
            }
            Share::Epsilon(epsilon) => {
                let ratio = relevance.f_div(&steady(z, epsilon)?)?;
                Ok((ratio.shallow_clone(), ratio))
            }
        }
    }
}

/// `z` held away from 0, on its own side, by `epsilon` root mean squares of it, and by a little in any case.
fn steady(z: &Tensor, epsilon: f64) -> Result<Tensor> {
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
fn back(x: &Tensor, weights: &Tensor, f: impl Fn(&Tensor) -> Result<Tensor>) -> Result<Tensor> {
    Sum::new(x, f)?.back(weights)
}

/// A function's value, and the way back from it.
struct Sum {
    x: Tensor,
    leaf: Tensor,
    value: Tensor,
}

impl Sum {
    fn new(x: &Tensor, f: impl Fn(&Tensor) -> Result<Tensor>) -> Result<Self> {
        let leaf = x.f_detach()?.f_set_requires_grad(true)?;
        let value = tch::with_grad(|| f(&leaf))?;
        Ok(Sum {
            x: x.f_detach()?,
            leaf,
            value,
        })
    }

    /// The gradient of `Σ weights · value` at `x`.
    fn back(&self, weights: &Tensor) -> Result<Tensor> {
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
