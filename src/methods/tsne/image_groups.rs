//! The groups by which the images of a map are coloured.

use std::collections::BTreeMap;

use super::superclasses::Superclass;
use crate::figures::{CodedImage, GroupedBy, ImageGroups};
use crate::network::labels::Labels;

/// The largest number of classes with colours that are easy to tell apart.
const MAX_CLASSES: usize = 8;

/// Sets each image's group: its class if there are at most eight, else its superclass if `labels` are ImageNet's. `None`
/// if there are no labels, or too many classes of another data set.
pub(super) fn group_images(images: &mut [CodedImage], labels: &Labels) -> Option<ImageGroups> {
    let mut classes = BTreeMap::new();
    for label in images.iter().filter_map(|image| image.label.as_ref()) {
        classes.insert(label.index, label.name.clone());
    }
    if classes.is_empty() {
        return None;
    }
    if classes.len() <= MAX_CLASSES {
        let order: Vec<usize> = classes.keys().copied().collect();
        for image in images {
            let label = image.label.as_ref();
            image.group = label.and_then(|label| order.binary_search(&label.index).ok());
        }
        return Some(ImageGroups {
            by: GroupedBy::Class,
            names: classes.into_values().collect(),
        });
    }
    if *labels != Labels::imagenet() {
        return None;
    }
    for image in images {
        let label = image.label.as_ref();
        image.group = label.map(|label| Superclass::for_class(label.index) as usize);
    }
    Some(ImageGroups {
        by: GroupedBy::Superclass,
        names: Superclass::ALL
            .map(|superclass| superclass.key().to_owned())
            .to_vec(),
    })
}
