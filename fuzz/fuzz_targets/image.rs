//! Any bytes as an image.
#![no_main]

use convscope::image::DecodedImage;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = DecodedImage::from_bytes("image", bytes);
});
