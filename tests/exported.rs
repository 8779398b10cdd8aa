//! Networks that `torch.export.save` wrote (tests/make_exported.py): their values are PyTorch's, a batch gives what its images
//! give alone, layers have the names and maps of their modules, and broken files are errors.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use convscope::fetch::Cache;
use convscope::network::graph::{Graph, NodeId};
use convscope::network::{LayerSelector, selector};
use convscope::network::{Network, gradients, node_info, pt2, weights};
use convscope::plan::Plan;
use convscope::progress::Silent;
use convscope::spec::SpecFile;
use tch::{Device, Kind, Tensor};

/// The number of changed files of each network, if the environment has no `CONVSCOPE_MUTATIONS`.
const MUTATIONS: usize = 300;

const NETWORKS: [&str; 3] = ["convolutional", "transformer", "windows"];

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/exported/{name}.pt2"))
}

fn network(name: &str) -> Network {
    let found = pt2::read(&path(name)).unwrap();
    assert_eq!((found.input_size, found.classes), ([32, 32], 5), "{name}");
    assert!(found.warnings.is_empty(), "{:?}", found.warnings);
    found.network
}

fn expected() -> BTreeMap<String, Tensor> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/exported/expected.safetensors");
    Tensor::read_safetensors(path)
        .unwrap()
        .into_iter()
        .collect()
}

fn images() -> Tensor {
    let ramp = Tensor::arange(3 * 3 * 32 * 32, (Kind::Double, Device::Cpu)) * 0.37;
    ramp.sin().to_kind(Kind::Float).view([3, 3, 32, 32])
}

fn logits(network: &Network, images: &Tensor) -> Tensor {
    let output = network.graph().output();
    let values = tch::no_grad(|| network.forward(images, &[output])).unwrap();
    values.value(output).unwrap().shallow_clone()
}

/// Asserts that `found` differs from `expected` by at most `tolerance` times its largest magnitude.
fn assert_close(found: &Tensor, expected: &Tensor, tolerance: f64, what: &str) {
    assert_eq!(found.size(), expected.size(), "{what}");
    let largest = expected.abs().max().double_value(&[]);
    let difference = (found - expected).abs().max().double_value(&[]);
    assert!(
        largest > 1e-3 && difference <= tolerance * largest,
        "{what}: {difference} of {largest}"
    );
}

#[test]
fn logits_and_gradients_are_those_of_pytorch() {
    let expected = expected();
    for name in NETWORKS {
        let network = network(name);
        let found = logits(&network, &images());
        assert_close(&found, &expected[&format!("{name}/logits")], 1e-4, name);
        let image = images().narrow(0, 0, 1).set_requires_grad(true);
        let (input, output) = (network.graph().input(), network.graph().output());
        let values = network.forward(&image, &[input, output]).unwrap();
        let logit = values.value(output).unwrap().select(1, 0).sum(Kind::Float);
        let gradient = gradients(&logit, &values, &[input]).unwrap();
        let expected = &expected[&format!("{name}/gradient")];
        assert_close(gradient.value(input).unwrap(), expected, 1e-3, name);
    }
}

#[test]
fn a_batch_gives_what_its_images_give_alone() {
    for name in NETWORKS {
        let network = network(name);
        let together = logits(&network, &images());
        for index in 0..3 {
            let alone = logits(&network, &images().narrow(0, index, 1));
            assert_close(&alone, &together.narrow(0, index, 1), 1e-5, name);
        }
    }
}

fn name_of(graph: &Graph, id: NodeId) -> &str {
    &graph.node(id).name
}

#[test]
fn nodes_are_named_after_their_modules() {
    let network = network("convolutional");
    let names: Vec<&str> = network
        .graph()
        .nodes()
        .iter()
        .map(|node| node.name.as_str())
        .collect();
    let block = [
        "conv1",
        "bn1",
        "relu",
        "conv2",
        "mean",
        "fc1",
        "silu",
        "fc2",
        "sigmoid",
        "mul",
        "downsample",
        "add",
    ];
    for part in block {
        assert!(
            names.contains(&format!("blocks.1.{part}").as_str()),
            "{part}: {names:?}"
        );
    }
    assert!(
        names.contains(&"blocks.0.relu_1") && names.contains(&"fc"),
        "{names:?}"
    );
    assert!(!names.iter().any(|name| name.contains("drop")), "{names:?}");
    let sum = network.graph().find("blocks.1.add").unwrap();
    let sum = network.graph().residual_sum(sum).unwrap();
    assert_eq!(
        name_of(network.graph(), sum.shortcut),
        "blocks.1.downsample"
    );
    let product = network.graph().find("blocks.1.mul").unwrap();
    let (features, gate) = network.graph().gated_product(product).unwrap();
    assert_eq!(name_of(network.graph(), features), "blocks.1.conv2");
    assert_eq!(name_of(network.graph(), gate), "blocks.1.sigmoid");
}

#[test]
fn tokens_and_windows_have_maps() {
    for (name, last, grid) in [
        ("convolutional", "blocks.1.conv2", [12, 4, 4]),
        ("transformer", "blocks.0.add_1", [8, 4, 4]),
        ("windows", "norm", [16, 4, 4]),
    ] {
        let network = network(name);
        let graph = network.graph();
        let info = node_info::from_graph(graph, 32, 32).unwrap();
        let found = selector::resolve_spatial(&LayerSelector("last".into()), graph, &info).unwrap();
        assert_eq!(name_of(graph, found[0]), last, "{name}");
        assert_eq!(info[found[0]].shape, grid, "{name}");
    }
}

/// The map of a node with tokens or windows: of the positions in the same order as in the convolution at the beginning.
#[test]
fn maps_have_the_positions_in_the_order_of_the_image() {
    for name in ["transformer", "windows"] {
        let network = network(name);
        let graph = network.graph();
        let info = node_info::from_graph(graph, 32, 32).unwrap();
        let embed = graph.find("patch_embed").unwrap();
        let spatial = |id: &NodeId| info[*id].is_spatial() && info[*id].shape == info[embed].shape;
        // What only moves the values of the embedding, and moves them back.
        let moved: Vec<NodeId> = (embed + 1..graph.nodes().len())
            .take_while(|&id| !["add", "layer_norm", "cat"].contains(&graph.node(id).op.name()))
            .filter(spatial)
            .collect();
        assert!(!moved.is_empty(), "{name}");
        let keep: Vec<NodeId> = moved.iter().copied().chain([embed]).collect();
        let values = tch::no_grad(|| network.forward(&images(), &keep)).unwrap();
        let expected = values.value(embed).unwrap();
        for id in moved {
            let layout = info[id].layout.as_ref().unwrap();
            let value = values.value(id).unwrap();
            let map = layout.to_map(value, 3).unwrap();
            let what = format!("{name} {}", name_of(graph, id));
            assert_close(&map, expected, 0.0, &what);
            assert_close(&layout.from_map(&map, value).unwrap(), value, 0.0, &what);
        }
    }
}

#[test]
fn other_files_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    for (bytes, message) in [
        (&b"no zip"[..], "is no file of `torch.export.save`"),
        (&[][..], "is no file of `torch.export.save`"),
    ] {
        let path = folder.path().join("net.pt2");
        std::fs::write(&path, bytes).unwrap();
        let error = pt2::read(&path).unwrap_err();
        assert!(error.full_message().contains(message), "{error:?}");
    }
    assert!(pt2::read(&folder.path().join("absent.pt2")).is_err());
}

/// Files of older versions of PyTorch, and weights that are pickled within the archive.
#[test]
fn older_forms_have_the_same_values() {
    let expected = &expected()["windows/logits"];
    for name in ["torch_2_5", "pickled", "use_pickle"] {
        let found = pt2::read(&path(&format!("others/{name}"))).unwrap();
        assert!(found.warnings.is_empty(), "{name}: {:?}", found.warnings);
        let network = found.network;
        let own = logits(&network, &images());
        assert_close(&own, expected, 1e-4, name);
        let trained: i64 = network.graph().parameters().iter().map(|p| p.trained).sum();
        let current = self::network("windows");
        let expected: i64 = current.graph().parameters().iter().map(|p| p.trained).sum();
        assert_eq!(trained, expected, "{name}");
    }
}

/// An unknown version is tried, with a warning.
#[test]
fn an_unknown_version_is_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.pt2");
    let mut changed = entries(&self::path("windows"));
    for (name, bytes) in &mut changed {
        if name.ends_with("model.json") {
            let text = String::from_utf8(bytes.clone()).unwrap();
            let (start, end) = text
                .split_once("\"schema_version\": {\"major\": 8")
                .unwrap();
            *bytes = format!("{start}\"schema_version\": {{\"major\": 9{end}").into_bytes();
        }
    }
    write_entries(&path, &changed);
    let found = pt2::read(&path).unwrap();
    assert!(
        found.warnings[0].contains("has version 9."),
        "{:?}",
        found.warnings
    );
}

fn message(error: &convscope::Error) -> String {
    format!(
        "{}\n{}",
        error.full_message(),
        error.help_text().unwrap_or_default()
    )
}

#[test]
fn files_of_other_kinds_say_what_they_are_and_what_to_write() {
    let lines = [
        "torch.export.export(net.eval(), ",
        "torch.export.save(program, \"net.pt2\")",
    ];
    let scripted = "is a TorchScript archive";
    let whole = "is a whole network (`torch.save(net)`), an object of the class `__main__.Windows`; no code of it was run";
    let compiled = "is a package of AOTInductor";
    for (file, expected, has_lines) in [
        ("exported/others/script.pt", scripted, true),
        ("exported/others/whole.pt", whole, true),
        ("exported/others/inductor.pt2", compiled, true),
        (
            "exported/others/state_dict.pt2",
            "{arch: ARCHITECTURE, weights: ",
            true,
        ),
        ("exported/others/cut_short.pt2", "cut short", false),
        (
            "weights/zip.pth",
            "is a state dict, which has weights but no graph",
            true,
        ),
        ("weights/old.pth", "is a state dict", true),
        ("weights/plain.safetensors", "is a state dict", true),
        (
            "weights/whole_model.pth",
            "`torch.nn.modules.linear.Linear`",
            true,
        ),
        ("weights/malicious.pkl", "is a pickle of Python", true),
    ] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests")
            .join(file);
        let text = message(&pt2::read(&path).unwrap_err());
        assert!(text.contains(expected), "{file}: {text}");
        assert_eq!(
            lines.iter().all(|line| text.contains(line)),
            has_lines,
            "{file}: {text}"
        );
    }
    assert!(pt2::read(&path("others/exported").with_extension("pt")).is_ok());
    for (file, expected, has_lines) in [
        ("others/script.pt", scripted, true),
        ("others/whole.pt", whole, true),
        ("others/inductor.pt2", compiled, true),
        ("others/exported.pt", "` without `arch`", false),
        ("others/torch_2_5.pt2", "is an exported program", false),
    ] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/exported")
            .join(file);
        let text = message(&weights::read_state_dict(&path).unwrap_err());
        assert!(text.contains(expected), "{file}: {text}");
        assert_eq!(
            lines.iter().all(|line| text.contains(line)),
            has_lines,
            "{file}: {text}"
        );
    }
    assert!(weights::read_state_dict(&path("others/state_dict")).is_ok());
}

/// Experiments name files as networks, whatever their endings.
#[test]
fn a_file_in_place_of_an_architecture_is_recognised_by_its_content() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/exported/others");
    for (model, expected) in [
        ("script.pt", "is a TorchScript archive"),
        ("{weights: whole.pt}", "is a whole network"),
        (
            "{weights: state_dict.pt2}",
            "{arch: ARCHITECTURE, weights: ",
        ),
        (
            "{arch: resnet18, weights: script.pt}",
            "is a TorchScript archive",
        ),
        (
            "{arch: resnet18, weights: exported.pt}",
            "write `{weights: ",
        ),
        ("missing.onnx", "there is no weight file"),
    ] {
        let text = format!(
            "title: Files\nmodels: [{model}]\nimages: [{{path: missing.png}}]\nmethods: [saliency]\n"
        );
        let spec = SpecFile::parse("experiment.yaml", &text).unwrap();
        let spec = spec.with_path(folder.join("experiment.yaml"));
        let cache = Cache::from_env(true).unwrap();
        let error = Plan::new(&spec, &cache, &Silent).unwrap_err();
        let text = message(&error);
        assert!(text.contains(expected), "{model}: {text}");
    }
}

/// The entries of a zip archive by their names.
fn entries(path: &Path) -> Vec<(String, Vec<u8>)> {
    let mut zip = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    let count = zip.len();
    let read = |index| {
        let mut entry = zip.by_index(index).unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        (entry.name().unwrap().into_owned(), bytes)
    };
    (0..count).map(read).collect()
}

fn write_entries(path: &Path, entries: &[(String, Vec<u8>)]) {
    let mut zip = zip::ZipWriter::new(std::fs::File::create(path).unwrap());
    let stored =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, bytes) in entries {
        zip.start_file(name.as_str(), stored).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
}

/// Values that take the place of others in a program's JSON.
const VALUES: [&str; 12] = [
    "0",
    "-1",
    "2",
    "7",
    "1000000",
    "-9223372036854775808",
    "9223372036854775807",
    "true",
    "null",
    "[]",
    "\"x\"",
    "1e30",
];

/// Programs with changed values are read, or are errors: nothing panics, hangs or fills the memory.
#[test]
fn changed_programs_cause_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.pt2");
    let value =
        regex::Regex::new(r#"(?:-?\d+(?:\.\d+)?|true|false|"[a-z_0-9]+")(?:[,\]}])"#).unwrap();
    let mut state = 1u64;
    let mut next = |below: usize| {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (state >> 33) as usize % below
    };
    let count = std::env::var("CONVSCOPE_MUTATIONS").ok();
    let mutations = count.map_or(MUTATIONS, |count| count.parse().unwrap());
    let (mut read, mut wrong) = (0, 0);
    for name in NETWORKS {
        let original = entries(&self::path(name));
        write_entries(&path, &original);
        assert!(pt2::read(&path).is_ok(), "{name}");
        for _ in 0..mutations {
            let mut changed = original.clone();
            let is_json = |(name, _): &&mut (String, Vec<u8>)| name.ends_with(".json");
            let jsons: Vec<_> = changed.iter_mut().filter(is_json).collect();
            let count = jsons.len();
            let (_, bytes) = jsons.into_iter().nth(next(count)).unwrap();
            let mut text = String::from_utf8(bytes.clone()).unwrap();
            for _ in 0..1 + next(3) {
                let places: Vec<_> = value.find_iter(&text).map(|found| found.range()).collect();
                if places.is_empty() {
                    continue;
                }
                let range = places[next(places.len())].clone();
                text.replace_range(range.start..range.end - 1, VALUES[next(VALUES.len())]);
            }
            *bytes = text.into_bytes();
            write_entries(&path, &changed);
            match pt2::read(&path) {
                Err(_) => wrong += 1,
                Ok(found) => {
                    read += 1;
                    let [height, width] = found.input_size;
                    let _ = node_info::from_graph(found.network.graph(), height, width);
                }
            }
        }
    }
    println!("{read} read, {wrong} errors");
    assert!(
        read > mutations / 10 && wrong > mutations / 10,
        "{read} {wrong}"
    );
}
