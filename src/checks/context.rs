//! What the checks of one network, image and target have in common.

use tch::Tensor;

use crate::error::{Error, ErrorKind, Result};
use crate::figures::Quantity;
use crate::methods::{BackwardPass, LoadedModel, MethodSpec, batched, to_array};
use crate::network::graph::NodeId;

/// The network, image and target whose maps are checked.
#[derive(Debug)]
pub struct CheckContext<'a> {
    /// The backward pass that the methods used.
    pub pass: &'a BackwardPass<'a>,
    /// The experiment's methods, each with its layers in this network.
    pub methods: &'a [(&'a MethodSpec, &'a [NodeId])],
    /// `[H, W]` at the input's size, 1 for each pixel that shows the class and 0 elsewhere, where that is known.
    pub target_mask: Option<&'a Tensor>,
}

/// A map that is checked.
#[derive(Debug)]
pub struct TestedMap {
    /// `[height, width]`, at its own size.
    pub map: Tensor,
    /// The key of its tensor, if it is a method's; a baseline map has none.
    pub key: Option<String>,
}

impl CheckContext<'_> {
    /// The model.
    pub fn model(&self) -> &LoadedModel {
        self.pass.model()
    }

    /// The preprocessed image, `[1, 3, H, W]`.
    ///
    /// # Errors
    /// For a libtorch error.
    pub fn input(&self) -> Result<Tensor> {
        self.pass.input()
    }

    /// How strongly the network supports the target for each of `inputs`, `[N, C, H, W]`: the probability of a class, or
    /// the value of a target that has none.
    ///
    /// # Errors
    /// For a libtorch error.
    pub fn scores(&self, inputs: &Tensor) -> Result<Vec<f32>> {
        let target = &self.pass.target;
        float_values(&batched::target_scores(self.model(), inputs, target)?)
    }

    /// What [`scores`](Self::scores) are.
    pub fn quantity(&self) -> Quantity {
        self.pass.target.score_quantity(self.model())
    }
}

impl TestedMap {
    /// The map enlarged bilinearly to the size of `input`, `[H, W]`.
    ///
    /// # Errors
    /// For a libtorch error.
    pub fn enlarged(&self, input: &Tensor) -> Result<Tensor> {
        let size = input.size();
        let [height, width] = [size[2], size[3]];
        if self.map.size() == [height, width] {
            return Ok(self.map.shallow_clone());
        }
        Ok(self
            .map
            .f_view([1, 1, self.map.size()[0], self.map.size()[1]])?
            .f_upsample_bilinear2d([height, width], false, None, None)?
            .f_view([height, width])?)
    }
}

/// The values of a tensor as float32, row by row.
///
/// # Errors
/// For a libtorch error.
pub(super) fn float_values(tensor: &Tensor) -> Result<Vec<f32>> {
    let array = to_array(tensor)?;
    let values = array
        .floats()
        .ok_or_else(|| Error::new(ErrorKind::Network, "a tensor of a check must be float32"))?;
    Ok(values.to_vec())
}
