//! The machine of a run: what its results may depend on besides the experiment.

use std::fmt;

use serde::{Deserialize, Serialize};
use tch::Device;

use super::device::device_name;

/// The device, and what the rounding of libtorch's arithmetic depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Machine {
    /// `cpu` or `cuda:0`.
    device: String,
    /// The processor's architecture.
    processor: String,
    /// The processor's vector instructions, of those that libtorch chooses its code by.
    features: Vec<String>,
    /// libtorch's threads.
    threads: i32,
}

impl Machine {
    /// This one.
    pub(super) fn current(device: Device) -> Self {
        Machine {
            device: device_name(device),
            processor: std::env::consts::ARCH.to_owned(),
            features: features().into_iter().map(str::to_owned).collect(),
            threads: tch::get_num_threads(),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Machine {
            device,
            processor,
            features,
            threads,
        } = self;
        write!(f, "{device}, {threads} threads, {processor}")?;
        if !features.is_empty() {
            write!(f, " with {}", features.join(" "))?;
        }
        Ok(())
    }
}

#[cfg(target_arch = "x86_64")]
fn features() -> Vec<&'static str> {
    let found = [
        ("avx2", is_x86_feature_detected!("avx2")),
        ("fma", is_x86_feature_detected!("fma")),
        ("avx512f", is_x86_feature_detected!("avx512f")),
        ("avx512bw", is_x86_feature_detected!("avx512bw")),
        ("avx512vnni", is_x86_feature_detected!("avx512vnni")),
    ];
    let found = found.into_iter().filter(|(_, found)| *found);
    found.map(|(name, _)| name).collect()
}

#[cfg(not(target_arch = "x86_64"))]
fn features() -> Vec<&'static str> {
    Vec::new()
}
