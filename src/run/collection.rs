//! The pass over the collection: every image is read once, goes through all networks that still have
//! something to find in it, and is forgotten.
//!
//! The next batch is read and decoded while the networks are at the present one. What the methods
//! keep is written into the cache from time to time, so that a run that was broken off goes on from
//! there; the batches are the same either way, and so are the numbers.

use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use image::RgbImage;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tch::Tensor;

use super::images::{PartialResults, failure, keep, network_words};
use super::models::Model;
use super::result_cache::Units;
use crate::error::{Error, ErrorKind, Result};
use crate::figures::Tensors;
use crate::image::Preprocess;
use crate::methods::{Batch, Collector, Member, MethodOutput, MethodSpec, State};
use crate::network::graph::NodeId;
use crate::plan::images::PlannedImage;
use crate::progress::{Progress, Unit as Counted};
use crate::results::lock;
use crate::results::{CollectionInfo, Failure, Results};
use crate::spec::Experiment;

/// Images that go through the networks at a time.
const BATCH: usize = 8;

/// Lets every method that wants to look through the collection; what they keep is written into the
/// cache every `saved_every`.
///
/// # Errors
/// If the files are not the lock's, or no image could be opened.
#[allow(
    clippy::too_many_arguments,
    reason = "a run's own parts, as in `passes`"
)]
pub fn look_through(
    experiment: &Experiment,
    pictures: &[PlannedImage],
    models: &[Model],
    units: Option<&Units>,
    saved_every: Duration,
    progress: &dyn Progress,
    results: &mut Results,
    tensors: &mut Tensors,
) -> Result<()> {
    if pictures.is_empty() {
        return Ok(());
    }
    progress.step(&format!("collection: hashing {} images", pictures.len()));
    let sha256 = digest(pictures);
    if let Some(named) = experiment.lock.as_ref().and_then(|l| l.collection.as_ref()) {
        let wanted = [("collection".to_owned(), named.clone())].into();
        lock::hold(&wanted, "collection", &sha256, "images")?;
    }
    let mut tasks = Vec::new();
    let mut finished: Vec<(usize, usize, PartialResults)> = Vec::new();
    for (place, model) in models.iter().enumerate() {
        for (number, entry) in experiment.methods.iter().enumerate() {
            if !entry.method().looks_through_collection() {
                continue;
            }
            let layers = &model.layers[number];
            let words = fingerprint(model, entry, layers, &sha256, pictures);
            if let Some(found) = units.and_then(|units| units.find(&words)) {
                finished.push((place, number, found));
                continue;
            }
            match entry.method().collector(&model.subject, layers) {
                Ok(Some(collector)) => tasks.push(Task {
                    place,
                    number,
                    words,
                    layers,
                    collector,
                    failed: None,
                }),
                Ok(None) => {}
                Err(error) => {
                    let failures = vec![failure(model, None, Some(entry.name()), &error)];
                    let found = PartialResults {
                        failures,
                        ..PartialResults::default()
                    };
                    finished.push((place, number, found));
                }
            }
        }
    }
    let mut skipped = Vec::new();
    if !tasks.is_empty() {
        let mut looking = Looking {
            experiment,
            pictures,
            models,
            tasks,
            units,
            skipped: Vec::new(),
            next: 0,
        };
        looking.go_on();
        looking.stream(saved_every, progress)?;
        skipped = looking.skipped.clone();
        finished.extend(looking.finish(progress));
    }
    finished.sort_by_key(|(place, number, _)| (*number, *place));
    for (_, _, found) in finished {
        keep(found, results, tensors);
    }
    results.failures.extend(skipped);
    results.collection = Some(CollectionInfo {
        images: pictures.len(),
        sha256,
        own: experiment.collection.is_empty(),
    });
    Ok(())
}

/// One method looking with one network.
struct Task<'a> {
    /// The network's place.
    place: usize,
    /// The method's place in the experiment.
    number: usize,
    /// Everything its findings hang on.
    words: String,
    layers: &'a [NodeId],
    collector: Box<dyn Collector + 'a>,
    failed: Option<Error>,
}

/// A pass over the collection.
struct Looking<'a> {
    experiment: &'a Experiment,
    pictures: &'a [PlannedImage],
    models: &'a [Model],
    tasks: Vec<Task<'a>>,
    units: Option<&'a Units>,
    skipped: Vec<Failure>,
    /// The first image that was not seen yet.
    next: usize,
}

/// Where a pass was: what stands in the cache besides the methods' own states.
#[derive(Serialize, Deserialize)]
struct Mark {
    next: usize,
    skipped: Vec<Failure>,
    numbers: Vec<serde_json::Value>,
}

/// Some images, read and cut for every way of preprocessing.
struct Read {
    first: usize,
    /// Each image's views, one for each way, or why there are none.
    images: Vec<Result<Vec<RgbImage>>>,
}

impl<'a> Looking<'a> {
    /// What the marks of this very pass are kept under.
    fn name(&self) -> String {
        let words: Vec<&str> = self.tasks.iter().map(|task| &*task.words).collect();
        format!("a pass: {}", words.join("\n"))
    }

    /// Takes up an earlier pass that was broken off, if there is one.
    fn go_on(&mut self) {
        let Some((numbers, tensors)) = self.units.and_then(|units| units.mark(&self.name())) else {
            return;
        };
        let Ok(mark) = serde_json::from_value::<Mark>(numbers) else {
            return;
        };
        for (at, (task, numbers)) in self.tasks.iter_mut().zip(mark.numbers).enumerate() {
            let own = format!("{at}/");
            let tensors = tensors
                .iter()
                .filter_map(|(key, array)| {
                    Some((key.strip_prefix(&own)?.to_owned(), array.clone()))
                })
                .collect();
            if task.collector.go_on(State { numbers, tensors }).is_err() {
                // Begin anew: what earlier tasks took up has to go, too.
                self.restart();
                return;
            }
        }
        self.next = mark.next;
        self.skipped = mark.skipped;
    }

    fn restart(&mut self) {
        for task in &mut self.tasks {
            let models: &'a [Model] = self.models;
            let subject = &models[task.place].subject;
            let method = self.experiment.methods[task.number].method();
            // It was made once from the same, so it can be made again.
            if let Ok(Some(collector)) = method.collector(subject, task.layers) {
                task.collector = collector;
            }
        }
    }

    fn save(&self) {
        let Some(units) = self.units else { return };
        let mut numbers = Vec::new();
        let mut tensors = Tensors::new();
        for (at, task) in self.tasks.iter().enumerate() {
            let state = task.collector.state();
            numbers.push(state.numbers);
            let own = state.tensors.into_iter();
            tensors.extend(own.map(|(key, array)| (format!("{at}/{key}"), array)));
        }
        let mark = Mark {
            next: self.next,
            skipped: self.skipped.clone(),
            numbers,
        };
        units.set_mark(&self.name(), &mark, &tensors);
    }

    /// Sees every image that is left.
    fn stream(&mut self, saved_every: Duration, progress: &dyn Progress) -> Result<()> {
        let total = self.pictures.len();
        let mut ways: Vec<Preprocess> = Vec::new();
        let way_of: Vec<usize> = self
            .models
            .iter()
            .map(|model| {
                let wanted = &model.subject.preprocess;
                let same = |other: &Preprocess| other.has_same_view(wanted);
                ways.iter().position(same).unwrap_or_else(|| {
                    ways.push(wanted.clone());
                    ways.len() - 1
                })
            })
            .collect();
        let (send, receive) = mpsc::sync_channel::<Read>(1);
        let (pictures, from) = (self.pictures, self.next);
        let ways = &ways;
        if from > 0 {
            progress.step(&format!("collection: going on at image {from} of {total}"));
        }
        std::thread::scope(|scope| -> Result<()> {
            scope.spawn(move || {
                let mut first = from;
                for batch in pictures[from..].chunks(BATCH) {
                    let images = batch.par_iter().map(|picture| read(picture, ways));
                    let images = images.collect();
                    // Nobody listens any more once a pass has failed.
                    if send.send(Read { first, images }).is_err() {
                        return;
                    }
                    first += batch.len();
                }
            });
            let began = Instant::now();
            let mut saved = Instant::now();
            for read in receive {
                let count = read.images.len();
                self.see(read, &way_of, progress)?;
                self.next += count;
                let rate = (self.next - from) as f64 / began.elapsed().as_secs_f64();
                progress.step(&format!(
                    "collection: {} of {total} images, {rate:.1} images/s",
                    self.next
                ));
                progress.advance(self.next as u64, Some(total as u64), Counted::Items);
                if saved.elapsed() >= saved_every && self.next < total {
                    self.save();
                    saved = Instant::now();
                }
            }
            Ok(())
        })?;
        if self.skipped.len() == total {
            let message = format!("none of the collection's {total} images can be read");
            let help = self.skipped.first().map(|f| f.message.clone());
            return Err(Error::new(ErrorKind::Image, message).help(help.unwrap_or_default()));
        }
        Ok(())
    }

    /// Shows a batch to every network.
    fn see(&mut self, read: Read, way_of: &[usize], progress: &dyn Progress) -> Result<()> {
        let mut seen: Vec<(usize, Vec<RgbImage>)> = Vec::new();
        for (offset, views) in read.images.into_iter().enumerate() {
            let place = read.first + offset;
            match views {
                Ok(views) => seen.push((place, views)),
                Err(error) => {
                    progress.warn(&error.one_line());
                    self.skipped.push(Failure {
                        model: None,
                        image: Some(self.pictures[place].source.clone()),
                        method: None,
                        message: error.one_line(),
                        help: error.advice().map(str::to_owned),
                    });
                }
            }
        }
        for place in 0..self.models.len() {
            let tasks = self.tasks.iter().filter(|task| task.place == place);
            if tasks.clone().all(|task| task.failed.is_some()) {
                continue;
            }
            // Pictures fed as they are may differ in size; neighbours of one size go together.
            let size = |(_, views): &(usize, Vec<RgbImage>)| views[way_of[place]].dimensions();
            for alike in seen.chunk_by(|a, b| size(a) == size(b) && a.0 + 1 == b.0) {
                self.pass(place, alike, way_of[place])?;
            }
        }
        Ok(())
    }

    fn pass(&mut self, place: usize, seen: &[(usize, Vec<RgbImage>)], way: usize) -> Result<()> {
        let model = &self.models[place];
        let subject = &model.subject;
        let views: Vec<RgbImage> = seen.iter().map(|(_, views)| views[way].clone()).collect();
        let Some(((first, _), view)) = seen.first().zip(views.first()) else {
            return Ok(());
        };
        let (width, height) = view.dimensions();
        let planes: Vec<Vec<f32>> = views
            .iter()
            .map(|view| subject.preprocess.normalise(view))
            .collect();
        let planes = planes.concat();
        let shape = [views.len() as i64, 3, height.into(), width.into()];
        let mut nodes = vec![subject.network.graph().output()];
        let tasks = self.tasks.iter().filter(|task| task.place == place);
        nodes.extend(tasks.flat_map(|task| task.layers));
        nodes.sort_unstable();
        nodes.dedup();
        let values = Tensor::from_slice(&planes)
            .f_view(shape)?
            .f_to_device(subject.device)
            .map_err(Error::from)
            .and_then(|input| tch::no_grad(|| subject.network.forward(&input, &nodes)))?;
        let members: Vec<Member> = seen
            .iter()
            .map(|(at, _)| member(&self.pictures[*at], model))
            .collect();
        let batch = Batch {
            first: *first,
            members: &members,
            views: &views,
            values: &values,
        };
        for task in self.tasks.iter_mut().filter(|task| task.place == place) {
            if task.failed.is_none()
                && let Err(error) = tch::no_grad(|| task.collector.see(&batch))
            {
                task.failed = Some(error);
            }
        }
        Ok(())
    }

    /// Lets every method say what it found.
    fn finish(self, progress: &dyn Progress) -> Vec<(usize, usize, PartialResults)> {
        // Finishing may take long (an image by gradient ascent), and may be broken off, too.
        self.save();
        let name = self.name();
        let mut all = Vec::new();
        let mut well = true;
        for task in self.tasks {
            let model = &self.models[task.place];
            let entry = &self.experiment.methods[task.number];
            progress.step(&format!("{}: {}", model.subject.id, entry.name()));
            let mut out = MethodOutput::default();
            let done = match task.failed {
                Some(error) => Err(error),
                None => {
                    let member = |at: usize| member(&self.pictures[at], model);
                    tch::no_grad(|| task.collector.finish(&member, &mut out, progress))
                }
            };
            let mut found = PartialResults::default();
            match done {
                Ok(()) => {
                    found.figures = out.figures;
                    found.tensors = out.tensors;
                    // A file that can't be read has to be told of again next time.
                    if let Some(units) = self.units.filter(|_| self.skipped.is_empty()) {
                        units.put(&task.words, &found);
                    }
                }
                Err(error) => {
                    well = false;
                    let words = error.one_line();
                    progress.warn(&format!("{}: {}: {words}", model.subject.id, entry.name()));
                    found
                        .failures
                        .push(failure(model, None, Some(entry.name()), &error));
                }
            }
            all.push((task.place, task.number, found));
        }
        if let Some(units) = self.units.filter(|_| well && self.skipped.is_empty()) {
            units.forget_mark(&name);
        }
        all
    }
}

/// An image as a method of `model` is shown it.
fn member(picture: &PlannedImage, model: &Model) -> Member {
    let subject = &model.subject;
    let label = picture.label.as_ref();
    let class = label.and_then(|label| label.of(&subject.labels));
    Member {
        id: picture.id.clone(),
        source: picture.source.clone(),
        path: picture.path.clone(),
        label: class.map(|class| subject.class(class)),
    }
}

/// Reads an image and cuts it for every way of preprocessing.
fn read(picture: &PlannedImage, ways: &[Preprocess]) -> Result<Vec<RgbImage>> {
    let photo = picture.open()?;
    let views = ways.iter().map(|way| way.view(&photo.pixels));
    views.collect()
}

/// Everything that one method's findings hang on, as text.
fn fingerprint(
    model: &Model,
    entry: &MethodSpec,
    layers: &[NodeId],
    sha256: &str,
    pictures: &[PlannedImage],
) -> String {
    let members: Vec<_> = pictures
        .iter()
        .map(|picture| {
            let label = picture.label.as_ref();
            let label = label.and_then(|label| label.of(&model.subject.labels));
            (&picture.id, &picture.source, label)
        })
        .collect();
    serde_json::to_string(&(
        network_words(model),
        entry,
        layers,
        model.subject.seed,
        sha256,
        members,
    ))
    .unwrap_or_default()
}

/// The sha256 of the sha256s of all files, in order.
fn digest(pictures: &[PlannedImage]) -> String {
    // A file that can't be read is told of when its turn comes.
    let all = pictures
        .par_iter()
        .map(|picture| hash(&picture.path).unwrap_or_default());
    let all: Vec<[u8; 32]> = all.collect();
    let whole = Sha256::digest(all.concat());
    whole.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hash(path: &Path) -> std::io::Result<[u8; 32]> {
    let mut hasher = Sha256::new();
    std::io::copy(&mut std::fs::File::open(path)?, &mut hasher)?;
    Ok(hasher.finalize().into())
}
