//! Networks that `torch.export.save` wrote: a `.pt2` file holds the graph and the weights. It is read by a parser that runs
//! no code of the file.
//!
//! `archive` reads the zip, `schema` is its JSON, `import` builds the graph, `values` keeps what each name of the program is,
//! `names` gives the nodes their names. `extra` is what the file says of preprocessing, class names and the network's source.

mod archive;
mod extra;
mod import;
mod names;
mod schema;
mod values;

use std::collections::BTreeMap;
use std::path::Path;

use archive::Archive;
use schema::ExportedProgram;

pub use extra::Extra;

use super::forward::Network;
use crate::error::{Error, ErrorKind, Result};

/// The major version of the schema that this reader was written for.
const SCHEMA_MAJOR: u32 = 8;

/// A network from a `.pt2` file.
#[derive(Debug)]
pub struct ExportedNetwork {
    /// The network.
    pub network: Network,
    /// Height and width of the input that it was exported for, in pixels.
    pub input_size: [i64; 2],
    /// The number of classes.
    pub classes: usize,
    /// What the file says of preprocessing, class names and the network's source.
    pub extra: Extra,
    /// What the reader has to say of the file, such as an unknown version.
    pub warnings: Vec<String>,
}

/// Whether the file at `path` is an exported program.
///
/// # Errors
/// If it can't be read.
pub fn is_exported_program(path: &Path) -> Result<bool> {
    Ok(Archive::open(path)?.is_some())
}

/// The versions of PyTorch and other libraries that the file at `path` names; empty if it names none.
///
/// # Errors
/// If the file can't be read, or its extra file is broken.
pub fn versions(path: &Path) -> Result<BTreeMap<String, String>> {
    match Archive::open(path)? {
        Some(mut archive) => extra::versions(&mut archive),
        None => Ok(BTreeMap::new()),
    }
}

/// Reads the exported program at `path`.
///
/// # Errors
/// If the file is none, is broken, or has operators or arguments that are not supported: one error lists all of them.
pub fn read(path: &Path) -> Result<ExportedNetwork> {
    let not_one = || {
        let message = format!("{} is no file of `torch.export.save`", path.display());
        Error::new(ErrorKind::Weights, message).help(HOW_TO_EXPORT)
    };
    let mut archive = Archive::open(path)?.ok_or_else(not_one)?;
    let mut warnings = Vec::new();
    if archive
        .text("byteorder")
        .is_some_and(|order| order == "big")
    {
        let message = format!("{} has big-endian values", path.display());
        return Err(Error::new(ErrorKind::Weights, message)
            .help("export it again on a machine with little-endian values"));
    }
    let program: ExportedProgram = archive.json("models/model.json")?;
    if program.schema_version.major != SCHEMA_MAJOR {
        warnings.push(format!(
            "{} has version {}.{} of the schema of exported programs (PyTorch {}); {SCHEMA_MAJOR} is known",
            path.display(),
            program.schema_version.major,
            program.schema_version.minor,
            program.torch_version.as_deref().unwrap_or("of an unknown version"),
        ));
    }
    let weights = archive.payloads("data/weights/model_weights_config.json")?;
    let constants = archive.payloads("data/constants/model_constants_config.json")?;
    let mut load = |name: &str| {
        for (folder, config) in [("data/weights/", &weights), ("data/constants/", &constants)] {
            if let Some(payload) = config.config.get(name) {
                let tensor = archive.tensor(folder, name, payload)?;
                return Ok((tensor, payload.is_param));
            }
        }
        let message = format!("{} lacks the values of `{name}`", path.display());
        Err(Error::new(ErrorKind::Weights, message))
    };
    let imported = import::import(&program.graph_module, &mut load).map_err(|error| {
        let message = format!("{} can't be used", path.display());
        Error::new(ErrorKind::Weights, message)
            .caused_by(error)
            .help(HOW_TO_EXPORT)
    })?;
    let (side, classes) = (imported.input_size[0], imported.classes);
    let extra = Extra::read(&mut archive, side, classes, &mut warnings)?;
    Ok(ExportedNetwork {
        network: Network::new(imported.graph, imported.parameters)?,
        input_size: imported.input_size,
        classes,
        extra,
        warnings,
    })
}

/// How a network becomes a `.pt2` file.
pub const HOW_TO_EXPORT: &str = "torch.export.save(torch.export.export(net.eval(), (torch.zeros(2, 3, 224, 224),), \
     dynamic_shapes=({0: torch.export.Dim.DYNAMIC},)), \"net.pt2\")";

/// The names of the aten operators that can be read, sorted.
pub fn supported() -> Vec<&'static str> {
    let mut names = super::op::supported();
    names.extend(import::LISTS);
    names.extend(import::SPECIAL);
    names.sort_unstable();
    names
}
