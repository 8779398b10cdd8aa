//! Images of the collection that show where the networks differ or err.

use std::collections::BTreeSet;

use super::gallery_maps::MapMaker;
use super::predictions::{Prediction, Predictions};
use super::thumbnails::store_thumbnail;
use crate::figures::{Gallery, GalleryImage, GalleryKind, GalleryPrediction, Tensors};
use crate::plan::Plan;

/// For each network the images on which it alone is right, and its errors with the largest probabilities; then those on which two
/// networks differ most. Each has at most `count` images.
pub(super) fn galleries(
    all: &[Predictions],
    plan: &Plan,
    count: usize,
    maps: &mut MapMaker,
    tensors: &mut Tensors,
) -> Vec<Gallery> {
    let mut chosen: Vec<(GalleryKind, Option<&Predictions>, Vec<usize>)> = Vec::new();
    for (model, own) in all.iter().enumerate() {
        let alone = |image: &usize| is_alone(all, model, *image);
        let ranked = |wanted: &dyn Fn(&usize, &Prediction) -> bool| {
            let found = own.images.iter().filter(|(image, p)| wanted(image, p));
            most(found.map(|(image, p)| (*image, p.probability())), count)
        };
        let only = ranked(&|image, p| p.is_right() && alone(image));
        chosen.push((GalleryKind::OnlyRight, Some(own), only));
        let errors = ranked(&|_, p| !p.is_right());
        chosen.push((GalleryKind::ConfidentErrors, Some(own), errors));
    }
    chosen.push((
        GalleryKind::LargestDifference,
        None,
        most(differences(all).into_iter(), count),
    ));
    let mut galleries = Vec::new();
    for (kind, own, images) in chosen
        .into_iter()
        .filter(|(_, _, images)| !images.is_empty())
    {
        let images = images.into_iter();
        galleries.push(Gallery {
            kind,
            model: own.map(|own| own.model.clone()),
            images: images
                .filter_map(|image| gallery_image(all, plan, image, maps, tensors))
                .collect(),
        });
    }
    galleries
}

/// Whether all other networks know the image's class and are wrong, and there is another one.
fn is_alone(all: &[Predictions], model: usize, image: usize) -> bool {
    let mut others = all.iter().enumerate().filter(|(other, _)| *other != model);
    all.len() > 1
        && others.all(|(_, other)| other.images.get(&image).is_some_and(|p| !p.is_right()))
}

/// The images with the largest values, largest first; of equal ones in the collection's order.
fn most(images: impl Iterator<Item = (usize, f32)>, count: usize) -> Vec<usize> {
    let mut images: Vec<(usize, f32)> = images.collect();
    images.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    images.truncate(count);
    images.into_iter().map(|(image, _)| image).collect()
}

/// By how much the networks' probabilities of the true class differ at most, for images that two of them know.
fn differences(all: &[Predictions]) -> Vec<(usize, f32)> {
    let images: BTreeSet<usize> = all
        .iter()
        .flat_map(|own| own.images.keys().copied())
        .collect();
    let difference = |image: usize| {
        let known = all.iter().filter_map(|own| own.images.get(&image));
        let truths: Vec<f32> = known.map(|p| p.truth).collect();
        let highest = truths.iter().copied().fold(0.0, f32::max);
        let lowest = truths.iter().copied().fold(1.0, f32::min);
        (truths.len() > 1 && highest > lowest).then_some((image, highest - lowest))
    };
    images.into_iter().filter_map(difference).collect()
}

fn gallery_image(
    all: &[Predictions],
    plan: &Plan,
    index: usize,
    maps: &mut MapMaker,
    tensors: &mut Tensors,
) -> Option<GalleryImage> {
    let image = plan.collection.get(index)?;
    let mut known = all
        .iter()
        .filter_map(|own| Some((own, own.images.get(&index)?)));
    let class = known.next().map(|(own, p)| own.class(p.label).to_owned())?;
    let thumbnail = store_thumbnail(image, tensors);
    let predictions = all.iter().map(|own| {
        let p = own.images.get(&index)?;
        Some(GalleryPrediction {
            class: own.class(p.predicted()).to_owned(),
            probability: p.probability(),
            right: p.is_right(),
            truth: p.truth,
            map: maps.map(image, &own.model, p.predicted(), tensors),
        })
    });
    Some(GalleryImage {
        image: image.id.clone(),
        source: image.source.clone(),
        class,
        predictions: predictions.collect(),
        thumbnail,
    })
}
