//! Palettes that let equal steps of a number look equal.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::value_scale::NO_VALUE;

/// A way from numbers to colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ColourMap {
    #[default]
    Viridis,
    Inferno,
    Magma,
    Plasma,
    /// Looks alike to readers with and without colour blindness.
    Cividis,
    /// For signed numbers: blue below zero, near white at zero, red above.
    BlueRed,
    /// Purple for below 0, orange for above.
    PurpleOrange,
    /// Green for below 0, brown for above.
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

    /// Whether it is for signed numbers.
    pub fn diverges(self) -> bool {
        matches!(
            self,
            ColourMap::BlueRed | ColourMap::PurpleOrange | ColourMap::GreenBrown
        )
    }

    /// The map a method's numbers are shown in unless it says otherwise.
    pub fn fitting(signed: bool) -> ColourMap {
        if signed {
            ColourMap::BlueRed
        } else {
            ColourMap::Viridis
        }
    }

    /// The colours of a [`Scale`](super::Scale)'s indices: 1 to 255 from the lower end to the
    /// upper, and at [`NO_VALUE`] one that the map doesn't have (white; grey in diverging ones).
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
                // Grey is no colour of a diverging map, which is near white in its middle.
                return if self.diverges() { [128; 3] } else { [255; 3] };
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
