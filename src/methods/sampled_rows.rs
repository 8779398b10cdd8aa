//! Rows of numbers for a sample of a collection's images: what a method keeps of each, in memory of bounded size.

use super::collector::CollectorState;
use super::image_sample::ImageSample;
use crate::error::{Error, ErrorKind, Result};
use crate::figures::Array;

/// Series of rows, one row for each image of a sample. All rows of a series have the same length.
#[derive(Debug)]
pub(super) struct SampledRows {
    sample: ImageSample,
    series: Vec<Series>,
}

#[derive(Debug)]
struct Series {
    /// The name in a state.
    key: String,
    values: Vec<f32>,
}

impl SampledRows {
    /// No rows yet, of at most `most` images that are drawn with `seed`; a series for each of `keys`.
    pub(super) fn new(most: usize, seed: u64, keys: impl IntoIterator<Item = String>) -> Self {
        let series = keys.into_iter().map(|key| Series {
            key,
            values: Vec::new(),
        });
        SampledRows {
            sample: ImageSample::new(most, seed),
            series: series.collect(),
        }
    }

    /// Adds an image, if it belongs to the sample: its row must then be pushed to every series. Images come in order.
    pub(super) fn add(&mut self, image: usize) -> bool {
        self.sample.add(image)
    }

    /// Adds the rows of the images that were added last to a series.
    pub(super) fn push(&mut self, series: usize, rows: &[f32]) {
        self.series[series].values.extend(rows);
    }

    /// Removes images until there are no more than allowed. Every series must have all rows.
    pub(super) fn thin(&mut self) {
        let Some(kept) = self.sample.thin() else {
            return;
        };
        for Series { values, .. } in &mut self.series {
            let width = values.len() / kept.len().max(1);
            let rows = values.chunks_exact(width.max(1)).zip(&kept);
            let rows = rows.filter(|(_, stays)| **stays).flat_map(|(row, _)| row);
            *values = rows.copied().collect();
        }
    }

    /// The sample.
    pub(super) fn sample(&self) -> &ImageSample {
        &self.sample
    }

    /// The indices of the images in the collection.
    pub(super) fn images(&self) -> &[usize] {
        self.sample.images()
    }

    /// The rows of a series, one after the other.
    pub(super) fn rows(&self, series: usize) -> &[f32] {
        &self.series[series].values
    }

    /// The rows of a series, which then has none.
    pub(super) fn take(&mut self, series: usize) -> Vec<f32> {
        std::mem::take(&mut self.series[series].values)
    }

    /// The length of a series' rows; 0 if there are none.
    pub(super) fn width(&self, series: usize) -> usize {
        self.rows(series).len() / self.images().len().max(1)
    }

    /// Adds the rows to the tensors of a state, which must store [`sample`](Self::sample) too.
    pub(super) fn save(&self, state: &mut CollectorState) {
        for (number, series) in self.series.iter().enumerate() {
            let shape = [self.images().len(), self.width(number)];
            let array = Array::f32(&shape, series.values.clone());
            state.tensors.insert(series.key.clone(), array);
        }
    }

    /// Continues with the rows of a state, which are those of `sample`.
    ///
    /// # Errors
    /// If it has not all of them.
    pub(super) fn resume(&mut self, sample: ImageSample, state: &CollectorState) -> Result<()> {
        for series in &mut self.series {
            series.values = stored(&series.key, &sample, state)?.to_vec();
        }
        self.sample = sample;
        Ok(())
    }

    /// Adds the rows of a state, which are those of `sample`, a sample of the images that follow.
    ///
    /// # Errors
    /// As [`resume`](Self::resume).
    pub(super) fn append(&mut self, sample: &ImageSample, state: &CollectorState) -> Result<()> {
        for series in &mut self.series {
            let rows = stored(&series.key, sample, state)?;
            series.values.extend(rows);
        }
        self.sample.append(sample);
        self.thin();
        Ok(())
    }
}

/// The rows of a series in a state.
fn stored<'a>(key: &str, sample: &ImageSample, state: &'a CollectorState) -> Result<&'a [f32]> {
    let array = state.tensors.get(key);
    let rows = array.and_then(|array| match array.shape[..] {
        [rows, _] if rows == sample.images().len() => array.floats(),
        _ => None,
    });
    rows.ok_or_else(|| Error::new(ErrorKind::Io, format!("the state has no `{key}`")))
}
