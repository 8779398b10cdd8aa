//! Images: from a file to the input of a network, and from values to the pixels of a report.

mod bands;
mod colour_map;
mod corruption;
mod decode;
mod drawing;
mod encode;
mod folder;
mod image_file;
mod interpolation;
mod limits;
mod mosaic;
mod overlay;
mod preprocess;
mod resize;
mod shard;
mod thumbnail;
mod upsample;
mod value_scale;
mod view;
mod window;

pub use ::image::RgbImage;
pub use bands::{Bands, Samples};
pub use colour_map::ColourMap;
pub use corruption::{Corruption, SEVERITIES};
pub use decode::DecodedImage;
pub use drawing::Drawing;
pub use encode::{
    data_uri, encode_jpeg, encode_palette_png, encode_rgb_png, encode_transparent_png,
};
pub use folder::{image_paths, is_image_name};
pub use image_file::{FilePart, ImageFile};
pub use interpolation::Interpolation;
pub use limits::{MAX_BANDS, MAX_BYTES, MAX_PIXELS};
pub use mosaic::{Mosaic, MosaicGrid, channel_mosaic, kernel_mosaic};
pub use overlay::overlay;
pub use preprocess::Preprocess;
pub(crate) use resize::resize;
pub(crate) use shard::{ShardImage, shard_images};
pub use thumbnail::thumbnail;
pub use upsample::upsample;
pub use value_scale::{NO_VALUE, ValueScale};
pub use view::View;
pub use window::Window;
