//! Notebooks: the file that `run --notebook` writes, and the stored outputs of the example notebooks.
//!
//! Whether the cells run is tested by `make notebooks`, in the real kernel.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

mod common;

const SPEC: &str = "\
title: Two methods
question: Where?
models: [{arch: resnet18, weights: random, preprocess: {resize: 64, crop: 64}}]
images: [cat.png]
methods: [saliency, grad_cam, {filters: {layers: [first], count: 4}}]
";

fn run(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let done = assert_cmd::Command::cargo_bin("convscope")
        .unwrap()
        .current_dir(folder)
        .env("CONVSCOPE_CACHE", folder.join("cache"))
        .env("NO_COLOR", "1")
        .args(["run", "--offline", "specs/two.yaml"])
        .args(arguments)
        .output()
        .unwrap();
    let code = done.status.code().expect("no signal");
    (code, String::from_utf8(done.stderr).unwrap())
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("specs")).unwrap();
    fs::write(folder.path().join("specs/two.yaml"), SPEC).unwrap();
    let image = image::RgbImage::from_fn(80, 70, |x, y| image::Rgb([x as u8, y as u8, 90]));
    image.save(folder.path().join("specs/cat.png")).unwrap();
    folder
}

/// A list of lines as one text.
fn joined(value: &Value) -> String {
    let lines = value.as_array().expect("lines");
    lines.iter().map(|line| line.as_str().unwrap()).collect()
}

#[test]
fn a_run_becomes_a_notebook_with_the_calls_and_the_figures() {
    let folder = folder();
    let (code, err) = run(folder.path(), &["--notebook", "books/two.ipynb"]);
    assert_eq!(code, 0, "{err}");
    let path = folder.path().join("books/two.ipynb");
    let bytes = fs::read(&path).unwrap();
    let notebook: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(notebook["metadata"]["kernelspec"]["name"], "convscope");
    let cells = notebook["cells"].as_array().unwrap();
    assert_eq!(joined(&cells[0]["source"]), "# Two methods\n\nWhere?");
    assert!(joined(&cells[1]["source"]).starts_with(":dep convscope = "));
    let experiment = joined(&cells[2]["source"]);
    assert!(experiment.contains(SPEC.trim_end()), "{experiment}");
    assert!(
        experiment.contains(".with_path(\"../specs/two.yaml\")"),
        "{experiment}"
    );
    let mut shown = Vec::new();
    let framed = regex::Regex::new("srcdoc=\"[^\"]*\"").unwrap();
    for cell in &cells[2..] {
        let outputs = cell["outputs"].as_array().unwrap();
        assert_eq!(outputs.len(), 1);
        let data = outputs[0]["data"].as_object().unwrap();
        let types: Vec<&str> = data.keys().map(String::as_str).collect();
        assert_eq!(types, ["text/html", "text/plain"]);
        let html = joined(&data["text/html"]);
        let outside = framed.replace_all(&html, "").into_owned();
        for leak in ["<style", "<script", "<link", " id="] {
            assert!(!outside.contains(leak), "{leak} in {outside:.2000}");
        }
        shown.push((joined(&cell["source"]), html));
    }
    let html = |call: &str| {
        let found = shown.iter().find(|(source, _)| source.contains(call));
        &found.unwrap_or_else(|| panic!("no cell {call}")).1
    };
    for call in [
        "figures(\"saliency\")",
        "figures(\"grad_cam\")",
        "figures(\"filters\")",
    ] {
        assert!(html(call).contains("data:image/png;base64,"), "{call}");
    }
    assert!(html("figures(\"grad_cam\")").contains("data:image/jpeg;base64,"));
    assert!(html("report.predictions()").contains("<table"));
    let (last, page) = shown.last().unwrap();
    assert_eq!(last, "report");
    assert!(page.starts_with("<iframe") && page.contains("srcdoc=\"&lt;!doctype html&gt;"));

    run(
        folder.path(),
        &["--notebook", "books/two.ipynb", "--no-cache"],
    );
    assert_eq!(fs::read(&path).unwrap(), bytes, "the same bytes twice");
}

#[test]
fn a_notebook_has_a_name_and_one_spec() {
    let folder = folder();
    let (code, err) = run(folder.path(), &["--notebook", "two.html"]);
    assert_eq!(code, 2);
    assert!(err.contains("must end in .ipynb, got two.html"), "{err}");
    let (code, err) = run(folder.path(), &["specs", "--notebook", "two.ipynb"]);
    assert_eq!(code, 2);
    assert!(err.contains("needs one experiment file, got 2"), "{err}");
    assert!(!folder.path().join("output").exists());
}

/// The notebooks in the repository have outputs, with images that a code host displays.
#[test]
fn the_example_notebooks_hold_their_outputs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let done = Command::new("python3")
        .arg(root.join("scripts/notebooks.py"))
        .arg("--stored")
        .output();
    let Ok(done) = done else {
        return common::skip("the stored notebooks", "python3 is missing", true);
    };
    let message = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{message}");
}
