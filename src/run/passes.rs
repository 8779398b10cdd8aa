//! The passes: for every picture and network one forward, for every class one backward, and all
//! methods served from them.

use std::collections::BTreeMap;

use image::RgbImage;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::cache::Units;
use super::gallery::Picture;
use super::inside;
use super::lock;
use super::models::Model;
use crate::checks::{self, Asked, Candidate};
use crate::error::{Error, ErrorKind, Result};
use crate::methods::{ClassPass, MethodSpec, Output, Pass, to_array};
use crate::network::graph::NodeId;
use crate::network::{Kept, gradients, info};
use crate::picture::{Photo, Preprocess};
use crate::progress::{Progress, Unit as Counted};
use crate::results::{
    Array, Checked, ClassInfo, Content, Failure, Figure, ImageInfo, Map, Prediction, Results,
    Scored, Tensors, View,
};
use crate::spec::{ClassSpec, Experiment};

/// How many of a network's first choices are listed.
const TOP: usize = 5;

/// What came of one network, or of one network and one picture: what the cache keeps together.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Found {
    pub prediction: Option<Prediction>,
    pub figures: Vec<Figure>,
    #[serde(default)]
    pub checks: Vec<Checked>,
    pub failures: Vec<Failure>,
    #[serde(skip)]
    pub tensors: Tensors,
}

/// Runs every method on every network and picture.
///
/// # Errors
/// If no picture could be opened.
pub fn all(
    experiment: &Experiment,
    pictures: &[Picture],
    models: &mut [Model],
    units: Option<&Units>,
    progress: &dyn Progress,
    results: &mut Results,
    tensors: &mut Tensors,
) -> Result<()> {
    for model in models.iter() {
        let found = of_network(experiment, model, progress);
        keep(found, results, tensors);
    }
    let mut first_refused = None;
    let total = (pictures.len() * models.len()) as u64;
    let mut done = 0;
    for picture in pictures {
        let opened = picture.open().and_then(|photo| {
            if let Some(lock) = &experiment.lock {
                lock::hold(&lock.images, &picture.id, &photo.sha256, "bytes")?;
            }
            Ok(photo)
        });
        let photo = match opened {
            Ok(photo) => photo,
            Err(error) => {
                progress.warn(&error.one_line());
                results.failures.push(Failure {
                    model: None,
                    image: Some(picture.source.clone()),
                    method: None,
                    message: error.one_line(),
                    help: error.advice().map(str::to_owned),
                });
                first_refused = first_refused.or(Some(error));
                done += models.len() as u64;
                continue;
            }
        };
        let views = views(picture, &photo, models, results);
        let label = |model: &Model| picture.label.as_ref()?.of(&model.subject.labels);
        let mut seen: Vec<View> = Vec::new();
        for (model, view) in models.iter_mut().zip(&views) {
            let Some(view) = view else { continue };
            if model.record.input[1..] != [view.height(), view.width()] && results.images.is_empty()
            {
                model.record.input = [3, view.height(), view.width()];
            }
            progress.step(&format!("{}: {}", picture.id, model.subject.id));
            let shared = seen.iter_mut().find(|s| same_pixels(tensors, s, view));
            match shared {
                Some(shared) => shared.models.push(model.subject.id.clone()),
                None => {
                    let key = format!("_photos/{}/{}", picture.id, seen.len());
                    let shape = [view.height() as usize, view.width() as usize, 3];
                    tensors.insert(key.clone(), Array::u8(&shape, view.as_raw().clone()));
                    seen.push(View {
                        tensor: key,
                        width: view.width(),
                        height: view.height(),
                        models: vec![model.subject.id.clone()],
                    });
                }
            }
            let shown = picture.shows.as_ref().map(|shows| {
                inside::inside(shows, photo.pixels.dimensions(), &model.subject.preprocess)
            });
            let shown = shown.transpose().unwrap_or_else(|error| {
                progress.warn(&error.one_line());
                results
                    .failures
                    .push(failure(model, Some(picture), None, &error));
                None
            });
            let job = Job {
                experiment,
                model,
                picture,
                view,
                label: label(model),
                inside: shown.as_deref(),
            };
            let found = match units {
                Some(units) => units.find_or(&job.fingerprint(), || job.run()),
                None => job.run(),
            };
            keep(found, results, tensors);
            done += 1;
            progress.advance(done, Some(total), Counted::Items);
        }
        let named = models
            .iter()
            .find_map(|model| Some(model.subject.class(label(model)?)));
        results.images.push(ImageInfo {
            id: picture.id.clone(),
            source: picture.source.clone(),
            sha256: photo.sha256.clone(),
            width: photo.pixels.width(),
            height: photo.pixels.height(),
            label: named,
            views: seen,
        });
    }
    match (results.images.is_empty(), first_refused) {
        (true, Some(error)) => Err(error),
        _ => Ok(()),
    }
}

pub(super) fn keep(found: Found, results: &mut Results, tensors: &mut Tensors) {
    results.predictions.extend(found.prediction);
    results.figures.extend(found.figures);
    results.checks.extend(found.checks);
    results.failures.extend(found.failures);
    tensors.extend(found.tensors);
}

fn same_pixels(tensors: &Tensors, shared: &View, view: &RgbImage) -> bool {
    let stored = tensors.get(&shared.tensor).and_then(Array::bytes);
    (shared.width, shared.height) == view.dimensions() && stored == Some(view.as_raw())
}

/// What each network sees of a photo, made once for those that preprocess alike.
fn views(
    picture: &Picture,
    photo: &Photo,
    models: &[Model],
    results: &mut Results,
) -> Vec<Option<RgbImage>> {
    let mut made: Vec<(Preprocess, RgbImage)> = Vec::new();
    let mut all = Vec::with_capacity(models.len());
    for model in models {
        let wanted = &model.subject.preprocess;
        let alike = |(other, _): &&(Preprocess, RgbImage)| other.sees_like(wanted);
        let view = match made.iter().find(alike) {
            Some((_, view)) => Ok(view.clone()),
            None => wanted.view(&photo.pixels),
        };
        match view {
            Ok(view) => {
                made.push((wanted.clone(), view.clone()));
                all.push(Some(view));
            }
            Err(error) => {
                results
                    .failures
                    .push(failure(model, Some(picture), None, &error));
                all.push(None);
            }
        }
    }
    all
}

pub(super) fn failure(
    model: &Model,
    picture: Option<&Picture>,
    method: Option<&str>,
    error: &Error,
) -> Failure {
    Failure {
        model: Some(model.subject.id.clone()),
        image: picture.map(|picture| picture.id.clone()),
        method: method.map(str::to_owned),
        message: error.one_line(),
        help: error.advice().map(str::to_owned),
    }
}

fn of_network(experiment: &Experiment, model: &Model, progress: &dyn Progress) -> Found {
    let mut found = Found::default();
    for (entry, layers) in experiment.methods.iter().zip(&model.layers) {
        let mut out = Output::default();
        tracing::debug!(model = model.subject.id, method = entry.name(), "network");
        match entry.method().of_network(&model.subject, layers, &mut out) {
            Ok(()) => {
                found.figures.extend(out.figures);
                found.tensors.extend(out.tensors);
            }
            Err(error) => {
                progress.warn(&format!(
                    "{}: {}: {}",
                    model.subject.id,
                    entry.name(),
                    error.one_line()
                ));
                found
                    .failures
                    .push(failure(model, None, Some(entry.name()), &error));
            }
        }
    }
    found
}

/// Everything about a network and the machine that numbers hang on, as text.
pub(super) fn network_words(model: &Model) -> String {
    let record = &model.record;
    let labels = &model.subject.labels;
    let class_names: Vec<String> = (0..labels.len()).map(|index| labels.name(index)).collect();
    serde_json::to_string(&(
        &model.subject.id,
        &record.arch,
        &record.weights.sha256,
        &record.weights.name,
        &model.subject.preprocess,
        class_names,
        super::device_name(model.subject.device),
        tch::get_num_threads(),
    ))
    .unwrap_or_default()
}

/// One network looking at one picture.
struct Job<'a> {
    experiment: &'a Experiment,
    model: &'a Model,
    picture: &'a Picture,
    view: &'a RgbImage,
    /// The picture's true class, as this network counts.
    label: Option<usize>,
    /// Where the view shows it, 1 inside and 0 outside.
    inside: Option<&'a [f32]>,
}

impl Job<'_> {
    /// Everything that the numbers hang on, as text.
    fn fingerprint(&self) -> String {
        let methods: Vec<_> = self
            .experiment
            .methods
            .iter()
            .zip(&self.model.layers)
            .collect();
        let asked = (
            &self.experiment.classes,
            self.experiment.seed,
            self.label,
            methods,
            &self.experiment.checks,
            self.inside.map(|inside| {
                let bytes: Vec<u8> = inside.iter().map(|inside| *inside as u8).collect();
                blake3::hash(&bytes).to_hex().to_string()
            }),
        );
        serde_json::to_string(&(
            network_words(self.model),
            &self.picture.id,
            asked,
            self.view.dimensions(),
            blake3::hash(self.view.as_raw()).to_hex().as_str(),
        ))
        .unwrap_or_default()
    }

    fn run(&self) -> Found {
        let mut found = Found::default();
        if let Err(error) = self.look(&mut found) {
            found
                .failures
                .push(failure(self.model, Some(self.picture), None, &error));
        }
        found
    }

    fn look(&self, found: &mut Found) -> Result<()> {
        let subject = &self.model.subject;
        let graph = subject.network.graph();
        let (width, height) = self.view.dimensions();
        // A picture fed as it is may be too small for the network.
        info::of_graph(graph, height.into(), width.into())?;
        let asks = self
            .experiment
            .methods
            .iter()
            .any(|entry| entry.method().asks_about_classes());
        let planes = self.model.subject.preprocess.normalise(self.view);
        let input = Tensor::from_slice(&planes)
            .f_view([1, 3, height.into(), width.into()])?
            .f_to_device(subject.device)?
            .set_requires_grad(asks);
        let mut nodes = vec![graph.input(), graph.output()];
        nodes.extend(self.model.layers.iter().flatten());
        for entry in &self.experiment.methods {
            nodes.extend(entry.method().nodes(graph));
        }
        nodes.sort_unstable();
        nodes.dedup();
        let values = match asks {
            true => subject.network.forward(&input, &nodes)?,
            false => tch::no_grad(|| subject.network.forward(&input, &nodes))?,
        };
        let pass = Pass {
            subject,
            image: &self.picture.id,
            input: &input,
            values: &values,
        };
        let prediction = self.predict(&pass, &mut found.tensors)?;
        let classes = self.classes(&prediction)?;
        found.prediction = Some(prediction);
        for (entry, layers) in self.experiment.methods.iter().zip(&self.model.layers) {
            let mut out = Output::default();
            let done = tch::no_grad(|| entry.method().of_picture(&pass, layers, &mut out));
            self.take(found, entry.name(), done, out);
        }
        if asks {
            for class in classes {
                self.ask(&pass, class, found)?;
            }
        }
        Ok(())
    }

    /// One class: its backward pass, and every method that asks about classes.
    fn ask(&self, pass: &Pass, class: ClassInfo, found: &mut Found) -> Result<()> {
        let subject = &self.model.subject;
        let graph = subject.network.graph();
        let logits = pass.value(graph.output())?;
        let objective = logits.f_select(1, class.index as i64)?.f_sum(Kind::Float)?;
        let methods = self.experiment.methods.iter().zip(&self.model.layers);
        let mut nodes: Vec<NodeId> = vec![graph.input()];
        for (entry, layers) in methods
            .clone()
            .filter(|(e, _)| e.method().asks_about_classes())
        {
            nodes.extend(layers);
            nodes.extend(entry.method().nodes(graph));
        }
        nodes.sort_unstable();
        nodes.dedup();
        let gradients: Kept = gradients(&objective, pass.values, &nodes)?;
        let of_class = ClassPass {
            pass,
            class,
            gradients: &gradients,
        };
        for (entry, layers) in methods {
            let mut out = Output::default();
            let done = tch::no_grad(|| entry.method().of_class(&of_class, layers, &mut out));
            self.take(found, entry.name(), done, out);
        }
        if !self.experiment.checks.is_empty() {
            self.check(&of_class, found)?;
        }
        Ok(())
    }

    /// Puts all maps of the picture and the class to the test, and two that know nothing.
    fn check(&self, of_class: &ClassPass, found: &mut Found) -> Result<()> {
        let subject = &self.model.subject;
        let methods = self.experiment.methods.iter().zip(&self.model.layers);
        let methods: Vec<(&MethodSpec, &[NodeId])> = methods
            .map(|(entry, layers)| (entry, &layers[..]))
            .collect();
        let (width, height) = self.view.dimensions();
        let inside = self.inside.map(|inside| {
            Tensor::from_slice(inside)
                .f_view([i64::from(height), i64::from(width)])?
                .f_to_device(subject.device)
        });
        let inside = inside.transpose()?;
        let asked = Asked {
            pass: of_class,
            methods: &methods,
            inside: inside.as_ref(),
        };
        let mut names = Vec::new();
        let mut maps = Vec::new();
        for figure in &found.figures {
            let Content::Map { tensor, .. } = &figure.content else {
                continue;
            };
            let of_this = figure.class.as_ref().is_none_or(|c| *c == of_class.class);
            let array = found.tensors.get(tensor).filter(|_| of_this);
            let Some((values, [h, w])) = array.and_then(Array::shaped::<2>) else {
                continue;
            };
            // A map without a signal orders nothing.
            if values.iter().all(|value| *value == values[0]) {
                continue;
            }
            names.push(Map::Method {
                name: figure.method.clone(),
                layer: figure.layer.clone(),
            });
            let map = Tensor::from_slice(values).f_view([h as i64, w as i64])?;
            maps.push(Candidate {
                map: map.f_to_device(subject.device)?,
                key: Some(tensor.clone()),
            });
        }
        for (name, map) in checks::baselines(&asked)? {
            names.push(name);
            maps.push(map);
        }
        let mut all: Vec<Checked> = names
            .into_iter()
            .map(|of| Checked {
                model: subject.id.clone(),
                image: self.picture.id.clone(),
                class: of_class.class.clone(),
                of,
                curves: None,
                drop: None,
                randomised: Vec::new(),
                pointing: None,
            })
            .collect();
        for entry in &self.experiment.checks {
            let looked = tch::no_grad(|| entry.check().look(&asked, &maps, &mut all));
            if let Err(error) = looked {
                let failed = failure(self.model, Some(self.picture), Some(entry.name()), &error);
                found.failures.push(failed);
            }
        }
        found.checks.extend(all);
        Ok(())
    }

    fn take(&self, found: &mut Found, method: &str, done: Result<()>, out: Output) {
        match done {
            Ok(()) => {
                found.figures.extend(out.figures);
                found.tensors.extend(out.tensors);
            }
            Err(error) => {
                let failed = failure(self.model, Some(self.picture), Some(method), &error);
                found.failures.push(failed);
            }
        }
    }

    fn predict(&self, pass: &Pass, tensors: &mut Tensors) -> Result<Prediction> {
        let subject = &self.model.subject;
        let logits = pass
            .value(subject.network.graph().output())?
            .f_squeeze_dim(0)?;
        let key = format!("{}/{}/logits", subject.id, self.picture.id);
        let array = to_array(&logits)?;
        let numbers = array.floats().unwrap_or_default().to_vec();
        if let Some(at) = numbers.iter().position(|logit| !logit.is_finite()) {
            let message = format!(
                "`{}` gives class {at} the logit {}",
                subject.id, numbers[at]
            );
            return Err(Error::new(ErrorKind::Network, message).help(
                "weights that don't belong to this architecture or preprocessing can do that",
            ));
        }
        let probabilities = softmax(&numbers);
        let mut order: Vec<usize> = (0..numbers.len()).collect();
        order.sort_by(|&a, &b| numbers[b].total_cmp(&numbers[a]).then(a.cmp(&b)));
        let scored = |rank: usize| Scored {
            class: subject.class(order[rank]),
            rank: rank + 1,
            logit: numbers[order[rank]],
            probability: probabilities[order[rank]],
        };
        let label = self
            .label
            .and_then(|label| order.iter().position(|&class| class == label));
        tensors.insert(key.clone(), array);
        Ok(Prediction {
            model: subject.id.clone(),
            image: self.picture.id.clone(),
            top: (0..TOP.min(order.len())).map(scored).collect(),
            label: label.map(scored),
            tensor: key,
        })
    }

    /// The classes to ask about, each once, in the spec's order.
    fn classes(&self, prediction: &Prediction) -> Result<Vec<ClassInfo>> {
        let labels = &self.model.subject.labels;
        let mut classes: BTreeMap<usize, ()> = BTreeMap::new();
        let mut list = Vec::new();
        for class in &self.experiment.classes {
            let index = match class {
                ClassSpec::Predicted => prediction.top.first().map(|top| top.class.index),
                ClassSpec::Label => self.label,
                ClassSpec::Index(index) => (*index < labels.len()).then_some(*index),
                // A network that does not know the class is not asked about it.
                ClassSpec::Name(name) => labels.resolve(name).ok(),
            };
            if let Some(index) = index
                && classes.insert(index, ()).is_none()
            {
                list.push(self.model.subject.class(index));
            }
        }
        Ok(list)
    }
}

/// exp(logit) over the sum of all, in float64 and without overflow.
fn softmax(logits: &[f32]) -> Vec<f32> {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f64> = logits
        .iter()
        .map(|&l| f64::from(l - largest).exp())
        .collect();
    let sum: f64 = powers.iter().sum();
    powers.iter().map(|power| (power / sum) as f32).collect()
}
