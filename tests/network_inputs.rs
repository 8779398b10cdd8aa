//! Networks of any number of channels, run on images of `inputs/`, against PyTorch: logits, gradients, every method, what is
//! assumed and said, and networks that see different parts of a photo.

use std::fs;
use std::path::PathBuf;

use assert_cmd::Command;
use convscope::figures::{Content, Tensors};
use convscope::results::{self, Results};
use inputs::{difference, expected, folder, values};

#[path = "common/inputs.rs"]
mod inputs;

/// A temporary folder with the files of `inputs/` and a cache.
struct Workspace {
    folder: tempfile::TempDir,
}

struct Done {
    code: i32,
    out: String,
    err: String,
}

impl Workspace {
    fn new() -> Self {
        let workspace = Workspace {
            folder: tempfile::tempdir().unwrap(),
        };
        for entry in fs::read_dir(folder()).unwrap() {
            let entry = entry.unwrap();
            fs::copy(
                entry.path(),
                workspace.path(&entry.file_name().to_string_lossy()),
            )
            .unwrap();
        }
        workspace
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn call(&self, command: &str, spec: &str) -> Done {
        fs::write(self.path("spec.yaml"), spec).unwrap();
        let done = Command::cargo_bin("convscope")
            .unwrap()
            .current_dir(self.folder.path())
            .env("CONVSCOPE_CACHE", self.path("cache"))
            .env("NO_COLOR", "1")
            .env("COLUMNS", "120")
            .args([command, "--offline", "spec.yaml"])
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Done {
            code: done.status.code().expect("no signal"),
            out: text(done.stdout),
            err: text(done.stderr),
        }
    }

    /// The results of a run without failures, and its page.
    fn run(&self, spec: &str) -> (Results, Tensors, String) {
        let done = self.call("run", spec);
        assert_eq!(done.code, 0, "{}{}", done.out, done.err);
        let folders: Vec<_> = fs::read_dir(self.path("output")).unwrap().collect();
        assert_eq!(folders.len(), 1);
        let folder = folders[0].as_ref().unwrap().path();
        let (results, tensors) = results::store::read(&folder).unwrap();
        assert!(results.failures.is_empty(), "{:?}", results.failures);
        let page = fs::read_to_string(folder.join("report.html")).unwrap();
        fs::remove_dir_all(self.path("output")).unwrap();
        (results, tensors, page)
    }
}

/// The means and deviations of the reference, as the keys of `preprocess`.
fn normalised(channels: usize, resize: u32, crop: u32, interpolation: &str) -> String {
    let list = |first: f64, step: f64| {
        let values = (0..channels).map(|channel| format!("{:.2}", first + step * channel as f64));
        values.collect::<Vec<_>>().join(", ")
    };
    format!(
        "{{resize: {resize}, crop: {crop}, interpolation: {interpolation}, mean: [{}], std: [{}]}}",
        list(0.4, 0.05),
        list(0.2, 0.03)
    )
}

#[test]
fn networks_of_one_four_and_five_channels_give_the_logits_and_gradients_of_pytorch() {
    let expected = expected();
    let workspace = Workspace::new();
    for (net, file, channels, filter) in [
        ("net1", "grey8.png", 1, "bilinear"),
        ("net4", "rgba8.png", 4, "bicubic"),
        ("net5", "five16_planes.tif", 5, "bilinear"),
    ] {
        let preprocess = normalised(channels, 14, 12, filter);
        let (results, tensors, _) = workspace.run(&format!(
            "title: T\nmodels: [{{weights: {net}.pt2, preprocess: {preprocess}}}]\nimages: [{file}]\nmethods: [saliency]\n"
        ));
        let close = |key: &str, wanted: &str, tolerance: f32| {
            let found = tensors[key].floats().unwrap();
            let wanted = values(&expected[&format!("{net}/{wanted}")]);
            let largest = wanted
                .iter()
                .fold(0f32, |most, value| most.max(value.abs()));
            let error = difference(found, &wanted);
            assert!(
                error <= tolerance * largest,
                "{net} {wanted:?}: {error} of {largest}"
            );
        };
        close(&results.predictions[0].tensor, "logits", 1e-4);
        let Content::Map { tensor, .. } = &results.figures[0].content else {
            panic!("a map");
        };
        close(&format!("{tensor}/raw"), "gradient", 1e-3);
        assert_eq!(results.models[0].input, [channels as u32, 12, 12]);
        assert!(results.models[0].preprocess_assumed.is_none());
        let bounds = results.images[0].views[0].bounds;
        // 24 × 18 pixels become 18 × 14, of which the 12 at the centre are taken.
        let (x, y) = (24.0 / 18.0, 18.0 / 14.0);
        assert_eq!(bounds, [3.0 * x, y, 15.0 * x, 13.0 * y]);
    }
}

#[test]
fn every_method_and_check_runs_with_other_than_three_channels() {
    let workspace = Workspace::new();
    for (net, images) in [
        (
            "net5",
            "five16_planes.tif, five_float_tiles.tif, rgb8_and_two.tif",
        ),
        ("net4", "rgba8.png, rgba8.tif"),
        ("net1", "grey8.png, grey16.png, rgb8_lzw_tiles.tif"),
    ] {
        let (results, tensors, page) = workspace.run(&format!(
            "title: T\nmodels: [{net}.pt2]\nimages: [{images}]\nmethods:\n  - activations: {{layers: [last]}}\n  - filters: {{layers: [first, last]}}\n  \
             - saliency\n  - input_x_gradient\n  - integrated_gradients: {{baseline: blurred}}\n  - smoothgrad\n  - vargrad\n  \
             - occlusion: {{window: 4, stride: 4}}\n  - rise: {{masks: 20}}\n  - grad_cam\n  - deconvnet: {{layers: [conv1]}}\n  - guided_backprop\n  - guided_grad_cam\n  \
             - score_cam: {{layers: [last]}}\n  - ablation_cam: {{layers: [last]}}\n  - lrp\n  - maximize: {{layers: [last], units: 1, steps: 3}}\n  \
             - exemplars: {{layers: [last], units: 1, maximize: 2}}\nchecks: [curves, drop, randomisation]\n"
        ));
        let channels = results.models[0].input[0] as usize;
        for key in ["saliency", "lrp", "guided_backprop", "integrated_gradients"] {
            let figure = results
                .figures
                .iter()
                .find(|figure| figure.method == key)
                .unwrap();
            let Content::Map { tensor, .. } = &figure.content else {
                panic!("{key}")
            };
            assert_eq!(
                tensors[&format!("{tensor}/raw")].shape[0],
                channels,
                "{key}"
            );
        }
        // No figure lacks its image on the page.
        assert!(!page.contains("is missing in data.safetensors"), "{net}");
        if net == "net5" {
            assert!(page.contains("Drawn from the bands 1, 2, 3 of 5 (16 bits)."));
            assert!(page.contains("Drawn from the bands 1, 2, 3 of 5 (floats). Black is"));
        }
    }
}

#[test]
fn what_nobody_said_of_the_preprocessing_is_assumed_and_said() {
    let workspace = Workspace::new();
    let spec = |preprocess: &str| {
        format!(
            "title: T\nmodels: [{{weights: net5.pt2{preprocess}}}]\nimages: [five16_planes.tif]\nmethods: [saliency]\n"
        )
    };
    let assumed = "net5: preprocessing not given: an input from 0 to 1 is assumed";
    for command in ["check", "run"] {
        let done = workspace.call(command, &spec(""));
        assert_eq!(done.code, 0, "{}", done.err);
        assert!(done.err.contains(assumed), "{command}: {}", done.err);
        let done = workspace.call(command, &spec(", preprocess: {crop: 10}"));
        assert!(done.err.contains(assumed), "{command}: {}", done.err);
        for given in [
            "unit",
            "inception",
            "{mean: [0, 0, 0, 0, 0], std: [1, 1, 1, 1, 2]}",
            "{preset: raw, resize: 14}",
        ] {
            let done = workspace.call(command, &spec(&format!(", preprocess: {given}")));
            assert_eq!(done.code, 0, "{}", done.err);
            assert!(!done.err.contains("assumed"), "{given}: {}", done.err);
        }
    }
    let _ = fs::remove_dir_all(workspace.path("output"));
    let (results, _, page) = workspace.run(&spec(""));
    let note = results.models[0].preprocess_assumed.as_ref().unwrap();
    assert_eq!(note.key, "preprocess.assumed.unit");
    assert!(
        page.contains("mean and standard deviation not given: an input from 0 to 1 is assumed")
    );
    let (_, _, page) = workspace.run(&format!("{}lang: pl\n", spec("")));
    assert!(page.contains("nie są podane: przyjęto wejście od 0 do 1"));
}

/// What is wrong, the models and the images.
const WRONG: &[(&str, &str, &str)] = &[
    (
        "five bands, one channel",
        "[net1.pt2]",
        "[five16_planes.tif]",
    ),
    ("one band, five channels", "[net5.pt2]", "[grey8.png]"),
    (
        "three bands, four channels",
        "[net4.pt2]",
        "[rgb8_lzw_tiles.tif]",
    ),
    (
        "four bands, one channel",
        "[net1.pt2]",
        "[five_float_fortran.npy]",
    ),
    (
        "means of three",
        "[{weights: net5.pt2, preprocess: {mean: [0.5, 0.5, 0.5], std: [1, 1, 1]}}]",
        "[grey8.png]",
    ),
    (
        "imagenet for one",
        "[{weights: net1.pt2, preprocess: imagenet}]",
        "[grey8.png]",
    ),
    (
        "no preset",
        "[{weights: net1.pt2, preprocess: imagenett}]",
        "[grey8.png]",
    ),
    (
        "no means",
        "[{weights: net1.pt2, preprocess: {mean: []}}]",
        "[grey8.png]",
    ),
    (
        "means of bytes",
        "[{weights: net1.pt2, preprocess: {mean: [127], std: [1]}}]",
        "[grey8.png]",
    ),
    (
        "means of floats",
        "[{weights: net1.pt2, preprocess: {mean: [-500], std: [350]}}]",
        "[grey8.tif]",
    ),
    (
        "no such band",
        "[net5.pt2]",
        "[{path: five16_planes.tif, show: [6, 2, 1]}]",
    ),
    (
        "two bands",
        "[net5.pt2]",
        "[{path: five16_planes.tif, show: [2, 1]}]",
    ),
    (
        "band zero",
        "[net5.pt2]",
        "[{path: five16_planes.tif, show: [0]}]",
    ),
    (
        "show of a pack",
        "[net5.pt2]",
        "[{pack: imagenet-20, show: [1]}]",
    ),
];

#[test]
fn wrong_inputs_are_errors_that_say_what_was_found_and_what_would_be_right() {
    let workspace = Workspace::new();
    let mut shown = Vec::new();
    for (name, models, images) in WRONG {
        let spec = format!("title: T\nmodels: {models}\nimages: {images}\nmethods: [saliency]\n");
        let done = workspace.call("run", &spec);
        let folder = workspace.path("output");
        let message = if folder.exists() {
            let folder = fs::read_dir(&folder)
                .unwrap()
                .next()
                .unwrap()
                .unwrap()
                .path();
            let (results, _) = results::store::read(&folder).unwrap();
            let failure = results.failures.first().expect(name);
            format!(
                "{}\n  help: {}",
                failure.message,
                failure.help.as_deref().unwrap_or("-")
            )
        } else {
            assert_ne!(done.code, 0, "{name}");
            done.err
        };
        assert!(!message.contains("panicked"), "{message}");
        let _ = fs::remove_dir_all(folder);
        shown.push(format!("{name}:\n{}", message.trim()));
    }
    insta::assert_snapshot!(shown.join("\n\n"));
}

#[test]
fn maps_of_networks_with_different_crops_are_compared_where_both_see_the_photo() {
    let workspace = Workspace::new();
    // The same weights on 12 × 12 and on 18 × 18 pixels: each pixel has the same relevance but for one factor.
    let preprocess = "preprocess: {resize: none, preset: unit";
    let models = format!(
        "[{{id: narrow, weights: pointwise12.pt2, {preprocess}, crop: 12}}}}, {{id: wide, weights: pointwise18.pt2, {preprocess}, crop: 18}}}}]"
    );
    let spec = |models: &str| {
        format!(
            "title: T\nmodels: {models}\nimages: [five16_planes.tif]\nclasses: [0]\nmethods: [input_x_gradient]\n"
        )
    };
    let (results, _, page) = workspace.run(&spec(&models));
    let comparison = results.comparison.unwrap();
    let value = comparison.maps[0].spearman[0][1].unwrap();
    assert!(value > 0.999_99, "{value}");
    let value = comparison.maps[0].overlap[0][1].unwrap();
    assert!(value > 0.999, "{value}");
    assert_eq!(comparison.parts.len(), 1);
    // 12 × 12 of 24 × 18 pixels.
    assert!((comparison.parts[0].share - 1.0 / 3.0).abs() < 1e-9);
    let bounds: Vec<[f64; 4]> = results.images[0]
        .views
        .iter()
        .map(|view| view.bounds)
        .collect();
    assert_eq!(bounds, [[6.0, 3.0, 18.0, 15.0], [3.0, 0.0, 21.0, 18.0]]);
    assert!(page.contains("narrow and wide see different parts of the photos"));
    assert!(page.contains("narrow: x 6 to 18, y 3 to 15 of the photo (33"));
    assert!(page.contains("data-frame=\"-25.0000 -25.0000 150.0000 150.0000 1.00000\""));
    // Networks with one view are compared value by value, and the page says nothing of parts.
    let twice = models
        .replace("pointwise12", "pointwise18")
        .replace("crop: 12", "crop: 18");
    let (results, _, page) = workspace.run(&spec(&twice));
    assert!(results.comparison.unwrap().parts.is_empty());
    assert!(!page.contains("data-frame=\"") && !page.contains("see different parts of the photos"));
}
