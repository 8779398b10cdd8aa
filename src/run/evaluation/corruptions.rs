//! How often the networks are right on corrupted images, and a picture with each corruption.

use super::super::model::RunModel;
use super::super::stored_tensor::stored_floats;
use super::predictions::Predictions;
use super::shares::{interval, share};
use crate::error::Result;
use crate::figures::{Array, CorruptedAccuracy, CorruptionEvaluation, CorruptionStrip, Tensors};
use crate::image::{RgbImage, SEVERITIES};
use crate::methods::all::Evaluate;
use crate::plan::Plan;

/// The side of the part of a picture that is shown.
const SIDE: u32 = 128;

/// The accuracies on corrupted images, and the pictures; `None` where no network has any.
///
/// # Errors
/// If stored ranks are not float32.
pub(super) fn corruption_evaluation(
    all: &[Predictions],
    options: &Evaluate,
    plan: &Plan,
    models: &[RunModel],
    tensors: &mut Tensors,
) -> Result<Option<CorruptionEvaluation>> {
    let mut accuracies = Vec::new();
    let (mut first, mut skipped) = (None, 0);
    for own in all {
        let Some(records) = &own.records.corruptions else {
            continue;
        };
        let (values, [_, width]) = stored_floats(tensors, &records.tensor)?;
        let rows = || values.chunks_exact(width.max(1));
        let seen = || rows().filter(|row| row.iter().skip(1).all(|rank| *rank >= 1.0));
        skipped = skipped.max(rows().count() - seen().count());
        first = first.or_else(|| seen().next().map(|row| row[0] as usize));
        let images = seen().count();
        if images == 0 {
            continue;
        }
        let mut add = |kind: &String, severity: usize, right: usize| {
            accuracies.push(CorruptedAccuracy {
                model: own.model.clone(),
                kind: kind.clone(),
                severity,
                images,
                top1: share(right, images),
                interval: interval(right, images),
            });
        };
        let as_it_is = |row: &&[f32]| {
            let own = own.images.get(&(row[0] as usize));
            own.is_some_and(|p| p.is_right())
        };
        let unchanged = seen().filter(as_it_is).count();
        for (place, kind) in records.kinds.iter().enumerate() {
            add(kind, 0, unchanged);
            for (number, severity) in records.severities.iter().enumerate() {
                let column = 1 + place * records.severities.len() + number;
                let right = seen().filter(|row| row[column] as usize == 1).count();
                add(kind, *severity, right);
            }
        }
    }
    if accuracies.is_empty() && skipped == 0 {
        return Ok(None);
    }
    let strips = match first {
        Some(index) => strips(index, options, plan, models, tensors),
        None => Vec::new(),
    };
    Ok(Some(CorruptionEvaluation {
        accuracies,
        strips,
        skipped,
    }))
}

/// The middle of the image at `index` with each corruption in all severities; none where the file can't be read again.
fn strips(
    index: usize,
    options: &Evaluate,
    plan: &Plan,
    models: &[RunModel],
    tensors: &mut Tensors,
) -> Vec<CorruptionStrip> {
    let colour = models.iter().find(|model| model.loaded.channels() == 3);
    let Some((image, model)) = plan.collection.get(index).zip(colour) else {
        return Vec::new();
    };
    let view = image
        .decode()
        .and_then(|decoded| model.loaded.preprocess.view(&decoded.pixels));
    let Ok(view) = view else {
        return Vec::new();
    };
    let kinds = options.corruptions.kinds.iter();
    let strips = kinds.map(|kind| {
        let tensor = format!("_evaluation/corruptions/{}", kind.name());
        let severities: Vec<usize> = (0..=SEVERITIES).collect();
        let pictures = severities.iter().map(|severity| match severity {
            0 => middle(&view),
            _ => middle(&kind.apply(&view, *severity, model.loaded.seed, &image.id)),
        });
        let pictures: Vec<RgbImage> = pictures.collect();
        let (width, height) = pictures.first().map_or((0, 0), RgbImage::dimensions);
        let shape = [severities.len(), height as usize, width as usize, 3];
        let bytes = pictures.into_iter().flat_map(RgbImage::into_raw);
        tensors.insert(tensor.clone(), Array::u8(&shape, bytes.collect()));
        CorruptionStrip {
            kind: kind.name().to_owned(),
            image: image.id.clone(),
            severities,
            tensor,
        }
    });
    strips.collect()
}

fn middle(view: &RgbImage) -> RgbImage {
    let (width, height) = view.dimensions();
    let (across, down) = (width.min(SIDE), height.min(SIDE));
    image::imageops::crop_imm(
        view,
        (width - across) / 2,
        (height - down) / 2,
        across,
        down,
    )
    .to_image()
}
