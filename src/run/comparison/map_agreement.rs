//! How far the networks' maps agree: by method, and by image.

use super::map_pairs::MapPair;
use super::statistics::{matrix, mean};
use crate::figures::{ComparedPart, ImageAgreement, MapAgreement};
use crate::results::{ImageInfo, Results};

/// The mean similarities of the networks' maps for every method and layer.
pub(super) fn map_agreements(pairs: &[MapPair], results: &Results) -> Vec<MapAgreement> {
    let mut method_layers: Vec<(&str, &Option<String>)> = Vec::new();
    for pair in pairs {
        if !method_layers.contains(&(pair.method, &pair.layer)) {
            method_layers.push((pair.method, &pair.layer));
        }
    }
    let agreement = |(method, layer): (&str, &Option<String>)| {
        let pairs = pairs.iter();
        let pairs: Vec<&MapPair> = pairs
            .filter(|pair| pair.method == method && &pair.layer == layer)
            .collect();
        let means = |value: fn(&MapPair) -> Option<f64>| {
            matrix(results.models.len(), |a, b| {
                if a == b {
                    return Some(1.0);
                }
                let models = [a.min(b), a.max(b)];
                let pairs = pairs.iter().filter(|pair| pair.models == models);
                mean(pairs.filter_map(|pair| value(pair)))
            })
        };
        MapAgreement {
            method: method.to_owned(),
            layer: layer.clone(),
            pairs: pairs.len(),
            spearman: means(|pair| pair.spearman),
            overlap: means(|pair| pair.overlap),
            ssim: means(|pair| pair.ssim),
        }
    };
    method_layers.into_iter().map(agreement).collect()
}

/// The networks whose maps are compared over a part of the images only.
pub(super) fn compared_parts(pairs: &[MapPair], results: &Results) -> Vec<ComparedPart> {
    let mut parts: Vec<ComparedPart> = Vec::new();
    for (a, one) in results.models.iter().enumerate() {
        for (b, other) in results.models.iter().enumerate().skip(a + 1) {
            let of_both = pairs.iter().filter(|pair| pair.models == [a, b]);
            if let Some(share) = mean(of_both.filter_map(|pair| pair.share)) {
                parts.push(ComparedPart {
                    models: [one.id.clone(), other.id.clone()],
                    share,
                });
            }
        }
    }
    parts
}

/// How far the networks' maps of each image agree, by Spearman's correlation; the image with the least agreement first.
pub(super) fn image_agreements(pairs: &[MapPair], results: &Results) -> Vec<ImageAgreement> {
    let images = results.images.iter();
    let mut all: Vec<ImageAgreement> = images
        .filter_map(|image| image_agreement(pairs, results, image))
        .collect();
    all.sort_by(|a, b| a.spearman.total_cmp(&b.spearman));
    all
}

fn image_agreement(
    pairs: &[MapPair],
    results: &Results,
    image: &ImageInfo,
) -> Option<ImageAgreement> {
    let pairs: Vec<(&MapPair, f64)> = pairs
        .iter()
        .filter(|pair| pair.image == image.id)
        .filter_map(|pair| Some((pair, pair.spearman?)))
        .collect();
    let spearman = mean(pairs.iter().map(|(_, value)| *value))?;
    let (worst, lowest) = pairs.iter().min_by(|a, b| a.1.total_cmp(&b.1))?;
    let mean_with = |model: usize| {
        let pairs = pairs
            .iter()
            .filter(|(pair, _)| pair.models.contains(&model));
        mean(pairs.map(|(_, value)| *value)).map(|mean| (model, mean))
    };
    // The network whose maps differ most from the others'.
    let outlier = (0..results.models.len())
        .filter_map(mean_with)
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .filter(|_| results.models.len() > 2);
    let id = |model: usize| results.models[model].id.clone();
    Some(ImageAgreement {
        image: image.id.clone(),
        spearman,
        method: worst.method.to_owned(),
        layer: worst.layer.clone(),
        models: worst.models.map(id),
        lowest: *lowest,
        outlier: outlier.map(|(model, _)| id(model)),
    })
}
