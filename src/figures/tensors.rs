//! The tensors of a run as plain arrays, without libtorch, so that a report can be rendered without it.

use std::collections::BTreeMap;

/// The values of an array, row by row.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// float32.
    F32(Vec<f32>),
    /// 8-bit, for pixels.
    U8(Vec<u8>),
}

/// An array of any shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// The sizes of its dimensions.
    pub shape: Vec<usize>,
    /// Its values, row by row.
    pub values: Values,
}

impl Array {
    /// A float32 array.
    ///
    /// # Panics
    /// If the number of `values` is not the product of `shape`.
    pub fn f32(shape: &[usize], values: Vec<f32>) -> Self {
        assert_eq!(shape.iter().product::<usize>(), values.len());
        Array {
            shape: shape.to_vec(),
            values: Values::F32(values),
        }
    }

    /// An 8-bit array of pixels.
    ///
    /// # Panics
    /// If the number of `values` is not the product of `shape`.
    pub fn u8(shape: &[usize], values: Vec<u8>) -> Self {
        assert_eq!(shape.iter().product::<usize>(), values.len());
        Array {
            shape: shape.to_vec(),
            values: Values::U8(values),
        }
    }

    /// The values of a float32 array.
    pub fn floats(&self) -> Option<&[f32]> {
        match &self.values {
            Values::F32(values) => Some(values),
            Values::U8(_) => None,
        }
    }

    /// The values and the shape of a float32 array that has `N` dimensions and is not empty.
    pub fn shaped<const N: usize>(&self) -> Option<(&[f32], [usize; N])> {
        let shape = <[usize; N]>::try_from(&self.shape[..]).ok()?;
        let floats = self.floats().filter(|floats| !floats.is_empty())?;
        Some((floats, shape))
    }

    /// The values of an 8-bit array.
    pub fn bytes(&self) -> Option<&[u8]> {
        match &self.values {
            Values::U8(values) => Some(values),
            Values::F32(_) => None,
        }
    }
}

/// All arrays of a run by their keys in `data.safetensors`.
pub type Tensors = BTreeMap<String, Array>;
