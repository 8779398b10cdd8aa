//! How large images may be.

/// The largest file that is read: 64 MiB.
pub const MAX_BYTES: u64 = 64 << 20;

/// The largest number of pixels that is decoded: 100 megapixels.
pub const MAX_PIXELS: u64 = 100_000_000;

/// The most bands that an image may have.
pub const MAX_BANDS: usize = 1024;

/// The most samples of all bands together: 2²⁸, which are 1 GiB as float.
pub(super) const MAX_SAMPLES: u64 = 1 << 28;
