//! A finished run, read from its folder.

use crate::figures::Tensors;
use crate::results::Results;

/// A finished run.
#[derive(Debug, Clone, Copy)]
pub struct FinishedRun<'a> {
    /// What it is called in the page: its folder.
    pub name: &'a str,
    /// Its results.
    pub results: &'a Results,
    /// Its tensors.
    pub tensors: &'a Tensors,
}
