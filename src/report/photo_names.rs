//! What the report calls a photo: by what it shows, where that is known, and not by the name of its file.

use std::path::Path;

use crate::results::{ImageInfo, Results};

/// The name of the photo with the id `image`: its true class, with a number where several photos have it. Its id where the class
/// is not known, or where the experiment gives it an id.
pub fn photo_name(results: &Results, image: &str) -> String {
    let Some(own) = results.images.iter().find(|own| own.id == image) else {
        return image.to_owned();
    };
    let Some(class) = class_name(own) else {
        return image.to_owned();
    };
    let same = results.images.iter();
    let same: Vec<&ImageInfo> = same
        .filter(|other| class_name(other) == Some(class))
        .collect();
    match same.iter().position(|other| other.id == image) {
        Some(number) if same.len() > 1 => format!("{class} {}", number + 1),
        _ => class.to_owned(),
    }
}

/// The name of the true class of a photo whose id comes from its file.
fn class_name(image: &ImageInfo) -> Option<&str> {
    let stem = Path::new(&image.source).file_stem()?.to_str()?;
    let from_file = image.id.starts_with(stem);
    let label = image
        .label
        .as_ref()
        .filter(|_| from_file && image.other_labels.is_empty())?;
    Some(&label.name)
}
