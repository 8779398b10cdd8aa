//! Evaluates the networks on the collection, from what the method `evaluate` collected of each.

use std::collections::{BTreeMap, BTreeSet};

use super::stored_tensor::stored_floats;
use crate::compare::{
    Calibration, Confusion as ConfusedClasses, cohen_kappa, error_consistency, mcnemar_exact,
    wilson_interval,
};
use crate::error::Result;
use crate::figures::{
    Array, CalibrationBin, ClassAccuracy, Confusion, Content, Evaluation, Gallery, GalleryImage,
    GalleryKind, GalleryPrediction, ModelEvaluation, PairEvaluation, RightTogether, Tensors,
};
use crate::image::thumbnail;
use crate::methods::MethodSpec;
use crate::plan::{Plan, PlannedImage};
use crate::results::Results;

/// How many confusions of a network are listed.
const CONFUSIONS: usize = 20;

/// Side of a gallery's images in pixels.
const THUMBNAIL: u32 = 96;

/// What one network predicts for the labelled images.
struct Predictions {
    model: String,
    /// By the image's index in the collection.
    images: BTreeMap<usize, Prediction>,
    /// The names of its classes.
    classes: Vec<String>,
}

/// What a network predicts for one image.
#[derive(Clone, Copy)]
struct Prediction {
    label: usize,
    predicted: usize,
    probability: f32,
    rank: usize,
}

impl Prediction {
    fn is_right(&self) -> bool {
        self.rank == 1
    }
}

impl Predictions {
    fn class(&self, index: usize) -> &str {
        self.classes.get(index).map_or("", String::as_str)
    }

    /// Those of the images that another network has, too, in the collection's order.
    fn shared<'a>(
        &'a self,
        other: &'a Predictions,
    ) -> impl Iterator<Item = (Prediction, Prediction)> + 'a {
        let both = self.images.iter();
        both.filter_map(|(index, own)| Some((*own, *other.images.get(index)?)))
    }
}

/// The evaluation of all networks that have one; adds the thumbnails of its galleries to `tensors`.
///
/// # Errors
/// If stored predictions are not float32.
pub(super) fn evaluate(
    plan: &Plan,
    results: &Results,
    tensors: &mut Tensors,
) -> Result<Option<Evaluation>> {
    let mut all = Vec::new();
    for figure in &results.figures {
        let Content::Evaluation { tensor, classes } = &figure.content else {
            continue;
        };
        let (values, [_, fields]) = stored_floats(tensors, tensor)?;
        let images = values
            .chunks_exact(fields.max(1))
            .filter_map(|row| match *row {
                [image, label, predicted, probability, rank] => Some((
                    image as usize,
                    Prediction {
                        label: label as usize,
                        predicted: predicted as usize,
                        probability,
                        rank: rank as usize,
                    },
                )),
                _ => None,
            });
        all.push(Predictions {
            model: figure.model.clone(),
            images: images.collect(),
            classes: classes.clone(),
        });
    }
    if all.is_empty() {
        return Ok(None);
    }
    let mut methods = plan.experiment.methods.iter();
    let gallery = methods.find_map(|method| match method {
        MethodSpec::Evaluate(options) => Some(options.gallery),
        _ => None,
    });
    let labelled: BTreeSet<usize> = all
        .iter()
        .flat_map(|own| own.images.keys().copied())
        .collect();
    let pairs = (0..all.len()).flat_map(|a| (a + 1..all.len()).map(move |b| (a, b)));
    Ok(Some(Evaluation {
        images: labelled.len(),
        models: all.iter().map(model_evaluation).collect::<Result<_>>()?,
        pairs: pairs
            .map(|(a, b)| pair_evaluation(&all[a], &all[b]))
            .collect::<Result<_>>()?,
        combinations: combinations(&all, &labelled),
        galleries: galleries(&all, plan, gallery.unwrap_or(0), tensors),
    }))
}

fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

fn interval(part: usize, whole: usize) -> [f64; 2] {
    wilson_interval(part, whole).unwrap_or([0.0, 1.0])
}

fn model_evaluation(own: &Predictions) -> Result<ModelEvaluation> {
    let images = own.images.len();
    let all = || own.images.values();
    let within = |rank: usize| all().filter(|p| p.rank <= rank).count();
    let mut calibration = Calibration::default();
    let mut confused = ConfusedClasses::default();
    for p in all() {
        calibration.add(f64::from(p.probability), p.is_right())?;
        confused.add(p.label, p.predicted);
    }
    let mut by_class: BTreeMap<usize, [usize; 2]> = BTreeMap::new();
    for p in all() {
        let counts = by_class.entry(p.label).or_default();
        counts[0] += 1;
        counts[1] += usize::from(p.is_right());
    }
    let mut classes: Vec<ClassAccuracy> = by_class
        .iter()
        .map(|(class, [images, right])| ClassAccuracy {
            class: own.class(*class).to_owned(),
            images: *images,
            top1: share(*right, *images),
            interval: interval(*right, *images),
        })
        .collect();
    // The sort is stable: equal accuracies stay in the order of the classes.
    classes.sort_by(|a, b| a.top1.total_cmp(&b.top1));
    let confusions = confused.most_confused(CONFUSIONS).into_iter();
    Ok(ModelEvaluation {
        model: own.model.clone(),
        images,
        top1: share(within(1), images),
        top1_interval: interval(within(1), images),
        top5: share(within(5), images),
        top5_interval: interval(within(5), images),
        ece: calibration.ece().unwrap_or(0.0),
        bins: (calibration.bins().iter())
            .map(|bin| CalibrationBin {
                images: bin.count,
                confidence: bin.mean_confidence.unwrap_or(0.0),
                accuracy: bin.accuracy.unwrap_or(0.0),
            })
            .collect(),
        confusions: confusions
            .map(|found| Confusion {
                class: own.class(found.truth).to_owned(),
                predicted: own.class(found.predicted).to_owned(),
                images: found.count as usize,
                share: found.share,
            })
            .collect(),
        classes,
    })
}

fn pair_evaluation(a: &Predictions, b: &Predictions) -> Result<PairEvaluation> {
    let shared: Vec<(Prediction, Prediction)> = a.shared(b).collect();
    let count = |right: [bool; 2]| {
        let same = shared.iter();
        same.filter(|(a, b)| [a.is_right(), b.is_right()] == right)
            .count()
    };
    let (only_first, only_second) = (count([true, false]), count([false, true]));
    // Networks may count their classes differently: they are the same where their names are.
    let mut ids: BTreeMap<&str, usize> = BTreeMap::new();
    let mut id = |name| {
        let next = ids.len();
        *ids.entry(name).or_insert(next)
    };
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for (own, other) in &shared {
        first.push(id(a.class(own.predicted)));
        second.push(id(b.class(other.predicted)));
    }
    let right = |of: fn(&(Prediction, Prediction)) -> Prediction| -> Vec<bool> {
        shared.iter().map(|pair| of(pair).is_right()).collect()
    };
    let images = shared.len();
    Ok(PairEvaluation {
        models: [a.model.clone(), b.model.clone()],
        images,
        both_right: share(count([true, true]), images),
        only_first: share(only_first, images),
        only_second: share(only_second, images),
        both_wrong: share(count([false, false]), images),
        kappa: cohen_kappa(&first, &second),
        error_consistency: error_consistency(&right(|pair| pair.0), &right(|pair| pair.1)),
        mcnemar_p: mcnemar_exact(only_first as u64, only_second as u64),
    })
}

/// Which networks are right together, on the images whose class all of them know.
fn combinations(all: &[Predictions], labelled: &BTreeSet<usize>) -> Vec<RightTogether> {
    if all.len() < 2 {
        return Vec::new();
    }
    let mut counts: BTreeMap<Vec<usize>, usize> = BTreeMap::new();
    for image in labelled {
        let own: Option<Vec<&Prediction>> = all.iter().map(|own| own.images.get(image)).collect();
        if let Some(own) = own {
            let right = (0..all.len()).filter(|&model| own[model].is_right());
            *counts.entry(right.collect()).or_default() += 1;
        }
    }
    let mut counts: Vec<(Vec<usize>, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, images)| std::cmp::Reverse(*images));
    let together = counts.into_iter().map(|(models, images)| RightTogether {
        models: models
            .iter()
            .map(|&model| all[model].model.clone())
            .collect(),
        images,
    });
    together.collect()
}

/// For each network the images on which it alone is right, and its errors with the largest probabilities.
fn galleries(
    all: &[Predictions],
    plan: &Plan,
    count: usize,
    tensors: &mut Tensors,
) -> Vec<Gallery> {
    let mut galleries = Vec::new();
    for (model, own) in all.iter().enumerate() {
        let others = || {
            all.iter()
                .enumerate()
                .filter(move |(other, _)| *other != model)
        };
        let is_alone = |image: &usize| {
            let wrong = |(_, other): (usize, &Predictions)| {
                other.images.get(image).is_some_and(|p| !p.is_right())
            };
            others().next().is_some() && others().all(wrong)
        };
        let ranked = |wanted: &dyn Fn(&usize, &Prediction) -> bool| {
            let found = own.images.iter().filter(|(image, p)| wanted(image, p));
            let mut found: Vec<(usize, f32)> =
                found.map(|(image, p)| (*image, p.probability)).collect();
            found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            found.truncate(count);
            found
                .into_iter()
                .map(|(image, _)| image)
                .collect::<Vec<_>>()
        };
        let kinds = [
            (
                GalleryKind::OnlyRight,
                ranked(&|image, p| p.is_right() && is_alone(image)),
            ),
            (GalleryKind::ConfidentErrors, ranked(&|_, p| !p.is_right())),
        ];
        for (kind, images) in kinds {
            if !images.is_empty() {
                galleries.push(Gallery {
                    kind,
                    model: own.model.clone(),
                    images: (images.into_iter())
                        .map(|image| gallery_image(all, own, plan, image, tensors))
                        .collect(),
                });
            }
        }
    }
    galleries
}

fn gallery_image(
    all: &[Predictions],
    own: &Predictions,
    plan: &Plan,
    index: usize,
    tensors: &mut Tensors,
) -> GalleryImage {
    let image = &plan.collection[index];
    let label = own.images.get(&index).map_or(0, |p| p.label);
    let prediction = |own: &Predictions| {
        let p = own.images.get(&index)?;
        Some(GalleryPrediction {
            class: own.class(p.predicted).to_owned(),
            probability: p.probability,
        })
    };
    GalleryImage {
        image: image.id.clone(),
        source: image.source.clone(),
        class: own.class(label).to_owned(),
        predictions: all.iter().map(prediction).collect(),
        thumbnail: store_thumbnail(image, tensors),
    }
}

/// Stores the image's thumbnail, unless it is there already; `None` where the file can't be read again.
fn store_thumbnail(image: &PlannedImage, tensors: &mut Tensors) -> Option<String> {
    let key = format!("_evaluation/{}", image.id);
    if !tensors.contains_key(&key) {
        let decoded = image.decode().ok()?;
        let (width, height) = decoded.pixels.dimensions();
        let pixels = thumbnail(&decoded.pixels, [0, 0, width, height], THUMBNAIL);
        let (width, height) = pixels.dimensions();
        let shape = [height as usize, width as usize, 3];
        tensors.insert(key.clone(), Array::u8(&shape, pixels.into_raw()));
    }
    Some(key)
}
