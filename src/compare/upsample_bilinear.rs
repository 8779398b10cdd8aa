//! Maps of different sizes brought to one size.

/// A map of size `from` (height, width) interpolated bilinearly to the size `to`, as
/// `torch.nn.functional.interpolate(…, mode="bilinear", align_corners=False)` does.
///
/// # Panics
/// If `values` are fewer than `from` says.
pub fn upsample_bilinear(values: &[f32], from: [usize; 2], to: [usize; 2]) -> Vec<f32> {
    if from == to {
        return values.to_vec();
    }
    let [rows, columns] = [0, 1].map(|side| samples(from[side], to[side]));
    let mut map = Vec::with_capacity(to[0] * to[1]);
    for &(top, bottom, down) in &rows {
        for &(left, right, across) in &columns {
            let at = |y: usize, x: usize| values[y * from[1] + x];
            let line = |y: usize| at(y, left) * (1.0 - across) + at(y, right) * across;
            map.push(line(top) * (1.0 - down) + line(bottom) * down);
        }
    }
    map
}

/// For each index along a side of length `to`: its two neighbours along the side of length `from`, and the weight of the
/// second, 0 to 1.
fn samples(from: usize, to: usize) -> Vec<(usize, usize, f32)> {
    (0..to)
        .map(|index| {
            let source = ((index as f32 + 0.5) * from as f32 / to as f32 - 0.5).max(0.0);
            let low = (source as usize).min(from.saturating_sub(1));
            let high = (low + 1).min(from.saturating_sub(1));
            (low, high, source - low as f32)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::upsample_bilinear;

    #[test]
    fn upsampling_matches_pytorch() {
        // torch.nn.functional.interpolate(torch.tensor([[[[1., 2.], [3., 5.]]]]), (3, 4), mode="bilinear")
        let found = upsample_bilinear(&[1.0, 2.0, 3.0, 5.0], [2, 2], [3, 4]);
        let expected = [
            1.0, 1.25, 1.75, 2.0, 2.0, 2.375, 3.125, 3.5, 3.0, 3.5, 4.5, 5.0,
        ];
        assert!(
            found
                .iter()
                .zip(expected)
                .all(|(a, b)| (a - b).abs() < 1e-6),
            "{found:?}"
        );
    }
}
