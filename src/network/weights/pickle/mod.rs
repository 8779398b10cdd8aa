//! A reader of Python pickles that runs no code.
//!
//! A pickle is a program for a stack machine, and Python's own reader lets that program call any function. This reader
//! supports the opcodes of state dicts, and of the functions and classes that a pickle can name only PyTorch's tensors
//! and storages and plain containers. Any other name is an error, which is reported before other errors of the file.

mod machine;
mod safe_globals;
mod value;
mod whole_object;

pub(super) use machine::Pickle;
pub(super) use value::{PickleError, PickleValue, Storage, TensorRef};
pub(in crate::network) use whole_object::whole_object;
