//! State dicts as people have them, against PyTorch: stems, heads, shortcuts, channels and prefixes that are not torchvision's, and
//! wrong ones of each kind. `tests/make_checkpoints.py` made `tests/checkpoints`: names, shapes, outputs and gradients; values
//! are computed here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use convscope::fetch::Cache;
use convscope::network::graph::{Graph, Parameter, ParameterKind};
use convscope::network::weights::{
    CHECKPOINT_SENTENCES, Checkpoint, StateDict, into_parameters, read_state_dict,
};
use convscope::network::zoo::{self, ArchOptions, Head, Stem};
use convscope::network::{Network, gradients, random_weights};
use convscope::plan::Plan;
use convscope::progress::Silent;
use convscope::spec::SpecFile;
use convscope::{Error, Result};
use serde::Deserialize;
use tch::{Device, Kind, Tensor};

/// A kind of `kinds.json`.
#[derive(Deserialize)]
struct Entry {
    arch: String,
    size: i64,
    channels: i64,
    tensors: BTreeMap<String, Vec<i64>>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/checkpoints")
}

fn entry(kind: &str) -> Entry {
    let text = std::fs::read_to_string(folder().join("kinds.json")).unwrap();
    let mut all: BTreeMap<String, Entry> = serde_json::from_str(&text).unwrap();
    all.remove(kind).expect(kind)
}

/// Random values for tensors of these names and shapes.
fn values(shapes: &BTreeMap<String, Vec<i64>>) -> StateDict {
    let mut graph = Graph::new();
    for (name, shape) in shapes {
        graph.add_parameter(Parameter {
            name: name.clone(),
            shape: shape.clone(),
            kind: ParameterKind::Trained,
            trained: 0,
        });
    }
    random_weights::weights(&graph)
}

/// The state dict of a kind.
fn state_dict(kind: &str) -> StateDict {
    values(&entry(kind).tensors)
}

fn fit(arch: &str, file: StateDict) -> Result<Checkpoint> {
    let arch = zoo::find(arch).unwrap();
    into_parameters(arch, ArchOptions::default(), file, Path::new("best.pth"))
}

/// The notes of a checkpoint, one a line.
fn notes(found: &Checkpoint) -> String {
    let lines: Vec<&str> = found.notes.iter().map(|note| note.text.as_str()).collect();
    lines.join("\n")
}

fn assert_close(found: &Tensor, expected: &Tensor, tolerance: f64, what: &str) {
    assert_eq!(found.size(), expected.size(), "{what}");
    let largest = expected.abs().max().double_value(&[]);
    let apart = (found - expected).abs().max().double_value(&[]);
    assert!(
        apart <= tolerance * largest,
        "{what}: {apart} apart, of {largest}"
    );
}

/// Asserts that a kind's file gives PyTorch's output and gradient; returns what was read.
fn agrees(kind: &str) -> Checkpoint {
    let Entry {
        arch,
        size,
        channels,
        tensors,
    } = entry(kind);
    let found = fit(&arch, values(&tensors)).unwrap();
    let arch = zoo::find(&arch).unwrap();
    let doubled = found
        .parameters
        .iter()
        .map(|(name, value)| (name.clone(), value.to_kind(Kind::Double)));
    let network = Network::new(arch.graph(found.options.clone()), doubled.collect()).unwrap();
    let name = "input.weight".to_owned();
    let shape = BTreeMap::from([(name.clone(), vec![1, channels, size, size])]);
    let input = values(&shape)[&name].to_kind(Kind::Double) * 30.0;
    let input = input.set_requires_grad(true);
    let (first, output) = (network.graph().input(), network.graph().output());
    let computed = network.forward(&input, &[first, output]).unwrap();
    let gradient = gradients(&computed[&output].get(0).get(0), &computed, &[first]).unwrap();
    let golden = Tensor::read_safetensors(folder().join("expected.safetensors")).unwrap();
    let expected = |what: &str| {
        let key = format!("{kind}/{what}");
        let tensor = golden.iter().find(|(name, _)| *name == key);
        tensor.expect(&key).1.to_kind(Kind::Double)
    };
    let values = computed[&output].get(0).detach();
    assert_close(&values, &expected("output"), 1e-4, kind);
    let gradient = gradient[&first].get(0).slice(1, None, None, 4);
    let gradient = gradient.slice(2, None, None, 4);
    assert_close(&gradient, &expected("gradient"), 1e-3, kind);
    found
}

#[test]
fn a_stem_for_small_images_has_no_pooling() {
    let found = agrees("cifar_stem");
    assert_eq!(found.options.stem, Stem::Small);
    assert_eq!(found.options.classes, 10);
    assert_eq!(zoo::find("resnet18").unwrap().side(&found.options), 32);
    insta::assert_snapshot!(notes(&found), @"Its stem is a 3 × 3 convolution: stride 1 and no max pooling are assumed, as for images of 32 × 32 pixels; a state dict doesn't say.");
    agrees("kuangliu_resnet18");
}

#[test]
fn an_input_has_the_files_channels() {
    let grey = agrees("one_channel_one_output");
    assert_eq!((grey.options.channels, grey.options.classes), (1, 1));
    let bands = agrees("five_channels");
    assert_eq!((bands.options.channels, bands.options.classes), (5, 10));
    insta::assert_snapshot!(notes(&bands), @"Its weights are those whose names begin with `net.`.");
}

#[test]
fn heads_of_linear_layers_norms_and_dropout_are_read() {
    let found = agrees("dropout_linear");
    insta::assert_snapshot!(notes(&found), @"Its head is `fc.1` Linear; other modules in it have no weights and are assumed to be dropout.");
    let found = agrees("linear_relu_dropout_linear");
    insta::assert_snapshot!(notes(&found), @"Its head is `fc.0` Linear, `fc.1` ReLU, `fc.3` Linear. A state dict doesn't name modules without weights: one ReLU between two linear layers is assumed, and dropout elsewhere.");
    let found = agrees("linear_norm_relu_linear");
    insta::assert_snapshot!(notes(&found), @"Its head is `fc.0` Linear, `fc.1` BatchNorm1d, `fc.2` ReLU, `fc.4` Linear. A state dict doesn't name modules without weights: one ReLU between two linear layers is assumed, and dropout elsewhere.");
    let found = agrees("linear_linear");
    insta::assert_snapshot!(notes(&found), @r"
    Between the linear layers `fc.0` and `fc.1` there is no gap, so no activation.
    The linear layer `fc.1` has no bias.
    ");
    let found = agrees("vgg_short_head");
    insta::assert_snapshot!(notes(&found), @"Its head is `classifier.0` Linear, `classifier.1` ReLU, `classifier.3` Linear. A state dict doesn't name modules without weights: one ReLU between two linear layers is assumed, and dropout elsewhere.");
    let found = agrees("efficientnet_linear");
    insta::assert_snapshot!(notes(&found), @"");
    let found = agrees("efficientnet_nested");
    insta::assert_snapshot!(notes(&found), @"Its head is `classifier.1.0` BatchNorm1d, `classifier.1.1` Linear; other modules in it have no weights and are assumed to be dropout.");
}

#[test]
fn a_network_without_a_head_gives_its_features() {
    let found = agrees("no_head");
    assert_eq!(found.options.head, Head::None);
    insta::assert_snapshot!(notes(&found), @r"
    Its weights are those whose names begin with `encoder.`.
    Tensors of the file that are not used: `projector` (2).
    It has no head, so no classes: its output is the vector of 512 features.
    ");
    let found = agrees("children_small_stem");
    assert_eq!(
        (found.options.head, found.options.stem),
        (Head::None, Stem::Small)
    );
    agrees("efficientnet_no_head");
}

#[test]
fn a_head_beside_the_network_is_its_head() {
    let found = agrees("head_beside");
    insta::assert_snapshot!(notes(&found), @r"
    Its weights are those whose names begin with `backbone.`.
    Its head is `classifier` of the same file.
    ");
    let found = agrees("children_in_a_row");
    insta::assert_snapshot!(notes(&found), @r"
    Its weights are those whose names begin with `feature_extractor.`.
    Its head is `classifier` of the same file.
    ");
}

#[test]
fn the_trained_one_of_two_encoders_is_read() {
    let found = agrees("moco");
    insta::assert_snapshot!(notes(&found), @r"
    Its weights are those whose names begin with `module.encoder_q.`.
    `module.encoder_k.` would fit as well and is not used.
    Tensors of the file that are not used: `module.encoder_k` (104), `module.queue` (1).
    Its head is `fc.0` Linear, `fc.1` ReLU, `fc.2` Linear. A state dict doesn't name modules without weights: one ReLU between two linear layers is assumed, and dropout elsewhere.
    ");
}

#[test]
fn resnext_and_wide_resnet_are_those_of_torchvision() {
    assert!(agrees("resnext50").notes.is_empty());
    assert!(agrees("wide_resnet50").notes.is_empty());
}

#[test]
fn resnets_for_cifar_have_shortcuts_with_and_without_weights() {
    let found = agrees("resnet20_without_projections");
    insta::assert_snapshot!(notes(&found), @r"
    Its weights are those whose names begin with `module.`.
    Its shortcuts have no weights: where the shape changes, every second position and channels of zeros are assumed.
    ");
    assert!(agrees("resnet20_with_projections").notes.is_empty());
    agrees("resnet56");
    agrees("resnet110");
}

#[test]
fn a_vgg_for_cifar_has_one_linear_layer() {
    let found = agrees("cifar_vgg");
    assert_eq!(zoo::find("vgg11_bn").unwrap().side(&found.options), 32);
    insta::assert_snapshot!(notes(&found), @"Its head takes the features of a map of 1 × 1 positions: images of 32 × 32 pixels are assumed.");
}

/// Message and help of an error about a file for `arch`.
fn refusal(arch: &str, file: StateDict) -> String {
    let error = fit(arch, file).map(|_| ()).unwrap_err();
    shown(&error)
}

fn shown(error: &Error) -> String {
    format!(
        "{}\nhelp: {}",
        error.message(),
        error.help_text().unwrap_or("none")
    )
}

fn zeros(shape: &[i64]) -> Tensor {
    Tensor::zeros(shape, (Kind::Float, Device::Cpu))
}

/// The state dict of a kind, with tensors of zeros added or replaced.
fn changed(kind: &str, tensors: &[(&str, &[i64])]) -> StateDict {
    let mut file = state_dict(kind);
    for (name, shape) in tensors {
        file.insert((*name).to_owned(), zeros(shape));
    }
    file
}

#[test]
fn a_stem_that_fits_nothing_says_what_would() {
    let five = changed("dropout_linear", &[("conv1.weight", &[64, 3, 5, 5])]);
    insta::assert_snapshot!(refusal("resnet18", five), @r"
    best.pth does not fit resnet18: 1 of another shape: `conv1.weight` is [64, 3, 5, 5] instead of [64, 3, 7, 7]
    help: its stem begins with `conv1.weight` of shape [64, 3, 5, 5]; that of resnet18 is a 7 × 7 convolution with stride 2 and max pooling, or a 3 × 3 convolution with stride 1 and no pooling; export another network with `scripts/export.py` and write its `.pt2` file instead
    ");
    let mut deep = changed(
        "dropout_linear",
        &[
            ("conv1.0.weight", &[32, 3, 3, 3]),
            ("conv1.3.weight", &[64, 32, 3, 3]),
        ],
    );
    deep.remove("conv1.weight");
    insta::assert_snapshot!(refusal("resnet18", deep), @r"
    best.pth does not fit resnet18: 1 missing: `conv1.weight`; 2 unexpected: `conv1.0.weight`, `conv1.3.weight`
    help: its stem begins with `conv1.0.weight` of shape [32, 3, 3, 3]; that of resnet18 is a 7 × 7 convolution with stride 2 and max pooling, or a 3 × 3 convolution with stride 1 and no pooling; export another network with `scripts/export.py` and write its `.pt2` file instead
    ");
    let cifar = changed(
        "resnet20_with_projections",
        &[("conv1.weight", &[16, 3, 7, 7])],
    );
    insta::assert_snapshot!(refusal("resnet20", cifar), @r"
    best.pth does not fit resnet20: 1 of another shape: `conv1.weight` is [16, 3, 7, 7] instead of [16, 3, 3, 3]
    help: its stem begins with `conv1.weight` of shape [16, 3, 7, 7]; that of resnet20 is a 3 × 3 convolution with stride 1; export another network with `scripts/export.py` and write its `.pt2` file instead
    ");
}

/// The position of the first stage among a ResNet's children says whether there is a max pooling before it.
#[test]
fn a_stem_that_contradicts_the_positions_of_the_stages_is_an_error() {
    let large = changed("children_small_stem", &[("f.0.weight", &[64, 3, 7, 7])]);
    insta::assert_snapshot!(refusal("resnet18", large), @r"
    best.pth does not fit resnet18: its stem has no max pooling between its ReLU and the first stage
    help: that of resnet18 is a 7 × 7 convolution with stride 2 and max pooling, or a 3 × 3 convolution with stride 1 and no pooling; export another network with `scripts/export.py` and write its `.pt2` file instead
    ");
    let small = changed(
        "children_in_a_row",
        &[("feature_extractor.0.weight", &[64, 3, 3, 3])],
    );
    insta::assert_snapshot!(refusal("resnet18", small), @r"
    best.pth does not fit resnet18: its stem has a 3 × 3 convolution, and a module between its ReLU and the first stage
    help: that of resnet18 is a 7 × 7 convolution with stride 2 and max pooling, or a 3 × 3 convolution with stride 1 and no pooling; export another network with `scripts/export.py` and write its `.pt2` file instead
    ");
}

#[test]
fn a_head_that_is_none_says_what_was_found() {
    let norm = changed("dropout_linear", &[("fc.0.weight", &[512])]);
    insta::assert_snapshot!(refusal("resnet18", norm), @r"
    best.pth does not fit resnet18: its head has a module that is neither Linear nor BatchNorm1d: `fc.0.weight` [512]
    help: a head is a chain of Linear, BatchNorm1d, ReLU and dropout on the pooled features; export another network with `scripts/export.py` and write its `.pt2` file instead
    ");
    let narrow = changed(
        "dropout_linear",
        &[("fc.1.weight", &[7, 256]), ("fc.1.bias", &[7])],
    );
    insta::assert_snapshot!(refusal("resnet18", narrow), @r"
    best.pth does not fit resnet18: its head takes 256 values, but resnet18 gives 512 features
    help: a head is a chain of Linear, BatchNorm1d, ReLU and dropout on the pooled features; export another network with `scripts/export.py` and write its `.pt2` file instead
    ");
    let apart = changed("linear_relu_dropout_linear", &[("fc.3.weight", &[7, 64])]);
    insta::assert_snapshot!(refusal("resnet18", apart), @r"
    best.pth does not fit resnet18: its head doesn't fit together: `fc.0` gives 32 values, `fc.3` takes 64
    help: a head is a chain of Linear, BatchNorm1d, ReLU and dropout on the pooled features; export another network with `scripts/export.py` and write its `.pt2` file instead
    ");
    let vgg = changed("cifar_vgg", &[("classifier.weight", &[10, 1000])]);
    insta::assert_snapshot!(refusal("vgg11_bn", vgg), @r"
    best.pth does not fit vgg11_bn: its head takes 1000 values, but vgg11_bn gives 512 to 25088 features (512 for each position of a map of 1 × 1 to 7 × 7)
    help: a head is a chain of Linear, BatchNorm1d, ReLU and dropout on the pooled features; export another network with `scripts/export.py` and write its `.pt2` file instead
    ");
}

#[test]
fn a_file_of_another_architecture_says_which() {
    for (asked, kind, given) in [
        ("resnet50", "resnext50", "resnext50_32x4d"),
        ("resnet50", "wide_resnet50", "wide_resnet50_2"),
        ("resnet18", "resnet20_without_projections", "resnet20"),
        ("resnet20", "resnet56", "resnet56"),
        ("resnet34", "cifar_stem", "resnet18"),
        ("vgg11", "cifar_vgg", "vgg11_bn"),
        ("resnet50", "moco", "resnet18"),
        ("resnet50", "children_in_a_row", "resnet18"),
    ] {
        let refused = refusal(asked, state_dict(kind));
        let expected = format!("help: this looks like {given}: `arch: {given}`");
        assert!(refused.ends_with(&expected), "{refused}");
    }
}

#[test]
fn an_incomplete_encoder_and_a_tensor_too_many_within_it_are_errors() {
    let mut missing = state_dict("no_head");
    missing.remove("encoder.layer1.0.conv1.weight");
    insta::assert_snapshot!(refusal("resnet18", missing), @r"
    best.pth does not fit resnet18: 1 missing: `encoder.layer1.0.conv1.weight`
    help: none
    ");
    let more = changed("no_head", &[("encoder.layer1.0.scale", &[64])]);
    insta::assert_snapshot!(refusal("resnet18", more), @r"
    best.pth does not fit resnet18: 1 unexpected: `encoder.layer1.0.scale`
    help: none
    ");
    let nothing = StateDict::from([("a".to_owned(), zeros(&[2]))]);
    insta::assert_snapshot!(refusal("resnet18", nothing), @r"
    best.pth does not fit resnet18: 100 missing: `conv1.weight`, `bn1.weight`, `bn1.bias`, `bn1.running_mean`, `bn1.running_var`, `layer1.0.conv1.weight`, `layer1.0.bn1.weight`, `layer1.0.bn1.bias`, `layer1.0.bn1.running_mean`, `layer1.0.bn1.running_var` and 90 more; 1 unexpected: `a`
    help: allowed are the names of torchvision, timm, efficientnet_pytorch and the common CIFAR repositories; see `convscope layers` for the names of a network
    ");
}

/// Of DINO's two networks its evaluation takes the teacher; of other averages the trained network is taken.
#[test]
fn of_two_copies_one_is_chosen_and_said() {
    let base = state_dict("resnet20_with_projections");
    for (names, chosen) in [
        (
            ["student.backbone.", "teacher.backbone."],
            "teacher.backbone.",
        ),
        (["ema.", "net."], "net."),
        (["model_ema.", "model."], "model."),
        (["a.", "b."], "a."),
    ] {
        let mut file = StateDict::new();
        for prefix in names {
            for (name, tensor) in &base {
                file.insert(format!("{prefix}{name}"), tensor.shallow_clone());
            }
        }
        let found = fit("resnet20", file).unwrap();
        let expected = format!("Its weights are those whose names begin with `{chosen}`.");
        assert_eq!(found.notes[0].text, expected);
        let other = names.iter().find(|name| **name != chosen).unwrap();
        let expected = format!("`{other}` would fit as well and is not used.");
        assert_eq!(found.notes[1].text, expected);
    }
    // The network that fits is chosen, not the one with the shorter name.
    let mut file = StateDict::new();
    for (prefix, kind) in [
        ("a.", "resnet56"),
        ("long_name.", "resnet20_with_projections"),
    ] {
        for (name, tensor) in state_dict(kind) {
            file.insert(format!("{prefix}{name}"), tensor);
        }
    }
    let found = fit("resnet20", file).unwrap();
    insta::assert_snapshot!(notes(&found), @r"
    Its weights are those whose names begin with `long_name.`.
    Tensors of the file that are not used: `a` (277).
    ");
}

/// A pickle of dicts of tensors within dicts, each tensor in a storage of its own; with its storages.
fn pickle(dict: &Nested, storages: &mut Vec<Vec<f32>>) -> Vec<u8> {
    let text = |text: &str| {
        let length = (text.len() as u32).to_le_bytes();
        [b"X".as_slice(), &length, text.as_bytes()].concat()
    };
    let int = |value: i64| [b"J".as_slice(), &(value as i32).to_le_bytes()].concat();
    match dict {
        Nested::Dict(entries) => {
            let mut bytes = b"}(".to_vec();
            for (name, value) in entries {
                bytes.extend(text(name));
                bytes.extend(pickle(value, storages));
            }
            bytes.extend(b"u");
            bytes
        }
        Nested::Tensor(tensor) => {
            let shape = tensor.size();
            let strides: Vec<i64> = (0..shape.len())
                .map(|axis| shape[axis + 1..].iter().product())
                .collect();
            let tuple = |values: &[i64]| {
                let parts: Vec<u8> = values.iter().flat_map(|&value| int(value)).collect();
                [b"(".as_slice(), &parts, b"t"].concat()
            };
            let values: Vec<f32> = Vec::try_from(tensor.flatten(0, -1)).unwrap();
            let bytes = [
                b"ctorch._utils\n_rebuild_tensor_v2\n((".to_vec(),
                text("storage"),
                b"ctorch\nFloatStorage\n".to_vec(),
                text(&storages.len().to_string()),
                text("cpu"),
                int(values.len() as i64),
                b"tQ".to_vec(),
                int(0),
                tuple(&shape),
                tuple(&strides),
                b"\x89NtR".to_vec(),
            ]
            .concat();
            storages.push(values);
            bytes
        }
    }
}

/// What a training program saves.
enum Nested {
    Dict(Vec<(String, Nested)>),
    Tensor(Tensor),
}

impl Nested {
    fn dict(file: StateDict) -> Nested {
        let entries = file
            .into_iter()
            .map(|(name, tensor)| (name, Nested::Tensor(tensor)));
        Nested::Dict(entries.collect())
    }

    fn with(entries: Vec<(&str, Nested)>) -> Nested {
        let entries = entries
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value));
        Nested::Dict(entries.collect())
    }

    /// Writes the file that `torch.save` would.
    fn save(&self, path: &Path) {
        use std::io::Write;
        let mut storages = Vec::new();
        let pickle = [
            b"\x80\x02".to_vec(),
            pickle(self, &mut storages),
            b".".to_vec(),
        ]
        .concat();
        let mut zip = zip::ZipWriter::new(std::fs::File::create(path).unwrap());
        let plain = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored);
        zip.start_file("archive/data.pkl", plain).unwrap();
        zip.write_all(&pickle).unwrap();
        for (index, values) in storages.iter().enumerate() {
            zip.start_file(format!("archive/data/{index}"), plain)
                .unwrap();
            let bytes: Vec<u8> = values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect();
            zip.write_all(&bytes).unwrap();
        }
        zip.finish().unwrap();
    }
}

#[test]
fn checkpoints_within_checkpoints_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("best.pth");
    let kind = "resnet20_with_projections";
    let whole = || Nested::dict(state_dict(kind));
    for key in [
        "state_dict",
        "model_state_dict",
        "model",
        "net",
        "weights",
        "network",
    ] {
        let optimizer = Nested::with(vec![("state", Nested::with(vec![]))]);
        Nested::with(vec![("optimizer", optimizer), (key, whole())]).save(&path);
        let file = read_state_dict(&path).unwrap();
        let found = fit("resnet20", file).unwrap();
        assert_eq!(found.options.classes, 10, "{key}");
    }
    // Several networks in one file: the names of all, after the keys.
    Nested::with(vec![("student", whole()), ("teacher", whole())]).save(&path);
    let found = fit("resnet20", read_state_dict(&path).unwrap()).unwrap();
    insta::assert_snapshot!(notes(&found), @r"
    Its weights are those whose names begin with `teacher.`.
    `student.` would fit as well and is not used.
    Tensors of the file that are not used: `student` (107).
    ");
}

/// What `convscope check` makes of an experiment with the model `yaml`, in a folder with a state dict of `kind`.
fn planned(kind: &str, yaml: &str, labels: Option<(&str, &str)>) -> Result<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("best.safetensors");
    let file = state_dict(kind);
    let list: Vec<(&String, &Tensor)> = file.iter().collect();
    Tensor::write_safetensors(&list, &path).unwrap();
    if let Some((name, text)) = labels {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let photo = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/input_64.png");
    let spec = format!(
        "title: t\nmodels:\n  - {yaml}\nimages: [{photo}]\nmethods: [saliency, {{grad_cam: {{layers: [last]}}}}]\n"
    );
    let path = folder.path().join("experiment.yaml");
    std::fs::write(&path, spec).unwrap();
    let spec = SpecFile::read(&path)?;
    let cache = Cache::from_env(true)?;
    let (models, _) = Plan::check(&spec, &cache, &Silent)?;
    let model = &models[0];
    let first = format!("{} from {}", model.labels.len(), model.labels.name(0));
    let layers: Vec<&str> = model
        .selected
        .iter()
        .flat_map(|selected| selected.layers.iter().map(String::as_str))
        .collect();
    Ok(format!(
        "{}; labels: {first}; layers: {}; task: {}",
        model.preprocess.describe(),
        layers.join(", "),
        model.task.name()
    ))
}

#[test]
fn an_experiment_is_planned_with_the_network_of_the_file() {
    let model = "{arch: resnet20, weights: best.safetensors}";
    let found = planned("resnet20_with_projections", model, None).unwrap();
    insta::assert_snapshot!(found, @"short side 32 bilinear, centre 32; labels: 10 from class 0; layers: layer3.2.conv2; task: classes");
    let model = "{arch: resnet20, weights: best.safetensors, preprocess: {resize: 40, crop: 36}, labels: l.txt}";
    let names: Vec<String> = (0..10).map(|index| format!("name {index}\n")).collect();
    let labels = Some(("l.txt", names.concat()));
    let labels = labels.as_ref().map(|(name, text)| (*name, text.as_str()));
    let found = planned("resnet20_with_projections", model, labels).unwrap();
    insta::assert_snapshot!(found, @"short side 40 bilinear, centre 36; labels: 10 from name 0; layers: layer3.2.conv2; task: classes");
    let model = "{arch: resnet18, weights: best.safetensors}";
    let found = planned("children_small_stem", model, None).unwrap();
    insta::assert_snapshot!(found, @"short side 32 bilinear, centre 32; labels: 0 from class 0; layers: layer4.1.conv2; task: codes");
}

#[test]
fn labels_of_another_length_are_an_error_of_the_plan() {
    let model = "{arch: resnet20, weights: best.safetensors, labels: l.txt}";
    let labels = Some(("l.txt", "cat\ndog\n"));
    let error = planned("resnet20_with_projections", model, labels).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    insta::assert_snapshot!(shown(&error), @r"
    `labels` of `resnet20` must have 10 class names, one for each output, got 2
    help: `labels` is a file with the names of all classes, in the order of the outputs: text with one name a line, JSON or CSV
    ");
    // The caret is at the key.
    assert!(error.has_position());
    assert!(format!("{error:?}").contains("labels: l.txt"), "{error:?}");
    // A network without a head has no classes that could have names.
    let model = "{arch: resnet18, weights: best.safetensors, labels: l.txt}";
    let error = planned("children_small_stem", model, labels).unwrap_err();
    insta::assert_snapshot!(shown(&error), @r"
    `resnet18` has no head, so no classes that `labels` could name
    help: leave out `labels`
    ");
}

/// The Polish report has each sentence, with the same gaps.
#[test]
fn every_sentence_is_in_polish() {
    let words = include_str!("../templates/words/pl.yaml");
    let gaps = |text: &str| {
        let parts = text.split('{').skip(1);
        let mut names: Vec<String> = parts
            .filter_map(|part| Some(part.split_once('}')?.0.to_owned()))
            .collect();
        names.sort();
        names
    };
    for (key, sentence) in CHECKPOINT_SENTENCES {
        let start = format!("{key}: ");
        let line = words.lines().find_map(|line| line.strip_prefix(&start));
        assert_eq!(gaps(line.expect(key)), gaps(sentence), "{key}");
    }
}
