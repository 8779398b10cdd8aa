//! Relevance against a second, slower way (every contribution written down), against gradient × input where the two are
//! the same, and conserved.

use convscope::network::graph::{Conv, Graph, Op, Padding};
use convscope::network::{RelevanceRule, RelevanceRules};

use super::*;

/// A sum: its bias and its contributions, each with the input it comes from.
struct Sum {
    bias: f64,
    parts: Vec<(usize, f64)>,
}

impl Sum {
    fn total(&self) -> f64 {
        self.bias + self.parts.iter().map(|part| part.1).sum::<f64>()
    }

    /// What each contribution gets of `relevance`.
    fn shares(&self, share: RelevanceRule, rms: f64, relevance: f64) -> Vec<f64> {
        let z = self.total();
        let up = if z >= 0.0 { 1.0 } else { -1.0 };
        let own = |value: f64, sign: f64| if value * sign > 0.0 { value } else { 0.0 };
        let all = |sign: f64| {
            own(self.bias, sign) + self.parts.iter().map(|part| own(part.1, sign)).sum::<f64>()
        };
        let of = |value: f64| match share {
            RelevanceRule::Epsilon(epsilon) => value / (z + up * epsilon * rms) * relevance,
            RelevanceRule::Gamma(gamma) => {
                let more = |value: f64| value + gamma * own(value, up);
                let total: f64 = self.parts.iter().map(|part| more(part.1)).sum();
                more(value) / (total + more(self.bias)) * relevance
            }
            RelevanceRule::AlphaBeta(alpha) => {
                let share = |sign: f64, times: f64| match all(sign) {
                    0.0 => 0.0,
                    all => own(value, sign) / all * times * relevance,
                };
                share(1.0, alpha) + share(-1.0, 1.0 - alpha)
            }
        };
        self.parts.iter().map(|part| of(part.1)).collect()
    }
}

/// The relevance of the inputs of `sums`.
fn back(sums: &[Sum], share: RelevanceRule, relevance: &[f64], inputs: usize) -> Vec<f64> {
    let squares: f64 = sums.iter().map(|sum| sum.total().powi(2)).sum();
    let rms = (squares / sums.len() as f64).sqrt();
    let mut found = vec![0.0; inputs];
    for (sum, &relevance) in sums.iter().zip(relevance) {
        for (part, of) in sum.parts.iter().zip(sum.shares(share, rms, relevance)) {
            found[part.0] += of;
        }
    }
    found
}

/// Three channels of 3 × 3 through a convolution of 1 × 1, ReLU, its input added, and a linear layer.
fn toy() -> Graph {
    let mut graph = Graph::new();
    let conv = Op::Conv(Conv {
        in_channels: 3,
        out_channels: 3,
        kernel: 1,
        stride: 1,
        padding: Padding::Each(0),
        groups: 1,
        bias: true,
    });
    let conv = graph.push("conv", conv, &[0]);
    let relu = graph.push("relu", Op::Relu, &[conv]);
    let add = graph.push("add", Op::Add, &[relu, 0]);
    let flat = graph.push("flat", Op::Flatten, &[add]);
    let head = Op::Linear {
        inputs: 27,
        outputs: 4,
    };
    graph.push("head", head, &[flat]);
    graph
}

fn numbers(tensor: &Tensor) -> Vec<f64> {
    Vec::try_from(tensor.flatten(0, -1).to_kind(tch::Kind::Double)).unwrap()
}

/// The toy's relevance, contribution by contribution.
fn slowly(network: &Network, x: &[f64], class: usize, share: RelevanceRule) -> Vec<f64> {
    let of = |name: &str| numbers(network.parameter(name).unwrap());
    let (kernel, shift) = (of("conv.weight"), of("conv.bias"));
    let (head, constant) = (of("head.weight"), of("head.bias"));
    let sum = |at: usize| {
        let (to, place) = (at / 9, at % 9);
        let parts = (0..3).map(|from| {
            let input = from * 9 + place;
            (input, kernel[to * 3 + from] * x[input])
        });
        Sum {
            bias: shift[to],
            parts: parts.collect(),
        }
    };
    let conv: Vec<Sum> = (0..27).map(sum).collect();
    let rectified: Vec<f64> = conv.iter().map(|sum| sum.total().max(0.0)).collect();
    let added = |at: usize| Sum {
        bias: 0.0,
        parts: vec![(at, rectified[at]), (27 + at, x[at])],
    };
    let add: Vec<Sum> = (0..27).map(added).collect();
    let logit = |to: usize| Sum {
        bias: constant[to],
        parts: (0..27)
            .map(|from| (from, head[to * 27 + from] * add[from].total()))
            .collect(),
    };
    let logits: Vec<Sum> = (0..4).map(logit).collect();
    let mut start = vec![0.0; 4];
    start[class] = logits[class].total();
    let of_add = back(&logits, share, &start, 27);
    let of_sides = back(&add, share, &of_add, 54);
    let of_conv = back(&conv, share, &of_sides[..27], 27);
    (0..27).map(|at| of_conv[at] + of_sides[27 + at]).collect()
}

fn everywhere(share: RelevanceRule, biases: bool) -> RelevanceRules {
    RelevanceRules {
        convolutions: share,
        linear: share,
        input: None,
        biases,
    }
}

const SHARES: [RelevanceRule; 5] = [
    RelevanceRule::Epsilon(0.01),
    RelevanceRule::Epsilon(0.5),
    RelevanceRule::Gamma(0.25),
    RelevanceRule::AlphaBeta(1.0),
    RelevanceRule::AlphaBeta(2.0),
];

#[test]
fn every_contribution_gets_its_share() {
    let graph = toy();
    let weights = random_weights::weights(&graph);
    let network = Network::new(graph, weights).unwrap();
    let x = (Tensor::arange(27, (tch::Kind::Float, Device::Cpu)) * 1.7).sin();
    let (mut all_found, mut all_expected) = (Vec::new(), Vec::new());
    for share in SHARES {
        for class in 0..4 {
            let input = x.view([1, 3, 3, 3]);
            let found = network
                .relevance(&input, class, &everywhere(share, true))
                .unwrap();
            let expected = slowly(&network, &numbers(&x), class, share);
            let expected: Vec<f32> = expected.iter().map(|&value| value as f32).collect();
            let found: Vec<f32> = Vec::try_from(found.input.flatten(0, -1)).unwrap();
            all_found.extend(found);
            all_expected.extend(expected);
        }
    }
    held("lrp", "toy", &all_found, &all_expected, 1e-4);
}

/// The network with every bias (and with it every shift of a batch norm) at 0.
fn without_biases(arch: &str) -> Network {
    let graph = zoo::find(arch).unwrap().graph(zoo::Options::default());
    let mut weights = random_weights::weights(&graph);
    for (name, tensor) in &mut weights {
        if name.ends_with(".bias") || name.ends_with(".running_mean") {
            *tensor = tensor.zeros_like();
        }
    }
    Network::new(graph, weights).unwrap()
}

#[test]
fn it_is_gradient_times_input_where_nothing_holds_a_sum_away_from_0() {
    let network = without_biases("vgg11_bn");
    let network = network.folded().unwrap();
    let input = input();
    let output = network.graph().output();
    let values = network
        .forward(&input, &[network.graph().input(), output])
        .unwrap();
    let objective = values[&output].select(1, 7).sum(tch::Kind::Float);
    let at = network.graph().input();
    let gradient = &gradients(&objective, &values, &[at]).unwrap()[&at];
    let expected: Vec<f32> = Vec::try_from((gradient * &input).flatten(0, -1)).unwrap();
    let found = network
        .relevance(&input, 7, &everywhere(RelevanceRule::Epsilon(0.0), true))
        .unwrap();
    let found: Vec<f32> = Vec::try_from(found.input.flatten(0, -1)).unwrap();
    held("lrp", "vgg11_bn", &found, &expected, 1e-4);
}

#[test]
fn a_folded_network_says_the_same() {
    for arch in [
        "resnet18",
        "resnet50",
        "vgg11_bn",
        "vgg16",
        "efficientnet_b0",
        "efficientnet_lite0",
    ] {
        let network = subject(arch).network;
        let folded = network.folded().unwrap();
        let norms = |network: &Network| {
            let is = |op: &Op| matches!(op, Op::BatchNorm { .. });
            let nodes = network.graph().nodes().iter();
            nodes.filter(|node| is(&node.op)).count()
        };
        assert_eq!(norms(folded), 0, "{arch}");
        let logits = |network: &Network| -> Vec<f32> {
            let output = network.graph().output();
            let values = tch::no_grad(|| network.forward(&input(), &[output])).unwrap();
            Vec::try_from(values[&output].flatten(0, -1)).unwrap()
        };
        close(arch, &logits(folded), &logits(&network), 1e-4);
    }
}

#[test]
fn nothing_is_lost_without_biases() {
    for arch in ["vgg11_bn", "resnet18"] {
        let network = without_biases(arch);
        let network = network.folded().unwrap();
        for share in [
            RelevanceRule::Epsilon(0.0),
            RelevanceRule::Gamma(1.0),
            RelevanceRule::AlphaBeta(1.0),
        ] {
            // With random weights and shortcuts, sums near 0 make epsilon 0 and gamma large numbers of both signs.
            let found = network
                .relevance(&input(), 7, &everywhere(share, false))
                .unwrap();
            let sum = numbers(&found.input).iter().sum::<f64>();
            let most = numbers(&found.input)
                .iter()
                .map(|part| part.abs())
                .sum::<f64>();
            let lost = (found.logit - sum).abs();
            assert!(lost <= 1e-3 * most, "{arch} {share:?}: {lost} of {most}");
        }
    }
}

#[test]
fn the_report_says_what_reaches_the_pixels() {
    let out = look(&subject("vgg11_bn"), "lrp", "input");
    let parts: f64 = parts(&out).iter().map(|&part| f64::from(part)).sum();
    let note = &out.figures[0].notes[0];
    assert_eq!(note.key, "note.relevance");
    let number = |name: &str| -> f64 { note.values[name].parse().unwrap() };
    assert!((number("sum") - parts).abs() < 1e-3 * parts.abs());
    assert!((number("logit") - number("sum") - number("biases")).abs() < 1e-3);
}
