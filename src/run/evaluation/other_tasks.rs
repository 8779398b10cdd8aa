//! Networks whose classes are independent, and networks that predict values.

use super::super::stored_tensor::stored_floats;
use super::predictions::stored_records;
use crate::compare::{multi_label_scores, regression_scores};
use crate::error::Result;
use crate::figures::{
    ClassRanking, EvaluatedTask, MultiLabelEvaluation, OutputScores, RegressionEvaluation, Tensors,
};
use crate::results::Results;

/// The scores of the networks whose classes are independent.
///
/// # Errors
/// If stored logits are not float32.
pub(super) fn multi_label_evaluations(
    results: &Results,
    tensors: &Tensors,
) -> Result<Vec<MultiLabelEvaluation>> {
    let records = stored_records(results, EvaluatedTask::MultiLabel);
    records
        .map(|(model, records)| {
            let (values, [images, width]) = stored_floats(tensors, &records.tensor)?;
            let classes = (width - 1) / 2;
            let rows = || values.chunks_exact(width);
            let scores: Vec<f32> = rows().flat_map(|row| &row[1..=classes]).copied().collect();
            let positive: Vec<bool> = rows()
                .flat_map(|row| row[1 + classes..].iter().map(|value| *value > 0.5))
                .collect();
            let found = multi_label_scores(&scores, &positive, classes)?;
            let rankings = (0..classes).map(|class| ClassRanking {
                class: records.classes.get(class).cloned().unwrap_or_default(),
                images: positive
                    .iter()
                    .skip(class)
                    .step_by(classes)
                    .filter(|own| **own)
                    .count(),
                average_precision: found.average_precision[class],
                auroc: found.auroc[class],
            });
            Ok(MultiLabelEvaluation {
                model: model.to_owned(),
                images,
                mean_average_precision: found.mean_average_precision,
                mean_auroc: found.mean_auroc,
                classes: rankings.filter(|class| class.images > 0).collect(),
            })
        })
        .collect()
}

/// The scores of the networks that predict values.
///
/// # Errors
/// If stored values are not float32.
pub(super) fn regression_evaluations(
    results: &Results,
    tensors: &Tensors,
) -> Result<Vec<RegressionEvaluation>> {
    let records = stored_records(results, EvaluatedTask::Regression);
    records
        .map(|(model, records)| {
            let (values, [images, width]) = stored_floats(tensors, &records.tensor)?;
            let outputs = (width - 1) / 2;
            let column = |column: usize| -> Vec<f64> {
                let rows = values.chunks_exact(width);
                rows.map(|row| f64::from(row[column])).collect()
            };
            let scores = (0..outputs).map(|output| {
                let (truth, predicted) = (column(1 + output), column(1 + outputs + output));
                let scores = regression_scores(&truth, &predicted)?;
                Ok(OutputScores {
                    output: records.classes.get(output).cloned().unwrap_or_default(),
                    r_squared: scores.r_squared,
                    mean_absolute_error: scores.mean_absolute_error,
                    pearson: scores.pearson,
                })
            });
            Ok(RegressionEvaluation {
                model: model.to_owned(),
                images,
                tensor: records.tensor.clone(),
                outputs: scores.collect::<Result<_>>()?,
            })
        })
        .collect()
}
