//! What gradient ascent maximises: an activation of a unit, or the logit of a class.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use crate::error::Result;
use crate::network::graph::NodeId;

/// Which of a unit's activations is maximised.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ActivationReduction {
    /// The mean over all spatial positions.
    #[default]
    Channel,
    /// The activation at the centre position.
    Centre,
}

/// One value that gradient ascent maximises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Objective {
    /// The layer; the graph's output for a class.
    pub node: NodeId,
    /// The index of the channel, or of the class.
    pub unit: usize,
    /// Whether it is a class: a network with one logit has two.
    pub class: bool,
    /// Which of the unit's activations.
    pub at: ActivationReduction,
}

/// The values of `N` objectives of one layer, `[N]`, each for its own image of the batch; `activations` are the layer's,
/// `[N, C, H, W]` or `[N, features]`.
///
/// # Errors
/// If libtorch fails.
pub(super) fn objective_values(activations: &Tensor, objectives: &[Objective]) -> Result<Tensor> {
    let size = activations.size();
    let (channels, positions) = (size[1], size[2..].iter().product::<i64>());
    let rows: Vec<i64> = (0i64..)
        .zip(objectives)
        .map(|(image, objective)| image * channels + objective.unit as i64)
        .collect();
    let rows = Tensor::from_slice(&rows).f_to_device(activations.device())?;
    let units = activations
        .f_contiguous()?
        .f_view([size[0] * channels, positions])?
        .f_index_select(0, &rows)?;
    let centre = match size[2..] {
        [height, width] => height / 2 * width + width / 2,
        _ => 0,
    };
    match objectives.first().map(|objective| objective.at) {
        Some(ActivationReduction::Centre) => Ok(units.f_select(1, centre)?),
        _ => Ok(units.f_mean_dim([1i64].as_slice(), false, Kind::Float)?),
    }
}
