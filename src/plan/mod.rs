//! What an experiment means, before anything runs: which networks, weights, layers, classes and images its entries
//! mean. `convscope check` ends with a plan, a run begins with one.
//!
//! A plan is made from a spec's file, or from values for the single steps of a session; a run doesn't distinguish the two.

mod classes;
mod collection;
mod layers;
mod models;
mod plan_images;
mod planned_image;
mod run_plan;
mod single_step;
mod spec_origin;

pub use models::{PlannedModel, WeightsSource, nominal_side};
pub use plan_images::plan_images;
pub use planned_image::{ImageLabel, PlannedImage, TargetRegion};
pub use run_plan::Plan;
pub use spec_origin::Origin;
