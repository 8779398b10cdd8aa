//! From pixels to the bytes of a file, the same bytes each time.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::RgbImage;
use image::codecs::jpeg::JpegEncoder;

use crate::error::{Error, ErrorKind, Result};

/// An 8-bit indexed PNG; `indices` row by row.
///
/// # Errors
/// Where there are not `width · height` indices, or none.
pub fn palette_png(
    width: u32,
    height: u32,
    indices: &[u8],
    palette: &[[u8; 3]; 256],
) -> Result<Vec<u8>> {
    if indices.len() as u64 != u64::from(width) * u64::from(height) {
        return Err(failed(
            width,
            height,
            format!("there are {} indices", indices.len()),
        ));
    }
    png(width, height, indices, |encoder| {
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_palette(palette.as_flattened());
        // Neighbouring indices are numbers, but what filters make of them compresses worse.
        encoder.set_filter(png::Filter::NoFilter);
    })
}

/// A 24-bit PNG.
///
/// # Errors
/// Where the picture has no pixels.
pub fn rgb_png(pixels: &RgbImage) -> Result<Vec<u8>> {
    png(pixels.width(), pixels.height(), pixels, |encoder| {
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_filter(png::Filter::Adaptive);
    })
}

fn png<'a>(
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
        .map_err(|error| failed(width, height, error))?;
    Ok(file)
}

/// A JPEG of `quality` 1 to 100 (clamped).
///
/// # Errors
/// Where the picture has no pixels, or a side of more than 65535.
pub fn jpeg(pixels: &RgbImage, quality: u8) -> Result<Vec<u8>> {
    let (width, height) = pixels.dimensions();
    if width == 0 || height == 0 {
        return Err(failed(width, height, "there are no pixels"));
    }
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, quality.clamp(1, 100))
        .encode_image(pixels)
        .map_err(|error| failed(width, height, error))?;
    Ok(file)
}

/// A file inside an address: `data:image/png;base64,…`.
pub fn data_uri(mime: &str, bytes: &[u8]) -> String {
    let mut uri = format!("data:{mime};base64,");
    STANDARD.encode_string(bytes, &mut uri);
    uri
}

fn failed(
    width: u32,
    height: u32,
    cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> Error {
    Error::new(
        ErrorKind::Picture,
        format!("can't encode a picture of {width} × {height} pixels"),
    )
    .because(cause)
}
