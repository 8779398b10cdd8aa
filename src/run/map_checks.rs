//! The checks of all maps of one network, image and class.

use tch::Tensor;

use super::run_output::{PartialResults, failure};
use super::stored_tensor::stored_floats;
use crate::checks::{self, Asked, Candidate, CheckSpec};
use crate::error::Result;
use crate::figures::{CheckedMap, Content, Map};

/// Runs every check on the maps among `found` that belong to the class of `asked`, and on the baseline maps; adds the
/// results to `found`.
///
/// # Errors
/// For a libtorch error.
pub(super) fn check_maps(
    specs: &[CheckSpec],
    asked: &Asked,
    found: &mut PartialResults,
) -> Result<()> {
    let (model, image) = (&asked.subject().id, asked.pass.pass.image);
    let (mut names, mut maps) = method_maps(asked, found)?;
    for (name, map) in checks::baselines(asked)? {
        names.push(name);
        maps.push(map);
    }
    let mut checked: Vec<CheckedMap> = names
        .into_iter()
        .map(|of| CheckedMap {
            model: model.clone(),
            image: image.to_owned(),
            class: asked.pass.class.clone(),
            of,
            curves: None,
            drop: None,
            randomised: Vec::new(),
            pointing: None,
        })
        .collect();
    for entry in specs {
        let done = tch::no_grad(|| entry.check().look(asked, &maps, &mut checked));
        if let Err(error) = done {
            let failure = failure(Some(model), Some(image), Some(entry.name()), &error);
            found.failures.push(failure);
        }
    }
    found.checks.extend(checked);
    Ok(())
}

/// The maps of the methods, each with its name. A constant map is left out: it ranks no pixel above another.
///
/// # Errors
/// If a map is not float32, or for a libtorch error.
fn method_maps(asked: &Asked, found: &PartialResults) -> Result<(Vec<Map>, Vec<Candidate>)> {
    let mut names = Vec::new();
    let mut maps = Vec::new();
    for figure in &found.figures {
        let Content::Map { tensor, .. } = &figure.content else {
            continue;
        };
        if figure
            .class
            .as_ref()
            .is_some_and(|class| *class != asked.pass.class)
        {
            continue;
        }
        let (values, [height, width]) = stored_floats(&found.tensors, tensor)?;
        if values.iter().all(|value| *value == values[0]) {
            continue;
        }
        names.push(Map::Method {
            name: figure.method.clone(),
            layer: figure.layer.clone(),
        });
        let map = Tensor::from_slice(values).f_view([height as i64, width as i64])?;
        maps.push(Candidate {
            map: map.f_to_device(asked.subject().device)?,
            key: Some(tensor.clone()),
        });
    }
    Ok((names, maps))
}
