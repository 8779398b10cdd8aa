//! From a file to upright RGB pixels, or to a message that says what is wrong with the file.

use std::fs::File;
use std::io::{Cursor, ErrorKind as IoKind, Read};
use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbImage};
use sha2::{Digest, Sha256};

use super::jpeg;
use crate::error::{Error, ErrorKind, Result};

/// The largest file that is read: 64 MiB.
pub const MAX_BYTES: u64 = 64 << 20;

/// The most pixels that are decoded: 100 megapixels.
pub const MAX_PIXELS: u64 = 100_000_000;

/// What a decoder may allocate: the largest picture at 16 bits and four channels, and some.
const MAX_DECODER_BYTES: u64 = 1 << 30;

const READS: &str = "convscope reads JPEG, PNG, WebP, GIF and BMP";

/// A decoded picture, upright.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Photo {
    pub pixels: RgbImage,
    /// Of the file, in hexadecimal.
    pub sha256: String,
}

impl Photo {
    /// Reads and decodes a file. Its content decides what it is, not its name.
    ///
    /// Every error is of the kind `Picture` and names the path: a file that is missing, a folder,
    /// empty, larger than [`MAX_BYTES`] or [`MAX_PIXELS`], truncated, or no picture.
    pub fn open(path: &Path) -> Result<Photo> {
        let name = path.display().to_string();
        let failed = |cause: std::io::Error| match cause.kind() {
            IoKind::NotFound => refuse(&name, "doesn't exist"),
            _ => Error::new(ErrorKind::Picture, format!("can't read {name}")).because(cause),
        };
        // Asked before opening: opening a pipe would wait for its other end.
        let metadata = std::fs::metadata(path).map_err(failed)?;
        if metadata.is_dir() {
            return Err(refuse(&name, "is a folder, not a picture")
                .help("`dir:` takes every picture below a folder"));
        }
        if !metadata.is_file() {
            return Err(refuse(&name, "is not a regular file"));
        }
        if metadata.len() > MAX_BYTES {
            return Err(too_heavy(&name, metadata.len()));
        }
        let mut bytes = Vec::with_capacity(metadata.len() as usize);
        // One byte more than allowed, so that a file that grew meanwhile is found out below.
        File::open(path)
            .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
            .map_err(failed)?;
        Photo::from_bytes(&name, &bytes)
    }

    /// Decodes a picture that is in memory; `name` stands in the errors.
    ///
    /// Alpha is dropped, not blended, and 16-bit samples keep their high byte. Of an animation the
    /// first frame is taken. CMYK in a JPEG is taken as Adobe writes it, inverted.
    pub fn from_bytes(name: &str, bytes: &[u8]) -> Result<Photo> {
        if bytes.is_empty() {
            return Err(refuse(name, "is empty"));
        }
        if bytes.len() as u64 > MAX_BYTES {
            return Err(too_heavy(name, bytes.len() as u64));
        }
        let format = match image::guess_format(bytes) {
            // Two letters are all that marks a BMP, and text may begin with them.
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
            let what = looks_like(bytes);
            return Err(refuse(
                name,
                &format!("is not a picture that can be read: it looks like {what}"),
            )
            .help(READS));
        };
        let ends = match format {
            // The decoder paints what is missing grey and says nothing.
            ImageFormat::Jpeg => jpeg_ends(bytes),
            // Its header says how much follows; the decoder calls what is missing corrupt.
            ImageFormat::WebP => webp_ends(bytes),
            _ => true,
        };
        if !ends {
            return Err(truncated(name, format));
        }
        let (pixels, orientation) = decode(name, bytes, format)?;
        let mut upright = DynamicImage::ImageRgb8(to_rgb(pixels));
        upright.apply_orientation(orientation);
        Ok(Photo {
            pixels: upright.into_rgb8(),
            sha256: hex(&Sha256::digest(bytes)),
        })
    }
}

/// The pixels as the file has them, and how to turn them upright.
fn decode(name: &str, bytes: &[u8], format: ImageFormat) -> Result<(DynamicImage, Orientation)> {
    // The GIF decoder doesn't tell an end from other errors, but a whole file ends in its trailer.
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
            refuse(name, &format!("is too large: {width} × {height} pixels")).help(format!(
                "pictures of up to {} megapixels are read",
                MAX_PIXELS / 1_000_000
            )),
        );
    }
    if width == 0 || height == 0 {
        return Err(refuse(name, "has no pixels"));
    }
    // Spoilt EXIF is no reason to refuse the pixels.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    if format == ImageFormat::Jpeg {
        let decoded = jpeg::decode(bytes)
            .map_err(|cause| undecodable(name, format, image::ImageError::IoError(cause)))?;
        if let Some(pixels) = decoded {
            return Ok((DynamicImage::ImageRgb8(pixels), orientation));
        }
    }
    let pixels = DynamicImage::from_decoder(decoder).map_err(failed)?;
    Ok((pixels, orientation))
}

/// RGB without blending, and 16 bits to 8 by the high byte.
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

/// Whether a JPEG's end marker comes after the start of its scan. Thumbnails, which have an end of
/// their own, stand before the scan in segments with a length, and inside a scan no marker can
/// occur by chance.
fn jpeg_ends(bytes: &[u8]) -> bool {
    let mut rest = bytes.get(2..).unwrap_or_default();
    loop {
        match *rest {
            [0xff, 0xff, ..] => rest = &rest[1..],
            [0xff, 0xda, ref scan @ ..] => return scan.windows(2).any(|two| two == [0xff, 0xd9]),
            // An end before any scan, or bytes between segments: for the decoder to judge.
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

/// Whether a WebP is as long as its header says; the byte that pads an odd length is forgiven.
fn webp_ends(bytes: &[u8]) -> bool {
    let Some(&[a, b, c, d]) = bytes.get(4..8) else {
        return false;
    };
    bytes.len() as u64 + 1 >= 8 + u64::from(u32::from_le_bytes([a, b, c, d]))
}

fn refuse(name: &str, what: &str) -> Error {
    Error::new(ErrorKind::Picture, format!("{name} {what}"))
}

fn too_heavy(name: &str, bytes: u64) -> Error {
    refuse(name, &format!("is too large: {} MiB", bytes >> 20)).help(format!(
        "picture files of up to {} MiB are read",
        MAX_BYTES >> 20
    ))
}

fn truncated(name: &str, format: ImageFormat) -> Error {
    refuse(
        name,
        &format!(
            "is truncated: the {} ends before its picture does",
            word(format)
        ),
    )
    .help("copy or download the file again")
}

fn undecodable(name: &str, format: ImageFormat, error: image::ImageError) -> Error {
    match error {
        image::ImageError::Limits(_) => refuse(name, "needs too much memory to decode"),
        _ => refuse(
            name,
            &format!("is a {} that can't be decoded", word(format)),
        ),
    }
    .because(error)
}

fn word(format: ImageFormat) -> &'static str {
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
        _ => "picture",
    }
}

/// What a file that can't be read seems to be, with its article.
fn looks_like(bytes: &[u8]) -> String {
    let head = &bytes[..bytes.len().min(1024)];
    let begins = |magic: &[u8]| head.starts_with(magic);
    let at_4 = |magic: &[u8]| head.get(4..).is_some_and(|rest| rest.starts_with(magic));
    if is_text(bytes) {
        let text = String::from_utf8_lossy(head).to_lowercase();
        let text = text.trim_start_matches('\u{feff}').trim_start();
        return if text.starts_with("<!doctype html") || text.starts_with("<html") {
            "a web page"
        } else if text.contains("<svg") {
            "an SVG drawing"
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
        (begins(b"\xff\x0a") || at_4(b"JXL "), "a JPEG XL picture"),
        (at_4(b"jP  "), "a JPEG 2000 picture"),
        (at_4(b"ftyphei") || at_4(b"ftypmif1"), "an HEIC picture"),
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
        return match word(format) {
            "picture" => "a picture of another format".to_owned(),
            word => format!("{article} {word} picture"),
        };
    }
    if at_4(b"ftyp") {
        return "a video".to_owned();
    }
    if bytes.iter().all(|byte| *byte == 0) {
        return "nothing but zeros".to_owned();
    }
    "some other binary file".to_owned()
}

/// Whether the beginning is UTF-8 without control characters.
fn is_text(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(1024)];
    let whole = match std::str::from_utf8(head) {
        Ok(text) => text,
        // A character cut at the end of what is looked at doesn't count.
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
