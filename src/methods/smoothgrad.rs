//! `smoothgrad`: the gradient averaged over noisy copies of the picture (Smilkov et al. 2017,
//! <https://arxiv.org/abs/1706.03825>).
//!
//! **What it shows.** Which pixels the class's logit hangs on around the photo, not only at it: what all slightly
//! changed photos have in common.
//! **How it is computed.** `samples` copies of the preprocessed picture get normal noise whose deviation is `noise` times the range of its
//! values; the mean of `∂logit/∂input` over them, `[3, H, W]`, is kept under `<key>/raw`. The map is its largest
//! magnitude over the colours, `[H, W]`, as of `saliency`.
//! **How to read it.** As saliency, with less grain.
//! **What it can't show.** Whether a pixel speaks for or against the class; and the noise is the reader's choice: more of
//! it gives a smoother map of a photo that is less and less the one asked about.
//! **Options.** `samples`, `noise`. **Cost.** `samples` forward and backward passes a class.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::{BackwardPass, Method, MethodOutput, PassCount, batched, MethodInfo, ClassMethod};
use crate::error::{Error, ErrorKind, Result};
use crate::network::graph::{Graph, NodeId};
use crate::network::node_info::NodeInfo;
use crate::rng::Rng;

/// How many copies, and how noisy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Smoothgrad {
    /// Noisy copies, 2 to 1000.
    #[schemars(range(min = 2, max = 1000))]
    pub samples: usize,
    /// Deviation of the noise as a share of the range of the picture's values, above 0.
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

impl Smoothgrad {
    /// Options that make no sense.
    ///
    /// # Errors
    /// With what would make sense.
    pub fn sensible(&self) -> Result<()> {
        if !(2..=1000).contains(&self.samples) {
            return Err(
                Error::new(ErrorKind::Network, "a mean needs more copies, or fewer")
                    .help("`samples` is 2 to 1000; 25 is usual"),
            );
        }
        if !(self.noise.is_finite() && self.noise > 0.0) {
            return Err(
                Error::new(ErrorKind::Network, "copies without noise are all the same")
                    .help("`noise` is above 0; 0.1 to 0.2 is usual"),
            );
        }
        Ok(())
    }

    /// The mean of the gradients at the noisy copies and the mean of their squares, both `[3, H, W]` in double precision.
    ///
    /// # Errors
    /// If libtorch refuses.
    pub fn moments(&self, pass: &BackwardPass) -> Result<(Tensor, Tensor)> {
        let (subject, class) = (pass.pass.subject, pass.class.index);
        let input = pass.pass.input.f_detach()?;
        let range = input.f_max()?.f_double_value(&[])? - input.f_min()?.f_double_value(&[])?;
        // The same copies for every class and network, so that maps differ by what was asked.
        let purpose = format!("noise for {}", pass.pass.image);
        let mut chance = Rng::new(subject.seed, &purpose);
        let shape = input.size();
        // Summed in double precision: a variance is a small difference of the two.
        let nothing = input.f_to_kind(Kind::Double)?.f_zeros_like()?;
        let (mut sum, mut squares) = (nothing.shallow_clone(), nothing);
        let mut left = self.samples;
        while left > 0 {
            let count = left.min(batched::batch(&input));
            let noise = chance.normal(count * input.numel(), self.noise * range);
            let noise = Tensor::from_slice(&noise)
                .f_view([count as i64, shape[1], shape[2], shape[3]])?
                .f_to_device(subject.device)?;
            let slopes = batched::slopes(subject, &input.f_add(&noise)?, class)?;
            let slopes = slopes.f_to_kind(Kind::Double)?;
            let over = Some([0i64].as_slice());
            sum = sum.f_add(&slopes.f_sum_dim_intlist(over, true, None)?)?;
            squares = squares.f_add(&slopes.f_square()?.f_sum_dim_intlist(over, true, None)?)?;
            left -= count;
        }
        let samples = self.samples as f64;
        let mean = |sum: Tensor| sum.f_div_scalar(samples)?.f_squeeze_dim(0);
        Ok((mean(sum)?, mean(squares)?))
    }
}

/// What the registry, the report and the docs say of the method.
const INFO: MethodInfo = MethodInfo {
    key: "smoothgrad",
    title: "SmoothGrad",
    summary: "the gradient's mean over noisy copies of the image (Smilkov et al. 2017)",
    read: "As saliency, but averaged over slightly noisy copies of the photo, so that what all of them have in common is clearer than the noise of a single gradient.",
    limit: "It has no sign, and how smooth it looks depends on how much noise was chosen.",
    papers: &[
        "Smilkov, D., Thorat, N., Kim, B., Viégas, F., and Wattenberg, M. (2017). SmoothGrad: removing noise by adding noise. arXiv:1706.03825",
    ],
};

impl Method for Smoothgrad {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn check(&self, _graph: &Graph, _info: &[NodeInfo], _layers: &[NodeId]) -> Result<()> {
        self.sensible()
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

    fn class_figures(
        &self,
        pass: &BackwardPass,
        _layers: &[NodeId],
        out: &mut MethodOutput,
    ) -> Result<()> {
        let (mean, _) = self.moments(pass)?;
        let key = pass.key("smoothgrad", None);
        out.tensor(&format!("{key}/raw"), &mean)?;
        let content = out.map(&key, &mean.f_abs()?.f_amax([0i64], false)?, false)?;
        out.figures.push(pass.figure("smoothgrad", None, content));
        Ok(())
    }
}
