//! `precision: bf16`: maps stay close to those in float32, predictions and single gradients are the same to the last bit, the
//! report says what was computed how, and wrong values are refused.

use std::path::Path;

use convscope::compare::spearman;
use convscope::progress::Silent;
use convscope::run::{self, RunOptions, RunOutput};
use convscope::spec::SpecFile;

const PHOTO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/input_224.png");

const METHODS: &str = "[{occlusion: {window: 48, stride: 24}}, {rise: {masks: 24}}, {score_cam: {channels: 16}}, \
     {smoothgrad: {samples: 4}}, {integrated_gradients: {steps: 8}}, saliency, grad_cam, activations]";

fn run_with(precision: &str, cache: &Path) -> RunOutput {
    let text = format!(
        "title: T\nmodels: [{{id: net, arch: resnet18, weights: random}}]\nimages: [{PHOTO}]\n\
         {precision}\nmethods: {METHODS}\nchecks: [curves]\n"
    );
    let spec = SpecFile::parse("spec.yaml", &text).unwrap();
    let options = RunOptions {
        cache: Some(cache.to_owned()),
        ..RunOptions::default()
    };
    run::run_spec(&spec, &options, &Silent).unwrap()
}

/// The map of a method.
fn map<'a>(output: &'a RunOutput, method: &str) -> &'a [f32] {
    let part = format!("/{method}/");
    let mut found = output.tensors.iter();
    let found = found.find(|(key, _)| key.contains(&part) && !key.ends_with("/raw"));
    found
        .unwrap_or_else(|| panic!("no {method}"))
        .1
        .floats()
        .unwrap()
}

fn notes(output: &RunOutput, method: &str) -> Vec<String> {
    let figures = output
        .results
        .figures
        .iter()
        .filter(|figure| figure.method == method);
    figures
        .flat_map(|figure| figure.notes.iter().map(|note| note.key.clone()))
        .collect()
}

#[test]
fn maps_are_close_and_what_is_not_asked_for_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let exact = run_with("precision: float32", folder.path());
    let rounded = run_with("precision: bf16", folder.path());
    let both = run_with("precision: {passes: bf16, gradients: bf16}", folder.path());
    assert!(exact.results.failures.is_empty() && both.results.failures.is_empty());
    for method in ["occlusion", "rise", "score_cam"] {
        let (a, b) = (map(&exact, method), map(&rounded, method));
        assert_ne!(a, b, "{method}");
        let similarity = spearman(a, b).unwrap();
        assert!(similarity > 0.9, "{method}: {similarity}");
        assert!(
            notes(&rounded, method).contains(&"note.bf16".to_owned()),
            "{method}"
        );
        assert!(notes(&exact, method).is_empty(), "{method}");
    }
    for method in ["smoothgrad", "integrated_gradients"] {
        let (a, b) = (map(&exact, method), map(&rounded, method));
        let gradients = |note: &String| note == "note.bf16";
        if method == "smoothgrad" {
            assert_eq!(a, b);
        }
        assert!(!notes(&rounded, method).iter().any(gradients), "{method}");
        let c = map(&both, method);
        assert_ne!(a, c, "{method}");
        let similarity = spearman(a, c).unwrap();
        assert!(similarity > 0.8, "{method}: {similarity}");
        assert!(notes(&both, method).iter().any(gradients), "{method}");
    }
    for method in ["saliency", "grad_cam", "activations"] {
        assert_eq!(map(&exact, method), map(&both, method), "{method}");
        assert!(notes(&both, method).is_empty(), "{method}");
    }
    let predictions =
        |output: &RunOutput| serde_json::to_string(&output.results.predictions).unwrap();
    assert_eq!(predictions(&exact), predictions(&both));
    // Two runs, one result.
    let again = tempfile::tempdir().unwrap();
    let again = run_with("precision: bf16", again.path());
    assert_eq!(again.tensors, rounded.tensors);
}

#[test]
fn the_lock_and_the_report_say_the_precision() {
    let folder = tempfile::tempdir().unwrap();
    let output = run_with("precision: {passes: bf16, gradients: bf16}", folder.path());
    let page =
        convscope::report::render(&output.results, &output.tensors, &Default::default()).unwrap();
    assert!(
        page.contains(
            "Passes over many inputs: bf16; gradients with respect to many inputs: bf16."
        )
    );
    let text = serde_yaml::to_string(&output.results.experiment).unwrap();
    assert!(
        text.contains("precision:\n  passes: bf16\n  gradients: bf16\n"),
        "{text}"
    );
    let short = run_with("precision: bf16", folder.path());
    let text = serde_yaml::to_string(&short.results.experiment).unwrap();
    assert!(text.contains("precision: bf16\n"), "{text}");
}

#[test]
fn wrong_precisions_are_refused_at_their_place() {
    for (precision, message) in [
        (
            "precision: fp16",
            "`precision` must be `float32` or `bf16`, got `fp16`",
        ),
        (
            "precision: {passes: half}",
            "`passes` must be `float32` or `bf16`, got `half`",
        ),
        (
            "precision: {forward: bf16}",
            "`precision` has no key `forward`",
        ),
        ("precision: 16", "`precision` must be"),
    ] {
        let text = format!(
            "title: T\nmodels: [{{arch: resnet18, weights: random}}]\nimages: [{PHOTO}]\n{precision}\n"
        );
        let error = SpecFile::parse("spec.yaml", &text).unwrap_err();
        let found = error.full_message();
        assert!(found.contains(message), "{found}");
    }
}
