//! Where the cache has the `.pt2` files of Python libraries' networks: `exported/timm/NAME/`.
//!
//! A file has its sha256 as its name, so that a name never gets another content. An index, a small JSON file, says which file
//! belongs to a network with certain weights; it is written last. Its name is a hash of all that the file depends on, except for
//! the versions of PyTorch and the library: these are in the index, so that a file in the cache needs no Python.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::cache::{Cache, CachedFile, remove_file};
use super::checksum::{Checksum, file_sha256, hex};
use crate::error::Result;
use crate::spec::{LibraryNetwork, LibraryWeights};

/// The program that exports networks.
pub(super) const SCRIPT: &str = include_str!("../../scripts/export.py");

/// Which file of the cache is a network's.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ExportIndex {
    /// What it is: `timm:resnet18, pretrained`.
    pub network: String,
    /// The sha256 of the file, and its name.
    pub sha256: String,
    /// The versions of PyTorch and the library that made it.
    pub versions: BTreeMap<String, String>,
}

/// Where the cache has the file of a network.
pub(super) struct ExportPlace {
    /// The folder in the cache.
    pub folder: String,
    /// The path of the index.
    pub index: PathBuf,
}

impl ExportPlace {
    /// # Errors
    /// If the weight file can't be read.
    pub(super) fn new(network: &LibraryNetwork, cache: &Cache) -> Result<Self> {
        let folder = format!("exported/{}/{}", network.library.name(), network.name);
        let weights = match &network.weights {
            LibraryWeights::Pretrained | LibraryWeights::Untrained { .. } => String::new(),
            LibraryWeights::File(path) => file_sha256(path)?,
        };
        let mut hasher = Sha256::new();
        for part in [&network.to_string(), &weights, SCRIPT] {
            hasher.update(part.as_bytes());
            hasher.update([0]);
        }
        let key = &hex(&hasher.finalize())[..32];
        let index = cache.path(&folder, &format!("{key}.json"))?;
        Ok(ExportPlace { folder, index })
    }

    /// The path of the file with this sha256.
    pub(super) fn file(&self, cache: &Cache, sha256: &str) -> Result<PathBuf> {
        cache.path(&self.folder, &format!("{sha256}.pt2"))
    }

    /// The file in the cache: the one that an experiment's lock names, else the one of the index; `None` if there is none.
    ///
    /// # Errors
    /// If its content is not the one that its name says; it is then removed.
    pub(super) fn find(&self, locked: Option<&str>, cache: &Cache) -> Result<Option<CachedFile>> {
        let index = fs::read(&self.index).ok();
        let index = index.and_then(|json| serde_json::from_slice::<ExportIndex>(&json).ok());
        let indexed = index.map(|index| index.sha256);
        let names = locked.map(str::to_owned).into_iter().chain(indexed);
        for name in names.filter(|name| is_sha256(name)) {
            let path = self.file(cache, &name)?;
            if !path.is_file() {
                continue;
            }
            let sha256 = file_sha256(&path)?;
            if sha256 != name {
                remove_file(&path)?;
                let file = path.display().to_string();
                return Err(Checksum::Whole(name).mismatch(&file, &sha256));
            }
            return Ok(Some(CachedFile { path, sha256 }));
        }
        Ok(None)
    }
}

fn is_sha256(text: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.len() == 64 && text.bytes().all(is_digit)
}
