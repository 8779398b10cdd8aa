//! Images: from a file to the input of a network, and from values to the pixels that a reader sees.

mod colour_map;
mod decode;
mod encode;
mod folder;
mod jpeg;
mod mosaic;
mod overlay;
mod preprocess;
mod resize;
mod thumbnail;
mod value_scale;
mod window;

pub use ::image::RgbImage;
pub use colour_map::ColourMap;
pub use decode::{MAX_BYTES, MAX_PIXELS, Photo};
pub use encode::{data_uri, jpeg, palette_png, rgb_png};
pub use folder::photo_paths;
pub use mosaic::{Grid, Mosaic, channels, kernels};
pub use overlay::{enlarge, overlay};
pub use preprocess::{Interpolation, Preprocess};
pub(crate) use resize::resize;
pub use thumbnail::patch;
pub use value_scale::{NO_VALUE, Scale, to_indices};
pub use window::Window;
