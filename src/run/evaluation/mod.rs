//! Evaluates the networks on the collection, from what the method `evaluate` collected of each.

mod accuracy;
mod confusion;
mod corruptions;
mod galleries;
mod gallery_maps;
mod groups;
mod label_issues;
mod other_tasks;
mod pairs;
mod predictions;
mod shares;
mod slices;
mod thumbnails;

use std::collections::BTreeSet;

use super::model::RunModel;
use super::result_cache::ResultCache;
use super::run_output::RunOutput;
use crate::error::Result;
use crate::figures::{EvaluatedTask, Evaluation};
use crate::methods::MethodSpec;
use crate::methods::all::Evaluate;
use crate::plan::Plan;
use crate::progress::Progress;

use accuracy::model_evaluation;
use confusion::grouping;
use corruptions::corruption_evaluation;
use galleries::galleries;
use gallery_maps::MapMaker;
use groups::groups;
use label_issues::label_issues;
use other_tasks::{multi_label_evaluations, regression_evaluations};
use pairs::{combinations, pair_evaluation};
use predictions::{stored_predictions, stored_records};
use slices::slices;

/// Adds the evaluation of all networks that have one to `output`, with the pictures that it names, and what failed.
///
/// # Errors
/// If stored predictions are not float32.
pub(super) fn evaluate(
    plan: &Plan,
    models: &[RunModel],
    cache: Option<&ResultCache>,
    progress: &dyn Progress,
    output: &mut RunOutput,
) -> Result<()> {
    let mut methods = plan.experiment.methods.iter();
    let options = methods.find_map(|method| match method {
        MethodSpec::Evaluate(options) => Some(options),
        _ => None,
    });
    let Some(options) = options else {
        return Ok(());
    };
    let mut maps = MapMaker::new(plan, models, cache, options.attribution_method());
    output.results.evaluation = evaluation(plan, models, options, &mut maps, progress, output)?;
    for failure in maps.failures {
        progress.warn(&failure.message);
        output.results.failures.push(failure);
    }
    Ok(())
}

fn evaluation(
    plan: &Plan,
    models: &[RunModel],
    options: &Evaluate,
    maps: &mut MapMaker,
    progress: &dyn Progress,
    output: &mut RunOutput,
) -> Result<Option<Evaluation>> {
    let (results, tensors) = (&output.results, &mut output.tensors);
    let all = stored_predictions(results, tensors)?;
    let multi_label = multi_label_evaluations(results, tensors)?;
    let regression = regression_evaluations(results, tensors)?;
    if all.is_empty() && multi_label.is_empty() && regression.is_empty() {
        return Ok(None);
    }
    progress.step("evaluation");
    let labelled: BTreeSet<usize> = all
        .iter()
        .flat_map(|own| own.images.keys().copied())
        .collect();
    let groups = groups(&plan.collection, labelled.iter().copied());
    let grouping = grouping(&all);
    let pairs = (0..all.len()).flat_map(|a| (a + 1..all.len()).map(move |b| (a, b)));
    let count = options.gallery;
    let others = [EvaluatedTask::MultiLabel, EvaluatedTask::Regression];
    let others = others
        .iter()
        .flat_map(|task| stored_records(results, *task));
    let mut images = labelled.clone();
    for (_, records) in others {
        let array = tensors.get(&records.tensor);
        let rows = array.and_then(|array| Some((array.floats()?, *array.shape.get(1)?)));
        if let Some((values, width)) = rows {
            images.extend(
                values
                    .iter()
                    .step_by(width.max(1))
                    .map(|image| *image as usize),
            );
        }
    }
    Ok(Some(Evaluation {
        images: images.len(),
        models: all
            .iter()
            .map(|own| model_evaluation(own, &groups, grouping.as_ref()))
            .collect::<Result<_>>()?,
        pairs: pairs
            .map(|(a, b)| pair_evaluation(&all[a], &all[b]))
            .collect(),
        combinations: combinations(&all, &labelled),
        label_issues: label_issues(&all, plan, count, tensors)?,
        slices: slices(&all, &groups, plan, count > 0, tensors)?,
        corruptions: corruption_evaluation(&all, options, plan, models, tensors)?,
        galleries: galleries(&all, plan, count, maps, tensors),
        attribution: options
            .attribution_method()
            .map(|method| method.name().to_owned()),
        multi_label,
        regression,
    }))
}
