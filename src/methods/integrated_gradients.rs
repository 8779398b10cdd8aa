//! `integrated_gradients`: how much of a class's logit each pixel carries on the way from a plain picture to
//! the photo (Sundararajan et al. 2017, <https://arxiv.org/abs/1703.01365>).
//!
//! **What it shows.** Pixels that raise the logit, and pixels that lower it, between the baseline and the photo.
//! **How it is computed.** `(x − b) · ∫ ∂logit/∂x (b + t (x − b)) dt` over `t` from 0 to 1, by the quadrature that
//! `rule` names with `steps` points; `x` is the preprocessed picture and `b` the `baseline`. The parts, `[3, H, W]`, are kept under `<key>/raw`; the map is their sum over the colours, signed, in logits.
//! **How to read it.** Red speaks for the class, blue against it. All parts should sum to the difference of the
//! logits at photo and baseline; the note says by how much they miss it.
//! **What it can't show.** Pixels of the baseline's colour; and another baseline gives another map.
//! **Options.** `steps`, `rule`, `baseline` (a number, `mean`, `black`, `white`, `blurred`). **Cost.** `steps` forward and backward passes a class.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::baseline::Baseline;
use super::{BackwardPass, Method, MethodOutput, PassCount, batched, MethodInfo, ClassMethod};
use crate::error::{Error, ErrorKind, Result};
use crate::figures::Note;
use crate::network::graph::{Graph, NodeId};
use crate::network::node_info::NodeInfo;

/// How finely, and from where.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct IntegratedGradients {
    /// Points of the quadrature, 1 to 1000.
    pub steps: usize,
    /// Where the points lie and how much each counts.
    pub rule: Rule,
    /// What the path starts from: a number (in every colour after preprocessing; 0 is the mean colour), `mean`,
    /// `black`, `white` or `blurred`.
    pub baseline: Baseline,
}

/// A way of adding up along the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The points that are exact for polynomials of the highest degree.
    GaussLegendre,
    /// Even steps, each counted where it begins.
    RiemannLeft,
    /// Even steps, each counted where it ends.
    RiemannRight,
    /// Even steps, each counted in its middle.
    RiemannMiddle,
    /// Even points from end to end, the two ends counted half.
    RiemannTrapezoid,
}

impl Rule {
    /// `steps` points in 0…1 with their weights, which sum to 1.
    fn points(self, steps: usize) -> Vec<(f64, f64)> {
        let n = steps as f64;
        let even = |shift: f64| (0..steps).map(move |i| ((i as f64 + shift) / n, 1.0 / n));
        match self {
            Rule::GaussLegendre => legendre(steps),
            Rule::RiemannLeft => even(0.0).collect(),
            Rule::RiemannMiddle => even(0.5).collect(),
            Rule::RiemannRight => even(1.0).collect(),
            // One point alone has no two ends.
            Rule::RiemannTrapezoid if steps == 1 => even(0.5).collect(),
            Rule::RiemannTrapezoid => {
                let whole = 1.0 / (n - 1.0);
                let weight = |i: usize| match i == 0 || i + 1 == steps {
                    true => whole / 2.0,
                    false => whole,
                };
                (0..steps).map(|i| (i as f64 * whole, weight(i))).collect()
            }
        }
    }
}

impl Default for IntegratedGradients {
    fn default() -> Self {
        IntegratedGradients {
            steps: 50,
            rule: Rule::GaussLegendre,
            baseline: Baseline::Number(0.0),
        }
    }
}

/// What the registry, the report and the docs say of the method.
const INFO: MethodInfo = MethodInfo {
    key: "integrated_gradients",
    title: "Integrated gradients",
    summary: "what each pixel contributes to the logit between a baseline and the photo (Sundararajan et al. 2017)",
    read: "Red pixels raise the class's logit, blue ones lower it, on the path from a baseline image to the photo; together they sum to the difference between the two logits.",
    limit: "The baseline is a choice: pixels of its colour get nothing, and another baseline gives another map.",
    papers: &[
        "Sundararajan, M., Taly, A., and Yan, Q. (2017). Axiomatic attribution for deep networks. ICML. arXiv:1703.01365",
    ],
};

impl Method for IntegratedGradients {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn check(&self, _graph: &Graph, _info: &[NodeInfo], _layers: &[NodeId]) -> Result<()> {
        if !(1..=1000).contains(&self.steps) {
            return Err(Error::new(ErrorKind::Network, "the path can't be cut so")
                .help("`steps` is 1 to 1000; 50 is usual"));
        }
        if !self.baseline.is_finite() {
            return Err(Error::new(ErrorKind::Network, "the path starts nowhere")
                .help("`baseline` is a number (0 is the mean colour), `mean`, `black`, `white` or `blurred`"));
        }
        Ok(())
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

    fn class_figures(
        &self,
        pass: &BackwardPass,
        _layers: &[NodeId],
        out: &mut MethodOutput,
    ) -> Result<()> {
        let (subject, class) = (pass.pass.subject, pass.class.index);
        let input = pass.pass.input.f_detach()?;
        let baseline = self.baseline.of(&input, subject)?;
        let way = input.f_sub(&baseline)?;
        let mut mean = input.f_zeros_like()?;
        for points in self.rule.points(self.steps).chunks(batched::batch(&input)) {
            let column = |of: fn(&(f64, f64)) -> f64| {
                let values: Vec<f32> = points.iter().map(|point| of(point) as f32).collect();
                Tensor::from_slice(&values)
                    .f_view([-1, 1, 1, 1])?
                    .f_to_device(subject.device)
            };
            let inputs = baseline.f_add(&way.f_mul(&column(|point| point.0)?)?)?;
            let slopes = batched::slopes(subject, &inputs, class)?;
            let weighed = slopes.f_mul(&column(|point| point.1)?)?;
            mean = mean.f_add(&weighed.f_sum_dim_intlist([0i64].as_slice(), true, None)?)?;
        }
        let parts = way.f_mul(&mean)?.f_squeeze_dim(0)?;
        let sum = parts.f_sum(Kind::Double)?.f_double_value(&[])?;
        let both = Tensor::f_cat(&[&input, &baseline], 0)?;
        let ends = batched::logits(subject, &both, class)?;
        let difference = ends.f_double_value(&[0])? - ends.f_double_value(&[1])?;
        let note = Note::new("note.completeness")
            .with("sum", format!("{sum:.4}"))
            .with("difference", format!("{difference:.4}"))
            .with("gap", format!("{:.4}", (sum - difference).abs()));
        let figure = out.parts("integrated_gradients", pass, &parts)?;
        figure.notes.push(note);
        Ok(())
    }
}

/// Gauss–Legendre points in (0, 1) with their weights, which sum to 1, found by Newton's method.
fn legendre(count: usize) -> Vec<(f64, f64)> {
    let n = count as f64;
    let point = |i: usize| {
        let mut x = (std::f64::consts::PI * (i as f64 + 0.75) / (n + 0.5)).cos();
        let mut slope = 1.0;
        for _ in 0..20 {
            let (mut before, mut value) = (1.0, x);
            for k in 2..=count {
                let k = k as f64;
                (before, value) = (
                    value,
                    ((2.0 * k - 1.0) * x * value - (k - 1.0) * before) / k,
                );
            }
            slope = n * (x * value - before) / (x * x - 1.0);
            x -= value / slope;
        }
        ((1.0 - x) / 2.0, 1.0 / ((1.0 - x * x) * slope * slope))
    };
    (0..count).map(point).collect()
}

#[cfg(test)]
mod tests {
    use super::{Rule, legendre};

    #[test]
    fn every_rule_finds_the_area_below_a_line() {
        for (rule, expected) in [
            (Rule::GaussLegendre, 0.5),
            (Rule::RiemannMiddle, 0.5),
            (Rule::RiemannTrapezoid, 0.5),
            (Rule::RiemannLeft, 0.45),
            (Rule::RiemannRight, 0.55),
        ] {
            let sum: f64 = rule.points(10).iter().map(|(x, w)| x * w).sum();
            assert!((sum - expected).abs() < 1e-12, "{rule:?}: {sum}");
        }
    }

    #[test]
    fn the_quadrature_is_exact_for_polynomials() {
        for count in [1, 2, 5, 50, 300] {
            let points = legendre(count);
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
