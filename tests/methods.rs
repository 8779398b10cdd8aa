//! The methods against PyTorch: gradients and class activation maps of networks with the weights of
//! `network::random_weights` for `golden/input_64.png` and the class with the largest logit.
//!
//! The golden data was made with PyTorch 2.13.0, torchvision 0.28.0, Captum 0.9.0 and pytorch-grad-cam 1.5.7; Captum's
//! attributions are stored as sums over the colours. `ARCH/guided_grad_cam` is Captum's `GuidedGradCam` at
//! `layer3.1.conv2` and `features.25`, enlarged bilinearly; `ARCH/deconvnet/LAYER` is PyTorch's own gradient of the layer's
//! largest value (times that value) with every ReLU replaced by a function whose backward is `gradient.clamp(min=0)`.

use convscope::figures::Content;
use convscope::image::Preprocess;
use convscope::methods::{LoadedModel, MethodOutput, MethodSpec};
use convscope::network::labels::Labels;
use convscope::network::{Network, ReluRule, node_info, random_weights, zoo};
use tch::{Device, Tensor};

use deviations::assert_recorded;

#[path = "methods/batches.rs"]
mod batches;
#[path = "methods/deconvnet.rs"]
mod deconvnet;
#[path = "methods/deviations.rs"]
mod deviations;
#[path = "methods/filters.rs"]
mod filters;
#[path = "methods/lrp.rs"]
mod lrp;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/");

fn golden(key: &str) -> Vec<f32> {
    let all = Tensor::read_safetensors(format!("{GOLDEN}attributions_64.safetensors")).unwrap();
    let (_, tensor) = all.into_iter().find(|(name, _)| name == key).expect(key);
    Vec::try_from(tensor.flatten(0, -1)).unwrap()
}

/// The image of the golden data, `[1, 3, 64, 64]`, preprocessed, with a gradient.
fn input() -> Tensor {
    let pixels = image::open(format!("{GOLDEN}input_64.png"))
        .unwrap()
        .to_rgb8();
    let values = Preprocess::imagenet().normalise(&pixels);
    let input = Tensor::from_slice(&values).view([1, 3, 64, 64]);
    input.set_requires_grad(true)
}

/// The image in the precision of the network's weights.
fn input_for(model: &LoadedModel) -> Tensor {
    let kind = model.network.parameter_value(0).kind();
    input().detach().to_kind(kind)
}

fn model(arch: &str) -> LoadedModel {
    let graph = zoo::find(arch).unwrap().graph(zoo::ArchOptions::default());
    let info = node_info::from_graph(&graph, 64, 64).unwrap();
    let weights = random_weights::weights(&graph);
    LoadedModel {
        id: "net".into(),
        network: Network::new(graph, weights).unwrap(),
        info,
        labels: Labels::imagenet(),
        task: convscope::network::Task::Classes,
        preprocess: Preprocess::imagenet(),
        device: Device::Cpu,
        seed: 0,
    }
}

/// The output of `method` (as YAML) for the golden image and the class with the largest logit, at `layer`.
fn run_method(model: &LoadedModel, method: &str, layer: &str) -> MethodOutput {
    let method: MethodSpec = serde_yaml::from_str(method).unwrap();
    let layers = [model.network.graph().find(layer).expect(layer)];
    let input = input_for(model);
    let forward = model
        .forward_with_gradients("cat", &input, &layers)
        .unwrap();
    let class = forward.logits().unwrap().argmax(1, false);
    let class = model.class_target(class.int64_value(&[0]) as usize);
    let backward = forward.backward(class, &layers).unwrap();
    let mut out = MethodOutput::default();
    let method = method.method();
    if let Some(method) = method.for_network() {
        method.network_figures(model, &layers, &mut out).unwrap();
    }
    if let Some(method) = method.for_image() {
        method.image_figures(&forward, &layers, &mut out).unwrap();
    }
    if let Some(method) = method.for_class() {
        method.class_figures(&backward, &layers, &mut out).unwrap();
    }
    out
}

fn assert_close(name: &str, found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len(), "{name}");
    let largest = expected
        .iter()
        .fold(0f32, |most, value| most.max(value.abs()));
    let pairs = found.iter().zip(expected);
    let apart = pairs.fold(0f32, |most, (a, b)| most.max((a - b).abs()));
    assert!(
        apart <= tolerance * largest,
        "{name}: {apart} apart, of {largest}"
    );
}

fn array<'a>(out: &'a MethodOutput, ending: &str) -> &'a [f32] {
    let mut keys = out.tensors.iter().filter(|(key, _)| key.ends_with(ending));
    let (_, array) = keys
        .next()
        .unwrap_or_else(|| panic!("no {ending} in {:?}", out.tensors.keys()));
    array.floats().unwrap()
}

#[test]
fn saliency_is_the_gradient_of_pytorch() {
    for arch in ["resnet18", "vgg11_bn", "efficientnet_b0"] {
        let model = model(arch);
        let out = run_method(&model, "saliency", "input");
        // No gradient is taken with respect to a parameter.
        for (name, parameter) in model.network.parameters() {
            let has_gradient = parameter.requires_grad() || parameter.grad().defined();
            assert!(!has_gradient, "{name}");
        }
        let expected = golden(&format!("{arch}/saliency"));
        let raw = array(&out, "/raw");
        assert_recorded("saliency", arch, raw, &expected, 1e-4);
        let map: Vec<f32> = (0..64 * 64)
            .map(|at| (0..3).fold(0f32, |most, colour| most.max(raw[colour * 4096 + at].abs())))
            .collect();
        let Content::Map {
            tensor,
            signed,
            maximum,
            ..
        } = &out.figures[0].content
        else {
            panic!("{:?}", out.figures[0]);
        };
        assert!(!signed && tensor.starts_with("net/cat/saliency/"));
        assert_eq!(out.tensors[tensor].shape, [64, 64]);
        assert_eq!(out.tensors[tensor].floats().unwrap(), map);
        assert_eq!(*maximum, map.iter().copied().fold(0f32, f32::max));
    }
}

#[test]
fn grad_cam_is_that_of_pytorch() {
    let layers = [
        ("resnet18", "layer4.1.conv2"),
        ("vgg11_bn", "features.25"),
        ("efficientnet_b0", "features.8.0"),
    ];
    for (arch, layer) in layers {
        let out = run_method(&model(arch), "grad_cam", layer);
        let expected = golden(&format!("{arch}/grad_cam_raw"));
        assert_recorded("grad_cam", arch, array(&out, "/raw"), &expected, 1e-4);
        let clipped: Vec<f32> = array(&out, "/raw")
            .iter()
            .map(|value| value.max(0.0))
            .collect();
        assert_eq!(array(&out, layer), clipped);
    }
}

/// pytorch-grad-cam scales a map to 0…1, resizes it and scales it again.
#[test]
fn class_activation_maps_are_those_of_pytorch_grad_cam() {
    let layers = [
        ("resnet18", "layer4.1.conv2"),
        ("vgg11_bn", "features.25"),
        ("efficientnet_b0", "features.8.0"),
    ];
    for (arch, layer) in layers {
        let model = model(arch);
        for method in [
            "hires_cam",
            "layer_cam",
            "xgrad_cam",
            "grad_cam_plus_plus",
            "score_cam",
            "ablation_cam",
        ] {
            let out = run_method(&model, method, layer);
            let map = Tensor::from_slice(array(&out, layer));
            let side = (map.numel() as f64).sqrt() as i64;
            let map = map
                .view([1, 1, side, side])
                .upsample_bilinear2d([64, 64], false, None, None);
            let map = &map - map.min();
            let stretched = Vec::<f32>::try_from((&map / map.max()).flatten(0, -1)).unwrap();
            let name = format!("{arch}/{method}");
            // These divide by sums of signed values, some of which are near 0: rounding grows.
            let tolerance = match method {
                "xgrad_cam" => 2e-3,
                "grad_cam_plus_plus" => 1e-3,
                _ => 1e-4,
            };
            assert_recorded(method, arch, &stretched, &golden(&name), tolerance);
            let clipped: Vec<f32> = array(&out, "/raw").iter().map(|v| v.max(0.0)).collect();
            assert_eq!(array(&out, layer), clipped, "{name}");
        }
    }
}

/// The map of the only figure, which must be signed and the sum over the colours of the tensor under `/raw`.
fn attribution(out: &MethodOutput) -> &[f32] {
    let Content::Map { tensor, signed, .. } = &out.figures[0].content else {
        panic!("{:?}", out.figures[0]);
    };
    assert!(signed);
    let found = out.tensors[tensor].floats().unwrap();
    if let Some(raw) = out.tensors.get(&format!("{tensor}/raw")) {
        let raw = raw.floats().unwrap();
        let sum = |at: usize| raw[at] + raw[4096 + at] + raw[8192 + at];
        let sum: Vec<f32> = (0..4096).map(sum).collect();
        assert_close(tensor, &sum, found, 1e-5);
    }
    found
}

#[test]
fn signed_attributions_are_those_of_captum() {
    let methods = [
        ("input_x_gradient", 1e-4),
        ("integrated_gradients", 1e-3),
        ("occlusion", 1e-4),
    ];
    for arch in ["resnet18", "vgg11_bn", "efficientnet_b0"] {
        let model = model(arch);
        for (method, tolerance) in methods {
            let out = run_method(&model, method, "input");
            let name = format!("{arch}/{method}");
            assert_recorded(method, arch, attribution(&out), &golden(&name), tolerance);
        }
    }
}

#[test]
fn the_note_has_the_gap_of_integrated_gradients_and_more_steps_close_it() {
    let model = model("vgg11_bn");
    let gap = |steps: usize| -> f64 {
        let method = format!("integrated_gradients: {{steps: {steps}}}");
        let out = run_method(&model, &method, "input");
        let values = &out.figures[0].notes[0].values;
        let value = |name: &str| values[name].parse::<f64>().unwrap();
        let sum: f64 = attribution(&out).iter().map(|&part| f64::from(part)).sum();
        assert!((sum - value("sum")).abs() < 1e-3, "{sum} {values:?}");
        assert!((value("sum") - value("difference")).abs() - value("gap") < 2e-4);
        value("gap")
    };
    let (few, many) = (gap(1), gap(100));
    assert!(many < few / 10.0, "{few} {many}");
}

#[test]
fn activations_are_the_strongest_channels_or_those_listed() {
    let model = model("resnet18");
    let all = run_method(&model, "activations: {channels: 64}", "layer1.0.relu");
    let Content::Channels {
        channels,
        means,
        total: of,
        ..
    } = &all.figures[0].content
    else {
        panic!("{:?}", all.figures[0]);
    };
    assert_eq!((channels.len(), *of), (64, 64));
    assert!(means.is_sorted_by(|a, b| a >= b), "{means:?}");
    let values = array(&all, "layer1.0.relu");
    for (map, mean) in values.chunks(16 * 16).zip(means) {
        let own = map.iter().sum::<f32>() / 256.0;
        assert!(
            (own - mean).abs() <= 1e-4 * own.abs().max(1.0),
            "{own} {mean}"
        );
    }
    let listed = run_method(&model, "activations: {channels: [7, 3]}", "layer1.0.relu");
    let index = channels.iter().position(|&channel| channel == 3).unwrap();
    assert_eq!(
        array(&listed, "layer1.0.relu")[256..],
        values[index * 256..][..256]
    );
}

#[test]
fn guided_backprop_and_deconvnet_are_those_of_captum() {
    for arch in ["resnet18", "vgg11_bn"] {
        let model = model(arch);
        let out = run_method(&model, "guided_backprop", "input");
        assert_recorded(
            "guided_backprop",
            arch,
            array(&out, "/raw"),
            &golden(&format!("{arch}/guided_backprop")),
            1e-4,
        );
        let (input, output) = (input(), model.network.graph().output());
        let logits = &model.network.forward(&input, &[output]).unwrap()[&output];
        let class = logits.argmax(1, false);
        let one_hot = logits
            .zeros_like()
            .scatter_value(1, &class.unsqueeze(1), 1.0);
        let back = |rule| {
            let back = model
                .network
                .backward(&input, output, &one_hot, rule)
                .unwrap();
            Vec::<f32>::try_from(back.flatten(0, -1)).unwrap()
        };
        assert_close(
            arch,
            &back(ReluRule::Deconvnet),
            &golden(&format!("{arch}/deconvnet")),
            1e-4,
        );
        // In segments, the plain rule is libtorch's own gradient.
        assert_close(
            arch,
            &back(ReluRule::Plain),
            &golden(&format!("{arch}/saliency")),
            1e-4,
        );
    }
}

/// The toy network of Captum's own tests: Grad-CAM at the convolution and after its ReLU, and the two rules.
#[test]
fn a_toy_network_has_the_values_computed_by_hand() {
    use convscope::network::graph::Graph;
    use convscope::network::op::{Conv2d, Flatten, Linear, Relu};
    let mut graph = Graph::with_channels(1);
    let parameters: [(&str, &[i64]); 2] = [("weight", &[2, 1, 3, 3]), ("bias", &[2])];
    let x = graph.push_layer("conv1", Conv2d::PLAIN, 0, &parameters);
    let x = graph.push("relu1", Relu, &[x]);
    let x = graph.push("flatten", Flatten::FEATURES, &[x]);
    let x = graph.push_layer("fc", Linear, x, &[("weight", &[4, 8]), ("bias", &[4])]);
    graph.push("relu2", Relu, &[x]);
    let ones = |shape: &[i64]| Tensor::ones(shape, (tch::Kind::Float, Device::Cpu));
    let row = Tensor::from_slice(&[1f32, 1., 1., 1., 1., -1., -1., -1.]);
    let weights = [
        ("conv1.weight", ones(&[2, 1, 3, 3])),
        ("conv1.bias", Tensor::from_slice(&[-50f32, -75.])),
        ("fc.weight", row.repeat([4, 1])),
        ("fc.bias", ones(&[4]) * 0.0),
    ];
    let weights = weights.map(|(name, tensor)| (name.to_owned(), tensor));
    let network = Network::new(graph, weights.into_iter().collect()).unwrap();
    let pixels: Vec<f32> = (0..16).map(|value| value as f32).collect();
    let input = Tensor::from_slice(&pixels)
        .view([1, 1, 4, 4])
        .set_requires_grad(true);
    let model = LoadedModel {
        id: "toy".into(),
        network,
        info: Vec::new(),
        labels: Labels::numbered(4),
        task: convscope::network::Task::Classes,
        preprocess: Preprocess::imagenet(),
        device: Device::Cpu,
        seed: 0,
    };
    let layers = [1, 2];
    let forward = model
        .forward_with_gradients("ramp", &input, &layers)
        .unwrap();
    assert_eq!(forward.logits().unwrap().double_value(&[0, 0]), 54.0);
    let backward = forward.backward(model.class_target(0), &layers).unwrap();
    let method: MethodSpec = serde_yaml::from_str("grad_cam").unwrap();
    let mut out = MethodOutput::default();
    method
        .method()
        .for_class()
        .unwrap()
        .class_figures(&backward, &layers, &mut out)
        .unwrap();
    assert_eq!(array(&out, "/0/conv1"), [11.25, 13.5, 20.25, 22.5]);
    assert_eq!(array(&out, "/0/relu1"), [0., 4., 28., 32.5]);
    // At the output, whose own ReLU is open.
    let one_hot = Tensor::from_slice(&[1f32, 0., 0., 0.]).view([1, 4]);
    let back = |rule| {
        let back = model.network.backward(&input, 4, &one_hot, rule).unwrap();
        Vec::<f32>::try_from(back.flatten(0, -1)).unwrap()
    };
    assert_eq!(
        back(ReluRule::Deconvnet),
        [
            2., 3., 3., 1., 3., 5., 5., 2., 3., 5., 5., 2., 1., 2., 2., 1.
        ]
    );
    assert_eq!(
        back(ReluRule::Guided),
        [
            0., 1., 1., 1., 1., 3., 3., 2., 1., 3., 3., 2., 1., 2., 2., 1.
        ]
    );
}

#[test]
fn score_cam_of_all_channels_is_score_cam_and_of_one_is_that_channel() {
    let model = model("resnet18");
    let layer = "layer4.1.conv2";
    let whole = run_method(&model, "score_cam", layer);
    let all = run_method(&model, "score_cam: {channels: 512}", layer);
    assert_close("all", array(&all, "/raw"), array(&whole, "/raw"), 1e-5);
    let one = run_method(&model, "score_cam: {channels: 1}", layer);
    let graph = model.network.graph();
    let id = graph.find(layer).unwrap();
    let values = &tch::no_grad(|| model.network.forward(&input(), &[id]).unwrap())[&id];
    let values = Vec::<f32>::try_from(values.flatten(0, -1)).unwrap();
    let largest_channel = values
        .chunks(4)
        .max_by(|a, b| {
            let largest = |c: &[f32]| c.iter().fold(0f32, |m, v| m.max(v.abs()));
            largest(a).total_cmp(&largest(b))
        })
        .unwrap();
    assert_close("one", array(&one, "/raw"), largest_channel, 1e-6);
}

/// Power iteration on the channels' covariance, in double precision.
#[test]
fn eigen_cam_is_the_first_principal_component() {
    for (arch, layer) in [("resnet18", "layer4.1.conv2"), ("vgg11_bn", "features.4")] {
        let model = model(arch);
        let id = model.network.graph().find(layer).unwrap();
        let values = &tch::no_grad(|| model.network.forward(&input(), &[id]).unwrap())[&id];
        let channels = values.size()[1] as usize;
        let flat = Vec::<f32>::try_from(values.flatten(0, -1)).unwrap();
        let positions = flat.len() / channels;
        let mut centred: Vec<Vec<f64>> = flat
            .chunks(positions)
            .map(|c| c.iter().map(|v| f64::from(*v)).collect())
            .collect();
        let channel_means: Vec<f64> = (0..positions)
            .map(|p| centred.iter().map(|c| c[p]).sum::<f64>() / channels as f64)
            .collect();
        for channel in &mut centred {
            let mean = channel.iter().sum::<f64>() / positions as f64;
            channel.iter_mut().for_each(|v| *v -= mean);
        }
        let mut component = vec![1.0; channels];
        let project = |component: &[f64]| -> Vec<f64> {
            (0..positions)
                .map(|p| centred.iter().zip(component).map(|(c, w)| c[p] * w).sum())
                .collect()
        };
        for _ in 0..2000 {
            let scores = project(&component);
            component = centred
                .iter()
                .map(|c| c.iter().zip(&scores).map(|(v, o)| v * o).sum())
                .collect();
            let norm = component.iter().map(|w| w * w).sum::<f64>().sqrt();
            component.iter_mut().for_each(|w| *w /= norm);
        }
        let mut expected = project(&component);
        let mean = channel_means.iter().sum::<f64>() / positions as f64;
        let covariance: f64 = expected
            .iter()
            .zip(&channel_means)
            .map(|(a, b)| a * (b - mean))
            .sum();
        if covariance < 0.0 {
            expected.iter_mut().for_each(|v| *v = -*v);
        }
        let expected: Vec<f32> = expected.iter().map(|v| *v as f32).collect();
        let out = run_method(&model, "eigen_cam", layer);
        assert_recorded("eigen_cam", arch, array(&out, "/raw"), &expected, 1e-4);
    }
}

#[test]
fn smoothgrad_is_saliency_without_noise_and_vargrad_grows_with_it() {
    let model = model("vgg11_bn");
    let saliency = run_method(&model, "saliency", "input");
    let smooth = run_method(&model, "smoothgrad: {samples: 3, noise: 1.0e-7}", "input");
    assert_close(
        "no noise",
        array(&smooth, "/raw"),
        array(&saliency, "/raw"),
        1e-3,
    );
    let spread = |noise: &str| -> f32 {
        let method = format!("vargrad: {{samples: 5, noise: {noise}}}");
        let out = run_method(&model, &method, "input");
        array(&out, "/raw").iter().sum()
    };
    assert!(spread("1.0e-7") < spread("0.1") * 1e-3);
}
