//! Results of earlier runs, found by a fingerprint of everything that they depend on: a second run of a spec, or of one
//! with a photo more, computes only what is new.

use std::path::PathBuf;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::run_output::PartialResults;
use crate::fetch::Cache;
use crate::figures::Tensors;
use crate::results::store;

/// The results in the cache folder: for each fingerprint a JSON file and a safetensors file, named by its hash.
///
/// A cache that can't be read is empty, and one that can't be written is worth a warning: no run fails because of it.
#[derive(Debug)]
pub(super) struct ResultCache {
    folder: PathBuf,
}

impl ResultCache {
    /// The results below the cache's folder.
    pub(super) fn new(cache: &Cache) -> Self {
        ResultCache {
            folder: cache.root.join("results"),
        }
    }

    /// The results of `fingerprint`, if they are stored.
    pub(super) fn find(&self, fingerprint: &str) -> Option<PartialResults> {
        let (mut found, tensors): (PartialResults, Tensors) = self.read(fingerprint)?;
        found.tensors = tensors;
        tracing::debug!(name = file_stem(fingerprint), "found in the result cache");
        Some(found)
    }

    /// Stores `results` under `fingerprint`.
    pub(super) fn store(&self, fingerprint: &str, results: &PartialResults) {
        self.write(fingerprint, results, &results.tensors);
    }

    /// A serialised value and its tensors.
    pub(super) fn read<T: DeserializeOwned>(&self, fingerprint: &str) -> Option<(T, Tensors)> {
        let stem = file_stem(fingerprint);
        let json = std::fs::read(self.folder.join(format!("{stem}.json"))).ok()?;
        let bytes = std::fs::read(self.folder.join(format!("{stem}.safetensors"))).ok()?;
        let value = serde_json::from_slice(&json).ok()?;
        Some((value, store::from_safetensors(&bytes).ok()?))
    }

    /// Stores a serialised value and its tensors.
    pub(super) fn write(&self, fingerprint: &str, value: &impl Serialize, tensors: &Tensors) {
        if self.try_write(fingerprint, value, tensors).is_none() {
            tracing::warn!("can't store results in {}", self.folder.display());
        }
    }

    fn try_write(
        &self,
        fingerprint: &str,
        value: &impl Serialize,
        tensors: &Tensors,
    ) -> Option<()> {
        std::fs::create_dir_all(&self.folder).ok()?;
        let json = serde_json::to_vec(value).ok()?;
        let tensors = store::to_safetensors(tensors).ok()?;
        let stem = file_stem(fingerprint);
        let (first, second) = (format!("{stem}.safetensors"), format!("{stem}.json"));
        let files = [(&*first, &*tensors), (&*second, &*json)];
        store::write(&self.folder, &files).ok()
    }

    /// The folder for what a long pass with this name keeps.
    pub(super) fn folder(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{}.pass", file_stem(name)))
    }
}

fn file_stem(fingerprint: &str) -> String {
    let mut hasher = blake3::Hasher::new();
    // Other sources may compute something else for the same fingerprint.
    hasher.update(env!("CONVSCOPE_SOURCES").as_bytes());
    hasher.update(fingerprint.as_bytes());
    hasher.finalize().to_hex().to_string()
}
