//! The method `evaluate`: what it counts over a labelled collection is what the predictions of single images give.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use convscope::compare::{
    ConfidentThresholds, LabelledPrediction, multi_label_scores, regression_scores,
};
use convscope::figures::{Evaluation, GalleryKind, SliceSource};
use convscope::image::Corruption;
use convscope::results::{Prediction, Results};
use convscope::run::{self, RunOptions, RunOutput};
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
    output(folder, rest).results
}

fn output(folder: &Path, rest: &str) -> RunOutput {
    let models = NETWORKS.map(|name| {
        format!("  - {{weights: {name}.pt2, labels: labels.txt, preprocess: {{preset: unit, resize: none, crop: none}}}}\n")
    });
    run_text(
        folder,
        &format!("title: T\nmodels:\n{}{rest}", models.concat()),
    )
}

fn run_text(folder: &Path, text: &str) -> RunOutput {
    let spec = folder.join("experiment.yaml");
    fs::write(&spec, text).unwrap();
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
    output
}

/// The predictions of one network for the images in `photos`, by the images' ids.
fn single(results: &Results, model: &str) -> BTreeMap<String, Prediction> {
    let own = results.predictions.iter().filter(|p| p.model == model);
    own.map(|p| (p.image.clone(), p.clone())).collect()
}

/// The class that the CSV gives to the image with this id.
fn label(image: &str) -> &'static str {
    CLASSES[image.parse::<usize>().unwrap() % 3]
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
    check_galleries(evaluation);
}

/// Checks that the images of the galleries are what the galleries are about.
fn check_galleries(evaluation: &Evaluation) {
    for gallery in &evaluation.galleries {
        let Some(network) = &gallery.model else {
            assert_eq!(gallery.kind, GalleryKind::LargestDifference);
            continue;
        };
        let model = NETWORKS.iter().position(|name| name == network).unwrap();
        for image in &gallery.images {
            let predicted = image.predictions.iter().flatten();
            let right: Vec<bool> = predicted.map(|p| p.class == image.class).collect();
            match gallery.kind {
                GalleryKind::OnlyRight => assert!(right[model] && !right[1 - model]),
                GalleryKind::ConfidentErrors => assert!(!right[model]),
                GalleryKind::LargestDifference => unreachable!("it has no network"),
            }
            assert!(
                image
                    .predictions
                    .iter()
                    .flatten()
                    .all(|p| p.right == (p.class == image.class))
            );
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

#[test]
fn the_largest_differences_of_the_true_class_come_first() {
    let folder = folder();
    let evaluated = run(
        folder.path(),
        "collection: {labels: truth.csv}\nmethods: [{evaluate: {gallery: 4}}]\n",
    );
    let predicted = run(
        folder.path(),
        "images: [{dir: photos, labels: truth.csv}]\n",
    );
    let evaluation = evaluated.evaluation.as_ref().unwrap();
    let galleries = evaluation.galleries.iter();
    let found = galleries
        .clone()
        .find(|own| own.kind == GalleryKind::LargestDifference);
    let images = &found.unwrap().images;
    let both = NETWORKS.map(|name| single(&predicted, name));
    let truth = |model: usize, image: &str| {
        let scores = &both[model][image].top;
        let own = scores.iter().find(|score| score.class.name == label(image));
        own.unwrap().probability.unwrap()
    };
    let mut differences: Vec<f32> = (0..IMAGES - 1)
        .map(|index| format!("{index:02}"))
        .map(|image| (truth(0, &image) - truth(1, &image)).abs())
        .collect();
    differences.sort_by(|a, b| b.total_cmp(a));
    assert_eq!(images.len(), 4);
    for (image, wanted) in images.iter().zip(differences) {
        for (model, prediction) in image.predictions.iter().enumerate() {
            let own = prediction.as_ref().unwrap();
            assert!((own.truth - truth(model, &image.image)).abs() < 1e-6);
        }
        let found = truth(0, &image.image) - truth(1, &image.image);
        assert!((found.abs() - wanted).abs() < 1e-6);
    }
}

#[test]
fn galleries_have_the_map_of_each_networks_class() {
    let folder = folder();
    let with = |method: &str| {
        let rest = format!(
            "images: [photos/00.png, photos/01.png, photos/02.png, photos/03.png]\ncollection: {{labels: truth.csv}}\n\
             methods: [saliency, {{evaluate: {{attribution: {method}, gallery: 29}}}}]\n"
        );
        output(folder.path(), &rest)
    };
    let output = with("saliency");
    let evaluation = output.results.evaluation.as_ref().unwrap();
    assert_eq!(evaluation.attribution.as_deref(), Some("saliency"));
    let images = evaluation.galleries.iter().flat_map(|own| &own.images);
    let mut compared = 0;
    for image in images {
        for (model, prediction) in NETWORKS.iter().zip(&image.predictions) {
            let map = prediction.as_ref().unwrap().map.as_ref().unwrap();
            assert!(!map.signed);
            assert_eq!(output.tensors[&map.view].shape, [16, 16, 3]);
            // The experiment's own figure of this image is of the predicted class, too.
            let figures = output.results.figures.iter();
            let own =
                figures.filter(|figure| figure.method == "saliency" && figure.model == *model);
            let mut own = own.filter(|figure| figure.image.as_ref() == Some(&image.image));
            if let Some(figure) = own.next() {
                let convscope::figures::Content::Map { tensor, .. } = &figure.content else {
                    panic!("saliency is a map");
                };
                assert_eq!(output.tensors[tensor], output.tensors[&map.tensor]);
                compared += 1;
            }
        }
    }
    assert!(compared >= 4, "{compared}");
    let none = with("none").results.evaluation.unwrap();
    let predictions = none.galleries.iter().flat_map(|own| &own.images);
    assert!(
        predictions
            .flat_map(|image| image.predictions.iter().flatten())
            .all(|p| p.map.is_none())
    );
}

#[test]
fn an_attribution_that_is_no_method_of_maps_is_an_error_that_says_what_is_allowed() {
    let folder = folder();
    for (name, said) in [
        ("grad_cams", "did you mean `grad_cam`?"),
        ("xyzzy", "write `none`, or one of"),
    ] {
        let spec = folder.path().join("wrong.yaml");
        let text = format!(
            "title: T\nmodels: [{{weights: softmax.pt2, labels: labels.txt, preprocess: {{preset: unit}}}}]\n\
             collection: {{labels: truth.csv}}\nmethods: [{{evaluate: {{attribution: {name}}}}}]\n"
        );
        fs::write(&spec, text).unwrap();
        let spec = SpecFile::read(&spec).unwrap();
        let error = run::run_spec(&spec, &RunOptions::default(), &convscope::progress::Silent);
        let error = error.unwrap_err();
        assert!(
            error.full_message().contains("`attribution`"),
            "{}",
            error.full_message()
        );
        assert!(
            error.help_text().unwrap().contains(said),
            "{:?}",
            error.help_text()
        );
    }
}

#[test]
fn groups_and_confusions_count_single_predictions() {
    let folder = folder();
    let mut table = "path,class,camera,number\n".to_owned();
    for index in 0..IMAGES - 1 {
        let camera = ["red", "blue", ""][index % 5 % 3];
        let name = format!("{index:02}");
        table += &format!("photos/{name}.png,{},{camera},{index}\n", label(&name));
    }
    fs::write(folder.path().join("groups.csv"), table).unwrap();
    let evaluated = run(
        folder.path(),
        "collection: {labels: groups.csv, dir: .}\nmethods: [evaluate]\n",
    );
    let predicted = run(folder.path(), "images: [{dir: photos}]\n");
    for model in &evaluated.evaluation.as_ref().unwrap().models {
        let own = single(&predicted, &model.model);
        let class = |image: &str| own[image].top[0].class.name.as_str();
        let columns = model.groups.iter().map(|own| own.column.as_str());
        // `number` has a text for each image, and so no groups.
        assert!(columns.eq(["camera", "camera"]));
        for (group, place) in model.groups.iter().zip([1, 0]) {
            assert_eq!(group.group, ["red", "blue"][place]);
            let members = (0..IMAGES - 1).filter(|index| index % 5 % 3 == place);
            let members: Vec<String> = members.map(|index| format!("{index:02}")).collect();
            let right = members
                .iter()
                .filter(|image| class(image) == label(image))
                .count();
            assert_eq!(group.images, members.len());
            assert!((group.top1 - right as f64 / members.len() as f64).abs() < 1e-12);
            assert!(group.interval[0] <= group.top1 && group.top1 <= group.interval[1]);
        }
        let matrix = model.matrix.as_ref().unwrap();
        assert_eq!(matrix.names, CLASSES);
        for (row, truth) in matrix.counts.iter().zip(CLASSES) {
            for (count, predicted) in row.iter().zip(CLASSES) {
                let images = (0..IMAGES - 1).map(|index| format!("{index:02}"));
                let wanted = images.filter(|own| label(own) == truth && class(own) == predicted);
                assert_eq!(*count, wanted.count(), "{truth} {predicted}");
            }
        }
    }
}

#[test]
fn suspect_labels_are_those_of_confident_learning_over_all_probabilities() {
    let folder = folder();
    let evaluated = run(
        folder.path(),
        "collection: {labels: truth.csv}\nmethods: [evaluate]\n",
    );
    let predicted = run(folder.path(), "images: [{dir: photos}]\n");
    let issues = evaluated
        .evaluation
        .as_ref()
        .unwrap()
        .label_issues
        .as_ref()
        .unwrap();
    let mut wanted: BTreeMap<String, [Option<String>; 2]> = BTreeMap::new();
    for (place, model) in NETWORKS.iter().enumerate() {
        let own = single(&predicted, model);
        let images: Vec<String> = (0..IMAGES - 1).map(|index| format!("{index:02}")).collect();
        let likeliest = |image: &str| -> Vec<(usize, f64)> {
            let top = own[image].top.iter();
            top.map(|score| (score.class.index, f64::from(score.probability.unwrap())))
                .collect()
        };
        let truth = |image: &str| {
            CLASSES
                .iter()
                .position(|class| *class == label(image))
                .unwrap()
        };
        let confidence = |image: &str| {
            let scores = likeliest(image);
            scores
                .iter()
                .find(|(class, _)| *class == truth(image))
                .unwrap()
                .1
        };
        let mut thresholds = ConfidentThresholds::new(CLASSES.len());
        for image in &images {
            thresholds.add(truth(image), confidence(image)).unwrap();
        }
        let mut joint = thresholds.into_joint();
        for image in &images {
            let prediction = LabelledPrediction {
                label: truth(image),
                self_confidence: confidence(image),
                likeliest: &likeliest(image),
            };
            joint.add(&prediction).unwrap();
        }
        let found = joint.into_issues();
        assert_eq!(issues.models[place].found, found.len());
        assert_eq!(issues.models[place].undecided, 0);
        for issue in found {
            let row = wanted.entry(images[issue.image].clone()).or_default();
            row[place] = Some(CLASSES[issue.suggested].to_owned());
        }
    }
    assert!(!wanted.is_empty() && wanted.len() < IMAGES - 1);
    assert_eq!(issues.images.len(), wanted.len());
    let mut votes = Vec::new();
    for (place, image) in issues.images.iter().enumerate() {
        assert_eq!(image.class, label(&image.image));
        let suggested = image.suggested.iter();
        let suggested: Vec<Option<String>> = suggested
            .map(|own| Some(own.as_ref()?.class.clone()))
            .collect();
        assert_eq!(suggested, wanted[&image.image]);
        assert_eq!(image.thumbnail.is_some(), place < 8);
        let agree = suggested[0].is_some() && suggested[0] == suggested[1];
        votes.push(if agree { 2 } else { 1 });
    }
    assert!(votes.is_sorted_by(|a, b| a >= b), "{votes:?}");
}

#[test]
fn a_group_with_wrong_labels_is_a_slice_and_chance_is_none() {
    let folder = folder();
    let predicted = run(folder.path(), "images: [{dir: photos}]\n");
    let own = single(&predicted, NETWORKS[0]);
    let mut table = "path,class,batch,coin\n".to_owned();
    for index in 0..IMAGES {
        let class = own[&format!("{index:02}")].top[0].class.index;
        let batch = if index < 14 { "good" } else { "bad" };
        let class = CLASSES[if index < 14 { class } else { (class + 1) % 3 }];
        let coin = ["heads", "tails"][index % 2];
        table += &format!("photos/{index:02}.png,{class},{batch},{coin}\n");
    }
    fs::write(folder.path().join("batches.csv"), table).unwrap();
    let evaluated = run(
        folder.path(),
        "collection: {labels: batches.csv, dir: .}\nmethods: [{evaluate: {layers: []}}]\n",
    );
    let evaluation = evaluated.evaluation.as_ref().unwrap();
    let slices = &evaluation.slices[0];
    assert_eq!((slices.model.as_str(), slices.tested), (NETWORKS[0], 4));
    assert_eq!(slices.slices.len(), 2);
    for slice in &slices.slices {
        let SliceSource::Column { column, group } = &slice.source else {
            panic!("{slice:?}");
        };
        let good = group == "good";
        assert_eq!(column, "batch");
        assert_eq!(slice.images, if good { 14 } else { 16 });
        assert_eq!(
            (slice.top1, slice.others),
            if good { (1.0, 0.0) } else { (0.0, 1.0) }
        );
        // 1 of the 30! / (14! 16!) tables, 4 tests, of which these are the first two.
        let tables = 145_422_675.0;
        assert!(
            (slice.p - 4.0 / tables).abs() < 1e-9 / tables,
            "{}",
            slice.p * tables
        );
        assert_eq!(slice.examples.len(), 6);
    }
    let page = convscope::report::render(&evaluated, &Default::default(), &Default::default());
    assert!(page.unwrap().contains("batch: bad"));
}

/// A network with random weights.
const RANDOM: &str = "title: T\nseed: 5\nmodels: [{arch: resnet18, weights: random, preprocess: {resize: 32, crop: 32}}]\n";

/// A picture for it.
fn wavy(index: usize) -> image::RgbImage {
    image::RgbImage::from_fn(32, 32, |x, y| {
        let (x, y) = (x as usize, y as usize);
        let shade = |own: usize| (own * (index + 3) * 5 % 251) as u8;
        [shade(x + 2 * y), shade(y + 7), (index * 20) as u8].into()
    })
}

/// The ranks of the classes `labels`, one for each picture in a folder, among its logits.
fn ranks(folder: &Path, pictures: &str, labels: &[usize]) -> Vec<usize> {
    let text = format!("{RANDOM}images: [{{dir: {pictures}}}]\n");
    let tensors = run_text(folder, &text).tensors;
    let rank = |(index, class): (usize, &usize)| {
        let key = format!("resnet18/{index:02}/logits");
        let logits = tensors[&key].floats().unwrap();
        1 + logits.iter().filter(|own| **own > logits[*class]).count()
    };
    labels.iter().enumerate().map(rank).collect()
}

/// Saves the first `count` pictures with a corruption in the folder `corrupted`; severity 0 is none.
fn save_corrupted(folder: &Path, count: usize, kind: Corruption, severity: usize) {
    let corrupted = folder.join("corrupted");
    fs::create_dir_all(&corrupted).unwrap();
    for index in 0..count {
        let (name, pixels) = (format!("{index:02}"), wavy(index));
        let pixels = match severity {
            0 => pixels,
            _ => kind.apply(&pixels, severity, 5, &name),
        };
        pixels.save(corrupted.join(format!("{name}.png"))).unwrap();
    }
}

#[test]
fn corrupted_accuracies_are_those_of_corrupted_pictures() {
    const COUNT: usize = 12;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let models = RANDOM;
    fs::create_dir(path("photos")).unwrap();
    for index in 0..COUNT {
        wavy(index)
            .save(path(&format!("photos/{index:02}.png")))
            .unwrap();
    }
    // The class that is predicted for the first image, so that some are right, and others, whose ranks change with every pixel.
    let text = format!("{models}images: [photos/00.png]\n");
    let first = run_text(folder.path(), &text).results.predictions[0].top[0]
        .class
        .index;
    let labels: Vec<usize> = (0..COUNT)
        .map(|index| if index % 3 == 0 { first } else { index * 83 })
        .collect();
    let mut table = "path,class\n".to_owned();
    for (index, class) in labels.iter().enumerate() {
        table += &format!("photos/{index:02}.png,{class}\n");
    }
    fs::write(path("truth.csv"), table).unwrap();
    let output = run_text(
        folder.path(),
        &format!(
            "{models}collection: {{labels: truth.csv}}\nmethods:\n  - evaluate: {{corruptions: {{kinds: [gaussian_noise, pixelate], severities: [1, 4]}}}}\n"
        ),
    );
    let evaluation = output.results.evaluation.as_ref().unwrap();
    let found = evaluation.corruptions.as_ref().unwrap();
    assert_eq!((found.skipped, found.accuracies.len()), (0, 2 * 3));
    let stored = output.tensors["resnet18/evaluate/corruptions"]
        .floats()
        .unwrap();
    let clean_ranks = ranks(folder.path(), "photos", &labels);
    let mut column = 1;
    for kind in [Corruption::GaussianNoise, Corruption::Pixelate] {
        for severity in [0, 1, 4] {
            save_corrupted(folder.path(), COUNT, kind, severity);
            let wanted = ranks(folder.path(), "corrupted", &labels);
            let right = wanted.iter().filter(|rank| **rank == 1).count();
            assert!(right > 0 && right < COUNT);
            let mut all = found.accuracies.iter();
            let own = all.find(|own| own.kind == kind.name() && own.severity == severity);
            let own = own.unwrap();
            assert_eq!(own.images, COUNT);
            assert!(
                (own.top1 - right as f64 / COUNT as f64).abs() < 1e-12,
                "{kind:?} {severity}"
            );
            if severity > 0 {
                let own = stored.chunks_exact(5).map(|row| row[column] as usize);
                assert_eq!(own.collect::<Vec<_>>(), wanted, "{kind:?} {severity}");
                assert_ne!(wanted, clean_ranks);
                column += 1;
            }
        }
    }
    assert_eq!(found.strips.len(), 2);
    let strip = &output.tensors[&found.strips[0].tensor];
    assert_eq!(strip.shape, [6, 32, 32, 3]);
    let size = 32 * 32 * 3;
    assert_eq!(&strip.bytes().unwrap()[..size], wavy(0).as_raw().as_slice());
}

#[test]
fn a_share_of_the_images_is_corrupted_and_wrong_options_are_errors() {
    let folder = folder();
    let results = run(
        folder.path(),
        "collection: {labels: truth.csv}\nmethods: [{evaluate: {corruptions: {kinds: [contrast], share: 0.4}}}]\n",
    );
    let corruptions = results
        .evaluation
        .as_ref()
        .unwrap()
        .corruptions
        .as_ref()
        .unwrap();
    let images: Vec<usize> = corruptions
        .accuracies
        .iter()
        .map(|own| own.images)
        .collect();
    assert!(
        images
            .iter()
            .all(|own| *own == images[0] && (4..=20).contains(own)),
        "{images:?}"
    );
    for (options, said) in [
        ("[frost]", "frost"),
        ("[contrast, contrast]", "`contrast` is there twice"),
        (
            "{kinds: [contrast], severities: [6]}",
            "`severities` must be 1 to 5, got 6",
        ),
        (
            "{kinds: [contrast], severities: []}",
            "`severities` must have 1 or more entries",
        ),
        (
            "{kinds: [contrast], share: 0}",
            "`share` must be above 0 and at most 1, got 0",
        ),
        ("{kind: [contrast]}", "kind"),
    ] {
        let spec = folder.path().join("wrong.yaml");
        let text = format!(
            "title: T\nmodels: [{{weights: softmax.pt2}}]\ncollection: {{labels: truth.csv}}\n\
             methods: [{{evaluate: {{corruptions: {options}}}}}]\n"
        );
        fs::write(&spec, text).unwrap();
        let error = SpecFile::read(&spec).unwrap_err();
        assert!(
            error.full_message().contains(said),
            "{}",
            error.full_message()
        );
    }
}

/// The classes of an image of [`several_classes`].
fn classes_of(index: usize) -> Vec<usize> {
    let classes = 0..2;
    classes
        .filter(|class| index.is_multiple_of(class + 2))
        .collect()
}

/// A folder with a CSV of several classes and a value for each image, and the networks for them.
fn several_classes() -> tempfile::TempDir {
    let folder = folder();
    let mut table = "path,class,value\n".to_owned();
    for index in 0..IMAGES {
        let names: Vec<&str> = classes_of(index)
            .iter()
            .map(|class| CLASSES[*class])
            .collect();
        table += &format!(
            "photos/{index:02}.png,{},{}\n",
            names.join("|"),
            index * index % 17
        );
    }
    fs::write(folder.path().join("several.csv"), table).unwrap();
    let targets = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/targets");
    fs::write(folder.path().join("four.txt"), "circle\nsquare\nline\ndot").unwrap();
    for name in ["sigmoids.pt2", "one_number.pt2"] {
        fs::copy(targets.join(name), folder.path().join(name)).unwrap();
    }
    folder
}

#[test]
fn independent_classes_and_values_are_scored_by_ranking_and_by_distance() {
    let folder = several_classes();
    let classes = classes_of;
    let models = "title: T\nmodels:\n  - {weights: sigmoids.pt2, labels: four.txt, preprocess: {preset: unit, resize: none, crop: none}}\n  - {weights: one_number.pt2, task: regression, preprocess: {preset: unit, resize: none, crop: none}}\n";
    let output = run_text(
        folder.path(),
        &format!("{models}collection: {{labels: several.csv, dir: .}}\nmethods: [evaluate]\n"),
    );
    let single = run_text(
        folder.path(),
        &format!("{models}images: [{{dir: photos}}]\n"),
    );
    let logits = |model: &str, index: usize| -> Vec<f32> {
        let key = format!("{model}/{index:02}/logits");
        single.tensors[&key].floats().unwrap().to_vec()
    };
    let evaluation = output.results.evaluation.as_ref().unwrap();
    assert!(evaluation.models.is_empty() && evaluation.pairs.is_empty());
    assert_eq!(evaluation.images, IMAGES);
    let found = &evaluation.multi_label[0];
    let labelled: Vec<usize> = (0..IMAGES)
        .filter(|own| !classes(*own).is_empty())
        .collect();
    let scores: Vec<f32> = labelled
        .iter()
        .flat_map(|own| logits("sigmoids", *own))
        .collect();
    let positive = labelled
        .iter()
        .flat_map(|own| (0..4).map(|class| classes(*own).contains(&class)));
    let wanted = multi_label_scores(&scores, &positive.collect::<Vec<_>>(), 4).unwrap();
    assert_eq!(found.images, labelled.len());
    let close = |a: Option<f64>, b: Option<f64>| (a.unwrap() - b.unwrap()).abs() < 1e-9;
    assert!(close(
        found.mean_average_precision,
        wanted.mean_average_precision
    ));
    assert!(close(found.mean_auroc, wanted.mean_auroc));
    // No image has the third or the fourth class.
    assert_eq!(found.classes.len(), 2);
    for (class, own) in found.classes.iter().enumerate() {
        assert_eq!(own.class, CLASSES[class]);
        assert!(close(
            own.average_precision,
            wanted.average_precision[class]
        ));
        assert!(close(own.auroc, wanted.auroc[class]));
    }
    let found = &evaluation.regression[0];
    let truth: Vec<f64> = (0..IMAGES)
        .map(|index| (index * index % 17) as f64)
        .collect();
    let predicted = (0..IMAGES).map(|index| f64::from(logits("one_number", index)[0]));
    let wanted = regression_scores(&truth, &predicted.collect::<Vec<_>>()).unwrap();
    assert_eq!(found.images, IMAGES);
    let near =
        |a: Option<f64>, b: Option<f64>| (a.unwrap() - b.unwrap()).abs() < 1e-5 * b.unwrap().abs();
    assert!(near(found.outputs[0].r_squared, wanted.r_squared));
    assert!(near(
        found.outputs[0].mean_absolute_error,
        wanted.mean_absolute_error
    ));
    assert!(near(found.outputs[0].pearson, wanted.pearson));
    let page = convscope::report::render(&output.results, &output.tensors, &Default::default());
    let page = page.unwrap();
    assert!(page.contains("Mean average precision") && page.contains("Pearson"));
    assert!(page.contains("Predicted over true values: output"));
}

#[test]
fn networks_with_other_names_for_the_same_classes_are_compared_by_imagenets_ids() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("short.txt"), "tench\ngoldfish\njeep\n").unwrap();
    fs::write(
        path("long.txt"),
        "Tench, Tinca tinca\ngoldfish, Carassius auratus\njeep, landrover\n",
    )
    .unwrap();
    let wnids = ["n01440764", "n01443537", "n03594945"];
    let mut table = "path,class\n".to_owned();
    for index in 0..IMAGES {
        table += &format!("photos/{index:02}.png,{}\n", wnids[index % 3]);
    }
    fs::write(path("wnids.csv"), table).unwrap();
    let evaluate = |second: &str| {
        let text = format!(
            "title: T\nmodels:\n  - {{id: a, weights: softmax.pt2, labels: short.txt, preprocess: {{preset: unit, resize: none, crop: none}}}}\n  - {{id: b, weights: log_softmax.pt2, labels: {second}, preprocess: {{preset: unit, resize: none, crop: none}}}}\ncollection: {{labels: wnids.csv, dir: .}}\nmethods: [evaluate]\n"
        );
        run_text(folder.path(), &text).results.evaluation.unwrap()
    };
    let (same, other) = (evaluate("short.txt"), evaluate("long.txt"));
    assert_eq!((same.images, other.images), (IMAGES, IMAGES));
    assert_eq!(same.pairs[0].images, IMAGES);
    assert!(same.pairs[0].kappa.is_some());
    assert_eq!(same.pairs[0].kappa, other.pairs[0].kappa);
    assert_eq!(
        other.models[1].matrix.as_ref().unwrap().names,
        ["tench", "goldfish", "jeep"]
    );
}
