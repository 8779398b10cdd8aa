//! Decodes the formats of which the crate `image` gives the pixels: PNG, WebP, GIF, BMP, and a JPEG in CMYK.

use std::io::{Cursor, ErrorKind as IoKind};

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

use super::content::format_name;
use super::decoded::Decoded;
use super::fault::{check_size, file_error, truncated, undecodable, wrong_bands};
use super::{jpeg, webp};
use crate::error::{Error, Result};
use crate::image::bands::{Bands, Samples};

/// The memory that a decoder may allocate: enough for the largest image of four 16-bit channels.
const MAX_DECODER_BYTES: u64 = 1 << 30;

/// The samples of a file of `format`, upright: only the picture for three colours of 8 bits.
pub(super) fn decode(name: &str, bytes: &[u8], format: ImageFormat) -> Result<Decoded> {
    let complete = match format {
        // The decoder fills what is missing with grey, without an error.
        ImageFormat::Jpeg => jpeg::is_complete(bytes),
        // The decoder reports a truncated WebP as corrupt.
        ImageFormat::WebP => webp::is_complete(bytes),
        _ => true,
    };
    if !complete {
        return Err(truncated(name, format_name(format)));
    }
    let (mut pixels, orientation) = stored_pixels(name, bytes, format)?;
    pixels.apply_orientation(orientation);
    match pixels {
        DynamicImage::ImageRgb8(rgb) => Ok(Decoded::Rgb(rgb)),
        other => bands(other)
            .map(Decoded::Bands)
            .map_err(|error| wrong_bands(name, format_name(format), error)),
    }
}

/// The pixels as the file stores them, and the EXIF orientation.
fn stored_pixels(
    name: &str,
    bytes: &[u8],
    format: ImageFormat,
) -> Result<(DynamicImage, Orientation)> {
    // The GIF decoder does not distinguish a truncated file from other errors, but a complete file ends with a trailer.
    let cut = format == ImageFormat::Gif && bytes.last() != Some(&0x3b);
    let failed = |error: image::ImageError| match error {
        image::ImageError::IoError(io) if io.kind() == IoKind::UnexpectedEof => {
            truncated(name, format_name(format))
        }
        image::ImageError::Decoding(_) if cut => truncated(name, format_name(format)),
        other => image_error(name, format, other),
    };
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_DECODER_BYTES);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(failed)?;
    let (width, height) = decoder.dimensions();
    check_size(name, width, height)?;
    // Damaged EXIF is no reason to reject the pixels.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    if format == ImageFormat::Jpeg {
        let decoded =
            jpeg::decode(bytes).map_err(|cause| undecodable(name, format_name(format), cause))?;
        if let Some(pixels) = decoded {
            return Ok((DynamicImage::ImageRgb8(pixels), orientation));
        }
    }
    let pixels = DynamicImage::from_decoder(decoder).map_err(failed)?;
    Ok((pixels, orientation))
}

/// The bands of decoded pixels. Pixels of a kind that no format here has are converted to 8-bit RGB.
fn bands(pixels: DynamicImage) -> Result<Bands> {
    let size = (pixels.width(), pixels.height());
    let (count, samples) = match pixels {
        DynamicImage::ImageLuma8(buffer) => (1, Samples::Bits8(buffer.into_raw())),
        DynamicImage::ImageLumaA8(buffer) => (2, Samples::Bits8(buffer.into_raw())),
        DynamicImage::ImageRgba8(buffer) => (4, Samples::Bits8(buffer.into_raw())),
        DynamicImage::ImageLuma16(buffer) => (1, Samples::Bits16(buffer.into_raw())),
        DynamicImage::ImageLumaA16(buffer) => (2, Samples::Bits16(buffer.into_raw())),
        DynamicImage::ImageRgb16(buffer) => (3, Samples::Bits16(buffer.into_raw())),
        DynamicImage::ImageRgba16(buffer) => (4, Samples::Bits16(buffer.into_raw())),
        other => (3, Samples::Bits8(other.into_rgb8().into_raw())),
    };
    Bands::from_interleaved(size, count, count % 2 == 0, samples)
}

fn image_error(name: &str, format: ImageFormat, error: image::ImageError) -> Error {
    match error {
        image::ImageError::Limits(_) => {
            file_error(name, "needs too much memory to decode").caused_by(error)
        }
        _ => undecodable(name, format_name(format), error),
    }
}
