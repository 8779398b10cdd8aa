//! `curves`: deletion and insertion (Petsiuk et al. 2018, <https://arxiv.org/abs/1806.07421>).
//!
//! **What it shows.** Whether the pixels that a map calls important are those the network needs.
//! **How it is computed.** The map is enlarged bilinearly to the input and its pixels are sorted, brightest first
//! (of a signed map what speaks for the class first; equal ones in an order drawn with the seed). *Deletion* sets
//! them to the mean colour, `1/steps` of the picture at a time; *insertion* begins with the picture blurred (Gauss,
//! 11 × 11, deviation 5) and puts them back. The curve is the class's probability, its area the mean by trapezoids, 0 to 1.
//! The paper's steps of 224 pixels are 224 of these; fewer change the areas little.
//! **How to read it.** A low area of deletion and a high one of insertion are good, beside those of the random
//! map and of the blob in the middle.
//! **What it can't show.** Pictures with holes are like none the network has learned from: some of what
//! a curve shows is its surprise. Fine maps scatter their holes and so delete faster than coarse ones.
//! **Options.** `steps`. **Cost.** Twice `steps` forward passes a map.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::{Asked, Candidate, Check};
use crate::error::{Error, ErrorKind, Result};
use crate::figures::{CheckedMap, Curves as Found};
use crate::methods::{baseline, batched};
use crate::rng::Rng;

/// How finely.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Curves {
    /// Steps from the whole picture to nothing, 1 to 1000.
    #[schemars(range(min = 1, max = 1000))]
    pub steps: usize,
}

impl Default for Curves {
    fn default() -> Self {
        Curves { steps: 32 }
    }
}

impl Check for Curves {
    fn options(&self) -> Result<()> {
        match (1..=1000).contains(&self.steps) {
            true => Ok(()),
            false => Err(
                Error::new(ErrorKind::Spec, "a curve can't have so many steps")
                    .help("`steps` is 1 to 1000; 32 is enough to see its course"),
            ),
        }
    }

    fn look(&self, asked: &Asked, maps: &[Candidate], found: &mut [CheckedMap]) -> Result<()> {
        let input = asked.input()?;
        let plain = input.f_zeros_like()?;
        let blurred = baseline::blurred(&input)?;
        let ends = Tensor::f_cat(&[&input, &plain, &blurred], 0)?;
        let ends = asked.probabilities(&ends)?;
        let [whole, none, soft] = ends[..] else {
            return Err(Error::new(ErrorKind::Network, "the ends gave no numbers"));
        };
        let shuffled = shuffle(asked, &input)?;
        for (candidate, found) in maps.iter().zip(found) {
            let rank = ranks(&candidate.enlarged(&input)?, &shuffled)?;
            let between = |from: &Tensor, to: &Tensor| self.walk(asked, from, to, &rank);
            let deletion = [vec![whole], between(&input, &plain)?, vec![none]].concat();
            let insertion = [vec![soft], between(&blurred, &input)?, vec![whole]].concat();
            found.curves = Some(Found {
                deletion_area: area(&deletion),
                insertion_area: area(&insertion),
                deletion,
                insertion,
            });
        }
        Ok(())
    }
}

impl Curves {
    /// The probabilities between the two ends, as pixels of `to` take the place of those of `from`, in the
    /// order of `rank`, `[H, W]`.
    fn walk(&self, asked: &Asked, from: &Tensor, to: &Tensor, rank: &Tensor) -> Result<Vec<f32>> {
        let pixels = rank.numel() as f64;
        let steps: Vec<usize> = (1..self.steps).collect();
        let mut all = Vec::with_capacity(steps.len());
        for some in steps.chunks(batched::batch(from)) {
            let edges: Vec<f32> = some
                .iter()
                .map(|step| (*step as f64 / self.steps as f64 * pixels).round() as f32)
                .collect();
            let edges = Tensor::from_slice(&edges)
                .f_view([-1, 1, 1, 1])?
                .f_to_device(from.device())?;
            let changed = rank.f_unsqueeze(0)?.f_unsqueeze(0)?.f_lt_tensor(&edges)?;
            all.extend(asked.probabilities(&to.f_where_self(&changed, from)?)?);
        }
        Ok(all)
    }
}

/// Each pixel's place in the order, 0 for the brightest, `[H, W]` as floats. Equal ones come as in `shuffled`, an order of all.
fn ranks(map: &Tensor, shuffled: &Tensor) -> Result<Tensor> {
    let flat = map.f_reshape([-1])?.f_index_select(0, shuffled)?;
    let order = shuffled.f_index_select(0, &flat.f_argsort_stable(true, 0, true)?)?;
    Ok(order
        .f_argsort(0, false)?
        .f_to_kind(Kind::Float)?
        .f_view(map.size().as_slice())?)
}

/// An order of all pixels of the input, drawn with the seed.
fn shuffle(asked: &Asked, input: &Tensor) -> Result<Tensor> {
    let count = input.size()[2] * input.size()[3];
    let purpose = format!("an order of equals for {}", asked.pass.pass.image);
    let mut chance = Rng::new(asked.subject().seed, &purpose);
    let mut order: Vec<i64> = (0..count).collect();
    order.sort_by_cached_key(|_| chance.uniform().to_bits());
    Ok(Tensor::from_slice(&order).f_to_device(input.device())?)
}

/// The mean of a curve by trapezoids.
fn area(curve: &[f32]) -> f64 {
    let pairs = curve.windows(2);
    let sum: f64 = pairs
        .map(|p| (f64::from(p[0]) + f64::from(p[1])) / 2.0)
        .sum();
    sum / (curve.len().max(2) - 1) as f64
}
