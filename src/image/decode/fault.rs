//! Errors of a file that can't be decoded. Each message is a sentence with the file as its subject.

use crate::error::{Error, ErrorKind, Result};
use crate::image::limits::{MAX_PIXELS, MAX_SAMPLES};

/// An error about the file `name`: `problem` is the predicate of the sentence.
pub(super) fn file_error(name: &str, problem: &str) -> Error {
    Error::new(ErrorKind::Image, format!("{name} {problem}"))
}

pub(super) fn truncated(name: &str, format: &str) -> Error {
    file_error(
        name,
        &format!("is truncated: the {format} ends before its last pixel"),
    )
    .help("copy or download the file again")
}

pub(super) fn undecodable(
    name: &str,
    format: &str,
    cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> Error {
    file_error(name, &format!("is a {format} that can't be decoded")).caused_by(cause)
}

/// The error of samples that are no bands, as one about the file.
pub(super) fn wrong_bands(name: &str, format: &str, error: Error) -> Error {
    let help = error.help_text().map(str::to_owned);
    let error = undecodable(name, format, error);
    match help {
        Some(help) => error.help(help),
        None => error,
    }
}

/// # Errors
/// If the image has no pixels or more than [`MAX_PIXELS`].
pub(super) fn check_size(name: &str, width: u32, height: u32) -> Result<()> {
    if width == 0 || height == 0 {
        return Err(file_error(name, "has no pixels"));
    }
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        let problem = format!("is too large: {width} × {height} pixels");
        return Err(file_error(name, &problem).help(format!(
            "images of up to {} megapixels are read",
            MAX_PIXELS / 1_000_000
        )));
    }
    Ok(())
}

/// # Errors
/// If the bands together have more samples than are read.
pub(super) fn check_samples(name: &str, size: (u32, u32), count: usize) -> Result<()> {
    check_size(name, size.0, size.1)?;
    let samples = u64::from(size.0) * u64::from(size.1) * count as u64;
    if samples > MAX_SAMPLES {
        let problem = format!(
            "is too large: {count} bands of {} × {} pixels",
            size.0, size.1
        );
        return Err(file_error(name, &problem).help(format!(
            "images of up to {} million samples are read",
            MAX_SAMPLES / 1_000_000
        )));
    }
    Ok(())
}
