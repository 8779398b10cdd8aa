//! The ranks of the true classes of corrupted images.

use rayon::prelude::*;
use tch::Tensor;

use super::options::Corruptions;
use super::predictions::{finite_rows, rank};
use super::rows::Rows;
use crate::error::Result;
use crate::image::RgbImage;
use crate::methods::{Batch, LoadedModel};
use crate::rng::Rng;

/// By how much a network's outputs may differ for the same image in another batch, in parts of the largest output.
const ROUNDING: f32 = 1e-3;

/// The ranks of the true classes of corrupted images, from 1.
#[derive(Debug)]
pub(super) struct CorruptedRanks<'a> {
    options: &'a Corruptions,
    /// The image's index, then a rank for each corruption and severity; ranks of 0 for an image that is not of 8-bit colours.
    pub(super) rows: Rows,
}

impl<'a> CorruptedRanks<'a> {
    /// For a network that sees colours, if any corruption is asked for.
    pub(super) fn new(options: &'a Corruptions, model: &LoadedModel) -> Option<Self> {
        let wanted = !options.kinds.is_empty() && model.channels() == 3;
        wanted.then(|| CorruptedRanks {
            options,
            rows: Rows::new("corruptions"),
        })
    }

    /// Corrupts the images of a batch that have a label and are in the share, and passes them through the network. `logits` are
    /// those of the images as they are.
    ///
    /// # Errors
    /// If libtorch fails.
    pub(super) fn observe(
        &mut self,
        model: &LoadedModel,
        batch: &Batch,
        logits: &[f32],
        classes: usize,
    ) -> Result<()> {
        let mut chosen = Vec::new();
        for (offset, member) in batch.members.iter().enumerate() {
            let label = member.label.as_ref().map(|label| label.index);
            let purpose = format!("whether {} is corrupted", member.id);
            let drawn = Rng::new(model.seed, &purpose).uniform() < self.options.share;
            if let Some(label) = label.filter(|label| drawn && *label < classes) {
                chosen.push((offset, label));
            }
        }
        if chosen.is_empty() {
            return Ok(());
        }
        let mut rows: Vec<Vec<f32>> = (chosen.iter())
            .map(|(offset, _)| vec![(batch.first + offset) as f32])
            .collect();
        let views: Vec<&RgbImage> = chosen
            .iter()
            .map(|(offset, _)| batch.views[*offset])
            .collect();
        // An image of 16 bits is drawn in 8, but the network gets something else than the picture.
        let (clean, _) = finite_rows(model, &forward(model, &views)?)?;
        let is_seen: Vec<bool> = (clean.chunks_exact(classes).zip(&chosen))
            .map(|(clean, (offset, _))| agree(clean, &logits[offset * classes..][..classes]))
            .collect();
        let (seed, members) = (model.seed, batch.members);
        for kind in &self.options.kinds {
            for severity in &self.options.severities {
                let corrupted: Vec<RgbImage> = (views.par_iter().zip(&chosen))
                    .map(|(view, (offset, _))| {
                        let id = &members[*offset].id;
                        kind.apply(view, *severity, seed, id)
                    })
                    .collect();
                let corrupted: Vec<&RgbImage> = corrupted.iter().collect();
                let (logits, _) = finite_rows(model, &forward(model, &corrupted)?)?;
                let logits = logits.chunks_exact(classes);
                for (place, (logits, (_, label))) in logits.zip(&chosen).enumerate() {
                    let rank = if is_seen[place] {
                        rank(logits, *label)
                    } else {
                        0
                    };
                    rows[place].push(rank as f32);
                }
            }
        }
        for row in rows {
            self.rows.push(&row);
        }
        Ok(())
    }
}

/// The class logits of pictures.
fn forward(model: &LoadedModel, views: &[&RgbImage]) -> Result<Tensor> {
    let input = model.input(views)?;
    let output = model.network.graph().output();
    let values = tch::no_grad(|| model.network.for_passes().forward(&input, &[output]))?;
    model.class_logits(values.value(output)?)
}

fn agree(a: &[f32], b: &[f32]) -> bool {
    let largest = a.iter().map(|value| value.abs()).fold(1.0, f32::max);
    a.iter()
        .zip(b)
        .all(|(a, b)| (a - b).abs() <= ROUNDING * largest)
}
