//! Gradient ascent from a nearly uniform image to one for which a unit's activation or a class's logit is large.

use tch::{Device, Kind, Tensor};

use super::adam::Adam;
use super::augmentation::{AugmentationRanges, augment};
use super::objective::{Objective, objective_values};
use super::parametrisation::{
    Parametrisation, amplitude_factors, correlate_colours, initial_spectra, inverse_transform,
    per_channel,
};
use crate::error::{Error, ErrorKind, Result};
use crate::methods::{LoadedModel, to_floats};
use crate::network::graph::NodeId;
use crate::progress::{Progress, ProgressUnit};
use crate::rng::Rng;

/// The random transformations at each step of [`Parametrisation::Fourier`].
const AUGMENTATION: AugmentationRanges = AugmentationRanges {
    shift: 1.0 / 16.0,
    rotation: 10.0 / 180.0 * std::f64::consts::PI,
    scale: 0.1,
};

/// The initial length of a step of [`Parametrisation::Pixels`], as the root mean square of the change of a colour in
/// 0…1; it falls linearly to 0.
const PIXEL_STEP: f64 = 0.02;

/// The largest number of pixels of a batch, whose activations are all kept for the backward pass.
const MAX_BATCH_PIXELS: i64 = 4 * 224 * 224;

/// The options of gradient ascent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AscentOptions {
    /// What is optimised.
    pub by: Parametrisation,
    /// Side of the image in pixels.
    pub size: u32,
    /// The number of steps.
    pub steps: u32,
    /// The weight of the L2 penalty of [`Parametrisation::Pixels`] on the distance from the mean colour (in 0…1).
    pub l2: f64,
}

/// The result of gradient ascent for one objective.
#[derive(Debug)]
pub struct AscentResult {
    /// The image, `[C, size, size]`, float32 in 0…1.
    pub pixels: Tensor,
    /// The objective's value for the initial image.
    pub initial_value: f64,
    /// The objective's value for this image, without augmentation.
    pub final_value: f64,
}

/// Maximises each of `objectives`, all of one layer, by an image of its own. Up to libtorch's rounding, a result does not
/// depend on the other objectives of the batch.
///
/// # Errors
/// If libtorch fails, or an objective's value is not finite.
pub fn gradient_ascent(
    model: &LoadedModel,
    objectives: &[Objective],
    options: &AscentOptions,
    progress: &dyn Progress,
) -> Result<Vec<AscentResult>> {
    let pixels = i64::from(options.size).pow(2).max(1);
    let batch = (MAX_BATCH_PIXELS / pixels).clamp(1, 16) as usize;
    let total = objectives.len() as u64 * u64::from(options.steps);
    let mut done = 0;
    let mut results = Vec::with_capacity(objectives.len());
    for objectives in objectives.chunks(batch) {
        let ascent = Ascent::new(model, objectives, options)?;
        let mut each_step = || {
            done += objectives.len() as u64;
            progress.advance(done, Some(total), ProgressUnit::Items);
        };
        results.extend(match options.by {
            Parametrisation::Fourier => ascent.in_fourier_space(&mut each_step)?,
            Parametrisation::Pixels => ascent.in_pixel_space(&mut each_step)?,
        });
    }
    Ok(results)
}

/// A batch of objectives of one layer.
struct Ascent<'a> {
    model: &'a LoadedModel,
    options: &'a AscentOptions,
    objectives: &'a [Objective],
    /// The layer, whose values are reported.
    node: NodeId,
    /// The node whose values are differentiated.
    differentiated: NodeId,
    /// Mean and standard deviation of the preprocessing, `[1, C, 1, 1]`.
    mean: Tensor,
    std: Tensor,
}

impl<'a> Ascent<'a> {
    fn new(
        model: &'a LoadedModel,
        objectives: &'a [Objective],
        options: &'a AscentOptions,
    ) -> Result<Self> {
        let graph = model.network.graph();
        let node = objectives
            .first()
            .map_or(graph.output(), |first| first.node);
        // The gradient of a ReLU is 0 for negative inputs, so its input is differentiated.
        let differentiated = match (
            graph.node(node).op.rectifier(),
            graph.node(node).inputs.first(),
        ) {
            (Some(_), Some(&input)) => input,
            _ => node,
        };
        Ok(Ascent {
            model,
            options,
            objectives,
            node,
            differentiated,
            mean: per_channel(&model.preprocess.mean, model.device)?,
            std: per_channel(&model.preprocess.std, model.device)?,
        })
    }

    /// A generator for each objective, which does not depend on the others.
    fn rngs(&self, purpose: &str) -> Vec<Rng> {
        let rng = |objective: &Objective| {
            let purpose = format!("maximize {purpose} {}", objective.unit);
            Rng::new(self.model.seed, &purpose)
        };
        self.objectives.iter().map(rng).collect()
    }

    /// Every objective's value at `node` for its own input of `inputs`, `[N]`.
    fn values(&self, inputs: &Tensor, node: NodeId) -> Result<Tensor> {
        let activations = self.model.network.forward(inputs, &[node])?;
        let map = self.model.map(node, activations.value(node)?)?;
        let of_classes = self.objectives.first().is_some_and(|first| first.class);
        let map = if of_classes {
            self.model.class_logits(&map)?
        } else {
            map
        };
        objective_values(&map, self.objectives)
    }

    fn in_fourier_space(&self, each_step: &mut dyn FnMut()) -> Result<Vec<AscentResult>> {
        let (side, device) = (i64::from(self.options.size), self.model.device);
        let factors = amplitude_factors(side, device)?;
        let images = |spectra: &Tensor| -> Result<Tensor> {
            correlate_colours(&inverse_transform(spectra, &factors)?)
        };
        let channels = self.model.channels() as i64;
        let initial =
            initial_spectra(&mut self.rngs("start"), channels, side)?.f_to_device(device)?;
        let mut adam = Adam::new(initial.shallow_clone())?;
        let mut rngs = self.rngs("views");
        for _ in 0..self.options.steps {
            let gradient = tch::with_grad(|| -> Result<Tensor> {
                let spectra = adam.parameters.f_detach()?.f_set_requires_grad(true)?;
                let augmented = augment(&images(&spectra)?, &AUGMENTATION, &mut rngs)?;
                let values = self.values(&self.normalised(&augmented)?, self.differentiated)?;
                gradient(&values.f_sum(Kind::Float)?, &spectra)
            })?;
            adam.step(&gradient)?;
            each_step();
        }
        tch::no_grad(|| self.results(&images(&initial)?, &images(&adam.parameters)?))
    }

    fn in_pixel_space(&self, each_step: &mut dyn FnMut()) -> Result<Vec<AscentResult>> {
        let side = i64::from(self.options.size);
        let channels = self.model.channels() as i64;
        let shape = [self.objectives.len() as i64, channels, side, side];
        let initial = Tensor::f_zeros(shape, (Kind::Float, self.model.device))?;
        let mut offsets = initial.shallow_clone();
        for step in 0..self.options.steps {
            let gradient = tch::with_grad(|| -> Result<Tensor> {
                let offsets = offsets.f_detach()?.f_set_requires_grad(true)?;
                gradient(&self.penalised(&offsets)?.f_sum(Kind::Float)?, &offsets)
            })?;
            // Gradients of different networks differ by orders of magnitude, so steps have a fixed length.
            let length = gradient
                .f_square()?
                .f_mean_dim([1i64, 2, 3].as_slice(), true, Kind::Float)?
                .f_sqrt()?
                .f_clamp_min(f64::from(f32::MIN_POSITIVE))?;
            let remaining = 1.0 - f64::from(step) / f64::from(self.options.steps);
            let direction = gradient.f_div(&length)?;
            let moved = offsets.f_add(&direction.f_mul_scalar(PIXEL_STEP * remaining)?)?;
            // Projected onto the colours between black and white.
            offsets = moved
                .f_add(&self.mean)?
                .f_clamp(0.0, 1.0)?
                .f_sub(&self.mean)?;
            each_step();
        }
        let images = |offsets: &Tensor| -> Result<Tensor> {
            Ok(offsets.f_add(&self.mean)?.f_clamp(0.0, 1.0)?)
        };
        tch::no_grad(|| self.results(&images(&initial)?, &images(&offsets)?))
    }

    /// The objectives' values less the penalty, `[N]`, for images given as `offsets` from the mean colour.
    fn penalised(&self, offsets: &Tensor) -> Result<Tensor> {
        let values = self.values(&offsets.f_div(&self.std)?, self.differentiated)?;
        let squares =
            offsets
                .f_square()?
                .f_sum_dim_intlist([1i64, 2, 3].as_slice(), false, None)?;
        Ok(values.f_sub(&squares.f_mul_scalar(self.options.l2)?)?)
    }

    /// The network's inputs from images in 0…1.
    fn normalised(&self, images: &Tensor) -> Result<Tensor> {
        Ok(images.f_sub(&self.mean)?.f_div(&self.std)?)
    }

    fn results(&self, initial: &Tensor, images: &Tensor) -> Result<Vec<AscentResult>> {
        let values = |images: &Tensor| -> Result<Vec<f32>> {
            to_floats(&self.values(&self.normalised(images)?, self.node)?)
        };
        let values = values(initial)?.into_iter().zip(values(images)?);
        let mut results = Vec::with_capacity(self.objectives.len());
        for (index, (initial_value, final_value)) in values.enumerate() {
            if !(initial_value.is_finite() && final_value.is_finite()) {
                let layer = self.model.layer(self.node);
                let unit = self.objectives[index].unit;
                let message =
                    format!("gradient ascent for unit {unit} of `{layer}` gave {final_value}");
                return Err(Error::new(ErrorKind::Network, message)
                    .help("weights of another architecture can cause that"));
            }
            results.push(AscentResult {
                pixels: images
                    .f_select(0, index as i64)?
                    .f_to_device(Device::Cpu)?
                    .f_contiguous()?,
                initial_value: f64::from(initial_value),
                final_value: f64::from(final_value),
            });
        }
        Ok(results)
    }
}

/// The gradient of the scalar `objective` with respect to `variable`.
fn gradient(objective: &Tensor, variable: &Tensor) -> Result<Tensor> {
    let gradients = Tensor::f_run_backward(&[objective], &[variable], false, false)?;
    let unused = || Error::new(ErrorKind::Network, "the layer does not depend on the input");
    let gradient = gradients.into_iter().next().filter(Tensor::defined);
    Ok(gradient.ok_or_else(unused)?.f_detach()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Preprocess;
    use crate::methods::maximize::ActivationReduction;
    use crate::network::labels::Labels;
    use crate::network::{Network, Task, node_info, random_weights, zoo};

    #[test]
    fn the_gradient_of_the_penalised_objective_matches_finite_differences() {
        let graph = zoo::find("resnet18")
            .unwrap()
            .graph(zoo::ArchOptions::default());
        let info = node_info::from_graph(&graph, 32, 32).unwrap();
        let weights = random_weights::weights(&graph);
        let node = graph.output();
        let model = LoadedModel {
            id: "net".into(),
            network: Network::new(graph, weights).unwrap(),
            info,
            labels: Labels::imagenet(),
            task: Task::Classes,
            preprocess: Preprocess::imagenet(),
            device: Device::Cpu,
            seed: 0,
        };
        let objectives = [Objective {
            node,
            unit: 7,
            class: true,
            at: ActivationReduction::Channel,
        }];
        let mut rng = Rng::new(3, "away");
        let offsets = Tensor::from_slice(&rng.normal(3 * 32 * 32, 0.1)).view([1, 3, 32, 32]);
        for l2 in [0.0, 0.5] {
            let options = AscentOptions {
                by: Parametrisation::Pixels,
                size: 32,
                steps: 1,
                l2,
            };
            let ascent = Ascent::new(&model, &objectives, &options).unwrap();
            let variable = offsets.detach().set_requires_grad(true);
            let penalised = ascent.penalised(&variable).unwrap().sum(Kind::Float);
            let gradient = gradient(&penalised, &variable).unwrap();
            let expected = gradient.norm().double_value(&[]);
            let direction = &gradient / expected;
            let value = |step: f64| {
                let values = ascent.penalised(&(&offsets + &direction * step)).unwrap();
                values.double_value(&[0])
            };
            let found = (value(1e-2) - value(-1e-2)) / 2e-2;
            assert!(
                (found - expected).abs() < 0.02 * expected,
                "{l2}: {found} {expected}"
            );
        }
    }
}
