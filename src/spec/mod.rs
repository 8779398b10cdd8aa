//! YAML in, typed experiment out; every error with file, line and column.

mod build;
mod check;
mod collection;
mod experiment;
mod file;
mod ids;
mod overrides;
mod read;
mod shorthand;
mod source;

pub use check::check_values;
pub use collection::CollectionSpec;
pub use experiment::{
    Experiment, ImageSpec, Lang, Lock, MaxSize, ModelSpec, Over, PreprocessSpec, SizeOrNone,
};
pub use file::SpecFile;
pub use ids::{id_from, id_of_file, is_id, unique_ids};
pub use source::Step;

/// A spec with every key explained: what `convscope init` writes.
pub const TEMPLATE: &str = include_str!("template.yaml");

/// The JSON schema of an experiment file, for editors and for `convscope schema`.
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(Experiment);
    schema.insert("title".into(), "convscope experiment".into());
    schema.to_value()
}
