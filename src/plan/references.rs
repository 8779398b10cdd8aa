//! The reference images of likenesses: the images that the experiment's images are compared with, and the layers of the codes.

use super::models::PlannedModel;
use super::plan_images::plan_image;
use super::planned_image::PlannedImage;
use super::spec_origin::Origin;
use crate::error::{Error, ErrorKind, Result};
use crate::network::graph::NodeId;
use crate::network::{ClassSpec, LayerSelector, node_info, selector};
use crate::spec::{ExperimentSpec, PathStep, unique_ids};

/// The reference image of an entry of `classes`.
#[derive(Debug)]
pub struct PlannedReference {
    /// Unique among the references: its image's id, with a number where several references have the same image.
    pub id: String,
    /// The image.
    pub image: PlannedImage,
    /// The layer of the codes in each network.
    pub layers: Vec<NodeId>,
    /// The index of the entry in the experiment's `classes`.
    pub entry: usize,
}

/// The references of all likenesses, in the order of the experiment's `classes`.
///
/// # Errors
/// For an image that is neither in the experiment nor a file, and for a layer that a network doesn't have.
pub(super) fn plan_references(
    experiment: &ExperimentSpec,
    models: &[PlannedModel],
    images: &[PlannedImage],
    origin: &Origin,
) -> Result<Vec<PlannedReference>> {
    let mut references = Vec::new();
    for (entry, class) in experiment.classes.iter().enumerate() {
        let ClassSpec::Like { like, layer } = class else {
            continue;
        };
        let path = |key| {
            [
                PathStep::Key("classes"),
                PathStep::Index(entry),
                PathStep::Key(key),
            ]
        };
        let of_experiment = images.iter().find(|image| image.id == *like);
        let image = match of_experiment {
            Some(image) => image.clone(),
            None => plan_image(like.as_ref(), origin)
                .map_err(|error| origin.locate(&path("like"), error))?,
        };
        let layers = models
            .iter()
            .map(|model| code_layer(model, layer))
            .collect::<Result<_>>()
            .map_err(|error| origin.locate(&path("layer"), error))?;
        references.push(PlannedReference {
            id: image.id.clone(),
            image,
            layers,
            entry,
        });
    }
    let ids = unique_ids(references.iter().map(|r| (None, r.id.clone())));
    for (reference, id) in references.iter_mut().zip(ids) {
        reference.id = id;
    }
    Ok(references)
}

/// The one layer that the selector means in a network.
fn code_layer(model: &PlannedModel, layer: &LayerSelector) -> Result<NodeId> {
    let graph = model.architecture.graph();
    let side = model.nominal_side();
    let info = node_info::from_graph(&graph, side, side)?;
    let found = selector::resolve(layer, &graph, &info)?;
    match found[..] {
        [one] => Ok(one),
        _ => {
            let message = format!(
                "`layer` must be one layer, and `{}` has {} that `{}` selects",
                model.id,
                found.len(),
                layer.0
            );
            Err(Error::new(ErrorKind::Spec, message).help("for example `layer: penultimate`"))
        }
    }
}
