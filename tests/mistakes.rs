//! All mistakes of an experiment file in one call, each at its own place, on the real program.

use program::{Workspace, flat};

#[path = "common/program.rs"]
mod program;

/// Checks the spec, which must be wrong: the places of the errors in their order, and all that was printed.
fn places(workspace: &Workspace, text: &str) -> (Vec<String>, String) {
    workspace.write("spec.yaml", text);
    let output = workspace.call(&["check", "--offline", "spec.yaml"]);
    assert_eq!(output.code, 2, "{}", output.err);
    assert_eq!(output.out, "");
    assert!(!output.err.contains("panicked"), "{}", output.err);
    let places = output.err.split("[spec.yaml:").skip(1);
    let places = places.map(|rest| rest.split(']').next().unwrap_or_default().to_owned());
    let places: Vec<String> = places.collect();
    let last = output.err.trim_end().lines().last().unwrap_or_default();
    if places.len() == 1 {
        assert!(!last.ends_with("errors"), "{}", output.err);
    } else {
        assert_eq!(last, format!("{} errors", places.len()), "{}", output.err);
    }
    // A run says the same and writes nothing.
    let run = workspace.call(&["run", "--offline", "spec.yaml"]);
    assert_eq!((run.code, &run.err), (2, &output.err));
    assert!(!workspace.path("output").exists());
    (places, flat(&output.err))
}

#[test]
fn mistakes_of_every_stage_are_reported_together() {
    let workspace = Workspace::new();
    let text = "\
title: Everything is wrong
sed: 3
models:
  - {arch: resnet18, weights: random}
  - {arch: resnet18, weigths: random}
  - resnet19
  - {arch: vgg16, weights: nowhere.pth}
  - {id: a b, arch: vgg11, weights: random}
images:
  - cat.png
  - dog.png
  - {path: cat.png, clas: tabby}
  - {dir: nowhere}
methods:
  - saliency
  - grad_cm
  - occlusion: {stride: 0}
  - activations: {layers: [7x]}
  - filters: {count: many}
checks:
  - curvs
  - drop
  - drop
max_size: {megabytes: 0}
";
    let (places, message) = places(&workspace, text);
    let lines: Vec<&str> = places
        .iter()
        .map(|place| place.split(':').next().unwrap())
        .collect();
    assert_eq!(
        lines,
        [
            "2", "5", "6", "7", "8", "11", "12", "13", "16", "17", "18", "18", "19", "21", "23",
            "24"
        ],
        "{message}"
    );
    for words in [
        "did you mean `seed`?",
        "did you mean `weights`?",
        "there is no weight file nowhere.pth",
        "there is no image dog.png",
        "did you mean `class`?",
        "did you mean `grad_cam`?",
        "did you mean `curves`?",
        "`drop` is given twice",
        "`megabytes` must be above 0",
    ] {
        assert!(message.contains(words), "no {words} in {message}");
    }
}

#[test]
fn names_that_only_a_plan_knows_are_reported_together() {
    let workspace = Workspace::new();
    let text = "\
title: Right to read
models:
  - {arch: resnet18, weights: random}
images:
  - {path: cat.png, class: nothing}
  - dog.png
  - photos/cat.png
classes:
  - 100000
  - predicted
  - {a: tabby, instead_of: nowhere}
methods:
  - grad_cam: {layers: [layer9.*, last]}
  - activations: {layers: [stage7]}
";
    let (found, message) = places(&workspace, text);
    let lines: Vec<&str> = found
        .iter()
        .map(|place| place.split(':').next().unwrap())
        .collect();
    // Classes and labels depend on the networks, whose layers are wrong.
    assert_eq!(lines, ["6", "7", "13", "14"], "{message}");
    let text = text.replace("layer9.*, ", "").replace("stage7", "stage1");
    let (found, message) = places(&workspace, &text);
    let lines: Vec<&str> = found
        .iter()
        .map(|place| place.split(':').next().unwrap())
        .collect();
    assert_eq!(lines, ["6", "7", "9", "11"], "{message}");
    let text = text
        .replace("dog.png", "photos/dog.png")
        .replace("  - photos/cat.png\n", "");
    let (found, message) = places(&workspace, &text);
    let lines: Vec<&str> = found
        .iter()
        .map(|place| place.split(':').next().unwrap())
        .collect();
    assert_eq!(lines, ["5", "8", "10"], "{message}");
}

#[test]
fn what_follows_from_a_mistake_is_no_mistake_of_its_own() {
    let workspace = Workspace::new();
    for (text, expected) in [
        // The list is not empty: its entries can't be read.
        (
            "title: x\nmodels: [{arc: resnet18}]\nimages: [{pth: cat.png}]\n",
            &["2:11", "3:11"][..],
        ),
        (
            "title: x\nmodels: [{arch: resnet18, weights: random}]\nimags: [cat.png]\n",
            &["3:1"],
        ),
        ("title: x\nmodel: [resnet18]\nimages: [cat.png]\n", &["2:1"]),
        ("models: [resnet19]\nimages: [cat.png]\n", &["1:1", "1:10"]),
        (
            "title: [x]\nmodels: 3\nimages: 4\nmethods: 5\n",
            &["1:8", "2:9", "3:9", "4:10"],
        ),
        (
            "models: [{arch: resnet18, weights: random}]\n",
            &["1:1", "1:1"],
        ),
        // The class may be one of the network that can't be read.
        (
            "title: x\nmodels: [{arch: resnet18, weights: random}, {arch: 3x}]\nimages: [cat.png]\nclasses: [pothole]\n",
            &["2:52"],
        ),
        // The reference may be the image that can't be read.
        (
            "title: x\nmodels: [{arch: resnet18, weights: random}]\nimages: [photos/dog.png, {path: cat.png, idd: me}]\n\
             classes: [{like: me}]\n",
            &["3:42"],
        ),
    ] {
        let (found, message) = places(&workspace, text);
        assert_eq!(found, expected, "{text}: {message}");
    }
}

#[test]
fn arguments_without_a_file_have_all_their_mistakes_too() {
    let workspace = Workspace::new();
    let output = workspace.call(&[
        "run",
        "cat.png",
        "dog.png",
        "--models",
        "resnet19,vgg16=random",
        "--methods",
        "grad_cm,salency",
    ]);
    assert_eq!(output.code, 2);
    let message = flat(&output.err);
    for words in [
        "resnet19",
        "there is no image dog.png",
        "`grad_cam`",
        "`saliency`",
        "4 errors",
    ] {
        assert!(message.contains(words), "no {words} in {message}");
    }
    assert!(!workspace.path("output").exists());
}

#[test]
fn the_exit_code_is_that_of_the_gravest() {
    let workspace = Workspace::new();
    workspace.write("empty.pth", "");
    let text = "\
title: x
models:
  - {arch: resnet18, weights: empty.pth}
images: [cat.png]
";
    workspace.write("spec.yaml", text);
    assert_eq!(workspace.call(&["check", "spec.yaml"]).code, 1);
    let (found, message) = places(&workspace, &text.replace("cat.png", "dog.png"));
    assert_eq!(found, ["3:31", "4:10"], "{message}");
}
