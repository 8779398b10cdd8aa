//! JPEG pixels as libjpeg-turbo makes them, which is what Pillow, and so every published figure,
//! reads: other decoders are up to 5 levels off at a pixel, and a near tie between two classes can
//! fall the other way.

use std::panic::{AssertUnwindSafe, catch_unwind};

use image::RgbImage;
use mozjpeg::{ColorSpace, Decompress};

/// The pixels of a JPEG; `None` for one in CMYK, which the general decoder turns into RGB.
///
/// # Errors
/// In libjpeg's words, if the file can't be decoded.
pub(super) fn decode(bytes: &[u8]) -> Result<Option<RgbImage>, std::io::Error> {
    // libjpeg's errors come as unwinding, which must not leave here.
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
        let said = cause.downcast::<String>().map(|said| *said);
        Err(std::io::Error::other(
            said.unwrap_or_else(|_| "it is corrupt".into()),
        ))
    })
}
