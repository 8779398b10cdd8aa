//! The first calls that somebody makes, on the real program: what it prints where nothing reads it, and what it says of a
//! file that is wrong.

use std::process::{Command, Stdio};

use program::Workspace;

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
