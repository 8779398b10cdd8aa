//! The files that an experiment depends on, and whether a change of a file concerns it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use convscope::image::is_image_name;
use convscope::network::ClassSpec;
use convscope::plan::{Plan, WeightsSource};
use convscope::spec::{ImageSpec, SpecFile};

/// What an experiment is made from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// Files, absolute.
    files: BTreeSet<PathBuf>,
    /// Folders whose images it has, absolute.
    folders: BTreeSet<PathBuf>,
    /// Where its reports go: what is written there concerns no run.
    output: PathBuf,
}

impl Sources {
    /// The file of the experiment alone.
    pub fn new(spec: &Path, output: &Path) -> Self {
        Sources {
            files: BTreeSet::from([absolute(spec)]),
            folders: BTreeSet::new(),
            output: absolute(output),
        }
    }

    /// Adds those of `other`.
    pub fn add(&mut self, other: Sources) {
        self.files.extend(other.files);
        self.folders.extend(other.folders);
    }

    /// Adds the files that the experiment names, whether they exist or not.
    pub fn add_spec(&mut self, spec: &SpecFile) {
        let experiment = &spec.experiment;
        for model in &experiment.models {
            // The name of a weight set is a file that never changes.
            let weights = model.weights.as_deref().map(Path::new);
            for path in weights.into_iter().chain(model.labels.as_deref()) {
                self.files.insert(absolute(&spec.resolve(path)));
            }
        }
        for entry in experiment.images.iter().chain(&experiment.collection.0) {
            let (files, folder): (Vec<Option<&Path>>, Option<&Path>) = match entry {
                ImageSpec::Pack { .. } => continue,
                ImageSpec::Path { path, mask, .. } => (vec![Some(path), mask.as_deref()], None),
                ImageSpec::Dir { dir, labels, .. } => (vec![labels.as_deref()], Some(dir)),
                ImageSpec::List { list, labels, .. } => (vec![Some(list), labels.as_deref()], None),
                ImageSpec::Tar { tar, .. } => (vec![Some(tar)], None),
                ImageSpec::Table { labels, .. } => (vec![Some(labels)], None),
            };
            let files = files.into_iter().flatten();
            self.files
                .extend(files.map(|path| absolute(&spec.resolve(path))));
            self.folders
                .extend(folder.map(|path| absolute(&spec.resolve(path))));
        }
        for class in &experiment.classes {
            if let ClassSpec::Like { like, .. } = class {
                self.files.insert(absolute(&spec.resolve(Path::new(like))));
            }
        }
    }

    /// Adds the files that the plan has found.
    pub fn add_plan(&mut self, plan: &Plan) {
        let images = plan.images.iter().chain(&plan.collection);
        let paths = images.map(|image| absolute(&image.file.path));
        self.files
            .extend(paths.filter(|path| !path.as_os_str().is_empty()));
        for model in &plan.models {
            if let WeightsSource::File(path) = &model.source {
                self.files.insert(absolute(path));
            }
        }
    }

    /// Whether a change of the file at `path` changes the experiment.
    pub fn concern(&self, path: &Path) -> bool {
        let path = absolute(path);
        if self.files.contains(&path) {
            return true;
        }
        let is_below = self.folders.iter().any(|folder| path.starts_with(folder));
        is_below && !path.starts_with(&self.output) && is_image_name(&path)
    }

    /// The folders in which its files lie, and those that are watched with all folders below.
    pub fn watched(&self) -> (BTreeSet<PathBuf>, BTreeSet<PathBuf>) {
        let parents = self.files.iter().filter_map(|file| file.parent());
        let existing = |folder: &&Path| folder.is_dir();
        let parents = parents.filter(existing).map(Path::to_owned).collect();
        let folders = self.folders.iter().filter(|folder| folder.is_dir());
        (parents, folders.cloned().collect())
    }
}

fn absolute(path: &Path) -> PathBuf {
    // A file's folder without links, as the system names it in a notice; the file itself may not exist.
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    match (
        absolute.parent().map(Path::canonicalize),
        absolute.file_name(),
    ) {
        (Some(Ok(folder)), Some(name)) => folder.join(name),
        _ => absolute,
    }
}
