//! Groups of images for which a network's accuracy is off.

use serde::Serialize;

use crate::error::Result;
use crate::figures::{Evaluation, SliceSource};
use crate::report::input::ReportInput;
use crate::report::views::image_store::ImageStore;
use crate::report::views::net::NetView;
use crate::report::views::share::ShareView;
use crate::report::views::stored_images::StoredImages;

/// The slices of one network.
#[derive(Debug, Serialize)]
pub(super) struct ModelSlicesView {
    net: NetView,
    tested: String,
    slices: Vec<SliceView>,
}

#[derive(Debug, Serialize)]
struct SliceView {
    title: String,
    images: String,
    share: ShareView,
    /// The accuracy on all other images.
    others: String,
    p: String,
    /// Thumbnail, image, true class, predicted class, whether it is right.
    examples: Vec<(String, String, String, String, bool)>,
}

/// The networks for which groups were tested.
///
/// # Errors
/// If an image can't be encoded.
pub(super) fn slices_views(
    input: &ReportInput,
    evaluation: &Evaluation,
    store: &mut ImageStore,
) -> Result<Vec<ModelSlicesView>> {
    let words = input.words;
    let mut stored = StoredImages::new(input.tensors);
    let mut views = Vec::new();
    for model in &evaluation.slices {
        let Some((_, net)) = input.net(&model.model) else {
            continue;
        };
        let mut slices = Vec::new();
        for slice in &model.slices {
            let mut examples = Vec::new();
            for image in &slice.examples {
                if let Some(thumbnail) = stored.photo(image.thumbnail.as_deref(), store)? {
                    let (class, predicted) = (image.class.clone(), image.predicted.clone());
                    let right = class == predicted;
                    examples.push((thumbnail, image.image.clone(), class, predicted, right));
                }
            }
            let title = match &slice.source {
                SliceSource::Column { column, group } => format!("{column}: {group}"),
                SliceSource::Codes { classes } => {
                    let named = classes.join(" · ");
                    words.text("evaluation.slices.similar", &[("classes", &named)])
                }
            };
            slices.push(SliceView {
                title,
                images: words.integer(slice.images as u64),
                share: ShareView::new(slice.top1, slice.interval, words),
                others: words.percent_fixed(slice.others, 1),
                p: words.number(slice.p),
                examples,
            });
        }
        views.push(ModelSlicesView {
            net: net.clone(),
            tested: words.integer(model.tested as u64),
            slices,
        });
    }
    Ok(views)
}
