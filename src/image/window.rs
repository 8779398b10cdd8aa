//! A rectangle of an image, such as a receptive field or a patch.

use serde::{Deserialize, Serialize};

/// A rectangle of a view (the image as a network sees it), in pixels of the view.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, PartialEq, Eq)]
pub struct Window {
    /// The first column.
    pub left: usize,
    /// The first row.
    pub top: usize,
    /// The number of columns.
    pub width: usize,
    /// The number of rows.
    pub height: usize,
}
