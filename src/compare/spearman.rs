//! Spearman's rank correlation of two maps (Spearman 1904): whether they order the spatial positions alike.

use super::pearson;

/// The correlation of the ranks of `a` and `b`, −1 to 1; equal values share their mean rank. `None` if the lengths
/// differ, there are fewer than two values, or one map is constant.
pub fn spearman(a: &[f32], b: &[f32]) -> Option<f64> {
    if a.len() != b.len() || a.len() < 2 {
        return None;
    }
    pearson(&ranks(a), &ranks(b))
}

/// Each value's rank from 1; equal values share the mean of their ranks.
fn ranks(values: &[f32]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut ranked = 0;
    // 0 and −0 are equal, though `total_cmp` orders them.
    for equal in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let mean = ranked as f64 + (equal.len() + 1) as f64 / 2.0;
        equal.iter().for_each(|&at| ranks[at] = mean);
        ranked += equal.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::spearman;

    #[test]
    fn spearman_matches_scipy() {
        // scipy.stats.spearmanr([1, 2, 2, 4, 5], [5, 6, 7, 8, 7]).statistic
        let found = spearman(&[1.0, 2.0, 2.0, 4.0, 5.0], &[5.0, 6.0, 7.0, 8.0, 7.0]).unwrap();
        assert!((found - 0.763_157_894_736_842).abs() < 1e-12, "{found}");
    }

    #[test]
    fn spearman_of_a_constant_map_is_none() {
        assert_eq!(spearman(&[1.0, 1.0], &[1.0, 2.0]), None);
        assert_eq!(spearman(&[-0.0, 0.0], &[1.0, 2.0]), None);
    }
}
