//! `evaluate`: how often each network is right on a labelled collection, how well its probabilities match that, where two
//! networks disagree, and where their accuracy is off.
//!
//! **What it shows.** Top-1 and top-5 accuracy, for all images, for each class and for each group of images; whether a network that
//! is 80 % sure is right in 80 % of the cases; which classes are confused; on which images exactly one network is right, each with
//! the networks' maps; labels that are probably wrong; groups of images for which the accuracy is off; the accuracy on corrupted images.
//! **How it is computed.** Each image of the collection with a label goes through every network that knows the class. Intervals
//! are Wilson's at 95 %. The expected calibration error is over 15 bins of equal width (Guo et al. 2017,
//! <https://arxiv.org/abs/1706.04599>). Two networks are compared by Cohen's kappa of their classes, by error consistency, the
//! kappa of right and wrong (Geirhos et al. 2020, <https://arxiv.org/abs/2006.16736>), and by McNemar's exact test. Classes are the
//! same in two networks if they have the same name. Labels that are probably wrong are found by confident learning (Northcutt et al.
//! 2021, <https://arxiv.org/abs/1911.00068>) from the five most probable classes of each image. Groups of images are the columns of the
//! collection's CSV with 2 to 50 different texts and at least two images for each on average, and the groups that k-means finds in the codes of `layers`, projected at random to 64 dimensions,
//! of at most 5000 images: one group for 30 images, at most 20. A group of at least 10 images is off if its accuracy differs from that of all other images by
//! Fisher's exact test at 5 %, after Holm's correction for all groups tested. Corruptions are those of ImageNet-C (Hendrycks & Dietterich 2019,
//! <https://arxiv.org/abs/1903.12261>) with its five severities, applied to 8-bit colours after resizing and cropping. A network
//! of independent classes (`task: multi-label`) is scored by mean average precision and by the area under the ROC curve of each class; one
//! of values (`task: regression`) by R², with the true values in columns of the CSV.
//! **How to read it.** Two networks whose intervals overlap may still differ: both saw the same images, so McNemar's test is the
//! one to read. Error consistency near 0 means that the networks err on different images. Suggested labels assume that the
//! network was not trained on these images.
//! **What it can't show.** Why a network errs: the maps of the galleries hint at it, single images with more methods say more. Accuracy on this
//! collection says nothing of other images.
//! **Options.** `gallery`, the number of images of each gallery. `attribution`, the method of the maps beside them, or `none`.
//! `layers`, the layer in whose codes similar images are found. `corruptions`, a list of their names, or a map with `kinds`, `severities` (1 to 5)
//! and `share`, the share of the images that are corrupted. `values`, for a regression, the columns with the true values.
//! **Cost.** One forward pass for each image, which all methods about the collection share; one more for each image in
//! the share, corruption and severity, and one to see that the network gets 8-bit colours; one map for each network and image of a gallery.

mod corrupted;
mod options;
mod predictions;
mod projected_codes;
mod rows;

use super::MethodSpec;
use super::collector::{Batch, CollectionImage, Collector, CollectorState};
use super::loaded_model::LoadedModel;
use super::method::{CollectionMethod, Method, MethodInfo, ResultKind};
use super::method_output::MethodOutput;
use super::row_file::Scratch;
use crate::error::{Error, ErrorKind, Result, nearest};
use crate::figures::{Content, CorruptionRecords, EvaluatedTask, EvaluationRecords, Note};
use crate::network::graph::{Graph, NodeId};
use crate::network::node_info::NodeInfo;
use crate::network::{LayerSelector, Task};
use crate::progress::Progress;

use corrupted::CorruptedRanks;
use predictions::{finite_rows, is_labelled, probabilities, push_prediction};
use projected_codes::ProjectedCodes;
use rows::Rows;

pub use options::{Corruptions, Evaluate};

/// Facts and texts of the method.
const INFO: MethodInfo = MethodInfo {
    key: "evaluate",
    title: "Evaluation",
    summary: "accuracy with intervals, calibration, confusions, where networks disagree, suspect labels, weak groups and corrupted images, over a labelled collection",
    read: "How often each network is right on the labelled images of the collection, how well its probabilities match that, which classes it confuses, and on which images the networks differ.",
    limit: "It does not say why a network errs, and the accuracy on these images says nothing of others.",
    result: ResultKind::Scores,
    papers: &[
        "Guo, C., Pleiss, G., Sun, Y., and Weinberger, K. Q. (2017). On calibration of modern neural networks. ICML. arXiv:1706.04599",
        "Northcutt, C. G., Jiang, L., and Chuang, I. L. (2021). Confident learning: estimating uncertainty in dataset labels. JAIR 70. arXiv:1911.00068",
        "Hendrycks, D., and Dietterich, T. (2019). Benchmarking neural network robustness to common corruptions and perturbations. ICLR. arXiv:1903.12261",
        "Geirhos, R., Meding, K., and Wichmann, F. A. (2020). Beyond accuracy: quantifying trial-by-trial behaviour of CNNs and humans by measuring error consistency. NeurIPS. arXiv:2006.16736",
    ],
};

impl Method for Evaluate {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn selectors(&self) -> &[LayerSelector] {
        &self.layers
    }

    fn spatial(&self) -> bool {
        false
    }

    fn check(&self, _graph: &Graph, _info: &[NodeInfo], _layers: &[NodeId]) -> Result<()> {
        if self.attribution == NO_ATTRIBUTION || self.attribution_method().is_some() {
            return Ok(());
        }
        let known: Vec<&str> = map_methods().map(|method| method.name()).collect();
        let message = format!(
            "`attribution` is `{}`, which is no method of maps",
            self.attribution
        );
        Err(Error::new(ErrorKind::Spec, message).help(
            match nearest(&self.attribution, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("write `{NO_ATTRIBUTION}`, or one of {}", known.join(", ")),
            },
        ))
    }

    fn for_collection(&self) -> Option<&dyn CollectionMethod> {
        Some(self)
    }
}

/// What `attribution` is without maps.
const NO_ATTRIBUTION: &str = "none";

/// The methods that give a map of an image and a class.
fn map_methods() -> impl Iterator<Item = MethodSpec> {
    let all = MethodSpec::all().into_iter();
    all.filter(|spec| {
        let method = spec.method();
        method.info().result == ResultKind::Map && method.for_class().is_some()
    })
}

impl Evaluate {
    /// The method of the maps in galleries; `None` for none.
    pub fn attribution_method(&self) -> Option<MethodSpec> {
        map_methods().find(|method| method.name() == self.attribution)
    }
}

impl CollectionMethod for Evaluate {
    fn collector<'a>(
        &'a self,
        model: &'a LoadedModel,
        layers: &[NodeId],
        _scratch: &Scratch,
    ) -> Result<Box<dyn Collector + 'a>> {
        let classes = model.task == Task::Classes;
        let corrupted = CorruptedRanks::new(&self.corruptions, model);
        Ok(Box::new(EvaluationCollector {
            options: self,
            model,
            predictions: Rows::new("predictions"),
            codes: layers
                .first()
                .filter(|_| classes)
                .map(|layer| ProjectedCodes::new(*layer, model)),
            corrupted: corrupted.filter(|_| classes),
        }))
    }
}

/// Collects what one network predicts for the labelled images.
struct EvaluationCollector<'a> {
    options: &'a Evaluate,
    model: &'a LoadedModel,
    predictions: Rows,
    codes: Option<ProjectedCodes>,
    corrupted: Option<CorruptedRanks<'a>>,
}

impl EvaluationCollector<'_> {
    fn rows(&self) -> impl Iterator<Item = &Rows> {
        let corrupted = self.corrupted.iter().map(|own| &own.rows);
        std::iter::once(&self.predictions).chain(corrupted)
    }

    fn rows_mut(&mut self) -> impl Iterator<Item = &mut Rows> {
        let corrupted = self.corrupted.iter_mut().map(|own| &mut own.rows);
        std::iter::once(&mut self.predictions).chain(corrupted)
    }

    /// What is stored of the images, with its tensors in `out`.
    fn content(&self, out: &mut MethodOutput) -> Content {
        let absent = |key| Content::Absent {
            reason: Note::new(key),
        };
        let task = match self.model.task {
            Task::Classes => EvaluatedTask::Classes,
            Task::MultiLabel => EvaluatedTask::MultiLabel,
            Task::Regression => EvaluatedTask::Regression,
            Task::Codes => return absent("note.no_exclusive_classes"),
        };
        if self.predictions.count() == 0 {
            return absent(match task {
                EvaluatedTask::Regression => "note.no_values",
                _ => "note.no_labels",
            });
        }
        let key = format!("{}/evaluate", self.model.id);
        out.tensors.insert(key.clone(), self.predictions.array());
        let codes = self.codes.as_ref().map(|codes| {
            let key = format!("{key}/codes");
            out.tensors.insert(key.clone(), codes.array());
            key
        });
        let corrupted = self.corrupted.as_ref().filter(|own| own.rows.count() > 0);
        let corruptions = corrupted.map(|own| {
            let key = format!("{key}/corruptions");
            out.tensors.insert(key.clone(), own.rows.array());
            let options = &self.options.corruptions;
            CorruptionRecords {
                tensor: key,
                kinds: options
                    .kinds
                    .iter()
                    .map(|kind| kind.name().to_owned())
                    .collect(),
                severities: options.severities.clone(),
            }
        });
        let labels = &self.model.labels;
        Content::Evaluation(EvaluationRecords {
            task,
            tensor: key,
            classes: (0..labels.len()).map(|class| labels.name(class)).collect(),
            codes,
            corruptions,
        })
    }
}

impl Collector for EvaluationCollector<'_> {
    fn observe(&mut self, batch: &Batch) -> Result<()> {
        let (model, columns) = (self.model, &self.options.values);
        if model.task == Task::Codes {
            return Ok(());
        }
        let output = batch.value(model.network.graph().output())?;
        let (logits, classes) = finite_rows(model, &model.class_logits(output)?)?;
        let probabilities = probabilities(model, output)?;
        let members = batch.members.iter();
        let labelled: Vec<bool> = members
            .map(|own| is_labelled(model, columns, own))
            .collect();
        let rows = logits
            .chunks_exact(classes)
            .zip(probabilities.chunks_exact(classes));
        for (offset, (member, row)) in batch.members.iter().zip(rows).enumerate() {
            if labelled[offset] {
                let image = (batch.first + offset, member);
                push_prediction(&mut self.predictions, model, columns, image, row);
            }
        }
        if let Some(codes) = &mut self.codes {
            let value = batch.value(codes.layer())?;
            codes.observe(model, (batch.first, value), &labelled)?;
        }
        if let Some(corrupted) = &mut self.corrupted {
            corrupted.observe(model, batch, &logits, classes)?;
        }
        Ok(())
    }

    fn state(&self) -> CollectorState {
        let mut state = CollectorState::default();
        for rows in self.rows() {
            rows.save(&mut state);
        }
        if let Some(codes) = &self.codes {
            codes.save(&mut state);
        }
        state
    }

    fn resume(&mut self, state: CollectorState) -> Result<()> {
        for rows in self.rows_mut() {
            rows.clear();
            rows.append(&state)?;
        }
        self.codes
            .as_mut()
            .map_or(Ok(()), |codes| codes.resume(&state))
    }

    fn append(&mut self, later: CollectorState) -> Result<()> {
        self.rows_mut().try_for_each(|rows| rows.append(&later))?;
        self.codes
            .as_mut()
            .map_or(Ok(()), |codes| codes.append(&later))
    }

    fn finish(
        self: Box<Self>,
        _member: &dyn Fn(usize) -> CollectionImage,
        out: &mut MethodOutput,
        _progress: &dyn Progress,
    ) -> Result<()> {
        let content = self.content(out);
        let mut figure = self.model.figure(INFO.key, None, content);
        let wanted = !self.options.corruptions.kinds.is_empty();
        if wanted && self.model.task == Task::Classes && self.corrupted.is_none() {
            figure.notes.push(Note::new("note.no_corruptions"));
        }
        out.figures.push(figure);
        Ok(())
    }
}
