//! The checks of maps and the comparison of networks, on untrained networks: each number against a slower way of
//! computing the same, and what is refused before anything runs.

use std::path::Path;

use convscope::compare;
use convscope::figures::{CheckedMap, Content, Map};
use convscope::image::{DecodedImage, Preprocess};
use convscope::network::{Network, random_weights, zoo};
use convscope::progress::Silent;
use convscope::run::{self, RunOptions, RunOutput};
use convscope::spec::SpecFile;
use image::{Rgb, RgbImage};
use tch::Tensor;

const SIDE: u32 = 64;

type Measure<'a> = &'a dyn Fn(&[f32], &[f32]) -> Option<f64>;

fn picture(number: u32) -> RgbImage {
    RgbImage::from_fn(SIDE, SIDE, |x, y| {
        let square = (20 * number..20 * number + 20).contains(&x) && (10..40).contains(&y);
        let wave = |k: u32| ((x * (1 + number) * 5 + y * k * 3) % 256) as u8;
        match square {
            true => Rgb([250, (number * 90) as u8, 40]),
            false => Rgb([wave(1), wave(2), wave(3)]),
        }
    })
}

fn look(folder: &Path, checks: &str) -> RunOutput {
    for number in 0..3 {
        picture(number)
            .save(folder.join(format!("p{number}.png")))
            .unwrap();
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

fn of<'a>(outcome: &'a RunOutput, model: &str, image: &str, method: &str) -> &'a CheckedMap {
    let mut all = outcome.results.checks.iter();
    let own = |c: &&CheckedMap| {
        let named = matches!(&c.of, Map::Method { name, .. } if name == method);
        named && c.model == model && c.image == image
    };
    all.find(own).unwrap()
}

/// The map of a method and its size.
fn map<'a>(
    outcome: &'a RunOutput,
    model: &str,
    image: &str,
    method: &str,
) -> (&'a [f32], [usize; 2]) {
    let figures = &outcome.results.figures;
    let own = |f: &&convscope::figures::Figure| {
        f.model == model && f.image.as_deref() == Some(image) && f.method == method
    };
    let Content::Map { tensor, .. } = &figures.iter().find(own).unwrap().content else {
        panic!("no map");
    };
    outcome.tensors[tensor].shaped().unwrap()
}

#[test]
fn curves_are_what_changing_pixels_one_by_one_gives() {
    let folder = tempfile::tempdir().unwrap();
    let outcome = look(folder.path(), "[{curves: {steps: 5}}, drop]");
    let graph = zoo::find("resnet18")
        .unwrap()
        .graph(zoo::Options::default());
    let weights = random_weights::weights(&graph);
    let network = Network::new(graph, weights).unwrap();
    let photo = DecodedImage::open(&folder.path().join("p1.png")).unwrap();
    let planes = Preprocess::imagenet().normalise(&photo.pixels);
    let found = of(&outcome, "resnet18", "p1", "saliency");
    let probability = |planes: &[f32]| -> f32 {
        let input = Tensor::from_slice(planes).view([1, 3, 64, 64]);
        let output = network.graph().output();
        let logits = tch::no_grad(|| network.forward(&input, &[output]).unwrap());
        let all = logits[&output].softmax(1, tch::Kind::Float);
        all.double_value(&[0, found.class.index as i64]) as f32
    };
    let (values, size) = map(&outcome, "resnet18", "p1", "saliency");
    assert_eq!(size, [64, 64]);
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
    let curves = found.curves.as_ref().unwrap();
    assert_eq!(curves.deletion.len(), 6);
    for (step, stored) in curves.deletion.iter().enumerate() {
        let mut changed = planes.clone();
        for at in &order[..(step as f64 / 5.0 * 4096.0).round() as usize] {
            (0..3).for_each(|colour| changed[colour * 4096 + at] = 0.0);
        }
        let slow = probability(&changed);
        assert!((slow - stored).abs() < 1e-5, "{step}: {slow} {stored}");
    }
    // From the blurred picture to the whole one: ends where deletion begins.
    assert_eq!(curves.insertion[5], curves.deletion[0]);
    let area = |c: &[f32]| {
        c.windows(2)
            .map(|p| f64::from(p[0] + p[1]) / 10.0)
            .sum::<f64>()
    };
    assert!((curves.deletion_area - area(&curves.deletion)).abs() < 1e-6);
    assert!((curves.insertion_area - area(&curves.insertion)).abs() < 1e-6);
    // Dimmed by a map that is brought to 0…1.
    let (low, high) = values
        .iter()
        .fold((f32::MAX, f32::MIN), |(l, h), v| (l.min(*v), h.max(*v)));
    let dimmed: Vec<f32> = planes
        .iter()
        .enumerate()
        .map(|(at, value)| value * (values[at % 4096] - low) / (high - low))
        .collect();
    let drop = found.drop.unwrap();
    assert!((drop.dimmed - probability(&dimmed)).abs() < 1e-5);
    assert!((drop.whole - curves.deletion[0]).abs() < 1e-6);
    // Two maps that know nothing stand beside them, for each network and picture; a map of zeros orders nothing.
    let checks = &outcome.results.checks;
    let of_network = |c: &&CheckedMap| matches!(c.of, Map::Method { .. });
    assert_eq!(checks.iter().filter(|c| !of_network(c)).count(), 2 * 2 * 2);
    let speaks = |f: &&convscope::figures::Figure| matches!(f.content, Content::Map { minimum, maximum, .. } if minimum < maximum);
    let maps = outcome.results.figures.iter().filter(speaks).count();
    assert_eq!(checks.iter().filter(of_network).count(), maps);
}

#[test]
fn a_map_points_into_the_box_or_not() {
    let folder = tempfile::tempdir().unwrap();
    let outcome = look(folder.path(), "[pointing]");
    for method in ["saliency", "guided_backprop"] {
        let found = of(&outcome, "vgg11_bn", "p1", method).pointing.unwrap();
        let (values, _) = map(&outcome, "vgg11_bn", "p1", method);
        let inside = |at: usize| (20..40).contains(&(at % 64)) && (10..40).contains(&(at / 64));
        let positive = |at: usize| f64::from(values[at].max(0.0));
        let all: f64 = (0..4096).map(positive).sum();
        let within: f64 = (0..4096).filter(|at| inside(*at)).map(positive).sum();
        assert!((found.energy - within / all).abs() < 1e-5, "{found:?}");
        assert!((found.area - 600.0 / 4096.0).abs() < 1e-9);
        // 15 of 224 pixels are 4 of 64.
        let brightest = (0..4096)
            .max_by(|a, b| values[*a].total_cmp(&values[*b]))
            .unwrap();
        let (x, y) = (brightest % 64, brightest / 64);
        assert_eq!(found.hit, (16..44).contains(&x) && (6..44).contains(&y));
        // The other picture has no box.
        assert!(of(&outcome, "vgg11_bn", "p2", method).pointing.is_none());
    }
}

#[test]
fn the_network_forgets_from_the_top() {
    let folder = tempfile::tempdir().unwrap();
    let outcome = look(folder.path(), "[randomisation]");
    let stages = |model: &str, method: &str| -> Vec<(String, f64)> {
        let found = &of(&outcome, model, "p1", method).randomised;
        let stage = |r: &convscope::figures::Randomised| (r.down_to.clone(), r.spearman.unwrap());
        found.iter().map(stage).collect()
    };
    let names = |found: &[(String, f64)]| -> Vec<String> {
        found.iter().map(|(name, _)| name.clone()).collect()
    };
    let gradient = stages("resnet18", "saliency");
    let down = [
        "classifier",
        "2 × 2",
        "4 × 4",
        "8 × 8",
        "16 × 16",
        "32 × 32",
    ];
    assert_eq!(names(&gradient), down);
    assert!(gradient.iter().all(|(_, r)| r.abs() < 0.9), "{gradient:?}");
    let down = [
        "classifier",
        "4 × 4",
        "8 × 8",
        "16 × 16",
        "32 × 32",
        "64 × 64",
    ];
    assert_eq!(names(&stages("vgg11_bn", "saliency"))[..1], down[..1]);
    // Without a network above the last convolution, guided backprop still shows the picture.
    let guided = stages("resnet18", "guided_backprop")[0].1;
    assert!(guided > gradient[0].1, "{guided} {gradient:?}");
    // Baselines have no network that could forget.
    let mut all = outcome.results.checks.iter();
    assert!(all.all(|c| c.of != Map::Random || c.randomised.is_empty()));
}

#[test]
fn networks_are_held_against_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let outcome = look(folder.path(), "[]");
    let found = outcome.results.comparison.as_ref().unwrap();
    let (a, size) = map(&outcome, "resnet18", "p1", "saliency");
    let (b, _) = map(&outcome, "vgg11_bn", "p1", "saliency");
    let (c, _) = map(&outcome, "resnet18", "p2", "saliency");
    let (d, _) = map(&outcome, "vgg11_bn", "p2", "saliency");
    let mean = |measure: Measure| (measure(a, b).unwrap() + measure(c, d).unwrap()) / 2.0;
    let saliency = found.maps.iter().find(|m| m.method == "saliency").unwrap();
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
    // A photo on which they agree less comes first.
    assert!(found.images[0].spearman <= found.images[1].spearman);
    // Of each network with itself and of one with the other.
    let pairs: Vec<&[String; 2]> = found.layers.iter().map(|l| &l.models).collect();
    assert_eq!(pairs.len(), 3);
    let own = &outcome.tensors[&found.layers[0].tensor];
    let (values, [rows, columns]) = own.shaped().unwrap();
    assert_eq!((rows, columns), (2, 2));
    assert!((values[0] - 1.0).abs() < 1e-5 && (values[3] - 1.0).abs() < 1e-5);
    assert!((values[1] - values[2]).abs() < 1e-5);
}

#[test]
fn senseless_checks_are_refused() {
    let refused = |more: &str| -> String {
        let text = format!("title: T\nmodels: [resnet18]\nimages: [cat.jpg]\n{more}\n");
        let error = SpecFile::parse("spec.yaml", &text).unwrap_err();
        format!(
            "{}: {}",
            error.message(),
            error.advice().unwrap_or_default()
        )
    };
    for (more, said) in [
        ("checks: [curvs]", "known are `curves`"),
        ("checks: [{curves: {steps: 0}}]", "1 to 1000"),
        ("checks: [drop, drop]", "twice"),
        ("checks: [{drop: {steps: 3}}]", "steps"),
    ] {
        let message = refused(more);
        assert!(message.contains(said), "{more}: {message}");
    }
    for (image, said) in [
        ("{path: a.png, box: [5, 5, 5, 9]}", "without an inside"),
        ("{pack: imagenet-20, box: [0, 0, 5, 9]}", "one photo"),
        ("{dir: a, box: [0, 0, 5, 9]}", "`box` goes with"),
        ("{path: a.png, box: [0, 0, 5]}", "4"),
    ] {
        let text = format!("title: T\nmodels: [resnet18]\nimages: [{image}]\n");
        let error = SpecFile::parse("spec.yaml", &text).unwrap_err();
        let message = format!(
            "{}: {}",
            error.message(),
            error.advice().unwrap_or_default()
        );
        assert!(message.contains(said), "{image}: {message}");
    }
}
