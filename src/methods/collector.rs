//! How a method searches a collection: it observes batch after batch, and keeps a state whose size does not grow with the
//! collection's pixels and from which an interrupted pass resumes.

use std::collections::BTreeMap;
use std::sync::Arc;

use image::RgbImage;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tch::Tensor;

use super::method_output::MethodOutput;
use super::row_file::RowFile;
use crate::error::{Error, ErrorKind, Result};
use crate::figures::{ClassInfo, Tensors};
use crate::image::{DecodedImage, ImageFile};
use crate::network::NodeValues;
use crate::network::graph::NodeId;
use crate::progress::Progress;

/// An image of the collection.
#[derive(Debug, Clone, PartialEq)]
pub struct CollectionImage {
    /// Unique in the collection: the file's stem.
    pub id: String,
    /// The image as the spec names it.
    pub source: String,
    /// Where its bytes are.
    pub file: ImageFile,
    /// The bands that its picture is drawn from, counted from 1; empty for the default.
    pub show: Vec<usize>,
    /// Its true class, if the network knows it.
    pub label: Option<ClassInfo>,
    /// The indices of all its true classes that the network knows.
    pub labels: Vec<usize>,
    /// The columns of the CSV that names it and its texts there, without empty ones.
    pub groups: Vec<(Arc<str>, Arc<str>)>,
}

impl CollectionImage {
    /// Reads the image again.
    ///
    /// # Errors
    /// If it can't be read or decoded.
    pub fn decode(&self) -> Result<DecodedImage> {
        self.file.decode(&self.source, &self.show)
    }
}

/// Images of the collection that were evaluated together. All fields have the same order.
#[derive(Debug)]
pub struct Batch<'a> {
    /// The index of the first image in the collection; the others follow it there.
    pub first: usize,
    /// The images.
    pub members: &'a [CollectionImage],
    /// The images resized and cropped for the network, all of one size.
    pub views: &'a [&'a RgbImage],
    /// The values of the method's layers and the logits, `[N, …]`.
    pub values: &'a NodeValues,
}

impl Batch<'_> {
    /// The value of one of the method's layers, or the logits, `[N, …]`.
    ///
    /// # Errors
    /// If the node is neither.
    pub fn value(&self, id: NodeId) -> Result<&Tensor> {
        self.values.value(id)
    }
}

/// What a collector has gathered, as it is stored in a checkpoint.
#[derive(Debug, Default)]
pub struct CollectorState {
    /// Everything that is no tensor.
    pub values: serde_json::Value,
    /// Tensors by key.
    pub tensors: Tensors,
    /// Files of rows by key.
    pub rows: BTreeMap<String, RowFile>,
}

impl CollectorState {
    /// A state without tensors.
    pub fn from_values(values: &impl Serialize) -> Self {
        CollectorState {
            values: serde_json::to_value(values).unwrap_or_default(),
            ..CollectorState::default()
        }
    }

    /// The values that [`from_values`](Self::from_values) was given.
    ///
    /// # Errors
    /// If they are of another type.
    pub fn parse_values<T: DeserializeOwned>(&self) -> Result<T> {
        let message = "the cache holds no state of this method";
        T::deserialize(&self.values)
            .map_err(|error| Error::new(ErrorKind::Io, message).caused_by(error))
    }
}

/// A method's pass over the collection with one network.
pub trait Collector {
    /// Observes the next images. Batches come in the collection's order.
    ///
    /// # Errors
    /// If libtorch fails.
    fn observe(&mut self, batch: &Batch) -> Result<()>;

    /// Everything gathered so far.
    fn state(&self) -> CollectorState;

    /// Continues from the state of an earlier collector.
    ///
    /// # Errors
    /// If it is no state of this method; the pass then begins with the first image.
    fn resume(&mut self, state: CollectorState) -> Result<()>;

    /// Adds what another collector of the same method and network gathered from the images that follow. The result is,
    /// to the last bit, that of one collector that observed all of them, if the images were split at the border of a
    /// [block](crate::compare::BLOCK).
    ///
    /// # Errors
    /// If it is no state of this method.
    fn append(&mut self, later: CollectorState) -> Result<()>;

    /// Adds the figures to `out` after the last image. `member` returns the image at an index of the collection.
    ///
    /// # Errors
    /// If libtorch fails; the run goes on with the other methods.
    fn finish(
        self: Box<Self>,
        member: &dyn Fn(usize) -> CollectionImage,
        out: &mut MethodOutput,
        progress: &dyn Progress,
    ) -> Result<()>;
}
