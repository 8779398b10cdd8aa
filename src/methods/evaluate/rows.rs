//! Rows of numbers, one for each image: what collectors of an evaluation keep, and how it is stored in a checkpoint.

use crate::error::{Error, ErrorKind, Result};
use crate::figures::Array;
use crate::methods::CollectorState;

/// Rows of one width.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// The name in a checkpoint.
    key: &'static str,
    /// How many numbers a row has; 0 before the first.
    width: usize,
    values: Vec<f32>,
}

impl Rows {
    pub(super) fn new(key: &'static str) -> Rows {
        Rows {
            key,
            ..Rows::default()
        }
    }

    /// Adds a row, which must be as long as the others.
    pub(super) fn push(&mut self, row: &[f32]) {
        debug_assert!(self.width == 0 || self.width == row.len());
        self.width = row.len();
        self.values.extend(row);
    }

    /// How many rows there are.
    pub(super) fn count(&self) -> usize {
        self.values.len().checked_div(self.width).unwrap_or(0)
    }

    /// All rows: `[n, width]`.
    pub(super) fn array(&self) -> Array {
        Array::f32(&[self.count(), self.width], self.values.clone())
    }

    /// Adds them to the state of a collector.
    pub(super) fn save(&self, state: &mut CollectorState) {
        state.tensors.insert(self.key.to_owned(), self.array());
    }

    /// Removes all rows.
    pub(super) fn clear(&mut self) {
        self.values.clear();
    }

    /// Adds those of a state.
    ///
    /// # Errors
    /// If it has none, or they have another width.
    pub(super) fn append(&mut self, state: &CollectorState) -> Result<()> {
        let (width, values) = self.stored(state)?;
        if values.is_empty() {
            return Ok(());
        }
        if !self.values.is_empty() && self.width != width {
            let message = format!(
                "the rows of {} must have {} values, got {width}",
                self.key, self.width
            );
            return Err(Error::new(ErrorKind::Io, message));
        }
        self.width = width;
        self.values.extend(values);
        Ok(())
    }

    fn stored<'a>(&self, state: &'a CollectorState) -> Result<(usize, &'a [f32])> {
        let array = state.tensors.get(self.key);
        let found = array.and_then(|array| match array.shape[..] {
            [_, width] => Some((width, array.floats()?)),
            _ => None,
        });
        found.ok_or_else(|| {
            let message = format!("the checkpoint holds no {}", self.key);
            Error::new(ErrorKind::Io, message)
        })
    }
}
