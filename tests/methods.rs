//! The methods against PyTorch: gradients and Grad-CAM of networks with the weights of
//! `network::random` on `golden/input_64.png`, for the largest logit.
//!
//! The golden figures were made with PyTorch 2.13.0, torchvision 0.28.0, Captum 0.9.0 and pytorch-grad-cam
//! 1.5.7; those of Captum are stored as sums over the colours. `ARCH/guided_grad_cam` is Captum's
//! `GuidedGradCam` at `layer3.1.conv2` and `features.25`, enlarged bilinearly; `ARCH/deconvnet/LAYER` is
//! PyTorch's own gradient of the layer's largest value (times that value) with every ReLU replaced by a
//! function whose backward is `gradient.clamp(min=0)`.

use convscope::methods::{ClassPass, MethodSpec, Output, Pass, Subject};
use convscope::network::labels::Labels;
use convscope::network::{Network, Rule, gradients, info, random, zoo};
use convscope::picture::Preprocess;
use convscope::results::Content;
use tch::{Device, Tensor};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/");

fn golden(key: &str) -> Vec<f32> {
    let all = Tensor::read_safetensors(format!("{GOLDEN}attributions_64.safetensors")).unwrap();
    let (_, tensor) = all.into_iter().find(|(name, _)| name == key).expect(key);
    Vec::try_from(tensor.flatten(0, -1)).unwrap()
}

fn input() -> Tensor {
    let pixels = image::open(format!("{GOLDEN}input_64.png"))
        .unwrap()
        .to_rgb8();
    let planes = Preprocess::imagenet().normalise(&pixels);
    Tensor::from_slice(&planes)
        .view([1, 3, 64, 64])
        .set_requires_grad(true)
}

fn subject(arch: &str) -> Subject {
    let graph = zoo::find(arch).unwrap().graph(zoo::Options::default());
    let info = info::of_graph(&graph, 64, 64).unwrap();
    let weights = random::weights(&graph);
    Subject {
        id: "net".into(),
        network: Network::new(graph, weights).unwrap(),
        info,
        labels: Labels::imagenet(),
        preprocess: Preprocess::imagenet(),
        device: Device::Cpu,
        seed: 0,
    }
}

/// What `methods` (as YAML) find on the golden picture for the largest logit, at `layer`.
fn look(subject: &Subject, method: &str, layer: &str) -> Output {
    let method: MethodSpec = serde_yaml::from_str(method).unwrap();
    let graph = subject.network.graph();
    let layer = graph.find(layer).expect(layer);
    let nodes = [graph.input(), layer, graph.output()];
    let input = input();
    let values = subject.network.forward(&input, &nodes).unwrap();
    let pass = Pass {
        subject,
        image: "cat",
        input: &input,
        values: &values,
    };
    let logits = pass.value(graph.output()).unwrap();
    let class = logits.argmax(1, false).int64_value(&[0]);
    let objective = logits.select(1, class).sum(tch::Kind::Float);
    let of_class = ClassPass {
        pass: &pass,
        class: subject.class(class as usize),
        gradients: &gradients(&objective, &values, &nodes).unwrap(),
    };
    let mut out = Output::default();
    method
        .method()
        .of_network(subject, &[layer], &mut out)
        .unwrap();
    method
        .method()
        .of_picture(&pass, &[layer], &mut out)
        .unwrap();
    method
        .method()
        .of_class(&of_class, &[layer], &mut out)
        .unwrap();
    out
}

fn close(name: &str, found: &[f32], expected: &[f32], tolerance: f32) {
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

fn array<'a>(out: &'a Output, ending: &str) -> &'a [f32] {
    let mut keys = out.tensors.iter().filter(|(key, _)| key.ends_with(ending));
    let (_, array) = keys
        .next()
        .unwrap_or_else(|| panic!("no {ending} in {:?}", out.tensors.keys()));
    array.floats().unwrap()
}

#[test]
fn saliency_is_the_gradient() {
    for arch in ["resnet18", "vgg11_bn", "efficientnet_b0"] {
        let out = look(&subject(arch), "saliency", "input");
        let expected = golden(&format!("{arch}/saliency"));
        let raw = array(&out, "/raw");
        close(arch, raw, &expected, 1e-4);
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
fn grad_cam_is_pytorchs() {
    let layers = [
        ("resnet18", "layer4.1.conv2"),
        ("vgg11_bn", "features.25"),
        ("efficientnet_b0", "features.8.0"),
    ];
    for (arch, layer) in layers {
        let out = look(&subject(arch), "grad_cam", layer);
        let expected = golden(&format!("{arch}/grad_cam_raw"));
        close(arch, array(&out, "/raw"), &expected, 1e-4);
        let clipped: Vec<f32> = array(&out, "/raw")
            .iter()
            .map(|value| value.max(0.0))
            .collect();
        assert_eq!(array(&out, layer), clipped);
    }
}

/// pytorch-grad-cam stretches a map to 0…1, resizes it and stretches it again.
#[test]
fn the_cams_are_pytorch_grad_cams() {
    let layers = [
        ("resnet18", "layer4.1.conv2"),
        ("vgg11_bn", "features.25"),
        ("efficientnet_b0", "features.8.0"),
    ];
    for (arch, layer) in layers {
        let subject = subject(arch);
        for method in ["hires_cam", "layer_cam", "xgrad_cam", "grad_cam_plus_plus"] {
            let out = look(&subject, method, layer);
            let map = Tensor::from_slice(array(&out, layer));
            let side = (map.numel() as f64).sqrt() as i64;
            let map = map
                .view([1, 1, side, side])
                .upsample_bilinear2d([64, 64], false, None, None);
            let map = &map - map.min();
            let stretched = Vec::<f32>::try_from((&map / map.max()).flatten(0, -1)).unwrap();
            let name = format!("{arch}/{method}");
            close(&name, &stretched, &golden(&name), 1e-4);
            let clipped: Vec<f32> = array(&out, "/raw").iter().map(|v| v.max(0.0)).collect();
            assert_eq!(array(&out, layer), clipped, "{name}");
        }
    }
}

/// The map of the one figure, which must be signed and the sum over the colours of what is under `/raw`.
fn parts(out: &Output) -> &[f32] {
    let Content::Map { tensor, signed, .. } = &out.figures[0].content else {
        panic!("{:?}", out.figures[0]);
    };
    assert!(signed);
    let found = out.tensors[tensor].floats().unwrap();
    if let Some(raw) = out.tensors.get(&format!("{tensor}/raw")) {
        let raw = raw.floats().unwrap();
        let sum = |at: usize| raw[at] + raw[4096 + at] + raw[8192 + at];
        let sum: Vec<f32> = (0..4096).map(sum).collect();
        close(tensor, &sum, found, 1e-5);
    }
    found
}

#[test]
fn signed_parts_of_the_logit_are_captums() {
    let methods = [
        ("input_x_gradient", 1e-4),
        ("integrated_gradients", 1e-3),
        ("occlusion", 1e-4),
    ];
    for arch in ["resnet18", "vgg11_bn", "efficientnet_b0"] {
        let subject = subject(arch);
        for (method, tolerance) in methods {
            let out = look(&subject, method, "input");
            let name = format!("{arch}/{method}");
            close(&name, parts(&out), &golden(&name), tolerance);
        }
    }
}

#[test]
fn the_gap_of_integrated_gradients_is_told_and_closes_with_more_steps() {
    let subject = subject("vgg11_bn");
    let gap = |steps: usize| -> f64 {
        let method = format!("integrated_gradients: {{steps: {steps}}}");
        let out = look(&subject, &method, "input");
        let values = &out.figures[0].notes[0].values;
        let value = |name: &str| values[name].parse::<f64>().unwrap();
        let sum: f64 = parts(&out).iter().map(|&part| f64::from(part)).sum();
        assert!((sum - value("sum")).abs() < 1e-3, "{sum} {values:?}");
        assert!((value("sum") - value("difference")).abs() - value("gap") < 2e-4);
        value("gap")
    };
    let (few, many) = (gap(1), gap(100));
    assert!(many < few / 10.0, "{few} {many}");
}

#[test]
fn activations_are_the_strongest_channels_or_those_listed() {
    let subject = subject("resnet18");
    let all = look(&subject, "activations: {channels: 64}", "layer1.0.relu");
    let Content::Channels {
        channels,
        means,
        of,
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
    let listed = look(&subject, "activations: {channels: [7, 3]}", "layer1.0.relu");
    let place = channels.iter().position(|&channel| channel == 3).unwrap();
    assert_eq!(
        array(&listed, "layer1.0.relu")[256..],
        values[place * 256..][..256]
    );
}

#[test]
fn filters_are_the_first_kernels_by_norm() {
    let subject = subject("vgg11_bn");
    let out = look(&subject, "filters: {count: 5}", "features.0");
    let Content::Tiles {
        units,
        of,
        magnitude,
        dead,
        ..
    } = &out.figures[0].content
    else {
        panic!("{:?}", out.figures[0]);
    };
    assert_eq!((units.len(), *of, dead.len()), (5, 64, 0));
    let weights = subject.network.parameter("features.0.weight").unwrap();
    let first = Vec::<f32>::try_from(weights.get(units[0] as i64).flatten(0, -1)).unwrap();
    let tiles = array(&out, "filters/features.0");
    assert_eq!(tiles[..27], first);
    let norm = |kernel: &[f32]| kernel.iter().map(|w| w * w).sum::<f32>();
    assert!(tiles.chunks(27).is_sorted_by(|a, b| norm(a) >= norm(b)));
    assert_eq!(
        *magnitude,
        tiles.iter().fold(0f32, |most, w| most.max(w.abs()))
    );
}

/// A kernel's slices sorted one by one, here in plain Rust.
#[test]
fn deeper_filters_are_the_largest_slices_of_the_largest_kernels() {
    let norm = |kernel: &[f32]| kernel.iter().map(|w| w * w).sum::<f32>().sqrt();
    let cases = [
        ("vgg11_bn", "features.11", 256, 9),
        ("efficientnet_lite0", "features.4.0.block.1.0", 1, 9),
    ];
    for (arch, layer, inputs, area) in cases {
        let subject = subject(arch);
        let out = look(&subject, "filters: {count: 7}", layer);
        let Content::Kernels {
            units,
            inputs: read,
            of,
            of_inputs,
            magnitude,
            ..
        } = &out.figures[0].content
        else {
            panic!("{:?}", out.figures[0]);
        };
        let weights = subject.network.parameter(&format!("{layer}.weight"));
        let weights = Vec::<f32>::try_from(weights.unwrap().flatten(0, -1)).unwrap();
        let kernels: Vec<&[f32]> = weights.chunks(inputs * area).collect();
        assert_eq!((*of, *of_inputs), (kernels.len(), inputs));
        let mut order: Vec<usize> = (0..*of).collect();
        order.sort_by(|&a, &b| norm(kernels[b]).total_cmp(&norm(kernels[a])));
        assert_eq!(units, &order[..7], "{arch}");
        let kept = inputs.min(4);
        let found = &out.tensors[&format!("net/filters/{layer}")];
        assert_eq!(found.shape, [7, kept, 3, 3]);
        let mut slices = found.floats().unwrap().chunks(area);
        for (unit, read) in units.iter().zip(read) {
            let all: Vec<&[f32]> = kernels[*unit].chunks(area).collect();
            let mut order: Vec<usize> = (0..inputs).collect();
            order.sort_by(|&a, &b| norm(all[b]).total_cmp(&norm(all[a])));
            assert_eq!(read, &order[..kept], "{arch} {unit}");
            for &input in read {
                assert_eq!(slices.next().unwrap(), all[input]);
            }
        }
        let found = found.floats().unwrap();
        assert_eq!(
            *magnitude,
            found.iter().fold(0f32, |most, w| most.max(w.abs()))
        );
        let norms = array(&out, &format!("filters/{layer}/norms"));
        let own: Vec<f32> = kernels.iter().map(|kernel| norm(kernel)).collect();
        close(arch, norms, &own, 1e-5);
    }
}

#[test]
fn kernels_of_one_weight_are_a_matrix_of_the_largest_rows_and_columns() {
    let subject = subject("resnet50");
    let out = look(&subject, "filters: {count: 3}", "layer2.0.conv3");
    let Content::Kernels { units, inputs, .. } = &out.figures[0].content else {
        panic!("{:?}", out.figures[0]);
    };
    let weights = subject.network.parameter("layer2.0.conv3.weight").unwrap();
    let columns = weights
        .square()
        .sum_dim_intlist([0i64, 2, 3].as_slice(), false, None);
    let columns = Vec::<f32>::try_from(columns).unwrap();
    assert!(
        inputs
            .iter()
            .all(|row| row == &inputs[0] && row.len() == 128)
    );
    assert!(inputs[0].is_sorted_by(|&a, &b| columns[a] >= columns[b]));
    let found = array(&out, "filters/layer2.0.conv3");
    let weight = |row: usize, column: usize| {
        weights.double_value(&[units[row] as i64, inputs[row][column] as i64, 0, 0]) as f32
    };
    assert_eq!(found[0], weight(0, 0));
    assert_eq!(found[2 * 128 + 77], weight(2, 77));
}

/// A kernel set to next to nothing is dead; one a hundredth as large as the others is not.
#[test]
fn dead_kernels_are_found_and_norms_are_spread_by_depth() {
    let graph = zoo::find("vgg11").unwrap().graph(zoo::Options::default());
    let mut weights = random::weights(&graph);
    let kernels = weights.get_mut("features.3.weight").unwrap();
    for (unit, factor) in [(5, 1e-5), (9, 0.0), (20, 1e-2)] {
        let mut kernel = kernels.get(unit);
        let _ = kernel.f_mul_scalar_(factor).unwrap();
    }
    let expected: Vec<f32> = {
        let norms = kernels
            .flatten(1, -1)
            .square()
            .sum_dim_intlist([1i64].as_slice(), false, None);
        let mut norms = Vec::<f32>::try_from(norms.sqrt()).unwrap();
        norms.sort_by(f32::total_cmp);
        norms
    };
    let subject = Subject {
        network: Network::new(graph, weights).unwrap(),
        info: {
            let graph = zoo::find("vgg11").unwrap().graph(zoo::Options::default());
            info::of_graph(&graph, 64, 64).unwrap()
        },
        ..subject("vgg11")
    };
    let out = look(&subject, "filters: {count: 128}", "features.3");
    let Content::Kernels { units, dead, .. } = &out.figures[0].content else {
        panic!("{:?}", out.figures[0]);
    };
    assert_eq!(dead, &[5, 9]);
    assert_eq!(units[125..], [20, 5, 9]);
    let Content::Norms { layers } = &out.figures[1].content else {
        panic!("{:?}", out.figures[1]);
    };
    assert_eq!(layers.len(), 8);
    assert!(layers.is_sorted_by(|a, b| a.depth < b.depth));
    let second = &layers[1];
    assert_eq!(
        (&*second.layer, second.count, second.dead),
        ("features.3", 128, 2)
    );
    assert!(
        layers
            .iter()
            .all(|layer| layer.dead == 0 || layer.layer == "features.3")
    );
    // Between the 63rd and the 64th of 128, and so on.
    let between = |place: f32| {
        let below = place.floor() as usize;
        expected[below] + (expected[below + 1] - expected[below]) * place.fract()
    };
    let found = [second.low, second.median, second.high];
    close(
        "quantiles",
        &found,
        &[between(6.35), between(63.5), between(120.65)],
        1e-5,
    );
}

#[test]
fn a_word_means_the_nearest_kernels_that_have_a_shape() {
    use convscope::spec::LayerSelector;
    let method: MethodSpec = serde_yaml::from_str("filters").unwrap();
    let resolve = |arch: &str, word: &str| {
        let graph = zoo::find(arch).unwrap().graph(zoo::Options::default());
        let info = info::of_graph(&graph, 224, 224).unwrap();
        let found = method
            .method()
            .resolve(&LayerSelector(word.into()), &graph, &info);
        found.map(|ids| {
            ids.iter()
                .map(|&id| graph.node(id).name.clone())
                .collect::<Vec<_>>()
        })
    };
    for (arch, word, layer) in [
        ("resnet50", "first", "conv1"),
        ("resnet50", "stage3", "layer2.3.conv2"),
        ("resnet50", "layer3.5", "layer3.5.conv2"),
        ("resnet50", "last", "layer4.2.conv2"),
        ("resnet50", "layer3.0.conv1", "layer3.0.conv1"),
        ("resnet50", "0%", "conv1"),
        ("resnet50", "penultimate", "layer4.2.conv2"),
        ("vgg16", "stage3", "features.21"),
        ("efficientnet_lite0", "stage3", "features.3.1.block.1.0"),
        ("efficientnet_lite0", "last", "features.7.0.block.1.0"),
    ] {
        assert_eq!(resolve(arch, word).unwrap(), [layer], "{arch} {word}");
    }
    assert_eq!(resolve("resnet50", "layer4.*.conv*").unwrap().len(), 9);
    for (word, says) in [
        ("layer1.0.relu", "`layer1.0.relu` is no convolution"),
        ("fc", "`fc` is no convolution"),
        ("*.bn1", "nothing that `*.bn1` matches"),
        ("layer9", "there is no layer `layer9`"),
    ] {
        let error = resolve("resnet50", word).unwrap_err();
        assert!(error.message().contains(says), "{}", error.message());
        assert!(error.advice().is_some());
    }
}

#[test]
fn guided_backprop_and_deconvnet_are_captums() {
    for arch in ["resnet18", "vgg11_bn"] {
        let subject = subject(arch);
        let out = look(&subject, "guided_backprop", "input");
        close(
            arch,
            array(&out, "/raw"),
            &golden(&format!("{arch}/guided_backprop")),
            1e-4,
        );
        let (input, output) = (input(), subject.network.graph().output());
        let logits = &subject.network.forward(&input, &[output]).unwrap()[&output];
        let class = logits.argmax(1, false);
        let asked = logits
            .zeros_like()
            .scatter_value(1, &class.unsqueeze(1), 1.0);
        let back = |rule| {
            let back = subject
                .network
                .backward(&input, output, &asked, rule)
                .unwrap();
            Vec::<f32>::try_from(back.flatten(0, -1)).unwrap()
        };
        close(
            arch,
            &back(Rule::Deconvnet),
            &golden(&format!("{arch}/deconvnet")),
            1e-4,
        );
        // Stretch by stretch, the plain rule is libtorch's own gradient.
        close(
            arch,
            &back(Rule::Plain),
            &golden(&format!("{arch}/saliency")),
            1e-4,
        );
    }
}

#[test]
fn guided_grad_cam_is_captums() {
    for (arch, layer) in [("resnet18", "layer3.1.conv2"), ("vgg11_bn", "features.25")] {
        let out = look(&subject(arch), "guided_grad_cam", layer);
        let raw = array(&out, "/raw");
        let sum = |at: usize| raw[at] + raw[4096 + at] + raw[8192 + at];
        let sum: Vec<f32> = (0..4096).map(sum).collect();
        close(
            arch,
            &sum,
            &golden(&format!("{arch}/guided_grad_cam")),
            1e-4,
        );
        let strongest = |at: usize| {
            let colours = [raw[at], raw[4096 + at], raw[8192 + at]];
            colours
                .iter()
                .fold(0f32, |most, value| most.max(value.abs()))
        };
        let strongest: Vec<f32> = (0..4096).map(strongest).collect();
        assert_eq!(array(&out, layer), strongest);
    }
}

/// Row and column of the first largest value of `[h, w]`, and the value.
fn largest(map: &Tensor) -> ([usize; 2], f32) {
    let width = map.size()[1] as usize;
    let values = Vec::<f32>::try_from(map.flatten(0, -1)).unwrap();
    let most = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let at = values.iter().position(|&value| value == most).unwrap();
    ([at / width, at % width], most)
}

#[test]
fn deconvnet_takes_the_strongest_units_back_as_pytorch_does() {
    let layers = [
        ("resnet18", "layer2.1.relu_1", "layer2.1", [123, 2, 4]),
        ("vgg11_bn", "features.13", "features.13", [203, 14, 9]),
    ];
    for (arch, layer, module, [unit, row, column]) in layers {
        let subject = subject(arch);
        let out = look(&subject, "deconvnet: {units: 3}", layer);
        let Content::Projections { units, of } = &out.figures[0].content else {
            panic!("{:?}", out.figures[0]);
        };
        let id = subject.network.graph().find(layer).unwrap();
        assert_eq!((units.len(), *of as i64), (3, subject.info[id].shape[0]));
        assert!(units.is_sorted_by(|a, b| a.value >= b.value));
        let values = &subject.network.forward(&input(), &[id]).unwrap()[&id];
        for found in units {
            let own = largest(&values.get(0).get(found.unit as i64));
            assert_eq!((found.place, found.value), own, "{arch}");
        }
        let first = &units[0];
        assert_eq!((first.unit, first.place), (unit, [row, column]), "{arch}");
        // Outside the window the whole projection is 0.
        let (window, pixels) = (first.window, &out.tensors[&first.tensor]);
        assert_eq!(pixels.shape, [3, window.height, window.width]);
        let mut whole = vec![0f32; 4096];
        for (at, value) in pixels.floats().unwrap().iter().enumerate() {
            let (x, y) = (at % window.width, at / window.width % window.height);
            whole[(window.top + y) * 64 + window.left + x] += value;
        }
        close(
            arch,
            &whole,
            &golden(&format!("{arch}/deconvnet/{module}")),
            1e-4,
        );
        // Listed, and asked for one by one.
        let listed = look(
            &subject,
            &format!("deconvnet: {{units: [5, {unit}]}}"),
            layer,
        );
        assert_eq!(listed.tensors[&first.tensor], *pixels, "{arch}");
        let single = convscope::methods::deconvnet::project(&subject, &input(), id, unit).unwrap();
        assert_eq!((single.place, single.window), (first.place, window));
        let single = Vec::<f32>::try_from(single.pixels.flatten(0, -1)).unwrap();
        assert_eq!(single, pixels.floats().unwrap());
    }
}

/// What a place sees, found by changing pixels: nothing outside its window moves its value, and its edges do.
#[test]
fn a_window_is_what_a_place_sees() {
    use convscope::methods::field::Fields;
    let subject = subject("efficientnet_lite0");
    let graph = subject.network.graph();
    let layer = graph.find("features.2.0.block.1.0").unwrap();
    // `SAME` pads an odd side otherwise than an even one.
    let (height, width) = (65, 80);
    let (kind, device) = (tch::Kind::Float, Device::Cpu);
    let ramp = Tensor::arange(3 * height * width, (kind, device)) * 0.37;
    let input = ramp
        .sin()
        .view([1, 3, height, width])
        .set_requires_grad(true);
    let fields = Fields::new(graph, layer, height, width).unwrap();
    let values = subject.network.forward(&input, &[0, layer]).unwrap();
    for [row, column] in [[0, 0], [8, 9], [16, 19]] {
        let place = values[&layer].select(2, row).select(2, column);
        let found = gradients(&place.sum(kind), &values, &[0]).unwrap();
        let moved = found[&0]
            .abs()
            .sum_dim_intlist([0i64, 1].as_slice(), false, kind);
        let rows = Vec::<f32>::try_from(moved.sum_dim_intlist([1i64].as_slice(), false, kind));
        let columns = Vec::<f32>::try_from(moved.sum_dim_intlist([0i64].as_slice(), false, kind));
        let span = |sums: Vec<f32>| {
            let first = sums.iter().position(|&sum| sum != 0.0).unwrap();
            let last = sums.iter().rposition(|&sum| sum != 0.0).unwrap();
            (first, last + 1 - first)
        };
        let window = fields.window([row as usize, column as usize]);
        assert_eq!((window.top, window.height), span(rows.unwrap()), "{row}");
        assert_eq!(
            (window.left, window.width),
            span(columns.unwrap()),
            "{column}"
        );
    }
}

#[test]
fn a_unit_that_is_not_active_sends_nothing_back() {
    let subject = subject("vgg11_bn");
    let graph = subject.network.graph();
    let layer = graph.find("features.14").unwrap();
    let input = Tensor::zeros([1, 3, 64, 64], (tch::Kind::Float, Device::Cpu));
    let projector =
        convscope::methods::deconvnet::Projector::new(&subject, &input, &[layer]).unwrap();
    let peaks = projector.peaks(layer).unwrap();
    let silent = peaks.iter().position(|peak| peak.value <= 0.0).unwrap();
    let found = projector
        .project(layer, silent, peaks[silent].place)
        .unwrap();
    assert_eq!(found.pixels.abs().max().double_value(&[]), 0.0);
    assert!(projector.project(layer, 0, [99, 0]).is_err());
    assert!(projector.project(0, 0, [0, 0]).is_err());
}

#[test]
fn a_network_without_relu_has_none_of_the_pictures_that_are_guided_by_one() {
    let silu = subject("efficientnet_b0");
    let relu6 = subject("efficientnet_lite0");
    for method in ["guided_backprop", "guided_grad_cam", "deconvnet"] {
        let out = look(&silu, method, "features.3.0.block.0.0");
        assert!(
            matches!(&out.figures[0].content, Content::Absent { reason } if reason.key == "note.no_relu")
        );
        // ReLU6 is one, and is named.
        let out = look(&relu6, method, "features.3.0.block.0.2");
        let figure = &out.figures[0];
        assert!(!matches!(figure.content, Content::Absent { .. }));
        assert!(figure.notes[0].key.starts_with("note.relu6"));
    }
}

/// The toy network of Captum's own tests, checked by hand: Grad-CAM at the convolution and behind its
/// ReLU, and the two rules.
#[test]
fn the_toy_network_gives_what_was_worked_out_by_hand() {
    use convscope::network::graph::{Conv, Graph, Op, Padding};
    let mut graph = Graph::new();
    let conv = Conv {
        in_channels: 1,
        out_channels: 2,
        kernel: 3,
        stride: 1,
        padding: Padding::Each(0),
        groups: 1,
        bias: true,
    };
    let x = graph.push("conv1", Op::Conv(conv), &[0]);
    let x = graph.push("relu1", Op::Relu, &[x]);
    let x = graph.push("flatten", Op::Flatten, &[x]);
    let x = graph.push(
        "fc",
        Op::Linear {
            inputs: 8,
            outputs: 4,
        },
        &[x],
    );
    graph.push("relu2", Op::Relu, &[x]);
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
    let values = network.forward(&input, &[0, 1, 2, 5]).unwrap();
    assert_eq!(values[&5].double_value(&[0, 0]), 54.0);
    let objective = values[&5].select(1, 0).sum(tch::Kind::Float);
    let found = gradients(&objective, &values, &[1, 2]).unwrap();
    let subject = Subject {
        id: "toy".into(),
        network,
        info: Vec::new(),
        labels: Labels::numbered(4),
        preprocess: Preprocess::imagenet(),
        device: Device::Cpu,
        seed: 0,
    };
    let pass = Pass {
        subject: &subject,
        image: "ramp",
        input: &input,
        values: &values,
    };
    let of_class = ClassPass {
        pass: &pass,
        class: subject.class(0),
        gradients: &found,
    };
    let method: MethodSpec = serde_yaml::from_str("grad_cam").unwrap();
    let mut out = Output::default();
    method
        .method()
        .of_class(&of_class, &[1, 2], &mut out)
        .unwrap();
    assert_eq!(array(&out, "/0/conv1"), [11.25, 13.5, 20.25, 22.5]);
    assert_eq!(array(&out, "/0/relu1"), [0., 4., 28., 32.5]);
    // At the output itself, past its ReLU, which is open.
    let asked = Tensor::from_slice(&[1f32, 0., 0., 0.]).view([1, 4]);
    let back = |rule| {
        let back = subject.network.backward(&input, 4, &asked, rule).unwrap();
        Vec::<f32>::try_from(back.flatten(0, -1)).unwrap()
    };
    assert_eq!(
        back(Rule::Deconvnet),
        [
            2., 3., 3., 1., 3., 5., 5., 2., 3., 5., 5., 2., 1., 2., 2., 1.
        ]
    );
    assert_eq!(
        back(Rule::Guided),
        [
            0., 1., 1., 1., 1., 3., 3., 2., 1., 3., 3., 2., 1., 2., 2., 1.
        ]
    );
}
