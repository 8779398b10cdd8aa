//! A cloud: the diamond-square algorithm on a torus.

use crate::rng::Rng;

/// Heights from 0 to 1, `side` × `side`, which must be a power of 2. Each halving of the step divides the random part by `decay`.
pub(super) fn plasma(side: usize, decay: f64, rng: &mut Rng) -> Vec<f64> {
    let mut heights = vec![0.0; side * side];
    let mut step = side;
    let mut amount = 100.0;
    while step >= 2 {
        let half = step / 2;
        let mut set = |heights: &mut Vec<f64>, x: usize, y: usize, corners: [(usize, usize); 4]| {
            let sum: f64 = corners
                .iter()
                .map(|(x, y)| heights[(y % side) * side + x % side])
                .sum();
            heights[y * side + x] = sum / 4.0 + amount * rng.symmetric(amount);
        };
        for y in (0..side).step_by(step) {
            for x in (0..side).step_by(step) {
                let corners = [(x, y), (x + step, y), (x, y + step), (x + step, y + step)];
                set(&mut heights, x + half, y + half, corners);
            }
        }
        for y in (0..side).step_by(step) {
            for x in (0..side).step_by(step) {
                let above = (x + half, y + side - half);
                let left = (x + side - half, y + half);
                let centre = (x + half, y + half);
                set(
                    &mut heights,
                    x + half,
                    y,
                    [above, centre, (x, y), (x + step, y)],
                );
                set(
                    &mut heights,
                    x,
                    y + half,
                    [left, centre, (x, y), (x, y + step)],
                );
            }
        }
        step = half;
        amount /= decay;
    }
    let low = heights.iter().copied().fold(f64::INFINITY, f64::min);
    let high = heights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let range = (high - low).max(f64::MIN_POSITIVE);
    heights
        .iter()
        .map(|height| (height - low) / range)
        .collect()
}
