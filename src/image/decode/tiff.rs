//! Decodes the first page of a TIFF: bands of integers or floats, in strips or tiles, together or in planes of their own.

use std::io::{Cursor, ErrorKind as IoKind};
use std::panic::{AssertUnwindSafe, catch_unwind};

use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::tags::{PhotometricInterpretation as Photometric, PlanarConfiguration, Tag};
use tiff::{ColorType, TiffError};

use super::decoded::Decoded;
use super::fault::{check_samples, file_error, truncated, undecodable, wrong_bands};
use crate::error::{Error, Result};
use crate::image::bands::{Bands, Samples};
use crate::image::limits::MAX_BANDS;

/// The memory that a decoder may allocate for an image.
const MAX_DECODER_BYTES: usize = 1 << 30;

/// Whether these are the bytes of a TIFF, also of one beyond 4 GiB ("BigTIFF").
pub(super) fn is_tiff(bytes: &[u8]) -> bool {
    let starts = [b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"];
    starts.iter().any(|start| bytes.starts_with(*start))
}

/// The samples of a file; the picture alone for three colours of 8 bits.
pub(super) fn decode(name: &str, bytes: &[u8]) -> Result<Decoded> {
    // The decoder asserts some of what it expects of a file.
    let decoded = catch_unwind(AssertUnwindSafe(|| decode_page(name, bytes)));
    decoded.unwrap_or_else(|_| Err(undecodable(name, "TIFF", "it is corrupt")))
}

fn decode_page(name: &str, bytes: &[u8]) -> Result<Decoded> {
    let failed = |error: TiffError| fault(name, error);
    let page = Page::read(name, bytes)?;
    let mut decoder = open(bytes).map_err(failed)?;
    let is_whole = decoder.colortype().map_err(failed)?.num_samples() as usize == page.count;
    let rewritten;
    if !is_whole {
        // The decoder leaves out the bands beyond the three colours. As a grey page it has all of them.
        rewritten =
            as_grey(bytes).ok_or_else(|| undecodable(name, "TIFF", "its tags are broken"))?;
        decoder = open(&rewritten).map_err(failed)?;
    }
    let mut values = DecodingResult::U8(Vec::new());
    decoder.read_image_to_buffer(&mut values).map_err(failed)?;
    page.bands(name, values)
}

fn open(bytes: &[u8]) -> std::result::Result<Decoder<Cursor<&[u8]>>, TiffError> {
    let mut limits = Limits::default();
    limits.decoding_buffer_size = MAX_DECODER_BYTES;
    limits.intermediate_buffer_size = MAX_DECODER_BYTES;
    Ok(Decoder::new(Cursor::new(bytes))?.with_limits(limits))
}

/// What the tags say of the first page.
struct Page {
    size: (u32, u32),
    /// How many bands it has.
    count: usize,
    has_alpha: bool,
    /// Bits of a sample.
    bits: u8,
    /// Whether the colours are luma and two differences of colours.
    is_ycbcr: bool,
    /// Whether each band is a plane of its own.
    is_planar: bool,
    /// How the page is turned, 1 (upright) to 8, as in EXIF.
    orientation: u16,
}

impl Page {
    fn read(name: &str, bytes: &[u8]) -> Result<Page> {
        let failed = |error: TiffError| fault(name, error);
        let mut decoder = open(bytes).map_err(failed)?;
        let size = decoder.dimensions().map_err(failed)?;
        let number = |decoder: &mut Decoder<_>, tag, default| -> Result<u16> {
            let found = decoder.find_tag_unsigned(tag).map_err(failed)?;
            Ok(found.unwrap_or(default))
        };
        let count = usize::from(number(&mut decoder, Tag::SamplesPerPixel, 1)?);
        let photometric = number(&mut decoder, Tag::PhotometricInterpretation, 1)?;
        let photometric = Photometric::from_u16(photometric);
        let colour = match photometric {
            Some(Photometric::CMYK) => Some("CMYK"),
            Some(Photometric::RGBPalette) => Some("a palette"),
            Some(Photometric::CIELab | Photometric::IccLab | Photometric::ItuLab) => Some("Lab"),
            Some(Photometric::TransparencyMask) => Some("a mask of transparency"),
            _ => None,
        };
        if let Some(colour) = colour {
            let problem = format!("is a TIFF with the colours of {colour}");
            return Err(file_error(name, &problem).help("save it in RGB, or in grey"));
        }
        if count == 0 {
            return Err(file_error(name, "has no bands"));
        }
        if count > MAX_BANDS {
            let problem = format!("has {count} bands; at most {MAX_BANDS} are read");
            return Err(file_error(name, &problem));
        }
        check_samples(name, size, count)?;
        let color = decoder.colortype().map_err(failed)?;
        let extra: Vec<u16> = decoder
            .find_tag_unsigned_vec(Tag::ExtraSamples)
            .map_err(failed)?
            .unwrap_or_default();
        // 1 and 2 are opacity, with which the colours are multiplied or not; 0 is any other band.
        let is_opacity = match extra[..] {
            [] => matches!(color, ColorType::RGBA(_)),
            [.., last] => matches!(last, 1 | 2),
        };
        let planar = number(&mut decoder, Tag::PlanarConfiguration, 1)?;
        Ok(Page {
            size,
            count,
            has_alpha: is_opacity && matches!(count, 2 | 4),
            bits: color.bit_depth(),
            is_ycbcr: matches!(color, ColorType::YCbCr(_)),
            is_planar: planar == PlanarConfiguration::Planar.to_u16() && count > 1,
            orientation: number(&mut decoder, Tag::Orientation, 1)?,
        })
    }

    /// The bands, upright, of the decoder's values.
    fn bands(&self, name: &str, values: DecodingResult) -> Result<Decoded> {
        let share = |values: Vec<f64>, most: f64| {
            let values = values.into_iter();
            Samples::Float(values.map(|value| (value / most) as f32).collect())
        };
        let samples = match values {
            DecodingResult::U8(values) if self.bits < 8 => Samples::Bits8(self.unpacked(&values)),
            DecodingResult::U8(values) if self.is_ycbcr => {
                Samples::Bits8(rgb_of_ycbcr(&values, self.is_planar))
            }
            _ if self.is_ycbcr || self.bits < 8 => {
                return Err(undecodable(
                    name,
                    "TIFF",
                    "its samples are of an unknown kind",
                ));
            }
            DecodingResult::U8(values) => Samples::Bits8(values),
            DecodingResult::U16(values) => Samples::Bits16(values),
            DecodingResult::F16(values) => {
                Samples::Float(values.into_iter().map(|value| value.to_f32()).collect())
            }
            DecodingResult::F32(values) => Samples::Float(values),
            DecodingResult::F64(values) => share(values, 1.0),
            DecodingResult::U32(v) => {
                share(v.into_iter().map(f64::from).collect(), u32::MAX.into())
            }
            DecodingResult::I8(v) => share(v.into_iter().map(f64::from).collect(), i8::MAX.into()),
            DecodingResult::I16(v) => {
                share(v.into_iter().map(f64::from).collect(), i16::MAX.into())
            }
            DecodingResult::I32(v) => {
                share(v.into_iter().map(f64::from).collect(), i32::MAX.into())
            }
            DecodingResult::U64(v) => {
                share(v.into_iter().map(|v| v as f64).collect(), u64::MAX as f64)
            }
            DecodingResult::I64(v) => {
                share(v.into_iter().map(|v| v as f64).collect(), i64::MAX as f64)
            }
        };
        let (size, count) = (self.size, self.count);
        let bands = if self.is_planar {
            Bands::new(size, count, self.has_alpha, samples)
        } else {
            Bands::from_interleaved(size, count, self.has_alpha, samples)
        };
        let bands = bands.map_err(|error| wrong_bands(name, "TIFF", error))?;
        let bands = bands.turned(self.orientation);
        Ok(match bands.to_rgb() {
            Some(pixels) => Decoded::Rgb(pixels),
            None => Decoded::Bands(bands),
        })
    }

    /// Samples of 1, 2 or 4 bits as 0 to 255. Each row begins with a byte.
    fn unpacked(&self, packed: &[u8]) -> Vec<u8> {
        let bits = usize::from(self.bits);
        let in_row = self.size.0 as usize * if self.is_planar { 1 } else { self.count };
        let most = ((1u16 << bits) - 1) as u8;
        let row = (in_row * bits).div_ceil(8);
        let rows = packed.chunks_exact(row.max(1));
        rows.flat_map(|row| {
            (0..in_row).map(move |index| {
                let (byte, shift) = (index * bits / 8, 8 - bits - index * bits % 8);
                ((row[byte] >> shift) & most) * (255 / most)
            })
        })
        .collect()
    }
}

/// RGB of YCbCr, both of 8 bits, with the coefficients of JPEG.
fn rgb_of_ycbcr(values: &[u8], is_planar: bool) -> Vec<u8> {
    let convert = |[y, cb, cr]: [u8; 3]| {
        let (y, cb, cr) = (f32::from(y), f32::from(cb) - 128.0, f32::from(cr) - 128.0);
        let colours = [
            y + 1.402 * cr,
            y - 0.344_136 * cb - 0.714_136 * cr,
            y + 1.772 * cb,
        ];
        colours.map(|colour| colour.round().clamp(0.0, 255.0) as u8)
    };
    if !is_planar {
        let pixels = values.as_chunks::<3>().0.iter();
        return pixels.flat_map(|pixel| convert(*pixel)).collect();
    }
    let area = values.len() / 3;
    let mut rgb = values.to_vec();
    for index in 0..area {
        let places = [index, area + index, 2 * area + index];
        for (place, colour) in places.into_iter().zip(convert(places.map(|at| values[at]))) {
            rgb[place] = colour;
        }
    }
    rgb
}

/// The file with its first page marked as grey (0 is black) instead of coloured; `None` if the tag isn't where it must be.
fn as_grey(bytes: &[u8]) -> Option<Vec<u8>> {
    const PHOTOMETRIC: u16 = 262;
    let is_big_endian = bytes.starts_with(b"MM");
    let number = |at: usize, length: usize| -> Option<u64> {
        let bytes = bytes.get(at..at.checked_add(length)?)?;
        let shift = |sum: u64, byte: &u8| (sum << 8) | u64::from(*byte);
        Some(if is_big_endian {
            bytes.iter().fold(0, shift)
        } else {
            bytes.iter().rev().fold(0, shift)
        })
    };
    let is_large = number(2, 2)? == 43;
    // The lengths of an offset, of the number of entries and of an entry.
    let (first, offset, counted, entry) = if is_large {
        (8, 8, 8, 20)
    } else {
        (4, 4, 2, 12)
    };
    let page = usize::try_from(number(first, offset)?).ok()?;
    let entries = usize::try_from(number(page, counted)?).ok()?;
    let begin = page.checked_add(counted)?;
    let entries = (0..entries.min(4096)).map(|index| begin + index * entry);
    let found = { entries }.find(|at| number(*at, 2) == Some(PHOTOMETRIC.into()))?;
    let mut grey = bytes.to_vec();
    let value = found + entry - offset;
    let one = if is_big_endian { [0, 1] } else { [1, 0] };
    grey.get_mut(value..value + 2)?.copy_from_slice(&one);
    Some(grey)
}

fn fault(name: &str, error: TiffError) -> Error {
    match error {
        TiffError::IoError(cause) if cause.kind() == IoKind::UnexpectedEof => {
            truncated(name, "TIFF")
        }
        TiffError::LimitsExceeded => {
            file_error(name, "needs too much memory to decode").caused_by(error)
        }
        TiffError::UnsupportedError(_) => {
            let problem = "is a TIFF of a kind that can't be decoded";
            file_error(name, problem).caused_by(error).help(
                "save it without compression or with Deflate or LZW, with 8, 16 or 32 bits a sample",
            )
        }
        _ => undecodable(name, "TIFF", error),
    }
}
