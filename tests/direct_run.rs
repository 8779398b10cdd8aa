//! `convscope run photo.jpg --models … --methods …`, without an experiment file, on the real program.

use std::fs;

use program::{Workspace, flat};

#[path = "common/program.rs"]
mod program;

const NETWORK: &str = "resnet18=random";

#[test]
fn an_image_runs_without_a_file_and_prints_what_it_amounts_to() {
    let workspace = Workspace::new();
    let call = [
        "run",
        "cat.png",
        "photos",
        "--models",
        "resnet18=random,vgg11_bn=random",
        "--methods",
        "saliency,grad_cam",
        "--class",
        "281",
        "--class",
        "tiger cat",
    ];
    let output = workspace.call(&call);
    assert_eq!(output.code, 0, "{}", output.err);
    assert_eq!(output.out, "output/cat/report.html\n");
    let expected = "\
title: resnet18 and vgg11_bn on cat.png and photos
models:
- arch: resnet18
  weights: random
- arch: vgg11_bn
  weights: random
images:
- cat.png
- dir: photos
classes:
- 281
- tiger cat
methods:
- saliency
- grad_cam
";
    assert!(output.err.contains(expected), "{}", output.err);
    let results = fs::read(workspace.path("output/cat/results.json")).unwrap();

    // The YAML alone goes to stdout; its run gives the same results.
    let output = workspace.call(&[&call[..], &["--print-spec"]].concat());
    assert_eq!((output.code, &*output.err), (0, ""));
    assert_eq!(output.out, expected);
    workspace.write("again.yaml", output.out);
    let output = workspace.call(&["run", "again.yaml"]);
    assert_eq!(output.code, 0, "{}", output.err);
    let again = fs::read(workspace.path("output/again/results.json")).unwrap();
    assert!(results == again, "the results differ");
    // `--quiet` leaves the path alone.
    let output = workspace.call(&["-q", "run", "cat.png", "--models", NETWORK, "--out", "o"]);
    assert_eq!((&*output.out, &*output.err), ("o/cat/report.html\n", ""));
}

#[test]
fn networks_from_files_and_other_keys() {
    let workspace = Workspace::new();
    let tests = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    fs::copy(
        tests.join("exported/convolutional.pt2"),
        workspace.path("net.pt2"),
    )
    .unwrap();
    let output = workspace.call(&[
        "run",
        "cat.png",
        "--models",
        "net.pt2",
        "--set",
        "seed=5",
        "--title",
        "Mine: a network",
        "--methods",
        "saliency",
    ]);
    assert_eq!(output.code, 0, "{}", output.err);
    assert!(
        output.err.contains("title: 'Mine: a network'"),
        "{}",
        output.err
    );
    assert!(output.err.contains("seed: 5"), "{}", output.err);
}

#[test]
fn wrong_arguments_have_the_usual_messages_and_leave_nothing() {
    let workspace = Workspace::new();
    workspace.write("spec.yaml", "title: x\n");
    workspace.write("mine.pth", "");
    for (arguments, code, words) in [
        (&["cat.png", "--models", "resnet19"][..], 2, "resnet18"),
        (
            &["cat.png", "--models", NETWORK, "--methods", "grad_cm"],
            2,
            "did you mean `grad_cam`?",
        ),
        (
            &["cat.png", "--models", NETWORK, "--class", "nothing"],
            2,
            "there is no class `nothing`",
        ),
        (
            &["dog.png", "--models", NETWORK],
            2,
            "there is no image dog.png",
        ),
        (
            &["cat.png", "--models", "resnet18=mine.pth"],
            1,
            "mine.pth is empty",
        ),
        (&["cat.png", "--models", "mine.pth"], 1, "mine.pth"),
        (
            &["cat.png", "--models", "resnet18=nowhere.pth"],
            2,
            "there is no weight file nowhere.pth",
        ),
        (
            &["cat.png"],
            2,
            "cat.png is an image, not an experiment file",
        ),
        (
            &["spec.yaml", "--models", NETWORK],
            2,
            "got the experiment file spec.yaml",
        ),
        (&["cat.png", "--methods", "saliency"], 2, "--models"),
        (
            &["cat.png", "--models", NETWORK, "--part", "1/2"],
            2,
            "cannot be used with",
        ),
    ] {
        let output = workspace.call(&[&["run", "--offline"], arguments].concat());
        assert_eq!(output.code, code, "{arguments:?}: {}", output.err);
        let message = flat(&output.err);
        assert!(message.contains(words), "{arguments:?}: {message}");
        assert!(!message.contains("panicked"), "{message}");
        assert!(
            !workspace.path("output").exists(),
            "{arguments:?} wrote something"
        );
    }
}
