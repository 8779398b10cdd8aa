//! The checks of all maps of one network, image and target.

use tch::Tensor;

use super::run_output::{PartialResults, failure};
use super::stored_tensor::stored_floats;
use crate::checks::{CheckContext, CheckSpec, TestedMap, baseline_maps};
use crate::error::Result;
use crate::figures::{CheckedMap, Content, MapSource};

/// Runs every check on the maps among `found` that belong to the target of `context`, and on the baseline maps; adds the
/// results to `found`.
///
/// # Errors
/// For a libtorch error.
pub(super) fn check_maps(
    specs: &[CheckSpec],
    context: &CheckContext,
    found: &mut PartialResults,
) -> Result<()> {
    let (model, image) = (&context.model().id, context.pass.forward.image.as_str());
    let (mut sources, mut maps) = method_maps(context, found)?;
    for (source, map) in baseline_maps(context)? {
        sources.push(source);
        maps.push(map);
    }
    let explained = (context.pass.target.info.clone(), context.quantity());
    let mut checked: Vec<CheckedMap> = sources
        .into_iter()
        .map(|source| CheckedMap::new(model, image, explained.clone(), source))
        .collect();
    // The results of a map have the order of the list of checks, whatever the spec's.
    let mut specs: Vec<&CheckSpec> = specs.iter().collect();
    specs.sort_by_key(|spec| {
        CheckSpec::NAMES
            .iter()
            .position(|name| *name == spec.name())
    });
    for spec in specs {
        let done = tch::no_grad(|| spec.check().check_maps(context, &maps, &mut checked));
        if let Err(error) = done {
            let failure = failure(Some(model), Some(image), Some(spec.name()), &error);
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
fn method_maps(
    context: &CheckContext,
    found: &PartialResults,
) -> Result<(Vec<MapSource>, Vec<TestedMap>)> {
    let mut sources = Vec::new();
    let mut maps = Vec::new();
    for figure in &found.figures {
        let Content::Map { tensor, .. } = &figure.content else {
            continue;
        };
        if figure
            .target
            .as_ref()
            .is_some_and(|target| *target != context.pass.target.info)
        {
            continue;
        }
        let (values, [height, width]) = stored_floats(&found.tensors, tensor)?;
        if values.iter().all(|value| *value == values[0]) {
            continue;
        }
        sources.push(MapSource::Method {
            name: figure.method.clone(),
            layer: figure.layer.clone(),
        });
        let map = Tensor::from_slice(values).f_view([height as i64, width as i64])?;
        maps.push(TestedMap {
            map: map.f_to_device(context.model().device)?,
            key: Some(tensor.clone()),
        });
    }
    Ok((sources, maps))
}
