//! Images: from a file to the input of a network, and from values to the pixels of a report.

mod colour_map;
mod decode;
mod decode_jpeg;
mod encode;
mod folder;
mod interpolation;
mod mosaic;
mod overlay;
mod preprocess;
mod resize;
mod thumbnail;
mod upsample;
mod value_scale;
mod window;

pub use ::image::RgbImage;
pub use colour_map::ColourMap;
pub use decode::{DecodedImage, MAX_BYTES, MAX_PIXELS};
pub use encode::{data_uri, encode_jpeg, encode_palette_png, encode_rgb_png};
pub use folder::image_paths;
pub use interpolation::Interpolation;
pub use mosaic::{Mosaic, MosaicGrid, channel_mosaic, kernel_mosaic};
pub use overlay::overlay;
pub use preprocess::Preprocess;
pub(crate) use resize::resize;
pub use thumbnail::thumbnail;
pub use upsample::upsample;
pub use value_scale::{NO_VALUE, ValueScale};
pub use window::Window;
