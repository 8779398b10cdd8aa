//! Labels that are probably wrong.

use serde::Serialize;

use crate::error::Result;
use crate::figures::Evaluation;
use crate::report::input::ReportInput;
use crate::report::views::image_store::ImageStore;
use crate::report::views::net::NetView;
use crate::report::views::stored_images::StoredImages;

#[derive(Debug, Serialize)]
pub(super) struct LabelIssuesView {
    /// How many images any network suggests another label for.
    found: String,
    /// For each network how many it found, and how many it can't be decided on, if any.
    models: Vec<(NetView, String, Option<String>)>,
    images: Vec<SuspectView>,
}

/// An image whose label is probably wrong.
#[derive(Debug, Serialize)]
struct SuspectView {
    id: String,
    class: String,
    thumbnail: Option<String>,
    /// The suggested class, and the networks that suggest it, each with the probability of the given label.
    suggested: Vec<(String, Vec<(NetView, String)>)>,
}

/// The images that are shown; `None` where no network chooses one of several classes.
///
/// # Errors
/// If an image can't be encoded.
pub(super) fn label_issues_view(
    input: &ReportInput,
    evaluation: &Evaluation,
    store: &mut ImageStore,
) -> Result<Option<LabelIssuesView>> {
    let words = input.words;
    let Some(issues) = &evaluation.label_issues else {
        return Ok(None);
    };
    let count = |images: usize| words.integer(images as u64);
    let models = issues.models.iter().filter_map(|model| {
        let (_, net) = input.net(&model.model)?;
        let undecided = (model.undecided > 0).then(|| count(model.undecided));
        Some((net.clone(), count(model.found), undecided))
    });
    let mut stored = StoredImages::new(input.tensors);
    let mut images = Vec::new();
    for image in &issues.images {
        let Some(thumbnail) = stored.photo(image.thumbnail.as_deref(), store)? else {
            continue;
        };
        let mut suggested: Vec<(String, Vec<(NetView, String)>)> = Vec::new();
        for (model, suggestion) in issues.models.iter().zip(&image.suggested) {
            let Some((suggestion, (_, net))) = suggestion.as_ref().zip(input.net(&model.model))
            else {
                continue;
            };
            let known = suggested
                .iter()
                .position(|(class, _)| *class == suggestion.class);
            let place = known.unwrap_or_else(|| {
                suggested.push((suggestion.class.clone(), Vec::new()));
                suggested.len() - 1
            });
            let percent = words.percent(suggestion.self_confidence);
            suggested[place].1.push((net.clone(), percent));
        }
        images.push(SuspectView {
            id: image.image.clone(),
            class: image.class.clone(),
            thumbnail: Some(thumbnail),
            suggested,
        });
    }
    Ok(Some(LabelIssuesView {
        found: count(issues.images.len()),
        models: models.collect(),
        images,
    }))
}
