//! The experiment file: YAML in, a typed [`ExperimentSpec`] out, and every error with its file, line and column.
//!
//! [`SpecFile::parse`] takes three steps: `spec_text` parses the YAML and keeps the positions of its values,
//! `deserialize` reads the types, `validate` checks ranges and names. `overrides` changes the text before that, and `recovery`
//! leaves out what can't be read, so that all mistakes are reported at once.

mod collection_spec;
mod deserialize;
mod experiment;
mod ids;
mod image_spec;
mod language;
mod library_faults;
mod library_network;
mod model_spec;
mod one_or_many;
mod overrides;
mod parser_agreement;
mod precision_spec;
mod preprocess_spec;
mod recovery;
mod schema_parts;
mod serde_message;
mod spec_file;
mod spec_text;
mod text_error;
mod validate;
mod yaml_parser;
mod yaml_tree;

pub use collection_spec::CollectionSpec;
pub use experiment::{ExperimentSpec, LockSpec, MaxSize, OversizeAction};
pub use ids::{id_from_path, id_from_text, is_valid_id, unique_ids};
pub use image_spec::ImageSpec;
pub use language::Lang;
pub use library_network::{Library, LibraryNetwork, LibraryWeights};
pub use model_spec::ModelSpec;
pub use precision_spec::PrecisionSpec;
pub use preprocess_spec::{PixelLength, PreprocessPreset, PreprocessSpec};
pub use spec_file::SpecFile;
pub use validate::validate_values;
pub use yaml_tree::PathStep;

/// A spec with an explanation of every key, which `convscope init` writes.
pub const TEMPLATE: &str = include_str!("template.yaml");

/// The JSON schema of an experiment file, for editors and for `convscope schema`.
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(ExperimentSpec);
    schema.insert("title".into(), "convscope experiment".into());
    schema.to_value()
}
