//! Loads the weights of a planned network: a weight set of the catalogue, a file, or random values.

use std::path::Path;

use crate::error::{Error, ErrorKind, Result};
use crate::fetch::{self, Cache, WeightSet};
use crate::network::zoo::{Arch, ArchOptions};
use crate::network::{Network, random_weights, weights};
use crate::plan::{Architecture, PlannedModel, WeightsSource};
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
    match (&planned.architecture, &planned.source) {
        (Architecture::Exported(path, exported), _) => {
            exported
                .warnings
                .iter()
                .for_each(|warning| progress.warn(warning));
            Ok((exported.network.clone(), file_info(path)?))
        }
        (Architecture::Zoo(arch, options), WeightsSource::Set(set)) => {
            load_set(planned, (arch, *options), set, cache, progress)
        }
        (Architecture::Zoo(arch, options), WeightsSource::File(path)) => {
            progress.step(&format!("{}: reading {}", planned.id, path.display()));
            Ok((weights::load(arch, *options, None, path)?, file_info(path)?))
        }
        (Architecture::Zoo(arch, options), WeightsSource::Random) => load_random(arch, *options),
    }
}

fn load_set(
    planned: &PlannedModel,
    (arch, options): (&Arch, ArchOptions),
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
    let network = weights::load(arch, options, set.format, &first.path)?;
    let info = WeightsInfo {
        name: set.name.clone(),
        source: set.source_line(),
        licence: Some(set.licence.clone()),
        sha256: fetch::combined_sha256(&files),
        note: set.note.clone(),
    };
    Ok((network, info))
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

fn load_random(arch: &Arch, options: ArchOptions) -> Result<(Network, WeightsInfo)> {
    let graph = arch.graph(options);
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
