//! Decodes an image file to upright samples and the picture that is shown of them, with errors that name the problem of the
//! file.

mod content;
mod decoded;
mod fault;
mod jpeg;
mod npy;
mod raster;
mod tiff;
mod webp;

use std::fs::File;
use std::io::{ErrorKind as IoKind, Read};
use std::path::Path;

use image::{ImageFormat, RgbImage};
use sha2::{Digest, Sha256};

use super::bands::Bands;
use super::drawing::{Drawing, draw};
use super::limits::MAX_BYTES;
use crate::error::{Error, ErrorKind, Result};
use content::{guess_content, is_text};
use decoded::Decoded;
use fault::file_error;

const SUPPORTED_FORMATS: &str =
    "convscope reads JPEG, PNG, WebP, GIF, BMP, TIFF and NumPy arrays (.npy)";

/// The pixels of a JPEG in colour; `None` if it can't be decoded.
pub(super) fn jpeg_pixels(bytes: &[u8]) -> Option<RgbImage> {
    jpeg::decode(bytes).ok().flatten()
}

/// An image file, upright: what networks get of it, and what is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct DecodedImage {
    /// The picture that is shown, in RGB.
    pub pixels: RgbImage,
    /// The samples of the file; `None` if they are those of `pixels`, three colours of 8 bits.
    pub bands: Option<Bands>,
    /// How the picture was drawn from the bands; `None` if it shows all of three colours of 8 bits.
    pub drawing: Option<Drawing>,
    /// The sha256 of the file, 64 hex digits.
    pub sha256: String,
}

impl DecodedImage {
    /// An image of three colours of 8 bits.
    pub fn from_pixels(pixels: RgbImage, sha256: String) -> DecodedImage {
        DecodedImage {
            pixels,
            bands: None,
            drawing: None,
            sha256,
        }
    }

    /// An image of any bands, with the picture that is shown of them.
    pub fn from_bands(bands: Bands, sha256: String) -> DecodedImage {
        let (pixels, drawing) = draw(&bands, &[]);
        DecodedImage {
            pixels,
            bands: Some(bands),
            drawing: Some(drawing),
            sha256,
        }
    }

    /// Reads and decodes a file. The format follows from its content, not from its name.
    ///
    /// # Errors
    /// Of kind [`ErrorKind::Image`], with the path: the file is missing, a folder, empty, larger than
    /// [`MAX_BYTES`] or [`MAX_PIXELS`](super::MAX_PIXELS), truncated, or not an image of a supported format.
    pub fn open(path: &Path) -> Result<DecodedImage> {
        let name = path.display().to_string();
        let failed = |cause: std::io::Error| match cause.kind() {
            IoKind::NotFound => file_error(&name, "doesn't exist"),
            _ => Error::new(ErrorKind::Image, format!("can't read {name}")).caused_by(cause),
        };
        // Before opening: opening a pipe would wait for its other end.
        let metadata = std::fs::metadata(path).map_err(failed)?;
        if metadata.is_dir() {
            return Err(file_error(&name, "is a folder, not an image file")
                .help("`dir:` takes every image below a folder"));
        }
        if !metadata.is_file() {
            return Err(file_error(&name, "is not a regular file"));
        }
        if metadata.len() > MAX_BYTES {
            return Err(too_many_bytes(&name, metadata.len()));
        }
        let mut bytes = Vec::with_capacity(metadata.len() as usize);
        // One byte more than allowed, so that a file that grew meanwhile is recognised below.
        File::open(path)
            .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
            .map_err(failed)?;
        DecodedImage::from_bytes(&name, &bytes)
    }

    /// Reads a file, and draws its picture from the bands `show`, counted from 1; by default where there are none.
    ///
    /// # Errors
    /// As [`open`](Self::open) and [`showing`](Self::showing).
    pub fn open_showing(path: &Path, show: &[usize]) -> Result<DecodedImage> {
        let image = DecodedImage::open(path)?;
        image.showing_in(&path.display().to_string(), show)
    }

    /// As [`showing`](Self::showing), with the default where `show` is empty; errors begin with the image's `name`.
    pub(super) fn showing_in(self, name: &str, show: &[usize]) -> Result<DecodedImage> {
        if show.is_empty() {
            return Ok(self);
        }
        self.showing(show).map_err(|error| {
            let message = format!("{name}: {}", error.message());
            let help = error.help_text().unwrap_or_default().to_owned();
            Error::new(error.kind(), message).help(help)
        })
    }

    /// Decodes the bytes of an image file; errors call it `name`.
    ///
    /// Of an animation or of several pages, the first is decoded; CMYK in a JPEG is read as Adobe writes it, inverted.
    ///
    /// # Errors
    /// As [`DecodedImage::open`].
    pub fn from_bytes(name: &str, bytes: &[u8]) -> Result<DecodedImage> {
        if bytes.is_empty() {
            return Err(file_error(name, "is empty"));
        }
        if bytes.len() as u64 > MAX_BYTES {
            return Err(too_many_bytes(name, bytes.len() as u64));
        }
        let sha256 = hex(&Sha256::digest(bytes));
        Ok(match decode(name, bytes)? {
            Decoded::Rgb(pixels) => DecodedImage::from_pixels(pixels, sha256),
            Decoded::Bands(bands) => DecodedImage::from_bands(bands, sha256),
        })
    }

    /// The same image, shown by one or three of its bands, counted from 1. Networks get the same as before.
    ///
    /// # Errors
    /// If these are not one or three, or there is no such band.
    pub fn showing(mut self, show: &[usize]) -> Result<DecodedImage> {
        if !matches!(show.len(), 1 | 3) {
            let message = format!("a picture is drawn from 1 or 3 bands, not {}", show.len());
            return Err(Error::new(ErrorKind::Image, message));
        }
        let bands = match self.bands {
            Some(bands) => bands,
            None => Bands::from_rgb(&self.pixels)?,
        };
        if let Some(wrong) = show
            .iter()
            .find(|band| !(1..=bands.count()).contains(*band))
        {
            let message = format!(
                "there is no band {wrong}: the image has {}",
                match bands.count() {
                    1 => "1 band".to_owned(),
                    count => format!("{count} bands"),
                }
            );
            return Err(Error::new(ErrorKind::Image, message).help("bands are counted from 1"));
        }
        let (pixels, drawing) = draw(&bands, show);
        self.pixels = pixels;
        self.drawing = Some(drawing);
        self.bands = Some(bands);
        Ok(self)
    }
}

fn decode(name: &str, bytes: &[u8]) -> Result<Decoded> {
    if npy::is_array(bytes) {
        return npy::decode(name, bytes).map(Decoded::Bands);
    }
    if tiff::is_tiff(bytes) {
        return tiff::decode(name, bytes);
    }
    match image::guess_format(bytes) {
        // A BMP is marked by two letters only, and text may begin with them.
        Ok(ImageFormat::Bmp) if is_text(bytes) => {}
        Ok(
            format @ (ImageFormat::Jpeg
            | ImageFormat::Png
            | ImageFormat::WebP
            | ImageFormat::Gif
            | ImageFormat::Bmp),
        ) => return raster::decode(name, bytes, format),
        _ => {}
    }
    let what = guess_content(bytes);
    let help = match what.as_str() {
        "an AVIF image" => "convert it to PNG; convscope has no decoder of AV1",
        _ => SUPPORTED_FORMATS,
    };
    let problem = format!("is not an image that can be read: it looks like {what}");
    Err(file_error(name, &problem).help(help))
}

fn too_many_bytes(name: &str, bytes: u64) -> Error {
    file_error(name, &format!("is too large: {} MiB", bytes >> 20)).help(format!(
        "image files of up to {} MiB are read",
        MAX_BYTES >> 20
    ))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
