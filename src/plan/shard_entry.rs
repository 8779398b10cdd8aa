//! An entry of `images` or `collection` that names tar files.

use std::path::Path;

use super::image_entry::{ImageEntry, inferred_label};
use super::planned_image::{ImageLabel, PlannedImage};
use super::shard_paths::shard_paths;
use crate::error::{Error, ErrorKind, Result};
use crate::image::{ShardImage, shard_images};

impl ImageEntry<'_> {
    /// Every image of some tar files, in their order, with the class of its sample or the one that its name suggests.
    pub(super) fn shard_images(&self, pattern: &Path) -> Result<Vec<PlannedImage>> {
        let locate = |error| self.locate("tar", error);
        let paths = shard_paths(pattern, |path| self.origin.resolve(path)).map_err(locate)?;
        let mut planned = Vec::new();
        for path in paths {
            let full = self.origin.resolve(&path);
            if !full.is_file() {
                let message = format!("there is no tar file {}", full.display());
                let error = Error::new(ErrorKind::Spec, message).help(self.origin.paths_help());
                return Err(locate(error));
            }
            let images =
                shard_images(&full).map_err(|error| locate(error.with_kind(ErrorKind::Spec)))?;
            planned.extend(
                images
                    .into_iter()
                    .map(|image| self.shard_image(&path, image)),
            );
        }
        Ok(planned)
    }

    fn shard_image(&self, shard: &Path, image: ShardImage) -> PlannedImage {
        let label = match image.class {
            Some(class) => Some(ImageLabel::Named(class)),
            None => inferred_label(&image.name),
        };
        let source = format!("{}: {}", shard.display(), image.name.display());
        PlannedImage {
            labels: label.into_iter().collect(),
            entry: self.index,
            file: image.file,
            ..PlannedImage::file(image.name, source)
        }
    }
}
