//! Principal component analysis: a point set in fewer dimensions, with as much of its variance as they can hold.

use tch::{Kind, Tensor};

use crate::compare::PointSet;
use crate::error::Result;
use crate::methods::to_floats;

/// Points in the coordinates of their first principal components.
#[derive(Debug, Clone)]
pub struct PrincipalComponents {
    /// `[n, dims]`, row by row; the component of largest variance first.
    pub values: Vec<f32>,
    /// The number of components.
    pub dims: usize,
    /// The share of the variance that these components explain, 0 to 1.
    pub explained_variance: f64,
}

/// The first `max_dims` components of the points about their mean; fewer if the points have no more dimensions. The sign
/// of each component, which is arbitrary, makes its coordinate of largest magnitude positive, so that a map is not
/// mirrored between two runs.
///
/// # Errors
/// If libtorch fails.
pub fn principal_components(points: &PointSet, max_dims: usize) -> Result<PrincipalComponents> {
    let (count, dims) = (points.len() as i64, points.dims() as i64);
    let values = Tensor::f_from_slice(points.values())?
        .f_to_kind(Kind::Double)?
        .f_view([count, dims])?;
    let centred = values.f_sub(&values.f_mean_dim([0i64].as_slice(), true, Kind::Double)?)?;
    let kept = (max_dims as i64).min(count).min(dims);
    // The smaller of the two products has the same nonzero eigenvalues.
    let wide = dims > count;
    let product = if wide {
        centred.f_matmul(&centred.f_tr()?)?
    } else {
        centred.f_tr()?.f_matmul(&centred)?
    };
    let (eigenvalues, eigenvectors) = product.f_linalg_eigh("L")?;
    // libtorch returns them in ascending order.
    let eigenvalues = eigenvalues.f_flip([0i64])?.f_clamp_min(0.0)?;
    let eigenvectors = eigenvectors.f_flip([1i64])?.f_narrow(1, 0, kept)?;
    let largest = eigenvalues.f_narrow(0, 0, kept)?;
    let scores = if wide {
        eigenvectors.f_mul(&largest.f_sqrt()?)?
    } else {
        centred.f_matmul(&eigenvectors)?
    };
    let total = eigenvalues.f_sum(Kind::Double)?.f_double_value(&[])?;
    let explained = largest.f_sum(Kind::Double)?.f_double_value(&[])?;
    let mut values = to_floats(&scores)?;
    let dims = kept as usize;
    (0..dims).for_each(|component| fix_sign(&mut values, component, dims));
    Ok(PrincipalComponents {
        values,
        dims,
        explained_variance: if total > 0.0 { explained / total } else { 1.0 },
    })
}

/// Negates a column of `values`, `[n, dims]`, unless its value of largest magnitude is positive.
fn fix_sign(values: &mut [f32], component: usize, dims: usize) {
    let column = values.iter().skip(component).step_by(dims);
    let largest = column.fold(0.0, |largest: f32, &value| {
        if value.abs() > largest.abs() {
            value
        } else {
            largest
        }
    });
    if largest < 0.0 {
        let column = values.iter_mut().skip(component).step_by(dims);
        column.for_each(|value| *value = -*value);
    }
}
