//! What puts a map to the test: one file a check, one line each in the list below.
//!
//! A check sees all maps of a network, a picture and a class at once, and two that know nothing of the network
//! beside them, so that what is shared is computed once.

use tch::Tensor;

use crate::error::Result;
use crate::figures::CheckedMap;
use crate::methods::{BackwardPass, LoadedModel, MethodSpec, batched};
use crate::network::graph::NodeId;

mod baselines;

pub use baselines::baselines;

/// A test of maps.
pub trait Check {
    /// Options that make no sense.
    ///
    /// # Errors
    /// With what would make sense.
    fn options(&self) -> Result<()> {
        Ok(())
    }

    /// What it finds of `maps`; `found` has their order, and takes it.
    ///
    /// # Errors
    /// If libtorch refuses; the run goes on with the others.
    fn look(&self, asked: &Asked, maps: &[Candidate], found: &mut [CheckedMap]) -> Result<()>;
}

/// What maps are tested on.
#[derive(Debug)]
pub struct Asked<'a> {
    pub pass: &'a BackwardPass<'a>,
    /// The experiment's methods, each with its layers in this network.
    pub methods: &'a [(&'a MethodSpec, &'a [NodeId])],
    /// Where the picture shows its class, `[H, W]` of 0 and 1 at the input's size, where that is known.
    pub inside: Option<&'a Tensor>,
}

/// A map to be tested.
#[derive(Debug)]
pub struct Candidate {
    /// `[height, width]`, at its own size.
    pub map: Tensor,
    /// Key of its tensor, where it is a method's.
    pub key: Option<String>,
}

impl Asked<'_> {
    /// The network that is asked.
    pub fn subject(&self) -> &LoadedModel {
        self.pass.pass.subject
    }

    /// The picture, `[1, 3, H, W]`, preprocessed.
    ///
    /// # Errors
    /// If libtorch refuses.
    pub fn input(&self) -> Result<Tensor> {
        Ok(self.pass.pass.input.f_detach()?)
    }

    /// The class's probability for each of `inputs`, `[N, 3, H, W]`.
    ///
    /// # Errors
    /// If libtorch refuses.
    pub fn probabilities(&self, inputs: &Tensor) -> Result<Vec<f32>> {
        let of_class = batched::probabilities(self.subject(), inputs, self.pass.class.index)?;
        let array = crate::methods::to_array(&of_class)?;
        Ok(array.floats().unwrap_or_default().to_vec())
    }
}

impl Candidate {
    /// The map enlarged to the input's size, bilinearly, `[H, W]`.
    ///
    /// # Errors
    /// If libtorch refuses.
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

crate::registry::list! {
    /// One entry of an experiment's `checks`: a name, or a name with its options.
    CheckSpec as check: dyn Check, called "Check", for example "`curves: {steps: 32}`";
    curves: Curves,
    drop: Drop,
    randomisation: Randomisation,
    pointing: Pointing,
}
