//! The largest activations of a layer's units, with their images and spatial positions.

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::options::Exemplars;
use crate::error::Result;
use crate::methods::LoadedModel;
use crate::methods::unit_selection::{UnitSelection, Units};
use crate::network::graph::NodeId;

/// An activation of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Activation {
    pub value: f32,
    /// The image's index in the collection.
    pub image: usize,
    /// Row of the spatial position.
    pub y: usize,
    /// Column of the spatial position.
    pub x: usize,
}

/// The largest activations of a layer's units so far.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct TopActivations {
    pub layer: NodeId,
    pub selection: UnitSelection,
    /// The units that are observed: all of them if the units of a class are selected after the last image.
    observed: Vec<usize>,
    /// For each observed unit its largest activations, largest first, at most `top`.
    activations: Vec<Vec<Activation>>,
}

impl TopActivations {
    /// Of no image.
    ///
    /// # Errors
    /// If the network does not know the class whose units are selected.
    pub fn new(options: &Exemplars, model: &LoadedModel, layer: NodeId) -> Result<Self> {
        let count = model.info[layer].shape[0] as usize;
        let selection = UnitSelection::new(&options.units, model, layer, count)?;
        let observed: Vec<usize> = match options.units {
            Units::OfClass(_) => (0..count).collect(),
            _ => selection.selected().into_iter().map(|s| s.0).collect(),
        };
        Ok(TopActivations {
            layer,
            selection,
            activations: vec![Vec::new(); observed.len()],
            observed,
        })
    }

    /// The largest activations of a unit, largest first; none if the unit is not observed.
    pub fn for_unit(&self, unit: usize) -> &[Activation] {
        let index = self.observed.iter().position(|&observed| observed == unit);
        index
            .and_then(|index| self.activations.get(index))
            .map_or(&[], Vec::as_slice)
    }

    /// Updates the largest activations with those of a batch, `[N, C, H, W]` or `[N, C]`, whose first image has the index
    /// `first`.
    ///
    /// # Errors
    /// If libtorch fails.
    pub fn update(&mut self, values: &Tensor, first: usize, options: &Exemplars) -> Result<()> {
        let [images, _, rest @ ..] = &values.size()[..] else {
            return Ok(());
        };
        let (images, width) = (*images, rest.last().copied().unwrap_or(1));
        let units: Vec<i64> = self.observed.iter().map(|&unit| unit as i64).collect();
        let values = values
            .f_index_select(1, &Tensor::from_slice(&units).to(values.device()))?
            .f_reshape([images, units.len() as i64, -1])?;
        let per_image = (options.per_image as i64).min(values.size()[2]);
        let (largest, positions) = if per_image == 1 {
            values.f_max_dim(2, true)?
        } else {
            values.f_topk(per_image, 2, true, true)?
        };
        let largest = Vec::<f32>::try_from(largest.f_flatten(0, -1)?.f_to_kind(Kind::Float)?)?;
        let positions = Vec::<i64>::try_from(positions.f_flatten(0, -1)?)?;
        let (per_image, observed) = (per_image as usize, self.observed.len());
        for (index, (&value, &position)) in largest.iter().zip(&positions).enumerate() {
            let activation = Activation {
                value,
                image: first + index / per_image / observed,
                y: (position / width) as usize,
                x: (position % width) as usize,
            };
            let unit = index / per_image % observed;
            insert(&mut self.activations[unit], activation, options.top);
        }
        Ok(())
    }

    /// Adds the activations of the images that follow; at most `top` for each unit stay.
    pub fn append(&mut self, later: TopActivations, top: usize) {
        self.selection.append(later.selection);
        for (own, later) in self.activations.iter_mut().zip(later.activations) {
            for activation in later {
                insert(own, activation, top);
            }
        }
    }
}

/// Inserts `activation` if it is one of the `count` largest; of equal values the earlier image comes first.
fn insert(largest: &mut Vec<Activation>, activation: Activation, count: usize) {
    let full = largest.len() == count;
    let too_small = full
        && largest
            .last()
            .is_none_or(|last| last.value >= activation.value);
    if !activation.value.is_finite() || too_small {
        return;
    }
    let index = largest.partition_point(|other| other.value >= activation.value);
    largest.insert(index, activation);
    largest.truncate(count);
}
