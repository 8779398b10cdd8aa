//! The figures and tensors that methods return.

use tch::{Device, Kind, Tensor};

use super::forward_backward::BackwardPass;
use crate::error::{Error, ErrorKind, Result};
use crate::figures::{Array, Content, Figure, Note, Tensors};

/// The figures of a method with their tensors.
#[derive(Debug, Default)]
pub struct MethodOutput {
    /// The figures, in the order of the report.
    pub figures: Vec<Figure>,
    /// Their tensors by key.
    pub tensors: Tensors,
}

impl MethodOutput {
    /// Stores a tensor of any kind and device as float32 under `key`, and returns its smallest and largest value.
    ///
    /// # Errors
    /// If a value is not finite, or libtorch fails.
    pub fn tensor(&mut self, key: &str, tensor: &Tensor) -> Result<(f32, f32)> {
        let values = to_floats(tensor)?;
        if let Some(value) = values.iter().find(|value| !value.is_finite()) {
            let message = format!("the values of `{key}` must be finite, got {value}");
            return Err(Error::new(ErrorKind::Network, message));
        }
        let minimum = values.iter().copied().fold(f32::INFINITY, f32::min);
        let maximum = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        self.tensors
            .insert(key.to_owned(), Array::f32(&shape(tensor), values));
        Ok((minimum, maximum))
    }

    /// Stores a map `[height, width]` under `key`, and returns the content of its figure.
    ///
    /// # Errors
    /// As [`tensor`](Self::tensor).
    pub fn map(&mut self, key: &str, map: &Tensor, signed: bool) -> Result<Content> {
        let (minimum, maximum) = self.tensor(key, map)?;
        Ok(Content::Map {
            tensor: key.to_owned(),
            signed,
            minimum,
            maximum,
        })
    }

    /// Adds the figure of a signed attribution `[3, H, W]` of the logit to the pixels: the map is its sum over the colours,
    /// and the attribution itself is stored under `<key>/raw`.
    ///
    /// # Errors
    /// As [`tensor`](Self::tensor).
    pub fn attribution(
        &mut self,
        method: &str,
        pass: &BackwardPass,
        attribution: &Tensor,
        notes: Vec<Note>,
    ) -> Result<()> {
        let key = pass.key(method, None);
        self.tensor(&format!("{key}/raw"), attribution)?;
        let sum = attribution.f_sum_dim_intlist([0i64].as_slice(), false, None)?;
        let content = self.map(&key, &sum, true)?;
        self.figures.push(Figure {
            notes,
            ..pass.figure(method, None, content)
        });
        Ok(())
    }

    /// Adds the figure of a sensitivity `[3, H, W]` of the logit to the pixels: the map is the largest magnitude over the
    /// colours, and the sensitivity itself is stored under `<key>/raw`.
    ///
    /// # Errors
    /// As [`tensor`](Self::tensor).
    pub fn sensitivity(
        &mut self,
        method: &str,
        pass: &BackwardPass,
        sensitivity: &Tensor,
        notes: Vec<Note>,
    ) -> Result<()> {
        let key = pass.key(method, None);
        self.tensor(&format!("{key}/raw"), sensitivity)?;
        let largest = sensitivity.f_abs()?.f_amax([0i64], false)?;
        let content = self.map(&key, &largest, false)?;
        self.figures.push(Figure {
            notes,
            ..pass.figure(method, None, content)
        });
        Ok(())
    }
}

/// The values of a tensor of any kind and device as float32, row by row.
///
/// # Errors
/// If libtorch can't copy it.
pub fn to_floats(tensor: &Tensor) -> Result<Vec<f32>> {
    let flat = tensor
        .detach()
        .f_to_device(Device::Cpu)?
        .f_to_kind(Kind::Float)?
        .f_contiguous()?
        .f_view([-1])?;
    let mut values = vec![0f32; flat.numel()];
    flat.f_copy_data(&mut values, flat.numel())?;
    Ok(values)
}

/// A tensor of any kind and device as a float32 array.
///
/// # Errors
/// If libtorch can't copy it.
pub fn to_array(tensor: &Tensor) -> Result<Array> {
    Ok(Array::f32(&shape(tensor), to_floats(tensor)?))
}

fn shape(tensor: &Tensor) -> Vec<usize> {
    tensor.size().iter().map(|&size| size as usize).collect()
}
