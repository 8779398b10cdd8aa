//! The most that any photo of the collection reaches, kept while it goes by; then the climb, and both
//! side by side.

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::{At, Classes, Maximize, Objective, ascend};
use crate::error::Result;
use crate::figures::{Array, BestPhoto, ClassInfo, Content, MadePicture, Note};
use crate::image::DecodedImage;
use crate::methods::units::{Chooser, peaks};
use crate::methods::{Batch, Collector, LoadedModel, Member, MethodOutput, State, to_array};
use crate::network::graph::NodeId;
use crate::progress::Progress;

/// Side of the best photo's thumbnail in pixels.
const THUMBNAIL: u32 = 96;

/// One network's search.
pub(super) struct Search<'a> {
    options: &'a Maximize,
    subject: &'a LoadedModel,
    kept: NodeValues,
}

/// What it keeps.
#[derive(Debug, Serialize, Deserialize)]
struct NodeValues {
    layers: Vec<Layer>,
    /// Of every class's logit.
    logits: Vec<Option<Best>>,
    /// The true classes met, as many as are asked for.
    met: Vec<usize>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Layer {
    id: NodeId,
    chooser: Chooser,
    /// Of every unit; which ones are asked about may show only at the end.
    best: Vec<Option<Best>>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Best {
    value: f32,
    /// The photo's place in the collection.
    image: usize,
}

impl<'a> Search<'a> {
    pub fn new(options: &'a Maximize, subject: &'a LoadedModel, layers: &[NodeId]) -> Result<Self> {
        let width = |id: NodeId| subject.info[id].shape[0] as usize;
        let layers = layers.iter().map(|&id| {
            Ok(Layer {
                id,
                chooser: Chooser::new(&options.units, subject, id, width(id))?,
                best: vec![None; width(id)],
            })
        });
        let kept = NodeValues {
            layers: layers.collect::<Result<_>>()?,
            logits: vec![None; width(subject.network.graph().output())],
            met: Vec::new(),
        };
        Ok(Search {
            options,
            subject,
            kept,
        })
    }

    /// The classes to climb for, each once, and the words that mean none to this network.
    fn classes(&self) -> (Vec<usize>, Vec<String>) {
        let mut classes = self.kept.met.clone();
        let mut unknown = Vec::new();
        for word in self.options.classes.named() {
            match self.subject.labels.resolve(&word) {
                Ok(class) if !classes.contains(&class) => classes.push(class),
                Ok(_) => {}
                Err(_) => unknown.push(word),
            }
        }
        (classes, unknown)
    }
}

impl Collector for Search<'_> {
    fn see(&mut self, batch: &Batch) -> Result<()> {
        let output = self.subject.network.graph().output();
        let logits = batch.value(output)?;
        improve(&mut self.kept.logits, logits, batch.first)?;
        for layer in &mut self.kept.layers {
            let values = batch.value(layer.id)?;
            layer.chooser.see(&peaks(values)?, logits)?;
            let answers = match (self.options.at, values.dim()) {
                (At::Channel, 4) => values.f_mean_dim([2i64, 3].as_slice(), false, Kind::Float)?,
                _ => peaks(values)?,
            };
            improve(&mut layer.best, &answers, batch.first)?;
        }
        if let Classes::Met(count) = self.options.classes {
            for class in batch
                .members
                .iter()
                .filter_map(|member| member.label.as_ref())
            {
                if self.kept.met.len() < count && !self.kept.met.contains(&class.index) {
                    self.kept.met.push(class.index);
                }
            }
        }
        Ok(())
    }

    fn state(&self) -> State {
        State::of(&self.kept)
    }

    fn go_on(&mut self, state: State) -> Result<()> {
        self.kept = state.kept()?;
        Ok(())
    }

    fn finish(
        self: Box<Self>,
        member: &dyn Fn(usize) -> Member,
        out: &mut MethodOutput,
        progress: &dyn Progress,
    ) -> Result<()> {
        let subject = self.subject;
        for layer in &self.kept.layers {
            let asked: Vec<Asked> = layer
                .chooser
                .chosen()
                .into_iter()
                .map(|(unit, correlation)| Asked {
                    unit,
                    class: None,
                    correlation,
                    best: layer.best.get(unit).copied().flatten(),
                })
                .collect();
            let pictures = self.climb(layer.id, Some(layer.id), &asked, member, out, progress)?;
            let centre = self.options.at == At::Centre && subject.info[layer.id].is_spatial();
            let content = Content::Maximised { centre, pictures };
            out.figures
                .push(subject.figure("maximize", Some(layer.id), content));
        }
        let (classes, unknown) = self.classes();
        let asked: Vec<Asked> = classes
            .into_iter()
            .map(|class| Asked {
                unit: class,
                class: Some(subject.class(class)),
                correlation: None,
                best: self.kept.logits.get(class).copied().flatten(),
            })
            .collect();
        let output = subject.network.graph().output();
        let pictures = self.climb(output, None, &asked, member, out, progress)?;
        let content = match pictures.is_empty() {
            false => Content::Maximised {
                centre: false,
                pictures,
            },
            // Without a true class in the collection the layers' units have to do.
            true if unknown.is_empty() && !self.kept.layers.is_empty() => return Ok(()),
            true => Content::Absent {
                reason: Note::new("note.no_class"),
            },
        };
        let mut figure = subject.figure("maximize", None, content);
        for word in unknown {
            let note = Note::new("note.unknown_class").with("class", word);
            figure.notes.push(note);
        }
        out.figures.push(figure);
        Ok(())
    }
}

/// One picture to climb to.
struct Asked {
    /// The unit, or the class.
    unit: usize,
    class: Option<ClassInfo>,
    correlation: Option<f64>,
    best: Option<Best>,
}

impl Search<'_> {
    fn climb(
        &self,
        node: NodeId,
        layer: Option<NodeId>,
        asked: &[Asked],
        member: &dyn Fn(usize) -> Member,
        out: &mut MethodOutput,
        progress: &dyn Progress,
    ) -> Result<Vec<MadePicture>> {
        let subject = self.subject;
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let at = layer.map_or(At::Channel, |_| self.options.at);
        let objectives: Vec<Objective> = asked
            .iter()
            .map(|asked| Objective {
                node,
                unit: asked.unit,
                at,
            })
            .collect();
        let what = layer.map_or("classes", |layer| subject.layer(layer));
        progress.step(&format!("{}: maximize {what}", subject.id));
        let images = ascend(subject, &objectives, &self.options.options(), progress)?;
        let mut pictures = Vec::with_capacity(images.len());
        for (image, asked) in images.into_iter().zip(asked) {
            let key = match layer {
                Some(layer) => format!(
                    "{}/maximize/{}/{}",
                    subject.id,
                    subject.layer(layer),
                    asked.unit
                ),
                None => format!("{}/maximize/{}", subject.id, asked.unit),
            };
            out.tensor(&key, &image.pixels)?;
            let best = match asked.best {
                Some(best) => Some(self.photo(best, member, &key, out)?),
                None => None,
            };
            pictures.push(MadePicture {
                unit: asked.unit,
                class: asked.class.clone(),
                correlation: asked.correlation,
                tensor: key,
                start: image.start,
                reached: image.reached,
                best,
            });
        }
        Ok(pictures)
    }

    /// The best photo, read again for its thumbnail.
    fn photo(
        &self,
        best: Best,
        member: &dyn Fn(usize) -> Member,
        key: &str,
        out: &mut MethodOutput,
    ) -> Result<BestPhoto> {
        let member = member(best.image);
        let view = self
            .subject
            .preprocess
            .view(&DecodedImage::open(&member.path)?.pixels)?;
        let whole = [0, 0, view.width(), view.height()];
        let small = crate::image::thumbnail(&view, whole, THUMBNAIL);
        let (key, side) = (format!("{key}/photo"), THUMBNAIL as usize);
        let array = Array::u8(&[side, side, 3], small.into_raw());
        out.tensors.insert(key.clone(), array);
        Ok(BestPhoto {
            image: member.id,
            source: member.source,
            label: member.label,
            value: best.value,
            tensor: key,
        })
    }
}

/// Takes up the answers `[N, C]` of the images from `first` on; of equals the earlier stays.
fn improve(best: &mut [Option<Best>], answers: &Tensor, first: usize) -> Result<()> {
    let answers = to_array(answers)?;
    let all = answers.floats().unwrap_or_default();
    for (at, own) in all.chunks_exact(best.len().max(1)).enumerate() {
        for (best, &value) in best.iter_mut().zip(own) {
            if value.is_finite() && best.is_none_or(|best| value > best.value) {
                let image = first + at;
                *best = Some(Best { value, image });
            }
        }
    }
    Ok(())
}
