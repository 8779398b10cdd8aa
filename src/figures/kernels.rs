//! The results of `filters` for a whole network: the norms of each convolution's kernels.

use serde::{Deserialize, Serialize};

/// The Euclidean norms of a convolution's kernels; all of them are stored under `<model>/filters/<layer>/norms`, `[K]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KernelNorms {
    /// The node's full name.
    pub layer: String,
    /// Its depth in the network, 0 (input) to 1 (logits).
    pub depth: f64,
    /// Side of a kernel.
    pub kernel: i64,
    /// Whether each kernel reads one channel.
    pub depthwise: bool,
    /// The number of kernels.
    pub count: usize,
    /// The 5th percentile of the norms.
    pub low: f32,
    /// Their median.
    pub median: f32,
    /// Their 95th percentile.
    pub high: f32,
    /// The number of dead kernels: norm at most a thousandth of the median.
    pub dead: usize,
}
