//! Decodes the images of a collection in batches, on threads of their own.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::Scope;

use rayon::prelude::*;

use super::super::model::RunModel;
use crate::error::Result;
use crate::image::{Preprocess, View};
use crate::plan::PlannedImage;

/// Images that go through the networks together.
const BATCH: usize = 8;

/// Some consecutive images of a collection, decoded.
pub(super) struct DecodedBatch {
    /// The index of the first image.
    pub(super) first: usize,
    /// The views of each image, one for each distinct preprocessing, or the error that there are none.
    pub(super) images: Vec<Result<Vec<View>>>,
}

/// The distinct preprocessings of some networks.
pub(super) struct Preprocessings {
    /// Each with the channels that the network takes.
    distinct: Vec<(Preprocess, usize)>,
    /// The index of each network's preprocessing among the distinct ones.
    of_model: Vec<usize>,
}

impl Preprocessings {
    /// Those of `models`; two that give the same view of every image are one.
    pub(super) fn new(models: &[RunModel]) -> Self {
        let mut distinct: Vec<(Preprocess, usize)> = Vec::new();
        let of_model = models.iter().map(|model| {
            let (wanted, channels) = (&model.loaded.preprocess, model.loaded.channels());
            let known = distinct
                .iter()
                .position(|(other, of_other)| *of_other == channels && other.has_same_view(wanted));
            known.unwrap_or_else(|| {
                distinct.push((wanted.clone(), channels));
                distinct.len() - 1
            })
        });
        let of_model = of_model.collect();
        Preprocessings { distinct, of_model }
    }

    /// The index of a network's view among those of an image.
    pub(super) fn index(&self, model: usize) -> usize {
        self.of_model[model]
    }

    fn views(&self, image: &PlannedImage) -> Result<Vec<View>> {
        let decoded = image.decode()?;
        let views = self.distinct.iter();
        views
            .map(|(preprocess, channels)| preprocess.view_of(&decoded, *channels))
            .collect()
    }
}

/// Decodes the images from index `first` on; the next batch is decoded while the receiver uses the last one.
pub(super) fn decode_batches<'scope>(
    scope: &'scope Scope<'scope, '_>,
    images: &'scope [PlannedImage],
    first: usize,
    preprocessings: &'scope Preprocessings,
) -> Receiver<DecodedBatch> {
    let (sender, receiver) = sync_channel(1);
    scope.spawn(move || {
        for (number, batch) in images[first..].chunks(BATCH).enumerate() {
            let images = batch.par_iter().map(|image| preprocessings.views(image));
            let batch = DecodedBatch {
                first: first + number * BATCH,
                images: images.collect(),
            };
            // The receiver is gone once a pass has failed.
            if sender.send(batch).is_err() {
                return;
            }
        }
    });
    receiver
}
