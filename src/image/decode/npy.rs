//! Decodes an array of NumPy (`.npy`): height × width, or height × width × bands.
//!
//! The crate `npyz` brings a parser generator, big integers and a build script for a header of three keys, and multiplies the
//! sides of a hostile file without a check; with `ndarray-npy`, the type and the number of axes have to be known before.

use half::f16;

use super::fault::{check_samples, file_error, truncated, wrong_bands};
use crate::error::Result;
use crate::image::bands::{Bands, Samples};
use crate::image::limits::MAX_BANDS;

const MAGIC: &[u8] = b"\x93NUMPY";

/// The longest header, which is that of NumPy.
const MAX_HEADER: usize = 10_000;

const FORMAT: &str = "NumPy array";

/// Whether these are the bytes of a NumPy array.
pub(super) fn is_array(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// The bands of an array.
pub(super) fn decode(name: &str, bytes: &[u8]) -> Result<Bands> {
    let wrong = |what: &str| file_error(name, &format!("is a {FORMAT} with {what}"));
    let (header, values) = split(bytes).ok_or_else(|| truncated(name, FORMAT))?;
    let Some(header) = Header::parse(header) else {
        return Err(wrong("a header that can't be read")
            .help("`numpy.save(path, array)` writes arrays that can be read"));
    };
    let shape = describe(&header.shape);
    let sides = match header.shape[..] {
        [height, width] => Some([height, width, 1]),
        [height, width, count] if count <= MAX_BANDS as u64 => Some([height, width, count]),
        _ => None,
    };
    let Some([height, width, count]) = sides else {
        return Err(wrong(&format!("the shape {shape}")).help(format!(
            "an image is an array of height × width, or of height × width × bands (at most {MAX_BANDS})"
        )));
    };
    if is_bands_first(&header.shape) {
        return Err(
            wrong(&format!("the shape {shape}, which looks like bands × height × width")).help(
                "an image is an array of height × width × bands, and `numpy.moveaxis(array, 0, -1)` makes it of this one",
            ),
        );
    }
    if count == 0 {
        return Err(file_error(name, "has no bands"));
    }
    let narrow = |side: u64| u32::try_from(side).unwrap_or(u32::MAX);
    let (size, count) = ((narrow(width), narrow(height)), count as usize);
    check_samples(name, size, count)?;
    let area = size.0 as usize * size.1 as usize;
    let Some((kind, width)) = header.kind() else {
        let kind = header.descr.escape_default();
        return Err(wrong(&format!("values of the type `{kind}`")).help(
            "values are booleans, integers or floats; `array.astype(\"float32\")` makes floats",
        ));
    };
    let Some(values) = values.get(..area * count * width) else {
        return Err(truncated(name, FORMAT));
    };
    let samples = header.samples(kind, values, size, count);
    Bands::new(size, count, false, samples).map_err(|error| wrong_bands(name, FORMAT, error))
}

/// Whether an array of three axes is bands × height × width: few planes of rows longer than any number of bands of a picture.
fn is_bands_first(shape: &[u64]) -> bool {
    matches!(*shape, [first, second, third] if first <= 16 && second > 16 && third > 16)
}

fn describe(shape: &[u64]) -> String {
    let sides: Vec<String> = shape.iter().map(u64::to_string).collect();
    format!("[{}]", sides.join(", "))
}

/// The header's text and the values after it; `None` if the file ends before.
fn split(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let major = *bytes.get(6)?;
    let (begin, length) = if major == 1 {
        let length = u16::from_le_bytes(bytes.get(8..10)?.try_into().ok()?);
        (10, usize::from(length))
    } else {
        let length = u32::from_le_bytes(bytes.get(8..12)?.try_into().ok()?);
        (12, length as usize)
    };
    let (header, values) = bytes.get(begin..)?.split_at_checked(length)?;
    // A header that is no text has no keys either, which is another error than a truncated file.
    let header = std::str::from_utf8(header).unwrap_or_default();
    Some((header.get(..MAX_HEADER).unwrap_or(header), values))
}

/// What the header says of the values.
struct Header {
    /// The type as NumPy writes it, such as `<f4`; empty for a structured one.
    descr: String,
    /// Whether the first axis is the fastest one.
    is_fortran: bool,
    shape: Vec<u64>,
}

/// A type of values.
#[derive(Clone, Copy)]
enum Kind {
    Boolean,
    Unsigned,
    Signed,
    Float,
}

impl Header {
    /// Reads a Python dictionary such as `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`.
    fn parse(text: &str) -> Option<Header> {
        let after = |key: &str| {
            let (_, rest) = text.split_once(&format!("'{key}'"))?;
            Some(rest.trim_start().strip_prefix(':')?.trim_start())
        };
        let descr = after("descr")?.strip_prefix('\'');
        let descr = descr.and_then(|rest| Some(rest.split_once('\'')?.0));
        let order = after("fortran_order")?;
        let is_fortran = order.starts_with("True");
        if !is_fortran && !order.starts_with("False") {
            return None;
        }
        let (sides, _) = after("shape")?.strip_prefix('(')?.split_once(')')?;
        let sides = sides.split(',').map(str::trim);
        let sides = sides.filter(|side| !side.is_empty());
        Some(Header {
            descr: descr.unwrap_or_default().to_owned(),
            is_fortran,
            shape: sides.map(|side| side.parse().ok()).collect::<Option<_>>()?,
        })
    }

    /// The type of the values and its bytes.
    fn kind(&self) -> Option<(Kind, usize)> {
        let code = self.descr.get(1..)?;
        let (kind, width) = (code.get(..1)?, code.get(1..)?.parse().ok()?);
        let kind = match (kind, width) {
            ("b", 1) => Kind::Boolean,
            ("u", 1 | 2 | 4 | 8) => Kind::Unsigned,
            ("i", 1 | 2 | 4 | 8) => Kind::Signed,
            ("f", 2 | 4 | 8) => Kind::Float,
            _ => return None,
        };
        Some((kind, width))
    }

    /// The samples, band by band.
    fn samples(&self, kind: Kind, values: &[u8], size: (u32, u32), count: usize) -> Samples {
        let (width, height) = (size.0 as usize, size.1 as usize);
        let is_big = self.descr.starts_with('>');
        // Where a sample is among the values.
        let place = |index: usize| {
            let (band, pixel) = (index / (width * height), index % (width * height));
            if self.is_fortran {
                let (x, y) = (pixel % width, pixel / width);
                (band * width + x) * height + y
            } else {
                pixel * count + band
            }
        };
        let all = 0..width * height * count;
        macro_rules! read {
            ($number:ty, $to:expr) => {{
                const BYTES: usize = size_of::<$number>();
                let values = values.as_chunks::<BYTES>().0;
                let one = |index| {
                    let bytes = values[place(index)];
                    let value = if is_big {
                        <$number>::from_be_bytes(bytes)
                    } else {
                        <$number>::from_le_bytes(bytes)
                    };
                    $to(value)
                };
                all.map(one).collect()
            }};
        }
        macro_rules! share {
            ($number:ty) => {
                Samples::Float(read!($number, |value: $number| {
                    (value as f64 / <$number>::MAX as f64) as f32
                }))
            };
        }
        match (kind, values.len() / (width * height * count)) {
            (Kind::Boolean, _) => Samples::Bits8(read!(u8, |value: u8| 255 * u8::from(value != 0))),
            (Kind::Unsigned, 1) => Samples::Bits8(read!(u8, |value: u8| value)),
            (Kind::Unsigned, 2) => Samples::Bits16(read!(u16, |value: u16| value)),
            (Kind::Unsigned, 4) => share!(u32),
            (Kind::Unsigned, _) => share!(u64),
            (Kind::Signed, 1) => share!(i8),
            (Kind::Signed, 2) => share!(i16),
            (Kind::Signed, 4) => share!(i32),
            (Kind::Signed, _) => share!(i64),
            (Kind::Float, 2) => Samples::Float(read!(f16, |value: f16| value.to_f32())),
            (Kind::Float, 4) => Samples::Float(read!(f32, |value: f32| value)),
            (Kind::Float, _) => Samples::Float(read!(f64, |value: f64| value as f32)),
        }
    }
}
