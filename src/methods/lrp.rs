//! `lrp`: a class's logit handed back to the pixels, layer by layer (Bach et al. 2015,
//! <https://doi.org/10.1371/journal.pone.0130140>; Montavon et al. 2019, <https://doi.org/10.1007/978-3-030-28954-6_10>).
//!
//! **What it shows.** Which pixels the logit was made of: every layer shares out what it got among its inputs, in proportion to what
//! each of them contributed.
//! **How it is computed.** Batch norm is folded into the convolution before it. Beginning with the logit, a sum `z = Σ x · w + b` gives
//! each contribution `x · w` its share of the relevance of `z`: in proportion, with `z` held away from 0 (*epsilon*); with contributions
//! of its own sign counted `1 + gamma` times (*gamma*); or the positive ones `alpha` times the relevance and the negative ones
//! `1 − alpha` times (*alpha_beta*); what `b` contributed stays with it. The two sides of a shortcut are such a sum; max pooling gives
//! all to the winner; the gates of squeeze-and-excitation count as constants; activations pass on what they get. The *preset*: epsilon
//! for linear layers, alpha_beta with alpha 1 for VGG's convolutions and gamma for those of the others, and for the first one the rule
//! for pixels between black and white (zᴮ); biases get nothing, for folded batch norms would keep nearly everything (of ResNet-50's
//! score for a photo all but a tenth). The parts, `[3, H, W]`, are kept under `<key>/raw`; the map is their sum over the colours,
//! signed, in logits.
//! **How to read it.** Red pixels spoke for the class, blue ones against it. What does not reach the pixels has stayed with the biases
//! on the way; the note says how much. In the preset that is what channels of no input at all had to say, half the score in an
//! EfficientNet-Lite.
//! **What it can't show.** Why: it is a book-keeping of one pass, and another rule keeps other books. With alpha_beta and large gamma
//! it shows mostly what excites the network, for whatever class; with epsilon and with alpha 2 the books of a deep network with
//! shortcuts are noise.
//! **Options.** `rule`, `epsilon`, `gamma`, `alpha`. **Cost.** Two forward and backward passes a class where
//! layers come after ReLUs (epsilon: one; alpha_beta with alpha 1: one), twice as many in an EfficientNet with SiLU; the
//! sums in between take up to as long again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Kind;

use super::{BackwardPass, Method, MethodOutput, PassCount, MethodInfo, ClassMethod};
use crate::error::{Error, ErrorKind, Result};
use crate::figures::Note;
use crate::network::graph::{Graph, NodeId, Op};
use crate::network::node_info::NodeInfo;
use crate::network::{RelevanceRule, RelevanceRules};

/// How relevance is shared out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Lrp {
    /// One rule for all layers, or the preset of the network's family.
    pub rule: Rule,
    /// How far sums are held away from 0, in root mean squares of the layer; above 0.
    pub epsilon: f64,
    /// How much more contributions of the sum's own sign count; above 0.
    pub gamma: f64,
    /// How many times its relevance a sum's positive contributions get; 1 or more.
    pub alpha: f64,
}

/// A rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    Preset,
    Epsilon,
    Gamma,
    AlphaBeta,
}

impl Default for Lrp {
    fn default() -> Self {
        Lrp {
            rule: Rule::Preset,
            epsilon: 0.01,
            gamma: 1.0,
            alpha: 2.0,
        }
    }
}

/// What the registry, the report and the docs say of the method.
const INFO: MethodInfo = MethodInfo {
    key: "lrp",
    title: "LRP",
    summary: "the logit distributed over the pixels layer by layer (Bach et al. 2015), by epsilon, gamma and alpha-beta rules or a preset of them",
    read: "Red pixels support the class, blue ones are evidence against it: the logit is propagated back layer by layer, and each layer distributes its relevance over its inputs by their contributions.",
    limit: "It decomposes one forward pass by rules that could be others, and it shows what the logit was made of rather than what would change it.",
    papers: &[
        "Bach, S., Binder, A., Montavon, G., Klauschen, F., Müller, K.-R., and Samek, W. (2015). On pixel-wise explanations for non-linear classifier decisions by layer-wise relevance propagation. PLoS ONE 10(7)",
        "Montavon, G., Binder, A., Lapuschkin, S., Samek, W., and Müller, K.-R. (2019). Layer-wise relevance propagation: an overview. Explainable AI, LNCS 11700",
    ],
};

impl Method for Lrp {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn check(&self, _graph: &Graph, _info: &[NodeInfo], _layers: &[NodeId]) -> Result<()> {
        let above = |value: f64| value.is_finite() && value > 0.0;
        match above(self.epsilon)
            && above(self.gamma)
            && self.alpha.is_finite()
            && self.alpha >= 1.0
        {
            true => Ok(()),
            false => Err(
                Error::new(ErrorKind::Network, "relevance can't be shared out so")
                    .help("`epsilon` and `gamma` are above 0, and `alpha` is 1 or more"),
            ),
        }
    }

    fn for_class(&self) -> Option<&dyn ClassMethod> {
        Some(self)
    }
}

impl ClassMethod for Lrp {
    fn passes(&self, _info: &[NodeInfo], _layers: &[NodeId]) -> PassCount {
        let share = match self.rule {
            Rule::Epsilon => 1,
            // Positive and negative contributions; after a ReLU.
            _ => 2,
        };
        PassCount {
            forward: 1 + share,
            backward: share,
        }
    }

    fn class_figures(
        &self,
        pass: &BackwardPass,
        _layers: &[NodeId],
        out: &mut MethodOutput,
    ) -> Result<()> {
        let subject = pass.pass.subject;
        let network = subject.network.folded()?;
        let found = network.relevance(pass.pass.input, pass.class.index, &self.rules(pass))?;
        let parts = found.input.f_squeeze_dim(0)?;
        let sum = parts.f_sum(Kind::Double)?.f_double_value(&[])?;
        let note = Note::new("note.relevance")
            .with("logit", format!("{:.4}", found.logit))
            .with("sum", format!("{sum:.4}"))
            .with("biases", format!("{:.4}", found.logit - sum));
        let figure = out.parts("lrp", pass, &parts)?;
        figure.notes.push(note);
        Ok(())
    }
}

impl Lrp {
    fn rules(&self, pass: &BackwardPass) -> RelevanceRules {
        let subject = pass.pass.subject;
        let all = |share: RelevanceRule| RelevanceRules {
            convolutions: share,
            linear: share,
            input: None,
            biases: true,
        };
        match self.rule {
            Rule::Epsilon => all(RelevanceRule::Epsilon(self.epsilon)),
            Rule::Gamma => all(RelevanceRule::Gamma(self.gamma)),
            Rule::AlphaBeta => all(RelevanceRule::AlphaBeta(self.alpha)),
            Rule::Preset => {
                let mut nodes = subject.network.graph().nodes().iter();
                let shortcuts = nodes.any(|node| node.op == Op::Add);
                let preprocess = &subject.preprocess;
                let level = |level: f64| -> [f32; 3] {
                    std::array::from_fn(|colour| {
                        ((level - preprocess.mean[colour]) / preprocess.std[colour]) as f32
                    })
                };
                RelevanceRules {
                    convolutions: match shortcuts {
                        true => RelevanceRule::Gamma(self.gamma),
                        false => RelevanceRule::AlphaBeta(1.0),
                    },
                    linear: RelevanceRule::Epsilon(self.epsilon),
                    input: Some([level(0.0), level(1.0)]),
                    biases: false,
                }
            }
        }
    }
}
