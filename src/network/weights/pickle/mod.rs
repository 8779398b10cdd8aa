//! A reader of Python pickles that runs no code.
//!
//! A pickle is a program for a stack machine, and Python's own reader lets that program call any function. This one knows
//! the opcodes of state dicts. Of the functions and classes that a pickle can name it knows PyTorch's tensors and storages
//! and the plain containers; any other name is an error, reported before any other fault of the file.

mod machine;
mod safe_globals;
mod value;

pub(super) use machine::Pickle;
pub(super) use value::{PickleError, PickleValue, Storage, TensorRef};
