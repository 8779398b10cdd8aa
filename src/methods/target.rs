//! The value that methods explain: a function of a node's value that gives one number for each image.
//!
//! For a class it is its logit or its probability, for a contrast the difference of those of two classes, for a likeness the
//! cosine similarity of a layer's code with that of a reference image.

use tch::{Kind, Tensor};

use super::loaded_model::LoadedModel;
use crate::error::{Error, ErrorKind, Result};
use crate::figures::{ClassInfo, ContrastInfo, LikenessInfo, Quantity, TargetInfo};
use crate::network::graph::NodeId;
use crate::network::{TargetValue, Task};

/// Keeps the norm of a code that is all zero apart from 0.
const SMALLEST_NORM: f64 = 1e-12;

/// A value that methods explain.
#[derive(Debug)]
pub struct Target {
    /// What it is, for results and reports.
    pub info: TargetInfo,
    /// The node whose value it is a function of: the network's output, or the layer of a code.
    pub node: NodeId,
    function: Function,
}

/// How a target's value follows from that of its node.
#[derive(Debug)]
enum Function {
    /// The logit of the class with this index, or its probability.
    Class(usize, TargetValue),
    /// The first class's logit (or probability) minus the second's.
    Difference([usize; 2], TargetValue),
    /// The cosine similarity with a reference.
    Similarity(Reference),
}

/// The reference of a likeness.
#[derive(Debug)]
struct Reference {
    /// The preprocessed image, `[1, C, H, W]`.
    input: Tensor,
    /// Its code with norm 1, `[1, d]`.
    direction: Tensor,
}

impl LoadedModel {
    /// The classes' logits from the network's output, `[N, outputs]` to `[N, classes]`: the output itself, but for a network
    /// with one logit, whose two classes have that logit with both signs.
    ///
    /// # Errors
    /// If libtorch fails.
    pub fn class_logits(&self, output: &Tensor) -> Result<Tensor> {
        if self.is_binary(output) {
            return Ok(Tensor::f_cat(&[&output.f_neg()?, output], 1)?);
        }
        Ok(output.shallow_clone())
    }

    /// The classes' probabilities in the precision `kind` from the network's output: `[N, outputs]` to `[N, classes]`.
    ///
    /// # Errors
    /// If the network has none, or libtorch fails.
    pub fn class_probabilities(&self, output: &Tensor, kind: Kind) -> Result<Tensor> {
        let independent = |logits: Tensor| Ok(logits.f_to_kind(kind)?.f_sigmoid()?);
        match self.task {
            _ if self.is_binary(output) => independent(self.class_logits(output)?),
            Task::Classes => Ok(output.f_softmax(1, kind)?),
            Task::MultiLabel => independent(output.shallow_clone()),
            Task::Regression | Task::Codes => {
                let message = format!(
                    "the outputs of `{}` have no probabilities: its task is `{}`",
                    self.id,
                    self.task.name()
                );
                Err(Error::new(ErrorKind::Network, message))
            }
        }
    }

    /// Whether the network's output, `[N, outputs]`, is the one logit of two classes.
    fn is_binary(&self, output: &Tensor) -> bool {
        self.task == Task::Classes && output.size().get(1) == Some(&1)
    }

    /// The target that is the logit of a class, or the output with that index.
    pub fn class_target(&self, class: usize) -> Target {
        self.target_of_class(self.class(class), TargetValue::Logit)
    }

    /// The target that is the logit or the probability of a class; its logit, or the output, if the network has no
    /// probabilities.
    pub fn target_of_class(&self, class: ClassInfo, value: TargetValue) -> Target {
        Target {
            node: self.network.graph().output(),
            function: Function::Class(class.index, self.available(value)),
            info: class.into(),
        }
    }

    /// The target that is the difference of two classes' logits or probabilities.
    pub fn contrast_target(
        &self,
        class: ClassInfo,
        instead_of: ClassInfo,
        value: TargetValue,
    ) -> Target {
        Target {
            node: self.network.graph().output(),
            function: Function::Difference([class.index, instead_of.index], self.available(value)),
            info: TargetInfo::Contrast(ContrastInfo { class, instead_of }),
        }
    }

    /// The target that is the cosine similarity of an image's code at the layer `node` with that of the preprocessed image
    /// `reference`, `[1, C, H, W]`, which is called `like`. The code is the value of the layer, averaged over its positions.
    ///
    /// # Errors
    /// If libtorch fails, or the reference has a code of zeros, which has no direction.
    pub fn likeness_target(&self, like: &str, node: NodeId, reference: &Tensor) -> Result<Target> {
        let layer = self.layer(node).to_owned();
        Ok(Target {
            function: Function::Similarity(self.reference(like, node, reference)?),
            info: TargetInfo::Likeness(LikenessInfo {
                like: like.to_owned(),
                layer,
            }),
            node,
        })
    }

    fn reference(&self, like: &str, node: NodeId, input: &Tensor) -> Result<Reference> {
        let values = tch::no_grad(|| self.network.forward(input, &[node]))?;
        let code = self.code(node, values.value(node)?)?;
        let norm = norm(&code)?;
        if norm.f_double_value(&[0, 0])? <= SMALLEST_NORM {
            let message = format!(
                "`{}` has only zeros at `{}` for the image `{like}`: nothing can be similar to it",
                self.id,
                self.layer(node)
            );
            return Err(Error::new(ErrorKind::Network, message).help("choose another layer"));
        }
        Ok(Reference {
            input: input.shallow_clone(),
            direction: code.f_div(&norm)?,
        })
    }

    /// The code of each image from a node's value: `[N, d]`, averaged over the spatial positions.
    fn code(&self, node: NodeId, value: &Tensor) -> Result<Tensor> {
        let map = self.map(node, value)?;
        Ok(match map.dim() {
            0..=2 => map,
            _ => map
                .f_flatten(2, -1)?
                .f_mean_dim([2i64].as_slice(), false, None::<Kind>)?,
        })
    }

    fn available(&self, value: TargetValue) -> TargetValue {
        if self.task.has_probabilities() {
            value
        } else {
            TargetValue::Logit
        }
    }

    fn class_values(&self, output: &Tensor, value: TargetValue) -> Result<Tensor> {
        match value {
            TargetValue::Logit => self.class_logits(output),
            TargetValue::Probability => self.class_probabilities(output, precision(output)),
        }
    }
}

impl Target {
    /// The target's value for each image, `[N]`, from that of its node, `[N, …]`.
    ///
    /// # Errors
    /// If libtorch fails.
    pub fn values(&self, model: &LoadedModel, value: &Tensor) -> Result<Tensor> {
        match &self.function {
            Function::Class(class, of) => {
                Ok(model.class_values(value, *of)?.f_select(1, *class as i64)?)
            }
            Function::Difference([class, other], of) => {
                let values = model.class_values(value, *of)?;
                let difference = values
                    .f_select(1, *class as i64)?
                    .f_sub(&values.f_select(1, *other as i64)?)?;
                Ok(self.in_log_odds(difference, model, value, *of)?)
            }
            Function::Similarity(reference) => {
                let code = model.code(self.node, value)?;
                similarity(&code, &norm(&code)?, reference)
            }
        }
    }

    /// How strongly the network supports the target, `[N]`: the probability of a class, where there are probabilities, or
    /// else the target's value.
    ///
    /// # Errors
    /// If libtorch fails.
    pub fn scores(&self, model: &LoadedModel, value: &Tensor) -> Result<Tensor> {
        match self.function {
            Function::Class(class, _) if model.task.has_probabilities() => Ok(model
                .class_probabilities(value, precision(value))?
                .f_select(1, class as i64)?),
            _ => self.values(model, value),
        }
    }

    /// What [`values`](Self::values) are.
    pub fn quantity(&self, model: &LoadedModel) -> Quantity {
        match self.function {
            Function::Similarity(_) => Quantity::Similarity,
            _ if !model.task.has_probabilities() => Quantity::Output,
            Function::Class(_, TargetValue::Logit) => Quantity::Logit,
            Function::Class(_, TargetValue::Probability) => Quantity::Probability,
            Function::Difference(_, TargetValue::Logit) => Quantity::LogitDifference,
            Function::Difference(_, TargetValue::Probability) => Quantity::ProbabilityDifference,
        }
    }

    /// What [`scores`](Self::scores) are.
    pub fn score_quantity(&self, model: &LoadedModel) -> Quantity {
        match self.quantity(model) {
            Quantity::Logit => Quantity::Probability,
            other => other,
        }
    }

    /// The gradient of the target's value with respect to that of its node, in the node's shape.
    ///
    /// # Errors
    /// If libtorch fails.
    pub fn gradient(&self, model: &LoadedModel, value: &Tensor) -> Result<Tensor> {
        self.gradient_of(value, |value| self.values(model, value))
    }

    /// How the target's value is distributed over the values of its node, in the node's shape, as the start of a propagation
    /// of relevance. For logits and similarities the parts sum to the target's value: a logit is its own part, and a similarity
    /// is distributed over the products of the two codes. For probabilities a part is the gradient times the logit.
    ///
    /// # Errors
    /// If libtorch fails.
    pub fn parts(&self, model: &LoadedModel, value: &Tensor) -> Result<Tensor> {
        let gradient = self.gradient_of(value, |value| match &self.function {
            Function::Similarity(reference) => {
                let code = model.code(self.node, value)?;
                similarity(&code, &norm(&code)?.f_detach()?, reference)
            }
            _ => self.values(model, value),
        })?;
        Ok(gradient.f_mul(&value.f_detach()?)?)
    }

    /// The same target for another network with the same graph: the code of a reference is computed anew.
    ///
    /// # Errors
    /// If libtorch fails.
    pub fn for_model(&self, model: &LoadedModel) -> Result<Target> {
        let function = match (&self.function, &self.info) {
            (Function::Class(class, of), _) => Function::Class(*class, *of),
            (Function::Difference(classes, of), _) => Function::Difference(*classes, *of),
            (Function::Similarity(reference), info) => {
                let like = info.key();
                Function::Similarity(model.reference(&like, self.node, &reference.input)?)
            }
        };
        Ok(Target {
            info: self.info.clone(),
            node: self.node,
            function,
        })
    }

    /// The difference of the logits of two classes that share one logit is twice their log-odds; the log-odds are what
    /// decides between them.
    fn in_log_odds(
        &self,
        difference: Tensor,
        model: &LoadedModel,
        output: &Tensor,
        value: TargetValue,
    ) -> Result<Tensor> {
        if value == TargetValue::Logit && model.is_binary(output) {
            return Ok(difference.f_div_scalar(2.0)?);
        }
        Ok(difference)
    }

    fn gradient_of(
        &self,
        value: &Tensor,
        function: impl Fn(&Tensor) -> Result<Tensor>,
    ) -> Result<Tensor> {
        tch::with_grad(|| {
            let value = value.f_detach()?.f_set_requires_grad(true)?;
            let sum = function(&value)?.f_sum(None::<Kind>)?;
            let found = Tensor::f_run_backward(&[&sum], &[&value], false, false)?;
            match found.into_iter().next().filter(Tensor::defined) {
                Some(gradient) => Ok(gradient.f_detach()?),
                None => Ok(value.f_detach()?.f_zeros_like()?),
            }
        })
    }
}

/// The precision of probabilities: float64 for values in float64, or else float32.
fn precision(values: &Tensor) -> Kind {
    match values.kind() {
        Kind::Double => Kind::Double,
        _ => Kind::Float,
    }
}

/// The Euclidean norm of each row, `[N, 1]`.
fn norm(codes: &Tensor) -> Result<Tensor> {
    let squares = codes
        .f_square()?
        .f_sum_dim_intlist([1i64].as_slice(), true, None::<Kind>)?;
    Ok(squares
        .f_clamp_min(SMALLEST_NORM * SMALLEST_NORM)?
        .f_sqrt()?)
}

/// The cosine similarity of each code, `[N, d]` with the norms `[N, 1]`, with the reference: `[N]`.
fn similarity(codes: &Tensor, norms: &Tensor, reference: &Reference) -> Result<Tensor> {
    let products = codes.f_mul(&reference.direction)?;
    let sums = products.f_sum_dim_intlist([1i64].as_slice(), true, None::<Kind>)?;
    Ok(sums.f_div(norms)?.f_squeeze_dim(1)?)
}
