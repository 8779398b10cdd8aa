//! The options of `exemplars`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::methods::unit_selection::Units;
use crate::network::LayerSelector;

/// The layers and units, and how many patches of each unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Exemplars {
    /// The layers whose units are shown, by selector.
    #[schemars(length(min = 1))]
    pub layers: Vec<LayerSelector>,
    /// How many units of each layer (drawn with the seed), which ones, or those of a class.
    pub units: Units,
    /// The largest number of patches for each unit, 1 to 100.
    #[schemars(range(min = 1, max = 100))]
    pub top: usize,
    /// The largest number of patches from one image, 1 to 100.
    #[schemars(range(min = 1, max = 100))]
    pub per_image: usize,
    /// Steps of gradient ascent for an image of each unit (see `maximize`), at most 10000; 0 for no image.
    #[schemars(range(max = 10000))]
    pub maximize: u32,
}

impl Default for Exemplars {
    fn default() -> Self {
        let layers = ["stage3", "stage4"];
        Exemplars {
            layers: layers.map(|name| LayerSelector(name.into())).to_vec(),
            units: Units::Drawn(4),
            top: 9,
            per_image: 1,
            maximize: 128,
        }
    }
}
