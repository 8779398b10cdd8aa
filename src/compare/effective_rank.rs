//! The effective rank of a set of codes (Roy & Vetterli 2007): how many directions they really use.

use tch::{Kind, Tensor};

use super::point_set::PointSet;
use crate::error::Result;

/// exp of the entropy of the covariance's eigenvalues, as shares of their sum: 1 if all points lie on a line, the number
/// of dimensions if they vary alike in all of them; at most one less than the number of points. `None` if all points are
/// equal.
///
/// # Errors
/// If libtorch fails.
pub fn effective_rank(points: &PointSet) -> Result<Option<f64>> {
    let (count, dims) = (points.len() as i64, points.dims() as i64);
    if count < 2 {
        return Ok(None);
    }
    let values = Tensor::f_from_slice(points.values())?
        .f_to_kind(Kind::Double)?
        .f_view([count, dims])?;
    let centred = values.f_sub(&values.f_mean_dim([0i64].as_slice(), true, Kind::Double)?)?;
    // The smaller of the two products has the same nonzero eigenvalues.
    let product = if dims > count {
        centred.f_matmul(&centred.f_tr()?)?
    } else {
        centred.f_tr()?.f_matmul(&centred)?
    };
    let eigenvalues = product.f_linalg_eigvalsh("L")?.f_clamp_min(0.0)?;
    let eigenvalues = Vec::<f64>::try_from(eigenvalues)?;
    let total: f64 = eigenvalues.iter().sum();
    if total <= 0.0 {
        return Ok(None);
    }
    let shares = eigenvalues.iter().map(|value| value / total);
    let entropy: f64 = shares.filter(|p| *p > 0.0).map(|p| -p * p.ln()).sum();
    Ok(Some(entropy.exp()))
}

#[cfg(test)]
mod tests {
    use super::{PointSet, effective_rank};
    use crate::rng::Rng;

    #[test]
    fn it_is_the_number_of_directions_that_are_used() {
        let rank = |values: &[f32], dims| {
            let points = PointSet::new(values, dims).unwrap();
            effective_rank(&points).unwrap()
        };
        let line: Vec<f32> = (0..20)
            .flat_map(|i| [i as f32, 2.0 * i as f32, 1.0])
            .collect();
        assert!((rank(&line, 3).unwrap() - 1.0).abs() < 1e-6);
        // The corners of a cube vary alike in all directions.
        let cube: Vec<f32> = (0..8)
            .flat_map(|i| [i & 1, i >> 1 & 1, i >> 2].map(|x| x as f32))
            .collect();
        assert!((rank(&cube, 3).unwrap() - 3.0).abs() < 1e-9);
        // Variances 4 and 1: the entropy of 0.8 and 0.2.
        let square = [2.0, 0.0, -2.0, 0.0, 0.0, 1.0, 0.0, -1.0];
        let wanted = f64::exp(-0.8 * f64::ln(0.8) - 0.2 * f64::ln(0.2));
        assert!((rank(&square, 2).unwrap() - wanted).abs() < 1e-9);
        // More dimensions than points.
        let mut rng = Rng::new(3, "rank");
        let wide: Vec<f32> = (0..5 * 400).map(|_| rng.uniform() as f32).collect();
        let found = rank(&wide, 400).unwrap();
        assert!((3.8..=4.0).contains(&found), "{found}");
        assert_eq!(rank(&[1.0; 12], 3), None);
    }
}
