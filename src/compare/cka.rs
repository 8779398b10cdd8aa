//! Linear CKA of two layers (Kornblith et al. 2019, <https://arxiv.org/abs/1905.00414>) from minibatches (Nguyen et
//! al. 2020, <https://arxiv.org/abs/2010.15327>): how similar their representations of the same images are.

/// A Gram matrix: the inner products of `side` images' centred activations at a layer.
#[derive(Debug, Clone, Copy)]
pub struct Gram<'a> {
    /// `[side, side]`, row by row.
    pub values: &'a [f32],
    /// The number of images.
    pub side: usize,
}

/// The smallest minibatch: the unbiased estimate of HSIC divides by n (n − 3).
pub const MIN_BATCH: usize = 4;

/// CKA of two layers from the Gram matrices of the same minibatches: the mean over the minibatches of the unbiased
/// estimate of HSIC, divided by the square roots of those of each layer with itself. 1 for representations that differ
/// by a rotation and a factor, about 0 for independent ones; the estimate from few images may be slightly outside 0…1.
/// `None` if no minibatch has [`MIN_BATCH`] images, or a layer has the same activations for all images.
pub fn cka(a: &[Gram], b: &[Gram]) -> Option<f64> {
    let (mut hsic_ab, mut hsic_aa, mut hsic_bb, mut count) = (0.0, 0.0, 0.0, 0);
    for (a, b) in a.iter().zip(b) {
        if a.side != b.side || a.side < MIN_BATCH {
            continue;
        }
        hsic_ab += hsic(a, b);
        hsic_aa += hsic(a, a);
        hsic_bb += hsic(b, b);
        count += 1;
    }
    (count > 0 && hsic_aa > 0.0 && hsic_bb > 0.0)
        .then(|| hsic_ab / (hsic_aa.sqrt() * hsic_bb.sqrt()))
}

/// The unbiased estimate of HSIC (Song et al. 2012, equation 5) of two Gram matrices with their diagonals set to 0.
fn hsic(a: &Gram, b: &Gram) -> f64 {
    let n = a.side;
    let value = |gram: &Gram, i: usize, j: usize| {
        if i == j {
            0.0
        } else {
            f64::from(gram.values[i * n + j])
        }
    };
    let row_sums = |gram: &Gram| -> Vec<f64> {
        (0..n)
            .map(|i| (0..n).map(|j| value(gram, i, j)).sum())
            .collect()
    };
    let (rows_a, rows_b) = (row_sums(a), row_sums(b));
    let trace: f64 = (0..n)
        .flat_map(|i| (0..n).map(move |j| (i, j)))
        .map(|(i, j)| value(a, i, j) * value(b, i, j))
        .sum();
    let sums = rows_a.iter().sum::<f64>() * rows_b.iter().sum::<f64>();
    let row_products: f64 = rows_a.iter().zip(&rows_b).map(|(x, y)| x * y).sum();
    let n = n as f64;
    (trace + sums / ((n - 1.0) * (n - 2.0)) - 2.0 * row_products / (n - 2.0)) / (n * (n - 3.0))
}

#[cfg(test)]
mod tests {
    use super::{Gram, cka};
    use crate::rng::mix64;

    fn gram(points: &[Vec<f64>]) -> Vec<f32> {
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>() as f32;
        points
            .iter()
            .flat_map(|a| points.iter().map(|b| dot(a, b)).collect::<Vec<_>>())
            .collect()
    }

    /// `count` pseudo-random points of `dims` values in −0.5…0.5, by `seed`.
    fn points(seed: u64, count: usize, dims: usize) -> Vec<Vec<f64>> {
        let value = |i: usize| {
            let z = mix64(seed.wrapping_add(i as u64 * 0x9E37_79B9));
            (z >> 40) as f64 / f64::from(1u32 << 24) - 0.5
        };
        let row = |p: usize| (0..dims).map(|d| value(p * dims + d)).collect();
        (0..count).map(row).collect()
    }

    #[test]
    fn cka_is_invariant_to_rotation_and_scale() {
        let original = points(1, 8, 2);
        let rotated: Vec<Vec<f64>> = original
            .iter()
            .map(|p| vec![-3.0 * p[1], 3.0 * p[0]])
            .collect();
        let (a, b) = (gram(&original), gram(&rotated));
        let one = |values| [Gram { values, side: 8 }];
        assert!((cka(&one(&a), &one(&b)).unwrap() - 1.0).abs() < 1e-5);
    }

    #[test]
    fn cka_of_independent_layers_is_near_0() {
        let (a, b): (Vec<_>, Vec<_>) = (0..200)
            .map(|batch| {
                (
                    gram(&points(3 * batch, 8, 6)),
                    gram(&points(7777 + 5 * batch, 8, 6)),
                )
            })
            .unzip();
        let grams = |all: &'static [Vec<f32>]| -> Vec<Gram<'static>> {
            all.iter().map(|values| Gram { values, side: 8 }).collect()
        };
        let (a, b) = (grams(a.leak()), grams(b.leak()));
        let found = cka(&a, &b).unwrap();
        assert!(found.abs() < 0.05, "{found}");
        assert!((cka(&a, &a).unwrap() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn cka_of_three_images_is_none() {
        let values = gram(&points(1, 3, 2));
        let grams = [Gram {
            values: &values,
            side: 3,
        }];
        assert_eq!(cka(&grams, &grams), None);
    }
}
