//! Networks that don't choose one of several classes.

use serde::Serialize;

use crate::error::Result;
use crate::figures::{Evaluation, RegressionEvaluation};
use crate::report::charts::scatter::scatter_chart;
use crate::report::input::ReportInput;
use crate::report::views::net::NetView;

/// How many classes are listed.
const LISTED: usize = 40;

/// A network whose classes are independent.
#[derive(Debug, Serialize)]
pub(super) struct MultiLabelView {
    net: NetView,
    images: String,
    mean_average_precision: String,
    mean_auroc: String,
    /// Class, images, average precision, AUROC; the lowest average precision first.
    classes: Vec<(String, String, String, String)>,
    /// How many more classes there are, if any.
    more: Option<String>,
}

/// A network that predicts values.
#[derive(Debug, Serialize)]
pub(super) struct RegressionView {
    net: NetView,
    images: String,
    outputs: Vec<OutputView>,
}

#[derive(Debug, Serialize)]
struct OutputView {
    name: String,
    r_squared: String,
    error: String,
    pearson: String,
    /// Predicted over true values.
    chart: Option<String>,
}

/// The networks whose classes are independent.
pub(super) fn multi_label_views(
    input: &ReportInput,
    evaluation: &Evaluation,
) -> Vec<MultiLabelView> {
    let words = input.words;
    let score = |value: Option<f64>| value.map_or("–".to_owned(), |value| words.fixed(value, 3));
    let models = evaluation.multi_label.iter().filter_map(|model| {
        let (_, net) = input.net(&model.model)?;
        let mut classes: Vec<_> = model.classes.iter().collect();
        // Stable: equal ones stay in the order of the classes.
        let precision = |value: Option<f64>| value.unwrap_or(f64::INFINITY);
        classes.sort_by(|a, b| {
            precision(a.average_precision).total_cmp(&precision(b.average_precision))
        });
        let more = classes.len().saturating_sub(LISTED);
        let listed = classes.into_iter().take(LISTED).map(|class| {
            (
                class.class.clone(),
                words.integer(class.images as u64),
                score(class.average_precision),
                score(class.auroc),
            )
        });
        Some(MultiLabelView {
            net: net.clone(),
            images: words.integer(model.images as u64),
            mean_average_precision: score(model.mean_average_precision),
            mean_auroc: score(model.mean_auroc),
            classes: listed.collect(),
            more: (more > 0).then(|| words.integer(more as u64)),
        })
    });
    models.collect()
}

/// The networks that predict values.
///
/// # Errors
/// If a chart can't be drawn.
pub(super) fn regression_views(
    input: &ReportInput,
    evaluation: &Evaluation,
) -> Result<Vec<RegressionView>> {
    let words = input.words;
    let mut views = Vec::new();
    for model in &evaluation.regression {
        let Some((network, net)) = input.net(&model.model) else {
            continue;
        };
        let mut outputs = Vec::new();
        for (place, output) in model.outputs.iter().enumerate() {
            let signed =
                |value: Option<f64>| value.map_or("–".to_owned(), |v| words.signed(v, 3));
            let title = words.text("evaluation.scatter", &[("output", &output.output)]);
            let points = points(input, model, place);
            let chart = points.map(|points| scatter_chart(&points, network, &title, words));
            outputs.push(OutputView {
                name: output.output.clone(),
                r_squared: signed(output.r_squared),
                error: output
                    .mean_absolute_error
                    .map_or("–".to_owned(), |value| words.number(value)),
                pearson: signed(output.pearson),
                chart: chart.transpose()?,
            });
        }
        views.push(RegressionView {
            net: net.clone(),
            images: words.integer(model.images as u64),
            outputs,
        });
    }
    Ok(views)
}

/// The true and predicted values of an output.
fn points(
    input: &ReportInput,
    model: &RegressionEvaluation,
    output: usize,
) -> Option<Vec<(f64, f64)>> {
    let (values, [_, width]) = input.tensors.get(&model.tensor)?.shaped()?;
    let outputs = width.checked_sub(1)? / 2;
    let rows = values.chunks_exact(width.max(1));
    let point = |row: &[f32]| {
        let (truth, predicted) = (row.get(1 + output)?, row.get(1 + outputs + output)?);
        Some((f64::from(*truth), f64::from(*predicted)))
    };
    rows.map(point).collect()
}
