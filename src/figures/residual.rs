//! The results of `skip_connections` for a residual block: scalars, and the keys of its two energy maps.

use serde::{Deserialize, Serialize};

use super::ClassInfo;

/// A residual block for one image and one class: the shortcut x, the branch F(x), and their sum.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ResidualBlock {
    /// The full name of the node that adds the two.
    pub add: String,
    /// The depth of that node, 0 (input) to 1 (logits).
    pub depth: f64,
    /// `[channels, height, width]` of x, F(x) and their sum.
    pub shape: [i64; 3],
    /// Whether the shortcut is a projection (a convolution, because the block changes the shape), not the identity.
    pub projection: bool,
    /// ‖F(x)‖ / ‖x‖, Euclidean norms over all values; absent where x is 0.
    pub norm_ratio: Option<f32>,
    /// The cosine of F(x) and x, −1 to 1; absent where one of them is 0.
    pub cosine: Option<f32>,
    /// The prediction with the sum replaced by x.
    #[serde(rename = "branch_cut")]
    pub without_branch: AblatedPrediction,
    /// The prediction with the sum replaced by F(x).
    #[serde(rename = "shortcut_cut")]
    pub without_shortcut: AblatedPrediction,
    /// How the logit's gradient at the block's input splits between the two paths; absent where that gradient is 0.
    pub gradient: Option<GradientShares>,
    /// The same for the gradient at the network's input.
    #[serde(rename = "picture_gradient")]
    pub input_gradient: Option<GradientShares>,
    /// Keys of the two energy maps, `[height, width]`; absent unless the option `maps` is set.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub maps: Option<EnergyMaps>,
}

/// The network's prediction with one path of a residual block removed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AblatedPrediction {
    /// The target's value: a class's logit, or what the figure's quantity says.
    #[serde(rename = "logit")]
    pub value: f32,
    /// The class's probability, 0 to 1; absent for a target that has none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub probability: Option<f32>,
    /// The class with the largest logit; absent for a network without classes.
    #[serde(rename = "first", skip_serializing_if = "Option::is_none", default)]
    pub top_class: Option<ClassInfo>,
}

/// How a gradient g splits into g_shortcut + g_branch: the projection of each onto g. They sum to 1.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct GradientShares {
    /// ⟨g_shortcut, g⟩ / ‖g‖². Above 1 where the branch's gradient points against g.
    pub shortcut: f32,
    /// ⟨g_branch, g⟩ / ‖g‖².
    pub branch: f32,
}

/// Keys of the energy maps of both paths: the Euclidean norm over the channels at each spatial position.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EnergyMaps {
    /// Key of the map of x.
    pub shortcut: String,
    /// Key of the map of F(x).
    pub branch: String,
}
