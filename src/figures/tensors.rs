//! The tensors of a run as plain arrays, without libtorch, so that a report can be drawn anywhere.

use std::collections::BTreeMap;

/// The numbers of one array, row by row.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    F32(Vec<f32>),
    U8(Vec<u8>),
}

/// An array of any shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    pub shape: Vec<usize>,
    pub values: Values,
}

impl Array {
    /// A float32 array.
    ///
    /// # Panics
    /// If `values` are not as many as `shape` says.
    pub fn f32(shape: &[usize], values: Vec<f32>) -> Self {
        assert_eq!(shape.iter().product::<usize>(), values.len());
        Array {
            shape: shape.to_vec(),
            values: Values::F32(values),
        }
    }

    /// An 8-bit array (a photo).
    ///
    /// # Panics
    /// If `values` are not as many as `shape` says.
    pub fn u8(shape: &[usize], values: Vec<u8>) -> Self {
        assert_eq!(shape.iter().product::<usize>(), values.len());
        Array {
            shape: shape.to_vec(),
            values: Values::U8(values),
        }
    }

    /// The numbers, if they are floats.
    pub fn floats(&self) -> Option<&[f32]> {
        match &self.values {
            Values::F32(values) => Some(values),
            Values::U8(_) => None,
        }
    }

    /// The numbers and the shape, if they are floats, some, and of `N` dimensions.
    pub fn shaped<const N: usize>(&self) -> Option<(&[f32], [usize; N])> {
        let shape = <[usize; N]>::try_from(&self.shape[..]).ok()?;
        let floats = self.floats().filter(|floats| !floats.is_empty())?;
        Some((floats, shape))
    }

    /// The numbers, if they are bytes.
    pub fn bytes(&self) -> Option<&[u8]> {
        match &self.values {
            Values::U8(values) => Some(values),
            Values::F32(_) => None,
        }
    }
}

/// All arrays of a run by their keys in `data.safetensors`.
pub type Tensors = BTreeMap<String, Array>;
