//! The values that a pickle builds, and the errors of reading one.
//!
//! Values are kept in one list and refer to each other by their index in it, so that nesting needs no recursion, a
//! cycle does not leak memory, and memory is bounded by the pickle's length.

use crate::network::weights::dtype::{Dtype, StridedView};

/// The index of a value in [`Pickle::values`](super::Pickle::values).
pub(crate) type ValueId = usize;

/// A value that a pickle builds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum PickleValue {
    /// `None`.
    None,
    /// A boolean.
    Bool(bool),
    /// An integer of up to 16 bytes.
    Int(i128),
    /// A string.
    Text(String),
    /// A tuple.
    Tuple(Vec<ValueId>),
    /// A list.
    List(Vec<ValueId>),
    /// A dict, its keys in the order in which they were set.
    Dict(Vec<(ValueId, ValueId)>),
    /// A function or class.
    Global(SafeGlobal),
    /// A storage.
    Storage(Storage),
    /// A tensor.
    Tensor(TensorRef),
    /// A float, bytes, a set, a data type, a device: allowed, and not needed for weights.
    Other,
}

/// A one-dimensional array of values in another part of the file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Storage {
    /// Its name in the file.
    pub(crate) key: String,
    /// `None` for an untyped storage, which no tensor uses by itself.
    pub(crate) dtype: Option<Dtype>,
    /// How many values it has.
    pub(crate) length: usize,
    /// The first value and the number of values, if it is a part of the storage `key` (old files).
    pub(crate) part: Option<(usize, usize)>,
}

/// A tensor: a storage, and the part of it that the tensor is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TensorRef {
    /// The storage with its values.
    pub(crate) storage: Storage,
    /// Which values of the storage it has.
    pub(crate) view: StridedView,
}

/// Why a pickle can't be read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum PickleError {
    /// It names this function or class, which is not allowed.
    Global(String),
    /// It is not a pickle of a state dict. A clause about the file: `is a truncated pickle`.
    Malformed(String),
}

impl From<&str> for PickleError {
    fn from(clause: &str) -> Self {
        PickleError::Malformed(clause.to_owned())
    }
}

/// The result of a step of the interpreter.
pub(crate) type PickleResult<T> = Result<T, PickleError>;

/// A function or class that a pickle may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SafeGlobal {
    /// `collections.OrderedDict`.
    OrderedDict,
    /// `set` and `frozenset`.
    Set,
    /// `torch._utils._rebuild_tensor` and its second version.
    RebuildTensor,
    /// `torch._utils._rebuild_parameter`.
    RebuildParameter,
    /// `torch.FloatStorage` and similar types; `None` for an untyped one.
    StorageType(Option<Dtype>),
    /// `torch.device`, `torch.Size`: their values are not needed for weights.
    Opaque,
}
