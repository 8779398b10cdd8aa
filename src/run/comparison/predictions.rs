//! The share of images for which two networks predict the same class.

use super::statistics::{matrix, mean};
use crate::results::Results;

/// For every two networks the share of images with the same predicted class, 0 to 1; `None` without an image.
pub(super) fn prediction_agreement(results: &Results) -> Vec<Vec<Option<f64>>> {
    // By name: the same class may have different indices in two networks.
    let predicted = |model: &str, image: &str| -> Option<&str> {
        let mut predictions = results.predictions.iter();
        let found = predictions.find(|p| p.model == model && p.image == image)?;
        if !results.task(model).has_probabilities() {
            return None;
        }
        Some(&found.top.first()?.class.name)
    };
    matrix(results.models.len(), |a, b| {
        let [a, b] = [a, b].map(|index| results.models[index].id.as_str());
        mean(results.images.iter().filter_map(|image| {
            let (a, b) = (predicted(a, &image.id)?, predicted(b, &image.id)?);
            Some(f64::from(u8::from(a == b)))
        }))
    })
}
