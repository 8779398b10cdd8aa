//! `convscope diff` on the real program: two runs of a network, one page.

use std::fs;

use program::{Workspace, flat};
use regex::Regex;

#[path = "common/program.rs"]
mod program;

const FIRST: &str = "\
title: Before
models:
  - {id: net, arch: resnet18, weights: random, preprocess: {resize: 64, crop: 64}}
images:
  - {path: cat.png, class: tabby}
  - photos/dog.png
classes: [281]
methods: [saliency, {grad_cam: {layers: [layer4.0.conv2]}}, occlusion]
";

/// Runs two experiments of one network: as it is, and with another network under the same id.
fn runs(workspace: &Workspace) {
    workspace.write("before.yaml", FIRST);
    let after = FIRST
        .replace("Before", "After")
        .replace("resnet18", "resnet34");
    let after = after.replace(", occlusion", ", input_x_gradient");
    let after = after.replace("photos/dog.png", "photos/other.png");
    workspace.draw("photos/other.png", 5);
    workspace.write("after.yaml", after);
    for name in ["before.yaml", "after.yaml"] {
        let output = workspace.call(&["run", name]);
        assert_eq!(output.code, 0, "{}", output.err);
    }
}

#[test]
fn two_runs_are_compared_in_one_page() {
    let workspace = Workspace::new();
    runs(&workspace);
    let output = workspace.call(&["diff", "output/before", "output/after"]);
    assert_eq!((output.code, &*output.err), (0, ""));
    assert_eq!(output.out, "output/before-after/report.html\n");
    let page = fs::read_to_string(workspace.path("output/before-after/report.html")).unwrap();
    assert!(page.contains("<h1>before and after</h1>"));
    // The network by its id, with both architectures.
    let networks = page.split("<h2 id=\"networks\">").nth(1).unwrap();
    assert!(networks.contains("resnet18, random") && networks.contains("resnet34, random"));
    // Saliency and Grad-CAM for the image that both have: each map of either run, and their difference.
    assert_eq!(page.matches("<section class=\"photo\"").count(), 1);
    assert_eq!(page.matches("data:image&#x2f;png").count(), 6);
    assert_eq!(page.matches("data:image&#x2f;jpeg").count(), 1);
    assert_eq!(page.matches("rank correlation").count(), 2);
    // A class's change is the difference of its probabilities.
    let row = Regex::new(
        "<tr><td>tabby[^<]*</td><td>([0-9.]+)\u{a0}%</td><td>([0-9.]+)\u{a0}%</td><td>([+−]?[0-9.]+)</td></tr>",
    );
    let row = row.unwrap().captures(&page).expect("the label's row");
    let number = |index: usize| row[index].replace('−', "-").parse::<f64>().unwrap();
    assert!(
        (number(2) - number(1) - number(3)).abs() < 0.11,
        "{}",
        &row[0]
    );
    // What only one has.
    let before = page.split("Only in before").nth(1).unwrap();
    let (before, after) = before.split_once("Only in after").unwrap();
    assert!(
        before.contains("the image dog") && before.contains("net, cat, Occlusion"),
        "{before}"
    );
    assert!(
        after.contains("the image other") && after.contains("Input × gradient"),
        "{after}"
    );
    // It loads nothing and runs nothing.
    assert!(!page.contains("<script") && !page.contains("src=\"http") && !page.contains("url("));
    // The same bytes again, elsewhere.
    let again = workspace.call(&["diff", "output/before", "output/after", "--out", "d"]);
    assert_eq!(again.out, "d/report.html\n");
    assert!(page == fs::read_to_string(workspace.path("d/report.html")).unwrap());
}

#[test]
fn a_run_with_itself_has_no_difference() {
    let workspace = Workspace::new();
    runs(&workspace);
    let output = workspace.call(&["diff", "output/before", "output/before", "--out", "d"]);
    assert_eq!(output.code, 0, "{}", output.err);
    let page = fs::read_to_string(workspace.path("d/report.html")).unwrap();
    let correlations = page.matches("rank correlation").count();
    assert_eq!(correlations, page.matches("rank correlation 1.00").count());
    assert!(correlations >= 4, "{correlations}");
    assert!(!page.contains("Only in"));
    let difference = page
        .matches("<br><span class=\"quiet\">0 to 0</span>")
        .count();
    assert!(difference >= correlations, "{difference}");
}

#[test]
fn runs_that_can_t_be_compared_are_errors_and_nothing_is_written() {
    let workspace = Workspace::new();
    runs(&workspace);
    let results = fs::read_to_string(workspace.path("output/before/results.json")).unwrap();
    let copy = |name: &str, text: String| {
        fs::create_dir_all(workspace.path(name)).unwrap();
        fs::copy(
            workspace.path("output/before/data.safetensors"),
            workspace.path(name).join("data.safetensors"),
        )
        .unwrap();
        fs::write(workspace.path(name).join("results.json"), text).unwrap();
    };
    let version = env!("CARGO_PKG_VERSION");
    copy(
        "old",
        results.replacen(
            &format!("\"convscope\": \"{version}\""),
            "\"convscope\": \"0.0.9\"",
            1,
        ),
    );
    for (first, second, out, words) in [
        (
            "output/before",
            "nowhere",
            "d",
            "can't read nowhere/results.json",
        ),
        (
            "output/before",
            "old",
            "d",
            "the runs must be of one version of convscope",
        ),
        (
            "output/before",
            "output/after",
            "output/after",
            "`--out` must be another folder",
        ),
    ] {
        let output = workspace.call(&["diff", first, second, "--out", out]);
        assert_ne!(output.code, 0, "{first} {second}");
        let message = flat(&output.err);
        assert!(message.contains(words), "{message}");
        assert!(!workspace.path("d").exists());
    }
    // Several networks, none with the same id.
    let second = "  - {id: second, arch: vgg11, weights: random, preprocess: {resize: 64, crop: 64}}\nimages:";
    let two = FIRST
        .replace("images:", second)
        .replace("id: net", "id: first")
        .replace("layer4.0.conv2", "last");
    workspace.write("two.yaml", two);
    assert_eq!(workspace.call(&["run", "two.yaml"]).code, 0);
    let output = workspace.call(&["diff", "output/before", "output/two", "--out", "d"]);
    assert_eq!(output.code, 2);
    assert!(
        flat(&output.err).contains("no network with the same id"),
        "{}",
        output.err
    );
}
