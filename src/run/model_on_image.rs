//! One network looking at one picture: one forward pass, one backward pass for every class, and all
//! methods and checks served from them.

use std::collections::BTreeMap;

use image::RgbImage;
use tch::{Kind, Tensor};

use super::images::{PartialResults, failure, network_words};
use super::models::Model;
use crate::checks::{self, Asked, Candidate};
use crate::error::{Error, ErrorKind, Result};
use crate::figures::{Array, CheckedMap, ClassInfo, Content, Map, Tensors};
use crate::methods::{BackwardPass, ForwardPass, MethodOutput, MethodSpec, to_array};
use crate::network::ClassSpec;
use crate::network::graph::NodeId;
use crate::network::{NodeValues, gradients, node_info};
use crate::plan::images::PlannedImage;
use crate::results::{Prediction, Scored};
use crate::spec::Experiment;

/// How many of a network's first choices are listed.
const TOP: usize = 5;

/// One network looking at one picture.
pub(super) struct Job<'a> {
    pub(super) experiment: &'a Experiment,
    pub(super) model: &'a Model,
    pub(super) picture: &'a PlannedImage,
    pub(super) view: &'a RgbImage,
    /// The picture's true class, as this network counts.
    pub(super) label: Option<usize>,
    /// Where the view shows it, 1 inside and 0 outside.
    pub(super) inside: Option<&'a [f32]>,
}

impl Job<'_> {
    /// Everything that the numbers hang on, as text.
    pub(super) fn fingerprint(&self) -> String {
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

    pub(super) fn run(&self) -> PartialResults {
        let mut found = PartialResults::default();
        if let Err(error) = self.look(&mut found) {
            found
                .failures
                .push(failure(self.model, Some(self.picture), None, &error));
        }
        found
    }

    fn look(&self, found: &mut PartialResults) -> Result<()> {
        let subject = &self.model.subject;
        let graph = subject.network.graph();
        let (width, height) = self.view.dimensions();
        // A picture fed as it is may be too small for the network.
        node_info::of_graph(graph, height.into(), width.into())?;
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
        let pass = ForwardPass {
            subject,
            image: &self.picture.id,
            input: &input,
            values: &values,
        };
        let prediction = self.predict(&pass, &mut found.tensors)?;
        let classes = self.classes(&prediction)?;
        found.prediction = Some(prediction);
        for (entry, layers) in self.experiment.methods.iter().zip(&self.model.layers) {
            let mut out = MethodOutput::default();
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
    fn ask(&self, pass: &ForwardPass, class: ClassInfo, found: &mut PartialResults) -> Result<()> {
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
        let gradients: NodeValues = gradients(&objective, pass.values, &nodes)?;
        let of_class = BackwardPass {
            pass,
            class,
            gradients: &gradients,
        };
        for (entry, layers) in methods {
            let mut out = MethodOutput::default();
            let done = tch::no_grad(|| entry.method().of_class(&of_class, layers, &mut out));
            self.take(found, entry.name(), done, out);
        }
        if !self.experiment.checks.is_empty() {
            self.check(&of_class, found)?;
        }
        Ok(())
    }

    /// Puts all maps of the picture and the class to the test, and two that know nothing.
    fn check(&self, of_class: &BackwardPass, found: &mut PartialResults) -> Result<()> {
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
        let mut all: Vec<CheckedMap> = names
            .into_iter()
            .map(|of| CheckedMap {
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

    fn take(&self, found: &mut PartialResults, method: &str, done: Result<()>, out: MethodOutput) {
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

    fn predict(&self, pass: &ForwardPass, tensors: &mut Tensors) -> Result<Prediction> {
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
