//! The accuracy for groups of images that a CSV names, networks side by side.

use serde::Serialize;

use crate::figures::Evaluation;
use crate::report::views::net::NetView;
use crate::report::views::share::ShareView;
use crate::report::words::Words;

/// A network's accuracy for a group, and the number of images.
type GroupCell = Option<(ShareView, String)>;

/// A column of the CSV.
#[derive(Debug, Serialize)]
pub(super) struct GroupColumnView {
    column: String,
    /// A row for each text: the text, and a cell for each network.
    rows: Vec<(String, Vec<GroupCell>)>,
}

/// The columns in the order of the first network that has them.
pub(super) fn group_columns(
    evaluation: &Evaluation,
    nets: &[&NetView],
    words: &Words,
) -> Vec<GroupColumnView> {
    let mut columns: Vec<GroupColumnView> = Vec::new();
    for (place, model) in evaluation.models.iter().take(nets.len()).enumerate() {
        for group in &model.groups {
            let known = columns.iter().position(|own| own.column == group.column);
            let column = known.unwrap_or_else(|| {
                columns.push(GroupColumnView {
                    column: group.column.clone(),
                    rows: Vec::new(),
                });
                columns.len() - 1
            });
            let rows = &mut columns[column].rows;
            let known = rows.iter().position(|(text, _)| *text == group.group);
            let row = known.unwrap_or_else(|| {
                let cells = nets.iter().map(|_| None).collect();
                rows.push((group.group.clone(), cells));
                rows.len() - 1
            });
            let share = ShareView::new(group.top1, group.interval, words);
            rows[row].1[place] = Some((share, words.integer(group.images as u64)));
        }
    }
    columns
}
