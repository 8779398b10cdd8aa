//! The method `evaluate`: what it counts over a labelled collection is what the predictions of single images give.

use std::fs;
use std::path::Path;

use convscope::figures::GalleryKind;
use convscope::results::{Prediction, Results};
use convscope::run::{self, RunOptions};
use convscope::spec::SpecFile;

const NETWORKS: [&str; 2] = ["softmax", "log_softmax"];
const CLASSES: [&str; 3] = ["circle", "square", "line"];
const IMAGES: usize = 30;

/// Two networks of tests/make_targets.py with class names, and pictures whose classes are in `truth.csv`, but for the last.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let targets = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/targets");
    for name in NETWORKS {
        let file = format!("{name}.pt2");
        fs::copy(targets.join(&file), path(&file)).unwrap();
    }
    fs::write(path("labels.txt"), CLASSES.join("\n")).unwrap();
    fs::create_dir(path("photos")).unwrap();
    let mut table = "path,class\n".to_owned();
    for index in 0..IMAGES {
        let name = format!("{index:02}.png");
        let shade =
            |x: u32, y: u32, factor: usize| ((x * 16 + y * 3) as usize * factor % 256) as u8;
        let pixels = image::RgbImage::from_fn(16, 16, |x, y| {
            [
                shade(x, y, index + 1),
                shade(y, x, index + 2),
                (index * 8) as u8,
            ]
            .into()
        });
        pixels.save(path("photos").join(&name)).unwrap();
        if index + 1 < IMAGES {
            table += &format!("photos/{name},{}\n", CLASSES[index % 3]);
        }
    }
    fs::write(path("truth.csv"), table).unwrap();
    folder
}

fn run(folder: &Path, rest: &str) -> Results {
    let models = NETWORKS.map(|name| {
        format!("  - {{weights: {name}.pt2, labels: labels.txt, preprocess: {{preset: unit, resize: none, crop: none}}}}\n")
    });
    let spec = folder.join("experiment.yaml");
    fs::write(
        &spec,
        format!("title: T\nmodels:\n{}{rest}", models.concat()),
    )
    .unwrap();
    let options = RunOptions {
        cached: false,
        ..RunOptions::default()
    };
    let spec = SpecFile::read(&spec).unwrap();
    let output = run::run_spec(&spec, &options, &convscope::progress::Silent).unwrap();
    assert!(
        output.results.failures.is_empty(),
        "{:?}",
        output.results.failures
    );
    output.results
}

#[test]
fn an_evaluation_counts_what_single_predictions_say() {
    let folder = folder();
    let results = run(
        folder.path(),
        "collection: {labels: truth.csv}\nmethods: [evaluate]\n",
    );
    let evaluation = results.evaluation.as_ref().unwrap();
    let single = run(folder.path(), "images: [{dir: photos}]\n");
    let labelled = IMAGES - 1;
    assert_eq!(evaluation.images, labelled);
    let label = |p: &Prediction| CLASSES[p.image.parse::<usize>().unwrap() % 3];
    let predictions = |model: &str| -> Vec<&Prediction> {
        let own = single.predictions.iter().filter(|p| p.model == model);
        own.filter(|p| p.image != format!("{:02}", IMAGES - 1))
            .collect()
    };
    let right = |model: &str| -> Vec<bool> {
        let own = predictions(model).into_iter();
        own.map(|p| p.top[0].class.name == label(p)).collect()
    };
    for model in &evaluation.models {
        let right = right(&model.model);
        let count = right.iter().filter(|right| **right).count();
        assert!(count > 0 && count < labelled, "the test says something");
        assert_eq!(model.images, labelled);
        assert!((model.top1 - count as f64 / labelled as f64).abs() < 1e-12);
        assert!(model.top1_interval[0] < model.top1 && model.top1 < model.top1_interval[1]);
        assert_eq!(model.top5, 1.0, "there are three classes");
        let of_bins: usize = model.bins.iter().map(|bin| bin.images).sum();
        assert_eq!((of_bins, model.bins.len()), (labelled, 15));
        let wrong: usize = model.confusions.iter().map(|found| found.images).sum();
        assert_eq!(wrong, labelled - count);
        let of_classes: usize = model.classes.iter().map(|class| class.images).sum();
        assert_eq!(of_classes, labelled);
    }
    let [a, b] = NETWORKS.map(right);
    let share = |wanted: [bool; 2]| {
        let count = a
            .iter()
            .zip(&b)
            .filter(|(a, b)| [**a, **b] == wanted)
            .count();
        count as f64 / labelled as f64
    };
    let pair = &evaluation.pairs[0];
    for (found, wanted) in [
        (pair.both_right, [true, true]),
        (pair.only_first, [true, false]),
        (pair.only_second, [false, true]),
        (pair.both_wrong, [false, false]),
    ] {
        assert!((found - share(wanted)).abs() < 1e-12);
    }
    let together: usize = evaluation
        .combinations
        .iter()
        .map(|found| found.images)
        .sum();
    assert_eq!(together, labelled);
    for gallery in &evaluation.galleries {
        let model = NETWORKS
            .iter()
            .position(|name| *name == gallery.model)
            .unwrap();
        for image in &gallery.images {
            let predicted = image.predictions.iter().flatten();
            let right: Vec<bool> = predicted.map(|p| p.class == image.class).collect();
            match gallery.kind {
                GalleryKind::OnlyRight => assert!(right[model] && !right[1 - model]),
                GalleryKind::ConfidentErrors => assert!(!right[model]),
            }
            assert!(image.thumbnail.is_some());
        }
    }
    assert!(!evaluation.galleries.is_empty());
}

#[test]
fn a_collection_without_labels_has_no_evaluation_and_says_so() {
    let folder = folder();
    let results = run(
        folder.path(),
        "collection: {dir: photos}\nmethods: [evaluate]\n",
    );
    assert!(results.evaluation.is_none());
    let page = convscope::report::render(&results, &Default::default(), &Default::default());
    assert!(
        page.unwrap()
            .contains("No image of the collection has a true class")
    );
}
