//! The linear head for VGG-16 that is part of convscope.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::Path;

use ::safetensors::SafeTensors;

use super::format::StateDict;
use super::safetensors;
use crate::error::Result;

/// A linear head for VGG-16 on the spatial means of its last feature map (`head.weight` `[1000, 512]`, `head.bias`,
/// float16), for the weight set whose file has none. `examples/fit_vgg_head.rs` fitted it to ResNet-50's predictions for
/// photos.
pub const VGG16_HEAD: &[u8] = include_bytes!("vgg16_gap_head.safetensors");

/// The head's tensors.
///
/// # Errors
/// If the embedded file is broken.
pub(super) fn read() -> Result<StateDict> {
    let path = Path::new("the head that is part of convscope");
    safetensors::read_from(path, Cursor::new(VGG16_HEAD), VGG16_HEAD.len() as u64)
}

/// The metadata of the head: the settings with which it was fitted, by key.
pub fn vgg16_head_notes() -> BTreeMap<String, String> {
    let header = SafeTensors::read_metadata(VGG16_HEAD).ok();
    let notes = header.and_then(|(_, header)| header.metadata().clone());
    notes.into_iter().flatten().collect()
}
