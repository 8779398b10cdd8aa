//! Decodes a JPEG with libjpeg's arithmetic, as Pillow does, with which published accuracies are measured. Other
//! decoders differ by up to 5 levels at a pixel, which can change the order of two close logits.

use std::panic::{AssertUnwindSafe, catch_unwind};

use image::RgbImage;
use mozjpeg::{ColorSpace, Decompress};

/// The pixels of a JPEG; `None` for one in CMYK, which the general decoder converts to RGB.
///
/// # Errors
/// If the file can't be decoded, with libjpeg's message.
pub(super) fn decode(bytes: &[u8]) -> Result<Option<RgbImage>, std::io::Error> {
    // mozjpeg reports libjpeg's errors by unwinding, which must not leave this function.
    let decoded = catch_unwind(AssertUnwindSafe(|| {
        let decompress = Decompress::new_mem(bytes)?;
        if matches!(
            decompress.color_space(),
            ColorSpace::JCS_CMYK | ColorSpace::JCS_YCCK
        ) {
            return Ok(None);
        }
        let mut started = decompress.rgb()?;
        let (width, height) = (started.width(), started.height());
        let pixels: Vec<[u8; 3]> = started.read_scanlines()?;
        started.finish()?;
        let size = (u32::try_from(width), u32::try_from(height));
        Ok(match size {
            (Ok(width), Ok(height)) => RgbImage::from_raw(width, height, pixels.into_flattened()),
            _ => None,
        })
    }));
    decoded.unwrap_or_else(|cause| {
        let message = cause.downcast::<String>().map(|message| *message);
        Err(std::io::Error::other(
            message.unwrap_or_else(|_| "it is corrupt".into()),
        ))
    })
}

/// Whether an end marker follows the start of a JPEG's scan. An embedded thumbnail, which has an end
/// marker of its own, is before the scan in a segment with a length, and inside a scan no marker
/// can occur by chance.
pub(super) fn is_complete(bytes: &[u8]) -> bool {
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
