//! Networks as graphs: their operations, shapes, parameters and layers, and how they run forwards and backwards.

pub mod arg;
mod backward;
mod class_spec;
mod file_kind;
pub mod final_activation;
mod fold_batch_norm;
mod forward;
pub mod graph;
pub mod import;
pub mod label_file;
pub mod labels;
pub mod layout;
pub mod node_info;
mod node_values;
pub mod op;
pub mod output_choice;
pub mod random_weights;
pub mod receptive_field;
mod relevance;
pub mod selector;
mod structure;
mod target_value;
mod task;
pub mod weights;
pub mod zoo;

pub use backward::{ReluRule, Tape, gradients};
pub use class_spec::ClassSpec;
pub use forward::Network;
pub use import::pt2;
pub use node_values::NodeValues;
pub use output_choice::OutputChoice;
pub use relevance::{Relevance, RelevanceRule, RelevanceRules};
pub use selector::LayerSelector;
pub use structure::ResidualSum;
pub use target_value::TargetValue;
pub use task::Task;
