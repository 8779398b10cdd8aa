//! The accuracy on corrupted images: a chart for each corruption, and a picture with it.

use serde::Serialize;

use crate::error::Result;
use crate::figures::{Array, CorruptedAccuracy, CorruptionEvaluation, Evaluation};
use crate::report::charts::severity_lines::{SeverityPoint, SeveritySeries, severity_chart};
use crate::report::input::ReportInput;
use crate::report::views::image_store::ImageStore;
use crate::report::views::net::NetView;
use crate::report::views::pixels::photo_image;

/// The corrupted images.
#[derive(Debug, Serialize)]
pub(super) struct CorruptionsView {
    /// The networks, each with its number of images.
    nets: Vec<(NetView, String)>,
    /// How many images were left out, if any.
    skipped: Option<String>,
    /// The mean over all corruptions, if there are several, then each corruption.
    charts: Vec<CorruptionView>,
}

#[derive(Debug, Serialize)]
struct CorruptionView {
    title: String,
    chart: String,
    /// Stored pictures, each with its severity.
    pictures: Vec<(String, String)>,
    width: usize,
    height: usize,
}

/// The charts and pictures; `None` where no corruption was asked for.
///
/// # Errors
/// If an image can't be encoded or a chart can't be drawn.
pub(super) fn corruptions_view(
    input: &ReportInput,
    evaluation: &Evaluation,
    store: &mut ImageStore,
) -> Result<Option<CorruptionsView>> {
    let words = input.words;
    let Some(found) = &evaluation.corruptions else {
        return Ok(None);
    };
    let mut nets: Vec<(NetView, String)> = Vec::new();
    let mut kinds: Vec<&str> = Vec::new();
    for own in &found.accuracies {
        if let Some((_, net)) = input.net(&own.model)
            && nets.iter().all(|(known, _)| known.id != net.id)
        {
            nets.push((net.clone(), words.integer(own.images as u64)));
        }
        if !kinds.contains(&own.kind.as_str()) {
            kinds.push(&own.kind);
        }
    }
    let mut charts = Vec::new();
    if kinds.len() > 1 {
        let title = words.text("evaluation.corruptions.mean", &[]);
        charts.push(CorruptionView {
            chart: severity_chart(&mean_series(input, found, &nets), &title, words)?,
            title,
            pictures: Vec::new(),
            width: 1,
            height: 1,
        });
    }
    for kind in kinds {
        let title = words.text(&format!("corruption.{kind}"), &[]);
        let of_kind = |own: &&CorruptedAccuracy| own.kind == kind;
        let series = series(input, &nets, |net| {
            let own = found.accuracies.iter().filter(of_kind);
            let own = own.filter(|own| own.model == net);
            own.map(|own| SeverityPoint {
                severity: own.severity,
                share: own.top1,
                interval: Some(own.interval),
            })
            .collect()
        });
        let mut view = CorruptionView {
            chart: severity_chart(&series, &title, words)?,
            title,
            pictures: Vec::new(),
            width: 1,
            height: 1,
        };
        add_pictures(&mut view, kind, input, found, store)?;
        charts.push(view);
    }
    Ok(Some(CorruptionsView {
        nets,
        skipped: (found.skipped > 0).then(|| words.integer(found.skipped as u64)),
        charts,
    }))
}

fn series(
    input: &ReportInput,
    nets: &[(NetView, String)],
    points: impl Fn(&str) -> Vec<SeverityPoint>,
) -> Vec<SeveritySeries> {
    let known = nets.iter().filter_map(|(net, _)| {
        let (network, _) = input.net(&net.id)?;
        Some(SeveritySeries {
            network,
            points: points(&net.id),
        })
    });
    known.collect()
}

/// For each network the mean over the corruptions of the accuracy at each severity.
fn mean_series(
    input: &ReportInput,
    found: &CorruptionEvaluation,
    nets: &[(NetView, String)],
) -> Vec<SeveritySeries> {
    let severities = found.accuracies.iter().map(|own| own.severity);
    let severities: std::collections::BTreeSet<usize> = severities.collect();
    series(input, nets, |net| {
        let points = severities.iter().filter_map(|severity| {
            let own = found.accuracies.iter().filter(|own| own.model == net);
            let shares: Vec<f64> = own
                .filter(|own| own.severity == *severity)
                .map(|own| own.top1)
                .collect();
            (!shares.is_empty()).then(|| SeverityPoint {
                severity: *severity,
                share: shares.iter().sum::<f64>() / shares.len() as f64,
                interval: None,
            })
        });
        points.collect()
    })
}

/// Stores the pictures with a corruption.
fn add_pictures(
    view: &mut CorruptionView,
    kind: &str,
    input: &ReportInput,
    found: &CorruptionEvaluation,
    store: &mut ImageStore,
) -> Result<()> {
    let Some(strip) = found.strips.iter().find(|strip| strip.kind == kind) else {
        return Ok(());
    };
    let array = input.tensors.get(&strip.tensor);
    let Some((bytes, &[_, height, width, 3])) =
        array.and_then(|own| Some((own.bytes()?, &own.shape[..])))
    else {
        return Ok(());
    };
    (view.width, view.height) = (width, height);
    let pictures = bytes.chunks_exact((height * width * 3).max(1));
    for (severity, bytes) in strip.severities.iter().zip(pictures) {
        let picture = Array::u8(&[height, width, 3], bytes.to_vec());
        if let Some(pixels) = photo_image(&picture) {
            let severity = input.words.integer(*severity as u64);
            view.pictures.push((severity, store.small_rgb(&pixels)?));
        }
    }
    Ok(())
}
