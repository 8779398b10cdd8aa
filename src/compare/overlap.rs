//! The overlap of two maps: the intersection over union of their largest values' positions.

/// The intersection over union of the positions of the largest values of `a` and `b`, a `part` (0 to 1) of all positions:
/// 0 to 1, and on average about `part / (2 − part)` for independent maps. Of equal values, those with the lower index
/// count as larger. `None` if the lengths differ or the part holds no position.
pub fn overlap(a: &[f32], b: &[f32], part: f64) -> Option<f64> {
    let count = (a.len() as f64 * part).round() as usize;
    if a.len() != b.len() || count == 0 {
        return None;
    }
    let (in_a, in_b) = (largest(a, count), largest(b, count));
    let both = in_a.iter().zip(&in_b).filter(|(a, b)| **a && **b).count();
    Some(both as f64 / (2 * count - both) as f64)
}

/// Whether each position holds one of the `count` largest values.
fn largest(values: &[f32], count: usize) -> Vec<bool> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[b].total_cmp(&values[a]).then(a.cmp(&b)));
    let mut is_largest = vec![false; values.len()];
    order
        .iter()
        .take(count)
        .for_each(|&at| is_largest[at] = true);
    is_largest
}

#[cfg(test)]
mod tests {
    use super::overlap;

    #[test]
    fn overlap_of_half_the_largest_is_a_third() {
        let (a, b) = ([9.0, 8.0, 1.0, 0.0], [9.0, 0.0, 8.0, 1.0]);
        assert_eq!(overlap(&a, &b, 0.5), Some(1.0 / 3.0));
        assert_eq!(overlap(&a, &a, 0.5), Some(1.0));
        assert_eq!(overlap(&a, &b, 0.0), None);
    }
}
