//! Relevance against a second, slower implementation (contribution by contribution), against gradient × input where both are
//! equal, and its conservation.

use convscope::network::graph::Graph;
use convscope::network::op::{Add, Conv2d, Flatten, Linear, Op, Relu};
use convscope::network::{RelevanceRule, RelevanceRules};

use super::*;

/// A sum: its bias and its contributions, each with the input it comes from.
struct Sum {
    bias: f64,
    contributions: Vec<(usize, f64)>,
}

impl Sum {
    fn total(&self) -> f64 {
        self.bias + self.contributions.iter().map(|c| c.1).sum::<f64>()
    }

    /// The share of `relevance` of each contribution.
    fn shares(&self, rule: RelevanceRule, rms: f64, relevance: f64) -> Vec<f64> {
        let z = self.total();
        let sign = if z >= 0.0 { 1.0 } else { -1.0 };
        let part = |value: f64, sign: f64| if value * sign > 0.0 { value } else { 0.0 };
        let sum_of_sign = |sign: f64| {
            part(self.bias, sign)
                + self
                    .contributions
                    .iter()
                    .map(|c| part(c.1, sign))
                    .sum::<f64>()
        };
        let share = |value: f64| match rule {
            RelevanceRule::Epsilon(epsilon) => value / (z + sign * epsilon * rms) * relevance,
            RelevanceRule::Gamma(gamma) => {
                let weighted = |value: f64| value + gamma * part(value, sign);
                let total: f64 = self.contributions.iter().map(|c| weighted(c.1)).sum();
                weighted(value) / (total + weighted(self.bias)) * relevance
            }
            RelevanceRule::AlphaBeta(alpha) => {
                let signed = |sign: f64, factor: f64| match sum_of_sign(sign) {
                    0.0 => 0.0,
                    sum => part(value, sign) / sum * factor * relevance,
                };
                signed(1.0, alpha) + signed(-1.0, 1.0 - alpha)
            }
        };
        self.contributions.iter().map(|c| share(c.1)).collect()
    }
}

/// The relevance of the inputs of `sums`.
fn propagate(sums: &[Sum], rule: RelevanceRule, relevance: &[f64], inputs: usize) -> Vec<f64> {
    let squares: f64 = sums.iter().map(|sum| sum.total().powi(2)).sum();
    let rms = (squares / sums.len() as f64).sqrt();
    let mut found = vec![0.0; inputs];
    for (sum, &relevance) in sums.iter().zip(relevance) {
        for (contribution, share) in sum
            .contributions
            .iter()
            .zip(sum.shares(rule, rms, relevance))
        {
            found[contribution.0] += share;
        }
    }
    found
}

/// Three channels of 3 × 3 through a convolution of 1 × 1, ReLU, its input added, and a linear layer.
fn toy() -> Graph {
    let mut graph = Graph::new();
    let parameters: [(&str, &[i64]); 2] = [("weight", &[3, 3, 1, 1]), ("bias", &[3])];
    let conv = graph.push_layer("conv", Conv2d::PLAIN, 0, &parameters);
    let relu = graph.push("relu", Relu, &[conv]);
    let add = graph.push("add", Add::PLAIN, &[relu, 0]);
    let flat = graph.push("flat", Flatten::FEATURES, &[add]);
    graph.push_layer(
        "head",
        Linear,
        flat,
        &[("weight", &[4, 27]), ("bias", &[4])],
    );
    graph
}

fn values(tensor: &Tensor) -> Vec<f64> {
    Vec::try_from(tensor.flatten(0, -1).to_kind(tch::Kind::Double)).unwrap()
}

/// The relevance of the toy's input, contribution by contribution.
fn slow_relevance(network: &Network, x: &[f64], class: usize, rule: RelevanceRule) -> Vec<f64> {
    let parameter = |name: &str| values(network.parameter(name).unwrap());
    let (kernel, bias) = (parameter("conv.weight"), parameter("conv.bias"));
    let (head, head_bias) = (parameter("head.weight"), parameter("head.bias"));
    let sum = |at: usize| {
        let (to, position) = (at / 9, at % 9);
        let contributions = (0..3).map(|from| {
            let input = from * 9 + position;
            (input, kernel[to * 3 + from] * x[input])
        });
        Sum {
            bias: bias[to],
            contributions: contributions.collect(),
        }
    };
    let conv: Vec<Sum> = (0..27).map(sum).collect();
    let rectified: Vec<f64> = conv.iter().map(|sum| sum.total().max(0.0)).collect();
    let added = |at: usize| Sum {
        bias: 0.0,
        contributions: vec![(at, rectified[at]), (27 + at, x[at])],
    };
    let add: Vec<Sum> = (0..27).map(added).collect();
    let logit = |to: usize| Sum {
        bias: head_bias[to],
        contributions: (0..27)
            .map(|from| (from, head[to * 27 + from] * add[from].total()))
            .collect(),
    };
    let logits: Vec<Sum> = (0..4).map(logit).collect();
    let mut start = vec![0.0; 4];
    start[class] = logits[class].total();
    let of_add = propagate(&logits, rule, &start, 27);
    let of_paths = propagate(&add, rule, &of_add, 54);
    let of_conv = propagate(&conv, rule, &of_paths[..27], 27);
    (0..27).map(|at| of_conv[at] + of_paths[27 + at]).collect()
}

/// One rule for all layers.
fn for_all_layers(rule: RelevanceRule, biases: bool) -> RelevanceRules {
    RelevanceRules {
        convolutions: rule,
        linear: rule,
        input: None,
        biases,
    }
}

const RULES: [RelevanceRule; 5] = [
    RelevanceRule::Epsilon(0.01),
    RelevanceRule::Epsilon(0.5),
    RelevanceRule::Gamma(0.25),
    RelevanceRule::AlphaBeta(1.0),
    RelevanceRule::AlphaBeta(2.0),
];

#[test]
fn relevance_matches_the_slow_implementation() {
    let graph = toy();
    let weights = random_weights::weights(&graph);
    let network = Network::new(graph, weights).unwrap();
    let x = (Tensor::arange(27, (tch::Kind::Float, Device::Cpu)) * 1.7).sin();
    let (mut all_found, mut all_expected) = (Vec::new(), Vec::new());
    for rule in RULES {
        for class in 0..4 {
            let input = x.view([1, 3, 3, 3]);
            let found = network
                .relevance(
                    &input,
                    (network.graph().output(), &|logits| logit_of(class, logits)),
                    &for_all_layers(rule, true),
                )
                .unwrap();
            let expected = slow_relevance(&network, &values(&x), class as usize, rule);
            let expected: Vec<f32> = expected.iter().map(|&value| value as f32).collect();
            let found: Vec<f32> = Vec::try_from(found.input.flatten(0, -1)).unwrap();
            all_found.extend(found);
            all_expected.extend(expected);
        }
    }
    assert_recorded("lrp", "toy", &all_found, &all_expected, 1e-4);
}

/// The relevance of the logits, `[1, classes]`, for one of them: that logit, and 0 elsewhere.
fn logit_of(class: i64, logits: &Tensor) -> convscope::Result<Tensor> {
    let start = logits.zeros_like();
    start.select(1, class).copy_(&logits.select(1, class));
    Ok(start)
}

/// A network whose biases, and shifts of batch norms, are all 0.
fn without_biases(arch: &str) -> Network {
    let graph = zoo::find(arch).unwrap().graph(zoo::ArchOptions::default());
    let mut weights = random_weights::weights(&graph);
    for (name, tensor) in &mut weights {
        if name.ends_with(".bias") || name.ends_with(".running_mean") {
            *tensor = tensor.zeros_like();
        }
    }
    Network::new(graph, weights).unwrap()
}

#[test]
fn epsilon_0_is_gradient_times_input_without_biases() {
    let network = without_biases("vgg11_bn");
    let network = network.folded().unwrap();
    let input = input();
    let output = network.graph().output();
    let values = network
        .forward(&input, &[network.graph().input(), output])
        .unwrap();
    let objective = values[&output].select(1, 7).sum(tch::Kind::Float);
    let at = network.graph().input();
    let gradient = &convscope::network::gradients(&objective, &values, &[at]).unwrap()[&at];
    let expected: Vec<f32> = Vec::try_from((gradient * &input).flatten(0, -1)).unwrap();
    let found = network
        .relevance(
            &input,
            (output, &|logits| logit_of(7, logits)),
            &for_all_layers(RelevanceRule::Epsilon(0.0), true),
        )
        .unwrap();
    let found: Vec<f32> = Vec::try_from(found.input.flatten(0, -1)).unwrap();
    assert_recorded("lrp", "vgg11_bn", &found, &expected, 1e-4);
}

#[test]
fn folding_batch_norms_keeps_the_logits() {
    for arch in [
        "resnet18",
        "resnet50",
        "vgg11_bn",
        "vgg16",
        "efficientnet_b0",
        "efficientnet_lite0",
    ] {
        let network = model(arch).network;
        let folded = network.folded().unwrap();
        let batch_norms = |network: &Network| {
            let is_batch_norm = |op: &Op| matches!(op, Op::BatchNorm(_));
            let nodes = network.graph().nodes().iter();
            nodes.filter(|node| is_batch_norm(&node.op)).count()
        };
        assert_eq!(batch_norms(folded), 0, "{arch}");
        let logits = |network: &Network| -> Vec<f32> {
            let output = network.graph().output();
            let values = tch::no_grad(|| network.forward(&input(), &[output])).unwrap();
            Vec::try_from(values[&output].flatten(0, -1)).unwrap()
        };
        assert_close(arch, &logits(folded), &logits(&network), 1e-4);
    }
}

#[test]
fn relevance_is_conserved_without_biases() {
    for arch in ["vgg11_bn", "resnet18"] {
        let network = without_biases(arch);
        let network = network.folded().unwrap();
        for rule in [
            RelevanceRule::Epsilon(0.0),
            RelevanceRule::Gamma(1.0),
            RelevanceRule::AlphaBeta(1.0),
        ] {
            // With random weights and shortcuts, sums near 0 give large relevances of both signs for epsilon 0 and gamma.
            let found = network
                .relevance(
                    &input(),
                    (network.graph().output(), &|logits| logit_of(7, logits)),
                    &for_all_layers(rule, false),
                )
                .unwrap();
            let sum = values(&found.input).iter().sum::<f64>();
            let magnitude = values(&found.input)
                .iter()
                .map(|value| value.abs())
                .sum::<f64>();
            let lost = (found.total - sum).abs();
            assert!(
                lost <= 1e-3 * magnitude,
                "{arch} {rule:?}: {lost} of {magnitude}"
            );
        }
    }
}

#[test]
fn the_note_holds_the_relevance_of_the_pixels_and_of_the_biases() {
    let out = run_method(&model("vgg11_bn"), "lrp", "input");
    let parts: f64 = attribution(&out).iter().map(|&part| f64::from(part)).sum();
    let note = &out.figures[0].notes[0];
    assert_eq!(note.key, "note.relevance");
    let number = |name: &str| -> f64 { note.values[name].parse().unwrap() };
    assert!((number("sum") - parts).abs() < 1e-3 * parts.abs());
    assert!((number("logit") - number("sum") - number("biases")).abs() < 1e-3);
}
