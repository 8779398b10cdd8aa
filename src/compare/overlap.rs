//! How far the brightest parts of two maps are the same places.

/// The places that are among the brightest `part` (0 to 1) of both `a` and `b`, over those among either's: 0 to 1;
/// two maps that have nothing to do with each other reach `part / (2 − part)`. Of equal values at the edge
/// those that come first count. `None` where the two differ in length or no place is left.
pub fn overlap(a: &[f32], b: &[f32], part: f64) -> Option<f64> {
    let count = (a.len() as f64 * part).round() as usize;
    if a.len() != b.len() || count == 0 {
        return None;
    }
    let (in_a, in_b) = (brightest(a, count), brightest(b, count));
    let both = in_a.iter().zip(&in_b).filter(|(a, b)| **a && **b).count();
    Some(both as f64 / (2 * count - both) as f64)
}

fn brightest(values: &[f32], count: usize) -> Vec<bool> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[b].total_cmp(&values[a]).then(a.cmp(&b)));
    let mut among = vec![false; values.len()];
    order.iter().take(count).for_each(|&at| among[at] = true);
    among
}

#[cfg(test)]
mod tests {
    use super::overlap;

    #[test]
    fn half_of_the_brightest_shared_is_a_third() {
        let (a, b) = ([9.0, 8.0, 1.0, 0.0], [9.0, 0.0, 8.0, 1.0]);
        assert_eq!(overlap(&a, &b, 0.5), Some(1.0 / 3.0));
        assert_eq!(overlap(&a, &a, 0.5), Some(1.0));
        assert_eq!(overlap(&a, &b, 0.0), None);
    }
}
