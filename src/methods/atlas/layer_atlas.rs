//! The map of one layer's codes, with the measures of the map and each image's neighbours.

use std::collections::BTreeMap;

use super::options::Atlas as Options;
use crate::compare::{PointSet, knn_accuracy, trustworthiness};
use crate::embedding::{
    Affinities, EXACT_POINTS, NeighbourGraph, PointChunks, assign_to_grid, gradient_descent,
    initial_layout, interpolated_kl_divergence, kl_divergence, streamed_principal_components,
};
use crate::error::Result;
use crate::figures::{Array, Atlas, GroupedBy, KnnAccuracy, Trustworthiness};
use crate::methods::MethodOutput;
use crate::methods::image_sample::ImageSample;
use crate::methods::tsne::{COMPONENTS, ClassGroups, TRUSTWORTHINESS_NEIGHBOURS};
use crate::progress::Progress;

/// The most images that trustworthiness and kNN accuracy are measured on: their cost is that of all pairs.
const SAMPLE: usize = 2000;
/// The number of neighbours of the kNN classifier.
const KNN_NEIGHBOURS: usize = 5;

/// The codes of a collection's images by one layer, to be mapped.
pub(super) struct LayerAtlas<'a> {
    pub options: &'a Options,
    pub codes: &'a dyn PointChunks,
    /// The true class of each image, where it is known.
    pub labels: &'a [Option<usize>],
    pub groups: Option<&'a ClassGroups>,
    /// The experiment's seed.
    pub seed: u64,
}

impl LayerAtlas<'_> {
    /// Maps the codes, and stores the tensors under `<key>/codes`, `<key>/map`, `<key>/grid` and
    /// `<key>/neighbours`.
    ///
    /// # Errors
    /// If all codes are equal, or libtorch fails.
    pub fn compute(
        &self,
        key: &str,
        out: &mut MethodOutput,
        progress: &dyn Progress,
    ) -> Result<Atlas> {
        let count = self.codes.len();
        let components = streamed_principal_components(self.codes, COMPONENTS)?;
        let points = PointSet::new(&components.values, components.dims)?;
        let layout = initial_layout(&components, self.seed)?;
        let perplexity = self.options.perplexity.value(count);
        let reach = (3.0 * perplexity + 1.0) as usize;
        let graph = NeighbourGraph::new(&points, reach.max(self.options.neighbours));
        let p = Affinities::of_graph(&graph, perplexity)?;
        let kept = self.options.neighbours.min(graph.width());
        let nearest = (0..count).flat_map(|image| &graph.neighbours(image)[..kept]);
        let nearest: Vec<f32> = nearest.map(|other| *other as f32).collect();
        drop(graph);
        let map = gradient_descent(&p, &layout, self.options.epochs, progress)?;
        let map_points = PointSet::new(&map, 2)?;
        let divergence = if count > EXACT_POINTS {
            interpolated_kl_divergence(&p, &map_points)?
        } else {
            kl_divergence(&p, &map_points)?
        };
        let cells = assign_to_grid(&map_points)?.into_iter();
        let grid = cells.flat_map(|(column, row)| [column as f32, row as f32]);
        let grid: Vec<f32> = grid.collect();
        let measures = self.measures(&points, &map_points)?;
        let mut store = |name: &str, dims: usize, values: Vec<f32>| {
            let key = format!("{key}/{name}");
            let array = Array::f32(&[values.len() / dims.max(1), dims], values);
            out.tensors.insert(key.clone(), array);
            key
        };
        Ok(Atlas {
            count,
            dims: self.codes.dims(),
            components: components.dims,
            explained_variance: components.explained_variance,
            perplexity,
            epochs: self.options.epochs,
            divergence,
            neighbours: store("neighbours", kept, nearest),
            grid: store("grid", 2, grid),
            map: store("map", 2, map),
            codes: store("codes", components.dims, components.values),
            ..measures
        })
    }

    /// Trustworthiness and kNN accuracy among a sample.
    fn measures(&self, codes: &PointSet, map: &PointSet) -> Result<Atlas> {
        let sample = ImageSample::of(SAMPLE, self.seed, 0..codes.len());
        let sample = sample.images();
        let (code_rows, map_rows) = (rows(codes, sample), rows(map, sample));
        let codes_of = PointSet::new(&code_rows, codes.dims())?;
        let map_of = PointSet::new(&map_rows, 2)?;
        let neighbours = TRUSTWORTHINESS_NEIGHBOURS.min(sample.len().saturating_sub(1) / 2);
        Ok(Atlas {
            sample: sample.len(),
            trustworthiness: Trustworthiness {
                neighbours,
                value: trustworthiness(&codes_of, &map_of, neighbours)?,
            },
            knn_accuracy: self.knn_accuracy(codes, map, sample)?,
            ..Atlas::default()
        })
    }

    /// The accuracy of a kNN classifier of the sample's groups, or of their classes if there are no groups. `None` if it is
    /// trivial: fewer than two groups, no group of two images, or not more labelled images than neighbours.
    fn knn_accuracy(
        &self,
        codes: &PointSet,
        map: &PointSet,
        sample: &[usize],
    ) -> Result<Option<KnnAccuracy>> {
        let mut labelled = Vec::new();
        let mut groups = Vec::new();
        let mut sizes = BTreeMap::new();
        for &image in sample {
            let Some(class) = self.labels.get(image).copied().flatten() else {
                continue;
            };
            let group = match self.groups {
                Some(groups) => groups.of_class.get(&class).copied(),
                None => Some(class),
            };
            if let Some(group) = group {
                labelled.push(image);
                groups.push(group);
                *sizes.entry(group).or_insert(0_usize) += 1;
            }
        }
        let trivial = sizes.len() < 2 || sizes.values().all(|size| *size < 2);
        if trivial || labelled.len() <= KNN_NEIGHBOURS {
            return Ok(None);
        }
        let accuracy = |points: &PointSet| {
            let rows = rows(points, &labelled);
            knn_accuracy(
                &PointSet::new(&rows, points.dims())?,
                &groups,
                KNN_NEIGHBOURS,
            )
        };
        let (codes, map) = (accuracy(codes)?, accuracy(map)?);
        Ok(Some(KnnAccuracy {
            by: self
                .groups
                .map_or(GroupedBy::Class, |found| found.groups.by),
            neighbours: KNN_NEIGHBOURS,
            images: labelled.len(),
            codes: codes.accuracy,
            map: map.accuracy,
            chance: codes.chance,
        }))
    }
}

/// Some rows of a point set.
fn rows(points: &PointSet, indices: &[usize]) -> Vec<f32> {
    let rows = indices.iter().flat_map(|index| points.row(*index));
    rows.copied().collect()
}
