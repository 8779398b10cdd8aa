//! Corruptions of pictures in five severities, with the names and parameters of ImageNet-C (Hendrycks & Dietterich 2019,
//! <https://arxiv.org/abs/1903.12261>): one file for each, and a line in the list below.
//!
//! They are applied to pictures after resizing and cropping, as ImageNet-C's are, and lengths are in pixels whatever the picture's size.
//! ImageNet-C stores its pictures as JPEG of quality 85 afterwards; here nothing is stored. Four of its fifteen are not there: frost
//! needs photographs, motion blur and snow ImageMagick's motion blur, and the elastic transform OpenCV's fixed-point warp.

mod fractal;
mod samples;
mod smoothing;

use ::image::RgbImage;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::rng::Rng;

/// How many severities each corruption has, counted from 1.
pub const SEVERITIES: usize = 5;

/// Declares the module of each corruption and makes [`Corruption`] from the list.
macro_rules! corruptions {
    ($($(#[$about:meta])* $name:ident => $module:ident),* $(,)?) => {
        $(mod $module;)*

        /// A corruption of ImageNet-C, by its name there.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum Corruption {
            $($(#[$about])* $name),*
        }

        impl Corruption {
            /// All of them, in ImageNet-C's order.
            pub const ALL: &'static [Corruption] = &[$(Corruption::$name),*];

            /// Its name in ImageNet-C.
            pub fn name(self) -> &'static str {
                match self {
                    $(Corruption::$name => stringify!($module)),*
                }
            }

            /// The function that corrupts a picture with an index of severity from 0.
            fn function(self) -> fn(&RgbImage, usize, &mut Rng) -> RgbImage {
                match self {
                    $(Corruption::$name => $module::corrupt),*
                }
            }
        }
    };
}

corruptions! {
    /// Normal noise, added to each value.
    GaussianNoise => gaussian_noise,
    /// Poisson noise: few photons.
    ShotNoise => shot_noise,
    /// Values that are black or white.
    ImpulseNoise => impulse_noise,
    /// A disk for each point.
    DefocusBlur => defocus_blur,
    /// Pixels exchanged with neighbours, between two blurs.
    GlassBlur => glass_blur,
    /// The mean of enlarged copies.
    ZoomBlur => zoom_blur,
    /// A fractal cloud before the picture.
    Fog => fog,
    /// More light.
    Brightness => brightness,
    /// Less contrast.
    Contrast => contrast,
    /// Large pixels.
    Pixelate => pixelate,
    /// JPEG of low quality.
    JpegCompression => jpeg_compression,
}

impl Corruption {
    /// The picture with this corruption. `severity` is 1 to [`SEVERITIES`]; others are taken as the nearest of these. Random ones
    /// depend on `seed` and `id` alone, so that a picture is corrupted in the same way wherever it is met.
    pub fn apply(self, pixels: &RgbImage, severity: usize, seed: u64, id: &str) -> RgbImage {
        if pixels.width() == 0 || pixels.height() == 0 {
            return pixels.clone();
        }
        let severity = severity.clamp(1, SEVERITIES);
        let purpose = format!("{} {severity} of {id}", self.name());
        let mut rng = Rng::new(seed, &purpose);
        self.function()(pixels, severity - 1, &mut rng)
    }
}
