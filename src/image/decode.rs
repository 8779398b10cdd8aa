//! Decodes an image file to upright RGB pixels, with errors that name the problem of the file.

use std::fs::File;
use std::io::{Cursor, ErrorKind as IoKind, Read};
use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbImage};
use sha2::{Digest, Sha256};

use super::decode_jpeg;
use crate::error::{Error, ErrorKind, Result};

/// The largest file that is read: 64 MiB.
pub const MAX_BYTES: u64 = 64 << 20;

/// The largest number of pixels that is decoded: 100 megapixels.
pub const MAX_PIXELS: u64 = 100_000_000;

/// The memory that a decoder may allocate: enough for [`MAX_PIXELS`] of four 16-bit channels.
const MAX_DECODER_BYTES: u64 = 1 << 30;

const SUPPORTED_FORMATS: &str = "convscope reads JPEG, PNG, WebP, GIF and BMP";

/// The pixels of an image file, upright.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodedImage {
    /// The pixels in RGB, rotated by the file's EXIF orientation.
    pub pixels: RgbImage,
    /// The sha256 of the file, 64 hex digits.
    pub sha256: String,
}

impl DecodedImage {
    /// Reads and decodes a file. The format follows from its content, not from its name.
    ///
    /// # Errors
    /// Of kind [`ErrorKind::Image`], with the path: the file is missing, a folder, empty, larger than
    /// [`MAX_BYTES`] or [`MAX_PIXELS`], truncated, or not an image of a supported format.
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

    /// Decodes the bytes of an image file; errors call it `name`.
    ///
    /// Alpha is dropped, not blended; 16-bit samples keep their high byte; of an animation, the first
    /// frame is decoded; CMYK in a JPEG is read as Adobe writes it, inverted.
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
        let format = match image::guess_format(bytes) {
            // A BMP is marked by two letters only, and text may begin with them.
            Ok(ImageFormat::Bmp) if is_text(bytes) => None,
            Ok(
                format @ (ImageFormat::Jpeg
                | ImageFormat::Png
                | ImageFormat::WebP
                | ImageFormat::Gif
                | ImageFormat::Bmp),
            ) => Some(format),
            _ => None,
        };
        let Some(format) = format else {
            let what = guess_content(bytes);
            return Err(file_error(
                name,
                &format!("is not an image that can be read: it looks like {what}"),
            )
            .help(SUPPORTED_FORMATS));
        };
        let complete = match format {
            // The decoder fills what is missing with grey, without an error.
            ImageFormat::Jpeg => is_complete_jpeg(bytes),
            // The decoder reports a truncated WebP as corrupt.
            ImageFormat::WebP => is_complete_webp(bytes),
            _ => true,
        };
        if !complete {
            return Err(truncated(name, format));
        }
        let (pixels, orientation) = decode(name, bytes, format)?;
        let mut upright = DynamicImage::ImageRgb8(to_rgb(pixels));
        upright.apply_orientation(orientation);
        Ok(DecodedImage {
            pixels: upright.into_rgb8(),
            sha256: hex(&Sha256::digest(bytes)),
        })
    }
}

/// The pixels as the file stores them, and the EXIF orientation.
fn decode(name: &str, bytes: &[u8], format: ImageFormat) -> Result<(DynamicImage, Orientation)> {
    // The GIF decoder does not distinguish a truncated file from other errors, but a complete file ends with a trailer.
    let cut = format == ImageFormat::Gif && bytes.last() != Some(&0x3b);
    let failed = |error: image::ImageError| match error {
        image::ImageError::IoError(io) if io.kind() == IoKind::UnexpectedEof => {
            truncated(name, format)
        }
        image::ImageError::Decoding(_) if cut => truncated(name, format),
        other => undecodable(name, format, other),
    };
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_DECODER_BYTES);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(failed)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(
            file_error(name, &format!("is too large: {width} × {height} pixels")).help(format!(
                "images of up to {} megapixels are read",
                MAX_PIXELS / 1_000_000
            )),
        );
    }
    if width == 0 || height == 0 {
        return Err(file_error(name, "has no pixels"));
    }
    // Damaged EXIF is no reason to reject the pixels.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    if format == ImageFormat::Jpeg {
        let decoded = decode_jpeg::decode(bytes)
            .map_err(|cause| undecodable(name, format, image::ImageError::IoError(cause)))?;
        if let Some(pixels) = decoded {
            return Ok((DynamicImage::ImageRgb8(pixels), orientation));
        }
    }
    let pixels = DynamicImage::from_decoder(decoder).map_err(failed)?;
    Ok((pixels, orientation))
}

/// Converts to 8-bit RGB: alpha is dropped, 16-bit samples keep their high byte.
fn to_rgb(pixels: DynamicImage) -> RgbImage {
    let (width, height) = (pixels.width(), pixels.height());
    let high = |samples: &[u16]| -> Vec<u8> { samples.iter().map(|s| (s >> 8) as u8).collect() };
    let (samples, channels) = match pixels {
        DynamicImage::ImageRgb8(rgb) => return rgb,
        DynamicImage::ImageLuma8(buffer) => (buffer.into_raw(), 1),
        DynamicImage::ImageLumaA8(buffer) => (buffer.into_raw(), 2),
        DynamicImage::ImageRgba8(buffer) => (buffer.into_raw(), 4),
        DynamicImage::ImageLuma16(buffer) => (high(&buffer), 1),
        DynamicImage::ImageLumaA16(buffer) => (high(&buffer), 2),
        DynamicImage::ImageRgb16(buffer) => (high(&buffer), 3),
        DynamicImage::ImageRgba16(buffer) => (high(&buffer), 4),
        other => return other.into_rgb8(),
    };
    let rgb = samples
        .chunks_exact(channels)
        .flat_map(|pixel| match *pixel {
            [grey] | [grey, _] => [grey; 3],
            [red, green, blue, ..] => [red, green, blue],
            [] => [0; 3],
        })
        .collect();
    RgbImage::from_raw(width, height, rgb).unwrap_or_default()
}

/// Whether an end marker follows the start of a JPEG's scan. An embedded thumbnail, which has an end
/// marker of its own, is before the scan in a segment with a length, and inside a scan no marker
/// can occur by chance.
fn is_complete_jpeg(bytes: &[u8]) -> bool {
    let mut rest = bytes.get(2..).unwrap_or_default();
    loop {
        match *rest {
            [0xff, 0xff, ..] => rest = &rest[1..],
            [0xff, 0xda, ref scan @ ..] => return scan.windows(2).any(|two| two == [0xff, 0xd9]),
            // An end before any scan, or bytes between segments: left to the decoder.
            [0xff, 0xd9, ..] => return true,
            [0xff, 0x01 | 0xd0..=0xd7, ..] => rest = &rest[2..],
            [0xff, _, high, low, ..] => {
                let length = 2 + usize::from(u16::from_be_bytes([high, low]));
                match rest.get(length..) {
                    Some(after) => rest = after,
                    None => return false,
                }
            }
            [] | [0xff] | [0xff, _] | [0xff, _, _] => return false,
            _ => return true,
        }
    }
}

/// Whether a WebP is as long as its header says; the byte that pads an odd length may be missing.
fn is_complete_webp(bytes: &[u8]) -> bool {
    let Some(&[a, b, c, d]) = bytes.get(4..8) else {
        return false;
    };
    bytes.len() as u64 + 1 >= 8 + u64::from(u32::from_le_bytes([a, b, c, d]))
}

/// An error about the file `name`: `problem` is the predicate of the sentence.
fn file_error(name: &str, problem: &str) -> Error {
    Error::new(ErrorKind::Image, format!("{name} {problem}"))
}

fn too_many_bytes(name: &str, bytes: u64) -> Error {
    file_error(name, &format!("is too large: {} MiB", bytes >> 20)).help(format!(
        "image files of up to {} MiB are read",
        MAX_BYTES >> 20
    ))
}

fn truncated(name: &str, format: ImageFormat) -> Error {
    file_error(
        name,
        &format!(
            "is truncated: the {} ends before its last pixel",
            format_name(format)
        ),
    )
    .help("copy or download the file again")
}

fn undecodable(name: &str, format: ImageFormat, error: image::ImageError) -> Error {
    match error {
        image::ImageError::Limits(_) => file_error(name, "needs too much memory to decode"),
        _ => file_error(
            name,
            &format!("is a {} that can't be decoded", format_name(format)),
        ),
    }
    .caused_by(error)
}

fn format_name(format: ImageFormat) -> &'static str {
    match format {
        ImageFormat::Jpeg => "JPEG",
        ImageFormat::Png => "PNG",
        ImageFormat::WebP => "WebP",
        ImageFormat::Gif => "GIF",
        ImageFormat::Bmp => "BMP",
        ImageFormat::Tiff => "TIFF",
        ImageFormat::Avif => "AVIF",
        ImageFormat::Ico => "ICO",
        ImageFormat::Pnm => "PNM",
        ImageFormat::Qoi => "QOI",
        _ => "image",
    }
}

/// A description of what an unsupported file seems to be, with an article.
fn guess_content(bytes: &[u8]) -> String {
    let head = &bytes[..bytes.len().min(1024)];
    let begins = |magic: &[u8]| head.starts_with(magic);
    let at_4 = |magic: &[u8]| head.get(4..).is_some_and(|rest| rest.starts_with(magic));
    if is_text(bytes) {
        let text = String::from_utf8_lossy(head).to_lowercase();
        let text = text.trim_start_matches('\u{feff}').trim_start();
        return if text.starts_with("<!doctype html") || text.starts_with("<html") {
            "a web page"
        } else if text.contains("<svg") {
            "an SVG image"
        } else if text.starts_with("version https://git-lfs") {
            "a Git LFS pointer, without the file it points to"
        } else {
            "a text file"
        }
        .to_owned();
    }
    let known: &[(bool, &str)] = &[
        (begins(b"%PDF"), "a PDF"),
        (begins(b"PK\x03\x04"), "a zip archive"),
        (begins(b"\x1f\x8b"), "a gzip archive"),
        (begins(b"8BPS"), "a Photoshop document"),
        (begins(b"\x80\x02"), "a Python pickle"),
        (begins(b"\xff\x0a") || at_4(b"JXL "), "a JPEG XL image"),
        (at_4(b"jP  "), "a JPEG 2000 image"),
        (at_4(b"ftyphei") || at_4(b"ftypmif1"), "an HEIC image"),
    ];
    if let Some((_, what)) = known.iter().find(|(is, _)| *is) {
        return (*what).to_owned();
    }
    if let Ok(format) = image::guess_format(bytes) {
        let article = if matches!(format, ImageFormat::Avif | ImageFormat::Ico) {
            "an"
        } else {
            "a"
        };
        return match format_name(format) {
            "image" => "an image of another format".to_owned(),
            name => format!("{article} {name} image"),
        };
    }
    if at_4(b"ftyp") {
        return "a video".to_owned();
    }
    if bytes.iter().all(|byte| *byte == 0) {
        return "a file of zeros".to_owned();
    }
    "some other binary file".to_owned()
}

/// Whether the beginning is UTF-8 without control characters.
fn is_text(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(1024)];
    let whole = match std::str::from_utf8(head) {
        Ok(text) => text,
        // The last character of `head` may be cut; it is ignored.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !whole.is_empty()
        && whole
            .chars()
            .all(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t' | '\u{c}'))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
