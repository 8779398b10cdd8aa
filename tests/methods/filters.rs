//! Kernels, their slices and their norms, against loops over plain arrays.

use super::*;

#[test]
fn first_kernels_are_sorted_by_norm() {
    let model = model("vgg11_bn");
    let out = run_method(&model, "filters: {count: 5}", "features.0");
    let Content::ColourKernels {
        units,
        total,
        magnitude,
        dead,
        ..
    } = &out.figures[0].content
    else {
        panic!("{:?}", out.figures[0]);
    };
    assert_eq!((units.len(), *total, dead.len()), (5, 64, 0));
    let weights = model.network.parameter("features.0.weight").unwrap();
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

/// The slices of each kernel, sorted by norm in plain Rust.
#[test]
fn deeper_kernels_are_shown_by_their_largest_slices() {
    let norm = |kernel: &[f32]| kernel.iter().map(|w| w * w).sum::<f32>().sqrt();
    let cases = [
        ("vgg11_bn", "features.11", 256, 9),
        ("efficientnet_lite0", "features.4.0.block.1.0", 1, 9),
    ];
    for (arch, layer, inputs, area) in cases {
        let model = model(arch);
        let out = run_method(&model, "filters: {count: 7}", layer);
        let Content::Kernels {
            units,
            inputs: read,
            total,
            total_inputs,
            magnitude,
            ..
        } = &out.figures[0].content
        else {
            panic!("{:?}", out.figures[0]);
        };
        let weights = model.network.parameter(&format!("{layer}.weight"));
        let weights = Vec::<f32>::try_from(weights.unwrap().flatten(0, -1)).unwrap();
        let kernels: Vec<&[f32]> = weights.chunks(inputs * area).collect();
        assert_eq!((*total, *total_inputs), (kernels.len(), inputs));
        let mut order: Vec<usize> = (0..*total).collect();
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
        assert_close(arch, norms, &own, 1e-5);
    }
}

#[test]
fn kernels_of_1x1_are_a_matrix_of_the_largest_rows_and_columns() {
    let model = model("resnet50");
    let out = run_method(&model, "filters: {count: 3}", "layer2.0.conv3");
    let Content::Kernels { units, inputs, .. } = &out.figures[0].content else {
        panic!("{:?}", out.figures[0]);
    };
    let weights = model.network.parameter("layer2.0.conv3.weight").unwrap();
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

/// A kernel scaled by 1e-5 is dead; one scaled by 1e-2 is not.
#[test]
fn dead_kernels_are_found_and_norms_have_their_quantiles() {
    let graph = zoo::find("vgg11")
        .unwrap()
        .graph(zoo::ArchOptions::default());
    let mut weights = random_weights::weights(&graph);
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
    let model = LoadedModel {
        network: Network::new(graph, weights).unwrap(),
        info: {
            let graph = zoo::find("vgg11")
                .unwrap()
                .graph(zoo::ArchOptions::default());
            node_info::from_graph(&graph, 64, 64).unwrap()
        },
        ..model("vgg11")
    };
    let out = run_method(&model, "filters: {count: 128}", "features.3");
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
    // The median is between the 63rd and the 64th of 128.
    let quantile = |index: f32| {
        let below = index.floor() as usize;
        expected[below] + (expected[below + 1] - expected[below]) * index.fract()
    };
    let found = [second.low, second.median, second.high];
    assert_close(
        "quantiles",
        &found,
        &[quantile(6.35), quantile(63.5), quantile(120.65)],
        1e-5,
    );
}

#[test]
fn a_selector_resolves_to_the_nearest_convolution_larger_than_1x1() {
    use convscope::network::LayerSelector;
    let method: MethodSpec = serde_yaml::from_str("filters").unwrap();
    let resolve = |arch: &str, selector: &str| {
        let graph = zoo::find(arch).unwrap().graph(zoo::ArchOptions::default());
        let info = node_info::from_graph(&graph, 224, 224).unwrap();
        let found = method
            .method()
            .resolve(&LayerSelector(selector.into()), &graph, &info);
        found.map(|ids| {
            ids.iter()
                .map(|&id| graph.node(id).name.clone())
                .collect::<Vec<_>>()
        })
    };
    for (arch, selector, layer) in [
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
        assert_eq!(
            resolve(arch, selector).unwrap(),
            [layer],
            "{arch} {selector}"
        );
    }
    assert_eq!(resolve("resnet50", "layer4.*.conv*").unwrap().len(), 9);
    for (selector, message) in [
        ("layer1.0.relu", "`layer1.0.relu` is no convolution"),
        ("fc", "`fc` is no convolution"),
        ("*.bn1", "`*.bn1` matches no convolution"),
        ("layer9", "there is no layer `layer9`"),
    ] {
        let error = resolve("resnet50", selector).unwrap_err();
        assert!(error.message().contains(message), "{}", error.message());
        assert!(error.help_text().is_some());
    }
}
