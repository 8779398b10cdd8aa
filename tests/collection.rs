//! The pass over a collection: exemplars against a slow search image by image, a pass that is interrupted and resumed,
//! labels from the names of files and folders, and errors before anything runs.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use convscope::error::Result;
use convscope::figures::{Content, UnitExemplars};
use convscope::image::{DecodedImage, Preprocess, Window};
use convscope::network::{Network, random_weights, zoo};
use convscope::progress::{Progress, Silent};
use convscope::run::{self, RunOptions, RunOutput};
use convscope::spec::SpecFile;
use image::{Rgb, RgbImage};
use tch::Tensor;

const SIDE: u32 = 64;

/// A synthetic image for each `number`: two gradients and a square.
fn synthetic_image(number: u32) -> RgbImage {
    RgbImage::from_fn(SIDE, SIDE, |x, y| {
        let square = (x + 13 * number) % 64 < 20 && (y + 29 * number) % 64 < 20;
        let wave = |k: u32| ((x * (1 + number % 5) + y * k * (1 + number % 3)) % 256) as u8;
        if square {
            Rgb([255 - wave(1), (number * 37 % 256) as u8, 40])
        } else {
            Rgb([wave(1), wave(2), wave(3)])
        }
    })
}

/// `count` images in `folder/photos`: the even ones in a folder `tench`, the others named by a WordNet id.
fn collection(folder: &Path, count: u32) {
    let tench = folder.join("photos/tench");
    std::fs::create_dir_all(&tench).unwrap();
    for number in 0..count {
        let path = match number % 2 {
            0 => tench.join(format!("a{number:02}.png")),
            _ => folder.join(format!("photos/n01443537_{number:02}.png")),
        };
        synthetic_image(number).save(path).unwrap();
    }
    synthetic_image(99).save(folder.join("one.png")).unwrap();
}

fn spec(folder: &Path, methods: &str) -> SpecFile {
    read_spec(folder, methods).unwrap()
}

fn read_spec(folder: &Path, methods: &str) -> Result<SpecFile> {
    let text = format!(
        "title: T\nseed: 3\n\
         models: [{{arch: resnet18, weights: random, preprocess: {{resize: 64, crop: 64}}}}]\n\
         images: [one.png]\ncollection: photos\nmethods:\n{methods}\n"
    );
    let path = folder.join("spec.yaml");
    std::fs::write(&path, text).unwrap();
    SpecFile::read(&path)
}

fn options(folder: &Path) -> RunOptions {
    RunOptions {
        offline: true,
        cache: Some(folder.join("cache")),
        checkpoint_interval: Duration::ZERO,
        ..RunOptions::default()
    }
}

fn unit_exemplars(output: &RunOutput) -> Vec<&UnitExemplars> {
    let figures = output.results.figures.iter();
    let contents = figures.filter_map(|figure| match &figure.content {
        Content::Exemplars { units } => Some(units),
        _ => None,
    });
    contents.flatten().collect()
}

#[test]
fn exemplars_equal_a_search_image_by_image() {
    let folder = tempfile::tempdir().unwrap();
    collection(folder.path(), 21);
    let spec = spec(
        folder.path(),
        "  - exemplars: {layers: [layer1.0.relu_1], units: [0, 5, 47], top: 4, maximize: 2}",
    );
    let output = run::run_spec(&spec, &options(folder.path()), &Silent).unwrap();
    assert!(
        output.results.failures.is_empty(),
        "{:?}",
        output.results.failures
    );
    let graph = zoo::find("resnet18")
        .unwrap()
        .graph(zoo::ArchOptions::default());
    let weights = random_weights::weights(&graph);
    let network = Network::new(graph, weights).unwrap();
    let layer = network.graph().find("layer1.0.relu_1").unwrap();
    let paths = sorted_photos(folder.path());
    let maps: Vec<Vec<f32>> = paths
        .iter()
        .map(|path| {
            let view = DecodedImage::open(path).unwrap().pixels;
            let input = Tensor::from_slice(&Preprocess::imagenet().normalise(&view));
            let input = input.view([1, 3, 64, 64]);
            let values = network.forward(&input, &[layer]).unwrap();
            Vec::try_from(values[&layer].flatten(0, -1)).unwrap()
        })
        .collect();
    let found = unit_exemplars(&output);
    assert_eq!(found.len(), 3);
    for card in found {
        let mut wanted: Vec<(usize, f32, usize)> = maps
            .iter()
            .enumerate()
            .map(|(image, map)| {
                let own = &map[card.unit * 256..(card.unit + 1) * 256];
                let best = (0..256).fold(0, |best, at| if own[at] > own[best] { at } else { best });
                (image, own[best], best)
            })
            .collect();
        wanted.sort_by(|a, b| b.1.total_cmp(&a.1));
        assert_eq!(card.exemplars.len(), 4);
        for (exemplar, (image, value, place)) in card.exemplars.iter().zip(wanted) {
            let stem = paths[image].file_stem().unwrap().to_str().unwrap();
            assert_eq!(exemplar.image, stem);
            assert!(
                (exemplar.value - value).abs() <= 1e-4 * value.abs(),
                "{exemplar:?} {value}"
            );
            assert_eq!(exemplar.position, [place / 16, place % 16]);
            let class = exemplar.label.as_ref().unwrap().name.as_str();
            assert_eq!(
                class,
                if stem.starts_with('a') {
                    "tench"
                } else {
                    "goldfish"
                }
            );
        }
        assert_first_patch(&output, card, &paths);
    }
}

#[test]
fn layer_statistics_equal_a_search_image_by_image() {
    let folder = tempfile::tempdir().unwrap();
    collection(folder.path(), 21);
    let methods = "  - layer_statistics: {layers: [layer1.0.relu_1, layer4.1.conv2, fc]}";
    let spec = spec(folder.path(), methods);
    let output = run::run_spec(&spec, &options(folder.path()), &Silent).unwrap();
    let (layers, coded) = match &output.results.figures[0].content {
        Content::LayerStatistics { layers, coded } => (layers, coded),
        other => panic!("{other:?}"),
    };
    assert_eq!(*coded, 21);
    let graph = zoo::find("resnet18")
        .unwrap()
        .graph(zoo::ArchOptions::default());
    let weights = random_weights::weights(&graph);
    let network = Network::new(graph, weights).unwrap();
    let mut depth = 0.0;
    for (layer, units) in layers.iter().zip([64, 512, 1000]) {
        assert_eq!(layer.units, units);
        assert!(depth < layer.depth && layer.depth <= 1.0);
        depth = layer.depth;
        let node = network.graph().find(&layer.layer).unwrap();
        let (mut fired, mut positive, mut count) = (vec![false; units], 0, 0);
        let mut codes: Vec<f32> = Vec::new();
        for path in sorted_photos(folder.path()) {
            let view = DecodedImage::open(&path).unwrap().pixels;
            let input = Tensor::from_slice(&Preprocess::imagenet().normalise(&view));
            let values = network
                .forward(&input.view([1, 3, 64, 64]), &[node])
                .unwrap();
            let values: Vec<f32> = Vec::try_from(values[&node].flatten(0, -1)).unwrap();
            for (unit, own) in values.chunks(values.len() / units).enumerate() {
                let above = own.iter().filter(|value| **value > 0.0).count();
                fired[unit] |= above > 0;
                positive += above;
                count += own.len();
                codes.push(own.iter().sum::<f32>() / own.len() as f32);
            }
        }
        assert_eq!(layer.dead, fired.iter().filter(|fired| !**fired).count());
        let sparsity = 1.0 - positive as f64 / count as f64;
        assert!(
            (layer.sparsity - sparsity).abs() < 1e-4,
            "{layer:?} {sparsity}"
        );
        let codes = convscope::compare::PointSet::new(&codes, units).unwrap();
        let rank = convscope::compare::effective_rank(&codes).unwrap().unwrap();
        let found = layer.effective_rank.unwrap();
        assert!((found / rank - 1.0).abs() < 1e-3, "{found} {rank}");
    }
}

/// The files of the collection, by path.
fn sorted_photos(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = walkdir::WalkDir::new(folder.join("photos"))
        .into_iter()
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| path.is_file())
        .collect();
    paths.sort();
    paths
}

/// Asserts that a unit's first patch is its window of the image, enlarged.
fn assert_first_patch(output: &RunOutput, unit: &UnitExemplars, paths: &[PathBuf]) {
    let array = &output.tensors[&unit.patches];
    assert_eq!(array.shape, [4, 96, 96, 3]);
    let best = &unit.exemplars[0];
    let path = paths
        .iter()
        .find(|path| path.file_stem().unwrap().to_str() == Some(&best.image));
    let view = DecodedImage::open(path.unwrap()).unwrap().pixels;
    let Window {
        left,
        top,
        width,
        height,
    } = best.window;
    let window = [left, top, width, height].map(|at| at as u32);
    let patch = convscope::image::thumbnail(&view, window, 96);
    assert_eq!(
        &array.bytes().unwrap()[..96 * 96 * 3],
        patch.as_raw().as_slice()
    );
    assert!(width < 64 && left + width <= 64, "{best:?}");
}

/// Panics at the image `at`.
struct Interrupts {
    at: u64,
    reported: Mutex<Vec<u64>>,
}

impl Progress for Interrupts {
    fn step(&self, _: &str) {}

    fn advance(&self, done: u64, total: Option<u64>, _: convscope::progress::ProgressUnit) {
        if total == Some(30) {
            self.reported.lock().unwrap().push(done);
            assert!(done < self.at, "interrupted");
        }
    }
}

#[test]
fn a_resumed_pass_has_the_results_of_an_uninterrupted_one() {
    let folder = tempfile::tempdir().unwrap();
    collection(folder.path(), 30);
    let methods = "  - exemplars: {layers: [stage3, penultimate], units: {class: tench, count: 3}, per_image: 2, maximize: 2}";
    let spec = spec(folder.path(), methods);
    let elsewhere = RunOptions {
        cache: Some(folder.path().join("other")),
        ..options(folder.path())
    };
    let whole = run::run_spec(&spec, &elsewhere, &Silent).unwrap();
    let interrupts = |at| Interrupts {
        at,
        reported: Mutex::default(),
    };
    let options = options(folder.path());
    let first = interrupts(16);
    let interrupted = catch_unwind(AssertUnwindSafe(|| run::run_spec(&spec, &options, &first)));
    assert!(interrupted.is_err());
    let second = interrupts(u64::MAX);
    let resumed = run::run_spec(&spec, &options, &second).unwrap();
    // The batch at which it was interrupted is not in the checkpoint.
    assert_eq!(*second.reported.lock().unwrap(), [16, 24, 30]);
    let json = |output: &RunOutput| serde_json::to_value(&output.results.figures).unwrap();
    assert_eq!(json(&resumed), json(&whole));
    assert_eq!(resumed.tensors, whole.tensors);
    // A third run finds everything in the cache and decodes no image.
    let third = interrupts(u64::MAX);
    let again = run::run_spec(&spec, &options, &third).unwrap();
    assert!(third.reported.lock().unwrap().is_empty());
    assert_eq!(json(&again), json(&whole));
    let found = unit_exemplars(&again);
    assert_eq!(found.len(), 6);
    for pair in found
        .windows(2)
        .filter(|pair| pair[0].patches.contains("relu") == pair[1].patches.contains("relu"))
    {
        assert!(pair[0].correlation >= pair[1].correlation);
    }
}

#[test]
fn an_unreadable_image_is_reported_and_skipped() {
    let folder = tempfile::tempdir().unwrap();
    collection(folder.path(), 10);
    std::fs::write(folder.path().join("photos/a.png"), "no image").unwrap();
    let spec = spec(
        folder.path(),
        "  - exemplars: {layers: [stage3], top: 30, maximize: 0}",
    );
    for _ in 0..2 {
        let output = run::run_spec(&spec, &options(folder.path()), &Silent).unwrap();
        assert!(output.results.failures.is_empty());
        assert_eq!(unit_exemplars(&output)[0].exemplars.len(), 10);
        let collection = output.results.collection.unwrap();
        assert_eq!(collection.images, 11);
        assert_eq!(collection.unreadable.len(), 1);
        assert!(collection.unreadable[0].source.ends_with("a.png"));
    }
}

#[test]
fn wrong_options_are_errors_before_anything_runs() {
    let folder = tempfile::tempdir().unwrap();
    collection(folder.path(), 3);
    let cases = [
        ("{units: [999999]}", "has no unit 999999"),
        ("{units: 0}", "`units` must be 1 or more, got 0"),
        ("{units: [3, 3]}", "`units` lists unit 3 twice"),
        ("{units: []}", "`units` must have at least 1 entry, got 0"),
        ("{units: {class: tenchh}}", "there is no class `tenchh`"),
        ("{top: 0}", "`top` must be 1 to 100, got 0"),
        ("{per_image: 101}", "`per_image` must be 1 to 100, got 101"),
        (
            "{maximize: 10001}",
            "`maximize` must be 0 to 10000, got 10001",
        ),
        ("{layers: [stage9]}", "stage9"),
    ];
    for (options_of, message) in cases {
        let spec = read_spec(folder.path(), &format!("  - exemplars: {options_of}"));
        let error = spec
            .and_then(|spec| run::run_spec(&spec, &options(folder.path()), &Silent))
            .unwrap_err();
        assert!(
            error.full_message().contains(message),
            "{options_of}: {}",
            error.full_message()
        );
        assert_eq!(error.exit_code(), 2, "{options_of}");
    }
    spec(folder.path(), "  - exemplars");
    let mut text = std::fs::read_to_string(folder.path().join("spec.yaml")).unwrap();
    text = text.replace("collection: photos", "collection: {dir: nowhere}");
    std::fs::write(folder.path().join("spec.yaml"), text).unwrap();
    let spec = SpecFile::read(&folder.path().join("spec.yaml")).unwrap();
    let error = run::run_spec(&spec, &options(folder.path()), &Silent).unwrap_err();
    assert!(error.full_message().contains("nowhere"), "{error:?}");
}
