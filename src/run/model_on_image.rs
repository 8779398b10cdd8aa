//! One network on one image: one forward pass, and one backward pass for every target, serve all methods and checks.

use tch::Tensor;

use super::fingerprint::{fingerprint, fingerprint_bytes};
use super::image_views::ImageView;
use super::map_checks::check_maps;
use super::model::RunModel;
use super::precision_note::add_precision_note;
use super::prediction::predict;
use super::result_cache::ResultCache;
use super::run_output::{PartialResults, failure};
use super::targets::requested_targets;
use crate::checks::CheckContext;
use crate::error::Result;
use crate::figures::{Content, Figure, Note, Quantity};
use crate::methods::{BackwardPass, ForwardPass, MethodOutput, MethodSpec, Target};
use crate::network::Task;
use crate::network::graph::NodeId;
use crate::network::node_info;
use crate::results::ExplainedValue;
use crate::spec::ExperimentSpec;

/// One network on one image.
pub(super) struct ModelOnImage<'a> {
    pub(super) experiment: &'a ExperimentSpec,
    pub(super) model: &'a RunModel,
    /// The image's id.
    pub(super) image: &'a str,
    pub(super) view: &'a ImageView,
    /// The indices of the image's true classes in this network.
    pub(super) labels: Vec<usize>,
    /// 1 for each pixel of the view that shows the class, 0 elsewhere, where that is known.
    pub(super) target_mask: Option<&'a [f32]>,
}

impl ModelOnImage<'_> {
    /// The results, from the cache if they are there. Those without a failure are stored.
    pub(super) fn find_or_run(&self, cache: Option<&ResultCache>) -> PartialResults {
        let (Some(cache), Ok(fingerprint)) = (cache, self.fingerprint()) else {
            return self.run();
        };
        cache.find(&fingerprint).unwrap_or_else(|| {
            let results = self.run();
            if results.failures.is_empty() {
                cache.store(&fingerprint, &results);
            }
            results
        })
    }

    /// A hash of everything that the results depend on.
    fn fingerprint(&self) -> Result<String> {
        let mask = self.target_mask.map(|mask| {
            let bytes: Vec<u8> = mask.iter().map(|inside| *inside as u8).collect();
            fingerprint_bytes(&bytes)
        });
        let experiment = self.experiment;
        let likenesses = self.model.likenesses.iter();
        let references: Vec<&str> = likenesses.map(|own| own.sha256.as_str()).collect();
        fingerprint(&(
            &self.model.fingerprint,
            self.image,
            (&experiment.classes, experiment.target, experiment.seed),
            (&self.labels, references),
            (&experiment.methods, &self.model.layers, &experiment.checks),
            mask,
            self.view.view.pixels.dimensions(),
            &self.view.hash,
        ))
    }

    fn run(&self) -> PartialResults {
        let mut results = PartialResults::default();
        if let Err(error) = self.run_passes(&mut results) {
            self.record(None, &error, &mut results);
        }
        results
    }

    fn run_passes(&self, results: &mut PartialResults) -> Result<()> {
        let loaded = &self.model.loaded;
        let graph = loaded.network.graph();
        let (width, height) = self.view.view.pixels.dimensions();
        // An image that is fed without resizing may be too small for the network.
        node_info::from_graph(graph, height.into(), width.into())?;
        let needs_gradients = self
            .methods()
            .any(|(entry, _)| entry.method().for_class().is_some());
        let input = loaded.input_of_views(&[&self.view.view])?;
        let mut nodes = self.nodes(|_| true);
        nodes.extend(self.model.likenesses.iter().map(|own| own.target.node));
        let pass = if needs_gradients {
            loaded.forward_with_gradients(self.image, &input, &nodes)?
        } else {
            loaded.forward(self.image, &input, &nodes)?
        };
        let (prediction, logits) = predict(loaded, self.image, pass.logits()?, &self.labels)?;
        results.tensors.insert(prediction.tensor.clone(), logits);
        let targets = requested_targets(self.experiment, self.model, &prediction, &self.labels)?;
        results.prediction = Some(prediction);
        for (entry, layers) in self.methods() {
            let Some(method) = entry.method().for_image() else {
                continue;
            };
            let mut output = MethodOutput::default();
            let done = tch::no_grad(|| method.image_figures(&pass, layers, &mut output));
            self.add(entry.name(), done, output, results);
        }
        if needs_gradients {
            if targets.is_empty() {
                self.add_absent(results);
            }
            for target in targets {
                self.run_target(&pass, target, results)?;
            }
        }
        Ok(())
    }

    /// The figures that say why a network without classes has no figure of a method about classes.
    fn add_absent(&self, results: &mut PartialResults) {
        let loaded = &self.model.loaded;
        if loaded.task != Task::Codes {
            return;
        }
        for (entry, _) in self.methods() {
            if entry.method().for_class().is_some() {
                let reason = Note::new("note.no_classes");
                results.figures.push(Figure {
                    image: Some(self.image.to_owned()),
                    ..loaded.figure(entry.name(), None, Content::Absent { reason })
                });
            }
        }
    }

    /// One target: its backward pass, every method about classes, and the checks.
    fn run_target(
        &self,
        pass: &ForwardPass,
        target: Target,
        results: &mut PartialResults,
    ) -> Result<()> {
        let nodes = self.nodes(|entry| entry.method().for_class().is_some());
        let backward = pass.backward(target, &nodes)?;
        results.targets.extend(self.explained_value(&backward)?);
        let graph = pass.model.network.graph();
        let is_before = |layer: &NodeId| graph.downstream(*layer)[backward.target.node];
        for (entry, layers) in self.methods() {
            let Some(method) = entry.method().for_class() else {
                continue;
            };
            let mut output = MethodOutput::default();
            let (layers, after): (Vec<NodeId>, Vec<NodeId>) =
                layers.iter().partition(|layer| is_before(layer));
            for layer in &after {
                let reason = Note::new("note.after_target");
                let absent = Content::Absent { reason };
                let figure = backward.figure(entry.name(), Some(*layer), absent);
                output.figures.push(figure);
            }
            let done = if layers.is_empty() && !after.is_empty() {
                Ok(())
            } else {
                tch::no_grad(|| method.class_figures(&backward, &layers, &mut output))
            };
            let precisions = self.experiment.precision.0;
            add_precision_note(&mut output.figures, method.many_inputs(), precisions);
            self.add(entry.name(), done, output, results);
        }
        if self.experiment.checks.is_empty() {
            return Ok(());
        }
        let methods: Vec<(&MethodSpec, &[NodeId])> = self.methods().collect();
        let target_mask = self.target_mask_tensor()?;
        let context = CheckContext {
            pass: &backward,
            methods: &methods,
            target_mask: target_mask.as_ref(),
        };
        check_maps(&self.experiment.checks, &context, results)
    }

    /// The value that is explained; none for a class's logit, which is among the predictions.
    fn explained_value(&self, backward: &BackwardPass) -> Result<Option<ExplainedValue>> {
        let loaded = backward.model();
        let (target, quantity) = (&backward.target.info, backward.target.quantity(loaded));
        if quantity == Quantity::Logit {
            return Ok(None);
        }
        Ok(Some(ExplainedValue {
            model: loaded.id.clone(),
            image: self.image.to_owned(),
            target: target.clone(),
            quantity,
            value: backward.target_value()? as f32,
        }))
    }

    /// The target mask as `[H, W]` on the network's device.
    fn target_mask_tensor(&self) -> Result<Option<Tensor>> {
        let Some(mask) = self.target_mask else {
            return Ok(None);
        };
        let (width, height) = self.view.view.pixels.dimensions();
        let mask = Tensor::from_slice(mask).f_view([i64::from(height), i64::from(width)])?;
        Ok(Some(mask.f_to_device(self.model.loaded.device)?))
    }

    /// The experiment's methods, each with its layers in this network.
    fn methods(&self) -> impl Iterator<Item = (&MethodSpec, &[NodeId])> {
        let layers = self.model.layers.iter().map(Vec::as_slice);
        self.experiment.methods.iter().zip(layers)
    }

    /// The nodes whose values or gradients the methods need that `wanted` selects.
    fn nodes(&self, wanted: impl Fn(&MethodSpec) -> bool) -> Vec<NodeId> {
        let graph = self.model.loaded.network.graph();
        let mut nodes = Vec::new();
        for (entry, layers) in self.methods().filter(|(entry, _)| wanted(entry)) {
            nodes.extend(layers);
            nodes.extend(entry.method().nodes(graph));
        }
        nodes
    }

    /// Adds what a method computed, or its failure.
    fn add(
        &self,
        method: &str,
        done: Result<()>,
        output: MethodOutput,
        results: &mut PartialResults,
    ) {
        match done {
            Ok(()) => {
                results.figures.extend(output.figures);
                results.tensors.extend(output.tensors);
            }
            Err(error) => self.record(Some(method), &error, results),
        }
    }

    fn record(
        &self,
        method: Option<&str>,
        error: &crate::error::Error,
        results: &mut PartialResults,
    ) {
        let model = Some(self.model.loaded.id.as_str());
        results
            .failures
            .push(failure(model, Some(self.image), method, error));
    }
}
