//! The linear CKA between the layers of the networks.

use super::super::stored_tensor::stored_floats;
use crate::compare::{Gram, cka};
use crate::error::Result;
use crate::figures::{Array, Content, Figure, LayerAgreement, Tensors};
use crate::results::Results;

/// CKA between all layers of every two networks, and of each network with itself. A matrix is stored under
/// `_cka/<model>/<model>`; where CKA is undefined, it holds NaN.
///
/// # Errors
/// If a Gram matrix is not float32.
pub(super) fn layer_agreements(
    results: &Results,
    tensors: &mut Tensors,
) -> Result<Vec<LayerAgreement>> {
    let figures = results.figures.iter();
    let figures: Vec<SimilarityFigure> = figures.filter_map(SimilarityFigure::new).collect();
    let mut all = Vec::new();
    for (index, a) in figures.iter().enumerate() {
        for b in &figures[index..] {
            let batches = a.batches.iter().copied();
            let shared: Vec<(usize, usize)> =
                batches.filter(|batch| b.batches.contains(batch)).collect();
            let models = [a.figure.model.clone(), b.figure.model.clone()];
            let key = format!("_cka/{}/{}", models[0], models[1]);
            let shape = [a.layers.len(), b.layers.len()];
            let matrix = cka_matrix(a, b, &shared, tensors)?;
            tensors.insert(key.clone(), Array::f32(&shape, matrix));
            all.push(LayerAgreement {
                models,
                rows: a.layers.to_vec(),
                columns: b.layers.to_vec(),
                tensor: key,
                images: shared.iter().map(|(_, count)| count).sum(),
                batches: shared.len(),
            });
        }
    }
    Ok(all)
}

/// CKA of every layer of `a` with every layer of `b`, row by row.
fn cka_matrix(
    a: &SimilarityFigure,
    b: &SimilarityFigure,
    shared: &[(usize, usize)],
    tensors: &Tensors,
) -> Result<Vec<f32>> {
    let grams = |figure: &SimilarityFigure, layer: &String| figure.grams(tensors, layer, shared);
    let columns = b.layers.iter().map(|layer| grams(b, layer));
    let columns: Vec<Vec<OwnedGram>> = columns.collect::<Result<_>>()?;
    let mut matrix = Vec::with_capacity(a.layers.len() * b.layers.len());
    for layer in a.layers {
        let row = grams(a, layer)?;
        for column in &columns {
            let value = cka(&borrowed(&row), &borrowed(column));
            matrix.push(value.map_or(f32::NAN, |value| value as f32));
        }
    }
    Ok(matrix)
}

/// The Gram matrices of one network's layers.
struct SimilarityFigure<'a> {
    figure: &'a Figure,
    layers: &'a [String],
    /// The index of each minibatch's first image in the collection, and its number of images.
    batches: &'a [(usize, usize)],
}

/// A Gram matrix and its side.
type OwnedGram = (Vec<f32>, usize);

fn borrowed(grams: &[OwnedGram]) -> Vec<Gram<'_>> {
    let grams = grams.iter().map(|(values, side)| Gram {
        values,
        side: *side,
    });
    grams.collect()
}

impl<'a> SimilarityFigure<'a> {
    /// `None` for a figure of another kind.
    fn new(figure: &'a Figure) -> Option<Self> {
        match &figure.content {
            Content::Similarity { layers, batches } => Some(SimilarityFigure {
                figure,
                layers,
                batches,
            }),
            _ => None,
        }
    }

    /// The Gram matrices of a layer for the minibatches in `shared`.
    ///
    /// # Errors
    /// If they are not float32.
    fn grams(
        &self,
        tensors: &Tensors,
        layer: &str,
        shared: &[(usize, usize)],
    ) -> Result<Vec<OwnedGram>> {
        let key = format!("{}/{}/{layer}", self.figure.model, self.figure.method);
        let (values, [_, side, _]) = stored_floats(tensors, &key)?;
        let mut grams = Vec::new();
        for (values, batch) in values.chunks(side * side).zip(self.batches) {
            if shared.contains(batch) {
                // Rows and columns beyond the minibatch's images are padding.
                let (count, rows) = (batch.1, values.chunks(side));
                let cut = rows.take(count).flat_map(|row| &row[..count]).copied();
                grams.push((cut.collect(), count));
            }
        }
        Ok(grams)
    }
}
