//! The origin of a plan: the text that its errors point at, and the folder at which its relative paths start.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::Error;
use crate::spec::{PathStep, SpecFile};

/// The spec that a plan is made from; none if it is made from values.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    spec: Option<Arc<SpecFile>>,
}

impl Origin {
    /// No spec: errors point at no text, and relative paths start at the current folder.
    pub fn none() -> Self {
        Origin::default()
    }

    /// A spec: errors point at its text, and relative paths start at its folder.
    pub fn spec(spec: &SpecFile) -> Self {
        Origin {
            spec: Some(Arc::new(spec.clone())),
        }
    }

    /// The spec's text; empty where there is none.
    pub fn text(&self) -> &str {
        self.spec.as_deref().map_or("", |spec| spec.text())
    }

    /// Makes the error point at the value at `path` of the spec, if there is a spec.
    pub fn locate(&self, path: &[PathStep], error: Error) -> Error {
        match &self.spec {
            Some(spec) => spec.attach_position(path, error),
            None => error,
        }
    }

    /// Whether there is a spec whose text has a value at `path`.
    pub fn has(&self, path: &[PathStep]) -> bool {
        self.spec.as_deref().is_some_and(|spec| spec.contains(path))
    }

    /// Whether there is a spec, and something of the value of its key `key` could not be read.
    pub fn is_incomplete(&self, key: &str) -> bool {
        self.spec
            .as_deref()
            .is_some_and(|spec| spec.is_incomplete(key))
    }

    /// The path relative to the current folder, for a path relative to the spec's folder.
    pub fn resolve(&self, path: &Path) -> PathBuf {
        match &self.spec {
            Some(spec) => spec.resolve(path),
            None => path.to_owned(),
        }
    }

    /// Where relative paths start, for the help of an error.
    pub fn paths_help(&self) -> &'static str {
        if self.spec.is_some() {
            "relative paths start at the experiment file's folder"
        } else {
            "relative paths start at the current folder"
        }
    }
}
