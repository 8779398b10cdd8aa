//! Images made by gradient ascent: their values exceed those of all photos, they depend on the seed alone, and wrong options
//! are errors before anything runs.

use std::path::Path;

use convscope::error::Result;
use convscope::figures::Content;
use convscope::image::Preprocess;
use convscope::methods::LoadedModel;
use convscope::methods::maximize::{
    ActivationReduction, AscentOptions, AscentResult, Objective, Parametrisation, gradient_ascent,
};
use convscope::network::labels::Labels;
use convscope::network::{Network, node_info, random_weights, zoo};
use convscope::progress::Silent;
use convscope::run::{self, RunOutput};
use convscope::spec::SpecFile;
use image::{Rgb, RgbImage};
use tch::{Device, Kind, Tensor};

fn model(seed: u64) -> LoadedModel {
    let graph = zoo::find("resnet18")
        .unwrap()
        .graph(zoo::ArchOptions::default());
    let info = node_info::from_graph(&graph, 48, 48).unwrap();
    let weights = random_weights::weights(&graph);
    LoadedModel {
        id: "net".into(),
        network: Network::new(graph, weights).unwrap(),
        info,
        labels: Labels::imagenet(),
        task: convscope::network::Task::Classes,
        preprocess: Preprocess::imagenet(),
        device: Device::Cpu,
        seed,
    }
}

fn ascent(
    seed: u64,
    layer: &str,
    at: ActivationReduction,
    by: Parametrisation,
    l2: f64,
    units: &[usize],
) -> Vec<AscentResult> {
    let model = model(seed);
    let node = model.network.graph().find(layer).unwrap();
    let objective = |&unit: &usize| Objective {
        node,
        unit,
        class: false,
        at,
    };
    let objectives: Vec<Objective> = units.iter().map(objective).collect();
    let options = AscentOptions {
        by,
        size: 48,
        steps: 24,
        l2,
    };
    gradient_ascent(&model, &objectives, &options, &Silent).unwrap()
}

fn pixels(result: &AscentResult) -> Vec<f32> {
    Vec::try_from(result.pixels.flatten(0, -1)).unwrap()
}

#[test]
fn an_image_depends_on_the_seed_alone() {
    let results = |seed, units: &[usize]| {
        let (at, by) = (ActivationReduction::Channel, Parametrisation::Fourier);
        ascent(seed, "layer3.1.conv2", at, by, 0.0, units)
    };
    let (first, again, other) = (results(1, &[5]), results(1, &[5]), results(2, &[5]));
    assert_eq!(pixels(&first[0]), pixels(&again[0]));
    assert_eq!(first[0].final_value, again[0].final_value);
    assert_ne!(pixels(&first[0]), pixels(&other[0]));
    // Another objective in the batch changes rounding only, which the ascent amplifies.
    let batch = results(1, &[9, 5]);
    assert!((batch[1].initial_value - first[0].initial_value).abs() < 1e-4);
    assert!((batch[1].final_value / first[0].final_value - 1.0).abs() < 0.2);
}

#[test]
fn every_parametrisation_increases_every_objective() {
    let cases = [
        (
            "layer3.1.conv2",
            ActivationReduction::Channel,
            Parametrisation::Fourier,
        ),
        (
            "layer3.1.conv2",
            ActivationReduction::Centre,
            Parametrisation::Fourier,
        ),
        // The gradient of a ReLU's input, even if the ReLU is 0 at first.
        (
            "layer2.1.relu_1",
            ActivationReduction::Centre,
            Parametrisation::Fourier,
        ),
        ("fc", ActivationReduction::Channel, Parametrisation::Fourier),
        ("fc", ActivationReduction::Channel, Parametrisation::Pixels),
        (
            "layer3.1.conv2",
            ActivationReduction::Channel,
            Parametrisation::Pixels,
        ),
    ];
    for (layer, at, by) in cases {
        for result in ascent(7, layer, at, by, 0.001, &[3, 40]) {
            let (before, after) = (result.initial_value, result.final_value);
            assert!(
                after > before + 1.0_f64.max(before.abs()),
                "{layer} {at:?} {by:?}: {before} to {after}"
            );
            let pixels = pixels(&result);
            assert_eq!(pixels.len(), 3 * 48 * 48);
            assert!(pixels.iter().all(|value| (0.0..=1.0).contains(value)));
        }
    }
}

#[test]
fn the_final_value_is_that_of_the_image_itself() {
    let model = model(4);
    let node = model.network.graph().find("layer2.1.relu_1").unwrap();
    let result = ascent(
        4,
        "layer2.1.relu_1",
        ActivationReduction::Centre,
        Parametrisation::Fourier,
        0.0,
        &[11],
    )
    .remove(0);
    let colours = |values: &[f64]| Tensor::from_slice(values).to_kind(Kind::Float);
    let imagenet = Preprocess::imagenet();
    let mean = colours(&imagenet.mean).view([3, 1, 1]);
    let std = colours(&imagenet.std).view([3, 1, 1]);
    let input = ((&result.pixels - mean) / std).unsqueeze(0);
    let kept = model.network.forward(&input, &[node]).unwrap();
    let side = kept[&node].size()[2];
    let value = kept[&node].double_value(&[0, 11, side / 2, side / 2]);
    assert!(
        (value - result.final_value).abs() < 1e-4 * value.abs(),
        "{value}"
    );
}

#[test]
fn the_penalty_keeps_the_image_near_the_mean_colour() {
    let squared_distance = |l2| {
        let result = ascent(
            0,
            "fc",
            ActivationReduction::Channel,
            Parametrisation::Pixels,
            l2,
            &[3],
        )
        .remove(0);
        let mean = Tensor::from_slice(&Preprocess::imagenet().mean).view([3, 1, 1]);
        let squares = (&result.pixels - mean).square().sum(Kind::Double);
        squares.double_value(&[])
    };
    let (free, penalised) = (squared_distance(0.0), squared_distance(1.0));
    assert!(penalised < 0.7 * free, "{penalised} {free}");
}

/// A folder with four photos, two of them tenches, and an experiment on them.
fn spec(folder: &Path, options: &str) -> SpecFile {
    read_spec(folder, options).unwrap()
}

fn read_spec(folder: &Path, options: &str) -> Result<SpecFile> {
    std::fs::create_dir_all(folder.join("photos/tench")).unwrap();
    for number in 0..4u32 {
        let photo = RgbImage::from_fn(64, 64, |x, y| {
            let square = (x + 17 * number) % 64 < 24 && (y + 23 * number) % 64 < 24;
            let wave = |k: u32| ((x * k + y * (1 + number)) * 3 % 256) as u8;
            if square {
                Rgb([230, 40 * number as u8, 60])
            } else {
                Rgb([wave(1), wave(2), wave(3)])
            }
        });
        let name = match number {
            0 => "photos/a.png".to_owned(),
            3 => "photos/b.png".to_owned(),
            _ => format!("photos/tench/{number}.png"),
        };
        photo.save(folder.join(name)).unwrap();
    }
    let text = format!(
        "title: T\nseed: 3\n\
         models: [{{arch: resnet18, weights: random, preprocess: {{resize: 64, crop: 64}}}}]\n\
         images: [photos/a.png]\ncollection: photos\nmethods: [maximize: {options}]\n"
    );
    let path = folder.join("spec.yaml");
    std::fs::write(&path, text).unwrap();
    SpecFile::read(&path)
}

fn options(folder: &Path) -> run::RunOptions {
    run::RunOptions {
        offline: true,
        cache: Some(folder.join("cache")),
        ..run::RunOptions::default()
    }
}

fn run(method_options: &str) -> RunOutput {
    let folder = tempfile::tempdir().unwrap();
    let spec = spec(folder.path(), method_options);
    let output = run::run_spec(&spec, &options(folder.path()), &Silent).unwrap();
    let failures = &output.results.failures;
    assert!(failures.is_empty(), "{failures:?}");
    output
}

#[test]
fn the_final_value_exceeds_that_of_every_photo() {
    let output = run("{layers: [layer3.1.conv2], units: [5, 9], classes: 2, size: 48, steps: 24}");
    let [units, classes] = &output.results.figures[..] else {
        panic!("{:?}", output.results.figures);
    };
    for (figure, key) in [
        (units, "resnet18/maximize/layer3.1.conv2/9"),
        (classes, "resnet18/maximize/0"),
    ] {
        let Content::Maximised { centre, images } = &figure.content else {
            panic!("{figure:?}");
        };
        assert!(!centre);
        let last = images.last().unwrap();
        assert_eq!(last.tensor, key);
        assert_eq!(output.tensors[key].shape, [3, 48, 48]);
        for image in images {
            let top = image.top_image.as_ref().unwrap();
            assert!(
                image.final_value > 2.0 * f64::from(top.value).max(image.initial_value),
                "{image:?}"
            );
            assert_eq!(output.tensors[&top.tensor].shape, [96, 96, 3]);
        }
    }
    // The only true class that the folders name, though two were asked for.
    let Content::Maximised { images, .. } = &classes.content else {
        panic!("{classes:?}");
    };
    assert_eq!(images.len(), 1);
    assert_eq!(images[0].class.as_ref().unwrap().name, "tench");
    let page = convscope::report::render(
        &output.results,
        &output.tensors,
        &convscope::report::RenderOptions::default(),
    )
    .unwrap();
    assert!(page.contains("id=\"maximize\"") && page.contains("Unit 9"));
}

/// The top image's value against a forward pass for each image.
#[test]
fn the_top_image_is_that_of_single_passes() {
    for (at, centre) in [("channel", false), ("centre", true)] {
        let output = run(&format!(
            "{{layers: [layer1.0.conv1], units: [2], classes: [goldfish], at: {at}, size: 32, steps: 1}}"
        ));
        let Content::Maximised { images, .. } = &output.results.figures[0].content else {
            panic!("{:?}", output.results.figures[0]);
        };
        let folder = tempfile::tempdir().unwrap();
        spec(folder.path(), "{}");
        let model = model(3);
        let node = model.network.graph().find("layer1.0.conv1").unwrap();
        let names = ["a", "b", "tench/1", "tench/2"];
        let values = names.map(|name| {
            let path = folder.path().join(format!("photos/{name}.png"));
            let view = image::open(path).unwrap().to_rgb8();
            let input = Tensor::from_slice(&model.preprocess.normalise(&view));
            let kept = model
                .network
                .forward(&input.view([1, 3, 64, 64]), &[node])
                .unwrap();
            let unit = kept[&node].select(1, 2);
            let value = if centre {
                unit.max()
            } else {
                unit.mean(Kind::Float)
            };
            value.double_value(&[])
        });
        let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let top = images[0].top_image.as_ref().unwrap();
        assert!((f64::from(top.value) - most).abs() < 1e-4 * most.abs());
        let index = values.iter().position(|value| *value == most).unwrap();
        assert!(names[index].ends_with(&top.image), "{top:?} {values:?}");
    }
}

#[test]
fn wrong_options_are_errors_before_anything_runs() {
    let folder = tempfile::tempdir().unwrap();
    let cases = [
        ("{units: [512]}", "has no unit 512"),
        ("{units: 0}", "`units` must be 1 or more, got 0"),
        ("{units: {class: tenchh}}", "there is no class `tenchh`"),
        ("{classes: [jeeep]}", "there is no class `jeeep`"),
        ("{classes: [1000]}", "there is no class 1000"),
        ("{classes: [predicted]}", "there is no class `predicted`"),
        (
            "{layers: [], classes: []}",
            "`maximize` needs a layer or a class",
        ),
        (
            "{layers: [], classes: 0}",
            "`maximize` needs a layer or a class",
        ),
        ("{steps: 0}", "`steps` must be 1 to 10000, got 0"),
        ("{steps: 10001}", "`steps` must be 1 to 10000, got 10001"),
        ("{size: 0}", "`size` must be 1 to 1024, got 0"),
        ("{size: 2000}", "`size` must be 1 to 1024, got 2000"),
        ("{l2: -1, by: pixels}", "`l2` must be 0 or more, got -1"),
        ("{l2: .nan, by: pixels}", "`l2` must be a finite number"),
        ("{layers: [stage9]}", "stage9"),
    ];
    for (method_options, message) in cases {
        let spec = read_spec(folder.path(), method_options);
        let error = spec
            .and_then(|spec| run::run_spec(&spec, &options(folder.path()), &Silent))
            .unwrap_err();
        let line = error.full_message();
        assert!(line.contains(message), "{method_options}: {line}");
        assert_eq!(error.exit_code(), 2, "{method_options}");
    }
    let small = spec(folder.path(), "{size: 8}");
    let vgg = small.text().replace("resnet18", "vgg11");
    std::fs::write(folder.path().join("spec.yaml"), vgg).unwrap();
    let small = SpecFile::read(&folder.path().join("spec.yaml")).unwrap();
    let error = run::run_spec(&small, &options(folder.path()), &Silent).unwrap_err();
    assert!(
        error
            .full_message()
            .contains("has no spatial position left"),
        "{error:?}"
    );
}

#[test]
fn a_collection_without_true_classes_has_no_class_to_maximise() {
    let folder = tempfile::tempdir().unwrap();
    let spec = spec(folder.path(), "{layers: []}");
    std::fs::remove_dir_all(folder.path().join("photos/tench")).unwrap();
    let output = run::run_spec(&spec, &options(folder.path()), &Silent).unwrap();
    let content = &output.results.figures[0].content;
    assert!(matches!(content, Content::Absent { .. }), "{content:?}");
    let options = convscope::report::RenderOptions::default();
    let page = convscope::report::render(&output.results, &output.tensors, &options).unwrap();
    assert!(page.contains("there is no logit to maximise"));
}
