//! `skip_connections` against a slower implementation: every ablation as a whole forward pass, every share by detaching the
//! other path, on networks with the weights of `network::random_weights`.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use convscope::figures::{Content, GradientShares, ResidualBlock};
use convscope::image::Preprocess;
use convscope::methods::{LoadedModel, MethodOutput, MethodSpec};
use convscope::network::graph::{Graph, NodeId};
use convscope::network::labels::Labels;
use convscope::network::{Network, NodeValues, node_info, random_weights, zoo};
use tch::{Device, Kind, Tensor};

const CLASS: i64 = 281;

fn input() -> Tensor {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/input_64.png");
    let pixels = image::open(path).unwrap().to_rgb8();
    let planes = Preprocess::imagenet().normalise(&pixels);
    Tensor::from_slice(&planes)
        .view([1, 3, 64, 64])
        .set_requires_grad(true)
}

fn model(arch: &str) -> LoadedModel {
    let graph = zoo::find(arch).unwrap().graph(zoo::ArchOptions::default());
    LoadedModel {
        id: "net".into(),
        info: node_info::from_graph(&graph, 64, 64).unwrap(),
        network: Network::new(graph.clone(), random_weights::weights(&graph)).unwrap(),
        labels: Labels::imagenet(),
        task: convscope::network::Task::Classes,
        preprocess: Preprocess::imagenet(),
        device: Device::Cpu,
        seed: 0,
    }
}

fn run_method(model: &LoadedModel, method: &str) -> MethodOutput {
    let method: MethodSpec = serde_yaml::from_str(method).unwrap();
    let nodes = method.method().nodes(model.network.graph());
    let forward = model
        .forward_with_gradients("cat", &input(), &nodes)
        .unwrap();
    let backward = forward
        .backward(model.class_target(CLASS as usize), &nodes)
        .unwrap();
    let mut out = MethodOutput::default();
    let method = method.method().for_class().unwrap();
    tch::no_grad(|| method.class_figures(&backward, &[], &mut out)).unwrap();
    out
}

fn residual_blocks(out: &MethodOutput) -> (f32, f32, &[ResidualBlock]) {
    match &out.figures[..] {
        [figure] => match &figure.content {
            Content::Shortcuts {
                value,
                probability,
                blocks,
                ..
            } => (*value, probability.unwrap(), blocks),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

fn all_nodes(graph: &Graph) -> BTreeSet<NodeId> {
    (0..graph.nodes().len()).collect()
}

/// The class's logit and probability, and the predicted class, of a whole forward pass with values replaced by `change`.
fn whole_pass(
    model: &LoadedModel,
    change: &mut dyn FnMut(NodeId, Tensor) -> Tensor,
) -> (f64, f64, usize) {
    let graph = model.network.graph();
    let given = NodeValues::from([(graph.input(), input())]);
    let kept = model
        .network
        .forward_with(
            &given,
            &[graph.output()],
            &all_nodes(graph),
            &mut |id, value| Ok(change(id, value)),
        )
        .unwrap();
    let logits: Vec<f64> = Vec::try_from(kept[&graph.output()].flatten(0, -1)).unwrap();
    let sum: f64 = logits.iter().map(|logit| logit.exp()).sum();
    let logit = logits[CLASS as usize];
    let first = (0..logits.len())
        .max_by(|&a, &b| logits[a].total_cmp(&logits[b]))
        .unwrap();
    (logit, logit.exp() / sum, first)
}

fn assert_near(name: &str, found: f64, expected: f64, tolerance: f64) {
    let scale = expected.abs().max(1.0);
    assert!(
        (found - expected).abs() <= tolerance * scale,
        "{name}: {found} {expected}"
    );
}

/// The two inputs of an `Add`: the ends of the shortcut and of the branch.
fn paths(model: &LoadedModel, add: NodeId) -> (NodeId, NodeId) {
    match model.network.graph().node(add).inputs[..] {
        [shortcut, branch] => (shortcut, branch),
        _ => panic!("an Add without two inputs"),
    }
}

#[test]
fn an_ablation_is_a_forward_pass_with_one_path_of_the_sum() {
    for (arch, count) in [
        ("resnet18", 8),
        ("efficientnet_b0", 9),
        ("efficientnet_lite0", 9),
    ] {
        let model = model(arch);
        let out = run_method(&model, "skip_connections");
        let (logit, probability, blocks) = residual_blocks(&out);
        assert_eq!(blocks.len(), count, "{arch}");
        let (plain, share, _) = whole_pass(&model, &mut |_, value| value);
        assert_near(arch, logit.into(), plain, 1e-4);
        assert_near(arch, probability.into(), share, 1e-4);
        for block in blocks {
            let add = model.network.graph().find(&block.add).unwrap();
            let (shortcut, branch) = paths(&model, add);
            for (kept, ablation) in [
                (shortcut, &block.without_branch),
                (branch, &block.without_shortcut),
            ] {
                let mut values = BTreeMap::new();
                let (logit, probability, first) = whole_pass(&model, &mut |id, value| {
                    values.insert(id, value.shallow_clone());
                    if id == add {
                        values[&kept].shallow_clone()
                    } else {
                        value
                    }
                });
                let name = format!("{arch} {} keeping {kept}", block.add);
                assert_near(&name, ablation.value.into(), logit, 2e-4);
                assert_near(
                    &name,
                    ablation.probability.unwrap().into(),
                    probability,
                    2e-4,
                );
                assert_eq!(ablation.top_class.as_ref().unwrap().index, first, "{name}");
                assert!((logit - plain).abs() > 1e-5, "{name} changes the logit");
            }
        }
    }
}

#[test]
fn norms_cosines_and_maps_are_those_of_the_two_paths() {
    for arch in ["resnet18", "efficientnet_b0"] {
        let model = model(arch);
        let out = run_method(&model, "skip_connections");
        let (.., blocks) = residual_blocks(&out);
        for block in blocks {
            let graph = model.network.graph();
            let (shortcut, branch) = paths(&model, graph.find(&block.add).unwrap());
            let kept = model
                .network
                .forward(&input(), &[shortcut, branch])
                .unwrap();
            let values = |id| Vec::<f32>::try_from(kept[&id].flatten(0, -1)).unwrap();
            let (x, f) = (values(shortcut), values(branch));
            let dot = |a: &[f32], b: &[f32]| -> f64 {
                a.iter()
                    .zip(b)
                    .map(|(a, b)| f64::from(*a) * f64::from(*b))
                    .sum()
            };
            let (x2, f2) = (dot(&x, &x).sqrt(), dot(&f, &f).sqrt());
            assert_near(&block.add, block.norm_ratio.unwrap().into(), f2 / x2, 1e-4);
            assert_near(
                &block.add,
                block.cosine.unwrap().into(),
                dot(&x, &f) / (x2 * f2),
                1e-4,
            );
            let [channels, height, width] = block.shape.map(|side| side as usize);
            assert_eq!(channels * height * width, x.len());
            let maps = block.maps.as_ref().unwrap();
            let key = format!("net/cat/skip_connections/{CLASS}/{}", block.add);
            for (map, side, values) in [
                (&maps.shortcut, "shortcut", &x),
                (&maps.branch, "branch", &f),
            ] {
                assert_eq!(*map, format!("{key}/{side}"));
                assert_eq!(out.tensors[map].shape, [height, width]);
                let map = out.tensors[map].floats().unwrap();
                for (place, energy) in map.iter().enumerate() {
                    let squares = values.iter().skip(place).step_by(height * width);
                    let by_hand = squares.map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
                    assert_near(&block.add, (*energy).into(), by_hand, 1e-4);
                }
            }
        }
    }
}

/// A share is what is left of the gradient when the other side is detached: its values stay, and no
/// gradient flows through it.
#[test]
fn the_shares_are_those_of_the_gradient_with_one_path_detached() {
    for arch in ["resnet18", "efficientnet_b0"] {
        let model = model(arch);
        let graph = model.network.graph();
        let out = run_method(&model, "skip_connections");
        let (.., blocks) = residual_blocks(&out);
        for block in blocks {
            let add = graph.find(&block.add).unwrap();
            let (shortcut, branch) = paths(&model, add);
            // A projection is a convolution and a batch norm.
            let start = if block.projection {
                graph.node(graph.node(shortcut).inputs[0]).inputs[0]
            } else {
                shortcut
            };
            let gradient = |detached: Option<NodeId>| {
                let input = input();
                let block_input = RefCell::new(None);
                let given = NodeValues::from([(graph.input(), input.shallow_clone())]);
                let kept = model
                    .network
                    .forward_with(
                        &given,
                        &[graph.output()],
                        &all_nodes(graph),
                        &mut |id, value| {
                            if id == start {
                                *block_input.borrow_mut() = Some(value.shallow_clone());
                            }
                            // An identity shortcut is detached at the sum, because its start is the input of the branch, too.
                            if id == add && detached == Some(shortcut) && !block.projection {
                                let x = block_input.borrow().as_ref().unwrap().shallow_clone();
                                return Ok(&value - &x + x.detach());
                            }
                            if detached == Some(id) && id != start {
                                Ok(value.detach())
                            } else {
                                Ok(value)
                            }
                        },
                    )
                    .unwrap();
                let logit = kept[&graph.output()].select(1, CLASS).sum(Kind::Float);
                let block_input = block_input.into_inner().unwrap();
                let found = Tensor::run_backward(&[logit], &[block_input, input], false, false);
                [0, 1].map(|at| Vec::<f32>::try_from(found[at].flatten(0, -1)).unwrap())
            };
            let (whole, shortcut_only, branch_only) = (
                gradient(None),
                gradient(Some(branch)),
                gradient(Some(shortcut)),
            );
            let found: [&Option<GradientShares>; 2] = [&block.gradient, &block.input_gradient];
            for at in 0..2 {
                let dot = |part: &[f32]| -> f64 {
                    let pairs = part.iter().zip(&whole[at]);
                    pairs.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
                };
                let squared_norm = dot(&whole[at]);
                let shares = found[at].expect("a gradient");
                let name = format!("{arch} {} {at}", block.add);
                assert_near(
                    &name,
                    shares.shortcut.into(),
                    dot(&shortcut_only[at]) / squared_norm,
                    1e-3,
                );
                assert_near(
                    &name,
                    shares.branch.into(),
                    dot(&branch_only[at]) / squared_norm,
                    1e-3,
                );
                assert_near(
                    &name,
                    f64::from(shares.shortcut) + f64::from(shares.branch),
                    1.0,
                    1e-5,
                );
            }
        }
    }
}

#[test]
fn projections_differ_from_identities() {
    let projections = |arch: &str| -> Vec<String> {
        let model = model(arch);
        let out = run_method(&model, "skip_connections: {maps: false}");
        assert!(out.tensors.is_empty(), "no map was asked for");
        let (.., blocks) = residual_blocks(&out);
        assert!(blocks.iter().all(|block| block.maps.is_none()));
        assert!(blocks.is_sorted_by(|a, b| a.depth < b.depth));
        let projected = blocks.iter().filter(|block| block.projection);
        projected.map(|block| block.add.clone()).collect()
    };
    assert_eq!(
        projections("resnet18"),
        ["layer2.0.add", "layer3.0.add", "layer4.0.add"]
    );
    assert_eq!(
        projections("resnet50"),
        [
            "layer1.0.add",
            "layer2.0.add",
            "layer3.0.add",
            "layer4.0.add"
        ]
    );
    assert!(projections("efficientnet_b0").is_empty());
}

#[test]
fn a_network_without_residual_blocks_has_a_note() {
    let out = run_method(&model("vgg11_bn"), "skip_connections");
    assert!(out.tensors.is_empty());
    assert!(matches!(&out.figures[0].content,
        Content::Absent { reason } if reason.key == "note.no_residual_blocks"));
}
