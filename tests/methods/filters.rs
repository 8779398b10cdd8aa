//! Kernels, their slices and their norms, against plain Rust.

use super::*;

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
    let subject = LoadedModel {
        network: Network::new(graph, weights).unwrap(),
        info: {
            let graph = zoo::find("vgg11").unwrap().graph(zoo::Options::default());
            node_info::from_graph(&graph, 64, 64).unwrap()
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
    use convscope::network::LayerSelector;
    let method: MethodSpec = serde_yaml::from_str("filters").unwrap();
    let resolve = |arch: &str, word: &str| {
        let graph = zoo::find(arch).unwrap().graph(zoo::Options::default());
        let info = node_info::from_graph(&graph, 224, 224).unwrap();
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
