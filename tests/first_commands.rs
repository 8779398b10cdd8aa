//! The first calls that somebody makes, on the real program: what it prints where nothing reads it, and what it says of a
//! file that is wrong.

use std::process::{Command, Stdio};

use program::{Workspace, flat};

#[path = "common/program.rs"]
mod program;

const ONE: &str = "\
title: One network
models:
  - {id: a, arch: resnet18, weights: random, preprocess: {resize: 64, crop: 64}}
images: [cat.png]
methods: [saliency]
";

/// The exit code of a call whose standard streams are closed at the other end, as by `| head`; both if `with_stderr`.
fn code_of_unread(workspace: &Workspace, arguments: &[&str], with_stderr: bool) -> (i32, String) {
    let closed = || {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        Stdio::from(writer)
    };
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("convscope"));
    command
        .current_dir(workspace.folder.path())
        .env("CONVSCOPE_CACHE", workspace.path("cache"))
        .stdin(Stdio::null())
        .stdout(closed())
        .stderr(Stdio::piped());
    if with_stderr {
        command.stderr(closed());
    }
    let done = command.args(arguments).spawn().unwrap();
    let done = done.wait_with_output().unwrap();
    let code = done.status.code().expect("no signal");
    (code, String::from_utf8(done.stderr).unwrap())
}

#[test]
fn a_closed_stdout_ends_quietly() {
    let workspace = Workspace::new();
    workspace.write("one.yaml", ONE);
    for arguments in [
        &["models"][..],
        &["schema"],
        &["completions", "bash"],
        &["layers", "resnet18"],
        &["check", "one.yaml"],
        &["run", "one.yaml"],
        &["figure", "output/one"],
        &["--help"],
    ] {
        let (code, err) = code_of_unread(&workspace, arguments, false);
        assert_eq!((code, &*err), (0, ""), "{arguments:?}");
    }
    // Its output is complete all the same.
    assert!(workspace.path("output/one/report.html").is_file());
    // An error has its exit code also where nobody reads its message: `2>&1 | head`.
    workspace.write("wrong.yaml", "titel: x\n");
    for (arguments, expected) in [
        (&["check", "wrong.yaml"][..], 2),
        (&["run", "nowhere.yaml"], 2),
        (&["-vv", "run", "one.yaml"], 0),
    ] {
        let (code, _) = code_of_unread(&workspace, arguments, true);
        assert_eq!(code, expected, "{arguments:?}");
    }
}

/// The place that an error of `check` names: `spec.yaml:3:9`.
fn place_of(workspace: &Workspace, text: impl AsRef<[u8]>) -> (String, String) {
    workspace.write("spec.yaml", text);
    let output = workspace.call(&["check", "spec.yaml"]);
    assert_eq!(output.code, 2, "{}", output.err);
    assert!(!output.err.contains("panicked"), "{}", output.err);
    let place = output.err.split("[spec.yaml:").nth(1);
    let place = place.and_then(|rest| rest.split(']').next());
    let place = place.unwrap_or_else(|| panic!("no place in\n{}", output.err));
    (place.to_owned(), flat(&output.err))
}

#[test]
fn yaml_that_no_parser_reads_is_marked_at_its_own_line() {
    let workspace = Workspace::new();
    let start = "title: żółw\nmodels: [resnet18]\n";
    for (rest, place, words) in [
        ("images: [a\u{7}.png]\n", "3:11", "U+0007"),
        ("images: [\u{0}a.png]\n", "3:10", "U+0000"),
        ("images: [\"a\\q.png\"]\n", "3:10", "unknown escape"),
        ("images: \u{feff}a.png\n", "3:9", "U+FEFF"),
        ("images:\n\t- a.png\n", "4:1", "indented by a tab"),
        (
            "images: [\"a.png]\nmethods: [saliency]\n",
            "3:10",
            "close the quote",
        ),
        (
            "images: [a.png\nmethods: [saliency]\n",
            "4:8",
            "illegal placement of ':'",
        ),
        ("images: [a.png]\nmethods\n\n", "4:7", "':'"),
        ("images: [a.png]\n...\nmore\n", "5:1", "document"),
        (": a\n", "3:1", "did not find expected key"),
    ] {
        let (found, message) = place_of(&workspace, format!("{start}{rest}"));
        assert_eq!(found, place, "{rest:?}: {message}");
        assert!(message.contains(words), "{rest:?}: {message}");
    }
    // A mark of the byte order before the text counts for nothing.
    let (found, _) = place_of(&workspace, "\u{feff}title: x\nmodels: [a\u{7}]\n");
    assert_eq!(found, "2:11");
    // More aliases than a reader repeats.
    let nine = |name: &str| vec![format!("*{name}"); 9].join(", ");
    let bomb = format!(
        "title: x\nmodels: &a [{}]\nimages: &b [{}]\nmethods: &c [{}]\nchecks: &d [{}]\nclasses: &e [{}]\n\
         collection: &f [{}]\n",
        ["x"; 9].join(", "),
        nine("a"),
        nine("b"),
        nine("c"),
        nine("d"),
        nine("e"),
    );
    let (found, message) = place_of(&workspace, bomb);
    assert_eq!(found, "3:13", "{message}");
}

#[test]
fn check_says_ok_and_rejects_weight_files_that_are_empty_or_cut_short() {
    let workspace = Workspace::new();
    workspace.write("one.yaml", ONE);
    let output = workspace.call(&["check", "one.yaml"]);
    assert_eq!((output.code, &*output.err), (0, ""));
    assert!(output.out.starts_with("one.yaml:\n"), "{}", output.out);
    assert!(output.out.ends_with("\nok\n"), "{}", output.out);
    workspace.write("two.yaml", ONE.replace("cat.png", "dog.png"));
    let output = workspace.call(&["check", "one.yaml", "two.yaml"]);
    assert_eq!(output.code, 2);
    assert!(!output.out.contains("ok"), "{}", output.out);

    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let whole = std::fs::read(folder.join("exported/convolutional.pt2")).unwrap();
    workspace.write("cut.pt2", &whole[..whole.len() / 2]);
    for name in [
        "truncated.pth",
        "truncated.safetensors",
        "truncated_old.pth",
    ] {
        std::fs::copy(folder.join("weights").join(name), workspace.path(name)).unwrap();
    }
    for name in ["empty.pth", "empty.safetensors", "empty.pt2"] {
        workspace.write(name, "");
    }
    for (entry, words) in [
        ("{arch: resnet18, weights: empty.pth}", "empty.pth is empty"),
        (
            "{arch: resnet18, weights: empty.safetensors}",
            "empty.safetensors is empty",
        ),
        ("{timm: resnet18, weights: empty.pth}", "empty.pth is empty"),
        ("empty.pt2", "it is empty"),
        ("{arch: resnet18, weights: truncated.pth}", "truncated.pth"),
        (
            "{arch: resnet18, weights: truncated.safetensors}",
            "truncated.safetensors",
        ),
        (
            "{arch: resnet18, weights: truncated_old.pth}",
            "truncated_old.pth",
        ),
        ("cut.pt2", "cut.pt2"),
    ] {
        let spec = format!("title: x\nmodels:\n  - {entry}\nimages: [cat.png]\n");
        workspace.write("spec.yaml", spec);
        let output = workspace.call(&["check", "spec.yaml"]);
        assert_eq!(output.code, 1, "{entry}: {}", output.err);
        let message = flat(&output.err);
        assert!(message.contains(words), "{entry}: {message}");
        assert!(message.contains("spec.yaml:3:"), "{entry}: {message}");
    }
}

#[test]
fn a_class_that_no_network_has_is_an_error_at_its_line() {
    let workspace = Workspace::new();
    let tests = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let exported = tests.join("exported/convolutional.pt2");
    let zoo = "{arch: resnet18, weights: random}".to_owned();
    let exported = format!("'{}'", exported.display());
    for (models, class, place) in [
        (&zoo, "100000", "5:3"),
        (&zoo, "no such class", "5:3"),
        (&zoo, "{a: 3, instead_of: 100000}", "5:22"),
        // A file without class names has them by number.
        (&exported, "100000", "5:3"),
        (&exported, "no such class", "5:3"),
        (&exported, "{a: 100000, instead_of: predicted}", "5:7"),
    ] {
        // No method asks about a class, or none at all is there.
        for methods in ["[]", "[filters]"] {
            let spec = format!(
                "title: x\nmodels: [{models}]\nimages: [cat.png]\nclasses:\n- {class}\nmethods: {methods}\n"
            );
            let (found, message) = place_of(&workspace, spec);
            assert_eq!(found, place, "{models} {class}: {message}");
            assert!(message.contains("there is no class"), "{message}");
        }
    }
}
