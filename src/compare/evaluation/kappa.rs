//! Agreement of two networks beyond what their frequencies alone give: in the predicted classes, and in which images
//! they get right.

use std::collections::BTreeMap;

/// Cohen's κ (Cohen 1960) of the classes that two networks predict for the same images, −1 to 1: 1 where all are equal, 0
/// where as many are equal as of independent predictions with the same frequencies.
///
/// `None` if the lengths differ, there are no images, or both networks predict one and the same class for all (0/0).
pub fn cohen_kappa(a: &[usize], b: &[usize]) -> Option<f64> {
    kappa(a, b)
}

/// Error consistency (Geirhos, Meding & Wichmann 2020), −1 to 1: Cohen's κ of right and wrong. 1 where two networks are
/// right on the same images, 0 where they are as often as independent networks of the same accuracies.
///
/// The expected agreement is `p_a · p_b + (1 − p_a) · (1 − p_b)`, of the accuracies `p_a` and `p_b`.
///
/// `None` if the lengths differ, there are no images, or both networks are right on all images, or both on none (0/0).
pub fn error_consistency(right_a: &[bool], right_b: &[bool]) -> Option<f64> {
    kappa(right_a, right_b)
}

fn kappa<T: Copy + Ord>(a: &[T], b: &[T]) -> Option<f64> {
    if a.len() != b.len() {
        return None;
    }
    let mut frequencies: BTreeMap<T, [i128; 2]> = BTreeMap::new();
    let mut equal = 0;
    for (&a, &b) in a.iter().zip(b) {
        frequencies.entry(a).or_default()[0] += 1;
        frequencies.entry(b).or_default()[1] += 1;
        equal += i128::from(a == b);
    }
    // All times the squared number of images, so that whole numbers tell where the quotient is undefined.
    let count = a.len() as i128;
    let expected: i128 = frequencies.values().map(|[a, b]| a * b).sum();
    let (above_chance, possible) = (count * equal - expected, count * count - expected);
    (possible > 0).then(|| above_chance as f64 / possible as f64)
}
