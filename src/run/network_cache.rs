//! Loaded networks, kept from one run of a session to the next.

use std::cell::RefCell;

use tch::Device;

use super::device::device_name;
use crate::error::Result;
use crate::fetch;
use crate::network::Network;
use crate::plan::{Architecture, PlannedModel, WeightsSource};
use crate::results::WeightsInfo;

/// Loaded networks, by architecture, weights and device.
#[derive(Debug, Default)]
pub struct NetworkCache {
    loaded: RefCell<Vec<(String, Network, WeightsInfo)>>,
}

impl NetworkCache {
    /// The network of `key`; if there is none, the one that `load` returns, which is then kept.
    pub(super) fn find_or_load(
        &self,
        key: String,
        load: impl FnOnce() -> Result<(Network, WeightsInfo)>,
    ) -> Result<(Network, WeightsInfo)> {
        if let Some((_, network, weights)) = self.loaded.borrow().iter().find(|l| l.0 == key) {
            return Ok((network.clone(), weights.clone()));
        }
        let (network, weights) = load()?;
        let kept = (key, network.clone(), weights.clone());
        self.loaded.borrow_mut().push(kept);
        Ok((network, weights))
    }

    /// How many networks it holds.
    pub fn len(&self) -> usize {
        self.loaded.borrow().len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The key of a planned network: everything that its parameters depend on. A weight file is part of it by its sha256.
///
/// # Errors
/// If the weight file can't be read.
pub(super) fn network_key(planned: &PlannedModel, device: Device) -> Result<String> {
    let source = match &planned.source {
        WeightsSource::Set(set) => format!("set {}", set.name),
        WeightsSource::File(path) => {
            format!("file {} {}", path.display(), fetch::file_sha256(path)?)
        }
        WeightsSource::Library(network, file) => format!("library {network} {}", file.sha256),
        WeightsSource::Random => "random".to_owned(),
    };
    let architecture = match &planned.architecture {
        Architecture::Zoo(zoo) => format!("{} {:?}", zoo.arch.name, zoo.options),
        Architecture::Exported(..) => "torch.export".to_owned(),
    };
    let device = device_name(device);
    Ok(format!("{architecture} {source} {device}"))
}
