//! What `skip_connections` found at one residual block: plain numbers, and the keys of its two maps.

use serde::{Deserialize, Serialize};

use super::ClassInfo;

/// A residual block on one picture, asked about one class: the shortcut x, the branch F(x), and the sum.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ResidualBlock {
    /// The full name of the node that adds the two.
    pub add: String,
    /// The sum's place in the network, from 0 (input) to 1 (logits).
    pub depth: f64,
    /// `[channels, height, width]` of both sides and of the sum.
    pub shape: [i64; 3],
    /// Whether the shortcut has a convolution of its own, because the block changes the shape; else it
    /// hands its input on as it is.
    pub projection: bool,
    /// |F(x)| / |x|, Euclidean norms over all values; absent where the shortcut is silent.
    pub norm_ratio: Option<f32>,
    /// The cosine of F(x) and x, −1 to 1; absent where one of them is silent.
    pub cosine: Option<f32>,
    /// When only x goes on.
    pub branch_cut: Cut,
    /// When only F(x) goes on.
    pub shortcut_cut: Cut,
    /// Of the class's gradient where the block begins; absent where that gradient is 0.
    pub gradient: Option<Shares>,
    /// The same for the gradient at the picture.
    pub picture_gradient: Option<Shares>,
    /// Keys of the two energy maps, `[height, width]`; absent where none were asked for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub maps: Option<SideMaps>,
}

/// What the network says with one side of a block cut.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Cut {
    /// Of the class asked about.
    pub logit: f32,
    /// Of the class asked about: softmax over all classes, 0 to 1.
    pub probability: f32,
    /// The network's first choice now.
    pub first: ClassInfo,
}

/// How a gradient splits into what came over the shortcut and what came through the branch.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Shares {
    /// ⟨g_shortcut, g⟩ / |g|². With `branch` it makes 1; above 1 the branch pulls the other way.
    pub shortcut: f32,
    /// ⟨g_branch, g⟩ / |g|².
    pub branch: f32,
}

/// Where in the picture the two sides are strong: at each place the Euclidean norm over the channels.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SideMaps {
    pub shortcut: String,
    pub branch: String,
}
