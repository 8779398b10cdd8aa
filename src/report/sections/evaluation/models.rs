//! Each network by itself: its accuracy, its classes, and what it confuses.

use serde::Serialize;

use crate::figures::{Evaluation, GroupedBy, ModelEvaluation};
use crate::report::views::net::NetView;
use crate::report::views::share::ShareView;
use crate::report::words::Words;

/// How many classes and confusions are listed.
const LISTED: usize = 10;

/// One network.
#[derive(Debug, Serialize)]
pub(super) struct ModelView {
    net: NetView,
    images: String,
    top1: ShareView,
    top5: ShareView,
    ece: String,
    /// The classes with the lowest accuracies: name, accuracy with its interval, images.
    classes: Vec<(String, ShareView, String)>,
    /// True class, predicted class, images, share of the class's images.
    confusions: Vec<(String, String, String, String)>,
}

/// The view of a network.
pub(super) fn model_view(model: &ModelEvaluation, net: &NetView, words: &Words) -> ModelView {
    let count = |images: usize| words.integer(images as u64);
    ModelView {
        net: net.clone(),
        images: count(model.images),
        top1: ShareView::new(model.top1, model.top1_interval, words),
        top5: ShareView::new(model.top5, model.top5_interval, words),
        ece: words.fixed(model.ece, 3),
        classes: (model.classes.iter().take(LISTED))
            .map(|class| {
                let share = ShareView::new(class.top1, class.interval, words);
                (class.class.clone(), share, count(class.images))
            })
            .collect(),
        confusions: (model.confusions.iter().take(LISTED))
            .map(|found| {
                let share = words.percent_fixed(found.share, 0);
                let (class, predicted) = (found.class.clone(), found.predicted.clone());
                (class, predicted, count(found.images), share)
            })
            .collect(),
    }
}

/// The confusion matrix of one network.
#[derive(Debug, Serialize)]
pub(super) struct MatrixView {
    net: NetView,
    /// The names of the columns.
    names: Vec<String>,
    /// A row for each true class: its name, its images, and the shares of the predicted ones.
    rows: Vec<(String, String, Vec<CellView>)>,
}

/// A share of a row.
#[derive(Debug, Serialize)]
struct CellView {
    text: String,
    /// 0 to 1.
    shade: f64,
    title: String,
}

/// Whether the matrices' rows are groups of classes.
pub(super) fn is_folded(evaluation: &Evaluation) -> bool {
    let mut matrices = evaluation
        .models
        .iter()
        .filter_map(|model| model.matrix.as_ref());
    matrices.any(|matrix| matrix.by == GroupedBy::Superclass)
}

/// The confusion matrices of the networks that have one.
pub(super) fn matrix_views(
    evaluation: &Evaluation,
    nets: &[&NetView],
    words: &Words,
) -> Vec<MatrixView> {
    let models = evaluation.models.iter().zip(nets);
    let views = models.filter_map(|(model, net)| {
        let matrix = model.matrix.as_ref()?;
        let name = |name: &String| match matrix.by {
            GroupedBy::Class => name.clone(),
            GroupedBy::Superclass => words.text(&format!("group.{name}"), &[]),
        };
        let names: Vec<String> = matrix.names.iter().map(name).collect();
        let rows = matrix
            .counts
            .iter()
            .zip(&names)
            .filter_map(|(counts, truth)| {
                let images: usize = counts.iter().sum();
                let cells = counts.iter().zip(&names).map(|(count, predicted)| {
                    let share = *count as f64 / images.max(1) as f64;
                    CellView {
                        text: match count {
                            0 => String::new(),
                            _ => words.percent_fixed(share, 0),
                        },
                        shade: (share * 100.0).round() / 100.0,
                        title: format!("{truth} → {predicted}: {}", words.integer(*count as u64)),
                    }
                });
                let row = (truth.clone(), words.integer(images as u64), cells.collect());
                (images > 0).then_some(row)
            });
        let rows = rows.collect();
        Some(MatrixView {
            net: (*net).clone(),
            names,
            rows,
        })
    });
    views.collect()
}
