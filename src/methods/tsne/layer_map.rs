//! The map of one layer's codes: t-SNE, the grid, and the measures of the map.

use std::collections::BTreeMap;

use super::options::{Perplexity, Tsne, largest_perplexity};
use crate::compare::{PointSet, knn_accuracy, trustworthiness};
use crate::embedding::{
    Affinities, assign_to_grid, gradient_descent, initial_layout, kl_divergence,
    principal_components,
};
use crate::error::{Error, ErrorKind, Result};
use crate::figures::{
    Array, CodedImage, Codes, GroupedBy, ImageGroups, KnnAccuracy, Trustworthiness,
};
use crate::methods::MethodOutput;
use crate::progress::Progress;

/// The number of principal components that t-SNE is given.
pub(in crate::methods) const COMPONENTS: usize = 50;
/// The number of neighbours of trustworthiness (van der Maaten 2009); fewer where there are fewer than 25 images.
pub(in crate::methods) const TRUSTWORTHINESS_NEIGHBOURS: usize = 12;
/// The largest number of images on the grid: the assignment of more would take longer than the map.
const MAX_GRID_IMAGES: usize = 1600;
/// The smallest number of images of a map.
const MIN_IMAGES: usize = 10;

/// Checks the options that depend on the number of images.
///
/// # Errors
/// As [`check_perplexity`], or if `neighbours` is not below the number of images.
pub(super) fn check_image_count(options: &Tsne, count: usize) -> Result<()> {
    check_perplexity(options.perplexity, count)?;
    if options.neighbours >= count {
        let message = format!(
            "`neighbours` must be below the {count} images, got {}",
            options.neighbours
        );
        return Err(Error::new(ErrorKind::Spec, message).help("5 is usual"));
    }
    Ok(())
}

/// Checks that there are enough images for a map of this perplexity.
///
/// # Errors
/// If there are fewer than 10 images, or the perplexity is above a third of the other images.
pub(in crate::methods) fn check_perplexity(perplexity: Perplexity, count: usize) -> Result<()> {
    let wrong = |message: String, help: &str| Err(Error::new(ErrorKind::Spec, message).help(help));
    if count < MIN_IMAGES {
        return wrong(
            format!("t-SNE needs at least {MIN_IMAGES} images, got {count}"),
            "give a larger `collection`; a map of some hundred images is worth reading",
        );
    }
    let (perplexity, largest) = (perplexity.value(count), largest_perplexity(count));
    if perplexity > largest {
        let rounded = (largest * 10.0).floor() / 10.0;
        return wrong(
            format!("`perplexity` must be at most {rounded} for {count} images, got {perplexity}"),
            "that is a third of the other images; `auto` takes 30, or less if there are fewer images",
        );
    }
    Ok(())
}

/// The codes of a collection's images by one layer, to be mapped.
pub(super) struct LayerMap<'a> {
    pub options: &'a Tsne,
    /// One point for each image.
    pub codes: PointSet<'a>,
    pub images: &'a [CodedImage],
    pub groups: Option<&'a ImageGroups>,
    /// The experiment's seed.
    pub seed: u64,
}

impl LayerMap<'_> {
    /// Maps the codes, and stores the tensors under `<key>/codes`, `<key>/map` and `<key>/grid`.
    ///
    /// # Errors
    /// If all codes are equal, or libtorch fails.
    pub fn compute(
        &self,
        key: &str,
        out: &mut MethodOutput,
        progress: &dyn Progress,
    ) -> Result<Codes> {
        let codes = self.codes;
        let count = codes.len();
        let components = principal_components(&codes, COMPONENTS)?;
        let perplexity = self.options.perplexity.value(count);
        let p = Affinities::new(
            &PointSet::new(&components.values, components.dims)?,
            perplexity,
        )?;
        let layout = initial_layout(&components, self.seed)?;
        let coordinates = gradient_descent(&p, &layout, self.options.epochs, progress)?;
        let map = PointSet::new(&coordinates, 2)?;
        let grid_step = count.div_ceil(MAX_GRID_IMAGES);
        let on_grid = (0..count).step_by(grid_step);
        let on_grid: Vec<f32> = on_grid.flat_map(|index| map.row(index)).copied().collect();
        let cells = assign_to_grid(&PointSet::new(&on_grid, 2)?)?;
        let cells = cells
            .into_iter()
            .flat_map(|(column, row)| [column as f32, row as f32]);
        let neighbours = TRUSTWORTHINESS_NEIGHBOURS.min((count - 1) / 2);
        let mut store = |name: &str, dims: usize, values: Vec<f32>| {
            let key = format!("{key}/{name}");
            let array = Array::f32(&[values.len() / dims, dims], values);
            out.tensors.insert(key.clone(), array);
            key
        };
        Ok(Codes {
            dims: codes.dims(),
            components: components.dims,
            explained_variance: components.explained_variance,
            perplexity,
            epochs: self.options.epochs,
            divergence: kl_divergence(&p, &map)?,
            trustworthiness: Trustworthiness {
                neighbours,
                value: trustworthiness(&codes, &map, neighbours)?,
            },
            knn_accuracy: self.knn_accuracy(&map)?,
            grid_step,
            codes: store("codes", codes.dims(), codes.values().to_vec()),
            grid: store("grid", 2, cells.collect()),
            map: store("map", 2, coordinates.clone()),
            ..Codes::default()
        })
    }

    /// The accuracy of a kNN classifier of the images' groups, or of their classes if there are no groups. `None` if it
    /// is trivial: fewer than two groups, no group of two images, or not more labelled images than neighbours.
    fn knn_accuracy(&self, map: &PointSet) -> Result<Option<KnnAccuracy>> {
        let group = |image: &CodedImage| match self.groups {
            Some(_) => image.group,
            None => image.label.as_ref().map(|label| label.index),
        };
        let labelled: Vec<(usize, usize)> = (0..)
            .zip(self.images)
            .filter_map(|(index, image)| Some((index, group(image)?)))
            .collect();
        let mut sizes = BTreeMap::new();
        for (_, group) in &labelled {
            *sizes.entry(*group).or_insert(0_usize) += 1;
        }
        let trivial = sizes.len() < 2 || sizes.values().all(|size| *size < 2);
        let neighbours = self.options.neighbours;
        if trivial || labelled.len() <= neighbours {
            return Ok(None);
        }
        let groups: Vec<usize> = labelled.iter().map(|(_, group)| *group).collect();
        let accuracy = |points: &PointSet| {
            let rows = labelled.iter().flat_map(|(index, _)| points.row(*index));
            let rows: Vec<f32> = rows.copied().collect();
            knn_accuracy(&PointSet::new(&rows, points.dims())?, &groups, neighbours)
        };
        let (codes, map) = (accuracy(&self.codes)?, accuracy(map)?);
        Ok(Some(KnnAccuracy {
            by: self.groups.map_or(GroupedBy::Class, |groups| groups.by),
            neighbours,
            images: labelled.len(),
            codes: codes.accuracy,
            map: map.accuracy,
            chance: codes.chance,
        }))
    }
}
