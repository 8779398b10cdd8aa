//! Passes of copies with a changed rectangle against whole passes of these copies, in double precision, on networks with the
//! weights of `network::random_weights`.

use convscope::image::Preprocess;
use convscope::network::graph::{Graph, NodeId};
use convscope::network::op::{AvgPool2d, Cat, Conv2d, MaxPool2d, Padding, Relu};
use convscope::network::{Network, NodeValues, node_info, random_weights, zoo};
use tch::{Kind, Tensor};

fn input(side: i64) -> Tensor {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/input_64.png");
    let pixels = image::open(path).unwrap().to_rgb8();
    let planes = Preprocess::imagenet().normalise(&pixels);
    let input = Tensor::from_slice(&planes).view([1, 3, 64, 64]);
    input
        .to_kind(Kind::Double)
        .upsample_bilinear2d([side, side], false, None, None)
}

fn double(graph: Graph) -> Network {
    let weights = random_weights::weights(&graph).into_iter();
    let weights = weights.map(|(name, tensor)| (name, tensor.to_kind(Kind::Double)));
    Network::new(graph, weights.collect()).unwrap()
}

/// The node's value for copies whose rectangles of `size` at `starts` are set to noise, by region and as a whole.
fn assert_same(name: &str, network: &Network, side: i64, node: NodeId, size: [i64; 2]) {
    let info = node_info::from_graph(network.graph(), side, side).unwrap();
    let input = input(side);
    let last = [side - size[0], side - size[1]];
    let mut starts = vec![[0, 0], last, [0, last[1]], [last[0] / 2, last[1] / 3]];
    starts.extend((1..6).map(|n| [n * 7 % (last[0] + 1), n * 11 % (last[1] + 1)]));
    tch::manual_seed(3);
    let noise = Tensor::randn(
        [starts.len() as i64, 3, size[0], size[1]],
        (Kind::Double, input.device()),
    );
    let passes = network.region_passes(&input, &info, node).unwrap();
    let found = passes.values(&starts, &noise).unwrap();
    let copies = input.repeat([starts.len() as i64, 1, 1, 1]);
    for (copy, start) in starts.iter().enumerate() {
        copies
            .select(0, copy as i64)
            .narrow(1, start[0], size[0])
            .narrow(2, start[1], size[1])
            .copy_(&noise.select(0, copy as i64));
    }
    let whole = tch::no_grad(|| network.forward(&copies, &[node])).unwrap();
    let expected = whole.value(node).unwrap();
    assert_eq!(found.size(), expected.size(), "{name}");
    let apart = (&found - expected).abs().max().double_value(&[]);
    let largest = expected.abs().max().double_value(&[]);
    assert!(
        apart <= 1e-11 * largest,
        "{name}, {size:?}: {apart}, of {largest}"
    );
    // The unchanged image has another value: the rectangles do change something.
    let given = NodeValues::from([(network.graph().input(), input)]);
    let unchanged = tch::no_grad(|| network.forward_from(&given, &[node])).unwrap();
    let change = (unchanged.value(node).unwrap() - expected).abs().max();
    assert!(change.double_value(&[]) > 1e-3 * largest, "{name}");
}

#[test]
fn logits_are_those_of_whole_passes() {
    for arch in [
        "resnet18",
        "resnet50",
        "vgg11_bn",
        "efficientnet_b0",
        "efficientnet_lite0",
    ] {
        let network = double(zoo::find(arch).unwrap().graph(zoo::ArchOptions::default()));
        for size in [[5, 5], [1, 16], [40, 9]] {
            assert_same(arch, &network, 96, network.graph().output(), size);
        }
    }
}

/// At inner layers, too: with a region that is still small, and before and after joins.
#[test]
fn inner_layers_are_those_of_whole_passes() {
    let network = double(
        zoo::find("resnet18")
            .unwrap()
            .graph(zoo::ArchOptions::default()),
    );
    for node in (1..network.graph().nodes().len()).step_by(5) {
        let name = network.graph().node(node).name.clone();
        assert_same(&name, &network, 64, node, [6, 4]);
    }
}

/// Windows of every kind, with gaps, steps beyond the window, ceiling and zeros that count, joined along the channels.
#[test]
fn windows_of_every_kind_are_exact() {
    let conv = |stride: i64, padding: Padding, dilation: i64| Conv2d {
        stride: [stride, 1],
        padding,
        dilation: [dilation, dilation],
        groups: 1,
    };
    let mut graph = Graph::with_channels(3);
    let input = graph.input();
    let weight = |outputs: i64, inputs: i64, side: i64| [outputs, inputs, side, side];
    let first = graph.push_layer(
        "dilated",
        conv(1, Padding::Each([4, 4]), 2),
        input,
        &[("weight", &weight(4, 3, 5)), ("bias", &[4])],
    );
    let same = graph.push_layer(
        "same",
        conv(2, Padding::Same, 1),
        first,
        &[("weight", &weight(6, 4, 4))],
    );
    let max = graph.push(
        "max",
        MaxPool2d {
            kernel: [3, 3],
            stride: [2, 2],
            padding: [1, 1],
            dilation: [1, 1],
            ceil_mode: false,
        },
        &[same],
    );
    graph.push(
        "ceiling",
        MaxPool2d {
            kernel: [3, 2],
            stride: [3, 3],
            padding: [0, 1],
            dilation: [1, 2],
            ceil_mode: true,
        },
        &[same],
    );
    let average = graph.push(
        "average",
        AvgPool2d {
            kernel: [3, 3],
            stride: [2, 2],
            padding: [1, 1],
            ceil_mode: false,
            count_include_pad: true,
        },
        &[same],
    );
    let relu = graph.push("relu", Relu, &[average]);
    let info = node_info::from_graph(&graph, 63, 63).unwrap();
    assert_eq!(info[max].shape, info[relu].shape);
    let cat = graph.push("cat", Cat { dim: 1 }, &[max, relu]);
    graph.push_layer(
        "steps",
        Conv2d {
            stride: [3, 3],
            ..Conv2d::PLAIN
        },
        cat,
        &[("weight", &weight(5, 12, 1))],
    );
    let network = double(graph);
    for node in 1..network.graph().nodes().len() {
        let name = network.graph().node(node).name.clone();
        for size in [[3, 3], [9, 2]] {
            assert_same(&name, &network, 63, node, size);
        }
    }
}
