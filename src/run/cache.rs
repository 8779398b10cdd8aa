//! What earlier runs found, by everything the numbers hang on: a second run of the same spec, or of one
//! with a photo more, computes only what is new.

use std::path::PathBuf;

use super::passes::Found;
use crate::fetch::Cache;
use crate::results::store;

/// Found units in the cache folder, each under the hash of its fingerprint.
#[derive(Debug)]
pub struct Units {
    folder: PathBuf,
}

impl Units {
    /// Below the cache's own folder.
    pub fn new(cache: &Cache) -> Self {
        Units {
            folder: cache.root.join("results"),
        }
    }

    /// What stands under `fingerprint`, or what `compute` finds, which is then kept if nothing in
    /// it failed. A cache that can't be read or written is no reason to fail.
    pub fn find_or(&self, fingerprint: &str, compute: impl FnOnce() -> Found) -> Found {
        let mut hasher = blake3::Hasher::new();
        // Another build may compute something else from the same words.
        hasher.update(env!("CONVSCOPE_SOURCES").as_bytes());
        hasher.update(fingerprint.as_bytes());
        let name = hasher.finalize().to_hex().to_string();
        if let Some(found) = self.read(&name) {
            tracing::debug!(name, "taken from the cache");
            return found;
        }
        let found = compute();
        if found.failures.is_empty() && self.write(&name, &found).is_none() {
            tracing::warn!("can't keep results in {}", self.folder.display());
        }
        found
    }

    fn read(&self, name: &str) -> Option<Found> {
        let json = std::fs::read(self.folder.join(format!("{name}.json"))).ok()?;
        let mut found: Found = serde_json::from_slice(&json).ok()?;
        let bytes = std::fs::read(self.folder.join(format!("{name}.safetensors"))).ok()?;
        found.tensors = store::from_safetensors(&bytes).ok()?;
        Some(found)
    }

    fn write(&self, name: &str, found: &Found) -> Option<()> {
        std::fs::create_dir_all(&self.folder).ok()?;
        let json = serde_json::to_vec(found).ok()?;
        let tensors = store::to_safetensors(&found.tensors).ok()?;
        let files = [
            (format!("{name}.safetensors"), tensors),
            (format!("{name}.json"), json),
        ];
        let files: Vec<(&str, &[u8])> = files
            .iter()
            .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
            .collect();
        store::write(&self.folder, &files).ok()
    }
}
