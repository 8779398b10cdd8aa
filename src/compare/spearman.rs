//! Rank correlation of two maps (Spearman 1904): whether they order the places alike.

/// The correlation of the ranks of `a` and `b`, −1 to 1; equal values share their mean rank. `None` where the two
/// differ in length, have fewer than two places, or one is the same everywhere.
pub fn spearman(a: &[f32], b: &[f32]) -> Option<f64> {
    if a.len() != b.len() || a.len() < 2 {
        return None;
    }
    pearson(&ranks(a), &ranks(b))
}

/// Each value's rank from 1; equal ones share the mean of theirs.
fn ranks(values: &[f32]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut done = 0;
    // 0 and −0 are equal here though their bits differ.
    for alike in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let mean = done as f64 + (alike.len() + 1) as f64 / 2.0;
        alike.iter().for_each(|&at| ranks[at] = mean);
        done += alike.len();
    }
    ranks
}

fn pearson(a: &[f64], b: &[f64]) -> Option<f64> {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (mut both, mut of_a, mut of_b) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        let (x, y) = (x - mean_a, y - mean_b);
        both += x * y;
        of_a += x * x;
        of_b += y * y;
    }
    (of_a > 0.0 && of_b > 0.0).then(|| (both / (of_a.sqrt() * of_b.sqrt())).clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::spearman;

    #[test]
    fn it_is_that_of_scipy() {
        // scipy.stats.spearmanr([1, 2, 2, 4, 5], [5, 6, 7, 8, 7]).statistic
        let found = spearman(&[1.0, 2.0, 2.0, 4.0, 5.0], &[5.0, 6.0, 7.0, 8.0, 7.0]).unwrap();
        assert!((found - 0.763_157_894_736_842).abs() < 1e-12, "{found}");
    }

    #[test]
    fn a_flat_map_orders_nothing() {
        assert_eq!(spearman(&[1.0, 1.0], &[1.0, 2.0]), None);
        assert_eq!(spearman(&[-0.0, 0.0], &[1.0, 2.0]), None);
    }
}
