//! The filter of a resize.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The filter that computes new pixels from their neighbours; both are antialiased, as in Pillow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Interpolation {
    /// A triangle over two pixels.
    #[default]
    Bilinear,
    /// Keys' cubic convolution (1981) over four pixels, a = −½.
    Bicubic,
}
