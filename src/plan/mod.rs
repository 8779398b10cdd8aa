//! What an experiment means, before anything runs: which networks, weights, layers, classes and images its entries
//! mean. `convscope check` ends with a plan, a run begins with one.
//!
//! A plan is made from a spec's file, or from values for the single steps of a session; a run doesn't distinguish the two.

mod classes;
mod collection;
mod entries;
mod images;
mod layers;
mod models;
mod origin;
mod run_plan;
mod step;

pub use entries::plan_images;
pub use images::{ImageLabel, PlannedImage, TargetRegion};
pub use models::{PlannedModel, WeightsSource, nominal_side};
pub use origin::Origin;
pub use run_plan::Plan;
