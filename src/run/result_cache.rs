//! What earlier runs found, by everything the numbers hang on: a second run of the same spec, or of one
//! with a photo more, computes only what is new.

use std::path::PathBuf;

use serde::Serialize;

use super::images::PartialResults;
use crate::fetch::Cache;
use crate::figures::Tensors;
use crate::results::store;

/// PartialResults units in the cache folder, each under the hash of its fingerprint.
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
    pub fn find_or(
        &self,
        fingerprint: &str,
        compute: impl FnOnce() -> PartialResults,
    ) -> PartialResults {
        if let Some(found) = self.find(fingerprint) {
            return found;
        }
        let found = compute();
        if found.failures.is_empty() {
            self.put(fingerprint, &found);
        }
        found
    }

    /// What stands under `fingerprint`.
    pub fn find(&self, fingerprint: &str) -> Option<PartialResults> {
        let name = name(fingerprint);
        let (json, tensors) = self.read(&name)?;
        let mut found: PartialResults = serde_json::from_slice(&json).ok()?;
        found.tensors = tensors;
        tracing::debug!(name, "taken from the cache");
        Some(found)
    }

    /// Keeps `found` under `fingerprint`.
    pub fn put(&self, fingerprint: &str, found: &PartialResults) {
        self.write(&name(fingerprint), found, &found.tensors);
    }

    /// Where a pass was when it was broken off, if it was.
    pub fn mark(&self, pass: &str) -> Option<(serde_json::Value, Tensors)> {
        let (json, tensors) = self.read(&name(pass))?;
        Some((serde_json::from_slice(&json).ok()?, tensors))
    }

    /// Keeps where a pass is.
    pub fn set_mark(&self, pass: &str, mark: &impl Serialize, tensors: &Tensors) {
        self.write(&name(pass), mark, tensors);
    }

    /// Forgets a pass that is through.
    pub fn forget_mark(&self, pass: &str) {
        for end in ["json", "safetensors"] {
            let path = self.folder.join(format!("{}.{end}", name(pass)));
            // It only takes room if it stays.
            let _ = std::fs::remove_file(path);
        }
    }

    fn read(&self, name: &str) -> Option<(Vec<u8>, Tensors)> {
        let json = std::fs::read(self.folder.join(format!("{name}.json"))).ok()?;
        let bytes = std::fs::read(self.folder.join(format!("{name}.safetensors"))).ok()?;
        Some((json, store::from_safetensors(&bytes).ok()?))
    }

    /// A cache that can't be written is worth a warning and no more.
    fn write(&self, name: &str, numbers: &impl Serialize, tensors: &Tensors) {
        if self.try_write(name, numbers, tensors).is_none() {
            tracing::warn!("can't keep results in {}", self.folder.display());
        }
    }

    fn try_write(&self, name: &str, numbers: &impl Serialize, tensors: &Tensors) -> Option<()> {
        std::fs::create_dir_all(&self.folder).ok()?;
        let json = serde_json::to_vec(numbers).ok()?;
        let tensors = store::to_safetensors(tensors).ok()?;
        let (first, second) = (format!("{name}.safetensors"), format!("{name}.json"));
        let files = [(&*first, &*tensors), (&*second, &*json)];
        store::write(&self.folder, &files).ok()
    }
}

fn name(fingerprint: &str) -> String {
    let mut hasher = blake3::Hasher::new();
    // Another build may compute something else from the same words.
    hasher.update(env!("CONVSCOPE_SOURCES").as_bytes());
    hasher.update(fingerprint.as_bytes());
    hasher.finalize().to_hex().to_string()
}
