//! Uphill: from nothing to a picture that excites one unit, one channel or one class.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use super::augmentation::{self, Reach};
use super::parametrisation;
use crate::error::{Error, ErrorKind, Result};
use crate::methods::{LoadedModel, to_array};
use crate::network::graph::{NodeId, Op};
use crate::progress::{Progress, ProgressUnit};
use crate::rng::Rng;

/// Adam's rate on the spectrum, and its two memories.
const RATE: f64 = 0.03;
const MEMORIES: (f64, f64) = (0.9, 0.999);

/// How far each step looks from elsewhere.
const REACH: Reach = Reach {
    shift: 1.0 / 16.0,
    turn: 10.0 / 180.0 * std::f64::consts::PI,
    zoom: 0.1,
};

/// Length of a plain step at first, as the root mean square of the change of a colour in 0…1; falls to 0.
const STRIDE: f64 = 0.02;

/// Pixels that climb together at most: a batch keeps every layer's values for the way back.
const PIXELS: i64 = 4 * 224 * 224;

/// What the ascent moves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// A spectrum with colours that go together, seen from a little elsewhere at every step (Olah et al. 2017).
    #[default]
    Fourier,
    /// Plain pixels from the mean colour on, with a penalty on their distance from it (Simonyan et al. 2013).
    Pixels,
}

/// Which of a unit's places counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum At {
    /// The mean over all places.
    #[default]
    Channel,
    /// The place in the middle.
    Centre,
}

/// What should be as large as possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Objective {
    /// The layer; the graph's output for a class.
    pub node: NodeId,
    /// The channel, or the class.
    pub unit: usize,
    pub at: At,
}

/// How to climb.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    pub by: By,
    /// Side of the picture in pixels.
    pub size: u32,
    pub steps: u32,
    /// Of [`By::Pixels`]: what the sum of squared distances from the mean colour (0…1) costs.
    pub l2: f64,
}

/// A picture that was climbed to.
#[derive(Debug)]
pub struct Image {
    /// `[3, size, size]`, float32 in 0…1.
    pub pixels: Tensor,
    /// The objective's value of this very picture, as the network sees it.
    pub reached: f64,
    /// Its value where the ascent began.
    pub start: f64,
}

/// Climbs for every one of `objectives`, all at one layer; each result is the same whatever stands beside it, save
/// for libtorch's rounding.
///
/// # Errors
/// If libtorch refuses, or if a value stops being a finite number.
pub fn ascend(
    subject: &LoadedModel,
    objectives: &[Objective],
    options: &Options,
    progress: &dyn Progress,
) -> Result<Vec<Image>> {
    let pixels = i64::from(options.size).pow(2).max(1);
    let together = (PIXELS / pixels).clamp(1, 16) as usize;
    let total = objectives.len() as u64 * u64::from(options.steps);
    let mut done = 0;
    let mut images = Vec::with_capacity(objectives.len());
    for some in objectives.chunks(together) {
        let climb = Climb::new(subject, some, options)?;
        let mut each_step = || {
            done += some.len() as u64;
            progress.advance(done, Some(total), ProgressUnit::Items);
        };
        images.extend(match options.by {
            By::Fourier => climb.by_fourier(&mut each_step)?,
            By::Pixels => climb.by_pixels(&mut each_step)?,
        });
    }
    Ok(images)
}

/// Some objectives of one layer on their way.
struct Climb<'a> {
    subject: &'a LoadedModel,
    options: &'a Options,
    objectives: &'a [Objective],
    /// Where they are read.
    node: NodeId,
    /// Where the gradient comes from.
    from: NodeId,
    mean: Tensor,
    std: Tensor,
}

impl<'a> Climb<'a> {
    fn new(
        subject: &'a LoadedModel,
        objectives: &'a [Objective],
        options: &'a Options,
    ) -> Result<Self> {
        let graph = subject.network.graph();
        let node = objectives
            .first()
            .map_or(graph.output(), |first| first.node);
        // Behind a closed ReLU there is no slope to climb; before it there is.
        let from = match (&graph.node(node).op, graph.node(node).inputs.first()) {
            (Op::Relu | Op::Relu6, Some(&before)) => before,
            _ => node,
        };
        Ok(Climb {
            subject,
            options,
            objectives,
            node,
            from,
            mean: parametrisation::of_colours(&subject.preprocess.mean, subject.device)?,
            std: parametrisation::of_colours(&subject.preprocess.std, subject.device)?,
        })
    }

    fn chances(&self, of: &str) -> Vec<Rng> {
        let chance = |objective: &Objective| {
            Rng::new(
                self.subject.seed,
                &format!("maximize {of} {}", objective.unit),
            )
        };
        self.objectives.iter().map(chance).collect()
    }

    /// Every objective's value at `node` of its own picture of `inputs`, `[N]`.
    fn values(&self, inputs: &Tensor, node: NodeId) -> Result<Tensor> {
        let kept = self.subject.network.forward(inputs, &[node])?;
        read(kept.value(node)?, self.objectives)
    }

    fn by_fourier(&self, each_step: &mut dyn FnMut()) -> Result<Vec<Image>> {
        let (side, device) = (i64::from(self.options.size), self.subject.device);
        let amplitudes = parametrisation::amplitudes(side, device)?;
        let picture = |spectrum: &Tensor| -> Result<Tensor> {
            parametrisation::colours(&parametrisation::planes(spectrum, &amplitudes)?)
        };
        let first = parametrisation::first_spectrum(&mut self.chances("start"), side)?
            .f_to_device(device)?;
        let mut adam = Adam::new(first.shallow_clone())?;
        let mut chances = self.chances("views");
        for _ in 0..self.options.steps {
            let slope = tch::with_grad(|| -> Result<Tensor> {
                let spectrum = adam.at.f_detach()?.f_set_requires_grad(true)?;
                let seen = augmentation::look(&picture(&spectrum)?, &REACH, &mut chances)?;
                let values = self.values(&self.input(&seen)?, self.from)?;
                slope(&values.f_sum(Kind::Float)?, &spectrum)
            })?;
            adam.step(&slope)?;
            each_step();
        }
        tch::no_grad(|| self.finished(&picture(&first)?, &picture(&adam.at)?))
    }

    fn by_pixels(&self, each_step: &mut dyn FnMut()) -> Result<Vec<Image>> {
        let side = i64::from(self.options.size);
        let shape = [self.objectives.len() as i64, 3, side, side];
        let first = Tensor::f_zeros(shape, (Kind::Float, self.subject.device))?;
        let mut away = first.shallow_clone();
        for step in 0..self.options.steps {
            let slope = tch::with_grad(|| -> Result<Tensor> {
                let away = away.f_detach()?.f_set_requires_grad(true)?;
                slope(&self.penalised(&away)?.f_sum(Kind::Float)?, &away)
            })?;
            // Networks differ by orders of magnitude in their slopes, so a step has a length of its own.
            let steepness = slope
                .f_square()?
                .f_mean_dim([1i64, 2, 3].as_slice(), true, Kind::Float)?
                .f_sqrt()?
                .f_clamp_min(f64::from(f32::MIN_POSITIVE))?;
            let left = 1.0 - f64::from(step) / f64::from(self.options.steps);
            let moved = away.f_add(&slope.f_div(&steepness)?.f_mul_scalar(STRIDE * left)?)?;
            // No further than black and white.
            away = moved
                .f_add(&self.mean)?
                .f_clamp(0.0, 1.0)?
                .f_sub(&self.mean)?;
            each_step();
        }
        let picture =
            |away: &Tensor| -> Result<Tensor> { Ok(away.f_add(&self.mean)?.f_clamp(0.0, 1.0)?) };
        tch::no_grad(|| self.finished(&picture(&first)?, &picture(&away)?))
    }

    /// The objectives of pictures that are `away` from the mean colour, less the penalty.
    fn penalised(&self, away: &Tensor) -> Result<Tensor> {
        let values = self.values(&away.f_div(&self.std)?, self.from)?;
        let far = away
            .f_square()?
            .f_sum_dim_intlist([1i64, 2, 3].as_slice(), false, None)?;
        Ok(values.f_sub(&far.f_mul_scalar(self.options.l2)?)?)
    }

    /// Pictures in 0…1 as the network gets them.
    fn input(&self, pictures: &Tensor) -> Result<Tensor> {
        Ok(pictures.f_sub(&self.mean)?.f_div(&self.std)?)
    }

    fn finished(&self, first: &Tensor, last: &Tensor) -> Result<Vec<Image>> {
        let of = |pictures: &Tensor| -> Result<Vec<f32>> {
            let values = to_array(&self.values(&self.input(pictures)?, self.node)?)?;
            Ok(values.floats().unwrap_or_default().to_vec())
        };
        let (start, reached) = (of(first)?, of(last)?);
        let mut images = Vec::with_capacity(reached.len());
        for (at, (start, reached)) in start.into_iter().zip(reached).enumerate() {
            if !(start.is_finite() && reached.is_finite()) {
                let layer = self.subject.layer(self.node);
                let message = format!(
                    "`{layer}` gives unit {} the value {reached} on the way up",
                    self.objectives[at].unit
                );
                return Err(Error::new(ErrorKind::Network, message)
                    .help("weights that don't belong to this architecture can do that"));
            }
            images.push(Image {
                pixels: last
                    .f_select(0, at as i64)?
                    .f_to_device(Device::Cpu)?
                    .f_contiguous()?,
                reached: f64::from(reached),
                start: f64::from(start),
            });
        }
        Ok(images)
    }
}

/// Of a layer's value, `[N, C, H, W]` or `[N, features]`, what the `N` objectives ask for: `[N]`.
fn read(value: &Tensor, objectives: &[Objective]) -> Result<Tensor> {
    let size = value.size();
    let (channels, places) = (size[1], size[2..].iter().product::<i64>());
    let rows: Vec<i64> = (0i64..)
        .zip(objectives)
        .map(|(at, objective)| at * channels + objective.unit as i64)
        .collect();
    let rows = Tensor::from_slice(&rows).f_to_device(value.device())?;
    let own = value
        .f_contiguous()?
        .f_view([size[0] * channels, places])?
        .f_index_select(0, &rows)?;
    let middle = match size[2..] {
        [height, width] => height / 2 * width + width / 2,
        _ => 0,
    };
    match objectives.first().map(|objective| objective.at) {
        Some(At::Centre) => Ok(own.f_select(1, middle)?),
        _ => Ok(own.f_mean_dim([1i64].as_slice(), false, Kind::Float)?),
    }
}

/// The gradient of the scalar `of` at `at`.
fn slope(of: &Tensor, at: &Tensor) -> Result<Tensor> {
    let found = Tensor::f_run_backward(&[of], &[at], false, false)?;
    let missing = || Error::new(ErrorKind::Network, "nothing hangs on the picture");
    let slope = found.into_iter().next().filter(Tensor::defined);
    Ok(slope.ok_or_else(missing)?.f_detach()?)
}

/// Adam (Kingma & Ba 2014, <https://arxiv.org/abs/1412.6980>), uphill.
struct Adam {
    at: Tensor,
    first: Tensor,
    second: Tensor,
    steps: i32,
}

impl Adam {
    fn new(at: Tensor) -> Result<Self> {
        Ok(Adam {
            first: at.f_zeros_like()?,
            second: at.f_zeros_like()?,
            at,
            steps: 0,
        })
    }

    fn step(&mut self, slope: &Tensor) -> Result<()> {
        let (slow, slower) = MEMORIES;
        self.steps += 1;
        self.first = self
            .first
            .f_mul_scalar(slow)?
            .f_add(&slope.f_mul_scalar(1.0 - slow)?)?;
        self.second = self
            .second
            .f_mul_scalar(slower)?
            .f_add(&slope.f_square()?.f_mul_scalar(1.0 - slower)?)?;
        let mean = self.first.f_div_scalar(1.0 - slow.powi(self.steps))?;
        let size = self
            .second
            .f_div_scalar(1.0 - slower.powi(self.steps))?
            .f_sqrt()?
            .f_add_scalar(1e-8)?;
        self.at = self.at.f_add(&mean.f_div(&size)?.f_mul_scalar(RATE)?)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Preprocess;
    use crate::network::labels::Labels;
    use crate::network::{Network, node_info, random_weights, zoo};

    #[test]
    fn the_penalised_slope_is_that_of_finite_differences() {
        let graph = zoo::find("resnet18")
            .unwrap()
            .graph(zoo::Options::default());
        let info = node_info::from_graph(&graph, 32, 32).unwrap();
        let weights = random_weights::weights(&graph);
        let node = graph.output();
        let subject = LoadedModel {
            id: "net".into(),
            network: Network::new(graph, weights).unwrap(),
            info,
            labels: Labels::imagenet(),
            preprocess: Preprocess::imagenet(),
            device: Device::Cpu,
            seed: 0,
        };
        let objectives = [Objective {
            node,
            unit: 7,
            at: At::Channel,
        }];
        let mut chance = Rng::new(3, "away");
        let away = Tensor::from_slice(&chance.normal(3 * 32 * 32, 0.1)).view([1, 3, 32, 32]);
        for l2 in [0.0, 0.5] {
            let options = Options {
                by: By::Pixels,
                size: 32,
                steps: 1,
                l2,
            };
            let climb = Climb::new(&subject, &objectives, &options).unwrap();
            let at = away.detach().set_requires_grad(true);
            let penalised = climb.penalised(&at).unwrap().sum(Kind::Float);
            let slope = slope(&penalised, &at).unwrap();
            let wanted = slope.norm().double_value(&[]);
            let along = &slope / wanted;
            let of = |step: f64| {
                let there = climb.penalised(&(&away + &along * step)).unwrap();
                there.double_value(&[0])
            };
            let found = (of(1e-2) - of(-1e-2)) / 2e-2;
            assert!(
                (found - wanted).abs() < 0.02 * wanted,
                "{l2}: {found} {wanted}"
            );
        }
    }
}
