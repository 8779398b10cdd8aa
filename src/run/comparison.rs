//! Holds the networks against each other, once all have been asked: pure arithmetic on what the run found.

use crate::compare::{Gram, cka, enlarged, overlap, spearman, ssim};
use crate::figures::{
    Array, Comparison, Content, Figure, LayerAgreement, MapAgreement, PhotoAgreement, Tensors,
};
use crate::results::Results;

/// The part of the places that counts as a map's brightest.
const BRIGHTEST: f64 = 0.2;

/// Where the networks agree; nothing where there is only one. The matrices of CKA go into `tensors`.
pub fn networks(results: &Results, tensors: &mut Tensors) -> Option<Comparison> {
    let count = results.models.len();
    let layers = layers(results, tensors);
    if count < 2 {
        return (!layers.is_empty()).then(|| Comparison {
            predictions: Vec::new(),
            maps: Vec::new(),
            photos: Vec::new(),
            layers,
        });
    }
    let pairs = pairs(results, tensors);
    Some(Comparison {
        predictions: predictions(results),
        maps: maps(&pairs, results),
        photos: photos(&pairs, results),
        layers,
    })
}

/// Two networks' maps of one photo by one method.
struct Pair<'a> {
    method: &'a str,
    layer: Option<String>,
    image: &'a str,
    /// The places of the two networks.
    places: [usize; 2],
    spearman: Option<f64>,
    overlap: Option<f64>,
    ssim: Option<f64>,
}

fn matrix(count: usize, value: impl Fn(usize, usize) -> Option<f64>) -> Vec<Vec<Option<f64>>> {
    let row = |a: usize| (0..count).map(|b| value(a, b)).collect();
    (0..count).map(row).collect()
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

fn predictions(results: &Results) -> Vec<Vec<Option<f64>>> {
    let first = |model: &str, image: &str| -> Option<&str> {
        let mut all = results.predictions.iter();
        let found = all.find(|p| p.model == model && p.image == image)?;
        // By name: networks may count their classes differently.
        Some(&found.top.first()?.class.name)
    };
    matrix(results.models.len(), |a, b| {
        let [a, b] = [a, b].map(|place| results.models[place].id.as_str());
        mean(results.images.iter().filter_map(|image| {
            let (a, b) = (first(a, &image.id)?, first(b, &image.id)?);
            Some(f64::from(u8::from(a == b)))
        }))
    })
}

/// All pairs of maps that answer the same question: of the same class where both networks were asked about it, else each
/// of its own first choice.
fn pairs<'a>(results: &'a Results, tensors: &Tensors) -> Vec<Pair<'a>> {
    let mut slots: Vec<(&str, Option<(String, usize)>)> = Vec::new();
    for figure in &results.figures {
        let slot = (figure.method.as_str(), results.asked(figure));
        if matches!(figure.content, Content::Map { .. }) && !slots.contains(&slot) {
            slots.push(slot);
        }
    }
    let mut pairs = Vec::new();
    for image in &results.images {
        for (method, slot) in &slots {
            let of = |model: &str| -> Vec<&Figure> {
                let figures = results.figures.iter();
                let here = figures.filter(|f| {
                    f.method == *method
                        && f.model == model
                        && f.image.as_ref() == Some(&image.id)
                        && results.asked(f) == *slot
                });
                here.collect()
            };
            let figures: Vec<Vec<&Figure>> = results.models.iter().map(|m| of(&m.id)).collect();
            for a in 0..figures.len() {
                for b in a + 1..figures.len() {
                    for (x, y) in alike(results, &figures[a], &figures[b]) {
                        if let Some((x, y, width)) = one_size(tensors, x, y) {
                            pairs.push(Pair {
                                method,
                                layer: slot.as_ref().map(slot_name),
                                image: &image.id,
                                places: [a, b],
                                spearman: spearman(&x, &y),
                                overlap: overlap(&x, &y, BRIGHTEST),
                                ssim: ssim(&x, &y, width),
                            });
                        }
                    }
                }
            }
        }
    }
    pairs
}

fn slot_name((selector, number): &(String, usize)) -> String {
    match number {
        0 => selector.clone(),
        _ => format!("{selector} ({})", number + 1),
    }
}

fn alike<'a>(
    results: &Results,
    a: &[&'a Figure],
    b: &[&'a Figure],
) -> Vec<(&'a Figure, &'a Figure)> {
    let name = |figure: &Figure| figure.class.as_ref().map(|class| class.name.clone());
    let mut both = Vec::new();
    for x in a {
        both.extend(b.iter().find(|y| name(x) == name(y)).map(|y| (*x, *y)));
    }
    if both.is_empty() {
        let own = |figures: &[&'a Figure]| {
            figures.iter().copied().find(|figure| {
                let mut all = results.predictions.iter();
                let of = |p: &&crate::results::Prediction| {
                    p.model == figure.model && Some(&p.image) == figure.image.as_ref()
                };
                let first = all.find(of).and_then(|p| p.top.first());
                first.map(|first| &first.class) == figure.class.as_ref()
            })
        };
        both.extend(own(a).zip(own(b)));
    }
    both
}

/// Two maps, the smaller enlarged to the larger's size, and their width.
fn one_size(tensors: &Tensors, a: &Figure, b: &Figure) -> Option<(Vec<f32>, Vec<f32>, usize)> {
    let map = |figure: &Figure| match &figure.content {
        Content::Map { tensor, .. } => tensors.get(tensor).and_then(Array::shaped::<2>),
        _ => None,
    };
    let (x, y) = (map(a)?, map(b)?);
    let size = [x.1[0].max(y.1[0]), x.1[1].max(y.1[1])];
    let enlarge = |(values, from): (&[f32], [usize; 2])| enlarged(values, from, size);
    Some((enlarge(x), enlarge(y), size[1]))
}

fn maps(pairs: &[Pair], results: &Results) -> Vec<MapAgreement> {
    let mut slots: Vec<(&str, &Option<String>)> = Vec::new();
    for pair in pairs {
        if !slots.contains(&(pair.method, &pair.layer)) {
            slots.push((pair.method, &pair.layer));
        }
    }
    let of_slot = |(method, layer): (&str, &Option<String>)| {
        let here: Vec<&Pair> = pairs
            .iter()
            .filter(|pair| pair.method == method && &pair.layer == layer)
            .collect();
        let means = |value: fn(&Pair) -> Option<f64>| {
            matrix(results.models.len(), |a, b| {
                let places = [a.min(b), a.max(b)];
                let two = here.iter().filter(|pair| pair.places == places);
                match a == b {
                    true => Some(1.0),
                    false => mean(two.filter_map(|pair| value(pair))),
                }
            })
        };
        MapAgreement {
            method: method.to_owned(),
            layer: layer.clone(),
            pairs: here.len(),
            spearman: means(|pair| pair.spearman),
            overlap: means(|pair| pair.overlap),
            ssim: means(|pair| pair.ssim),
        }
    };
    slots.into_iter().map(of_slot).collect()
}

fn photos(pairs: &[Pair], results: &Results) -> Vec<PhotoAgreement> {
    let of_photo = |image: &crate::results::ImageInfo| -> Option<PhotoAgreement> {
        let here: Vec<(&Pair, f64)> = pairs
            .iter()
            .filter(|pair| pair.image == image.id)
            .filter_map(|pair| Some((pair, pair.spearman?)))
            .collect();
        let all = mean(here.iter().map(|(_, value)| *value))?;
        let (worst, lowest) = here.iter().min_by(|a, b| a.1.total_cmp(&b.1))?;
        let with = |place: usize| {
            let of = here
                .iter()
                .filter(move |(pair, _)| pair.places.contains(&place));
            mean(of.map(|(_, value)| *value)).map(|mean| (place, mean))
        };
        let odd = (0..results.models.len())
            .filter_map(with)
            .min_by(|a, b| a.1.total_cmp(&b.1));
        let id = |place: usize| results.models[place].id.clone();
        Some(PhotoAgreement {
            image: image.id.clone(),
            spearman: all,
            method: worst.method.to_owned(),
            layer: worst.layer.clone(),
            models: worst.places.map(id),
            lowest: *lowest,
            odd_one: odd
                .filter(|_| results.models.len() > 2)
                .map(|(place, _)| id(place)),
        })
    };
    let mut all: Vec<PhotoAgreement> = results.images.iter().filter_map(of_photo).collect();
    all.sort_by(|a, b| a.spearman.total_cmp(&b.spearman));
    all
}

/// CKA between all layers of all pairs of networks, and of each with itself.
fn layers(results: &Results, tensors: &mut Tensors) -> Vec<LayerAgreement> {
    let similar: Vec<Similar> = results
        .figures
        .iter()
        .filter_map(|figure| match &figure.content {
            Content::Similarity { layers, batches } => Some(Similar {
                figure,
                layers,
                batches,
            }),
            _ => None,
        })
        .collect();
    let mut all = Vec::new();
    for (place, a) in similar.iter().enumerate() {
        for b in &similar[place..] {
            let of_a = a.batches.iter().copied();
            let shared: Vec<(usize, usize)> = of_a.filter(|x| b.batches.contains(x)).collect();
            let mut values = Vec::with_capacity(a.layers.len() * b.layers.len());
            let columns: Vec<_> = b
                .layers
                .iter()
                .map(|column| b.grams(tensors, column, &shared))
                .collect();
            for row in a.layers {
                let row = a.grams(tensors, row, &shared);
                for column in &columns {
                    // What can't be said is not a number; the report leaves its cell empty.
                    let alike = cka(&borrowed(&row), &borrowed(column));
                    values.push(alike.map_or(f32::NAN, |value| value as f32));
                }
            }
            let models = [a.figure.model.clone(), b.figure.model.clone()];
            let key = format!("_cka/{}/{}", models[0], models[1]);
            let shape = [a.layers.len(), b.layers.len()];
            tensors.insert(key.clone(), Array::f32(&shape, values));
            all.push(LayerAgreement {
                models,
                rows: a.layers.to_vec(),
                columns: b.layers.to_vec(),
                tensor: key,
                images: shared.iter().map(|(_, count)| count).sum(),
                batches: shared.len(),
            });
        }
    }
    all
}

/// What one network finds alike.
struct Similar<'a> {
    figure: &'a Figure,
    layers: &'a [String],
    batches: &'a [(usize, usize)],
}

/// A Gram matrix and its side.
type Owned = (Vec<f32>, usize);

fn borrowed(all: &[Owned]) -> Vec<Gram<'_>> {
    all.iter()
        .map(|(values, side)| Gram {
            values,
            side: *side,
        })
        .collect()
}

impl Similar<'_> {
    /// The Gram matrices of a layer for the minibatches in `shared`.
    fn grams(&self, tensors: &Tensors, layer: &str, shared: &[(usize, usize)]) -> Vec<Owned> {
        let key = format!("{}/{}/{layer}", self.figure.model, self.figure.method);
        let Some((values, [_, side, _])) = tensors.get(&key).and_then(Array::shaped::<3>) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for (values, batch) in values.chunks(side * side).zip(self.batches) {
            if shared.contains(batch) {
                let (count, rows) = (batch.1, values.chunks(side));
                let cut = rows.take(count).flat_map(|row| &row[..count]).copied();
                found.push((cut.collect(), count));
            }
        }
        found
    }
}
