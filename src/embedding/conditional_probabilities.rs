//! The Gaussian about a point whose width gives the perplexity.

/// The largest deviation of a row's entropy from the logarithm of the perplexity, as in scikit-learn.
const TOLERANCE: f64 = 1e-5;
/// Most steps of the bisection: after fewer, the interval is at the limit of double precision.
const MAX_BISECTIONS: usize = 100;

/// exp(−β d²) normalised to sum 1, with the precision β for which the entropy is `entropy` (in nats), by bisection.
pub(super) fn conditional_probabilities(squared_distances: &[f64], entropy: f64) -> Vec<f64> {
    // Subtracted against underflow; the factor cancels in the normalisation.
    let nearest = squared_distances.iter().copied().fold(f64::MAX, f64::min);
    let mean = squared_distances.iter().sum::<f64>() / squared_distances.len().max(1) as f64;
    let with_precision = |beta: f64| -> (Vec<f64>, f64) {
        let weights = squared_distances
            .iter()
            .map(|d| (-beta * (d - nearest)).exp());
        let mut weights: Vec<f64> = weights.collect();
        let sum: f64 = weights.iter().sum();
        weights.iter_mut().for_each(|weight| *weight /= sum);
        let mean_distance: f64 = weights
            .iter()
            .zip(squared_distances)
            .map(|(weight, d)| weight * (d - nearest))
            .sum();
        (weights, beta * mean_distance + sum.ln())
    };
    let (mut low, mut high) = (0.0, f64::INFINITY);
    let mut beta = if mean > nearest {
        1.0 / (mean - nearest)
    } else {
        1.0
    };
    let (mut weights, mut found) = with_precision(beta);
    for _ in 0..MAX_BISECTIONS {
        if (found - entropy).abs() < TOLERANCE {
            break;
        }
        // The entropy falls with the precision.
        if found > entropy {
            low = beta;
        } else {
            high = beta;
        }
        beta = if high.is_finite() {
            (low + high) / 2.0
        } else {
            2.0 * beta
        };
        if !beta.is_finite() {
            // All neighbours have the same distance: the entropy does not depend on β.
            break;
        }
        (weights, found) = with_precision(beta);
    }
    weights
}
