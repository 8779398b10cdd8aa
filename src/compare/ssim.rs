//! Structural similarity of two maps (Wang et al. 2004, <https://doi.org/10.1109/TIP.2003.819861>).

/// Side of a window.
const WINDOW: usize = 7;

/// The mean structural similarity of two maps of `width` columns over all 7 × 7 windows, with the sample variance and the
/// paper's constants (0.01 and 0.03 of the range), −1 to 1. Each map is scaled to 0…1 by its own range first, because
/// the scales of maps are not comparable. `None` if the sizes differ, one is smaller than the window, or one is constant.
pub fn ssim(a: &[f32], b: &[f32], width: usize) -> Option<f64> {
    if a.len() != b.len() || width < WINDOW || a.len() / width < WINDOW {
        return None;
    }
    let (a, b) = (scaled(a)?, scaled(b)?);
    let height = a.len() / width;
    let product = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).collect::<Vec<_>>();
    let means = |values: &[f64]| window_means(values, width, height);
    let (means_a, means_b) = (means(&a), means(&b));
    let (aa, bb, ab) = (
        means(&product(&a, &a)),
        means(&product(&b, &b)),
        means(&product(&a, &b)),
    );
    let count = (WINDOW * WINDOW) as f64;
    let sample = count / (count - 1.0);
    let (c1, c2) = (0.01f64.powi(2), 0.03f64.powi(2));
    let total: f64 = (0..means_a.len())
        .map(|at| {
            let (x, y) = (means_a[at], means_b[at]);
            let variance = |square: f64, mean: f64| sample * (square - mean * mean);
            let covariance = sample * (ab[at] - x * y);
            ((2.0 * x * y + c1) * (2.0 * covariance + c2))
                / ((x * x + y * y + c1) * (variance(aa[at], x) + variance(bb[at], y) + c2))
        })
        .sum();
    Some(total / means_a.len() as f64)
}

/// The values scaled to 0…1; `None` if they are constant.
fn scaled(values: &[f32]) -> Option<Vec<f64>> {
    let low = values.iter().copied().fold(f32::INFINITY, f32::min);
    let high = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let (low, range) = (f64::from(low), f64::from(high) - f64::from(low));
    (range > 0.0).then(|| {
        let values = values.iter();
        values.map(|v| (f64::from(*v) - low) / range).collect()
    })
}

/// The mean of every window, from a summed-area table.
fn window_means(values: &[f64], width: usize, height: usize) -> Vec<f64> {
    let row = width + 1;
    let mut sums = vec![0.0; row * (height + 1)];
    for y in 0..height {
        for x in 0..width {
            sums[(y + 1) * row + x + 1] =
                values[y * width + x] + sums[y * row + x + 1] + sums[(y + 1) * row + x]
                    - sums[y * row + x];
        }
    }
    let mut means = Vec::with_capacity((width - WINDOW + 1) * (height - WINDOW + 1));
    for y in 0..=height - WINDOW {
        for x in 0..=width - WINDOW {
            let (bottom, right) = (y + WINDOW, x + WINDOW);
            let sum = sums[bottom * row + right] - sums[y * row + right] - sums[bottom * row + x]
                + sums[y * row + x];
            means.push(sum / (WINDOW * WINDOW) as f64);
        }
    }
    means
}

#[cfg(test)]
mod tests {
    use super::ssim;

    #[test]
    fn ssim_matches_scikit_image() {
        let wave = |step: usize| -> Vec<f32> { (0..90).map(|i| (i * step % 17) as f32).collect() };
        let found = ssim(&wave(5), &wave(3), 10).unwrap();
        // a, b = [np.arange(90) * k % 17 / 16 for k in (5, 3)], each reshaped to (9, 10);
        // skimage.metrics.structural_similarity(a, b, data_range=1, win_size=7)
        assert!((found - EXPECTED).abs() < 1e-9, "{found}");
        assert!((ssim(&wave(5), &wave(5), 10).unwrap() - 1.0).abs() < 1e-12);
        assert_eq!(ssim(&[1.0; 90], &wave(5), 10), None);
    }

    const EXPECTED: f64 = 0.16992914013729332;
}
