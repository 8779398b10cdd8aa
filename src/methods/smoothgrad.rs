//! `smoothgrad`: the gradient averaged over noisy copies of the image (Smilkov et al. 2017,
//! <https://arxiv.org/abs/1706.03825>).
//!
//! **What it shows.** The pixels that the class's logit depends on in a neighbourhood of the image: what all slightly
//! changed images have in common.
//! **How it is computed.** `samples` copies of the preprocessed image get normal noise with a standard deviation of
//! `noise` times the range of its values; the mean of `∂logit/∂input` over them, `[3, H, W]`, is stored under
//! `<key>/raw`. The map is its largest magnitude over the colours, `[H, W]`, as for `saliency`.
//! **How to read it.** As saliency, with less noise.
//! **What it can't show.** It can't show whether a pixel supports the class or is evidence against it. The amount of noise
//! is a free parameter: more noise gives a smoother map of images that are less and less like the photo.
//! **Options.** `samples`, `noise`.
//! **Cost.** `samples` forward and backward passes for each class.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::batched;
use super::forward_backward::BackwardPass;
use super::method::{ClassMethod, ManyInputs, Method, MethodInfo, PassCount, ResultKind};
use super::method_output::MethodOutput;
use crate::error::Result;
use crate::network::graph::NodeId;
use crate::network::node_info::NodeInfo;
use crate::rng::Rng;

/// The number of copies, and their noise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Smoothgrad {
    /// The number of noisy copies.
    #[schemars(range(min = 2, max = 1000))]
    pub samples: usize,
    /// Standard deviation of the noise as a share of the range of the image's values.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub noise: f64,
}

impl Default for Smoothgrad {
    fn default() -> Self {
        Smoothgrad {
            samples: 25,
            noise: 0.15,
        }
    }
}

/// Facts and texts of the method.
const INFO: MethodInfo = MethodInfo {
    key: "smoothgrad",
    title: "SmoothGrad",
    summary: "the gradient's mean over noisy copies of the image (Smilkov et al. 2017)",
    read: "As saliency, but averaged over slightly noisy copies of the photo, so that what all of them have in common is clearer than the noise of a single gradient.",
    limit: "It has no sign, and how smooth it looks depends on how much noise was chosen.",
    result: ResultKind::Map,
    papers: &[
        "Smilkov, D., Thorat, N., Kim, B., Viégas, F., and Wattenberg, M. (2017). SmoothGrad: removing noise by adding noise. arXiv:1706.03825",
    ],
};

impl Smoothgrad {
    /// The mean of the gradients at the noisy copies and the mean of their squares, both `[3, H, W]` in double precision.
    ///
    /// # Errors
    /// If libtorch fails.
    pub fn moments(&self, pass: &BackwardPass) -> Result<(Tensor, Tensor)> {
        let (model, target) = (pass.model(), &pass.target);
        let input = pass.input()?;
        let range = input.f_max()?.f_double_value(&[])? - input.f_min()?.f_double_value(&[])?;
        // The same copies for every class and network, so that their maps can be compared.
        let purpose = format!("noise for {}", pass.forward.image);
        let mut rng = Rng::new(model.seed, &purpose);
        let shape = input.size();
        // In double precision: a variance is a small difference of the two sums.
        let zeros = input.f_to_kind(Kind::Double)?.f_zeros_like()?;
        let (mut sum, mut sum_of_squares) = (zeros.shallow_clone(), zeros);
        let mut remaining = self.samples;
        while remaining > 0 {
            let count = remaining.min(batched::batch_size(&input));
            let noise = rng.normal(count * input.numel(), self.noise * range);
            let noise = Tensor::from_slice(&noise)
                .f_view([count as i64, shape[1], shape[2], shape[3]])?
                .f_to_device(model.device)?;
            let gradients = batched::input_gradients(model, &input.f_add(&noise)?, target)?;
            let gradients = gradients.f_to_kind(Kind::Double)?;
            let copies = Some([0i64].as_slice());
            sum = sum.f_add(&gradients.f_sum_dim_intlist(copies, true, None)?)?;
            let squares = gradients.f_square()?;
            sum_of_squares =
                sum_of_squares.f_add(&squares.f_sum_dim_intlist(copies, true, None)?)?;
            remaining -= count;
        }
        let samples = self.samples as f64;
        let mean = |sum: Tensor| sum.f_div_scalar(samples)?.f_squeeze_dim(0);
        Ok((mean(sum)?, mean(sum_of_squares)?))
    }
}

impl Method for Smoothgrad {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn for_class(&self) -> Option<&dyn ClassMethod> {
        Some(self)
    }
}

impl ClassMethod for Smoothgrad {
    fn passes(&self, _info: &[NodeInfo], _layers: &[NodeId]) -> PassCount {
        PassCount {
            forward: self.samples,
            backward: self.samples,
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
        let (mean, _) = self.moments(pass)?;
        out.sensitivity(INFO.key, pass, &mean, Vec::new())
    }
}
