//! Passes of a prepared network (folded batch norms, channels-last weights, values written over) against those of the plain
//! graph, node by node and method by method, on networks with the weights of `network::random_weights`. They are computed in double
//! precision: what is left of a difference is no rounding. In float32 they differ by rounding alone.

use convscope::image::Preprocess;
use convscope::methods::{LoadedModel, MethodOutput, MethodSpec};
use convscope::network::graph::NodeId;
use convscope::network::labels::Labels;
use convscope::network::{Network, NodeValues, Task, node_info, random_weights, zoo};
use tch::{Device, Kind, Tensor};

const ARCHS: [&str; 4] = [
    "resnet18",
    "vgg11_bn",
    "efficientnet_b0",
    "efficientnet_lite0",
];

/// A network in the precision of `kind`.
fn network(arch: &str, kind: Kind) -> Network {
    let graph = zoo::find(arch).unwrap().graph(zoo::ArchOptions::default());
    let weights = random_weights::weights(&graph).into_iter();
    let weights = weights.map(|(name, tensor)| (name, tensor.to_kind(kind)));
    Network::new(graph, weights.collect()).unwrap()
}

fn input(kind: Kind) -> Tensor {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/input_64.png");
    let pixels = image::open(path).unwrap().to_rgb8();
    let planes = Preprocess::imagenet().normalise(&pixels);
    Tensor::from_slice(&planes)
        .view([1, 3, 64, 64])
        .to_kind(kind)
}

/// That values are apart by at most `tolerance` of the largest.
fn assert_close(name: &str, found: &Tensor, expected: &Tensor, tolerance: f64) {
    assert_eq!(found.size(), expected.size(), "{name}");
    let largest = expected.abs().max().double_value(&[]);
    let apart = (found - expected).abs().max().double_value(&[]);
    assert!(
        apart <= tolerance * largest,
        "{name}: {apart} apart, of {largest}"
    );
}

#[test]
fn every_node_has_the_value_of_the_plain_graph() {
    // Random weights and ReLU6 enlarge what rounding leaves.
    for (kind, tolerance) in [(Kind::Double, 1e-12), (Kind::Float, 1e-4)] {
        for arch in ARCHS {
            // Depthwise convolutions are slow in double precision.
            if kind == Kind::Double && arch == "efficientnet_b0" {
                continue;
            }
            let prepared = network(arch, kind);
            let plain = prepared.clone().unprepared();
            let nodes: Vec<NodeId> = (0..prepared.graph().nodes().len()).collect();
            let input = input(kind);
            let expected = tch::no_grad(|| plain.forward(&input, &nodes)).unwrap();
            let together = tch::no_grad(|| prepared.forward(&input, &nodes)).unwrap();
            for &id in &nodes {
                let name = format!("{arch} {kind:?}: {}", prepared.graph().node(id).name);
                let expected = expected.value(id).unwrap();
                assert_close(&name, together.value(id).unwrap(), expected, tolerance);
                // Of a node alone all others may be folded or written over. Some are enough.
                if id % 15 == 0 || id == prepared.graph().output() {
                    let alone = tch::no_grad(|| prepared.forward(&input, &[id])).unwrap();
                    assert_close(&name, alone.value(id).unwrap(), expected, tolerance);
                }
            }
        }
    }
}

/// A pass that starts with the value of any node gives the logits, and leaves the value that it was given as it is.
#[test]
fn a_pass_from_any_node_gives_the_same_logits() {
    let network = network("resnet18", Kind::Double);
    let graph = network.graph();
    let nodes: Vec<NodeId> = (0..graph.nodes().len()).collect();
    let values = tch::no_grad(|| network.forward(&input(Kind::Double), &nodes)).unwrap();
    let expected = values.value(graph.output()).unwrap();
    for &id in &nodes {
        // The starts of shortcuts around it, too.
        let after = graph.downstream(id);
        let mut given = NodeValues::from([(id, values.value(id).unwrap().shallow_clone())]);
        for node in (0..nodes.len()).filter(|&node| after[node] && node != id) {
            for &start in graph
                .node(node)
                .inputs
                .iter()
                .filter(|&&start| !after[start])
            {
                given.insert(start, values.value(start).unwrap().shallow_clone());
            }
        }
        let before = values.value(id).unwrap().copy();
        let found = tch::no_grad(|| network.forward_from(&given, &[graph.output()])).unwrap();
        let name = &graph.node(id).name;
        assert_close(name, found.value(graph.output()).unwrap(), expected, 1e-12);
        assert_eq!(
            &before,
            values.value(id).unwrap(),
            "{name} was written over"
        );
    }
}

fn model(network: Network) -> LoadedModel {
    LoadedModel {
        id: "net".into(),
        info: node_info::from_graph(network.graph(), 64, 64).unwrap(),
        network,
        labels: Labels::imagenet(),
        task: Task::Classes,
        preprocess: Preprocess::imagenet(),
        device: Device::Cpu,
        seed: 0,
    }
}

/// What a method gives for a class at the layers that it names, or at the last layer with positions.
fn output(model: &LoadedModel, spec: &MethodSpec) -> MethodOutput {
    let method = spec.method();
    let selectors = method.selectors().iter();
    let graph = model.network.graph();
    let input = input(Kind::Double);
    let mut layers: Vec<NodeId> = selectors
        .flat_map(|selector| {
            convscope::network::selector::resolve(selector, graph, &model.info).unwrap_or_default()
        })
        .collect();
    layers.sort_unstable();
    layers.dedup();
    let nodes = [&layers[..], &method.nodes(graph)].concat();
    let forward = model.forward_with_gradients("cat", &input, &nodes).unwrap();
    let backward = forward.backward(model.class_target(281), &nodes).unwrap();
    let mut out = MethodOutput::default();
    if let Some(method) = method.for_image() {
        method.image_figures(&forward, &layers, &mut out).unwrap();
    }
    if let Some(method) = method.for_class() {
        method.class_figures(&backward, &layers, &mut out).unwrap();
    }
    out
}

#[test]
fn every_method_gives_the_numbers_of_the_plain_graph() {
    for arch in ["resnet18", "efficientnet_lite0"] {
        let prepared = model(network(arch, Kind::Double));
        let plain = model(network(arch, Kind::Double).unprepared());
        let mut compared = 0;
        for spec in MethodSpec::all() {
            let method = spec.method();
            if method.for_class().is_none() && method.for_image().is_none() {
                continue;
            }
            // Thousands of passes in double precision take minutes.
            let passes = method.for_class().map(|m| m.passes(&plain.info, &[]));
            let most = if arch == "resnet18" { 100 } else { 0 };
            if passes.is_some_and(|passes| passes.forward > most) {
                continue;
            }
            let (found, expected) = (output(&prepared, &spec), output(&plain, &spec));
            assert_eq!(found.figures.len(), expected.figures.len());
            for (key, expected) in &expected.tensors {
                if let (Some(expected), Some(found)) =
                    (expected.floats(), found.tensors[key].floats())
                {
                    let [found, expected] = [found, expected].map(Tensor::from_slice);
                    assert_close(&format!("{arch}: {key}"), &found, &expected, 2e-7);
                    compared += 1;
                }
            }
        }
        assert!(compared > 20, "{compared}");
    }
}
