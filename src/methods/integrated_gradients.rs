//! `integrated_gradients`: what each pixel contributes to a class's logit between a baseline and the image
//! (Sundararajan et al. 2017, <https://arxiv.org/abs/1703.01365>).
//!
//! **What it shows.** Pixels that raise the logit, and pixels that lower it, between the baseline and the image.
//! **How it is computed.** `(x − b) · ∫ ∂logit/∂x (b + t (x − b)) dt` over `t` from 0 to 1, by a quadrature rule with
//! `steps` points; `x` is the preprocessed image and `b` the `baseline`. The attribution, `[3, H, W]`, is stored under
//! `<key>/raw`; the map is its sum over the colours, signed, in logits.
//! **How to read it.** Red pixels support the class, blue ones are evidence against it. The attribution should sum to
//! the difference of the logits of image and baseline; the note states the gap.
//! **What it can't show.** Pixels of the baseline's colour get nothing; and another baseline gives another map.
//! **Options.** `steps`, `rule`, `baseline` (a number, `mean`, `black`, `white`, `blurred`).
//! **Cost.** `steps` forward and backward passes for each class.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::baseline::Baseline;
use super::batched;
use super::forward_backward::BackwardPass;
use super::method::{ClassMethod, ManyInputs, Method, MethodInfo, PassCount, ResultKind};
use super::method_output::MethodOutput;
use crate::error::Result;
use crate::figures::{Note, Quantity};
use crate::network::graph::NodeId;
use crate::network::node_info::NodeInfo;

/// The quadrature and the baseline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct IntegratedGradients {
    /// The number of points of the quadrature.
    #[schemars(range(min = 1, max = 1000))]
    pub steps: usize,
    /// The quadrature rule.
    pub rule: Quadrature,
    /// The start of the path: a number (the value of every colour after preprocessing; 0 is the mean colour), `mean`,
    /// `black`, `white` or `blurred`.
    pub baseline: Baseline,
}

/// A quadrature rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Quadrature {
    /// The points that are exact for polynomials of the highest degree.
    GaussLegendre,
    /// Equal steps, each evaluated at its start.
    RiemannLeft,
    /// Equal steps, each evaluated at its end.
    RiemannRight,
    /// Equal steps, each evaluated at its middle.
    RiemannMiddle,
    /// Equidistant points from end to end, the two ends with half the weight.
    RiemannTrapezoid,
}

impl Quadrature {
    /// `steps` points in 0…1 with their weights, which sum to 1.
    fn points(self, steps: usize) -> Vec<(f64, f64)> {
        let n = steps as f64;
        let equal = |shift: f64| (0..steps).map(move |i| ((i as f64 + shift) / n, 1.0 / n));
        match self {
            Quadrature::GaussLegendre => gauss_legendre(steps),
            Quadrature::RiemannLeft => equal(0.0).collect(),
            Quadrature::RiemannMiddle => equal(0.5).collect(),
            Quadrature::RiemannRight => equal(1.0).collect(),
            // A single point can't be at both ends.
            Quadrature::RiemannTrapezoid if steps == 1 => equal(0.5).collect(),
            Quadrature::RiemannTrapezoid => {
                let step = 1.0 / (n - 1.0);
                let weight = |i: usize| {
                    if i == 0 || i + 1 == steps {
                        step / 2.0
                    } else {
                        step
                    }
                };
                (0..steps).map(|i| (i as f64 * step, weight(i))).collect()
            }
        }
    }
}

impl Default for IntegratedGradients {
    fn default() -> Self {
        IntegratedGradients {
            steps: 50,
            rule: Quadrature::GaussLegendre,
            baseline: Baseline::Number(0.0),
        }
    }
}

/// Facts and texts of the method.
const INFO: MethodInfo = MethodInfo {
    key: "integrated_gradients",
    title: "Integrated gradients",
    summary: "what each pixel contributes to the logit between a baseline and the photo (Sundararajan et al. 2017)",
    read: "Red pixels raise the class's logit, blue ones lower it, on the path from a baseline image to the photo; together they sum to the difference between the two logits.",
    limit: "The baseline is a choice: pixels of its colour get nothing, and another baseline gives another map.",
    result: ResultKind::Map,
    papers: &[
        "Sundararajan, M., Taly, A., and Yan, Q. (2017). Axiomatic attribution for deep networks. ICML. arXiv:1703.01365",
    ],
};

impl Method for IntegratedGradients {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn for_class(&self) -> Option<&dyn ClassMethod> {
        Some(self)
    }
}

impl ClassMethod for IntegratedGradients {
    fn passes(&self, _info: &[NodeInfo], _layers: &[NodeId]) -> PassCount {
        PassCount {
            forward: self.steps + 2,
            backward: self.steps,
        }
    }

    fn many_inputs(&self) -> Option<ManyInputs> {
        Some(ManyInputs::Gradients)
    }

    fn class_figures(
        &self,
        pass: &BackwardPass,
        _layers: &[NodeId],
        out: &mut MethodOutput,
    ) -> Result<()> {
        let (model, target) = (pass.model(), &pass.target);
        let input = pass.input()?;
        let baseline = self.baseline.image(&input, model)?;
        let difference = input.f_sub(&baseline)?;
        let mut mean = input.f_zeros_like()?;
        let points = self.rule.points(self.steps);
        for points in points.chunks(batched::batch_size(&input)) {
            let column = |part: fn(&(f64, f64)) -> f64| {
                let values: Vec<f32> = points.iter().map(|point| part(point) as f32).collect();
                Tensor::from_slice(&values)
                    .f_view([-1, 1, 1, 1])?
                    .f_to_device(model.device)
            };
            let inputs = baseline.f_add(&difference.f_mul(&column(|point| point.0)?)?)?;
            let gradients = batched::input_gradients(model, &inputs, target)?;
            let weighted = gradients.f_mul(&column(|point| point.1)?)?;
            mean = mean.f_add(&weighted.f_sum_dim_intlist([0i64].as_slice(), true, None)?)?;
        }
        let attribution = difference.f_mul(&mean)?.f_squeeze_dim(0)?;
        let sum = attribution.f_sum(Kind::Double)?.f_double_value(&[])?;
        let ends = Tensor::f_cat(&[&input, &baseline], 0)?;
        let ends = batched::target_values(model, &ends, target)?;
        let difference = ends.f_double_value(&[0])? - ends.f_double_value(&[1])?;
        let key = match target.quantity(model) {
            Quantity::Logit => "note.completeness",
            _ => "note.completeness.value",
        };
        let note = Note::new(key)
            .with("sum", format!("{sum:.4}"))
            .with("difference", format!("{difference:.4}"))
            .with("gap", format!("{:.4}", (sum - difference).abs()));
        out.attribution(INFO.key, pass, &attribution, vec![note])
    }
}

/// Gauss–Legendre points in (0, 1) with their weights, which sum to 1, by Newton's method.
fn gauss_legendre(count: usize) -> Vec<(f64, f64)> {
    let n = count as f64;
    let point = |i: usize| {
        let mut x = (std::f64::consts::PI * (i as f64 + 0.75) / (n + 0.5)).cos();
        let mut derivative = 1.0;
        for _ in 0..20 {
            let (mut before, mut value) = (1.0, x);
            for k in 2..=count {
                let k = k as f64;
                (before, value) = (
                    value,
                    ((2.0 * k - 1.0) * x * value - (k - 1.0) * before) / k,
                );
            }
            derivative = n * (x * value - before) / (x * x - 1.0);
            x -= value / derivative;
        }
        (
            (1.0 - x) / 2.0,
            1.0 / ((1.0 - x * x) * derivative * derivative),
        )
    };
    (0..count).map(point).collect()
}

#[cfg(test)]
mod tests {
    use super::{Quadrature, gauss_legendre};

    #[test]
    fn every_rule_integrates_a_line() {
        for (rule, expected) in [
            (Quadrature::GaussLegendre, 0.5),
            (Quadrature::RiemannMiddle, 0.5),
            (Quadrature::RiemannTrapezoid, 0.5),
            (Quadrature::RiemannLeft, 0.45),
            (Quadrature::RiemannRight, 0.55),
        ] {
            let sum: f64 = rule.points(10).iter().map(|(x, w)| x * w).sum();
            assert!((sum - expected).abs() < 1e-12, "{rule:?}: {sum}");
        }
    }

    #[test]
    fn gauss_legendre_is_exact_for_polynomials() {
        for count in [1, 2, 5, 50, 300] {
            let points = gauss_legendre(count);
            for power in [0, 1, 2 * count as i32 - 1] {
                let sum: f64 = points.iter().map(|(x, w)| w * x.powi(power)).sum();
                let exact = 1.0 / f64::from(power + 1);
                assert!(
                    (sum - exact).abs() < 1e-12,
                    "{count} {power}: {sum} {exact}"
                );
            }
        }
    }
}
