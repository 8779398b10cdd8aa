//! Specs that are right, specs that are wrong, and the messages of the latter.
//!
//! A wrong spec's message stands in a snapshot beside this file; a new spec in `specs/bad` makes a
//! new one (`INSTA_UPDATE=always cargo test --test spec`), to be read before it is kept.

use std::path::{Path, PathBuf};

use convscope::spec::{Experiment, SpecFile, TEMPLATE, schema};
use convscope::{Error, ErrorKind};
use miette::{GraphicalReportHandler, GraphicalTheme};

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn specs(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(here(folder)).expect("the fixtures");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    assert!(!paths.is_empty());
    paths
}

/// As the command line prints it, with the file's name alone.
fn printed(error: &Error, path: &Path) -> String {
    let mut text = String::new();
    GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor())
        .with_width(100)
        .render_report(&mut text, error)
        .expect("a report");
    let name = path.file_name().expect("a name").to_string_lossy();
    text.replace(&path.display().to_string(), &name)
}

#[test]
fn every_wrong_spec_says_where_and_what() {
    for path in specs("tests/specs/bad") {
        let error = SpecFile::read(&path).expect_err(&path.display().to_string());
        assert_eq!(error.kind(), ErrorKind::Spec, "{}", path.display());
        assert_eq!(error.exit_code(), 2);
        let stem = path
            .file_stem()
            .expect("a stem")
            .to_string_lossy()
            .into_owned();
        if !["empty", "only_comments", "null", "not_utf8", "binary"].contains(&&*stem) {
            assert!(error.has_place(), "{stem} has no place");
        }
        insta::assert_snapshot!(stem, printed(&error, &path));
    }
}

#[test]
fn every_right_spec_is_read_and_written_back() {
    let mut paths = specs("tests/specs/good");
    paths.extend(specs("experiments"));
    for path in paths {
        let spec = SpecFile::read(&path).unwrap_or_else(|error| panic!("{error:?}"));
        round_trip(&spec.experiment);
    }
    let spec =
        SpecFile::parse("template.yaml", TEMPLATE).unwrap_or_else(|error| panic!("{error:?}"));
    round_trip(&spec.experiment);
}

fn round_trip(experiment: &Experiment) {
    let yaml = serde_yaml::to_string(experiment).expect("YAML");
    let again =
        SpecFile::parse("again.yaml", &yaml).unwrap_or_else(|error| panic!("{error:?}\n{yaml}"));
    assert_eq!(&again.experiment, experiment, "{yaml}");
    let json = serde_json::to_string(experiment).expect("JSON");
    let again: Experiment = serde_json::from_str(&json).expect("the same experiment");
    assert_eq!(&again, experiment, "{json}");
}

#[test]
fn the_committed_schema_is_fresh() {
    let path = here("schema/experiment.schema.json");
    let fresh = serde_json::to_string_pretty(&schema()).expect("JSON") + "\n";
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &fresh).expect("to write the schema");
    }
    let committed = std::fs::read_to_string(&path).expect("the schema");
    assert!(
        committed == fresh,
        "the schema is stale: UPDATE=1 cargo test --test spec"
    );
}
