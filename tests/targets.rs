//! What is explained besides a class's logit (tests/make_targets.py): contrasts, likenesses and probabilities have PyTorch's
//! values and gradients, integrated gradients are complete for them, and networks with one output, independent classes, values
//! or no classes are run as what they are.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use convscope::figures::{Content, Quantity, TargetInfo};
use convscope::image::Preprocess;
use convscope::methods::{LoadedModel, MethodOutput, MethodSpec, Target};
use convscope::network::graph::NodeId;
use convscope::network::labels::Labels;
use convscope::network::{
    LayerSelector, Network, TargetValue, Task, node_info, pt2, random_weights, selector, zoo,
};
use convscope::results::{Prediction, Results};
use convscope::run::{self, RunOptions};
use convscope::spec::SpecFile;
use tch::{Device, Kind, Tensor};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/targets/");

const NETWORKS: [(&str, &str); 3] = [
    ("resnet18", "layer3"),
    ("vgg11_bn", "features.14"),
    ("efficientnet_b0", "features.4"),
];

fn tensors(file: &str) -> BTreeMap<String, Tensor> {
    let all = Tensor::read_safetensors(format!("{FOLDER}{file}")).unwrap();
    all.into_iter().collect()
}

/// The image of the golden data, `[1, 3, 64, 64]`.
fn golden_input() -> Tensor {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/input_64.png");
    let pixels = image::open(path).unwrap().to_rgb8();
    let values = Preprocess::imagenet().normalise(&pixels);
    let input = Tensor::from_slice(&values).view([1, 3, 64, 64]);
    input.to_kind(Kind::Double)
}

fn golden_model(arch: &str) -> LoadedModel {
    let graph = zoo::find(arch).unwrap().graph(zoo::ArchOptions::default());
    let mut weights = random_weights::weights(&graph);
    // Saturated probabilities have gradients that float32 has only a few digits of.
    for tensor in weights.values_mut() {
        *tensor = tensor.to_kind(Kind::Double);
    }
    LoadedModel {
        id: arch.into(),
        info: node_info::from_graph(&graph, 64, 64).unwrap(),
        network: Network::new(graph, weights).unwrap(),
        task: Task::Classes,
        labels: Labels::imagenet(),
        preprocess: Preprocess::imagenet(),
        device: Device::Cpu,
        seed: 0,
    }
}

fn layer(model: &LoadedModel, selector: &str) -> NodeId {
    let selector = LayerSelector(selector.into());
    let found = selector::resolve(&selector, model.network.graph(), &model.info).unwrap();
    assert_eq!(found.len(), 1, "{}", selector.0);
    found[0]
}

/// The targets of tests/make_targets.py by their names.
fn targets(model: &LoadedModel, code_layer: &str) -> Vec<(&'static str, Target)> {
    let input = golden_input();
    let output = model.network.graph().output();
    let values = tch::no_grad(|| model.network.forward(&input, &[output])).unwrap();
    let (_, classes) = values[&output].topk(2, 1, true, true);
    let [a, b] = [0, 1].map(|at| model.class(classes.int64_value(&[0, at]) as usize));
    let (logit, probability) = (TargetValue::Logit, TargetValue::Probability);
    let mirrored = input.flip([3]);
    let likeness = |selector: &str| {
        let node = layer(model, selector);
        model.likeness_target("mirrored", node, &mirrored).unwrap()
    };
    vec![
        (
            "contrast",
            model.contrast_target(a.clone(), b.clone(), logit),
        ),
        ("probability", model.target_of_class(a.clone(), probability)),
        ("probabilities", model.contrast_target(a, b, probability)),
        ("likeness", likeness("penultimate")),
        ("layer", likeness(code_layer)),
    ]
}

fn assert_close(found: &Tensor, expected: &Tensor, tolerance: f64, what: &str) {
    assert_eq!(found.size(), expected.size(), "{what}");
    let largest = expected.abs().max().double_value(&[]);
    let difference = (found - expected).abs().max().double_value(&[]);
    assert!(
        largest > 0.0 && difference <= tolerance * largest,
        "{what}: {difference} of {largest}"
    );
}

#[test]
fn values_and_gradients_are_those_of_autograd() {
    let expected = tensors("targets_64.safetensors");
    for (arch, code_layer) in NETWORKS {
        let model = golden_model(arch);
        for (name, target) in targets(&model, code_layer) {
            let what = format!("{arch}/{name}");
            let forward = model
                .forward_with_gradients("cat", &golden_input(), &[target.node])
                .unwrap();
            let backward = forward.backward(target, &[]).unwrap();
            let value = backward.target_value().unwrap();
            let expected_value = expected[&format!("{what}/value")].double_value(&[0]);
            let tolerance = 1e-4 * expected_value.abs();
            assert!(
                (value - expected_value).abs() <= tolerance,
                "{what}: {value} {expected_value}"
            );
            let gradient = backward.gradient(model.network.graph().input()).unwrap();
            let gradient = gradient.flatten(0, -1).slice(0, 0, None, 8);
            assert_close(
                &gradient.to_kind(Kind::Float),
                &expected[&format!("{what}/gradient")],
                1e-3,
                &what,
            );
        }
    }
}

#[test]
fn integrated_gradients_are_complete_for_every_target() {
    for (arch, code_layer) in NETWORKS {
        let model = golden_model(arch);
        for (name, target) in targets(&model, code_layer) {
            let forward = model
                .forward_with_gradients("cat", &golden_input(), &[target.node])
                .unwrap();
            let backward = forward.backward(target, &[]).unwrap();
            // The saturated probabilities of these random networks jump within a small part of the path. Steps of the other
            // two networks take long.
            let (steps, tolerance) = match name {
                "contrast" => (100, 0.03),
                _ if arch == "vgg11_bn" => continue,
                "likeness" | "layer" => (150, 0.01),
                _ if arch == "efficientnet_b0" => continue,
                _ => (200, 0.03),
            };
            let method = format!("integrated_gradients: {{steps: {steps}}}");
            let method: MethodSpec = serde_yaml::from_str(&method).unwrap();
            let mut out = MethodOutput::default();
            let method = method.method().for_class().unwrap();
            method.class_figures(&backward, &[], &mut out).unwrap();
            let note = &out.figures[0].notes[0];
            let value = |key: &str| note.values[key].parse::<f64>().unwrap();
            let (sum, difference) = (value("sum"), value("difference"));
            assert_eq!(note.key, "note.completeness.value");
            assert!(
                value("gap") <= tolerance * difference.abs().max(0.1),
                "{arch}/{name}: {sum} {difference}"
            );
        }
    }
}

/// The parts from which LRP starts sum to the target's value, but for probabilities, of which no sum is claimed.
#[test]
fn the_parts_of_a_target_sum_to_its_value() {
    for (arch, code_layer) in NETWORKS {
        let model = golden_model(arch);
        for (name, target) in targets(&model, code_layer) {
            if name.starts_with("probabilit") {
                continue;
            }
            let values = model
                .network
                .forward(&golden_input(), &[target.node])
                .unwrap();
            let value = &values[&target.node];
            let sum = target.parts(&model, value).unwrap().sum(Kind::Double);
            let whole = target.values(&model, value).unwrap().double_value(&[0]);
            let difference = (sum.double_value(&[]) - whole).abs();
            assert!(
                difference < 1e-4 * whole.abs().max(1.0),
                "{arch}/{name}: {difference}"
            );
        }
    }
}

fn images() -> Tensor {
    let ramp = Tensor::arange(3 * 3 * 16 * 16, (Kind::Double, Device::Cpu)) * 0.37;
    ramp.sin().to_kind(Kind::Float).view([3, 3, 16, 16])
}

/// A folder with a small network, two photos and an experiment of it, which is run.
struct Experiment {
    folder: tempfile::TempDir,
}

impl Experiment {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, shift) in [("a.png", 0), ("b.png", 90)] {
            let pixels = image::RgbImage::from_fn(16, 16, |x, y| {
                image::Rgb([
                    (x * 15 + shift) as u8,
                    (y * 15) as u8,
                    (x * y + shift) as u8,
                ])
            });
            pixels.save(folder.path().join(name)).unwrap();
        }
        Experiment { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The results of an experiment with the network `name` and these further lines.
    fn run(&self, name: &str, model: &str, rest: &str) -> Results {
        let output = self.try_run(name, model, rest).unwrap();
        output.results
    }

    fn try_run(
        &self,
        name: &str,
        model: &str,
        rest: &str,
    ) -> convscope::Result<convscope::run::RunOutput> {
        fs::copy(
            format!("{FOLDER}{name}.pt2"),
            self.path(&format!("{name}.pt2")),
        )
        .unwrap();
        let text = format!(
            "title: targets\nmodels:\n  - {{weights: {name}.pt2, preprocess: {{resize: none, crop: none}}{model}}}\n{rest}"
        );
        let path = self.path("experiment.yaml");
        fs::write(&path, text).unwrap();
        let spec = SpecFile::read(&path)?;
        let options = RunOptions {
            cached: false,
            ..RunOptions::default()
        };
        run::run_spec(&spec, &options, &convscope::progress::Silent)
    }
}

const IMAGES: &str = "images: [a.png, b.png]\n";

fn output_values(name: &str, picture: &Path) -> Vec<f64> {
    let network = pt2::read(Path::new(&format!("{FOLDER}{name}.pt2"))).unwrap();
    let pixels = image::open(picture).unwrap().to_rgb8();
    let input = Tensor::from_slice(&Preprocess::imagenet().normalise(&pixels));
    let output = network.network.graph().output();
    let values = network
        .network
        .forward(&input.view([1, 3, 16, 16]), &[output])
        .unwrap();
    Vec::try_from(values[&output].flatten(0, -1).to_kind(Kind::Double)).unwrap()
}

fn probabilities(prediction: &Prediction) -> Vec<(&str, f64)> {
    let top = prediction.top.iter();
    top.map(|score| {
        (
            score.class.name.as_str(),
            f64::from(score.probability.unwrap()),
        )
    })
    .collect()
}

fn assert_near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-5, "{found} {expected}");
}

#[test]
fn logits_before_the_last_function_are_those_of_pytorch() {
    let expected = tensors("expected.safetensors");
    for name in [
        "one_sigmoid",
        "one_number",
        "softmax",
        "log_softmax",
        "sigmoids",
        "encoder",
    ] {
        let found = pt2::read(Path::new(&format!("{FOLDER}{name}.pt2"))).unwrap();
        let mut network = found.network;
        let graph = network.graph();
        if let Some((_, logits)) = convscope::network::final_activation::final_activation(graph) {
            network = network.with_output(logits);
        }
        let (input, output) = (network.graph().input(), network.graph().output());
        let image = images().narrow(0, 0, 1).set_requires_grad(true);
        let values = network.forward(&image, &[input, output]).unwrap();
        let last = values[&output].select(1, -1).sum(Kind::Float);
        let gradient = convscope::network::gradients(&last, &values, &[input]).unwrap();
        let batch = tch::no_grad(|| network.forward(&images(), &[output])).unwrap();
        assert_close(
            &batch[&output],
            &expected[&format!("{name}/logits")],
            1e-4,
            name,
        );
        assert_close(
            &gradient[&input],
            &expected[&format!("{name}/gradient")],
            1e-3,
            name,
        );
    }
}

#[test]
fn one_logit_is_that_of_the_second_of_two_classes() {
    let experiment = Experiment::new();
    for name in ["one_sigmoid", "one_number"] {
        let results = experiment.run(
            name,
            "",
            &format!("{IMAGES}classes: [0, yes]\nmethods: [saliency]\n"),
        );
        let output = output_values(name, &experiment.path("a.png"))[0];
        let yes = match name {
            "one_sigmoid" => output,
            _ => 1.0 / (1.0 + (-output).exp()),
        };
        let prediction = &results.predictions[0];
        for (class, probability) in probabilities(prediction) {
            assert_near(probability, if class == "yes" { yes } else { 1.0 - yes });
        }
        assert_eq!(prediction.top.len(), 2);
        assert!(prediction.top[0].probability > Some(0.5));
        assert_eq!(results.models[0].classes, 2);
        let notes: Vec<&str> = (results.models[0].notes.iter())
            .map(|note| note.text.as_str())
            .collect();
        assert!(
            notes.iter().any(|note| note.contains("one output")),
            "{notes:?}"
        );
        let classes: Vec<String> = (results.figures.iter())
            .filter(|figure| figure.image.as_deref() == Some("a"))
            .map(|figure| figure.target.as_ref().unwrap().key())
            .collect();
        assert_eq!(classes, ["0", "1"], "both classes are explained");
        assert!(results.failures.is_empty(), "{:?}", results.failures);
    }
}

#[test]
fn a_final_softmax_is_left_off() {
    let experiment = Experiment::new();
    for name in ["softmax", "log_softmax"] {
        let results = experiment.run(name, "", &format!("{IMAGES}methods: [saliency]\n"));
        let outputs = output_values(name, &experiment.path("b.png"));
        for score in &results.predictions[1].top {
            let expected = match name {
                "softmax" => outputs[score.class.index],
                _ => outputs[score.class.index].exp(),
            };
            assert_near(score.probability.unwrap().into(), expected);
        }
        let note = &results.models[0].notes[0];
        assert!(note.text.contains("left off"), "{}", note.text);
        // Logits do not sum to one, as probabilities do, nor do their exponentials.
        let sum: f32 = results.predictions[1].top.iter().map(|s| s.logit).sum();
        assert!((sum - 1.0).abs() > 1e-3);
    }
}

#[test]
fn independent_classes_have_sigmoids_and_several_labels() {
    let experiment = Experiment::new();
    fs::write(experiment.path("labels.txt"), "cat\ndog\nsofa\nlamp\n").unwrap();
    let results = experiment.run(
        "sigmoids",
        ", labels: labels.txt",
        "images: [{path: a.png, class: [dog, lamp]}, {path: b.png, class: sofa}]\n\
         classes: [label]\nmethods: [saliency]\n",
    );
    assert_eq!(results.models[0].task, Task::MultiLabel);
    let outputs = output_values("sigmoids", &experiment.path("a.png"));
    let prediction = &results.predictions[0];
    for score in &prediction.top {
        assert_near(
            score.probability.unwrap().into(),
            outputs[score.class.index],
        );
    }
    let labels: Vec<&str> = (prediction.labels.iter())
        .map(|label| label.class.name.as_str())
        .collect();
    assert_eq!(labels, ["dog", "lamp"]);
    assert!(prediction.label.is_none());
    let explained: Vec<String> = (results.figures.iter())
        .map(|figure| figure.target.as_ref().unwrap().name())
        .collect();
    assert_eq!(explained, ["dog", "lamp", "sofa"]);
    let error = experiment
        .try_run("sigmoids", ", task: classes", IMAGES)
        .unwrap_err();
    assert!(error.full_message().contains("sigmoid"), "{error}");
}

#[test]
fn a_regression_has_values_and_no_probabilities() {
    let experiment = Experiment::new();
    let results = experiment.run(
        "one_number",
        ", task: regression",
        &format!("{IMAGES}methods: [integrated_gradients]\nchecks: [curves, drop]\n"),
    );
    let value = output_values("one_number", &experiment.path("a.png"))[0];
    let score = &results.predictions[0].top[0];
    assert_eq!((score.probability, &*score.class.name), (None, "output"));
    assert_near(score.logit.into(), value);
    assert_eq!(results.targets[0].quantity, Quantity::Output);
    assert_near(results.targets[0].value.into(), value);
    let text = serde_json::to_string(&results).unwrap();
    assert!(!text.contains("\"probability\""));
    for check in &results.checks {
        assert_eq!(check.quantity, Quantity::Output);
        assert!(
            check.result::<serde_json::Value>("drop").unwrap().is_none(),
            "no share of a value"
        );
        let curves: serde_json::Value = check.result("curves").unwrap().unwrap();
        let first = curves["deletion"][0].as_f64().unwrap();
        let own = results.targets.iter().find(|t| t.image == check.image);
        assert_near(first, own.unwrap().value.into());
    }
    let page = convscope::report::render(&results, &Default::default(), &Default::default());
    let page = page.unwrap();
    let text = page.split("<body").nth(1).unwrap_or(&page);
    let visible = regex::Regex::new(r"(?s)<script.*?</script>|<style.*?</style>|<[^>]*>")
        .unwrap()
        .replace_all(text, " ")
        .into_owned();
    assert!(!visible.contains("probabilit"), "{visible}");
}

#[test]
fn a_network_without_classes_is_asked_about_likeness() {
    let experiment = Experiment::new();
    let likeness = format!(
        "{IMAGES}classes: [{{like: b}}, {{like: a.png, layer: conv2}}]\n\
         methods: [saliency, {{grad_cam: {{layers: [conv1]}}}}]\nchecks: [curves, randomisation]\n"
    );
    let results = experiment.run("encoder", ", task: codes", &likeness);
    assert!(results.failures.is_empty(), "{:?}", results.failures);
    assert!(results.predictions.iter().all(|p| p.top.is_empty()));
    let own = results
        .targets
        .iter()
        .find(|t| t.image == "b" && t.target.key() == "like-b");
    assert_near(own.unwrap().value.into(), 1.0);
    assert_eq!(own.unwrap().quantity, Quantity::Similarity);
    let keys: Vec<String> = (results.figures.iter())
        .filter(|figure| figure.image.as_deref() == Some("a") && figure.method == "saliency")
        .map(|figure| figure.target.as_ref().unwrap().key())
        .collect();
    assert_eq!(keys, ["like-b", "like-a"]);
    assert!(
        results
            .checks
            .iter()
            .all(|check| check.quantity == Quantity::Similarity)
    );
    // Without a likeness, what needs a class says why there is no figure.
    let results = experiment.run(
        "encoder",
        ", task: codes",
        &format!("{IMAGES}methods: [saliency, activations]\n"),
    );
    let absent = results.figures.iter().find(|f| f.method == "saliency");
    let Content::Absent { reason } = &absent.unwrap().content else {
        panic!("{absent:?}");
    };
    assert_eq!(reason.key, "note.no_classes");
    assert!(
        results
            .figures
            .iter()
            .any(|f| f.method == "activations" && matches!(f.content, Content::Channels { .. }))
    );
}

#[test]
fn a_contrast_explains_a_difference() {
    let experiment = Experiment::new();
    let results = experiment.run(
        "softmax",
        "",
        &format!("{IMAGES}classes: [{{a: 0, instead_of: 2}}, {{a: predicted, instead_of: label}}]\nmethods: [saliency]\nchecks: [curves]\n"),
    );
    let target = &results.targets[0];
    assert_eq!(target.target.key(), "0-2");
    assert_eq!(target.quantity, Quantity::LogitDifference);
    let prediction = &results.predictions[0];
    let logit = |class: usize| {
        let found = prediction.top.iter().find(|s| s.class.index == class);
        f64::from(found.unwrap().logit)
    };
    assert_near(target.value.into(), logit(0) - logit(2));
    assert!(matches!(
        results.figures[0].target,
        Some(TargetInfo::Contrast(_))
    ));
    assert_eq!(results.figures.len(), 2, "there is no label to contrast");
    let curves: serde_json::Value = results.checks[0].result("curves").unwrap().unwrap();
    assert_near(curves["deletion"][0].as_f64().unwrap(), target.value.into());
}
