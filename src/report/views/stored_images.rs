//! Photos of the results that a section shows more than once, each stored once.

use std::collections::BTreeMap;

use super::image_store::ImageStore;
use super::pixels::photo_image;
use crate::error::Result;
use crate::figures::Tensors;

/// The photos stored so far, by their keys.
#[derive(Debug)]
pub struct StoredImages<'a> {
    tensors: &'a Tensors,
    known: BTreeMap<String, (String, [u32; 2])>,
}

impl<'a> StoredImages<'a> {
    /// None yet.
    pub fn new(tensors: &'a Tensors) -> Self {
        StoredImages {
            tensors,
            known: BTreeMap::new(),
        }
    }

    /// The id of the photo under `key`, which goes into `store` if it is not there; `None` without such a photo.
    ///
    /// # Errors
    /// If it can't be encoded.
    pub fn photo(&mut self, key: Option<&str>, store: &mut ImageStore) -> Result<Option<String>> {
        let Some(key) = key else {
            return Ok(None);
        };
        Ok(self.photo_with_size(key, store)?.map(|(id, _)| id))
    }

    /// The same with its width and its height.
    ///
    /// # Errors
    /// If it can't be encoded.
    pub fn photo_with_size(
        &mut self,
        key: &str,
        store: &mut ImageStore,
    ) -> Result<Option<(String, [u32; 2])>> {
        if let Some(known) = self.known.get(key) {
            return Ok(Some(known.clone()));
        }
        let Some(pixels) = self.tensors.get(key).and_then(photo_image) else {
            return Ok(None);
        };
        let stored = (store.small_rgb(&pixels)?, [pixels.width(), pixels.height()]);
        self.known.insert(key.to_owned(), stored.clone());
        Ok(Some(stored))
    }
}
