//! The architectures against torchvision 0.28.0 (PyTorch 2.13.0): logits and parameter counts with the weights of
//! `network::random_weights` on `golden/input_224.png`.
//!
//! `logits_224.safetensors` was computed in float32, `logits_224_float64.safetensors` in float64: with these weights
//! EfficientNet-B3's logits grow to 2·10⁴ and its gates saturate, so that a change of the input by one part in 10⁷ changes
//! them by one in 10³, and two machines with PyTorch differ by 2 to 17 % in float32. In float64 both agree to many digits.

use convscope::network::{Network, ReluRule, gradients, node_info, random_weights, zoo};
use tch::{Device, Kind, Tensor};

fn input() -> Tensor {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/input_224.png");
    let pixels = image::open(path).expect("the golden input").to_rgb8();
    let pixels = Tensor::from_slice(pixels.as_raw()).reshape([224, 224, 3]);
    let planes = pixels.permute([2, 0, 1]).to_kind(Kind::Double) / 255.0;
    let column = |values: [f64; 3]| Tensor::from_slice(&values).reshape([3, 1, 1]);
    let centred = planes - column([0.485, 0.456, 0.406]);
    (centred / column([0.229, 0.224, 0.225])).unsqueeze(0)
}

/// Asserts that `name`, computed in `kind`, agrees with the golden file: the number of parameters, the shape of every
/// node, and the logits to within `tolerance` times the largest one.
fn agrees(name: &str, parameters: i64, kind: Kind, tolerance: f64) {
    let file = match kind {
        Kind::Double => "logits_224_float64.safetensors",
        _ => "logits_224.safetensors",
    };
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/");
    let golden = Tensor::read_safetensors(format!("{folder}{file}")).expect("the golden logits");
    let (_, expected) = golden.iter().find(|(key, _)| key == name).expect(name);
    let graph = zoo::find(name).unwrap().graph(zoo::ArchOptions::default());
    let all = node_info::from_graph(&graph, 224, 224).unwrap();
    assert_eq!(
        all.iter().map(|info| info.parameters).sum::<i64>(),
        parameters
    );
    let mut weights = random_weights::weights(&graph);
    for tensor in weights.values_mut() {
        *tensor = tensor.to_kind(kind);
    }
    let network = Network::new(graph, weights).unwrap();
    let keep: Vec<usize> = (0..network.graph().nodes().len()).collect();
    let _guard = tch::no_grad_guard();
    let kept = network.forward(&input().to_kind(kind), &keep).unwrap();
    for (id, value) in &kept {
        assert_eq!(
            value.size()[1..],
            all[*id].shape,
            "{}",
            network.graph().node(*id).name
        );
    }
    let found = kept[&network.graph().output()].flatten(0, -1);
    let expected = expected.flatten(0, -1);
    let apart = (found - &expected).abs().max().double_value(&[]);
    let largest = expected.abs().max().double_value(&[]);
    assert!(
        apart <= tolerance * largest,
        "{name}: {apart} apart, of {largest}"
    );
}

#[test]
fn resnet18() {
    agrees("resnet18", 11_689_512, Kind::Float, 1e-4);
}

#[test]
fn resnet50() {
    agrees("resnet50", 25_557_032, Kind::Float, 1e-4);
}

#[test]
fn vgg11() {
    agrees("vgg11", 132_863_336, Kind::Float, 1e-4);
}

#[test]
fn vgg16_bn() {
    agrees("vgg16_bn", 138_365_992, Kind::Float, 1e-4);
}

#[test]
fn efficientnet_b0() {
    agrees("efficientnet_b0", 5_288_548, Kind::Float, 1e-4);
}

#[test]
fn efficientnet_b3() {
    agrees("efficientnet_b3", 12_233_232, Kind::Double, 1e-8);
}

#[test]
fn efficientnet_b5() {
    agrees("efficientnet_b5", 30_389_784, Kind::Double, 1e-8);
}

#[test]
fn resnet34() {
    agrees("resnet34", 21_797_672, Kind::Double, 1e-8);
}

#[test]
fn vgg19() {
    agrees("vgg19", 143_667_240, Kind::Double, 1e-8);
}

/// torchvision's numbers of parameters; those of CIFAR's ResNets are the paper's, to three digits (He et al. 2015, table 6).
#[test]
fn relatives_of_resnet_have_as_many_parameters_as_published() {
    for (name, parameters) in [
        ("resnext50_32x4d", 25_028_904),
        ("resnext101_32x8d", 88_791_336),
        ("resnext101_64x4d", 83_455_272),
        ("wide_resnet50_2", 68_883_240),
        ("wide_resnet101_2", 126_886_696),
    ] {
        let arch = zoo::find(name).unwrap();
        let graph = arch.graph(zoo::ArchOptions::default());
        let all = node_info::from_graph(&graph, 224, 224).unwrap();
        let found: i64 = all.iter().map(|info| info.parameters).sum();
        assert_eq!(found, parameters, "{name}");
    }
    for (name, thousands) in [
        ("resnet20", 270),
        ("resnet32", 460),
        ("resnet44", 660),
        ("resnet56", 850),
        ("resnet110", 1730),
    ] {
        let arch = zoo::find(name).unwrap();
        let options = zoo::ArchOptions {
            classes: 10,
            ..zoo::ArchOptions::default()
        };
        let all = node_info::from_graph(&arch.graph(options), 32, 32).unwrap();
        let found: i64 = all.iter().map(|info| info.parameters).sum();
        assert_eq!((found + 5000) / 10_000 * 10, thousands, "{name}");
    }
}

#[test]
fn an_unknown_architecture_is_an_error_with_the_nearest_name() {
    let error = zoo::find("resnet5O").unwrap_err();
    assert_eq!(error.exit_code(), 2);
    assert_eq!(error.help_text(), Some("did you mean `resnet50`?"));
}

#[test]
fn an_input_that_is_too_small_is_an_error() {
    let graph = zoo::find("vgg16")
        .unwrap()
        .graph(zoo::ArchOptions::default());
    let error = node_info::from_graph(&graph, 16, 16).unwrap_err();
    assert!(error.message().contains("features."), "{}", error.message());
}

/// EfficientNet-B7 has no ReLU, so the backward pass crosses all of it as one segment, with 48 residual blocks and 55
/// gates: some 10²⁵ paths, each node of which must be visited once.
#[test]
fn the_backward_pass_of_efficientnet_b7_is_its_gradient() {
    let graph = zoo::find("efficientnet_b7")
        .unwrap()
        .graph(zoo::ArchOptions::default());
    let weights = random_weights::weights(&graph);
    let network = Network::new(graph, weights).unwrap();
    let (input_id, output) = (network.graph().input(), network.graph().output());
    let input = input()
        .to_kind(Kind::Float)
        .narrow(2, 80, 64)
        .narrow(3, 80, 64)
        .contiguous();
    let weights = Tensor::zeros([1, 1000], (Kind::Float, Device::Cpu));
    let _ = weights.get(0).get(281).fill_(1.0);
    let found = network
        .backward(&input, output, &weights, ReluRule::Plain)
        .unwrap();

    let leaf = input.detach().set_requires_grad(true);
    let values = network.forward(&leaf, &[input_id, output]).unwrap();
    let logit = values[&output].get(0).get(281);
    let expected = &gradients(&logit, &values, &[input_id]).unwrap()[&input_id];
    let largest = expected.abs().max().double_value(&[]);
    let apart = (found - expected).abs().max().double_value(&[]);
    assert!(largest > 0.0);
    assert!(
        apart <= 1e-5 * largest,
        "{apart} apart, of {largest} at most"
    );
}
