//! What several sections show: plain data, in words and formatted numbers, as the templates are given it.

pub mod cell;
pub mod check_note;
pub mod failure;
pub mod image_store;
pub mod layer;
pub mod method;
pub mod method_rows;
pub mod net;
pub mod overview;
pub mod palette;
pub mod photo;
pub mod pixels;
pub mod prediction;
pub mod projections;
pub mod scale;
pub mod share;
pub mod stored_images;
pub mod target;
