//! The codes of all images by one layer, read from their file in chunks.

use crate::embedding::PointChunks;
use crate::error::Result;
use crate::methods::RowFile;

/// Rows that are read at a time.
const CHUNK: usize = 1024;

/// The rows of a file as points.
pub(super) struct CodeChunks<'a>(pub &'a RowFile);

impl PointChunks for CodeChunks<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn dims(&self) -> usize {
        self.0.dims()
    }

    fn for_each(&self, read: &mut dyn FnMut(&[f32]) -> Result<()>) -> Result<()> {
        for first in (0..self.0.len()).step_by(CHUNK) {
            let rows = CHUNK.min(self.0.len() - first);
            read(&self.0.floats(first, rows)?)?;
        }
        Ok(())
    }
}
