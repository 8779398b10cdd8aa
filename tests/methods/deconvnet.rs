//! Projections of units to the pixels, and guided Grad-CAM, against PyTorch and Captum.

use super::*;

#[test]
fn guided_grad_cam_matches_captum() {
    for (arch, layer) in [("resnet18", "layer3.1.conv2"), ("vgg11_bn", "features.25")] {
        let out = run_method(&model(arch), "guided_grad_cam", layer);
        let raw = array(&out, "/raw");
        let sum = |at: usize| raw[at] + raw[4096 + at] + raw[8192 + at];
        let sum: Vec<f32> = (0..4096).map(sum).collect();
        deviations::assert_recorded(
            "guided_grad_cam",
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
fn projections_match_pytorch() {
    let layers = [
        ("resnet18", "layer2.1.relu_1", "layer2.1", [123, 2, 4]),
        ("vgg11_bn", "features.13", "features.13", [203, 14, 9]),
    ];
    for (arch, layer, module, [unit, row, column]) in layers {
        let model = model(arch);
        let out = run_method(&model, "deconvnet: {units: 3}", layer);
        let Content::Projections { units, total } = &out.figures[0].content else {
            panic!("{:?}", out.figures[0]);
        };
        let id = model.network.graph().find(layer).unwrap();
        assert_eq!((units.len(), *total as i64), (3, model.info[id].shape[0]));
        assert!(units.is_sorted_by(|a, b| a.value >= b.value));
        let values = &model.network.forward(&input(), &[id]).unwrap()[&id];
        for found in units {
            let peak = largest(&values.get(0).get(found.unit as i64));
            assert_eq!((found.position, found.value), peak, "{arch}");
        }
        let first = &units[0];
        assert_eq!(
            (first.unit, first.position),
            (unit, [row, column]),
            "{arch}"
        );
        // Outside the window the whole projection is 0.
        let (window, pixels) = (first.window, &out.tensors[&first.tensor]);
        assert_eq!(pixels.shape, [3, window.height, window.width]);
        let mut whole = vec![0f32; 4096];
        for (at, value) in pixels.floats().unwrap().iter().enumerate() {
            let (x, y) = (at % window.width, at / window.width % window.height);
            whole[(window.top + y) * 64 + window.left + x] += value;
        }
        deviations::assert_recorded(
            "deconvnet",
            arch,
            &whole,
            &golden(&format!("{arch}/deconvnet/{module}")),
            1e-4,
        );
        // From a list of units, and by itself.
        let listed = run_method(&model, &format!("deconvnet: {{units: [5, {unit}]}}"), layer);
        assert_eq!(listed.tensors[&first.tensor], *pixels, "{arch}");
        let single = convscope::methods::deconvnet::project(&model, &input(), id, unit).unwrap();
        assert_eq!((single.position, single.window), (first.position, window));
        let single = Vec::<f32>::try_from(single.pixels.flatten(0, -1)).unwrap();
        assert_eq!(single, pixels.floats().unwrap());
    }
}

/// A receptive field, from the gradient at one spatial position: nonzero at the window's edges, zero outside.
#[test]
fn receptive_fields_match_the_gradient() {
    use convscope::network::receptive_field::ReceptiveFields;
    let model = model("efficientnet_lite0");
    let graph = model.network.graph();
    let layer = graph.find("features.2.0.block.1.0").unwrap();
    // `SAME` pads odd and even sides differently.
    let (height, width) = (65, 80);
    let (kind, device) = (tch::Kind::Float, Device::Cpu);
    let ramp = Tensor::arange(3 * height * width, (kind, device)) * 0.37;
    let input = ramp
        .sin()
        .view([1, 3, height, width])
        .set_requires_grad(true);
    let fields = ReceptiveFields::new(graph, layer, height, width).unwrap();
    let values = model.network.forward(&input, &[0, layer]).unwrap();
    for [row, column] in [[0, 0], [8, 9], [16, 19]] {
        let activation = values[&layer].select(2, row).select(2, column);
        let found = convscope::network::gradients(&activation.sum(kind), &values, &[0]).unwrap();
        let magnitude = found[&0]
            .abs()
            .sum_dim_intlist([0i64, 1].as_slice(), false, kind);
        let rows = Vec::<f32>::try_from(magnitude.sum_dim_intlist([1i64].as_slice(), false, kind));
        let columns =
            Vec::<f32>::try_from(magnitude.sum_dim_intlist([0i64].as_slice(), false, kind));
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
fn an_inactive_unit_has_an_empty_projection() {
    let model = model("vgg11_bn");
    let graph = model.network.graph();
    let layer = graph.find("features.14").unwrap();
    let input = Tensor::zeros([1, 3, 64, 64], (tch::Kind::Float, Device::Cpu));
    let projector =
        convscope::methods::deconvnet::Projector::new(&model, &input, &[layer]).unwrap();
    let peaks = projector.peaks(layer).unwrap();
    let silent = peaks.iter().position(|peak| peak.value <= 0.0).unwrap();
    let found = projector
        .project(layer, silent, peaks[silent].position)
        .unwrap();
    assert_eq!(found.pixels.abs().max().double_value(&[]), 0.0);
    assert!(projector.project(layer, 0, [99, 0]).is_err());
    assert!(projector.project(0, 0, [0, 0]).is_err());
}

#[test]
fn methods_that_need_a_relu_say_so_without_one() {
    let silu = model("efficientnet_b0");
    let relu6 = model("efficientnet_lite0");
    for method in ["guided_backprop", "guided_grad_cam", "deconvnet"] {
        let out = run_method(&silu, method, "features.3.0.block.0.0");
        assert!(
            matches!(&out.figures[0].content, Content::Absent { reason } if reason.key == "note.no_relu")
        );
        // ReLU6 counts as one, with a note.
        let out = run_method(&relu6, method, "features.3.0.block.0.2");
        let figure = &out.figures[0];
        assert!(!matches!(figure.content, Content::Absent { .. }));
        assert!(figure.notes[0].key.starts_with("note.relu6"));
    }
}
