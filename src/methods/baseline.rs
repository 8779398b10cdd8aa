//! Baselines: the image that an attribution compares with, a constant one or the image blurred.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::loaded_model::LoadedModel;
use crate::error::Result;

/// A number, or the name of an image.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "a number, `mean`, `black`, `white` or `blurred`"
)]
pub enum Baseline {
    /// The value of every colour after preprocessing.
    Number(f64),
    /// An image by name.
    Named(NamedBaseline),
}

/// An image without the content of the photo.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum NamedBaseline {
    /// The mean colour of the preprocessing, which is 0 after it.
    Mean,
    /// Black.
    Black,
    /// White.
    White,
    /// The image blurred by a Gaussian of 11 × 11 pixels with standard deviation 5, with the mean colour around it.
    Blurred,
}

impl Baseline {
    /// The baseline of `input`, `[1, C, H, W]`, preprocessed, in the same shape.
    ///
    /// # Errors
    /// If libtorch fails.
    pub fn image(&self, input: &Tensor, model: &LoadedModel) -> Result<Tensor> {
        let constant = |level: f64| -> Result<Tensor> {
            let (mean, std) = (&model.preprocess.mean, &model.preprocess.std);
            let colours = mean.iter().zip(std).map(|(mean, std)| (level - mean) / std);
            let colours: Vec<f32> = colours.map(|colour| colour as f32).collect();
            let colours = Tensor::from_slice(&colours)
                .f_view([1, -1, 1, 1])?
                .f_to_device(input.device())?;
            Ok(input.f_zeros_like()?.f_add(&colours)?)
        };
        match self {
            Baseline::Number(number) => Ok(input.f_full_like(*number)?),
            Baseline::Named(NamedBaseline::Mean) => Ok(input.f_zeros_like()?),
            Baseline::Named(NamedBaseline::Black) => constant(0.0),
            Baseline::Named(NamedBaseline::White) => constant(1.0),
            Baseline::Named(NamedBaseline::Blurred) => blurred(input),
        }
    }
}

/// `input`, `[1, C, H, W]`, blurred by a Gaussian of 11 × 11 pixels with standard deviation 5, with 0 (the mean colour)
/// around it.
///
/// # Errors
/// If libtorch fails.
pub fn blurred(input: &Tensor) -> Result<Tensor> {
    let gaussian: Vec<f32> = (-5..=5)
        .map(|x| (-f64::from(x * x) / 50.0).exp() as f32)
        .collect();
    let gaussian = Tensor::from_slice(&gaussian);
    let gaussian = gaussian
        .f_div(&gaussian.f_sum(Kind::Float)?)?
        .f_to_device(input.device())?;
    // One kernel for each channel.
    let channels = input.size().get(1).copied().unwrap_or(1);
    let kernel = |shape: [i64; 4]| gaussian.f_view(shape)?.f_repeat([channels, 1, 1, 1]);
    let no_bias: Option<Tensor> = None;
    let (horizontal, vertical) = (kernel([1, 1, 1, 11])?, kernel([1, 1, 11, 1])?);
    Ok(input
        .f_conv2d(
            &horizontal,
            no_bias.as_ref(),
            [1, 1],
            [0, 5],
            [1, 1],
            channels,
        )?
        .f_conv2d(
            &vertical,
            no_bias.as_ref(),
            [1, 1],
            [5, 0],
            [1, 1],
            channels,
        )?)
}
