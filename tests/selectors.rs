//! The layers that every selector names in the networks that specs use most.

use convscope::network::LayerSelector;
use convscope::network::graph::Graph;
use convscope::network::node_info::{self, NodeInfo};
use convscope::network::selector::{resolve, resolve_spatial};
use convscope::network::zoo::{self, ArchOptions};

fn network(name: &str, options: ArchOptions) -> (Graph, Vec<NodeInfo>) {
    let graph = zoo::find(name).expect("in the zoo").graph(options);
    let infos = node_info::from_graph(&graph, 224, 224).expect("large enough");
    (graph, infos)
}

/// The names of the layers, or the error.
fn layers((graph, infos): &(Graph, Vec<NodeInfo>), selector: &str) -> String {
    match resolve(&LayerSelector(selector.into()), graph, infos) {
        Ok(ids) => ids
            .iter()
            .map(|&id| graph.node(id).name.as_str())
            .collect::<Vec<_>>()
            .join(" "),
        Err(error) => format!("error: {}", error.message()),
    }
}

/// Asserts which layers each selector names; `-` is an error: the network has no such layer.
fn assert_layers(name: &str, gap_head: bool, expected: &[(&str, &str)]) {
    let network = network(
        name,
        ArchOptions {
            gap_head,
            ..ArchOptions::default()
        },
    );
    for (selector, named) in expected {
        let found = layers(&network, selector);
        match *named {
            "-" => assert!(found.starts_with("error: "), "{name} {selector}: {found}"),
            _ => assert_eq!(&found, named, "{name} {selector}"),
        }
    }
}

#[test]
fn resnet50() {
    assert_layers(
        "resnet50",
        false,
        &[
            ("first", "conv1"),
            // Not layer4.0.downsample.0, and no batch norm.
            ("last", "layer4.2.conv3"),
            ("penultimate", "flatten"),
            ("stage0", "input"),
            ("stage1", "relu"),
            // layer2.0.relu has this resolution too, but is inside a branch.
            ("stage2", "layer1.2.relu_2"),
            ("stage3", "layer2.3.relu_2"),
            ("stage4", "layer3.5.relu_2"),
            ("stage5", "layer4.2.relu_2"),
            ("stage6", "-"),
            ("0%", "input"),
            ("25%", "layer1.2.relu_2"),
            ("50%", "layer2.3.relu_2"),
            ("75%", "layer3.4.relu_2"),
            ("100%", "fc"),
            ("layer3", "layer3.5.relu_2"),
            ("layer3.5", "layer3.5.relu_2"),
            ("layer3.5.conv2", "layer3.5.conv2"),
            (
                "layer4.*.conv2",
                "layer4.0.conv2 layer4.1.conv2 layer4.2.conv2",
            ),
            (
                "layer1.[01].{conv1,add}",
                "layer1.0.conv1 layer1.0.add layer1.1.conv1 layer1.1.add",
            ),
            (" last ", "layer4.2.conv3"),
        ],
    );
    // With the stride on the 1×1 convolution, as in the paper, the stages are the same.
    let original = network(
        "resnet50",
        ArchOptions {
            stride_on_1x1: true,
            ..ArchOptions::default()
        },
    );
    assert_eq!(layers(&original, "stage3"), "layer2.3.relu_2");
}

#[test]
fn vgg16() {
    let both = [
        ("first", "features.0"),
        ("last", "features.28"),
        ("stage0", "features.3"),
        ("stage1", "features.8"),
        ("stage2", "features.15"),
        ("stage3", "features.22"),
        ("stage4", "features.29"),
        ("stage6", "-"),
        ("0%", "input"),
    ];
    assert_layers("vgg16", false, &both);
    assert_layers("vgg16", true, &both);
    assert_layers(
        "vgg16",
        false,
        &[
            ("penultimate", "classifier.4"),
            ("stage5", "features.30"),
            ("25%", "features.9"),
            ("50%", "features.18"),
            ("75%", "features.28"),
            ("100%", "classifier.6"),
            ("features", "features.30"),
        ],
    );
    assert_layers(
        "vgg16",
        true,
        &[
            ("penultimate", "flatten"),
            // Without the last max pooling no layer has 1/32 of the resolution.
            ("stage5", "-"),
            ("50%", "features.16"),
            ("100%", "head"),
        ],
    );
}

#[test]
fn efficientnet_b0() {
    assert_layers(
        "efficientnet_b0",
        false,
        &[
            ("first", "features.0.0"),
            ("last", "features.8.0"),
            ("penultimate", "flatten"),
            // Not the expansion in features.2.0, which has this resolution too.
            ("stage1", "features.1.0.block.2.1"),
            ("stage2", "features.2.1.add"),
            ("stage3", "features.3.1.add"),
            ("stage4", "features.5.2.add"),
            ("stage5", "features.8.2"),
            ("stage6", "-"),
            ("25%", "features.3.0.block.3.1"),
            ("50%", "features.5.0.block.1.0"),
            ("75%", "features.6.0.block.3.1"),
            ("100%", "classifier.1"),
            (
                "features.1.0.*.fc?",
                "features.1.0.block.1.fc1 features.1.0.block.1.fc2",
            ),
        ],
    );
}

#[test]
fn efficientnet_lite0() {
    assert_layers(
        "efficientnet_lite0",
        false,
        &[
            ("first", "features.0.0"),
            ("last", "features.8.0"),
            ("penultimate", "flatten"),
            ("stage1", "features.1.0.block.1.1"),
            ("stage2", "features.2.1.add"),
            ("stage3", "features.3.1.add"),
            ("stage4", "features.5.2.add"),
            ("stage5", "features.8.2"),
            ("stage6", "-"),
            ("25%", "features.3.0.block.2.1"),
            ("50%", "features.5.0.block.1.0"),
            ("75%", "features.6.0.block.2.1"),
            ("100%", "classifier.1"),
        ],
    );
}

#[test]
fn a_stage_has_the_same_resolution_in_every_network() {
    for arch in zoo::architectures() {
        let (graph, infos) = network(arch.name, ArchOptions::default());
        for (stage, stride) in [
            ("stage1", 2),
            ("stage2", 4),
            ("stage3", 8),
            ("stage4", 16),
            ("stage5", 32),
        ] {
            // Networks for CIFAR's images have three stages, of which the first has the input's resolution.
            if arch.input == 32 && stride > 4 {
                continue;
            }
            let ids =
                resolve_spatial(&LayerSelector(stage.into()), &graph, &infos).expect(arch.name);
            assert_eq!(ids.len(), 1);
            assert_eq!(infos[ids[0]].stride(), stride, "{} {stage}", arch.name);
        }
    }
}

#[test]
fn an_error_about_an_unknown_layer_helps_with_the_nearest_one() {
    let (graph, infos) = network("efficientnet_b0", ArchOptions::default());
    let advice = |selector: &str| {
        let error = resolve(&LayerSelector(selector.into()), &graph, &infos).expect_err(selector);
        error.help_text().expect("help").to_owned()
    };
    assert_eq!(
        advice("features.3.1.ad"),
        "did you mean `features.3.1.add`?"
    );
    assert_eq!(advice("lst"), "did you mean `last`?");
    assert_eq!(
        advice("stage9"),
        "this network's lowest resolution is 1/32: `stage5`"
    );
    assert!(advice("stage99").contains("`stage5` 1/32"));
    assert!(advice("120%").contains("100%"));
    assert!(advice("-3%").contains("0%"));
    assert!(advice("[").contains('*'));
    assert!(advice("layer3.*.conv2").contains("convscope layers"));
    assert!(advice("no similar name at all").contains("convscope layers"));
}

#[test]
fn spatial_selectors_need_height_and_width() {
    let (graph, infos) = network("efficientnet_b0", ArchOptions::default());
    let spatial = |selector: &str| resolve_spatial(&LayerSelector(selector.into()), &graph, &infos);
    // A gate, the output of the global pooling, the head; and a glob that matches a gate.
    for selector in [
        "features.1.0.block.1.fc1",
        "avgpool",
        "penultimate",
        "100%",
        "features.1.0.block.*",
    ] {
        let error = spatial(selector).expect_err(selector);
        assert!(
            error.message().contains("height and width"),
            "{}",
            error.message()
        );
    }
    assert_eq!(
        spatial("features.1.0.block.1.mul")
            .expect("after the gate")
            .len(),
        1
    );
}

/// Convolutions that are padded by a node of their own, as TensorFlow's are, have maps, and the padded values have none.
#[test]
fn explicit_padding_keeps_the_maps_of_convolutions() {
    use convscope::network::op::{AdaptiveAvgPool2d, Conv2d, Flatten, Pad, PadMode, Padding, Relu};
    let mut graph = Graph::new();
    let mut x = graph.input();
    for (index, channels) in [(1, 3), (2, 4), (3, 4)] {
        let pad = Pad {
            pad: vec![0, 1, 0, 1],
            mode: PadMode::Constant(0.0),
        };
        x = graph.push(format!("pad{index}"), pad, &[x]);
        let conv = Conv2d {
            stride: [2, 2],
            padding: Padding::Each([0, 0]),
            dilation: [1, 1],
            groups: 1,
        };
        let name = format!("conv{index}");
        x = graph.push_layer(name, conv, x, &[("weight", &[4, channels, 3, 3])]);
        x = graph.push(format!("relu{index}"), Relu, &[x]);
    }
    x = graph.push("pool", AdaptiveAvgPool2d { size: [1, 1] }, &[x]);
    graph.push("flatten", Flatten::FEATURES, &[x]);
    let infos = node_info::from_graph(&graph, 32, 32).expect("large enough");
    let network = (graph, infos);
    for (selector, named) in [
        ("first", "conv1"),
        ("last", "conv3"),
        ("stage1", "relu1"),
        ("stage2", "relu2"),
        ("stage3", "relu3"),
    ] {
        assert_eq!(layers(&network, selector), named, "{selector}");
    }
    let (graph, infos) = &network;
    let info = |name: &str| &infos[graph.find(name).expect(name)];
    assert_eq!((info("conv2").stride(), info("pad2").stride()), (4, 0));
    assert_eq!(info("conv2").receptive_field(), 7);
    assert!(!info("pad3").is_spatial());
}
