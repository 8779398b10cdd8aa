//! `pointing`: the pointing game (Zhang et al. 2016, <https://arxiv.org/abs/1608.00507>) and the share of energy
//! inside (Wang et al. 2020, <https://arxiv.org/abs/1910.01279>), for pictures that come with a `box` or a `mask`.
//!
//! **What it shows.** Whether a map points at the thing that the picture's class names.
//! **How it is computed.** The box or the mask goes the way of the picture (resize, crop). The map is enlarged bilinearly;
//! a hit is when its brightest place lies inside, or no further from it than 15 of 224 pixels. Energy is the share of
//! what is positive in the map that lies inside.
//! **How to read it.** Beside the share of the picture that is inside, which is what an even map reaches, and beside the
//! blob in the middle, where most photographers put the thing.
//! **What it can't show.** Whether the network is right to look elsewhere: it may know the class by its surroundings, and
//! a faithful map then points outside.
//! **Options.** None. **Cost.** None to speak of.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Kind;

use super::{Asked, Candidate, Check};
use crate::error::Result;
use crate::figures::{CheckedMap, Pointing as Found};

/// No options.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pointing {}

impl Check for Pointing {
    fn look(&self, asked: &Asked, maps: &[Candidate], found: &mut [CheckedMap]) -> Result<()> {
        let Some(inside) = asked.inside else {
            return Ok(());
        };
        let input = asked.input()?;
        let (height, width) = (input.size()[2], input.size()[3]);
        let inside = inside.f_to_kind(Kind::Float)?;
        // 15 pixels of 224 on all sides, whatever the size of the input.
        let reach = (height.min(width) * 15 + 112) / 224;
        let near = inside
            .f_view([1, 1, height, width])?
            .f_max_pool2d([2 * reach + 1; 2], [1, 1], [reach; 2], [1, 1], false)?
            .f_view([-1])?;
        let area = inside.f_mean(Kind::Double)?.f_double_value(&[])?;
        for (candidate, found) in maps.iter().zip(found) {
            let map = candidate.enlarged(&input)?;
            let brightest = map.f_argmax(None, false)?.f_int64_value(&[])?;
            let positive = map.f_relu()?;
            let all = positive.f_sum(Kind::Double)?.f_double_value(&[])?;
            let within = positive
                .f_mul(&inside)?
                .f_sum(Kind::Double)?
                .f_double_value(&[])?;
            if all > 0.0 {
                found.pointing = Some(Found {
                    hit: near.f_double_value(&[brightest])? > 0.5,
                    energy: within / all,
                    area,
                });
            }
        }
        Ok(())
    }
}
