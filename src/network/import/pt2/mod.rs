//! Networks that `torch.export.save` wrote: a `.pt2` file holds the graph and the weights. It is read by a parser that runs
//! no code of the file.
//!
//! `archive` reads the zip, `schema` is its JSON, `signature` its inputs and outputs, `inline` removes programs within programs,
//! `stored` finds the values of parameters, `import` builds the graph from calls with their `argument`s, of which some are
//! `special`; `values` keeps what each name of the program is, `aliasing` which of them share memory, `names` gives the nodes
//! their names.
//! `extra` is what the file says of preprocessing, class names and the network's source.

mod aliasing;
mod archive;
mod argument;
mod extra;
mod fault;
mod import;
mod inline;
mod json_text;
mod names;
mod outputs;
mod schema;
mod signature;
mod special;
mod stored;
mod values;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::Path;

use archive::Archive;
pub use extra::Extra;
use fault::wrong;
use import::Imported;
pub use outputs::ProgramOutput;
use schema::{ExportedProgram, GraphModule};
use signature::ProgramSignature;
use stored::Stored;

use super::builder::Batching;
use super::limits::Limits;
use super::verify;
use crate::error::{Error, ErrorKind, Result};
use crate::network::file_kind::FileKind;
pub use crate::network::file_kind::HOW_TO_EXPORT;
use crate::network::forward::Network;
use crate::network::graph::NodeId;
use crate::network::output_choice::OutputChoice;

/// The major versions of the schema that are known: that of PyTorch 2.5 and those since then.
const SCHEMA_MAJORS: RangeInclusive<u32> = 7..=8;

/// A network from a `.pt2` file.
#[derive(Debug)]
pub struct ExportedNetwork {
    /// The network.
    pub network: Network,
    /// Height and width of the input that it was exported for, in pixels.
    pub input_size: [i64; 2],
    /// The number of classes.
    pub classes: usize,
    /// The outputs of the network.
    pub outputs: Vec<ProgramOutput>,
    /// The position of the one that is explained.
    pub output: usize,
    /// What the file says of preprocessing, class names and the network's source.
    pub extra: Extra,
    /// What the reader has to say of the file, such as an unknown version.
    pub warnings: Vec<String>,
}

impl ExportedNetwork {
    /// Makes another output the explained one.
    ///
    /// # Errors
    /// If there is no such output, or its shape is not `[N, classes]`.
    pub fn choose_output(&mut self, choice: &OutputChoice) -> Result<()> {
        let (output, node, classes) = outputs::choose(&self.outputs, Some(choice))?;
        self.network = self.network.with_output(node);
        self.output = output;
        self.classes = classes;
        // Class names are those of the first output.
        self.extra.labels = self
            .extra
            .labels
            .take()
            .filter(|labels| labels.len() == classes);
        Ok(())
    }
}

impl ExportedNetwork {
    /// Makes an earlier node the output: the logits before a final softmax.
    pub(crate) fn set_output(&mut self, node: NodeId) {
        self.network = self.network.with_output(node);
    }
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
    let Some(mut archive) = Archive::open(path)? else {
        return Err(FileKind::of(path)?.no_network(path));
    };
    let mut warnings = Vec::new();
    if archive
        .text("byteorder")
        .is_some_and(|order| order == "big")
    {
        let message = format!("{} has big-endian values", path.display());
        return Err(Error::new(ErrorKind::Weights, message)
            .help("export it again on a machine with little-endian values"));
    }
    let mut program: ExportedProgram = archive.program()?;
    if !SCHEMA_MAJORS.contains(&program.schema_version.major) {
        warnings.push(format!(
            "{} has version {}.{} of the schema of exported programs (PyTorch {}); {} to {} are known",
            path.display(),
            program.schema_version.major,
            program.schema_version.minor,
            program.torch_version.as_deref().unwrap_or("of an unknown version"),
            SCHEMA_MAJORS.start(),
            SCHEMA_MAJORS.end(),
        ));
    }
    let limits = Limits::of_file(archive.length());
    let mut stored = Stored::open(&mut archive, &program.graph_module)?;
    let mut load = |name: &str| stored.load(name);
    let found = inline::inline(&mut program.graph_module.graph)
        .and_then(|()| build(&program.graph_module, &limits, &mut load));
    let found = found.map_err(|error| {
        let message = format!("{} can't be used", path.display());
        let help = error.help_text().unwrap_or(HOW_TO_EXPORT).to_owned();
        Error::new(ErrorKind::Weights, message)
            .caused_by(error)
            .help(help)
    })?;
    if let Some(reason) = found.one_by_one {
        warnings.push(format!(
            "{}: a batch can't be run at once ({reason}); its images are run one by one",
            path.display()
        ));
    }
    let [channels, height, width] = found.sides;
    let extra = Extra::read(
        &mut archive,
        [channels, height],
        found.classes,
        &mut warnings,
    )?;
    Ok(ExportedNetwork {
        network: found.network,
        input_size: [height, width],
        classes: found.classes,
        outputs: found.outputs,
        output: found.output,
        extra,
        warnings,
    })
}

/// A network that was built from a program.
struct Found {
    network: Network,
    sides: [i64; 3],
    classes: usize,
    outputs: Vec<ProgramOutput>,
    output: usize,
    /// Why the images of a batch are run one by one, if they are.
    one_by_one: Option<String>,
}

/// The network of a program; it runs images one by one if they can't be run at once.
fn build(module: &GraphModule, limits: &Limits, load: &mut import::Load) -> Result<Found> {
    let signature = ProgramSignature::read(module)?;
    let batching = if signature.is_symbolic {
        Batching::Symbolic
    } else {
        Batching::Followed
    };
    let found = |imported: Imported, network: Network, one_by_one: Option<String>| Found {
        network,
        sides: signature.sides,
        classes: imported.classes,
        outputs: imported.outputs,
        output: imported.chosen,
        one_by_one,
    };
    let reason = match import::import(module, &signature, batching, limits, load) {
        Ok(mut imported) => {
            let network = imported.built.network()?;
            if verify::is_independent(
                &network,
                signature.sides,
                &imported.built.compared,
                &logits(&imported),
            )? {
                return Ok(found(imported, network, None));
            }
            wrong("an image has other values in a batch than alone")
        }
        Err(error) => error,
    };
    // A program that is wrong by itself is wrong in this way, too: then the first error is told.
    match import::import(module, &signature, Batching::OneByOne, limits, load) {
        Ok(mut imported) => {
            let network = imported.built.network()?.one_by_one();
            let (sides, compared) = (signature.sides, &imported.built.compared);
            verify::is_independent(&network, sides, compared, &logits(&imported))?;
            Ok(found(imported, network, Some(reason.full_message())))
        }
        Err(_) => Err(reason),
    }
}

/// The nodes of the outputs that can be explained.
fn logits(imported: &Imported) -> Vec<NodeId> {
    let outputs = imported.outputs.iter();
    outputs
        .filter_map(|output| Some(output.logits?.0))
        .collect()
}

/// The names of the aten operators that can be read, sorted.
pub fn supported() -> Vec<&'static str> {
    import::supported()
}
