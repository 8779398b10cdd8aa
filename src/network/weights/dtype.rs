//! Data types of the tensors in weight files, and their conversion to float32 tensors, every bound checked.

use tch::{Kind, Tensor};

/// The data type of a tensor's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::network) enum Dtype {
    Bool,
    U8,
    I8,
    I16,
    I32,
    I64,
    F16,
    BF16,
    F32,
    F64,
}

impl Dtype {
    /// Bytes per value.
    pub(in crate::network) fn size(self) -> usize {
        match self {
            Dtype::Bool | Dtype::U8 | Dtype::I8 => 1,
            Dtype::I16 | Dtype::F16 | Dtype::BF16 => 2,
            Dtype::I32 | Dtype::F32 => 4,
            Dtype::I64 | Dtype::F64 => 8,
        }
    }

    /// The data type in libtorch.
    fn kind(self) -> Kind {
        match self {
            Dtype::Bool => Kind::Bool,
            Dtype::U8 => Kind::Uint8,
            Dtype::I8 => Kind::Int8,
            Dtype::I16 => Kind::Int16,
            Dtype::I32 => Kind::Int,
            Dtype::I64 => Kind::Int64,
            Dtype::F16 => Kind::Half,
            Dtype::BF16 => Kind::BFloat16,
            Dtype::F32 => Kind::Float,
            Dtype::F64 => Kind::Double,
        }
    }
}

/// The number of values of a tensor of `shape`; `None` if a side is negative or the number overflows.
pub(in crate::network) fn count(shape: &[i64]) -> Option<usize> {
    shape.iter().try_fold(1usize, |product, &side| {
        product.checked_mul(usize::try_from(side).ok()?)
    })
}

/// The values in `bytes` (little-endian, row by row) as a float32 tensor of `shape`.
///
/// # Errors
/// If the number of bytes does not match the shape, or libtorch fails. The error is a clause about the tensor.
pub(in crate::network) fn decode(
    bytes: &[u8],
    dtype: Dtype,
    shape: &[i64],
) -> Result<Tensor, String> {
    decode_as_is(bytes, dtype, shape)?
        .f_to_kind(Kind::Float)
        .map_err(|error| libtorch_clause(&error))
}

/// As [`decode`], in the file's data type.
///
/// # Errors
/// As [`decode`].
pub(in crate::network) fn decode_as_is(
    bytes: &[u8],
    dtype: Dtype,
    shape: &[i64],
) -> Result<Tensor, String> {
    let needed = count(shape).and_then(|count| count.checked_mul(dtype.size()));
    if needed != Some(bytes.len()) {
        let length = bytes.len();
        return Err(format!("has shape {shape:?}, but {length} bytes of data"));
    }
    Tensor::f_from_data_size(bytes, shape, dtype.kind()).map_err(|error| libtorch_clause(&error))
}

/// A tensor as a part of a one-dimensional storage, as PyTorch's `as_strided` describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::network) struct StridedView {
    /// The index of its first value in the storage.
    pub(in crate::network) offset: i64,
    /// Its shape.
    pub(in crate::network) shape: Vec<i64>,
    /// Steps in the storage between neighbouring values, by dimension.
    pub(in crate::network) strides: Vec<i64>,
}

impl StridedView {
    /// Checks that the view is within a storage of `length` values.
    ///
    /// # Errors
    /// If it is not, or a shape, stride or offset is negative. The error is a clause about the tensor.
    pub(in crate::network) fn check(&self, length: usize) -> Result<(), String> {
        let StridedView {
            offset,
            shape,
            strides,
        } = self;
        let negative = shape.iter().chain(strides).any(|&value| value < 0);
        if shape.len() != strides.len() || negative || *offset < 0 || shape.len() > 64 {
            return Err(format!("has shape {shape:?} and strides {strides:?}"));
        }
        if shape.contains(&0) {
            return Ok(());
        }
        let last = shape
            .iter()
            .zip(strides)
            .try_fold(*offset, |last, (&side, &stride)| {
                last.checked_add((side - 1).checked_mul(stride)?)
            });
        match last.and_then(|last| usize::try_from(last).ok()) {
            Some(last) if last < length && count(shape).is_some() => Ok(()),
            _ => Err(format!(
                "has shape {shape:?}, strides {strides:?} and offset {offset}: more than its storage of {length} values holds"
            )),
        }
    }

    /// A copy of the part of `storage` (one-dimensional) that this view describes.
    ///
    /// Call [`check`](Self::check) first: libtorch does not check the strides.
    ///
    /// # Errors
    /// If libtorch fails. The error is a clause about the tensor.
    pub(in crate::network) fn copy_from(&self, storage: &Tensor) -> Result<Tensor, String> {
        storage
            .f_as_strided(&self.shape, &self.strides, self.offset)
            .and_then(|view| view.f_contiguous())
            .map_err(|error| libtorch_clause(&error))
    }
}

/// A clause with the first line of a libtorch error; a C++ stack trace follows below it.
fn libtorch_clause(error: &tch::TchError) -> String {
    let text = error.to_string();
    format!(
        "causes a libtorch error: {}",
        text.lines().next().unwrap_or_default()
    )
}
