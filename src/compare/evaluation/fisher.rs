//! Whether a share differs between two groups: Fisher's exact test, and Holm's correction for several tests.

/// The logarithms of the factorials up to a number, for many tests over the same images.
#[derive(Debug, Clone)]
pub struct LogFactorials(Vec<f64>);

/// By how much a probability may exceed that of the table itself and still count as no larger, for rounding errors, as in SciPy and R.
const TOLERANCE: f64 = 1e-7;

impl LogFactorials {
    /// Up to the factorial of `most`.
    pub fn up_to(most: usize) -> Self {
        let mut sum = 0.0;
        let logarithms = (0..=most).map(|number| {
            sum += (number.max(1) as f64).ln();
            sum
        });
        LogFactorials(logarithms.collect())
    }

    fn choose(&self, whole: usize, part: usize) -> f64 {
        self.0[whole] - self.0[part] - self.0[whole - part]
    }

    /// Fisher's exact test, two-sided: the probability, if shares were equal, of a table with these margins that is no more probable
    /// than this one. Of `whole` images, `part` are in the group; `hits` of all and `part_hits` of the group are right.
    ///
    /// `None` if the counts contradict each other or `whole` is beyond the largest factorial.
    pub fn fisher_exact(
        &self,
        part: usize,
        part_hits: usize,
        whole: usize,
        hits: usize,
    ) -> Option<f64> {
        let least = (part + hits).saturating_sub(whole);
        let most = part.min(hits);
        if whole >= self.0.len()
            || part > whole
            || hits > whole
            || !(least..=most).contains(&part_hits)
        {
            return None;
        }
        let all = self.choose(whole, part);
        let logarithm = |k: usize| self.choose(hits, k) + self.choose(whole - hits, part - k) - all;
        let limit = logarithm(part_hits) + TOLERANCE.ln_1p();
        let tables = (least..=most).map(logarithm).filter(|own| *own <= limit);
        Some(tables.map(f64::exp).sum::<f64>().min(1.0))
    }
}

/// The p-values of several tests after Holm's correction (Holm 1979), in their order: at most the wanted share of all runs has any false
/// result where those up to it are taken.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    let mut corrected = vec![0.0; p_values.len()];
    let mut largest: f64 = 0.0;
    for (rank, test) in order.into_iter().enumerate() {
        let left = (p_values.len() - rank) as f64;
        largest = largest.max((p_values[test] * left).min(1.0));
        corrected[test] = largest;
    }
    corrected
}
