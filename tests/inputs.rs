//! Images of all depths and numbers of bands, and the networks that read them, against NumPy, Pillow and PyTorch.
//!
//! `inputs/` is made by `make_inputs.py`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use convscope::figures::Content;
use convscope::figures::Tensors;
use convscope::image::{DecodedImage, Interpolation, Preprocess, Samples};
use convscope::results::{self, Results};
use proptest::prelude::*;
use tch::Tensor;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/inputs")
}

fn expected() -> BTreeMap<String, Tensor> {
    let all = Tensor::read_safetensors(folder().join("expected.safetensors")).unwrap();
    all.into_iter().collect()
}

fn values(tensor: &Tensor) -> Vec<f32> {
    Vec::try_from(tensor.flatten(0, -1)).unwrap()
}

fn difference(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let pairs = found.iter().zip(expected);
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn every_file_has_the_samples_that_numpy_sees() {
    let expected = expected();
    let names = expected
        .keys()
        .filter_map(|key| key.strip_prefix("samples/"));
    let names: Vec<&str> = names.collect();
    assert_eq!(names.len(), 27);
    for name in names {
        let image = DecodedImage::open(&folder().join(name)).expect(name);
        let wanted = &expected[&format!("samples/{name}")];
        let (width, height) = image.pixels.dimensions();
        let found: Vec<f32> = match &image.bands {
            Some(bands) => {
                assert_eq!(bands.count() as i64, wanted.size()[0], "{name}");
                (0..bands.count())
                    .flat_map(|band| bands.floats(band))
                    .collect()
            }
            None => {
                let colours = (0..3).flat_map(|colour| {
                    let pixels = image.pixels.pixels();
                    pixels.map(move |pixel| f32::from(pixel[colour]) / 255.0)
                });
                colours.collect()
            }
        };
        assert_eq!(wanted.size()[1..], [i64::from(height), i64::from(width)]);
        let error = difference(&found, &values(wanted));
        assert!(error <= 1e-7, "{name}: {error}");
    }
}

#[test]
fn inputs_are_those_of_pillow_and_pytorch() {
    let mut count = 0;
    for (key, wanted) in expected() {
        let Some(case) = key.strip_prefix("input/") else {
            continue;
        };
        count += 1;
        let parts: Vec<&str> = case.split('/').collect();
        let number = |text: &str| text.parse::<u32>().unwrap();
        let length = |text: &str| Some(number(text)).filter(|length| *length > 0);
        let channels = number(parts[1]) as usize;
        let by_channel = |first: f64, step: f64| {
            let channels = (0..channels).map(|channel| first + step * channel as f64);
            channels.collect()
        };
        let preprocess = Preprocess {
            resize: length(parts[3]),
            crop: length(parts[4]),
            interpolation: match parts[2] {
                "bicubic" => Interpolation::Bicubic,
                _ => Interpolation::Bilinear,
            },
            mean: by_channel(0.4, 0.05),
            std: by_channel(0.2, 0.03),
        };
        let image = DecodedImage::open(&folder().join(parts[0])).unwrap();
        let view = preprocess.view_of(&image, channels).unwrap();
        let found = preprocess.normalise_view(&view);
        let size = view.pixels.dimensions();
        assert_eq!(
            wanted.size(),
            [channels as i64, size.1.into(), size.0.into()]
        );
        let wanted = values(&wanted);
        let largest = wanted
            .iter()
            .fold(1.0f32, |most, value| most.max(value.abs()));
        let error = difference(&found, &wanted);
        assert!(error <= 1e-6 * largest, "{case}: {error} of {largest}");
    }
    assert_eq!(count, 13);
}

#[test]
fn pictures_are_drawn_from_the_bands_that_are_shown() {
    let open = |name: &str, show: &[usize]| {
        DecodedImage::open_showing(&folder().join(name), show).expect(name)
    };
    let grey = open("grey8.png", &[]);
    assert!(
        grey.pixels
            .pixels()
            .all(|pixel| pixel[0] == pixel[1] && pixel[1] == pixel[2])
    );
    assert!(grey.drawing.unwrap().is_plain());
    // The default are the first three; others and their order can be chosen.
    let (usual, chosen) = (
        open("rgb8_and_two.tif", &[]),
        open("rgb8_and_two.tif", &[5, 2, 1]),
    );
    let Samples::Bits8(samples) = usual.bands.as_ref().unwrap().samples() else {
        panic!("8 bits");
    };
    let area = samples.len() / 5;
    for (index, (usual, chosen)) in usual
        .pixels
        .pixels()
        .zip(chosen.pixels.pixels())
        .enumerate()
    {
        let band = |number: usize| samples[(number - 1) * area + index];
        assert_eq!(usual.0, [band(1), band(2), band(3)]);
        assert_eq!(chosen.0, [band(5), band(2), band(1)]);
    }
    let drawing = chosen.drawing.unwrap();
    assert_eq!(
        (drawing.bands, drawing.of, drawing.range),
        (vec![5, 2, 1], 5, None)
    );
    // Networks get the same.
    assert_eq!(chosen.bands, usual.bands);
    // Floats beyond 0 to 1 are stretched.
    let float = open("five_float_tiles.tif", &[2]).drawing.unwrap();
    let [low, high] = float.range.unwrap();
    assert!(
        -0.7 < low && low < 0.0 && 1.0 < high && high < 2.3,
        "{low} {high}"
    );
    // 12 bits in 16 would be dark.
    let dark: Vec<u8> = (0..64u16)
        .flat_map(|index| (index * 64).to_le_bytes())
        .collect();
    let image = DecodedImage::from_bytes("dark", &array("<u2", "(8, 8)", &dark)).unwrap();
    let levels: Vec<u8> = image.pixels.pixels().map(|pixel| pixel[0]).collect();
    assert_eq!((levels[0], levels[63]), (0, 255));
    assert!((120..136).contains(&levels[32]), "{}", levels[32]);

    let error = DecodedImage::open_showing(&folder().join("five16_planes.tif"), &[6, 1, 2]);
    let error = error.unwrap_err();
    assert!(
        error
            .message()
            .ends_with("there is no band 6: the image has 5 bands"),
        "{error}"
    );
    let error = DecodedImage::open_showing(&folder().join("grey8.png"), &[1, 1]).unwrap_err();
    assert!(
        error
            .message()
            .ends_with("a picture is drawn from 1 or 3 bands, not 2"),
        "{error}"
    );
}

/// A NumPy array with this header.
fn array(descr: &str, shape: &str, values: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(values);
    bytes
}

/// The message and the help of decoding these bytes.
fn fault(bytes: &[u8]) -> String {
    let error = DecodedImage::from_bytes("file", bytes).unwrap_err();
    format!("{}\n{}", error.message(), error.help_text().unwrap_or("-"))
}

#[test]
fn files_that_are_no_images_say_what_is_wrong() {
    let nan = f32::NAN.to_le_bytes();
    let floats = [1f32.to_le_bytes(), nan, nan, 0f32.to_le_bytes()].concat();
    let five = fs::read(folder().join("five16_planes.tif")).unwrap();
    let lines = [
        fault(&array("<f4", "(3, 224, 224)", &[])),
        fault(&array("<f4", "(4,)", &[0; 16])),
        fault(&array("<f4", "(2, 2, 0)", &[])),
        fault(&array("<f4", "(2, 2, 5000)", &[])),
        fault(&array("<f4", "(4000000000, 4000000000)", &[])),
        fault(&array("<f4", "(99999999999999999999, 2)", &[])),
        fault(&array("<f4", "(20000, 4000, 5)", &[])),
        fault(&array("<f4", "(2, 2)", &floats)),
        fault(&array("<f4", "(2, 2)", &floats[..12])),
        fault(&array("<c8", "(2, 2)", &[0; 32])),
        fault(&array("|O", "(2, 2)", &[0; 32])),
        fault(b"\x93NUMPY\x01\x00\x05\x00hello"),
        fault(b"\x93NUMPY\x01\x00\xff"),
        fault(b"II*\x00\x08\x00\x00\x00"),
        fault(&five[..five.len() / 2]),
        fault(b"\0\0\0\x18ftypavif\0\0"),
    ];
    insta::assert_snapshot!(lines.join("\n"));
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn damaged_files_never_panic(
        file in 0..8_usize,
        keep in 0.0..1.0_f64,
        damage in proptest::collection::vec((0.0..1.0_f64, any::<u8>()), 0..6),
    ) {
        let name = [
            "five16_planes.tif", "five_float_tiles.tif", "rgb8_and_two.tif", "one_bit.tif", "turned.tif", "float64.tif",
            "five_float_fortran.npy", "five16_big_endian.npy",
        ][file];
        let mut bytes = fs::read(folder().join(name)).unwrap();
        if damage.is_empty() {
            bytes.truncate((bytes.len() as f64 * keep) as usize);
        }
        // The header and the tags, which are at one of the ends.
        let length = bytes.len() as f64;
        for (place, value) in damage {
            let place = if value % 2 == 0 { place * place * place } else { 1.0 - place * place * place };
            let at = ((place * length) as usize).min(bytes.len() - 1);
            bytes[at] = value;
        }
        match DecodedImage::from_bytes(name, &bytes) {
            Ok(photo) => prop_assert!(photo.pixels.width() > 0),
            Err(error) => prop_assert_eq!(error.kind(), convscope::ErrorKind::Image),
        }
    }
}

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

#[test]
fn presets_are_means_and_deviations_by_name() {
    let image = DecodedImage::open(&folder().join("grey8.png")).unwrap();
    let Samples::Bits8(levels) = image.bands.as_ref().unwrap().samples() else {
        panic!("8 bits")
    };
    for (preset, of_level) in [
        ("unit", (|level| level / 255.0) as fn(f32) -> f32),
        ("raw", |level| level),
        ("inception", |level| level / 127.5 - 1.0),
    ] {
        let preset: convscope::spec::PreprocessSpec =
            serde_json::from_str(&format!("{preset:?}")).unwrap();
        assert_eq!(
            serde_json::to_value(&preset).unwrap(),
            serde_json::to_value(preset.preset).unwrap()
        );
        let [mean, std] = preset.preset.unwrap().means_and_deviations(1).unwrap();
        let preprocess = Preprocess {
            resize: None,
            crop: None,
            mean,
            std,
            ..Preprocess::imagenet()
        };
        let view = preprocess.view_of(&image, 1).unwrap();
        for (found, level) in preprocess.normalise_view(&view).iter().zip(levels) {
            let wanted = of_level(f32::from(*level));
            assert!(
                (found - wanted).abs() <= 1e-6 * wanted.abs().max(1.0),
                "{found} {wanted}"
            );
        }
    }
    let three = convscope::spec::PreprocessPreset::Imagenet.means_and_deviations(3);
    let imagenet = Preprocess::imagenet();
    assert_eq!(three, Some([imagenet.mean, imagenet.std]));
}

#[test]
fn wrong_inputs_are_errors_that_say_what_was_found_and_what_would_be_right() {
    let workspace = Workspace::new();
    let mut shown = Vec::new();
    for (name, models, images) in [
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
    ] {
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
