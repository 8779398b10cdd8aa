//! Raw bytes to float32 tensors: the number formats that weight files use, every bound checked.

use tch::{Kind, Tensor};

/// How one number is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Element {
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

impl Element {
    /// Bytes a number takes.
    pub(super) fn size(self) -> usize {
        match self {
            Element::Bool | Element::U8 | Element::I8 => 1,
            Element::I16 | Element::F16 | Element::BF16 => 2,
            Element::I32 | Element::F32 => 4,
            Element::I64 | Element::F64 => 8,
        }
    }

    fn kind(self) -> Kind {
        match self {
            Element::Bool => Kind::Bool,
            Element::U8 => Kind::Uint8,
            Element::I8 => Kind::Int8,
            Element::I16 => Kind::Int16,
            Element::I32 => Kind::Int,
            Element::I64 => Kind::Int64,
            Element::F16 => Kind::Half,
            Element::BF16 => Kind::BFloat16,
            Element::F32 => Kind::Float,
            Element::F64 => Kind::Double,
        }
    }
}

/// How many numbers a tensor of `shape` has, if that can be.
pub(super) fn count(shape: &[i64]) -> Option<usize> {
    shape.iter().try_fold(1usize, |product, &side| {
        product.checked_mul(usize::try_from(side).ok()?)
    })
}

/// The numbers in `bytes` (little-endian, row by row) as a float32 tensor of `shape`; the error is
/// a clause to hang behind the tensor's name.
pub(super) fn tensor(bytes: &[u8], element: Element, shape: &[i64]) -> Result<Tensor, String> {
    let needed = count(shape).and_then(|count| count.checked_mul(element.size()));
    if needed != Some(bytes.len()) {
        let length = bytes.len();
        return Err(format!("has shape {shape:?}, but {length} bytes of data"));
    }
    Tensor::f_from_data_size(bytes, shape, element.kind())
        .and_then(|tensor| tensor.f_to_kind(Kind::Float))
        .map_err(|error| first_line(&error))
}

/// Which numbers of a flat run of them make up a tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct View {
    /// Where it begins, in numbers.
    pub(super) offset: i64,
    pub(super) shape: Vec<i64>,
    /// Numbers between neighbours, by dimension.
    pub(super) strides: Vec<i64>,
}

impl View {
    /// Whether it stays within `length` numbers; the error is a clause.
    pub(super) fn check(&self, length: usize) -> Result<(), String> {
        let View {
            offset,
            shape,
            strides,
        } = self;
        let negative = shape.iter().chain(strides).any(|&number| number < 0);
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
                "has shape {shape:?}, strides {strides:?} and offset {offset}: more than its storage of {length} numbers holds"
            )),
        }
    }

    /// The part of `storage` (one-dimensional) that this view means, in a tensor of its own.
    ///
    /// Call [`check`](Self::check) first: libtorch believes what it is told.
    pub(super) fn of(&self, storage: &Tensor) -> Result<Tensor, String> {
        storage
            .f_as_strided(&self.shape, &self.strides, self.offset)
            .and_then(|view| view.f_contiguous())
            .map_err(|error| first_line(&error))
    }
}

/// libtorch's messages carry a C++ stack trace below the first line.
fn first_line(error: &tch::TchError) -> String {
    let text = error.to_string();
    format!("is refused: {}", text.lines().next().unwrap_or_default())
}
