//! The real binary on real files: what a run writes, the same bytes twice, and bad input of every
//! sort: one message that says where and what to do, the right exit code, nothing half-written.
//!
//! The networks are small and untrained (`weights: random`), the pictures are drawn here.

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;

/// A folder of its own for each test, with two pictures and a cache in it.
struct Desk {
    folder: tempfile::TempDir,
}

struct Said {
    code: i32,
    out: String,
    err: String,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let desk = Desk { folder };
        desk.draw("cat.png", 7);
        desk.draw("photos/dog.png", 3);
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn draw(&self, name: &str, step: u32) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let picture = image::RgbImage::from_fn(80, 70, |x, y| {
            image::Rgb([(x * step) as u8, (y * step) as u8, (x * y / step) as u8])
        });
        picture.save(path).unwrap();
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).unwrap();
    }

    fn call(&self, arguments: &[&str]) -> Said {
        let done = Command::cargo_bin("convscope")
            .unwrap()
            .current_dir(self.folder.path())
            .env("CONVSCOPE_CACHE", self.path("cache"))
            .env("NO_COLOR", "1")
            .args(arguments)
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Said {
            code: done.status.code().expect("no signal"),
            out: text(done.stdout),
            err: text(done.stderr),
        }
    }

    /// Runs `text` as a spec; refused, it must leave no output folder.
    fn refused(&self, text: impl AsRef<[u8]>, code: i32, words: &[&str]) -> Said {
        self.write("spec.yaml", text);
        let said = self.call(&["run", "--offline", "spec.yaml"]);
        assert_eq!(said.code, code, "not {words:?} but {}", said.err);
        assert!(!self.path("output").exists(), "something was written");
        assert!(!said.err.contains("panicked"), "{}", said.err);
        for word in words {
            assert!(
                flat(&said.err).contains(word),
                "no `{word}` in:\n{}",
                said.err
            );
        }
        said
    }
}

/// Without the line breaks that a message wraps at.
fn flat(text: &str) -> String {
    let bare = text.replace(['│', '×', '·'], " ");
    bare.split_whitespace().collect::<Vec<_>>().join(" ")
}

const GOOD: &str = "\
title: Two looks
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
fn a_run_writes_four_files_and_the_same_bytes_twice() {
    let desk = Desk::new();
    desk.write("two.yaml", GOOD);
    let said = desk.call(&["run", "two.yaml", "--no-cache"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(said.out.trim(), "output/two/report.html");
    let names = [
        "data.safetensors",
        "experiment.lock.yaml",
        "report.html",
        "results.json",
    ];
    assert_eq!(files(&desk.path("output/two")), names);
    // Once more, computed anew, and then from the cache.
    for flag in ["--no-cache", "--offline", "--offline"] {
        let said = desk.call(&["run", "two.yaml", flag, "--out", "again"]);
        assert_eq!(said.code, 0, "{}", said.err);
        for name in names {
            let (first, second) = (
                desk.path("output/two").join(name),
                desk.path("again/two").join(name),
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
fn keys_are_those_of_the_contract() {
    let desk = Desk::new();
    desk.write("two.yaml", GOOD);
    assert_eq!(desk.call(&["run", "two.yaml"]).code, 0);
    let bytes = fs::read(desk.path("output/two/data.safetensors")).unwrap();
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
        serde_json::from_slice(&fs::read(desk.path("output/two/results.json")).unwrap()).unwrap();
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
fn a_lock_runs_where_it_lies_and_refuses_other_bytes() {
    let desk = Desk::new();
    desk.write("two.yaml", GOOD);
    assert_eq!(desk.call(&["run", "two.yaml"]).code, 0);
    let said = desk.call(&["run", "output/two/experiment.lock.yaml", "--out", "again"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let data = |folder: &str| fs::read(desk.path(folder).join("data.safetensors")).unwrap();
    assert!(
        data("output/two") == data("again/experiment.lock"),
        "the lock gave other numbers"
    );
    desk.draw("cat.png", 5);
    let said = desk.call(&["run", "output/two/experiment.lock.yaml", "--out", "again"]);
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(flat(&said.err).contains("the lock names"), "{}", said.err);
}

#[test]
fn render_draws_the_same_report_from_what_was_stored() {
    let desk = Desk::new();
    desk.write("two.yaml", GOOD);
    assert_eq!(desk.call(&["run", "two.yaml"]).code, 0);
    let report = desk.path("output/two/report.html");
    let before = fs::read(&report).unwrap();
    fs::remove_file(&report).unwrap();
    let said = desk.call(&["render", "output/two"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(fs::read(&report).unwrap() == before);
}

#[test]
fn words_that_mean_nothing_are_pointed_at() {
    let desk = Desk::new();
    let swap = |from: &str, to: &str| GOOD.replacen(from, to, 1);
    desk.refused(
        swap("seed: 7", "sead: 7"),
        2,
        &["sead", "spec.yaml:2:1", "seed"],
    );
    desk.refused(
        swap("saliency", "saliensy"),
        2,
        &["spec.yaml:13", "`saliency`"],
    );
    desk.refused(
        swap("resnet18", "resnet81"),
        2,
        &["spec.yaml:4", "resnet18"],
    );
    desk.refused(
        swap(
            "grad_cam: {layers: [last]}",
            "grad_cam: {layers: [layer4.1.conf2]}",
        ),
        2,
        &["spec.yaml:14", "layer4.1.conv2"],
    );
    desk.refused(
        swap("label, 3]", "label, tabbi]"),
        2,
        &["spec.yaml:9", "tabby"],
    );
    desk.refused(
        swap("class: tabby", "class: tabbi"),
        2,
        &["spec.yaml:7", "tabby"],
    );
    desk.refused(
        swap("label, 3]", "label, 1000]"),
        2,
        &["spec.yaml:9", "999"],
    );
    desk.refused(
        swap("seed: 7", "seed: 7\nseed: 8"),
        2,
        &["seed", "spec.yaml:3"],
    );
    desk.refused(swap("seed: 7", "seed: seven"), 2, &["spec.yaml:2", "seven"]);
    desk.refused(swap("channels: 4", "channels: [64]"), 2, &["no channel 64"]);
    desk.refused("", 2, &["empty"]);
    desk.refused(
        "title: x\nmodels:\n\t- resnet18\n",
        2,
        &["tab", "spec.yaml:3"],
    );
    desk.refused(swap("cat.png", "cot.png"), 2, &["cot.png", "spec.yaml:7"]);
    desk.refused(
        swap("weights: random", "weights: imagnet"),
        2,
        &["IMAGENET1K_V1", "spec.yaml:4"],
    );
    desk.refused(
        swap("weights: random", "weights: gone.pth"),
        2,
        &["gone.pth", "spec.yaml:4"],
    );
    desk.refused(
        GOOD.replace("crop: 64", "crop: 8"),
        2,
        &["features.", "spec.yaml:5"],
    );
}

#[test]
fn a_folder_without_pictures_is_a_wrong_spec() {
    let desk = Desk::new();
    fs::remove_file(desk.path("photos/dog.png")).unwrap();
    desk.write("photos/notes.txt", "no picture");
    desk.refused(GOOD, 2, &["photos", "spec.yaml:8"]);
}

#[test]
fn weights_that_can_not_be_used_are_refused_each_with_its_reason() {
    let desk = Desk::new();
    let fixture = |name: &str| {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/weights")
            .join(name)
    };
    let one = |file: &str| {
        format!("title: x\nmodels: [{{arch: resnet18, weights: {file}}}]\nimages: [cat.png]\n")
    };
    fs::copy(fixture("malicious.pth"), desk.path("evil.pth")).unwrap();
    let said = desk.refused(one("evil.pth"), 1, &["evil.pth", "spec.yaml:2"]);
    assert!(said.err.contains("system"), "{}", said.err);
    // For another architecture: a file with some tensors that are not a ResNet's.
    let tensor = tch::Tensor::zeros([2, 2], (tch::Kind::Float, tch::Device::Cpu));
    let mut all = convscope::network::random_weights::weights(
        &convscope::network::zoo::find("resnet18")
            .unwrap()
            .graph(Default::default()),
    );
    let save = |name: &str, all: &std::collections::BTreeMap<String, tch::Tensor>| {
        let pairs: Vec<(&String, &tch::Tensor)> = all.iter().collect();
        tch::Tensor::write_safetensors(&pairs, desk.path(name)).unwrap();
    };
    save(
        "other.safetensors",
        &[("layer9.weight".to_owned(), tensor)].into(),
    );
    desk.refused(
        one("other.safetensors"),
        1,
        &["other.safetensors", "layer9.weight"],
    );
    let whole = {
        save("whole.safetensors", &all);
        fs::read(desk.path("whole.safetensors")).unwrap()
    };
    desk.write("cut.safetensors", &whole[..whole.len() / 2]);
    desk.refused(
        one("cut.safetensors"),
        1,
        &["cut.safetensors", "spec.yaml:2"],
    );
    let spoilt = all["fc.bias"].shallow_clone() * f64::NAN;
    all.insert("fc.bias".into(), spoilt);
    save("nan.safetensors", &all);
    desk.refused(one("nan.safetensors"), 1, &["fc.bias", "spec.yaml:2"]);
}

#[test]
fn what_fails_alone_stands_in_the_report_and_the_rest_goes_on() {
    let desk = Desk::new();
    desk.write("photos/letter.jpg", "Dear Sir, this is a text file.\n");
    desk.write("broken.pth", "no weights");
    let spec = GOOD.replacen(
        "vgg11_bn, weights: random",
        "vgg11_bn, weights: broken.pth",
        1,
    );
    desk.write("two.yaml", spec);
    let said = desk.call(&["run", "two.yaml"]);
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(
        said.err.contains("letter.jpg") && said.err.contains("broken.pth"),
        "{}",
        said.err
    );
    let page = fs::read_to_string(desk.path("output/two/report.html")).unwrap();
    assert!(page.contains("letter.jpg") && page.contains("broken.pth"));
    let results: serde_json::Value =
        serde_json::from_slice(&fs::read(desk.path("output/two/results.json")).unwrap()).unwrap();
    assert_eq!(results["images"].as_array().unwrap().len(), 2);
    assert_eq!(results["failures"].as_array().unwrap().len(), 2);
}

#[test]
fn with_no_picture_left_nothing_is_written() {
    let desk = Desk::new();
    desk.write("letter.jpg", "Dear Sir, this is a text file.\n");
    let spec = "title: x\nmodels: [{arch: resnet18, weights: random}]\nimages: [letter.jpg]\n";
    desk.refused(spec, 1, &["letter.jpg", "text file"]);
}

#[test]
fn an_output_folder_that_can_not_be_written_is_said_before_anything_runs() {
    let desk = Desk::new();
    desk.write("two.yaml", GOOD);
    desk.write("taken", "a file");
    let said = desk.call(&["run", "two.yaml", "--out", "taken"]);
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(
        flat(&said.err).contains("can't write into taken"),
        "{}",
        said.err
    );
}

#[test]
fn a_title_with_markup_is_text() {
    let desk = Desk::new();
    desk.write(
        "two.yaml",
        GOOD.replacen("Two looks", "\"<script>alert(1)</script>\"", 1),
    );
    assert_eq!(desk.call(&["run", "two.yaml"]).code, 0);
    let page = fs::read_to_string(desk.path("output/two/report.html")).unwrap();
    assert!(!page.contains("<script>alert"));
    assert!(page.contains("&lt;script&gt;alert"));
}

#[test]
fn pictures_are_fed_as_they_are_where_the_spec_says_so() {
    let desk = Desk::new();
    let spec = GOOD
        .replace("resize: 64, crop: 64", "resize: none, crop: none")
        .replacen("cat.png, class: tabby", "cat.png", 1);
    desk.write("two.yaml", spec);
    let said = desk.call(&["run", "two.yaml"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let bytes = fs::read(desk.path("output/two/data.safetensors")).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(file.tensor("a/cat/saliency/3").unwrap().shape(), [70, 80]);
}

#[test]
fn every_yaml_below_a_folder_runs_each_into_a_folder_of_its_own() {
    let desk = Desk::new();
    fs::create_dir_all(desk.path("specs/more")).unwrap();
    let spec = "title: x\nmodels: [{arch: resnet18, weights: random}]\nimages: [CAT]\n";
    desk.write("specs/one.yaml", spec.replace("CAT", "../cat.png"));
    desk.write("specs/more/two.yml", spec.replace("CAT", "../../cat.png"));
    let said = desk.call(&["run", "specs"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(files(&desk.path("output")), ["more-two", "one"]);
    let said = desk.call(&["check", "specs"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.contains("specs/one.yaml: valid"), "{}", said.out);
}

#[test]
fn a_folder_run_twice_leaves_the_locks_of_the_first_run_alone() {
    let desk = Desk::new();
    desk.write("two.yaml", GOOD);
    for _ in 0..2 {
        let said = desk.call(&["run", "."]);
        assert_eq!(said.code, 0, "{}", said.err);
        assert_eq!(said.out.trim(), "output/two/report.html");
    }
    assert_eq!(files(&desk.path("output")), ["two"]);
}

#[test]
fn a_damaged_result_is_named_with_its_folder() {
    let desk = Desk::new();
    desk.write("two.yaml", GOOD);
    assert_eq!(desk.call(&["run", "two.yaml"]).code, 0);
    let page = fs::read(desk.path("output/two/report.html")).unwrap();
    let bytes = fs::read(desk.path("output/two/data.safetensors")).unwrap();
    desk.write("output/two/data.safetensors", &bytes[..1000]);
    let said = desk.call(&["render", "output/two"]);
    assert_eq!(said.code, 1, "{}", said.err);
    let said = flat(&said.err);
    assert!(
        said.contains("output/two/data.safetensors is damaged"),
        "{said}"
    );
    // The report of before still stands.
    assert_eq!(fs::read(desk.path("output/two/report.html")).unwrap(), page);
}

#[test]
fn a_side_that_no_picture_has_is_a_wrong_call() {
    let desk = Desk::new();
    for side in ["0", "-3", "many", "99999999999"] {
        let said = desk.call(&["layers", "resnet18", &format!("--input={side}")]);
        assert_eq!(said.code, 2, "{}", said.err);
        assert!(said.err.contains("--input"), "{}", said.err);
    }
}

#[test]
fn a_start_can_be_made_from_nothing() {
    let desk = Desk::new();
    assert_eq!(desk.call(&["init", "mine.yaml"]).code, 0);
    assert_eq!(
        desk.call(&["init", "mine.yaml"]).code,
        2,
        "a file was overwritten"
    );
    let schema = desk.call(&["schema"]).out;
    let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    assert_eq!(schema["title"], "convscope experiment");
    assert!(
        desk.call(&["completions", "bash"])
            .out
            .contains("convscope")
    );
    assert_eq!(desk.call(&["frobnicate"]).code, 2);
    assert_eq!(desk.call(&["run", "--device", "gpu", "x.yaml"]).code, 2);
}

#[test]
fn layers_and_models_are_tables_and_json() {
    let desk = Desk::new();
    let table = desk.call(&["layers", "resnet50"]).out;
    assert!(table.contains("layer3.5.conv2"), "{table}");
    let json = desk.call(&["layers", "resnet50", "--json"]).out;
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
    let said = desk.call(&["layers", "resnet5O"]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("resnet50"), "{}", said.err);
    let models = desk.call(&["models"]).out;
    for name in [
        "efficientnet_lite4",
        "imagenet-gap",
        "Apache-2.0",
        "imagenet-20",
    ] {
        assert!(models.contains(name), "no {name} in {models}");
    }
    let models: Vec<serde_json::Value> =
        serde_json::from_str(&desk.call(&["models", "--json"]).out).unwrap();
    assert_eq!(models.len(), convscope::network::zoo::ARCHITECTURES.len());
}
