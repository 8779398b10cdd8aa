//! What a decoder gives.

use image::RgbImage;

use crate::image::bands::Bands;

/// The samples of a file, upright.
pub(super) enum Decoded {
    /// Three colours of 8 bits.
    Rgb(RgbImage),
    /// Anything else.
    Bands(Bands),
}
