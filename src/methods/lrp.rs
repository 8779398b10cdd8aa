//! `lrp`: layer-wise relevance propagation of a class's logit to the pixels (Bach et al. 2015,
//! <https://doi.org/10.1371/journal.pone.0130140>; Montavon et al. 2019, <https://doi.org/10.1007/978-3-030-28954-6_10>).
//!
//! **What it shows.** The relevance of each pixel for the logit: every layer distributes its relevance over its inputs, in
//! proportion to their contributions.
//! **How it is computed.** Batch norm is folded into the convolution before it. From the logit on, a sum `z = Σ x · w + b`
//! gives each contribution `x · w` its share of the relevance of `z`: in proportion, with a stabiliser added to `z`
//! (*epsilon*); with contributions of the sign of `z` weighted `1 + gamma` times (*gamma*); or the positive ones `alpha`
//! times the relevance and the negative ones `1 − alpha` times (*alpha_beta*); the share of `b` stays with it. The two paths
//! of a shortcut are such a sum; max pooling gives all relevance to the maximum; the gates of squeeze-and-excitation count
//! as constants; activation functions pass their relevance on. The *preset*: epsilon for linear layers, alpha_beta with
//! alpha 1 for VGG's convolutions and gamma for those of the others, and for the first one the rule for bounded pixels (zᴮ);
//! biases get nothing, because the biases of folded batch norms would absorb nearly all relevance (about nine tenths of
//! ResNet-50's logit for a photo). The relevance, `[3, H, W]`, is stored under `<key>/raw`; the map is its sum over the colours,
//! signed, in logits.
//! **How to read it.** Red pixels support the class, blue ones contradict it. Relevance that does not reach the pixels was
//! absorbed by biases; the note gives its amount. With the preset, biases absorb nothing, and what is missing belongs to
//! channels whose inputs are all 0: about half the logit in an EfficientNet-Lite.
//! **What it can't show.** It can't show what would change the logit: it distributes one logit, and another rule distributes
//! it differently. With alpha_beta
//! and large gamma it shows mostly what activates the network, for whatever class; with epsilon and with alpha 2 the
//! relevance of a deep network with shortcuts is noise.
//! **Options.** `rule`, `epsilon`, `gamma`, `alpha`.
//! **Cost.** Two forward and backward passes for each class if layers follow ReLUs (epsilon: one; alpha_beta with alpha 1:
//! one), twice as many in an EfficientNet with SiLU; the sums between them take up to the same time again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::{
    BackwardPass, ClassMethod, Method, MethodInfo, MethodOutput, PassCount, ResultKind, to_floats,
};
use crate::error::Result;
use crate::figures::{Note, Quantity};
use crate::network::graph::NodeId;
use crate::network::node_info::NodeInfo;
use crate::network::{RelevanceRule, RelevanceRules};

/// The propagation rule and its parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Lrp {
    /// One rule for all layers, or the preset for the network's family.
    pub rule: LrpRule,
    /// The stabiliser of the rule epsilon, in root mean squares of the layer; above 0.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub epsilon: f64,
    /// The additional weight of contributions with the sign of their sum in the rule gamma; above 0.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub gamma: f64,
    /// The factor of the relevance of positive contributions in the rule alpha_beta; 1 or more.
    #[schemars(range(min = 1))]
    pub alpha: f64,
}

/// A propagation rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LrpRule {
    /// A rule for each kind of layer, by the network's family.
    Preset,
    /// In proportion to the contributions, with a stabiliser.
    Epsilon,
    /// Contributions with the sign of their sum count more.
    Gamma,
    /// Positive and negative contributions apart.
    AlphaBeta,
}

impl Default for Lrp {
    fn default() -> Self {
        Lrp {
            rule: LrpRule::Preset,
            epsilon: 0.01,
            gamma: 1.0,
            alpha: 2.0,
        }
    }
}

/// Facts and texts of the method.
const INFO: MethodInfo = MethodInfo {
    key: "lrp",
    title: "LRP",
    summary: "the logit distributed over the pixels layer by layer (Bach et al. 2015), by epsilon, gamma and alpha-beta rules or a preset of them",
    read: "Red pixels support the class, blue ones are evidence against it: the logit is propagated back layer by layer, and each layer distributes its relevance over its inputs by their contributions.",
    limit: "It decomposes one forward pass by rules that could be others, and it shows what the logit was made of rather than what would change it.",
    result: ResultKind::Map,
    papers: &[
        "Bach, S., Binder, A., Montavon, G., Klauschen, F., Müller, K.-R., and Samek, W. (2015). On pixel-wise explanations for non-linear classifier decisions by layer-wise relevance propagation. PLoS ONE 10(7)",
        "Montavon, G., Binder, A., Lapuschkin, S., Samek, W., and Müller, K.-R. (2019). Layer-wise relevance propagation: an overview. Explainable AI, LNCS 11700",
    ],
};

impl Method for Lrp {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn for_class(&self) -> Option<&dyn ClassMethod> {
        Some(self)
    }
}

impl ClassMethod for Lrp {
    fn passes(&self, _info: &[NodeInfo], _layers: &[NodeId]) -> PassCount {
        let passes = match self.rule {
            LrpRule::Epsilon => 1,
            // Positive and negative contributions apart, after a ReLU.
            _ => 2,
        };
        PassCount {
            forward: 1 + passes,
            backward: passes,
        }
    }

    fn class_figures(
        &self,
        pass: &BackwardPass,
        _layers: &[NodeId],
        out: &mut MethodOutput,
    ) -> Result<()> {
        let network = pass.model().network.folded()?;
        let (model, target) = (pass.model(), &pass.target);
        let start = |value: &Tensor| target.parts(model, value);
        let relevance =
            network.relevance(&pass.input()?, (target.node, &start), &self.rules(pass)?)?;
        let pixels = relevance.input.f_squeeze_dim(0)?;
        let sum = pixels.f_sum(Kind::Double)?.f_double_value(&[])?;
        let key = match target.quantity(model) {
            Quantity::Logit => "note.relevance",
            _ => "note.relevance.value",
        };
        let note = Note::new(key)
            .with("logit", format!("{:.4}", relevance.total))
            .with("sum", format!("{sum:.4}"))
            .with("biases", format!("{:.4}", relevance.total - sum));
        out.attribution(INFO.key, pass, &pixels, vec![note])
    }
}

impl Lrp {
    /// The rules of the layers of the pass's network.
    fn rules(&self, pass: &BackwardPass) -> Result<RelevanceRules> {
        let for_all_layers = |rule: RelevanceRule| RelevanceRules {
            convolutions: rule,
            linear: rule,
            input: None,
            biases: true,
        };
        Ok(match self.rule {
            LrpRule::Epsilon => for_all_layers(RelevanceRule::Epsilon(self.epsilon)),
            LrpRule::Gamma => for_all_layers(RelevanceRule::Gamma(self.gamma)),
            LrpRule::AlphaBeta => for_all_layers(RelevanceRule::AlphaBeta(self.alpha)),
            LrpRule::Preset => self.preset(pass)?,
        })
    }

    fn preset(&self, pass: &BackwardPass) -> Result<RelevanceRules> {
        let model = pass.model();
        let has_shortcuts = model.network.graph().residual_sums().next().is_some();
        let preprocess = &model.preprocess;
        let normalised = |level: f64| -> Vec<f32> {
            let channels = preprocess.mean.iter().zip(&preprocess.std);
            channels
                .map(|(mean, std)| ((level - mean) / std) as f32)
                .collect()
        };
        let bounds = [normalised(0.0), normalised(1.0)];
        Ok(RelevanceRules {
            convolutions: if has_shortcuts {
                RelevanceRule::Gamma(self.gamma)
            } else {
                RelevanceRule::AlphaBeta(1.0)
            },
            linear: RelevanceRule::Epsilon(self.epsilon),
            input: Some(widened(bounds, &pass.input()?)?),
            biases: false,
        })
    }
}

/// The bounds of each channel, widened where the values of `input`, `[1, C, H, W]`, exceed them: images of floats may have any
/// range.
fn widened([mut low, mut high]: [Vec<f32>; 2], input: &Tensor) -> Result<[Vec<f32>; 2]> {
    // More than the rounding of the normalisation.
    const ROUNDING: f32 = 1e-4;
    let least = to_floats(&input.f_amin([0i64, 2, 3].as_slice(), false)?)?;
    let most = to_floats(&input.f_amax([0i64, 2, 3].as_slice(), false)?)?;
    for (bound, value) in low.iter_mut().zip(least) {
        if value < *bound - ROUNDING {
            *bound = value;
        }
    }
    for (bound, value) in high.iter_mut().zip(most) {
        if value > *bound + ROUNDING {
            *bound = value;
        }
    }
    Ok([low, high])
}
