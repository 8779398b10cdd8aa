//! Pictures: from a file to what a network is fed, and from numbers to what a reader sees.

mod colour;
mod encode;
mod folder;
mod jpeg;
mod mosaic;
mod overlay;
mod patch;
mod photo;
mod preprocess;
mod resize;
mod scale;

pub use ::image::RgbImage;
pub use colour::ColourMap;
pub use encode::{data_uri, jpeg, palette_png, rgb_png};
pub use folder::photo_paths;
pub use mosaic::{Grid, Mosaic, channels, kernels};
pub use overlay::{enlarge, overlay};
pub use patch::patch;
pub use photo::{MAX_BYTES, MAX_PIXELS, Photo};
pub use preprocess::{Interpolation, Preprocess};
pub(crate) use resize::resize;
pub use scale::{NO_VALUE, Scale, to_indices};
