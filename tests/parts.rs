//! A collection in parts: the joined results have the bytes of one run, whatever the number of parts, and parts that do
//! not belong together are refused.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use convscope::error::{Error, ErrorKind, Result};
use convscope::plan::Plan;
use convscope::progress::{Progress, ProgressUnit, Silent};
use convscope::run::{self, Part, RunOptions, RunOutput};
use convscope::spec::SpecFile;
use image::{Rgb, RgbImage};

/// More than four blocks of 64 images.
const COUNT: u32 = 270;

const METHODS: &str = "  - evaluate: {gallery: 2, corruptions: {kinds: [contrast, shot_noise], severities: [3], share: 0.1}}
  - exemplars: {layers: [stage3, penultimate], units: {class: tench, count: 3}, per_image: 2, maximize: 0}
  - maximize: {layers: [stage3], units: 2, classes: 2, steps: 2}
  - tsne: {layers: [penultimate], epochs: 20}
  - cka: {layers: [stage2, penultimate]}
  - layer_statistics: {layers: [stage2, penultimate]}
";

/// Small images in two folders of classes, one of them unreadable.
fn collection(folder: &Path) {
    for class in ["tench", "goldfish"] {
        std::fs::create_dir_all(folder.join("photos").join(class)).unwrap();
    }
    for number in 0..COUNT {
        let class = if number % 3 == 0 { "tench" } else { "goldfish" };
        let path = folder.join(format!("photos/{class}/{number:03}.png"));
        let image = RgbImage::from_fn(32, 32, |x, y| {
            let wave = |k: u32| ((x * (1 + number % 7) * k + y * (1 + number % 5)) % 256) as u8;
            Rgb([wave(3), (number * 37 % 256) as u8, wave(7)])
        });
        image.save(path).unwrap();
    }
    std::fs::write(folder.join("photos/tench/102.png"), "no image").unwrap();
}

fn spec(folder: &Path, methods: &str) -> SpecFile {
    let text = format!(
        "title: T\nseed: 3\nmodels:\n\
         \x20 - {{arch: resnet18, weights: random, preprocess: {{resize: 32, crop: 32}}}}\n\
         \x20 - {{id: other, arch: vgg11, weights: random, preprocess: {{resize: 32, crop: 32}}}}\n\
         collection: photos\nmethods:\n{methods}"
    );
    let path = folder.join("spec.yaml");
    std::fs::write(&path, text).unwrap();
    SpecFile::read(&path).unwrap()
}

/// Nothing that one run stores in the cache is found by another.
fn options(folder: &Path, cache: &str) -> RunOptions {
    RunOptions {
        offline: true,
        cache: Some(folder.join(cache)),
        checkpoint_interval: Duration::ZERO,
        ..RunOptions::default()
    }
}

fn plan(spec: &SpecFile, options: &RunOptions) -> Plan {
    Plan::new(spec, &options.cache().unwrap(), &Silent).unwrap()
}

fn part(text: &str) -> Part {
    text.parse().unwrap()
}

fn run_part(folder: &Path, spec: &SpecFile, number: &str, output: &str) -> Result<PathBuf> {
    let options = options(folder, &format!("cache-{}", number.replace('/', "-")));
    let plan = plan(spec, &options);
    run::run_part(&plan, part(number), &options, &folder.join(output), &Silent)
}

fn merge(folder: &Path, spec: &SpecFile, output: &str) -> Result<RunOutput> {
    let options = options(folder, &format!("cache-of-{output}"));
    run::merge(
        &plan(spec, &options),
        &options,
        &folder.join(output),
        &Silent,
    )
}

fn assert_same(joined: &RunOutput, whole: &RunOutput) {
    let json = |output: &RunOutput| serde_json::to_string_pretty(&output.results).unwrap();
    assert_eq!(json(joined), json(whole));
    let keys = |output: &RunOutput| output.tensors.keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(joined), keys(whole));
    assert!(joined.tensors == whole.tensors);
}

/// Interrupts the run at the image `at`.
#[derive(Default)]
struct Interrupts {
    at: u64,
    done: AtomicU64,
}

impl Progress for Interrupts {
    fn step(&self, _: &str) {}

    fn advance(&self, done: u64, _: Option<u64>, _: ProgressUnit) {
        self.done.store(done, Ordering::SeqCst);
    }

    fn interrupted(&self) -> bool {
        self.done.load(Ordering::SeqCst) >= self.at
    }
}

#[test]
fn joined_parts_have_the_bytes_of_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    collection(folder);
    let spec = spec(folder, METHODS);
    let whole = run::run_spec(&spec, &options(folder, "cache"), &Silent).unwrap();
    let results = &whole.results;
    assert!(results.failures.is_empty(), "{:?}", results.failures);
    let unreadable = &results.collection.as_ref().unwrap().unreadable;
    assert_eq!(unreadable.len(), 1);
    assert!(unreadable[0].source.ends_with("102.png"));
    assert_eq!(results.evaluation.as_ref().unwrap().images, 269);
    for (output, parts) in [("two", 2), ("seven", 7)] {
        // The order in which the parts are run does not matter.
        for number in (1..=parts).rev() {
            let path = run_part(folder, &spec, &format!("{number}/{parts}"), output).unwrap();
            assert!(path.starts_with(folder.join(output).join(run::PARTS)));
        }
        assert_same(&merge(folder, &spec, output).unwrap(), &whole);
        let names = std::fs::read_dir(folder.join(output).join("parts")).unwrap();
        assert_eq!(names.count(), parts);
    }
}

#[test]
fn an_interrupted_part_goes_on_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    collection(folder);
    let spec = spec(folder, METHODS);
    let options_of = options(folder, "cache");
    let plan = plan(&spec, &options_of);
    let whole = run::run_spec(&spec, &options(folder, "other"), &Silent).unwrap();
    let output = folder.join("out");
    let run_second =
        |progress: &dyn Progress| run::run_part(&plan, part("2/2"), &options_of, &output, progress);
    run::run_part(&plan, part("1/2"), &options_of, &output, &Silent).unwrap();
    let interrupts = Interrupts {
        at: 40,
        ..Interrupts::default()
    };
    let error = run_second(&interrupts).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    assert_eq!(
        error.message(),
        "interrupted after 40 of 142 images of the collection"
    );
    assert_eq!(
        message(run::merge(&plan, &options_of, &output, &Silent)),
        "part 2 of 2 is not complete: 40 of its 142 images are done"
    );
    let missing = run::missing_parts(&plan, &output, 2).unwrap();
    assert_eq!(missing, [part("2/2")]);
    // What was written after the last state does not count.
    for entry in std::fs::read_dir(output.join("parts/part-2-of-2")).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "rows")
        {
            let mut bytes = std::fs::read(&path).unwrap();
            bytes.extend([7; 1000]);
            std::fs::write(&path, bytes).unwrap();
        }
    }
    run_second(&Silent).unwrap();
    assert!(run::missing_parts(&plan, &output, 2).unwrap().is_empty());
    assert_same(
        &run::merge(&plan, &options_of, &output, &Silent).unwrap(),
        &whole,
    );
    // A part that is complete is not computed again.
    run_second(&interrupts_at_once()).unwrap();
}

fn interrupts_at_once() -> Interrupts {
    Interrupts::default()
}

fn message(result: Result<RunOutput>) -> String {
    let error = result.unwrap_err();
    assert_eq!(error.exit_code(), 2, "{}", error.full_message());
    error.message().to_owned()
}

/// The files below a folder, by path.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = walkdir::WalkDir::new(folder).into_iter();
    let files = entries.map(|entry| entry.unwrap().into_path());
    files
        .filter(|path| path.is_file())
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .collect()
}

#[test]
fn parts_that_do_not_belong_together_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    collection(folder);
    let methods = "  - evaluate\n  - tsne: {layers: [penultimate], epochs: 20}\n";
    let first = spec(folder, methods);
    let merged = || merge(folder, &first, "out");
    let refused = |wanted: &str| {
        let found = message(merged());
        assert!(found.contains(wanted), "{found}");
    };
    refused("there are no parts in");
    run_part(folder, &first, "1/3", "out").unwrap();
    refused("lacks parts: 2/3, 3/3");
    run_part(folder, &first, "2/3", "out").unwrap();
    run_part(folder, &first, "3/3", "out").unwrap();
    assert!(merged().unwrap().results.failures.is_empty());
    let parts = folder.join("out/parts");
    let before = files(&parts);
    let restore = || {
        std::fs::remove_dir_all(&parts).unwrap();
        for (path, bytes) in &before {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
    };
    // A part of another experiment.
    let other = spec(folder, "  - evaluate: {gallery: 3}\n");
    run_part(folder, &other, "2/3", "out").unwrap();
    refused("part 2 of 3 in");
    refused("is of another experiment");
    assert_eq!(
        run::missing_parts(
            &plan(&first, &options(folder, "cache")),
            &folder.join("out"),
            3
        )
        .unwrap(),
        [part("2/3")]
    );
    restore();
    // A part under the name of another.
    std::fs::remove_dir_all(parts.join("part-3-of-3")).unwrap();
    std::fs::create_dir(parts.join("part-3-of-3")).unwrap();
    for entry in std::fs::read_dir(parts.join("part-1-of-3")).unwrap() {
        let path = entry.unwrap().path();
        let copy = parts.join("part-3-of-3").join(path.file_name().unwrap());
        std::fs::copy(path, copy).unwrap();
    }
    refused("part 3 of 3 in");
    refused("is of other images: 0 to 64 instead of 192 to 270");
    // The same part twice.
    restore();
    std::fs::rename(parts.join("part-2-of-3"), parts.join("part-02-of-3")).unwrap();
    assert!(merged().is_ok());
    std::fs::create_dir(parts.join("part-2-of-3")).unwrap();
    refused("part 2 of 3 is there twice");
    // A file of rows that was cut short, and one that was changed.
    restore();
    let rows = before
        .keys()
        .find(|path| path.ends_with("1-codes-flatten.rows"));
    let rows = rows.unwrap_or_else(|| panic!("{:?}", before.keys()));
    std::fs::write(rows, &before[rows][..1000]).unwrap();
    let error: Error = merged().unwrap_err();
    assert!(error.message().contains("it was cut short"), "{error}");
    let mut changed = before[rows].clone();
    changed[77] ^= 1;
    std::fs::write(rows, changed).unwrap();
    let error: Error = merged().unwrap_err();
    assert!(error.message().contains("is damaged"), "{error}");
    // Another collection.
    restore();
    std::fs::remove_file(folder.join("photos/tench/003.png")).unwrap();
    refused("is of another collection");
}

#[test]
fn an_experiment_that_searches_no_collection_has_no_parts() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    collection(folder);
    let text = "title: T\nmodels: [{arch: resnet18, weights: random}]\nimages: [photos/tench/000.png]\nmethods: [saliency]\n";
    std::fs::write(folder.join("spec.yaml"), text).unwrap();
    let spec = SpecFile::read(&folder.join("spec.yaml")).unwrap();
    let error = run_part(folder, &spec, "1/2", "out").unwrap_err();
    assert!(
        error
            .message()
            .starts_with("no method of the experiment searches a collection")
    );
    assert_eq!(error.exit_code(), 2);
}
