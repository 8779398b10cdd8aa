//! Linear CKA of two layers (Kornblith et al. 2019, <https://arxiv.org/abs/1905.00414>) from minibatches (Nguyen et
//! al. 2020, <https://arxiv.org/abs/2010.15327>): whether they find the same images alike, whatever their channels.

/// The inner products of some images' values at a layer with each other, `n × n`, row by row.
#[derive(Debug, Clone, Copy)]
pub struct Gram<'a> {
    pub values: &'a [f32],
    pub side: usize,
}

/// Fewest images of a minibatch that say anything.
pub const FEWEST: usize = 4;

/// CKA of two layers from the Gram matrices of the same minibatches: the mean of the unbiased estimates of HSIC
/// over the minibatches, divided by the roots of those of each layer with itself. 1 for layers whose values differ by a
/// rotation and a factor, about 0 for such as have nothing to do with each other; an estimate from few images may lie a little
/// outside. `None` where no minibatch has four images, or a layer tells no two images apart.
pub fn cka(a: &[Gram], b: &[Gram]) -> Option<f64> {
    let (mut both, mut of_a, mut of_b, mut count) = (0.0, 0.0, 0.0, 0);
    for (a, b) in a.iter().zip(b) {
        if a.side != b.side || a.side < FEWEST {
            continue;
        }
        both += hsic(a, b);
        of_a += hsic(a, a);
        of_b += hsic(b, b);
        count += 1;
    }
    (count > 0 && of_a > 0.0 && of_b > 0.0).then(|| both / (of_a.sqrt() * of_b.sqrt()))
}

/// The unbiased estimate of HSIC (Song et al. 2012, equation 5), of matrices without their diagonals.
fn hsic(a: &Gram, b: &Gram) -> f64 {
    let n = a.side;
    let at = |gram: &Gram, i: usize, j: usize| match i == j {
        true => 0.0,
        false => f64::from(gram.values[i * n + j]),
    };
    let sums = |gram: &Gram| -> Vec<f64> {
        (0..n)
            .map(|i| (0..n).map(|j| at(gram, i, j)).sum())
            .collect()
    };
    let (rows_a, rows_b) = (sums(a), sums(b));
    let trace: f64 = (0..n)
        .flat_map(|i| (0..n).map(move |j| (i, j)))
        .map(|(i, j)| at(a, i, j) * at(b, i, j))
        .sum();
    let all = rows_a.iter().sum::<f64>() * rows_b.iter().sum::<f64>();
    let between: f64 = rows_a.iter().zip(&rows_b).map(|(x, y)| x * y).sum();
    let n = n as f64;
    (trace + all / ((n - 1.0) * (n - 2.0)) - 2.0 * between / (n - 2.0)) / (n * (n - 3.0))
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

    /// `count` points of `dims` numbers that follow from `seed`.
    fn points(seed: u64, count: usize, dims: usize) -> Vec<Vec<f64>> {
        let number = |i: usize| {
            let z = mix64(seed.wrapping_add(i as u64 * 0x9E37_79B9));
            (z >> 40) as f64 / f64::from(1u32 << 24) - 0.5
        };
        let row = |p: usize| (0..dims).map(|d| number(p * dims + d)).collect();
        (0..count).map(row).collect()
    }

    #[test]
    fn a_rotation_and_a_factor_change_nothing() {
        let here = points(1, 8, 2);
        let turned: Vec<Vec<f64>> = here.iter().map(|p| vec![-3.0 * p[1], 3.0 * p[0]]).collect();
        let (a, b) = (gram(&here), gram(&turned));
        let of = |values| [Gram { values, side: 8 }];
        assert!((cka(&of(&a), &of(&b)).unwrap() - 1.0).abs() < 1e-5);
    }

    #[test]
    fn layers_that_have_nothing_in_common_are_near_zero_from_many_minibatches() {
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
    fn three_images_say_nothing() {
        let values = gram(&points(1, 3, 2));
        let of = [Gram {
            values: &values,
            side: 3,
        }];
        assert_eq!(cka(&of, &of), None);
    }
}
