//! How often the networks are right on the collection, whether their probabilities match that, and where they differ.

use minijinja::Value;
use serde::Serialize;

use crate::error::Result;
use crate::figures::{Content, GalleryKind, ModelEvaluation, PairEvaluation};
use crate::report::charts::{ChartKind, ChartPlace};
use crate::report::input::ReportInput;
use crate::report::section::{ContentsEntry, Section, to_value};
use crate::report::views::image_store::{ImageStore, StoredImageView};
use crate::report::views::net::NetView;
use crate::report::views::pixels::photo_image;
use crate::report::words::Words;

/// The section.
pub const SECTION: Section = Section {
    key: "evaluation",
    template: "evaluation.html",
    entry: ContentsEntry::Titled("nav.evaluation"),
    shows_figures: true,
    view,
};

/// How many classes and confusions are listed.
const LISTED: usize = 10;

/// Below this p-value McNemar's test calls one network better.
const SIGNIFICANT: f64 = 0.05;

#[derive(Debug, Serialize)]
struct EvaluationView {
    /// How many labelled images.
    images: String,
    models: Vec<ModelView>,
    /// The networks without an evaluation, each with the reason.
    absent: Vec<(NetView, String)>,
    /// The charts as SVG, with the keys of their titles.
    charts: Vec<(&'static str, String)>,
    pairs: Vec<PairView>,
    combinations: Vec<CombinationView>,
    galleries: Vec<GalleryView>,
    stored: Vec<StoredImageView>,
}

/// One network.
#[derive(Debug, Serialize)]
struct ModelView {
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

/// A share with its interval, in per cent.
#[derive(Debug, Serialize)]
struct ShareView {
    percent: String,
    interval: String,
    /// In per cent, for bars.
    bar: f64,
    low: f64,
    width: f64,
}

impl ShareView {
    fn new(share: f64, interval: [f64; 2], words: &Words) -> ShareView {
        let [low, high] = interval.map(|end| words.percent_fixed(end, 1));
        let percent = |share: f64| (share * 1000.0).round() / 10.0;
        ShareView {
            percent: words.percent_fixed(share, 1),
            interval: format!("{low} – {high}"),
            bar: percent(share),
            low: percent(interval[0]),
            width: percent(interval[1] - interval[0]),
        }
    }
}

/// Two networks.
#[derive(Debug, Serialize)]
struct PairView {
    first: NetView,
    second: NetView,
    images: String,
    /// Both right, only the first, only the second, both wrong.
    shares: [String; 4],
    kappa: String,
    error_consistency: String,
    p: String,
    /// What McNemar's test says.
    verdict: String,
}

/// The images on which the same networks are right.
#[derive(Debug, Serialize)]
struct CombinationView {
    /// For each network whether it is right.
    right: Vec<bool>,
    images: String,
    bar: f64,
}

/// Images that show where the networks differ.
#[derive(Debug, Serialize)]
struct GalleryView {
    title: String,
    images: Vec<GalleryImageView>,
}

#[derive(Debug, Serialize)]
struct GalleryImageView {
    id: String,
    class: String,
    /// The id of the stored thumbnail.
    thumbnail: Option<String>,
    /// Network, class, probability, whether it is right.
    predictions: Vec<(NetView, String, String, bool)>,
}

fn view(input: &ReportInput) -> Result<Option<Value>> {
    let (results, words) = (input.results, input.words);
    let absent = absent(input);
    let Some(evaluation) = &results.evaluation else {
        if absent.is_empty() {
            return Ok(None);
        }
        return Ok(Some(to_value(&EvaluationView {
            images: words.integer(0),
            models: Vec::new(),
            absent,
            charts: Vec::new(),
            pairs: Vec::new(),
            combinations: Vec::new(),
            galleries: Vec::new(),
            stored: Vec::new(),
        })));
    };
    let mut charts = Vec::new();
    for kind in ChartKind::ALL {
        let chart = kind.chart();
        if chart.place == ChartPlace::Evaluation {
            let svg = (chart.draw)(results, words)?;
            charts.extend(svg.map(|svg| (chart.title, svg)));
        }
    }
    let nets: Vec<&NetView> = (evaluation.models.iter())
        .filter_map(|model| input.nets.iter().find(|net| net.id == model.model))
        .collect();
    let largest = evaluation.combinations.iter().map(|found| found.images);
    let largest = largest.max().unwrap_or(1).max(1);
    let combinations = evaluation.combinations.iter().map(|found| CombinationView {
        right: nets
            .iter()
            .map(|net| found.models.contains(&net.id))
            .collect(),
        images: words.integer(found.images as u64),
        bar: (found.images as f64 / largest as f64 * 1000.0).round() / 10.0,
    });
    let mut store = ImageStore::new("v");
    let galleries = galleries(input, &nets, &mut store)?;
    let models = evaluation.models.iter().zip(&nets);
    let pairs = evaluation.pairs.iter();
    Ok(Some(to_value(&EvaluationView {
        images: words.integer(evaluation.images as u64),
        models: models
            .map(|(model, net)| model_view(model, net, words))
            .collect(),
        absent,
        charts,
        pairs: pairs.filter_map(|pair| pair_view(pair, input)).collect(),
        combinations: combinations.collect(),
        galleries,
        stored: store.stored,
    })))
}

/// The networks that could not be evaluated, each with the reason.
fn absent(input: &ReportInput) -> Vec<(NetView, String)> {
    let figures = input.figures_of("evaluate");
    let absent = figures.filter_map(|figure| {
        let Content::Absent { reason } = &figure.content else {
            return None;
        };
        let net = input.nets.iter().find(|net| net.id == figure.model)?;
        Some((net.clone(), input.words.note(reason)))
    });
    absent.collect()
}

fn model_view(model: &ModelEvaluation, net: &NetView, words: &Words) -> ModelView {
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

fn pair_view(pair: &PairEvaluation, input: &ReportInput) -> Option<PairView> {
    let words = input.words;
    let net = |id: &String| input.nets.iter().find(|net| net.id == *id).cloned();
    let (first, second) = (net(&pair.models[0])?, net(&pair.models[1])?);
    let shares = [
        pair.both_right,
        pair.only_first,
        pair.only_second,
        pair.both_wrong,
    ];
    let measure =
        |value: Option<f64>| value.map_or("–".to_owned(), |value| words.signed(value, 2));
    let better = if pair.only_first > pair.only_second {
        &first
    } else {
        &second
    };
    let verdict = if pair.mcnemar_p < SIGNIFICANT {
        words.text("evaluation.better", &[("network", &better.id)])
    } else {
        words.text("evaluation.no_better", &[])
    };
    Some(PairView {
        images: words.integer(pair.images as u64),
        shares: shares.map(|share| words.percent_fixed(share, 1)),
        kappa: measure(pair.kappa),
        error_consistency: measure(pair.error_consistency),
        p: words.number(pair.mcnemar_p),
        verdict,
        first,
        second,
    })
}

fn galleries(
    input: &ReportInput,
    nets: &[&NetView],
    store: &mut ImageStore,
) -> Result<Vec<GalleryView>> {
    let words = input.words;
    let mut views = Vec::new();
    let galleries = input.results.evaluation.iter();
    for gallery in galleries.flat_map(|evaluation| &evaluation.galleries) {
        let key = match gallery.kind {
            GalleryKind::OnlyRight => "evaluation.only_right",
            GalleryKind::ConfidentErrors => "evaluation.confident_errors",
        };
        let mut images = Vec::new();
        for image in &gallery.images {
            let pixels = image.thumbnail.as_ref();
            let pixels = pixels.and_then(|key| photo_image(input.tensors.get(key)?));
            let predictions = nets.iter().zip(&image.predictions);
            images.push(GalleryImageView {
                id: image.image.clone(),
                class: image.class.clone(),
                thumbnail: pixels.map(|pixels| store.small_rgb(&pixels)).transpose()?,
                predictions: predictions
                    .filter_map(|(net, prediction)| {
                        let found = prediction.as_ref()?;
                        let percent = words.percent(f64::from(found.probability));
                        let right = found.class == image.class;
                        Some(((*net).clone(), found.class.clone(), percent, right))
                    })
                    .collect(),
            });
        }
        views.push(GalleryView {
            title: words.text(key, &[("network", &gallery.model)]),
            images,
        });
    }
    Ok(views)
}
