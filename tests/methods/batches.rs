//! Methods that evaluate many changed images do so in batches; here each image is evaluated alone, and the values must be the
//! same. Random numbers are drawn from the same stream, in the same order.

use convscope::methods::batched;
use convscope::rng::Rng;

use super::deviations::assert_recorded;
use super::*;

/// In double precision: in single precision another order of summation may open another ReLU, which changes a gradient by
/// 10⁻³.
fn model_in_double(arch: &str) -> LoadedModel {
    let mut model = model(arch);
    let graph = model.network.graph().clone();
    let weights = random_weights::weights(&graph).into_iter();
    let weights = weights.map(|(name, tensor)| (name, tensor.to_kind(tch::Kind::Double)));
    model.network = Network::new(graph, weights.collect()).unwrap();
    model
}

/// The image, and the class of `run_method`.
fn input_and_class(model: &LoadedModel) -> (Tensor, usize) {
    let input = input_for(model);
    let forward = model.forward("cat", &input, &[]).unwrap();
    let class = forward.logits().unwrap().argmax(1, false);
    (input, class.int64_value(&[0]) as usize)
}

fn floats(tensor: &Tensor) -> Vec<f32> {
    Vec::try_from(tensor.flatten(0, -1).to_kind(tch::Kind::Float)).unwrap()
}

#[test]
fn smoothgrad_and_vargrad_are_the_moments_of_single_gradients() {
    let samples = 70;
    for arch in ["resnet18", "efficientnet_b0"] {
        let model = model_in_double(arch);
        let (input, class) = input_and_class(&model);
        assert!(batched::batch_size(&input) < samples);
        let mut rng = Rng::new(model.seed, "noise for cat");
        let range = input.max().double_value(&[]) - input.min().double_value(&[]);
        let gradients: Vec<Tensor> = (0..samples)
            .map(|_| {
                let noise = rng.normal(input.numel(), 0.15 * range);
                let noisy = &input + Tensor::from_slice(&noise).view([1, 3, 64, 64]);
                let gradient =
                    batched::input_gradients(&model, &noisy, &model.class_target(class)).unwrap();
                gradient.to_kind(tch::Kind::Double)
            })
            .collect();
        let gradients = Tensor::cat(&gradients, 0);
        let mean = floats(&gradients.mean_dim(0, false, None));
        let out = run_method(
            &model,
            &format!("smoothgrad: {{samples: {samples}}}"),
            "input",
        );
        assert_recorded("smoothgrad", arch, array(&out, "/raw"), &mean, 1e-3);
        let variance = floats(&gradients.var_dim(0, true, false));
        let out = run_method(&model, &format!("vargrad: {{samples: {samples}}}"), "input");
        assert_recorded("vargrad", arch, array(&out, "/raw"), &variance, 1e-3);
    }
}

/// The value of `grid`, enlarged bilinearly, at a pixel; `cell` is the side of a cell in pixels.
fn enlarged(grid: &[f32], cells: usize, cell: f64, at: [f64; 2]) -> f64 {
    let along = |at: f64| {
        let position = ((at + 0.5) / cell - 0.5).max(0.0);
        let low = (position.floor() as usize).min(cells - 1);
        (low, (low + 1).min(cells - 1), position - low as f64)
    };
    let ((top, bottom, down), (left, right, over)) = (along(at[0]), along(at[1]));
    let value = |row: usize, column: usize| f64::from(grid[row * cells + column]);
    let between = |row: usize| value(row, left) * (1.0 - over) + value(row, right) * over;
    between(top) * (1.0 - down) + between(bottom) * down
}

/// The masks by the paper's formula, pixel by pixel.
#[test]
fn rise_is_the_mean_of_single_masks() {
    let (masks, cells) = (130, 7);
    for arch in ["resnet18", "vgg11_bn", "efficientnet_b0"] {
        let model = model(arch);
        let (input, class) = input_and_class(&model);
        let mut rng = Rng::new(model.seed, "masks for cat");
        let mut sum = vec![0f64; 64 * 64];
        // 7 cells are enlarged to 8 times 10 pixels.
        let cell = 80.0 / 7.0;
        for _ in 0..masks {
            let grid: Vec<f32> = (0..cells * cells)
                .map(|_| if rng.uniform() < 0.5 { 1.0 } else { 0.0 })
                .collect();
            let [top, left] = [(); 2].map(|()| (rng.uniform() * 10.0).floor());
            let mask: Vec<f32> = (0..64 * 64)
                .map(|at| {
                    let at = [(at / 64) as f64 + top, (at % 64) as f64 + left];
                    enlarged(&grid, cells, cell, at) as f32
                })
                .collect();
            let masked = &input * Tensor::from_slice(&mask).view([1, 1, 64, 64]);
            let probability =
                batched::target_scores(&model, &masked, &model.class_target(class)).unwrap();
            let probability = probability.double_value(&[0]);
            for (sum, mask) in sum.iter_mut().zip(&mask) {
                *sum += f64::from(*mask) * probability / (f64::from(masks) * 0.5);
            }
        }
        let expected: Vec<f32> = sum.iter().map(|&value| value as f32).collect();
        let out = run_method(&model, &format!("rise: {{masks: {masks}}}"), "input");
        assert_recorded(
            "rise",
            arch,
            array(&out, &format!("rise/{class}")),
            &expected,
            1e-4,
        );
    }
}

/// 169 squares, in batches of 64 and each alone.
#[test]
fn occlusion_in_batches_is_occlusion_one_by_one() {
    let model = model("resnet18");
    let (input, class) = input_and_class(&model);
    let logit = |image: &Tensor| {
        batched::target_values(&model, image, &model.class_target(class))
            .unwrap()
            .double_value(&[0])
    };
    let whole = logit(&input);
    let sum = Tensor::zeros([64, 64], (tch::Kind::Double, Device::Cpu));
    let covers = sum.zeros_like();
    for index in 0..169i64 {
        let square = |map: &Tensor| {
            map.narrow(-2, index / 13 * 4, 16)
                .narrow(-1, index % 13 * 4, 16)
        };
        let covered = input.copy();
        let _ = square(&covered).fill_(0.0);
        let _ = square(&sum).f_add_scalar_(whole - logit(&covered)).unwrap();
        let _ = square(&covers).f_add_scalar_(1.0).unwrap();
    }
    let out = run_method(&model, "occlusion: {stride: 4}", "input");
    assert_close(
        "occlusion",
        attribution(&out),
        &floats(&(sum / covers)),
        1e-4,
    );
}
