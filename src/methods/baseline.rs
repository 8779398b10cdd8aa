//! What a picture is compared with: a plain one, or itself blurred.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::LoadedModel;
use crate::error::Result;

/// A number, or a word.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "a number, `mean`, `black`, `white` or `blurred`"
)]
pub enum Baseline {
    /// In every colour after preprocessing.
    Number(f64),
    Named(Named),
}

/// A picture without the photo's content.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Named {
    /// The mean colour of the preprocessing, which is 0 after it.
    Mean,
    Black,
    White,
    /// The picture itself: Gauss, 11 × 11 pixels, deviation 5, with the mean colour around it.
    Blurred,
}

impl Baseline {
    /// Whether it is a colour at all.
    pub fn is_finite(&self) -> bool {
        !matches!(self, Baseline::Number(number) if !number.is_finite())
    }

    /// What stands in the place of `input`, `[1, 3, H, W]`, preprocessed.
    ///
    /// # Errors
    /// If libtorch refuses.
    pub fn of(&self, input: &Tensor, subject: &LoadedModel) -> Result<Tensor> {
        let plain = |level: f64| -> Result<Tensor> {
            let (mean, std) = (&subject.preprocess.mean, &subject.preprocess.std);
            let colours = mean.iter().zip(std).map(|(mean, std)| (level - mean) / std);
            let colours: Vec<f32> = colours.map(|colour| colour as f32).collect();
            let colours = Tensor::from_slice(&colours)
                .f_view([1, 3, 1, 1])?
                .f_to_device(input.device())?;
            Ok(input.f_zeros_like()?.f_add(&colours)?)
        };
        match self {
            Baseline::Number(number) => Ok(input.f_full_like(*number)?),
            Baseline::Named(Named::Mean) => Ok(input.f_zeros_like()?),
            Baseline::Named(Named::Black) => plain(0.0),
            Baseline::Named(Named::White) => plain(1.0),
            Baseline::Named(Named::Blurred) => blurred(input),
        }
    }
}

/// `[1, 3, H, W]` blurred: Gauss, 11 × 11, deviation 5, with nothing (the mean colour) around it.
///
/// # Errors
/// If libtorch refuses.
pub fn blurred(input: &Tensor) -> Result<Tensor> {
    let bell: Vec<f32> = (-5..=5)
        .map(|x| (-f64::from(x * x) / 50.0).exp() as f32)
        .collect();
    let bell = Tensor::from_slice(&bell);
    let bell = bell
        .f_div(&bell.f_sum(Kind::Float)?)?
        .f_to_device(input.device())?;
    let kernel = |shape: [i64; 4]| bell.f_view(shape)?.f_repeat([3, 1, 1, 1]);
    let none: Option<Tensor> = None;
    let (across, down) = (kernel([1, 1, 1, 11])?, kernel([1, 1, 11, 1])?);
    Ok(input
        .f_conv2d(&across, none.as_ref(), [1, 1], [0, 5], [1, 1], 3)?
        .f_conv2d(&down, none.as_ref(), [1, 1], [5, 0], [1, 1], 3)?)
}
