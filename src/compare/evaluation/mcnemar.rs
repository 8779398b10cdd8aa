//! McNemar's test: whether one network is right more often than another on the same images.
//!
//! Written here because the binomial distribution of statrs 0.19 is inexact for large counts: 0.982 for 1 000 000 against
//! 999 999, where the value is 1.

/// The p-value of the exact two-sided test (McNemar 1947), above 0 and at most 1: twice the probability that, of
/// `only_a + only_b` tosses of a fair coin, at most the smaller number are heads.
///
/// `only_a` is the number of images on which only the first network is right, `only_b` that on which only the second
/// is. Without such images the value is 1. Values below the smallest normal number (2.2e-308) are given as that number. The
/// relative error is below 1e-11; the time grows with the square root of the sum (some milliseconds for 10⁹).
pub fn mcnemar_exact(only_a: u64, only_b: u64) -> f64 {
    let smaller = only_a.min(only_b);
    let count = u128::from(only_a) + u128::from(only_b);
    // The binomial coefficients relative to the largest one; the tails beyond float64 are nothing to the sum.
    let (mut tail, mut lower_half) = (0.0, 0.0);
    let middle = count / 2;
    let (mut heads, mut weight) = (middle, 1.0);
    loop {
        if heads <= u128::from(smaller) {
            tail += weight;
        }
        // The middle one of an odd number of coefficients is part of both halves.
        let shared = heads == middle && count.is_multiple_of(2);
        lower_half += if shared { weight / 2.0 } else { weight };
        weight *= heads as f64 / (count - heads + 1) as f64;
        if heads == 0 || weight == 0.0 {
            break;
        }
        heads -= 1;
    }
    f64::clamp(tail / lower_half, f64::MIN_POSITIVE, 1.0)
}
