//! Networks of timm and torchvision: what an experiment may say of them, the export through the user's Python, the cache, the lock,
//! and the defaults that a `.pt2` file holds.
//!
//! A small shell program stands in for Python and copies a file of tests/exported. One test exports with PyTorch and timm.
#![cfg(unix)]

mod common;

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use assert_cmd::cargo::CommandCargoExt;
use convscope::ErrorKind;
use convscope::fetch::{Cache, Exporter, cached_network};
use convscope::network::pt2;
use convscope::plan::{Plan, PlannedModel};
use convscope::progress::Silent;
use convscope::run::RunOptions;
use convscope::session::Session;
use convscope::spec::{Library, LibraryNetwork, LibraryWeights, ModelSpec, SpecFile};
use tch::{Device, Kind, Tensor};

/// Copies the network to the path after `--output`, as the exporter does.
const COPIES: &str = "cp NETWORK \"$4\"";

fn in_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A folder with an image, a cache and a program that stands in for Python.
struct Workspace {
    folder: tempfile::TempDir,
}

struct Output {
    code: i32,
    out: String,
    /// In one line, without the marks around it.
    err: String,
}

impl Workspace {
    /// `action` is what the program does after it has counted the call; NETWORK stands for a network.
    fn new(action: &str) -> Self {
        let workspace = Workspace {
            folder: tempfile::tempdir().unwrap(),
        };
        let image =
            image::RgbImage::from_fn(40, 36, |x, y| image::Rgb([(x * 5) as u8, y as u8, 9]));
        image.save(workspace.path("cat.png")).unwrap();
        workspace.set_action(action, &in_repository("tests/exported/convolutional.pt2"));
        workspace
    }

    fn set_action(&self, action: &str, network: &Path) {
        let calls = self.path("calls");
        let action = action.replace("NETWORK", &format!("'{}'", network.display()));
        // What is started after this line sees the whole file.
        let text = format!(
            "#!/bin/sh\necho \"$@\" >> '{}'\n{action}\n",
            calls.display()
        );
        let (python, whole) = (self.path("python"), self.path("python.new"));
        fs::write(&whole, text).unwrap();
        fs::set_permissions(&whole, fs::Permissions::from_mode(0o755)).unwrap();
        fs::rename(whole, python).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The arguments of every call of the program, without the script's path.
    fn calls(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path("calls")).unwrap_or_default();
        let arguments = |line: &str| line.split_once(' ').unwrap().1.to_owned();
        text.lines().map(arguments).collect()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::cargo_bin("convscope").unwrap();
        command
            .current_dir(self.folder.path())
            .env("CONVSCOPE_CACHE", self.path("cache"))
            .env("CONVSCOPE_PYTHON", self.path("python"))
            .env("NO_COLOR", "1")
            .args(arguments);
        command
    }

    fn call(&self, arguments: &[&str]) -> Output {
        finish(self.command(arguments))
    }

    fn write_spec(&self, models: &str) {
        let text = format!("title: T\nmodels: {models}\nimages: [cat.png]\nmethods: [saliency]\n");
        fs::write(self.path("spec.yaml"), text).unwrap();
    }

    fn cache(&self) -> Cache {
        Cache {
            root: self.path("cache"),
            offline: false,
        }
    }

    /// The `.pt2` files in the cache.
    fn cached(&self) -> Vec<PathBuf> {
        let entries = walkdir::WalkDir::new(self.path("cache")).into_iter();
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path().to_owned()));
        let mut paths: Vec<PathBuf> = paths
            .filter(|path| path.extension().is_some_and(|end| end == "pt2"))
            .collect();
        paths.sort();
        paths
    }

    /// Asserts that no temporary file is left in the cache.
    fn assert_tidy(&self) {
        for entry in walkdir::WalkDir::new(self.path("cache")) {
            let name = entry.unwrap().file_name().to_string_lossy().into_owned();
            assert!(
                !name.starts_with(".fetching") && !name.starts_with(".tmp"),
                "{name}"
            );
        }
    }
}

fn finish(mut command: Command) -> Output {
    let done = command.output().unwrap();
    let words = |bytes: Vec<u8>| {
        let text = String::from_utf8(bytes).unwrap();
        let words: Vec<&str> = text
            .split(|c: char| c.is_whitespace() || c == '|')
            .collect();
        let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        words.join(" ")
    };
    Output {
        code: done.status.code().expect("no signal"),
        out: String::from_utf8(done.stdout).unwrap(),
        err: words(done.stderr),
    }
}

/// A network of tests/exported with the text as its extra file.
fn with_extra(folder: &Path, extra: &str) -> PathBuf {
    let source = fs::File::open(in_repository("tests/exported/convolutional.pt2")).unwrap();
    let mut source = zip::ZipArchive::new(source).unwrap();
    let path = folder.join("extra.pt2");
    let mut zip = zip::ZipWriter::new(fs::File::create(&path).unwrap());
    let stored =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let mut root = String::new();
    for index in 0..source.len() {
        let mut entry = source.by_index(index).unwrap();
        let name = entry.name().unwrap().into_owned();
        root = name.split('/').next().unwrap().to_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        zip.start_file(name, stored).unwrap();
        zip.write_all(&bytes).unwrap();
    }
    zip.start_file(format!("{root}/extra/convscope.json"), stored)
        .unwrap();
    zip.write_all(extra.as_bytes()).unwrap();
    zip.finish().unwrap();
    path
}

const EXTRA: &str = r#"{"source": "timm:small", "weights": "untrained (seed 7)", "versions": {"torch": "2.13.0", "timm": "1.0"},
    "preprocess": {"resize": 40, "crop": 32, "interpolation": "bicubic", "mean": [0.5, 0.4, 0.3], "std": [0.2, 0.2, 0.2]},
    "labels": ["cat", "dog", "fox", "cow", "owl"], "later": 1}"#;

fn network(weights: LibraryWeights) -> LibraryNetwork {
    LibraryNetwork {
        library: Library::Timm,
        name: "small".into(),
        weights,
    }
}

#[test]
fn entries_name_a_library_a_network_and_its_weights() {
    let found = |model: ModelSpec| model.library_network().unwrap().to_string();
    assert_eq!(found("timm:a.b_c".into()), "timm:a.b_c, pretrained");
    assert_eq!(
        found("torchvision:resnet18".into()),
        "torchvision:resnet18, pretrained"
    );
    let untrained = ModelSpec::new("timm:a").pretrained(false);
    assert_eq!(found(untrained), "timm:a, untrained (seed 0)");
    assert_eq!(
        found(ModelSpec::new("timm:a").seed(7)),
        "timm:a, untrained (seed 7)"
    );
    assert_eq!(
        found(ModelSpec::new("timm:a").weights("runs/b.pth")),
        "timm:a, b.pth"
    );
    assert_eq!(ModelSpec::new("resnet18").library_network(), None);
    assert_eq!(ModelSpec::new("net.pt2").library_network(), None);
    let spec = SpecFile::read(&in_repository("tests/specs/good/libraries_long.yaml")).unwrap();
    assert_eq!(
        spec.experiment.model_ids(),
        [
            "convnextv2_atto.fcmae_ft_in1k",
            "official",
            "resnet18",
            "resnet18-2",
            "resnet18-3",
            "resnet18-4",
            "resnet18-5"
        ]
    );
    let short = SpecFile::read(&in_repository("tests/specs/good/libraries.yaml")).unwrap();
    assert_eq!(short.experiment.models[0], spec.experiment.models[0]);
    let sets = [
        "models.2.seed=3".to_owned(),
        "models.1.pretrained=false".to_owned(),
    ];
    let path = in_repository("tests/specs/good/libraries.yaml");
    let changed = SpecFile::read_with_overrides(&path, &sets).unwrap();
    let found: Vec<String> = changed.experiment.models.into_iter().map(found).collect();
    assert_eq!(found[1], "torchvision:resnet18, untrained (seed 0)");
    assert_eq!(found[2], "timm:resnet18, untrained (seed 3)");
}

fn planned(workspace: &Workspace, models: &str) -> PlannedModel {
    workspace.write_spec(models);
    let spec = SpecFile::read(&workspace.path("spec.yaml")).unwrap();
    let plan = Plan::new(&spec, &workspace.cache(), &Silent);
    plan.unwrap_or_else(|error| panic!("{error:?}"))
        .models
        .remove(0)
}

#[test]
fn an_extra_file_gives_defaults_and_the_experiment_overrides_them_one_by_one() {
    let workspace = Workspace::new(COPIES);
    let path = with_extra(workspace.folder.path(), EXTRA);
    let found = pt2::read(&path).unwrap();
    assert!(found.warnings.is_empty());
    let line = "timm:small, untrained (seed 7); timm 1.0, torch 2.13.0";
    assert_eq!(found.extra.source_line().as_deref(), Some(line));

    let model = planned(&workspace, "[extra.pt2]");
    let preprocess = &model.preprocess;
    assert_eq!(preprocess.describe(), "short side 40 bicubic, centre 32");
    assert_eq!(
        (preprocess.mean.clone(), preprocess.std.clone()),
        (vec![0.5, 0.4, 0.3], vec![0.2; 3])
    );
    assert_eq!(model.labels.name(2), "fox");

    fs::write(workspace.path("l.txt"), "1\n2\n3\n4\n5\n").unwrap();
    let models = "[{weights: extra.pt2, labels: l.txt, preprocess: {resize: 36, std: [1, 1, 1]}}]";
    let model = planned(&workspace, models);
    let preprocess = &model.preprocess;
    assert_eq!(preprocess.describe(), "short side 36 bicubic, centre 32");
    assert_eq!(
        (preprocess.mean.clone(), preprocess.std.clone()),
        (vec![0.5, 0.4, 0.3], vec![1.0; 3])
    );
    assert_eq!(model.labels.name(2), "3");

    // Keys that the extra file lacks are those of ImageNet, for the size of the export.
    with_extra(
        workspace.folder.path(),
        r#"{"preprocess": {"resize": "none"}}"#,
    );
    let model = planned(&workspace, "[extra.pt2]");
    assert_eq!(
        (model.preprocess.resize, model.preprocess.crop),
        (None, Some(32))
    );
    assert_eq!(model.preprocess.mean, [0.485, 0.456, 0.406]);
    assert_eq!(model.labels.len(), 5);

    // In a session, and in the report.
    with_extra(workspace.folder.path(), EXTRA);
    let session = Session::with(RunOptions::default(), Silent);
    let model = session.network(path.to_str().unwrap()).unwrap();
    assert!(
        model
            .info()
            .weights
            .source
            .ends_with(&format!("extra.pt2 ({line})"))
    );
}

#[test]
fn a_broken_extra_file_is_an_error_and_too_many_names_are_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let long = format!(r#"{{"source": "{}"}}"#, "x".repeat(600));
    let large = format!(r#"{{"labels": ["{}"]}}"#, "x".repeat(17 << 20));
    for (extra, word) in [
        ("", "EOF"),
        ("{", "EOF"),
        ("[1]", "expected"),
        ("7", "expected"),
        (r#"{"preprocess": {"resize": 0}}"#, "1 or more pixels"),
        (r#"{"preprocess": {"resize": -3}}"#, "1 or more pixels"),
        (r#"{"preprocess": {"crop": 1e300}}"#, "1 or more pixels"),
        (r#"{"preprocess": {"interpolation": "lanczos"}}"#, "lanczos"),
        (
            r#"{"preprocess": {"mean": [0, 0]}}"#,
            "must have 3 values, one for each channel, got 2",
        ),
        (r#"{"preprocess": {"std": [1, 1, 0]}}"#, "above 0, got 0"),
        (r#"{"labels": "cat"}"#, "sequence"),
        (r#"{"labels": [1]}"#, "string"),
        (r#"{"versions": []}"#, "map"),
        (&long, "600"),
        (&large, "larger"),
    ] {
        let path = with_extra(folder.path(), extra);
        let shown = &extra[..extra.len().min(60)];
        let error = pt2::read(&path).expect_err(shown);
        assert_eq!(error.kind(), ErrorKind::Weights);
        let message = error.full_message();
        assert!(
            message.contains("extra.pt2") && message.contains(word),
            "{shown}: {message}"
        );
    }
    let path = with_extra(folder.path(), r#"{"labels": ["cat", "dog"]}"#);
    let found = pt2::read(&path).unwrap();
    assert!(found.extra.labels.is_none());
    assert!(
        found.warnings[0].contains("2 class names"),
        "{:?}",
        found.warnings
    );
    let path = with_extra(folder.path(), r#"{"notes": ["resized otherwise"]}"#);
    let warnings = pt2::read(&path).unwrap().warnings;
    assert!(warnings[0].ends_with("extra.pt2 says: resized otherwise"));
    let path = with_extra(
        folder.path(),
        r#"{"labels": ["a", "b", " ", "d", "e"], "unknown": {}}"#,
    );
    let labels = pt2::read(&path).unwrap().extra.labels.unwrap();
    assert_eq!(
        (labels.name(0), labels.name(2)),
        ("a".into(), "class 2".into())
    );
}

#[test]
fn a_network_is_exported_once() {
    let workspace = Workspace::new(COPIES);
    let first = workspace.call(&["layers", "timm:small"]);
    assert_eq!(first.code, 0, "{}", first.err);
    assert!(first.out.contains("conv1"), "{}", first.out);
    // The layers don't depend on the weights, so nothing is downloaded for them.
    assert!(workspace.calls()[0].starts_with("timm:small --output "));
    assert!(workspace.calls()[0].ends_with(" --seed 0"));
    let python = || workspace.set_action("exit 9", Path::new("none"));
    python();
    assert_eq!(workspace.call(&["layers", "timm:small"]).out, first.out);
    workspace.write_spec("[{timm: small, pretrained: false}]");
    for arguments in [
        ["check", "spec.yaml"].as_slice(),
        &["check", "--offline", "spec.yaml"],
        &["fetch", "spec.yaml"],
        &["run", "--offline", "spec.yaml"],
    ] {
        let output = workspace.call(arguments);
        assert_eq!(output.code, 0, "{arguments:?}: {}", output.err);
    }
    assert_eq!(workspace.calls().len(), 1);
    let options = RunOptions {
        cache: Some(workspace.path("cache")),
        offline: true,
        ..RunOptions::default()
    };
    let session = Session::with(options, Silent);
    let model = session.network(ModelSpec::new("timm:small").pretrained(false));
    let model = model.unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(model.info().weights.name, "untrained (seed 0)");
    assert_eq!((model.id(), session.loaded()), ("small", 1));
    // Other weights and seeds are other networks.
    workspace.set_action(COPIES, &in_repository("tests/exported/windows.pt2"));
    fs::write(workspace.path("best.pth"), "PK\x03\x04 weights").unwrap();
    workspace.write_spec("[timm:small, {timm: small, seed: 7}, {timm: small, weights: best.pth}, 'torchvision:small']");
    let output = workspace.call(&["check", "spec.yaml"]);
    assert_eq!(output.code, 0, "{}", output.err);
    assert!(output.out.contains("small-4: small"), "{}", output.out);
    let calls = workspace.calls();
    assert_eq!(calls.len(), 5);
    assert!(calls[1].ends_with("net.pt2"));
    assert!(calls[2].ends_with(" --seed 7"));
    let weights = workspace.path("best.pth").display().to_string();
    assert!(
        calls[3].contains(" --weights /") && calls[3].ends_with("best.pth"),
        "{weights}: {}",
        calls[3]
    );
    assert!(calls[4].starts_with("torchvision:small --output "));
    // A changed weight file is another one.
    assert_eq!(workspace.call(&["check", "spec.yaml"]).code, 0);
    assert_eq!(workspace.calls().len(), 5);
    fs::write(workspace.path("best.pth"), "PK\x03\x04 other").unwrap();
    assert_eq!(workspace.call(&["check", "spec.yaml"]).code, 0);
    assert_eq!(workspace.calls().len(), 6);
    workspace.assert_tidy();
}

#[test]
fn the_report_says_what_the_network_is_and_the_lock_holds_it() {
    let workspace = Workspace::new(COPIES);
    let extra = with_extra(workspace.folder.path(), EXTRA);
    workspace.set_action(COPIES, &extra);
    workspace.write_spec("[{timm: small, seed: 7}]");
    let output = workspace.call(&["run", "spec.yaml", "--out", "out"]);
    assert_eq!(output.code, 0, "{}", output.err);
    let page = fs::read_to_string(workspace.path("out/spec/report.html")).unwrap();
    assert!(page.contains("timm:small, untrained (seed 7); timm 1.0, torch 2.13.0"));
    let lock = fs::read_to_string(workspace.path("out/spec/experiment.lock.yaml")).unwrap();
    assert!(
        lock.contains("timm: small") && lock.contains("seed: 7"),
        "{lock}"
    );
    let run = || workspace.call(&["run", "out/spec/experiment.lock.yaml", "--out", "again"]);
    assert_eq!(run().code, 0);
    assert_eq!(workspace.calls().len(), 1);

    // A cache without it: another export gives another file, and the same export the same.
    let first = workspace.cached().remove(0);
    fs::remove_dir_all(workspace.path("cache")).unwrap();
    workspace.set_action(COPIES, &in_repository("tests/exported/windows.pt2"));
    let output = run();
    assert!(
        output.code == 1 && output.err.contains("but the lock names"),
        "{}",
        output.err
    );
    fs::remove_dir_all(workspace.path("cache")).unwrap();
    workspace.set_action(COPIES, &extra);
    assert_eq!(run().code, 0);
    // The locked file is used, whatever the index says.
    for index in walkdir::WalkDir::new(first.parent().unwrap()) {
        let index = index.unwrap().into_path();
        if index.extension().is_some_and(|end| end == "json") {
            fs::write(index, "{").unwrap();
        }
    }
    let calls = workspace.calls().len();
    assert_eq!(run().code, 0);
    assert_eq!(workspace.calls().len(), calls);
}

#[test]
fn a_damaged_file_is_exported_again_and_offline_is_an_error() {
    let workspace = Workspace::new(COPIES);
    workspace.write_spec("[{timm: small, seed: 7}]");
    let offline = workspace.call(&["run", "--offline", "spec.yaml"]);
    assert_eq!(offline.code, 1);
    let message = "timm:small, untrained (seed 7) is not in the cache";
    assert!(
        offline.err.contains(message) && offline.err.contains("offline"),
        "{}",
        offline.err
    );
    assert_eq!(workspace.call(&["check", "--offline", "spec.yaml"]).code, 1);
    assert_eq!(workspace.calls().len(), 0);
    assert_eq!(workspace.call(&["fetch", "spec.yaml"]).code, 0);
    let file = workspace.cached().remove(0);
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    let again = workspace.call(&["check", "spec.yaml"]);
    assert_eq!(again.code, 0, "{}", again.err);
    assert!(again.err.contains("must have the sha256"), "{}", again.err);
    assert_eq!(fs::read(&file).unwrap(), whole);
    fs::write(&file, "x").unwrap();
    let offline = workspace.call(&["check", "--offline", "spec.yaml"]);
    assert!(
        offline.code == 1 && offline.err.contains("must have the sha256"),
        "{}",
        offline.err
    );
    assert!(!file.exists());
    workspace.assert_tidy();
}

#[test]
fn what_python_lacks_or_says_is_in_the_error() {
    let install = "-m pip install torch timm";
    for (action, words) in [
        (
            "echo \"ModuleNotFoundError: No module named 'timm'\" >&2; exit 1",
            ["No module named 'timm'", install],
        ),
        (
            "echo one >&2; echo two; exit 3",
            [
                "can't export timm:small",
                "timm:small, untrained (seed 7): two",
            ],
        ),
        (
            "printf '\\033[1mbold\\033[0m' >&2; exit 1",
            ["can't export", "bold"],
        ),
        ("exit 1", ["can't export", "it printed nothing"]),
        ("kill -9 $$", ["can't export", "SIGKILL"]),
        ("echo done", ["wrote no .pt2 file", "done"]),
        ("echo garbage > \"$4\"", ["wrote no .pt2 file", "nothing"]),
        (
            "head -c 5000 NETWORK > \"$4\"",
            ["wrote no .pt2 file", "zip archive"],
        ),
        ("mkdir \"$4\"", ["wrote no .pt2 file", "nothing"]),
    ] {
        let workspace = Workspace::new(action);
        workspace.write_spec("[{timm: small, seed: 7}]");
        let output = workspace.call(&["check", "spec.yaml"]);
        assert_eq!(output.code, 1, "{action}: {}", output.err);
        for word in words.iter().chain(&["python", "spec.yaml:2:17"]) {
            assert!(
                output.err.contains(word),
                "{action}: no {word} in {}",
                output.err
            );
        }
        assert!(workspace.cached().is_empty());
        workspace.assert_tidy();
    }
    let workspace = Workspace::new(COPIES);
    workspace.write_spec("[timm:small]");
    let mut command = workspace.command(&["run", "spec.yaml"]);
    command.env("CONVSCOPE_PYTHON", "no-such-python");
    let output = finish(command);
    assert_eq!(output.code, 1);
    let words = [
        "can't start the Python `no-such-python`",
        "CONVSCOPE_PYTHON",
        install,
    ];
    for word in words {
        assert!(output.err.contains(word), "{}", output.err);
    }
    workspace.write_spec("[{timm: small, weights: none.pth}]");
    let output = workspace.call(&["check", "spec.yaml"]);
    let message = "there is no weight file";
    assert!(
        output.code == 2 && output.err.contains(message),
        "{}",
        output.err
    );
}

#[test]
fn python_gets_no_input_and_is_ended_after_the_time_limit() {
    let workspace = Workspace::new(&format!("cat > /dev/null\n{COPIES}"));
    assert_eq!(workspace.call(&["layers", "timm:small"]).code, 0);

    let workspace = Workspace::new("echo still downloading >&2\nexec sleep 60");
    let exporter = Exporter {
        python: workspace.path("python").into(),
        time_limit: Duration::from_millis(700),
    };
    let start = Instant::now();
    let network = network(LibraryWeights::Untrained { seed: 1 });
    let error = exporter
        .export_network(&network, &workspace.cache(), &Silent)
        .unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(20));
    assert_eq!(error.kind(), ErrorKind::Fetch);
    let message = error.full_message();
    assert!(
        message.contains("did not export") && message.contains("still downloading"),
        "{message}"
    );
    assert_eq!(cached_network(&network, &workspace.cache()).unwrap(), None);
    workspace.assert_tidy();
}

#[test]
fn two_runs_at_once_export_once() {
    let workspace = Workspace::new(&format!("sleep 1\n{COPIES}"));
    workspace.write_spec("[{timm: small, seed: 7}]");
    let spawn = || {
        let mut command = workspace.command(&["check", "spec.yaml"]);
        command.stdout(Stdio::null()).spawn().unwrap()
    };
    let mut runs = [spawn(), spawn(), spawn()];
    assert!(runs.iter_mut().all(|run| run.wait().unwrap().success()));
    assert_eq!((workspace.calls().len(), workspace.cached().len()), (1, 1));
    workspace.assert_tidy();
}

/// A Python with PyTorch and timm.
fn python() -> Option<PathBuf> {
    let named = std::env::var_os("CONVSCOPE_PYTHON").map(PathBuf::from);
    let candidates = named
        .into_iter()
        .chain(["peers", "golden"].map(|name| in_repository(&format!("target/{name}/bin/python"))));
    candidates.into_iter().find(|python| {
        let check = Command::new(python)
            .args(["-c", "import torch, timm"])
            .output();
        check.is_ok_and(|output| output.status.success())
    })
}

/// The logits of two images, as JSON, of the network NAME as timm makes it.
const LOGITS: &str = r#"
import json, sys, timm, torch
torch.manual_seed(7)
options = {"img_size": 160, "dynamic_img_size": False} if sys.argv[1] == "test_vit" else {}
net = timm.create_model(sys.argv[1], **options).eval()
images = torch.sin(torch.arange(2 * 3 * 160 * 160, dtype=torch.float64) * 0.37).float().view(2, 3, 160, 160)
with torch.no_grad():
    print(json.dumps(net(images).flatten().tolist()))
"#;

#[test]
fn networks_of_timm_have_the_logits_of_pytorch() {
    let Some(python) = python() else {
        let reason = "no Python has torch and timm (`make peers` installs them)";
        return common::skip("the export of networks of timm", reason, true);
    };
    let workspace = Workspace::new(COPIES);
    let exporter = Exporter {
        python: python.clone().into(),
        time_limit: Duration::from_secs(300),
    };
    for name in ["test_vit", "test_convnext"] {
        let network = LibraryNetwork {
            name: name.into(),
            ..network(LibraryWeights::Untrained { seed: 7 })
        };
        let file = exporter.export_network(&network, &workspace.cache(), &Silent);
        let file = file.unwrap_or_else(|error| panic!("{error:?}"));
        let again = exporter
            .export_network(&network, &workspace.cache(), &Silent)
            .unwrap();
        assert_eq!(file, again, "{name}: two exports differ");
        let bytes = fs::read(&file.path).unwrap();
        let here = env!("CARGO_MANIFEST_DIR").as_bytes();
        assert!(
            !bytes.windows(here.len()).any(|part| part == here),
            "{name} has a path"
        );

        let exported = pt2::read(&file.path).unwrap();
        let extra = &exported.extra;
        let source = extra.source_line().unwrap();
        assert!(
            source.starts_with(&format!("timm:{name}, untrained (seed 7); timm ")),
            "{source}"
        );
        let preprocess = extra.preprocess.as_ref().unwrap();
        assert_eq!((preprocess.resize, preprocess.crop), (Some(168), Some(160)));
        assert_eq!(extra.labels.as_ref().unwrap().wnid(0), Some("n01440764"));

        let reference = Command::new(&python)
            .args(["-c", LOGITS, name])
            .output()
            .unwrap();
        let reference: Vec<f32> = serde_json::from_slice(&reference.stdout).unwrap();
        let reference = Tensor::from_slice(&reference).view([2, 1000]);
        let images = Tensor::arange(2 * 3 * 160 * 160, (Kind::Double, Device::Cpu)) * 0.37;
        let images = images.sin().to_kind(Kind::Float).view([2, 3, 160, 160]);
        let output = exported.network.graph().output();
        let values = tch::no_grad(|| exported.network.forward(&images, &[output])).unwrap();
        let found = values.value(output).unwrap();
        let largest = reference.abs().max().double_value(&[]);
        let difference = (found - &reference).abs().max().double_value(&[]);
        assert!(
            largest > 1e-3 && difference < 1e-4 * largest,
            "{name}: {difference} of {largest}"
        );
    }
}
