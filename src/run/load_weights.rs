//! Loads the weights of a planned network: a weight set of the catalogue, a file, a library's network, or random values.

use std::path::Path;

use crate::error::{Error, ErrorKind, Result};
use crate::fetch::{self, Cache, CachedFile, WeightSet};
use crate::network::{Network, pt2, random_weights, weights};
use crate::plan::{Architecture, PlannedModel, WeightsSource, ZooNetwork};
use crate::progress::Progress;
use crate::results::WeightsInfo;
use crate::spec::LibraryWeights;

/// What the report says of untrained weights.
const UNTRAINED: &str = "Untrained: every weight is a pseudo-random number.";

/// The network with its weights on the CPU, and where they came from.
///
/// # Errors
/// If the weights can't be fetched or read, or don't fit the architecture.
pub(super) fn load_weights(
    planned: &PlannedModel,
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<(Network, WeightsInfo)> {
    match (&planned.architecture, &planned.source) {
        (Architecture::Exported(_, exported), source) => {
            exported
                .warnings
                .iter()
                .for_each(|warning| progress.warn(warning));
            Ok((
                exported.network.clone(),
                exported_info(&exported.extra, source)?,
            ))
        }
        (Architecture::Zoo(zoo), WeightsSource::Set(set)) => {
            load_set(planned, zoo, set, cache, progress)
        }
        (
            Architecture::Zoo(zoo),
            WeightsSource::File(path) | WeightsSource::Library(_, CachedFile { path, .. }),
        ) => {
            let info = file_info(path)?;
            match &zoo.network {
                Some(network) => Ok((network.clone(), info)),
                None => {
                    let loaded = weights::load(zoo.arch, zoo.options.clone(), None, path)?;
                    Ok((loaded.network, info))
                }
            }
        }
        (Architecture::Zoo(zoo), WeightsSource::Random) => load_random(zoo),
    }
}

/// The description of the weights in a `.pt2` file, which may say where they come from.
fn exported_info(extra: &pt2::Extra, source: &WeightsSource) -> Result<WeightsInfo> {
    match source {
        WeightsSource::Library(network, file) => Ok(WeightsInfo {
            name: network.weights.to_string(),
            source: extra.source_line().unwrap_or_else(|| network.to_string()),
            licence: None,
            sha256: file.sha256.clone(),
            note: match network.weights {
                LibraryWeights::Untrained { .. } => Some(UNTRAINED.into()),
                LibraryWeights::Pretrained | LibraryWeights::File(_) => None,
            },
        }),
        WeightsSource::File(path) => {
            let mut info = file_info(path)?;
            if let Some(line) = extra.source_line() {
                info.source = format!("{} ({line})", info.source);
            }
            Ok(info)
        }
        WeightsSource::Set(_) | WeightsSource::Random => {
            let message = "an exported network must come from a file";
            Err(Error::new(ErrorKind::Weights, message))
        }
    }
}

fn load_set(
    planned: &PlannedModel,
    zoo: &ZooNetwork,
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
    let loaded = weights::load(zoo.arch, zoo.options.clone(), set.format, &first.path)?;
    let info = WeightsInfo {
        name: set.name.clone(),
        source: set.source_line(),
        licence: Some(set.licence.clone()),
        sha256: fetch::combined_sha256(&files),
        note: set.note.clone(),
    };
    Ok((loaded.network, info))
}

/// The description of a weight file.
fn file_info(path: &Path) -> Result<WeightsInfo> {
    let name = path.file_name().unwrap_or_default();
    Ok(WeightsInfo {
        name: name.to_string_lossy().into_owned(),
        source: path.display().to_string(),
        licence: None,
        sha256: fetch::file_sha256(path)?,
        note: None,
    })
}

fn load_random(zoo: &ZooNetwork) -> Result<(Network, WeightsInfo)> {
    let graph = zoo.graph().into_owned();
    let parameters = random_weights::weights(&graph);
    let info = WeightsInfo {
        name: "random".into(),
        source: "convscope".into(),
        licence: None,
        sha256: String::new(),
        note: Some(UNTRAINED.into()),
    };
    Ok((Network::new(graph, parameters)?, info))
}
