//! The groups by which the images of a map are coloured.

use std::collections::BTreeMap;

use super::superclasses::Superclass;
use crate::figures::{CodedImage, GroupedBy, ImageGroups};
use crate::network::labels::Labels;

/// The largest number of classes with colours that are easy to tell apart.
const MAX_CLASSES: usize = 8;

/// The groups of some classes.
pub(in crate::methods) struct ClassGroups {
    pub groups: ImageGroups,
    /// The index of each class's group.
    pub of_class: BTreeMap<usize, usize>,
}

/// The groups of `classes`, names by index: the classes themselves if there are at most eight, else their superclasses if
/// `labels` are ImageNet's. `None` if there are no classes, or too many of another data set.
pub(in crate::methods) fn class_groups(
    classes: &BTreeMap<usize, String>,
    labels: &Labels,
) -> Option<ClassGroups> {
    if classes.is_empty() {
        return None;
    }
    if classes.len() <= MAX_CLASSES {
        return Some(ClassGroups {
            groups: ImageGroups {
                by: GroupedBy::Class,
                names: classes.values().cloned().collect(),
            },
            of_class: classes.keys().copied().zip(0..).collect(),
        });
    }
    if *labels != Labels::imagenet() {
        return None;
    }
    let superclass = |class: &usize| (*class, Superclass::for_class(*class) as usize);
    Some(ClassGroups {
        groups: ImageGroups {
            by: GroupedBy::Superclass,
            names: Superclass::ALL
                .map(|superclass| superclass.key().to_owned())
                .to_vec(),
        },
        of_class: classes.keys().map(superclass).collect(),
    })
}

/// Sets each image's group: see [`class_groups`].
pub(super) fn group_images(images: &mut [CodedImage], labels: &Labels) -> Option<ImageGroups> {
    let mut classes = BTreeMap::new();
    for label in images.iter().filter_map(|image| image.label.as_ref()) {
        classes.insert(label.index, label.name.clone());
    }
    let found = class_groups(&classes, labels)?;
    for image in images {
        let label = image.label.as_ref();
        image.group = label.and_then(|label| found.of_class.get(&label.index).copied());
    }
    Some(found.groups)
}
