//! Resolves an experiment before anything runs: the networks, weights, layers, classes and images that its entries
//! name. `convscope check` only makes a plan; a run executes one.
//!
//! A plan is made from a spec, or from values for the single steps of a session. A run does not distinguish the two.

mod class_names;
mod classes;
mod collection;
mod image_entry;
mod label_rows;
mod layers;
mod models;
mod plan_images;
mod planned_image;
mod preprocess;
mod references;
mod run_plan;
mod shard_entry;
mod shard_paths;
mod single_step;
mod spec_origin;
mod task;
mod weights_source;
mod zoo_network;

pub use class_names::class_count;
pub use models::{Architecture, PlannedModel};
pub use plan_images::plan_images;
pub use planned_image::{FileLine, ImageLabel, PlannedImage, TargetRegion};
pub use preprocess::AssumedPreprocess;
pub use references::PlannedReference;
pub use run_plan::{Plan, PlannedImages};
pub use spec_origin::Origin;
pub use weights_source::WeightsSource;
pub use zoo_network::ZooNetwork;
