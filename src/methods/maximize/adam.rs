//! Adam (Kingma & Ba 2014, <https://arxiv.org/abs/1412.6980>) as `torch.optim.Adam(maximize=True)` computes it.

use tch::Tensor;

use crate::error::Result;

const LEARNING_RATE: f64 = 0.03;
/// The decay rates of both moments, PyTorch's defaults.
const BETAS: (f64, f64) = (0.9, 0.999);
/// Added to the denominator for numerical stability, PyTorch's default.
const EPSILON: f64 = 1e-8;

/// The state of the optimiser.
pub struct Adam {
    /// What is optimised.
    pub parameters: Tensor,
    first_moment: Tensor,
    second_moment: Tensor,
    steps: i32,
}

impl Adam {
    /// Starts at `parameters`.
    ///
    /// # Errors
    /// If libtorch fails.
    pub fn new(parameters: Tensor) -> Result<Self> {
        Ok(Adam {
            first_moment: parameters.f_zeros_like()?,
            second_moment: parameters.f_zeros_like()?,
            parameters,
            steps: 0,
        })
    }

    /// One step of ascent along `gradient`.
    ///
    /// # Errors
    /// If libtorch fails.
    pub fn step(&mut self, gradient: &Tensor) -> Result<()> {
        let (beta_1, beta_2) = BETAS;
        self.steps += 1;
        self.first_moment = self
            .first_moment
            .f_mul_scalar(beta_1)?
            .f_add(&gradient.f_mul_scalar(1.0 - beta_1)?)?;
        self.second_moment = self
            .second_moment
            .f_mul_scalar(beta_2)?
            .f_add(&gradient.f_square()?.f_mul_scalar(1.0 - beta_2)?)?;
        let mean = self
            .first_moment
            .f_div_scalar(1.0 - beta_1.powi(self.steps))?;
        let deviation = self
            .second_moment
            .f_div_scalar(1.0 - beta_2.powi(self.steps))?
            .f_sqrt()?
            .f_add_scalar(EPSILON)?;
        let step = mean.f_div(&deviation)?.f_mul_scalar(LEARNING_RATE)?;
        self.parameters = self.parameters.f_add(&step)?;
        Ok(())
    }
}
