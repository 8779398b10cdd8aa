//! The checks of maps and the comparison of networks, on untrained networks: each number against a slower way of
//! computing it, and the errors that are found before anything runs.

use std::path::Path;

use convscope::checks::curves::Curves;
use convscope::checks::drop::ConfidenceDrop;
use convscope::checks::pointing::Pointing;
use convscope::checks::randomisation::Randomisation;
use convscope::checks::{Check, CheckSpec};
use convscope::compare;
use convscope::figures::{CheckedMap, Content, Figure, MapSource};
use convscope::image::{DecodedImage, Preprocess};
use convscope::network::{Network, random_weights, zoo};
use convscope::progress::Silent;
use convscope::run::{self, RunOptions, RunOutput};
use convscope::spec::SpecFile;
use image::{Rgb, RgbImage};
use tch::Tensor;

const SIDE: u32 = 64;

type ChartKind<'a> = &'a dyn Fn(&[f32], &[f32]) -> Option<f64>;

/// A plain square before a pattern; both depend on `number`.
fn test_image(number: u32) -> RgbImage {
    RgbImage::from_fn(SIDE, SIDE, |x, y| {
        let square = (20 * number..20 * number + 20).contains(&x) && (10..40).contains(&y);
        let wave = |k: u32| ((x * (1 + number) * 5 + y * k * 3) % 256) as u8;
        if square {
            Rgb([250, (number * 90) as u8, 40])
        } else {
            Rgb([wave(1), wave(2), wave(3)])
        }
    })
}

/// Runs two networks on two images, with `checks` as the spec's list.
fn run_checks(folder: &Path, checks: &str) -> RunOutput {
    for number in 0..3 {
        let path = folder.join(format!("p{number}.png"));
        test_image(number).save(path).unwrap();
    }
    let size = "weights: random, preprocess: {resize: 64, crop: 64}";
    let text = format!(
        "title: T\nseed: 3\nmodels: [{{arch: resnet18, {size}}}, {{arch: vgg11_bn, {size}}}]\n\
         images:\n  - {{path: p1.png, box: [20, 10, 40, 40]}}\n  - p2.png\n\
         collection: [{{path: p0.png}}, {{path: p1.png}}, {{path: p2.png}}, {{path: p0.png, id: again}}]\n\
         methods: [saliency, grad_cam, guided_backprop, {{cka: {{layers: [stage3, penultimate]}}}}]\n\
         checks: {checks}\n"
    );
    let path = folder.join("spec.yaml");
    std::fs::write(&path, text).unwrap();
    let options = RunOptions {
        offline: true,
        cache: Some(folder.join("cache")),
        ..RunOptions::default()
    };
    run::run_spec(&SpecFile::read(&path).unwrap(), &options, &Silent).unwrap()
}

fn checked_map<'a>(
    output: &'a RunOutput,
    model: &str,
    image: &str,
    method: &str,
) -> &'a CheckedMap {
    let mut maps = output.results.checks.iter();
    let matches = |map: &&CheckedMap| {
        let same_method = matches!(&map.source, MapSource::Method { name, .. } if name == method);
        same_method && map.model == model && map.image == image
    };
    maps.find(matches).unwrap()
}

/// The map of a method and its size.
fn map<'a>(
    output: &'a RunOutput,
    model: &str,
    image: &str,
    method: &str,
) -> (&'a [f32], [usize; 2]) {
    let figures = &output.results.figures;
    let matches = |figure: &&Figure| {
        figure.model == model && figure.image.as_deref() == Some(image) && figure.method == method
    };
    let Content::Map { tensor, .. } = &figures.iter().find(matches).unwrap().content else {
        panic!("no map");
    };
    output.tensors[tensor].shaped().unwrap()
}

/// The probability of a class of the untrained ResNet-18 for a preprocessed image.
fn resnet_probability(values: &[f32], class: usize) -> f32 {
    let graph = zoo::find("resnet18")
        .unwrap()
        .graph(zoo::ArchOptions::default());
    let weights = random_weights::weights(&graph);
    let network = Network::new(graph, weights).unwrap();
    let input = Tensor::from_slice(values).view([1, 3, 64, 64]);
    let output = network.graph().output();
    let logits = tch::no_grad(|| network.forward(&input, &[output]).unwrap());
    let probabilities = logits[&output].softmax(1, tch::Kind::Float);
    probabilities.double_value(&[0, class as i64]) as f32
}

#[test]
fn curves_equal_those_of_pixels_changed_one_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let output = run_checks(folder.path(), "[{curves: {steps: 5}}, drop]");
    let photo = DecodedImage::open(&folder.path().join("p1.png")).unwrap();
    let input = Preprocess::imagenet().normalise(&photo.pixels);
    let checked = checked_map(&output, "resnet18", "p1", "saliency");
    let probability =
        |values: &[f32]| resnet_probability(values, checked.target.class().unwrap().index);
    let (values, size) = map(&output, "resnet18", "p1", "saliency");
    assert_eq!(size, [64, 64]);
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
    let curves = Curves::result_for(checked).unwrap().unwrap();
    assert_eq!(curves.deletion.len(), 6);
    for (step, stored) in curves.deletion.iter().enumerate() {
        let mut changed = input.clone();
        for pixel in &order[..(step as f64 / 5.0 * 4096.0).round() as usize] {
            (0..3).for_each(|colour| changed[colour * 4096 + pixel] = 0.0);
        }
        let expected = probability(&changed);
        assert!(
            (expected - stored).abs() < 1e-5,
            "{step}: {expected} {stored}"
        );
    }
    // Insertion ends at the whole image, where deletion begins.
    assert_eq!(curves.insertion[5], curves.deletion[0]);
    let area = |c: &[f32]| {
        c.windows(2)
            .map(|p| f64::from(p[0] + p[1]) / 10.0)
            .sum::<f64>()
    };
    assert!((curves.deletion_area - area(&curves.deletion)).abs() < 1e-6);
    assert!((curves.insertion_area - area(&curves.insertion)).abs() < 1e-6);
    // The image multiplied by the map, which is scaled to 0…1.
    let (low, high) = values
        .iter()
        .fold((f32::MAX, f32::MIN), |(l, h), v| (l.min(*v), h.max(*v)));
    let dimmed: Vec<f32> = input
        .iter()
        .enumerate()
        .map(|(at, value)| value * (values[at % 4096] - low) / (high - low))
        .collect();
    let drop = ConfidenceDrop::result_for(checked).unwrap().unwrap();
    assert!((drop.dimmed - probability(&dimmed)).abs() < 1e-5);
    assert!((drop.whole - curves.deletion[0]).abs() < 1e-6);
}

#[test]
fn every_map_that_is_not_constant_and_two_baselines_are_checked() {
    let folder = tempfile::tempdir().unwrap();
    let output = run_checks(folder.path(), "[drop]");
    let checks = &output.results.checks;
    let of_method = |map: &&CheckedMap| matches!(map.source, MapSource::Method { .. });
    // Two networks and two images.
    assert_eq!(
        checks.iter().filter(|map| !of_method(map)).count(),
        2 * 2 * 2
    );
    let varies = |figure: &&Figure| matches!(figure.content, Content::Map { minimum, maximum, .. } if minimum < maximum);
    let maps = output.results.figures.iter().filter(varies).count();
    assert_eq!(checks.iter().filter(of_method).count(), maps);
}

#[test]
fn results_have_the_keys_of_the_format_in_its_order() {
    let folder = tempfile::tempdir().unwrap();
    let output = run_checks(
        folder.path(),
        "[pointing, randomisation, drop, {curves: {steps: 2}}]",
    );
    let keys = |source: &str, image: &str| -> Vec<String> {
        let mut maps = output
            .results
            .checks
            .iter()
            .map(|map| serde_json::to_value(map).unwrap());
        let map = maps.find(|map| {
            let name = map["of"]["method"]["name"].as_str().or(map["of"].as_str());
            map["image"] == image && name == Some(source)
        });
        map.unwrap().as_object().unwrap().keys().cloned().collect()
    };
    let common = ["model", "image", "class", "of", "curves", "drop"];
    assert_eq!(
        keys("saliency", "p1"),
        [&common[..], &["randomised", "pointing"]].concat()
    );
    assert_eq!(keys("random", "p1"), [&common[..], &["pointing"]].concat());
    assert_eq!(keys("centre", "p2"), common);
    // A float32 keeps its shortest decimal form, and its value when it is read again.
    let map = checked_map(&output, "resnet18", "p1", "saliency");
    let json = serde_json::to_string(map).unwrap();
    let whole = ConfidenceDrop::result_for(map).unwrap().unwrap().whole;
    assert!(json.contains(&format!("\"whole\":{whole}")), "{json}");
    let read: CheckedMap = serde_json::from_str(&json).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), json);
    assert_eq!(
        ConfidenceDrop::result_for(&read).unwrap().unwrap().whole,
        whole
    );
}

#[test]
fn texts_of_checks_have_unique_keys() {
    let mut keys = std::collections::BTreeMap::new();
    for spec in CheckSpec::all() {
        let info = spec.check().info();
        assert_eq!(info.key, spec.name());
        for (key, text) in info.texts() {
            assert_eq!(*keys.entry(key.clone()).or_insert(text), text, "{key}");
        }
    }
}

#[test]
fn pointing_finds_the_largest_value_and_the_energy_in_the_box() {
    let folder = tempfile::tempdir().unwrap();
    let output = run_checks(folder.path(), "[pointing]");
    for method in ["saliency", "guided_backprop"] {
        let checked = checked_map(&output, "vgg11_bn", "p1", method);
        let result = Pointing::result_for(checked).unwrap().unwrap();
        let (values, _) = map(&output, "vgg11_bn", "p1", method);
        let inside = |at: usize| (20..40).contains(&(at % 64)) && (10..40).contains(&(at / 64));
        let positive = |at: usize| f64::from(values[at].max(0.0));
        let total: f64 = (0..4096).map(positive).sum();
        let energy: f64 = (0..4096).filter(|at| inside(*at)).map(positive).sum();
        assert!((result.energy - energy / total).abs() < 1e-5, "{result:?}");
        assert!((result.area - 600.0 / 4096.0).abs() < 1e-9);
        // 15 of 224 pixels are 4 of 64.
        let largest = (0..4096)
            .max_by(|a, b| values[*a].total_cmp(&values[*b]))
            .unwrap();
        let (x, y) = (largest % 64, largest / 64);
        assert_eq!(result.hit, (16..44).contains(&x) && (6..44).contains(&y));
        // The other image has no box.
        let other = checked_map(&output, "vgg11_bn", "p2", method);
        assert!(Pointing::result_for(other).unwrap().is_none());
    }
}

#[test]
fn randomisation_goes_from_the_classifier_down() {
    let folder = tempfile::tempdir().unwrap();
    let output = run_checks(folder.path(), "[randomisation]");
    let stages = |model: &str, method: &str| -> Vec<(String, f64)> {
        let checked = checked_map(&output, model, "p1", method);
        let stages = Randomisation::result_for(checked).unwrap().unwrap();
        let stages = stages.into_iter();
        stages
            .map(|stage| (stage.down_to, stage.spearman.unwrap()))
            .collect()
    };
    let names = |stages: &[(String, f64)]| -> Vec<String> {
        stages.iter().map(|(name, _)| name.clone()).collect()
    };
    let gradient = stages("resnet18", "saliency");
    let expected = [
        "classifier",
        "2 × 2",
        "4 × 4",
        "8 × 8",
        "16 × 16",
        "32 × 32",
    ];
    assert_eq!(names(&gradient), expected);
    assert!(gradient.iter().all(|(_, r)| r.abs() < 0.9), "{gradient:?}");
    assert_eq!(names(&stages("vgg11_bn", "saliency"))[0], "classifier");
    // With a random classifier, guided backprop still shows the image.
    let guided = stages("resnet18", "guided_backprop")[0].1;
    assert!(guided > gradient[0].1, "{guided} {gradient:?}");
    // A baseline map does not depend on the network.
    let mut baselines = output.results.checks.iter();
    assert!(baselines.all(|map| {
        map.source != MapSource::Random || Randomisation::result_for(map).unwrap().is_none()
    }));
}

#[test]
fn networks_are_compared() {
    let folder = tempfile::tempdir().unwrap();
    let output = run_checks(folder.path(), "[]");
    let comparison = output.results.comparison.as_ref().unwrap();
    let (a, size) = map(&output, "resnet18", "p1", "saliency");
    let (b, _) = map(&output, "vgg11_bn", "p1", "saliency");
    let (c, _) = map(&output, "resnet18", "p2", "saliency");
    let (d, _) = map(&output, "vgg11_bn", "p2", "saliency");
    let mean = |measure: ChartKind| (measure(a, b).unwrap() + measure(c, d).unwrap()) / 2.0;
    let saliency = comparison
        .maps
        .iter()
        .find(|m| m.method == "saliency")
        .unwrap();
    assert_eq!(saliency.pairs, 2);
    let near = |x: Option<f64>, y: f64| (x.unwrap() - y).abs() < 1e-12;
    assert!(near(saliency.spearman[0][1], mean(&compare::spearman)));
    assert!(near(
        saliency.overlap[1][0],
        mean(&|x, y| compare::overlap(x, y, 0.2))
    ));
    assert!(near(
        saliency.ssim[0][1],
        mean(&|x, y| compare::ssim(x, y, size[1]))
    ));
    // The photo on which they agree least comes first.
    assert!(comparison.images[0].spearman <= comparison.images[1].spearman);
    // Each network with itself, and one with the other.
    let pairs: Vec<&[String; 2]> = comparison.layers.iter().map(|l| &l.models).collect();
    assert_eq!(pairs.len(), 3);
    let own = &output.tensors[&comparison.layers[0].tensor];
    let (values, [rows, columns]) = own.shaped().unwrap();
    assert_eq!((rows, columns), (2, 2));
    assert!((values[0] - 1.0).abs() < 1e-5 && (values[3] - 1.0).abs() < 1e-5);
    assert!((values[1] - values[2]).abs() < 1e-5);
}

#[test]
fn wrong_checks_and_boxes_are_errors() {
    let message_of = |more: &str| -> String {
        let text = format!("title: T\nmodels: [resnet18]\nimages: [cat.jpg]\n{more}\n");
        let error = SpecFile::parse("spec.yaml", &text).unwrap_err();
        format!(
            "{}: {}",
            error.message(),
            error.help_text().unwrap_or_default()
        )
    };
    for (more, part) in [
        ("checks: [curvs]", "the checks are `curves`"),
        (
            "checks: [{curves: {steps: 0}}]",
            "`steps` must be 1 to 1000, got 0",
        ),
        ("checks: [drop, drop]", "twice"),
        ("checks: [{drop: {steps: 3}}]", "steps"),
    ] {
        let message = message_of(more);
        assert!(message.contains(part), "{more}: {message}");
    }
    for (image, part) in [
        (
            "{path: a.png, box: [5, 5, 5, 9]}",
            "`box` must be [left, top, right, bottom] with left < right",
        ),
        (
            "{pack: imagenet-20, box: [0, 0, 5, 9]}",
            "must be that of one image",
        ),
        ("{dir: a, box: [0, 0, 5, 9]}", "`box`"),
        ("{path: a.png, box: [0, 0, 5]}", "4"),
    ] {
        let text = format!("title: T\nmodels: [resnet18]\nimages: [{image}]\n");
        let error = SpecFile::parse("spec.yaml", &text).unwrap_err();
        let message = format!(
            "{}: {}",
            error.message(),
            error.help_text().unwrap_or_default()
        );
        assert!(message.contains(part), "{image}: {message}");
    }
}
