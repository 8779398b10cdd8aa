//! A rectangle of an image, as a receptive field or a patch has it.

use serde::{Deserialize, Serialize};

/// A part of a picture as the network saw it, in its pixels.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, PartialEq, Eq)]
pub struct Window {
    pub left: usize,
    pub top: usize,
    pub width: usize,
    pub height: usize,
}
