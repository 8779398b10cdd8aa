//! Loads the weights of a planned network: a weight set of the catalogue, a file, or random values.

use std::path::Path;

use crate::error::{Error, ErrorKind, Result};
use crate::fetch::{self, Cache, WeightSet};
use crate::network::{Network, random_weights, weights};
use crate::plan::{PlannedModel, WeightsSource};
use crate::progress::Progress;
use crate::results::WeightsInfo;

/// The network with its weights on the CPU, and where they came from.
///
/// # Errors
/// If the weights can't be fetched or read, or don't fit the architecture.
pub(super) fn load_weights(
    planned: &PlannedModel,
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<(Network, WeightsInfo)> {
    match &planned.source {
        WeightsSource::Set(set) => load_set(planned, set, cache, progress),
        WeightsSource::File(path) => load_file(planned, path, progress),
        WeightsSource::Random => load_random(planned),
    }
}

fn load_set(
    planned: &PlannedModel,
    set: &WeightSet,
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<(Network, WeightsInfo)> {
    let files = fetch::fetch_weights(set, cache, progress)?;
    progress.step(&format!(
        "{}: reading {} {}",
        planned.id, set.arch, set.name
    ));
    let Some(first) = files.first() else {
        let message = format!("the weight set `{}` has no files", set.name);
        return Err(Error::new(ErrorKind::Weights, message));
    };
    let network = weights::load(planned.arch, planned.options, set.format, &first.path)?;
    let info = WeightsInfo {
        name: set.name.clone(),
        source: set.source_line(),
        licence: Some(set.licence.clone()),
        sha256: fetch::combined_sha256(&files),
        note: set.note.clone(),
    };
    Ok((network, info))
}

fn load_file(
    planned: &PlannedModel,
    path: &Path,
    progress: &dyn Progress,
) -> Result<(Network, WeightsInfo)> {
    progress.step(&format!("{}: reading {}", planned.id, path.display()));
    let network = weights::load(planned.arch, planned.options, None, path)?;
    let name = path.file_name().unwrap_or_default();
    let info = WeightsInfo {
        name: name.to_string_lossy().into_owned(),
        source: path.display().to_string(),
        licence: None,
        sha256: fetch::file_sha256(path)?,
        note: None,
    };
    Ok((network, info))
}

fn load_random(planned: &PlannedModel) -> Result<(Network, WeightsInfo)> {
    let graph = planned.arch.graph(planned.options);
    let parameters = random_weights::weights(&graph);
    let info = WeightsInfo {
        name: "random".into(),
        source: "convscope".into(),
        licence: None,
        sha256: String::new(),
        note: Some("Untrained: every weight is a pseudo-random number.".into()),
    };
    Ok((Network::new(graph, parameters)?, info))
}
