//! Which classes, or groups of classes, are taken for which.

use std::collections::{BTreeMap, BTreeSet};

use super::predictions::Predictions;
use crate::compare::Confusion;
use crate::error::Result;
use crate::figures::{ConfusionMatrix, GroupedBy};
use crate::methods::tsne::Superclass;
use crate::network::labels::Labels;

/// The largest number of classes that have a row of their own.
const MOST: usize = 16;

/// How the classes of a network are grouped, by their names.
pub(super) struct Grouping {
    by: GroupedBy,
    names: Vec<String>,
    /// The group of each class's name, where the groups are classes.
    of: BTreeMap<String, usize>,
}

/// The grouping of the classes of all networks: each class by itself where there are few, else the eight superclasses of ImageNet.
/// `None` for many classes of another data set.
pub(super) fn grouping(all: &[Predictions]) -> Option<Grouping> {
    let mut used: BTreeSet<&str> = BTreeSet::new();
    for own in all {
        for p in own.images.values() {
            used.extend([own.class(p.label), own.class(p.predicted())]);
        }
    }
    if used.len() <= MOST {
        // In the order in which the first network that has them counts them.
        let counted = all.iter().flat_map(|own| &own.classes);
        let mut names: Vec<String> = Vec::new();
        for name in counted.filter(|name| used.contains(name.as_str())) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        let of = names.iter().cloned().zip(0..).collect();
        let by = GroupedBy::Class;
        return Some(Grouping { by, names, of });
    }
    let known = |own: &Predictions| {
        let mut images = own.images.values();
        images.all(|p| {
            [p.label, p.predicted()]
                .iter()
                .all(|class| superclass(own, *class).is_some())
        })
    };
    all.iter().all(known).then(|| Grouping {
        by: GroupedBy::Superclass,
        names: Superclass::ALL
            .map(|superclass| superclass.key().to_owned())
            .to_vec(),
        of: BTreeMap::new(),
    })
}

/// The superclass of a network's class: by its index where that is ImageNet's, because two pairs of ImageNet's classes share a name,
/// else by its name.
fn superclass(own: &Predictions, class: usize) -> Option<usize> {
    let imagenet = Labels::imagenet();
    let name = own.class(class);
    let class = if class < imagenet.len() && imagenet.name(class) == name {
        Some(class)
    } else {
        imagenet.exact(name)
    };
    class.map(|class| Superclass::for_class(class) as usize)
}

/// How often a network predicts which group for which.
///
/// # Errors
/// Never: each class has a group.
pub(super) fn confusion_matrix(
    own: &Predictions,
    confused: &Confusion,
    grouping: &Grouping,
) -> Result<ConfusionMatrix> {
    let group = |class: usize| match grouping.by {
        GroupedBy::Class => grouping.of.get(own.class(class)).copied(),
        GroupedBy::Superclass => superclass(own, class),
    };
    // Classes that no image has or is taken for may have no group.
    let groups: Vec<usize> = (0..own.classes.len())
        .map(|class| group(class).unwrap_or(0))
        .collect();
    let count = grouping.names.len();
    let mut counts = vec![vec![0; count]; count];
    for (truth, predicted, images) in confused.folded(&groups)?.entries() {
        counts[truth][predicted] += images as usize;
    }
    Ok(ConfusionMatrix {
        by: grouping.by,
        names: grouping.names.clone(),
        counts,
    })
}
