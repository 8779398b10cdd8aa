//! The spec's values as Rust says them: a name for a network, a path for a picture, a word or a number
//! for a class, a method with its layers. It is the same shorthand that the YAML has.

use std::path::{Path, PathBuf};

use super::{ImageSpec, ModelSpec};

impl ModelSpec {
    /// The architecture of that name, with its first weight set.
    pub fn new(arch: impl Into<String>) -> Self {
        ModelSpec {
            id: None,
            arch: arch.into(),
            weights: None,
            labels: None,
            preprocess: None,
        }
    }

    /// With another weight set, a weight file, or `random`.
    pub fn weights(mut self, weights: impl Into<String>) -> Self {
        self.weights = Some(weights.into());
        self
    }

    /// Under another name in the report and the keys.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// With class names from a text file, one a line.
    pub fn labels(mut self, path: impl Into<PathBuf>) -> Self {
        self.labels = Some(path.into());
        self
    }
}

impl From<&str> for ModelSpec {
    fn from(arch: &str) -> Self {
        ModelSpec::new(arch)
    }
}

impl ImageSpec {
    /// One file.
    pub fn path(path: impl Into<PathBuf>) -> Self {
        ImageSpec::Path {
            path: path.into(),
            id: None,
            class: None,
            bounds: None,
            mask: None,
        }
    }

    /// Some photos of a pack that the tool can fetch, by class name, file stem or number; all of them
    /// where none is named.
    pub fn pack<P: Into<String>>(
        pack: impl Into<String>,
        pick: impl IntoIterator<Item = P>,
    ) -> Self {
        ImageSpec::Pack {
            pack: pack.into(),
            pick: pick.into_iter().map(Into::into).collect(),
            bounds: None,
        }
    }

    /// Every picture below a folder.
    pub fn dir(dir: impl Into<PathBuf>) -> Self {
        ImageSpec::Dir {
            dir: dir.into(),
            limit: None,
        }
    }

    /// With the true class of one file; a pack and a folder know theirs.
    pub fn class(mut self, name: impl Into<String>) -> Self {
        if let ImageSpec::Path { class, .. } = &mut self {
            *class = Some(name.into());
        }
        self
    }
}

impl From<&str> for ImageSpec {
    fn from(path: &str) -> Self {
        ImageSpec::path(path)
    }
}

impl From<&Path> for ImageSpec {
    fn from(path: &Path) -> Self {
        ImageSpec::path(path)
    }
}

impl From<PathBuf> for ImageSpec {
    fn from(path: PathBuf) -> Self {
        ImageSpec::path(path)
    }
}
