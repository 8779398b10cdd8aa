//! Encodes pixels as the bytes of a file; equal pixels result in equal bytes.

use std::panic::{AssertUnwindSafe, catch_unwind};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::RgbImage;
use image::codecs::jpeg::JpegEncoder;
use mozjpeg::qtable::{AnnexK_Chroma, AnnexK_Luma};
use mozjpeg::{ColorSpace, Compress};

use super::decode;
use crate::error::{Error, ErrorKind, Result};

/// An 8-bit indexed PNG of `indices`, row by row.
///
/// # Errors
/// If there are not `width · height` indices, or none.
pub fn encode_palette_png(
    width: u32,
    height: u32,
    indices: &[u8],
    palette: &[[u8; 3]; 256],
) -> Result<Vec<u8>> {
    if indices.len() as u64 != u64::from(width) * u64::from(height) {
        return Err(encode_error(
            width,
            height,
            format!("there are {} indices", indices.len()),
        ));
    }
    encode_png(width, height, indices, |encoder| {
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_palette(palette.as_flattened());
        // Filtered indices compress worse than plain ones.
        encoder.set_filter(png::Filter::NoFilter);
    })
}

/// An 8-bit indexed PNG, as [`encode_palette_png`], in which index 0 is transparent.
///
/// # Errors
/// If there are not `width · height` indices, or none.
pub fn encode_transparent_png(
    width: u32,
    height: u32,
    indices: &[u8],
    palette: &[[u8; 3]],
) -> Result<Vec<u8>> {
    if indices.len() as u64 != u64::from(width) * u64::from(height) {
        return Err(encode_error(
            width,
            height,
            format!("there are {} indices", indices.len()),
        ));
    }
    encode_png(width, height, indices, |encoder| {
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_palette(palette.as_flattened());
        encoder.set_trns(&[0][..]);
        encoder.set_filter(png::Filter::NoFilter);
    })
}

/// A 24-bit PNG.
///
/// # Errors
/// If the image has no pixels.
pub fn encode_rgb_png(pixels: &RgbImage) -> Result<Vec<u8>> {
    encode_png(pixels.width(), pixels.height(), pixels, |encoder| {
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_filter(png::Filter::Adaptive);
    })
}

fn encode_png<'a>(
    width: u32,
    height: u32,
    data: &[u8],
    configure: impl FnOnce(&mut png::Encoder<'a, &mut Vec<u8>>),
) -> Result<Vec<u8>> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::High);
    configure(&mut encoder);
    encoder
        .write_header()
        .and_then(|mut writer| {
            writer.write_image_data(data)?;
            writer.finish()
        })
        .map_err(|error| encode_error(width, height, error))?;
    Ok(file)
}

/// A JPEG of `quality` 1 to 100 (clamped).
///
/// # Errors
/// If the image has no pixels, or a side of more than 65535.
pub fn encode_jpeg(pixels: &RgbImage, quality: u8) -> Result<Vec<u8>> {
    let (width, height) = pixels.dimensions();
    if width == 0 || height == 0 {
        return Err(encode_error(width, height, "there are no pixels"));
    }
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, quality.clamp(1, 100))
        .encode_image(pixels)
        .map_err(|error| encode_error(width, height, error))?;
    Ok(file)
}

/// The pixels that a JPEG of `quality` 1 to 50 (clamped) has, as libjpeg writes and reads it with the settings of Pillow; `None` if it can't.
pub(super) fn through_libjpeg(pixels: &RgbImage, quality: u8) -> Option<RgbImage> {
    let (width, height) = pixels.dimensions();
    // mozjpeg reports libjpeg's errors by unwinding.
    let file = catch_unwind(AssertUnwindSafe(|| -> std::io::Result<Vec<u8>> {
        let mut compress = Compress::new(ColorSpace::JCS_RGB);
        compress.set_size(width as usize, height as usize);
        compress.set_fastest_defaults();
        // `set_quality` lets divisors grow beyond 255, where Pillow's end; libjpeg's percentage is a whole number.
        let percentage = 5000 / u32::from(quality.clamp(1, 50));
        let quality = 5000.0 / percentage as f32;
        compress.set_luma_qtable(&AnnexK_Luma.scaled(quality, quality));
        compress.set_chroma_qtable(&AnnexK_Chroma.scaled(quality, quality));
        let mut started = compress.start_compress(Vec::new())?;
        started.write_scanlines(pixels.as_raw())?;
        started.finish()
    }));
    decode::jpeg_pixels(&file.ok()?.ok()?)
}

/// A file as a data URI: `data:image/png;base64,…`.
pub fn data_uri(mime: &str, bytes: &[u8]) -> String {
    let mut uri = format!("data:{mime};base64,");
    STANDARD.encode_string(bytes, &mut uri);
    uri
}

fn encode_error(
    width: u32,
    height: u32,
    cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> Error {
    Error::new(
        ErrorKind::Image,
        format!("can't encode an image of {width} × {height} pixels"),
    )
    .caused_by(cause)
}
