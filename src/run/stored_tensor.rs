//! Access to the tensors of the results.

use crate::error::{Error, ErrorKind, Result};
use crate::figures::{Array, Tensors};

/// The values and the shape of the float32 tensor with `N` dimensions that is stored under `key`.
///
/// # Errors
/// If there is none, or it has another type or another number of dimensions.
pub(super) fn stored_floats<'a, const N: usize>(
    tensors: &'a Tensors,
    key: &str,
) -> Result<(&'a [f32], [usize; N])> {
    let array = tensors.get(key);
    array.and_then(Array::shaped).ok_or_else(|| {
        let message = format!("tensor `{key}` must be float32 with {N} dimensions");
        Error::new(ErrorKind::Network, message)
    })
}
