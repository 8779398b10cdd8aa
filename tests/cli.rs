//! The program on real files: what a run writes, equal bytes in a second run, and invalid input of every kind: one
//! message with its position and help, the exit code, and no partial output.
//!
//! The networks are small and untrained (`weights: random`), the images are drawn by the tests.

use std::fs;
use std::path::Path;

use program::{Workspace, flat};

#[path = "common/program.rs"]
mod program;

const GOOD: &str = "\
title: Two networks
seed: 7
models:
  - {id: a, arch: resnet18, weights: random, preprocess: {resize: 64, crop: 64}}
  - {id: b, arch: vgg11_bn, weights: random, preprocess: {resize: 64, crop: 64}}
images:
  - {path: cat.png, class: tabby}
  - {dir: photos}
classes: [predicted, label, 3]
methods:
  - activations: {layers: [stage1, last], channels: 4}
  - filters: {count: 9}
  - saliency
  - grad_cam: {layers: [last]}
";

fn files(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_run_writes_four_files_with_equal_bytes_each_time() {
    let workspace = Workspace::new();
    workspace.write("two.yaml", GOOD);
    let output = workspace.call(&["run", "two.yaml", "--no-cache"]);
    assert_eq!(output.code, 0, "{}", output.err);
    assert_eq!(output.out.trim(), "output/two/report.html");
    let names = [
        "data.safetensors",
        "experiment.lock.yaml",
        "report.html",
        "results.json",
    ];
    assert_eq!(files(&workspace.path("output/two")), names);
    // Again, first computed, then from the cache.
    for flag in ["--no-cache", "--offline", "--offline"] {
        let output = workspace.call(&["run", "two.yaml", flag, "--out", "again"]);
        assert_eq!(output.code, 0, "{}", output.err);
        for name in names {
            let (first, second) = (
                workspace.path("output/two").join(name),
                workspace.path("again/two").join(name),
            );
            assert_eq!(
                fs::read(first).unwrap(),
                fs::read(second).unwrap(),
                "{name} {flag}"
            );
        }
    }
}

#[test]
fn result_keys_and_shapes_are_as_documented() {
    let workspace = Workspace::new();
    workspace.write("two.yaml", GOOD);
    assert_eq!(workspace.call(&["run", "two.yaml"]).code, 0);
    let bytes = fs::read(workspace.path("output/two/data.safetensors")).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let shape = |key: &str| {
        file.tensor(key)
            .unwrap_or_else(|_| panic!("no {key}"))
            .shape()
            .to_vec()
    };
    assert_eq!(shape("a/cat/logits"), [1000]);
    assert_eq!(shape("a/cat/activations/layer4.1.conv2"), [4, 2, 2]);
    assert_eq!(shape("a/filters/conv1"), [9, 3, 7, 7]);
    // tabby is 281 of ImageNet's classes.
    assert_eq!(shape("b/cat/saliency/281"), [64, 64]);
    assert_eq!(shape("b/cat/saliency/281/raw"), [3, 64, 64]);
    assert_eq!(shape("b/cat/grad_cam/3/features.25"), [4, 4]);
    assert_eq!(shape("b/dog/grad_cam/3/features.25/raw"), [4, 4]);
    let results: serde_json::Value =
        serde_json::from_slice(&fs::read(workspace.path("output/two/results.json")).unwrap())
            .unwrap();
    assert_eq!(results["models"][0]["depth"], 18);
    assert_eq!(results["models"][1]["residual_blocks"], 0);
    assert_eq!(results["predictions"].as_array().unwrap().len(), 4);
    let sum: f64 = results["predictions"][0]["top"]
        .as_array()
        .unwrap()
        .iter()
        .map(|top| top["probability"].as_f64().unwrap())
        .sum();
    assert!(sum > 0.0 && sum <= 1.0 + 1e-6, "{sum}");
}

#[test]
fn a_lock_file_runs_in_its_folder_and_rejects_other_bytes() {
    let workspace = Workspace::new();
    workspace.write("two.yaml", GOOD);
    assert_eq!(workspace.call(&["run", "two.yaml"]).code, 0);
    let output = workspace.call(&["run", "output/two/experiment.lock.yaml", "--out", "again"]);
    assert_eq!(output.code, 0, "{}", output.err);
    let data = |folder: &str| fs::read(workspace.path(folder).join("data.safetensors")).unwrap();
    assert!(
        data("output/two") == data("again/experiment.lock"),
        "the lock file gave other values"
    );
    workspace.draw("cat.png", 5);
    let output = workspace.call(&["run", "output/two/experiment.lock.yaml", "--out", "again"]);
    assert_eq!(output.code, 1, "{}", output.err);
    assert!(
        flat(&output.err).contains("the lock names"),
        "{}",
        output.err
    );
}

#[test]
fn render_writes_the_same_report_from_stored_results() {
    let workspace = Workspace::new();
    workspace.write("two.yaml", GOOD);
    assert_eq!(workspace.call(&["run", "two.yaml"]).code, 0);
    let report = workspace.path("output/two/report.html");
    let before = fs::read(&report).unwrap();
    fs::remove_file(&report).unwrap();
    let output = workspace.call(&["render", "output/two"]);
    assert_eq!(output.code, 0, "{}", output.err);
    assert!(fs::read(&report).unwrap() == before);
}

#[test]
fn unknown_names_are_errors_with_their_line() {
    let workspace = Workspace::new();
    let swap = |from: &str, to: &str| GOOD.replacen(from, to, 1);
    workspace.assert_fails(
        swap("seed: 7", "sead: 7"),
        2,
        &["sead", "spec.yaml:2:1", "seed"],
    );
    workspace.assert_fails(
        swap("saliency", "saliensy"),
        2,
        &["spec.yaml:13", "`saliency`"],
    );
    workspace.assert_fails(
        swap("resnet18", "resnet81"),
        2,
        &["spec.yaml:4", "resnet18"],
    );
    workspace.assert_fails(
        swap(
            "grad_cam: {layers: [last]}",
            "grad_cam: {layers: [layer4.1.conf2]}",
        ),
        2,
        &["spec.yaml:14", "layer4.1.conv2"],
    );
    workspace.assert_fails(
        swap("label, 3]", "label, tabbi]"),
        2,
        &["spec.yaml:9", "tabby"],
    );
    workspace.assert_fails(
        swap("class: tabby", "class: tabbi"),
        2,
        &["spec.yaml:7", "tabby"],
    );
    workspace.assert_fails(
        swap("label, 3]", "label, 1000]"),
        2,
        &["spec.yaml:9", "999"],
    );
    workspace.assert_fails(
        swap("seed: 7", "seed: 7\nseed: 8"),
        2,
        &["seed", "spec.yaml:3"],
    );
    workspace.assert_fails(swap("seed: 7", "seed: seven"), 2, &["spec.yaml:2", "seven"]);
    workspace.assert_fails(swap("channels: 4", "channels: [64]"), 2, &["no channel 64"]);
    workspace.assert_fails("", 2, &["empty"]);
    workspace.assert_fails(
        "title: x\nmodels:\n\t- resnet18\n",
        2,
        &["tab", "spec.yaml:3"],
    );
    workspace.assert_fails(swap("cat.png", "cot.png"), 2, &["cot.png", "spec.yaml:7"]);
    workspace.assert_fails(
        swap("weights: random", "weights: imagnet"),
        2,
        &["IMAGENET1K_V1", "spec.yaml:4"],
    );
    workspace.assert_fails(
        swap("weights: random", "weights: gone.pth"),
        2,
        &["gone.pth", "spec.yaml:4"],
    );
    workspace.assert_fails(
        GOOD.replace("crop: 64", "crop: 8"),
        2,
        &["features.", "spec.yaml:5"],
    );
}

#[test]
fn a_folder_without_images_is_a_spec_error() {
    let workspace = Workspace::new();
    fs::remove_file(workspace.path("photos/dog.png")).unwrap();
    workspace.write("photos/notes.txt", "no picture");
    workspace.assert_fails(GOOD, 2, &["photos", "spec.yaml:8"]);
}

#[test]
fn invalid_weights_are_errors_with_their_reason() {
    let workspace = Workspace::new();
    let fixture = |name: &str| {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/weights")
            .join(name)
    };
    let one = |file: &str| {
        format!("title: x\nmodels: [{{arch: resnet18, weights: {file}}}]\nimages: [cat.png]\n")
    };
    fs::copy(fixture("malicious.pth"), workspace.path("evil.pth")).unwrap();
    let output = workspace.assert_fails(one("evil.pth"), 1, &["evil.pth", "spec.yaml:2"]);
    assert!(output.err.contains("system"), "{}", output.err);
    // A file with tensors of another architecture.
    let tensor = tch::Tensor::zeros([2, 2], (tch::Kind::Float, tch::Device::Cpu));
    let mut all = convscope::network::random_weights::weights(
        &convscope::network::zoo::find("resnet18")
            .unwrap()
            .graph(Default::default()),
    );
    let save = |name: &str, all: &std::collections::BTreeMap<String, tch::Tensor>| {
        let pairs: Vec<(&String, &tch::Tensor)> = all.iter().collect();
        tch::Tensor::write_safetensors(&pairs, workspace.path(name)).unwrap();
    };
    save(
        "other.safetensors",
        &[("layer9.weight".to_owned(), tensor)].into(),
    );
    workspace.assert_fails(
        one("other.safetensors"),
        1,
        &["other.safetensors", "layer9.weight"],
    );
    let whole = {
        save("whole.safetensors", &all);
        fs::read(workspace.path("whole.safetensors")).unwrap()
    };
    workspace.write("cut.safetensors", &whole[..whole.len() / 2]);
    workspace.assert_fails(
        one("cut.safetensors"),
        1,
        &["cut.safetensors", "spec.yaml:2"],
    );
    let spoilt = all["fc.bias"].shallow_clone() * f64::NAN;
    all.insert("fc.bias".into(), spoilt);
    save("nan.safetensors", &all);
    workspace.assert_fails(one("nan.safetensors"), 1, &["fc.bias", "spec.yaml:2"]);
}

#[test]
fn a_partial_failure_is_in_the_report_with_all_other_results() {
    let workspace = Workspace::new();
    workspace.write("photos/letter.jpg", "Dear Sir, this is a text file.\n");
    // The cache is empty.
    let spec = GOOD.replacen(
        "vgg11_bn, weights: random",
        "vgg11_bn, weights: IMAGENET1K_V1",
        1,
    );
    workspace.write("two.yaml", spec);
    let output = workspace.call(&["run", "two.yaml", "--offline"]);
    assert_eq!(output.code, 1, "{}", output.err);
    assert!(
        output.err.contains("letter.jpg") && output.err.contains("IMAGENET1K_V1"),
        "{}",
        output.err
    );
    let page = fs::read_to_string(workspace.path("output/two/report.html")).unwrap();
    assert!(page.contains("letter.jpg") && page.contains("IMAGENET1K_V1"));
    let results: serde_json::Value =
        serde_json::from_slice(&fs::read(workspace.path("output/two/results.json")).unwrap())
            .unwrap();
    assert_eq!(results["images"].as_array().unwrap().len(), 2);
    assert_eq!(results["failures"].as_array().unwrap().len(), 2);
}

#[test]
fn without_a_readable_image_nothing_is_written() {
    let workspace = Workspace::new();
    workspace.write("letter.jpg", "Dear Sir, this is a text file.\n");
    let spec = "title: x\nmodels: [{arch: resnet18, weights: random}]\nimages: [letter.jpg]\n";
    workspace.assert_fails(spec, 1, &["letter.jpg", "text file"]);
}

#[test]
fn an_output_folder_that_can_not_be_written_is_an_error_before_the_run() {
    let workspace = Workspace::new();
    workspace.write("two.yaml", GOOD);
    workspace.write("taken", "a file");
    let output = workspace.call(&["run", "two.yaml", "--out", "taken"]);
    assert_eq!(output.code, 2, "{}", output.err);
    assert!(
        flat(&output.err).contains("can't write into taken"),
        "{}",
        output.err
    );
}

#[test]
fn markup_in_a_title_is_escaped() {
    let workspace = Workspace::new();
    workspace.write(
        "two.yaml",
        GOOD.replacen("Two networks", "\"<script>alert(1)</script>\"", 1),
    );
    assert_eq!(workspace.call(&["run", "two.yaml"]).code, 0);
    let page = fs::read_to_string(workspace.path("output/two/report.html")).unwrap();
    assert!(!page.contains("<script>alert"));
    assert!(page.contains("&lt;script&gt;alert"));
}

#[test]
fn images_keep_their_size_without_resize_and_crop() {
    let workspace = Workspace::new();
    let spec = GOOD
        .replace("resize: 64, crop: 64", "resize: none, crop: none")
        .replacen("cat.png, class: tabby", "cat.png", 1);
    workspace.write("two.yaml", spec);
    let output = workspace.call(&["run", "two.yaml"]);
    assert_eq!(output.code, 0, "{}", output.err);
    let bytes = fs::read(workspace.path("output/two/data.safetensors")).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(file.tensor("a/cat/saliency/3").unwrap().shape(), [70, 80]);
}

#[test]
fn every_yaml_file_below_a_folder_runs_into_its_own_folder() {
    let workspace = Workspace::new();
    fs::create_dir_all(workspace.path("specs/more")).unwrap();
    let spec = "title: x\nmodels: [{arch: resnet18, weights: random}]\nimages: [CAT]\n";
    workspace.write("specs/one.yaml", spec.replace("CAT", "../cat.png"));
    workspace.write("specs/more/two.yml", spec.replace("CAT", "../../cat.png"));
    let output = workspace.call(&["run", "specs"]);
    assert_eq!(output.code, 0, "{}", output.err);
    assert_eq!(files(&workspace.path("output")), ["more-two", "one"]);
    let output = workspace.call(&["check", "specs"]);
    assert_eq!(output.code, 0, "{}", output.err);
    assert!(output.out.contains("specs/one.yaml:\n"), "{}", output.out);
}

#[test]
fn lock_files_are_not_experiments() {
    let workspace = Workspace::new();
    workspace.write("two.yaml", GOOD);
    for _ in 0..2 {
        let output = workspace.call(&["run", "."]);
        assert_eq!(output.code, 0, "{}", output.err);
        assert_eq!(output.out.trim(), "output/two/report.html");
    }
    assert_eq!(files(&workspace.path("output")), ["two"]);
}

#[test]
fn a_damaged_result_file_is_named() {
    let workspace = Workspace::new();
    workspace.write("two.yaml", GOOD);
    assert_eq!(workspace.call(&["run", "two.yaml"]).code, 0);
    let page = fs::read(workspace.path("output/two/report.html")).unwrap();
    let bytes = fs::read(workspace.path("output/two/data.safetensors")).unwrap();
    workspace.write("output/two/data.safetensors", &bytes[..1000]);
    let output = workspace.call(&["render", "output/two"]);
    assert_eq!(output.code, 1, "{}", output.err);
    let output = flat(&output.err);
    assert!(
        output.contains("output/two/data.safetensors is damaged"),
        "{output}"
    );
    // The earlier report is unchanged.
    assert_eq!(
        fs::read(workspace.path("output/two/report.html")).unwrap(),
        page
    );
}

#[test]
fn an_input_side_out_of_range_is_a_usage_error() {
    let workspace = Workspace::new();
    for side in ["0", "-3", "many", "99999999999"] {
        let output = workspace.call(&["layers", "resnet18", &format!("--input={side}")]);
        assert_eq!(output.code, 2, "{}", output.err);
        assert!(output.err.contains("--input"), "{}", output.err);
    }
}

#[test]
fn init_schema_and_completions_print_their_texts() {
    let workspace = Workspace::new();
    assert_eq!(workspace.call(&["init", "mine.yaml"]).code, 0);
    assert_eq!(
        workspace.call(&["init", "mine.yaml"]).code,
        2,
        "a file was overwritten"
    );
    let schema = workspace.call(&["schema"]).out;
    let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    assert_eq!(schema["title"], "convscope experiment");
    assert!(
        workspace
            .call(&["completions", "bash"])
            .out
            .contains("convscope")
    );
    assert_eq!(workspace.call(&["frobnicate"]).code, 2);
    assert_eq!(
        workspace.call(&["run", "--device", "gpu", "x.yaml"]).code,
        2
    );
}

#[test]
fn layers_and_models_are_tables_and_json() {
    let workspace = Workspace::new();
    let table = workspace.call(&["layers", "resnet50"]).out;
    assert!(table.contains("layer3.5.conv2"), "{table}");
    let json = workspace.call(&["layers", "resnet50", "--json"]).out;
    let layers: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
    let one = layers
        .iter()
        .find(|layer| layer["name"] == "layer3.5.conv2")
        .unwrap();
    assert_eq!(one["shape"], serde_json::json!([256, 14, 14]));
    assert_eq!(
        (&one["stride"], &one["parameters"]),
        (&16.into(), &589_824.into())
    );
    let output = workspace.call(&["layers", "resnet5O"]);
    assert_eq!(output.code, 2);
    assert!(output.err.contains("resnet50"), "{}", output.err);
    let models = workspace.call(&["models"]).out;
    for name in [
        "efficientnet_lite4",
        "imagenet-gap",
        "Apache-2.0",
        "imagenet-20",
    ] {
        assert!(models.contains(name), "no {name} in {models}");
    }
    let models: Vec<serde_json::Value> =
        serde_json::from_str(&workspace.call(&["models", "--json"]).out).unwrap();
    assert_eq!(
        models.len(),
        convscope::network::zoo::architectures().count()
    );
}
