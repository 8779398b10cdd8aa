//! `convscope run photo.jpg --models resnet50 --methods grad_cam`: an experiment from the arguments, without a file.
//!
//! Its YAML is read like that of a file, so that an error points into it, and is printed, so that it can become a file.

use std::path::{Path, PathBuf};

use convscope::image::is_image_name;
use convscope::spec::SpecFile;
use convscope::{Error, ErrorKind, Result};
use serde_json::{Map, Value, json};

use super::spec_files::{is_yaml_name, whole};

/// The name of the experiment's text in errors.
const NAME: &str = "the arguments' experiment";

/// How many images a title names.
const NAMED: usize = 3;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Options for images without an experiment file")]
pub struct DirectArgs {
    /// Networks: architectures, .pt2 files, `timm:NAME`, `torchvision:NAME`; `resnet50=mine.pth` is one with its weights.
    #[arg(long, value_name = "NETWORK", value_delimiter = ',')]
    models: Vec<String>,
    /// Methods; without any, the report has the predictions alone.
    #[arg(
        long,
        value_name = "METHOD",
        value_delimiter = ',',
        requires = "models"
    )]
    methods: Vec<String>,
    /// Classes to explain, by name, WordNet id or index; without any, the predicted one.
    #[arg(long, alias = "classes", value_name = "CLASS", requires = "models")]
    class: Vec<String>,
    /// The report's heading.
    #[arg(long, requires = "models")]
    title: Option<String>,
    /// Print the experiment's YAML and run nothing: `… --print-spec > photo.yaml`.
    #[arg(long, requires = "models")]
    print_spec: bool,
}

impl DirectArgs {
    /// The experiment on the images and folders at `paths`, with the keys that `set` sets; `None` where no networks are given, so
    /// that the paths are experiment files.
    ///
    /// # Errors
    /// If an image is given without networks, an experiment file with them, or the experiment is invalid.
    pub fn spec(&self, paths: &[PathBuf], set: &[String]) -> Result<Option<SpecFile>> {
        if self.models.is_empty() {
            return match paths.iter().find(|path| is_image_name(path)) {
                Some(path) => Err(needs_networks(path)),
                None => Ok(None),
            };
        }
        if let Some(path) = paths.iter().find(|path| is_yaml_name(path)) {
            let message = format!(
                "`--models` needs images, got the experiment file {}",
                path.display()
            );
            return Err(Error::new(ErrorKind::Usage, message).help(
                "leave out `--models`, or set the networks of the experiment: `--set 'models=[resnet50, vgg16]'`",
            ));
        }
        let yaml = self.yaml(paths)?;
        let (spec, mistakes) = SpecFile::parse_tolerantly(NAME, &yaml, set)?;
        whole(spec, mistakes).map(Some)
    }

    /// Whether the experiment is only printed.
    pub fn only_prints(&self) -> bool {
        self.print_spec
    }

    fn yaml(&self, paths: &[PathBuf]) -> Result<String> {
        let images: Vec<Value> = paths
            .iter()
            .map(|path| image_entry(path))
            .collect::<Result<_>>()?;
        let mut keys = Map::new();
        let title = self
            .title
            .clone()
            .unwrap_or_else(|| self.default_title(paths));
        keys.insert("title".to_owned(), title.into());
        let models: Vec<Value> = self.models.iter().map(|model| model_entry(model)).collect();
        keys.insert("models".to_owned(), models.into());
        keys.insert("images".to_owned(), images.into());
        if !self.class.is_empty() {
            let classes: Vec<Value> = self.class.iter().map(|class| class_entry(class)).collect();
            keys.insert("classes".to_owned(), classes.into());
        }
        if !self.methods.is_empty() {
            keys.insert("methods".to_owned(), self.methods.clone().into());
        }
        serde_yaml::to_string(&keys)
            .map_err(|error| Error::new(ErrorKind::Io, "can't write YAML").caused_by(error))
    }

    /// `resnet50 and vgg16 on cat.jpg`.
    fn default_title(&self, paths: &[PathBuf]) -> String {
        let names = paths.iter().map(|path| output_name(path, true));
        let on = match paths.len() {
            0..=NAMED => joined(&names.collect::<Vec<_>>()),
            count => format!("{count} images"),
        };
        let models = self.models.iter().map(|model| network_of(model).to_owned());
        format!("{} on {on}", joined(&models.collect::<Vec<_>>()))
    }
}

/// The name of the output folder: that of the first image without its ending.
pub fn folder_name(paths: &[PathBuf]) -> String {
    paths
        .first()
        .map_or_else(|| "images".to_owned(), |path| output_name(path, false))
}

/// The name of a file or a folder; of `.` that of the folder that it is.
fn output_name(path: &Path, with_ending: bool) -> String {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let name = if with_ending || path.is_dir() {
        absolute.file_name()
    } else {
        absolute.file_stem()
    };
    name.map_or_else(
        || "images".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}

fn image_entry(path: &Path) -> Result<Value> {
    let text = path.to_str().ok_or_else(|| {
        let message = format!("the path {} must be UTF-8 text", path.display());
        Error::new(ErrorKind::Usage, message).help("give the file another name")
    })?;
    Ok(if path.is_dir() {
        json!({ "dir": text })
    } else {
        text.into()
    })
}

/// The network of `resnet50=mine.pth`.
fn network_of(model: &str) -> &str {
    model.split('=').next().unwrap_or(model)
}

/// `resnet50`, or for `resnet50=mine.pth` an entry with its weights.
fn model_entry(model: &str) -> Value {
    match model.split_once('=') {
        Some((network, weights)) if !Path::new(model).is_file() => match network.split_once(':') {
            Some((library @ ("timm" | "torchvision"), name)) => {
                json!({ library: name, "weights": weights })
            }
            _ => json!({ "arch": network, "weights": weights }),
        },
        _ => model.into(),
    }
}

fn class_entry(class: &str) -> Value {
    class
        .parse::<u64>()
        .map_or_else(|_| class.into(), Value::from)
}

/// `a`, `a and b`, `a, b and c`.
fn joined(names: &[String]) -> String {
    match names {
        [rest @ .., last] if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        names => names.concat(),
    }
}

fn needs_networks(path: &Path) -> Error {
    let message = format!("{} is an image, not an experiment file", path.display());
    let call = format!(
        "convscope run {} --models resnet50 --methods grad_cam",
        path.display()
    );
    Error::new(ErrorKind::Usage, message).help(format!("name the networks: `{call}`"))
}
