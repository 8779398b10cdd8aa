//! Methods that look through a large set of images: what they are shown of it, batch by batch, and
//! what they keep meanwhile, so that memory does not grow with the set and a broken-off pass can go on.

use std::path::PathBuf;

use image::RgbImage;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tch::Tensor;

use super::MethodOutput;
use crate::error::{Error, ErrorKind, Result};
use crate::figures::{ClassInfo, Tensors};
use crate::network::NodeValues;
use crate::network::graph::NodeId;
use crate::progress::Progress;

/// One image of the collection.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Unique in the collection: the file's stem.
    pub id: String,
    /// As the spec names it.
    pub source: String,
    pub path: PathBuf,
    /// Its true class, where the network knows it.
    pub label: Option<ClassInfo>,
}

/// Some images of the collection and what the network made of them; all fields have the same order.
#[derive(Debug)]
pub struct Batch<'a> {
    /// The place of the first in the collection.
    pub first: usize,
    pub members: &'a [Member],
    /// What the network saw, resized and cropped; all of one size.
    pub views: &'a [&'a RgbImage],
    /// The method's layers and the logits, `[N, …]`.
    pub values: &'a NodeValues,
}

/// What a method keeps while it looks.
#[derive(Debug, Default)]
pub struct State {
    pub numbers: serde_json::Value,
    pub tensors: Tensors,
}

impl Batch<'_> {
    /// The kept value of a node, `[N, …]`.
    ///
    /// # Errors
    /// If the node is none of the method's layers and not the logits.
    pub fn value(&self, id: NodeId) -> Result<&Tensor> {
        self.values.value(id)
    }
}

impl State {
    /// `kept` as numbers alone.
    pub fn of(kept: &impl Serialize) -> Self {
        State {
            numbers: serde_json::to_value(kept).unwrap_or_default(),
            ..State::default()
        }
    }

    /// What [`of`](Self::of) was given.
    ///
    /// # Errors
    /// If it was something else.
    pub fn kept<T: DeserializeOwned>(self) -> Result<T> {
        serde_json::from_value(self.numbers).map_err(|error| {
            Error::new(ErrorKind::Io, "can't go on from the cache").caused_by(error)
        })
    }
}

/// One method looking through the collection with one network.
pub trait Collector {
    /// Sees the next images. Batches come in the collection's order, however images were read.
    ///
    /// # Errors
    /// If libtorch refuses.
    fn see(&mut self, batch: &Batch) -> Result<()>;

    /// Everything kept so far.
    fn state(&self) -> State;

    /// Goes on from where an earlier collector was when it gave `state`.
    ///
    /// # Errors
    /// If that is not what a collector of this method gives; the pass then begins anew.
    fn go_on(&mut self, state: State) -> Result<()>;

    /// Says what it found, after the last image; `member` gives the image at a place of the collection.
    ///
    /// # Errors
    /// If libtorch refuses; the run goes on with the others.
    fn finish(
        self: Box<Self>,
        member: &dyn Fn(usize) -> Member,
        out: &mut MethodOutput,
        progress: &dyn Progress,
    ) -> Result<()>;
}
