//! Methods that look at many changed pictures do so in batches; here each picture goes alone, and the numbers must be the
//! same. Where chance is used, the same is drawn, in the same order.

use convscope::methods::batched;
use convscope::rng::Rng;

use super::deviations::held;
use super::*;

/// In double precision, where adding in another order opens no other ReLU: one that does moves a gradient by 10⁻³.
fn subject_in_double(arch: &str) -> LoadedModel {
    let mut subject = subject(arch);
    let graph = subject.network.graph().clone();
    let weights = random_weights::weights(&graph).into_iter();
    let weights = weights.map(|(name, tensor)| (name, tensor.to_kind(tch::Kind::Double)));
    subject.network = Network::new(graph, weights.collect()).unwrap();
    subject
}

/// The picture, and the class that `look` asks about.
fn asked(subject: &LoadedModel) -> (Tensor, usize) {
    let input = input_of(subject).detach();
    let output = subject.network.graph().output();
    let values = tch::no_grad(|| subject.network.forward(&input, &[output])).unwrap();
    let class = values[&output].argmax(1, false).int64_value(&[0]) as usize;
    (input, class)
}

fn floats(tensor: &Tensor) -> Vec<f32> {
    Vec::try_from(tensor.flatten(0, -1).to_kind(tch::Kind::Float)).unwrap()
}

#[test]
fn smoothgrad_and_vargrad_are_the_moments_of_single_gradients() {
    let samples = 70;
    for arch in ["resnet18", "efficientnet_b0"] {
        let subject = subject_in_double(arch);
        let (input, class) = asked(&subject);
        assert!(batched::batch(&input) < samples);
        let mut chance = Rng::new(subject.seed, "noise for cat");
        let range = input.max().double_value(&[]) - input.min().double_value(&[]);
        let slopes: Vec<Tensor> = (0..samples)
            .map(|_| {
                let noise = chance.normal(input.numel(), 0.15 * range);
                let noisy = &input + Tensor::from_slice(&noise).view([1, 3, 64, 64]);
                let slope = batched::slopes(&subject, &noisy, class).unwrap();
                slope.to_kind(tch::Kind::Double)
            })
            .collect();
        let slopes = Tensor::cat(&slopes, 0);
        let mean = floats(&slopes.mean_dim(0, false, None));
        let out = look(
            &subject,
            &format!("smoothgrad: {{samples: {samples}}}"),
            "input",
        );
        held("smoothgrad", arch, array(&out, "/raw"), &mean, 1e-3);
        let variance = floats(&slopes.var_dim(0, true, false));
        let out = look(
            &subject,
            &format!("vargrad: {{samples: {samples}}}"),
            "input",
        );
        held("vargrad", arch, array(&out, "/raw"), &variance, 1e-3);
    }
}

/// Bilinear between the centres of cells, the outermost reaching to the edge.
fn enlarged(grid: &[f32], cells: usize, cell: f64, at: [f64; 2]) -> f64 {
    let along = |at: f64| {
        let place = ((at + 0.5) / cell - 0.5).max(0.0);
        let low = (place.floor() as usize).min(cells - 1);
        (low, (low + 1).min(cells - 1), place - low as f64)
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
        let subject = subject(arch);
        let (input, class) = asked(&subject);
        let mut chance = Rng::new(subject.seed, "masks for cat");
        let mut sum = vec![0f64; 64 * 64];
        // A cell of 10 pixels, and a grid of 7 of them that is stretched to 8.
        let cell = 80.0 / 7.0;
        for _ in 0..masks {
            let grid: Vec<f32> = (0..cells * cells)
                .map(|_| if chance.uniform() < 0.5 { 1.0 } else { 0.0 })
                .collect();
            let [top, left] = [(); 2].map(|()| (chance.uniform() * 10.0).floor());
            let mask: Vec<f32> = (0..64 * 64)
                .map(|at| {
                    let at = [(at / 64) as f64 + top, (at % 64) as f64 + left];
                    enlarged(&grid, cells, cell, at) as f32
                })
                .collect();
            let seen = &input * Tensor::from_slice(&mask).view([1, 1, 64, 64]);
            let probability = batched::probabilities(&subject, &seen, class).unwrap();
            let probability = probability.double_value(&[0]);
            for (sum, mask) in sum.iter_mut().zip(&mask) {
                *sum += f64::from(*mask) * probability / (f64::from(masks) * 0.5);
            }
        }
        let expected: Vec<f32> = sum.iter().map(|&value| value as f32).collect();
        let out = look(&subject, &format!("rise: {{masks: {masks}}}"), "input");
        held(
            "rise",
            arch,
            array(&out, &format!("rise/{class}")),
            &expected,
            1e-4,
        );
    }
}

/// 169 squares, in batches of 64, beside each alone.
#[test]
fn occlusion_in_batches_is_occlusion_one_by_one() {
    let subject = subject("resnet18");
    let (input, class) = asked(&subject);
    let logit = |picture: &Tensor| {
        batched::logits(&subject, picture, class)
            .unwrap()
            .double_value(&[0])
    };
    let whole = logit(&input);
    let lost = Tensor::zeros([64, 64], (tch::Kind::Double, Device::Cpu));
    let covers = lost.zeros_like();
    for place in 0..169i64 {
        let square = |map: &Tensor| {
            map.narrow(-2, place / 13 * 4, 16)
                .narrow(-1, place % 13 * 4, 16)
        };
        let covered = input.copy();
        let _ = square(&covered).fill_(0.0);
        let _ = square(&lost)
            .f_add_scalar_(whole - logit(&covered))
            .unwrap();
        let _ = square(&covers).f_add_scalar_(1.0).unwrap();
    }
    let out = look(&subject, "occlusion: {stride: 4}", "input");
    close("occlusion", parts(&out), &floats(&(lost / covers)), 1e-4);
}
