//! How far a map can be trusted: what the checks found of every map, and of two that know nothing of the
//! network, so that a number has something to stand against.

use serde::{Deserialize, Serialize};

use super::ClassInfo;

/// What the checks found of one map.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CheckedMap {
    pub model: String,
    pub image: String,
    /// The class whose probability was followed.
    pub class: ClassInfo,
    pub of: Map,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub curves: Option<Curves>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub drop: Option<Drop>,
    /// How far it moved while the network was made to forget, from the top.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub randomised: Vec<Randomised>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pointing: Option<Pointing>,
}

/// Which map it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Map {
    /// A method's.
    Method {
        name: String,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        layer: Option<String>,
    },
    /// A coarse one drawn with the seed.
    Random,
    /// A blob in the middle of the picture.
    Centre,
}

/// The class's probability while pixels go, and while they come, the map's brightest first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Curves {
    /// From the whole picture to none of it, in even steps.
    pub deletion: Vec<f32>,
    /// From the blurred picture to the whole.
    pub insertion: Vec<f32>,
    /// Area below each, 0 to 1.
    pub deletion_area: f64,
    pub insertion_area: f64,
}

/// The class's probability when the picture is dimmed by the map.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Drop {
    pub whole: f32,
    pub dimmed: f32,
}

impl Drop {
    /// The share of the probability that is lost, 0 to 1; 0 where it rises.
    pub fn share(&self) -> f64 {
        let (whole, dimmed) = (f64::from(self.whole), f64::from(self.dimmed));
        match whole > 0.0 {
            true => ((whole - dimmed) / whole).max(0.0),
            false => 0.0,
        }
    }
}

/// The map when a part of the network has random weights.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Randomised {
    /// What lost its weights last, with all above it: `classifier`, or a resolution (`7 × 7`).
    pub down_to: String,
    /// Rank correlation of the magnitudes with those of the map as it was; absent where one of them is flat.
    pub spearman: Option<f64>,
    pub ssim: Option<f64>,
}

/// Whether the map points to where the picture shows its class.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Pointing {
    /// Whether its brightest place lies inside (15 pixels of 224 beside it still count).
    pub hit: bool,
    /// The share of what is positive in it that lies inside, 0 to 1.
    pub energy: f64,
    /// The share of the picture that is inside: the energy of an even map.
    pub area: f64,
}
