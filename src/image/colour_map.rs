//! Colour maps: perceptually uniform palettes of 256 colours.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::value_scale::NO_VALUE;

/// A palette that shows values as colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ColourMap {
    /// Matplotlib's default: dark violet to yellow.
    #[default]
    Viridis,
    /// Black over red to pale yellow.
    Inferno,
    /// Black over purple to pale pink.
    Magma,
    /// Blue over purple to yellow.
    Plasma,
    /// Looks alike to readers with and without colour blindness.
    Cividis,
    /// For signed values: blue below zero, near white at zero, red above.
    BlueRed,
    /// For signed values: purple below zero, orange above.
    PurpleOrange,
    /// For signed values: green below zero, brown above.
    GreenBrown,
}

impl ColourMap {
    /// Every map.
    pub const ALL: [ColourMap; 8] = [
        ColourMap::Viridis,
        ColourMap::Inferno,
        ColourMap::Magma,
        ColourMap::Plasma,
        ColourMap::Cividis,
        ColourMap::BlueRed,
        ColourMap::PurpleOrange,
        ColourMap::GreenBrown,
    ];

    /// Whether the map is diverging: for signed values, with zero in the middle.
    pub fn is_diverging(self) -> bool {
        matches!(
            self,
            ColourMap::BlueRed | ColourMap::PurpleOrange | ColourMap::GreenBrown
        )
    }

    /// The default map for signed or for unsigned values.
    pub fn for_values(signed: bool) -> ColourMap {
        if signed {
            ColourMap::BlueRed
        } else {
            ColourMap::Viridis
        }
    }

    /// The colours of the indices of a [`ValueScale`](super::ValueScale): 1 to 255 from the lower end to the
    /// upper, and at [`NO_VALUE`] a colour that the map doesn't contain (white; grey in diverging maps).
    pub fn palette(self) -> [[u8; 3]; 256] {
        let gradient = match self {
            ColourMap::Viridis => colorous::VIRIDIS,
            ColourMap::Inferno => colorous::INFERNO,
            ColourMap::Magma => colorous::MAGMA,
            ColourMap::Plasma => colorous::PLASMA,
            ColourMap::Cividis => colorous::CIVIDIS,
            ColourMap::BlueRed => colorous::RED_BLUE,
            ColourMap::PurpleOrange => colorous::PURPLE_ORANGE,
            ColourMap::GreenBrown => colorous::BROWN_GREEN,
        };
        std::array::from_fn(|index| {
            if index == usize::from(NO_VALUE) {
                // A diverging map is near white in its middle, so white would be read as zero there.
                return if self.is_diverging() {
                    [128; 3]
                } else {
                    [255; 3]
                };
            }
            let part = (index - 1) as f64 / 254.0;
            let part = match self {
                ColourMap::BlueRed | ColourMap::GreenBrown => 1.0 - part,
                _ => part,
            };
            gradient.eval_continuous(part).into_array()
        })
    }
}
