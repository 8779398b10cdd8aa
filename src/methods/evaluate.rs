//! `evaluate`: how often each network is right on a labelled collection, how well its probabilities match that, and where two
//! networks disagree.
//!
//! **What it shows.** Top-1 and top-5 accuracy, for all images and for each class; whether a network that is 80 % sure is right
//! in 80 % of the cases; which classes are confused; on which images exactly one network is right.
//! **How it is computed.** Each image of the collection with a label goes through every network that knows the class. Intervals
//! are Wilson's at 95 %. The expected calibration error is over 15 bins of equal width (Guo et al. 2017,
//! <https://arxiv.org/abs/1706.04599>). Two networks are compared by Cohen's kappa of their classes, by error consistency, the
//! kappa of right and wrong (Geirhos et al. 2020, <https://arxiv.org/abs/2006.16736>), and by McNemar's exact test. Classes are the
//! same in two networks if they have the same name.
//! **How to read it.** Two networks whose intervals overlap may still differ: both saw the same images, so McNemar's test is the
//! one to read. Error consistency near 0 means that the networks err on different images.
//! **What it can't show.** Why a network errs: the maps of single images do. Accuracy on this collection says nothing of other images.
//! **Options.** `gallery`, the number of images of each gallery.
//! **Cost.** One forward pass for each image, which all methods about the collection share.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Kind;

use super::collector::{Batch, CollectionImage, Collector, CollectorState};
use super::loaded_model::LoadedModel;
use super::method::{CollectionMethod, Method, MethodInfo, ResultKind};
use super::method_output::{MethodOutput, to_floats};
use super::row_file::Scratch;
use crate::error::{Error, ErrorKind, Result};
use crate::figures::{Array, Content, Note};
use crate::network::Task;
use crate::network::graph::NodeId;
use crate::progress::Progress;

/// How many values are kept of each image: see [`Content::Evaluation`].
const FIELDS: usize = 5;

/// The key of the predictions in a checkpoint.
const RECORDS: &str = "records";

/// The size of the galleries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Evaluate {
    /// How many images each gallery shows.
    #[schemars(range(min = 0, max = 100))]
    pub gallery: usize,
}

impl Default for Evaluate {
    fn default() -> Self {
        Evaluate { gallery: 8 }
    }
}

/// Facts and texts of the method.
const INFO: MethodInfo = MethodInfo {
    key: "evaluate",
    title: "Evaluation",
    summary: "accuracy with intervals, calibration, confusions, and where two networks disagree, over a labelled collection",
    read: "How often each network is right on the labelled images of the collection, how well its probabilities match that, which classes it confuses, and on which images the networks differ.",
    limit: "It does not say why a network errs, and the accuracy on these images says nothing of others.",
    result: ResultKind::Scores,
    papers: &[
        "Guo, C., Pleiss, G., Sun, Y., and Weinberger, K. Q. (2017). On calibration of modern neural networks. ICML. arXiv:1706.04599",
        "Geirhos, R., Meding, K., and Wichmann, F. A. (2020). Beyond accuracy: quantifying trial-by-trial behaviour of CNNs and humans by measuring error consistency. NeurIPS. arXiv:2006.16736",
    ],
};

impl Method for Evaluate {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn spatial(&self) -> bool {
        false
    }

    fn for_collection(&self) -> Option<&dyn CollectionMethod> {
        Some(self)
    }
}

impl CollectionMethod for Evaluate {
    fn collector<'a>(
        &'a self,
        model: &'a LoadedModel,
        _layers: &[NodeId],
        _scratch: &Scratch,
    ) -> Result<Box<dyn Collector + 'a>> {
        Ok(Box::new(PredictionCollector {
            model,
            records: Vec::new(),
        }))
    }
}

/// Collects what one network predicts for the labelled images.
struct PredictionCollector<'a> {
    model: &'a LoadedModel,
    /// [`FIELDS`] values of each image.
    records: Vec<f32>,
}

impl Collector for PredictionCollector<'_> {
    fn observe(&mut self, batch: &Batch) -> Result<()> {
        if self.model.task != Task::Classes {
            return Ok(());
        }
        let output = batch.value(self.model.network.graph().output())?;
        let logits = self.model.class_logits(output)?;
        let classes = logits.size().last().map_or(1, |&classes| classes.max(1)) as usize;
        let logits = to_floats(&logits)?;
        let probabilities = to_floats(&self.model.class_probabilities(output, Kind::Double)?)?;
        let rows = logits.chunks(classes).zip(probabilities.chunks(classes));
        for (offset, (member, (logits, probabilities))) in
            batch.members.iter().zip(rows).enumerate()
        {
            let Some(label) = member.label.as_ref().map(|label| label.index) else {
                continue;
            };
            let Some(&own) = logits.get(label) else {
                continue;
            };
            let order = |a: &usize, b: &usize| logits[*a].total_cmp(&logits[*b]).then(b.cmp(a));
            let predicted = (0..classes).max_by(order).unwrap_or(0);
            // Equal logits are in the order of their classes, as in the predictions of single images.
            let above = |(class, logit): &(usize, &f32)| {
                **logit > own || (**logit == own && *class < label)
            };
            let rank = 1 + logits.iter().enumerate().filter(above).count();
            self.records.extend([
                (batch.first + offset) as f32,
                label as f32,
                predicted as f32,
                probabilities[predicted],
                rank as f32,
            ]);
        }
        Ok(())
    }

    fn state(&self) -> CollectorState {
        let images = self.records.len() / FIELDS;
        let records = Array::f32(&[images, FIELDS], self.records.clone());
        CollectorState {
            tensors: [(RECORDS.to_owned(), records)].into(),
            ..CollectorState::default()
        }
    }

    fn resume(&mut self, state: CollectorState) -> Result<()> {
        self.records.clear();
        self.append(state)
    }

    fn append(&mut self, later: CollectorState) -> Result<()> {
        let records = later.tensors.get(RECORDS).and_then(Array::floats);
        let none = || Error::new(ErrorKind::Io, "the state holds no predictions");
        self.records.extend(records.ok_or_else(none)?);
        Ok(())
    }

    fn finish(
        self: Box<Self>,
        _member: &dyn Fn(usize) -> CollectionImage,
        out: &mut MethodOutput,
        _progress: &dyn Progress,
    ) -> Result<()> {
        let key = format!("{}/evaluate", self.model.id);
        let images = self.records.len() / FIELDS;
        let content = if self.model.task != Task::Classes {
            Content::Absent {
                reason: Note::new("note.no_exclusive_classes"),
            }
        } else if images == 0 {
            Content::Absent {
                reason: Note::new("note.no_labels"),
            }
        } else {
            out.tensors
                .insert(key.clone(), Array::f32(&[images, FIELDS], self.records));
            Content::Evaluation {
                tensor: key,
                classes: (0..self.model.labels.len())
                    .map(|class| self.model.labels.name(class))
                    .collect(),
            }
        };
        out.figures.push(self.model.figure(INFO.key, None, content));
        Ok(())
    }
}
