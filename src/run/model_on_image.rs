//! One network on one image: one forward pass, and one backward pass for every class, serve all methods and checks.

use tch::Tensor;

use super::fingerprint::{fingerprint, fingerprint_bytes};
use super::image_views::ImageView;
use super::map_checks::check_maps;
use super::model::RunModel;
use super::prediction::{predict, requested_classes};
use super::result_cache::ResultCache;
use super::run_output::{PartialResults, failure};
use crate::checks::CheckContext;
use crate::error::Result;
use crate::figures::ClassInfo;
use crate::methods::{ForwardPass, MethodOutput, MethodSpec};
use crate::network::graph::NodeId;
use crate::network::node_info;
use crate::spec::ExperimentSpec;

/// One network on one image.
pub(super) struct ModelOnImage<'a> {
    pub(super) experiment: &'a ExperimentSpec,
    pub(super) model: &'a RunModel,
    /// The image's id.
    pub(super) image: &'a str,
    pub(super) view: &'a ImageView,
    /// The index of the image's true class in this network.
    pub(super) label: Option<usize>,
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
        fingerprint(&(
            &self.model.fingerprint,
            self.image,
            (&experiment.classes, experiment.seed, self.label),
            (&experiment.methods, &self.model.layers, &experiment.checks),
            mask,
            self.view.pixels.dimensions(),
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
        let (width, height) = self.view.pixels.dimensions();
        // An image that is fed without resizing may be too small for the network.
        node_info::from_graph(graph, height.into(), width.into())?;
        let needs_gradients = self
            .methods()
            .any(|(entry, _)| entry.method().for_class().is_some());
        let input = loaded.input(&[&self.view.pixels])?;
        let nodes = self.nodes(|_| true);
        let pass = if needs_gradients {
            loaded.forward_with_gradients(self.image, &input, &nodes)?
        } else {
            loaded.forward(self.image, &input, &nodes)?
        };
        let (prediction, logits) = predict(loaded, self.image, pass.logits()?, self.label)?;
        results.tensors.insert(prediction.tensor.clone(), logits);
        let classes = &self.experiment.classes;
        let classes = requested_classes(classes, loaded, &prediction, self.label);
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
            for class in classes {
                self.run_class(&pass, class, results)?;
            }
        }
        Ok(())
    }

    /// One class: its backward pass, every method about classes, and the checks.
    fn run_class(
        &self,
        pass: &ForwardPass,
        class: ClassInfo,
        results: &mut PartialResults,
    ) -> Result<()> {
        let nodes = self.nodes(|entry| entry.method().for_class().is_some());
        let backward = pass.backward(class, &nodes)?;
        for (entry, layers) in self.methods() {
            let Some(method) = entry.method().for_class() else {
                continue;
            };
            let mut output = MethodOutput::default();
            let done = tch::no_grad(|| method.class_figures(&backward, layers, &mut output));
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

    /// The target mask as `[H, W]` on the network's device.
    fn target_mask_tensor(&self) -> Result<Option<Tensor>> {
        let Some(mask) = self.target_mask else {
            return Ok(None);
        };
        let (width, height) = self.view.pixels.dimensions();
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
