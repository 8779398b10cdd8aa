//! Principal component analysis: a point set in fewer dimensions, with as much of its variance as they can hold.

use tch::{Device, Kind, Tensor};

use crate::compare::PointSet;
use crate::error::{Error, ErrorKind, Result};

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

/// Points that can be read more than once, in chunks of rows and always in the same order, because they are too many for
/// the memory.
pub trait PointChunks {
    /// The number of points.
    fn len(&self) -> usize;

    /// Whether there are no points.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of coordinates of each point.
    fn dims(&self) -> usize;

    /// Calls `read` with some rows at a time, from the first to the last.
    ///
    /// # Errors
    /// If the rows can't be read, or the first error of `read`.
    fn for_each(&self, read: &mut dyn FnMut(&[f32]) -> Result<()>) -> Result<()>;
}

/// The most dimensions of points that are read in chunks: the covariance in float64 takes 512 MB there.
pub const MAX_STREAMED_DIMS: usize = 8192;

/// As [`principal_components`], with no more than one chunk of the points in memory: mean and covariance are summed in
/// float64 chunk by chunk, then each chunk is projected.
///
/// # Errors
/// If the points have more than [`MAX_STREAMED_DIMS`] dimensions, a coordinate is not finite, or libtorch fails.
pub fn streamed_principal_components(
    points: &dyn PointChunks,
    max_dims: usize,
) -> Result<PrincipalComponents> {
    let (count, dims) = (points.len(), points.dims());
    if dims == 0 || dims > MAX_STREAMED_DIMS {
        let message = format!("the codes must have 1 to {MAX_STREAMED_DIMS} values, got {dims}");
        return Err(Error::new(ErrorKind::Network, message)
            .help("choose another layer, for example `penultimate`"));
    }
    let rows = |chunk: &[f32]| -> Result<Tensor> {
        // Checks that all values are finite.
        let chunk = PointSet::new(chunk, dims)?;
        let rows = Tensor::f_from_slice(chunk.values())?.f_to_kind(Kind::Double)?;
        Ok(rows.f_view([chunk.len() as i64, dims as i64])?)
    };
    let options = (Kind::Double, Device::Cpu);
    let mut sum = Tensor::f_zeros([dims as i64], options)?;
    points.for_each(&mut |chunk| {
        sum =
            sum.f_add(&rows(chunk)?.f_sum_dim_intlist([0i64].as_slice(), false, Kind::Double)?)?;
        Ok(())
    })?;
    let mean = sum.f_div_scalar(count.max(1) as f64)?;
    let mut covariance = Tensor::f_zeros([dims as i64, dims as i64], options)?;
    points.for_each(&mut |chunk| {
        let centred = rows(chunk)?.f_sub(&mean)?;
        covariance = covariance.f_add(&centred.f_tr()?.f_matmul(&centred)?)?;
        Ok(())
    })?;
    let kept = max_dims.min(count).min(dims);
    let (eigenvalues, eigenvectors) = covariance.f_linalg_eigh("L")?;
    let eigenvalues = eigenvalues.f_flip([0i64])?.f_clamp_min(0.0)?;
    let eigenvectors = eigenvectors.f_flip([1i64])?.f_narrow(1, 0, kept as i64)?;
    let mut values = Vec::with_capacity(count * kept);
    points.for_each(&mut |chunk| {
        let scores = rows(chunk)?.f_sub(&mean)?.f_matmul(&eigenvectors)?;
        values.extend(to_floats(&scores)?);
        Ok(())
    })?;
    let total = eigenvalues.f_sum(Kind::Double)?.f_double_value(&[])?;
    let largest = eigenvalues.f_narrow(0, 0, kept as i64)?;
    let explained = largest.f_sum(Kind::Double)?.f_double_value(&[])?;
    (0..kept).for_each(|component| fix_sign(&mut values, component, kept));
    Ok(PrincipalComponents {
        values,
        dims: kept,
        explained_variance: if total > 0.0 { explained / total } else { 1.0 },
    })
}

/// A tensor as float32, row by row.
fn to_floats(tensor: &Tensor) -> Result<Vec<f32>> {
    let flat = tensor
        .f_to_kind(Kind::Float)?
        .f_contiguous()?
        .f_view([-1])?;
    Ok(Vec::<f32>::try_from(&flat)?)
}
