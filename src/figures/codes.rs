//! What `tsne` found: the codes of a collection's images by one layer, a map of them, and what it is
//! worth.

use serde::{Deserialize, Serialize};

use super::ClassInfo;

/// A layer's codes and their map.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Codes {
    /// Key of the codes, `[n, d]`.
    pub codes: String,
    /// Key of the map, `[n, 2]`: x to the right, y down, about 0.
    pub map: String,
    /// Key of the cells, `[m, 2]`: column and row, of every `every`-th image, the first among them.
    pub grid: String,
    /// Which images have a cell: 1 for all.
    pub every: usize,
    /// Key of the thumbnails, 8-bit `[n, side, side, 3]` (its first part, `_thumbnails`, is no model's
    /// id); networks that see alike share one.
    pub thumbnails: String,
    /// The images, in the order of all of these.
    pub images: Vec<Coded>,
    /// What the images are told apart by; absent where there are no labels, or too many classes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub kinds: Option<Kinds>,
    /// How many numbers a code has.
    pub dims: usize,
    /// How many principal components the map was made from, and the part of the variance in them.
    pub components: usize,
    pub share: f64,
    pub perplexity: f64,
    /// Steps of the descent.
    pub epochs: usize,
    /// The Kullback–Leibler divergence reached, in nats; 0 or more, less is better.
    pub divergence: f64,
    pub trust: Trust,
    /// Absent where the labels don't allow a vote.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub votes: Option<Votes>,
}

/// One image of a map.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Coded {
    /// Its id in the collection.
    pub id: String,
    pub label: Option<ClassInfo>,
    /// Its place among the names of [`Kinds`].
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub kind: Option<usize>,
}

/// What images are told apart by.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Kinds {
    pub by: KindsBy,
    /// Names of classes, or keys of groups: `birds` is `group.birds` in the word list.
    pub names: Vec<String>,
}

/// Whether that is their class or a group of classes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KindsBy {
    #[default]
    Class,
    Group,
}

/// Whether neighbours on the map are neighbours among the codes.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Trust {
    /// How many neighbours are asked about.
    pub neighbours: usize,
    /// 0 to 1; 1 for a map without false neighbours.
    pub value: f64,
}

/// In what share of the images the nearest others vote for the right kind, 0 to 1.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Votes {
    pub by: KindsBy,
    /// How many vote.
    pub neighbours: usize,
    /// How many images have a label.
    pub images: usize,
    /// Among the codes.
    pub codes: f64,
    /// On the map.
    pub map: f64,
    /// What naming the most frequent kind for every image would reach.
    pub chance: f64,
}
