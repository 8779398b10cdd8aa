//! Principal components: fewer numbers a point with as much of the variance as they can hold.

use tch::{Kind, Tensor};

use crate::compare::PointSet;
use crate::error::Result;
use crate::methods::to_array;

/// PointSet in the coordinates of their principal components.
#[derive(Debug, Clone)]
pub struct Components {
    /// `[n, dims]`, row by row; the component of largest variance first.
    pub values: Vec<f32>,
    pub dims: usize,
    /// The part of the variance that these components hold, 0 to 1.
    pub share: f64,
}

/// The first `most` components of the points about their mean; fewer where they have no more. Each
/// component points the way that makes its largest coordinate positive: the mathematics leaves the
/// sign open, and a map must not turn over from one run to the next.
///
/// # Errors
/// If libtorch refuses.
pub fn components(points: &PointSet, most: usize) -> Result<Components> {
    let (count, dims) = (points.len() as i64, points.dims() as i64);
    let values = Tensor::f_from_slice(points.values())?
        .f_to_kind(Kind::Double)?
        .f_view([count, dims])?;
    let centred = values.f_sub(&values.f_mean_dim([0i64].as_slice(), true, Kind::Double)?)?;
    let kept = (most as i64).min(count).min(dims);
    // The smaller of the two products has the same eigenvalues.
    let wide = dims > count;
    let product = match wide {
        true => centred.f_matmul(&centred.f_tr()?)?,
        false => centred.f_tr()?.f_matmul(&centred)?,
    };
    let (eigenvalues, vectors) = product.f_linalg_eigh("L")?;
    // libtorch gives them rising.
    let eigenvalues = eigenvalues.f_flip([0i64])?.f_clamp_min(0.0)?;
    let vectors = vectors.f_flip([1i64])?.f_narrow(1, 0, kept)?;
    let largest = eigenvalues.f_narrow(0, 0, kept)?;
    let scores = match wide {
        true => vectors.f_mul(&largest.f_sqrt()?)?,
        false => centred.f_matmul(&vectors)?,
    };
    let total = eigenvalues.f_sum(Kind::Double)?.f_double_value(&[])?;
    let held = largest.f_sum(Kind::Double)?.f_double_value(&[])?;
    let mut values = to_array(&scores)?.floats().unwrap_or_default().to_vec();
    let dims = kept as usize;
    for component in 0..dims {
        let column = values.iter().skip(component).step_by(dims);
        let peak = column.fold(0.0, |peak: f32, value| match value.abs() > peak.abs() {
            true => *value,
            false => peak,
        });
        if peak < 0.0 {
            let column = values.iter_mut().skip(component).step_by(dims);
            column.for_each(|value| *value = -*value);
        }
    }
    Ok(Components {
        values,
        dims,
        share: if total > 0.0 { held / total } else { 1.0 },
    })
}
