//! What the rest of the house asks of a catalogue entry or of fetched files.

use sha2::{Digest, Sha256};

use super::{Fetched, PhotoPack, Source, WeightSet};
use crate::network::zoo;

impl WeightSet {
    /// What the set asks of its architecture's graph.
    pub fn options(&self) -> zoo::Options {
        zoo::Options {
            stride_on_1x1: self.stride_on_1x1,
            bn_eps: self.bn_eps,
            gap_head: self.gap_head,
            ..zoo::Options::default()
        }
    }

    /// Where it comes from, in half a line.
    pub fn source_line(&self) -> String {
        first_line(&self.sources)
    }

    /// Whether a package client brings it, so that it can be had wherever packages can.
    pub fn is_packaged(&self) -> bool {
        let packaged = |source: &Source| !matches!(source, Source::Url(_));
        self.sources.iter().any(packaged)
    }
}

impl PhotoPack {
    /// Where it comes from, in half a line.
    pub fn source_line(&self) -> String {
        first_line(&self.sources)
    }
}

fn first_line(sources: &[Source]) -> String {
    sources.first().map(Source::line).unwrap_or_default()
}

/// One sha256 for several files: the file's own where there is one, else over their sums in order,
/// a line each.
pub fn digest(files: &[Fetched]) -> String {
    if let [file] = files {
        return file.sha256.clone();
    }
    let mut hasher = Sha256::new();
    for file in files {
        hasher.update(file.sha256.as_bytes());
        hasher.update(b"\n");
    }
    hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
