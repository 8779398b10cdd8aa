//! Pictures made by gradient ascent: that they excite more than any photo, hang on the seed alone, and what
//! is refused before anything runs.

use std::path::Path;

use convscope::figures::Content;
use convscope::image::Preprocess;
use convscope::methods::LoadedModel;
use convscope::methods::maximize::{At, By, Image, Objective, Options, ascend};
use convscope::network::labels::Labels;
use convscope::network::{Network, node_info, random_weights, zoo};
use convscope::progress::Silent;
use convscope::run::{self, RunOutput};
use convscope::spec::SpecFile;
use image::{Rgb, RgbImage};
use tch::{Device, Kind, Tensor};

fn subject(seed: u64) -> LoadedModel {
    let graph = zoo::find("resnet18")
        .unwrap()
        .graph(zoo::Options::default());
    let info = node_info::from_graph(&graph, 48, 48).unwrap();
    let weights = random_weights::weights(&graph);
    LoadedModel {
        id: "net".into(),
        network: Network::new(graph, weights).unwrap(),
        info,
        labels: Labels::imagenet(),
        preprocess: Preprocess::imagenet(),
        device: Device::Cpu,
        seed,
    }
}

fn climb(seed: u64, layer: &str, at: At, by: By, l2: f64, units: &[usize]) -> Vec<Image> {
    let subject = subject(seed);
    let node = subject.network.graph().find(layer).unwrap();
    let objective = |&unit: &usize| Objective { node, unit, at };
    let objectives: Vec<Objective> = units.iter().map(objective).collect();
    let options = Options {
        by,
        size: 48,
        steps: 24,
        l2,
    };
    ascend(&subject, &objectives, &options, &Silent).unwrap()
}

fn numbers(image: &Image) -> Vec<f32> {
    Vec::try_from(image.pixels.flatten(0, -1)).unwrap()
}

#[test]
fn a_picture_hangs_on_the_seed_alone() {
    let of =
        |seed, units: &[usize]| climb(seed, "layer3.1.conv2", At::Channel, By::Fourier, 0.0, units);
    let (first, again, other) = (of(1, &[5]), of(1, &[5]), of(2, &[5]));
    assert_eq!(numbers(&first[0]), numbers(&again[0]));
    assert_eq!(first[0].reached, again[0].reached);
    assert_ne!(numbers(&first[0]), numbers(&other[0]));
    // Who climbs beside it changes no more than rounding does to so rugged a slope.
    let beside = of(1, &[9, 5]);
    assert!((beside[1].start - first[0].start).abs() < 1e-4);
    assert!((beside[1].reached / first[0].reached - 1.0).abs() < 0.2);
}

#[test]
fn every_way_up_climbs() {
    let ways = [
        ("layer3.1.conv2", At::Channel, By::Fourier),
        ("layer3.1.conv2", At::Centre, By::Fourier),
        // A ReLU is climbed from below, even where it is closed at first.
        ("layer2.1.relu_1", At::Centre, By::Fourier),
        ("fc", At::Channel, By::Fourier),
        ("fc", At::Channel, By::Pixels),
        ("layer3.1.conv2", At::Channel, By::Pixels),
    ];
    for (layer, at, by) in ways {
        for image in climb(7, layer, at, by, 0.001, &[3, 40]) {
            let (start, reached) = (image.start, image.reached);
            assert!(
                reached > start + 1.0_f64.max(start.abs()),
                "{layer} {at:?} {by:?}: {start} to {reached}"
            );
            let numbers = numbers(&image);
            assert_eq!(numbers.len(), 3 * 48 * 48);
            assert!(numbers.iter().all(|value| (0.0..=1.0).contains(value)));
        }
    }
}

#[test]
fn what_is_reached_is_what_the_picture_itself_gives() {
    let subject = subject(4);
    let node = subject.network.graph().find("layer2.1.relu_1").unwrap();
    let image = climb(4, "layer2.1.relu_1", At::Centre, By::Fourier, 0.0, &[11]).remove(0);
    let colours = |values: [f64; 3]| Tensor::from_slice(&values).to_kind(Kind::Float);
    let imagenet = Preprocess::imagenet();
    let mean = colours(imagenet.mean).view([3, 1, 1]);
    let std = colours(imagenet.std).view([3, 1, 1]);
    let input = ((&image.pixels - mean) / std).unsqueeze(0);
    let kept = subject.network.forward(&input, &[node]).unwrap();
    let side = kept[&node].size()[2];
    let value = kept[&node].double_value(&[0, 11, side / 2, side / 2]);
    assert!(
        (value - image.reached).abs() < 1e-4 * value.abs(),
        "{value}"
    );
}

#[test]
fn the_penalty_keeps_near_the_mean_colour() {
    let away = |l2| {
        let image = climb(0, "fc", At::Channel, By::Pixels, l2, &[3]).remove(0);
        let mean = Tensor::from_slice(&Preprocess::imagenet().mean).view([3, 1, 1]);
        let far = (&image.pixels - mean).square().sum(Kind::Double);
        far.double_value(&[])
    };
    let (free, held) = (away(0.0), away(1.0));
    assert!(held < 0.7 * free, "{held} {free}");
}

/// A folder with four photos, two of them tenches, and an experiment on them.
fn spec(folder: &Path, options: &str) -> SpecFile {
    std::fs::create_dir_all(folder.join("photos/tench")).unwrap();
    for number in 0..4u32 {
        let photo = RgbImage::from_fn(64, 64, |x, y| {
            let square = (x + 17 * number) % 64 < 24 && (y + 23 * number) % 64 < 24;
            let wave = |k: u32| ((x * k + y * (1 + number)) * 3 % 256) as u8;
            match square {
                true => Rgb([230, 40 * number as u8, 60]),
                false => Rgb([wave(1), wave(2), wave(3)]),
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
    SpecFile::read(&path).unwrap()
}

fn options(folder: &Path) -> run::RunOptions {
    run::RunOptions {
        offline: true,
        cache: Some(folder.join("cache")),
        ..run::RunOptions::default()
    }
}

fn run(options_of: &str) -> RunOutput {
    let folder = tempfile::tempdir().unwrap();
    let spec = spec(folder.path(), options_of);
    let outcome = run::run_spec(&spec, &options(folder.path()), &Silent).unwrap();
    let failures = &outcome.results.failures;
    assert!(failures.is_empty(), "{failures:?}");
    outcome
}

#[test]
fn no_photo_excites_as_much() {
    let outcome = run("{layers: [layer3.1.conv2], units: [5, 9], classes: 2, size: 48, steps: 24}");
    let [units, classes] = &outcome.results.figures[..] else {
        panic!("{:?}", outcome.results.figures);
    };
    for (figure, key) in [
        (units, "resnet18/maximize/layer3.1.conv2/9"),
        (classes, "resnet18/maximize/0"),
    ] {
        let Content::Maximised { centre, pictures } = &figure.content else {
            panic!("{figure:?}");
        };
        assert!(!centre);
        let last = pictures.last().unwrap();
        assert_eq!(last.tensor, key);
        assert_eq!(outcome.tensors[key].shape, [3, 48, 48]);
        for picture in pictures {
            let best = picture.best.as_ref().unwrap();
            assert!(
                picture.reached > 2.0 * f64::from(best.value).max(picture.start),
                "{picture:?}"
            );
            assert_eq!(outcome.tensors[&best.tensor].shape, [96, 96, 3]);
        }
    }
    // The only true class that the folders name, though two were asked for.
    let Content::Maximised { pictures, .. } = &classes.content else {
        panic!("{classes:?}");
    };
    assert_eq!(pictures.len(), 1);
    assert_eq!(pictures[0].class.as_ref().unwrap().name, "tench");
    let page = convscope::report::render(
        &outcome.results,
        &outcome.tensors,
        &convscope::report::Options::default(),
    )
    .unwrap();
    assert!(page.contains("id=\"maximize\"") && page.contains("Unit 9"));
}

/// The best photo's value is the largest of the photos one by one.
#[test]
fn the_best_photo_is_the_best_one_by_one() {
    for (at, centre) in [("channel", false), ("centre", true)] {
        let outcome = run(&format!(
            "{{layers: [layer1.0.conv1], units: [2], classes: [goldfish], at: {at}, size: 32, steps: 1}}"
        ));
        let Content::Maximised { pictures, .. } = &outcome.results.figures[0].content else {
            panic!("{:?}", outcome.results.figures[0]);
        };
        let folder = tempfile::tempdir().unwrap();
        spec(folder.path(), "{}");
        let subject = subject(3);
        let node = subject.network.graph().find("layer1.0.conv1").unwrap();
        let names = ["a", "b", "tench/1", "tench/2"];
        let values = names.map(|name| {
            let path = folder.path().join(format!("photos/{name}.png"));
            let view = image::open(path).unwrap().to_rgb8();
            let input = Tensor::from_slice(&subject.preprocess.normalise(&view));
            let kept = subject
                .network
                .forward(&input.view([1, 3, 64, 64]), &[node])
                .unwrap();
            let own = kept[&node].select(1, 2);
            let value = if centre {
                own.max()
            } else {
                own.mean(Kind::Float)
            };
            value.double_value(&[])
        });
        let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let best = pictures[0].best.as_ref().unwrap();
        assert!((f64::from(best.value) - most).abs() < 1e-4 * most.abs());
        let at = values.iter().position(|value| *value == most).unwrap();
        assert!(names[at].ends_with(&best.image), "{best:?} {values:?}");
    }
}

#[test]
fn wrong_options_are_refused_before_anything_runs() {
    let folder = tempfile::tempdir().unwrap();
    let cases = [
        ("{units: [512]}", "has no unit 512"),
        ("{units: 0}", "no units are asked for"),
        ("{units: {class: tenchh}}", "there is no class `tenchh`"),
        ("{classes: [jeeep]}", "there is no class `jeeep`"),
        ("{classes: [1000]}", "there is no class 1000"),
        ("{classes: [predicted]}", "there is no class `predicted`"),
        ("{layers: [], classes: []}", "nothing is to be excited"),
        ("{layers: [], classes: 0}", "nothing is to be excited"),
        ("{steps: 0}", "`steps` is 0"),
        ("{steps: 10001}", "`steps` is 10001"),
        ("{size: 0}", "`size` is 0"),
        ("{size: 2000}", "`size` is 2000"),
        ("{l2: -1, by: pixels}", "`l2` is -1"),
        ("{l2: .nan, by: pixels}", "`l2` is NaN"),
        ("{layers: [stage9]}", "stage9"),
    ];
    for (options_of, message) in cases {
        let spec = spec(folder.path(), options_of);
        let error = run::run_spec(&spec, &options(folder.path()), &Silent).unwrap_err();
        let line = error.one_line();
        assert!(line.contains(message), "{options_of}: {line}");
        assert_eq!(error.exit_code(), 2, "{options_of}");
    }
    let small = spec(folder.path(), "{size: 8}");
    let vgg = small.text.replace("resnet18", "vgg11");
    std::fs::write(folder.path().join("spec.yaml"), vgg).unwrap();
    let small = SpecFile::read(&folder.path().join("spec.yaml")).unwrap();
    let error = run::run_spec(&small, &options(folder.path()), &Silent).unwrap_err();
    assert!(
        error.one_line().contains("has no spatial position left"),
        "{error:?}"
    );
}

#[test]
fn a_collection_without_true_classes_has_nothing_to_excite() {
    let folder = tempfile::tempdir().unwrap();
    let spec = spec(folder.path(), "{layers: []}");
    std::fs::remove_dir_all(folder.path().join("photos/tench")).unwrap();
    let outcome = run::run_spec(&spec, &options(folder.path()), &Silent).unwrap();
    let content = &outcome.results.figures[0].content;
    assert!(matches!(content, Content::Absent { .. }), "{content:?}");
    let drawn = convscope::report::Options::default();
    let page = convscope::report::render(&outcome.results, &outcome.tensors, &drawn).unwrap();
    assert!(page.contains("there was nothing to excite"));
}
