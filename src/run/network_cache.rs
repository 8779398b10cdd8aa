//! The networks that are loaded already: what lasts from one run of a session to the next.

use std::cell::RefCell;

use tch::Device;

use crate::error::Result;
use crate::fetch;
use crate::network::Network;
use crate::plan::{PlannedModel, Source};
use crate::results::WeightsInfo;

/// Loaded networks, each under what makes its numbers. A shelf that nobody keeps holds nothing for long.
#[derive(Debug, Default)]
pub struct NetworkCache {
    loaded: RefCell<Vec<(String, Network, WeightsInfo)>>,
}

impl NetworkCache {
    /// The network under `key`, or the one that `load` gives, which then stays here.
    pub(super) fn find_or(
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

    /// How many networks stand here.
    pub fn len(&self) -> usize {
        self.loaded.borrow().len()
    }

    /// Whether none does.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What the numbers of a planned network come from. A file that has changed is another one.
///
/// # Errors
/// If its weight file can't be read.
pub(super) fn key(planned: &PlannedModel, device: Device) -> Result<String> {
    let source = match &planned.source {
        Source::Set(set) => format!("set {}", set.name),
        Source::File(path) => format!("file {} {}", path.display(), fetch::file_sha256(path)?),
        Source::Random => "random".to_owned(),
    };
    let (arch, options) = (planned.arch.name, planned.options);
    let device = super::device_name(device);
    Ok(format!("{arch} {options:?} {source} {device}"))
}
