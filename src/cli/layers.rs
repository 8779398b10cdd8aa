//! `convscope layers`: prints the table of a network's layers.

use std::path::{Path, PathBuf};

use convscope::Result;
use convscope::fetch::{Cache, cached_network, fetch_network, weight_set};
use convscope::network::graph::Graph;
use convscope::network::node_info::{self, NodeInfo};
use convscope::network::zoo::{Arch, ArchOptions};
use convscope::network::{pt2, weights, zoo};
use convscope::session::LayerTable;
use convscope::spec::{ExperimentSpec, LibraryNetwork, LibraryWeights, ModelSpec, validate_values};
use convscope::text_table::grouped;

use super::exit_status::{Status, print, to_json};
use super::terminal::TerminalProgress;

#[derive(Debug, clap::Args)]
pub struct LayersArgs {
    /// An architecture: `resnet50`; a network of timm or torchvision: `timm:NAME`; or a `.pt2` file.
    #[arg(value_name = "MODEL")]
    model: String,
    /// A weight file, whose stem and head may differ from the architecture's; or a weight set, for architectures whose sets
    /// differ in stride or head, by default the first.
    #[arg(long)]
    weights: Option<String>,
    /// Side of the input in pixels; by default that of the architecture.
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(i64).range(1..=16384))]
    input: Option<i64>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl LayersArgs {
    /// Prints the table or its JSON.
    pub fn run(&self, progress: &TerminalProgress) -> Result<Status> {
        let model = ModelSpec::new(self.model.as_str());
        if let Some(path) = model.exported_program() {
            let path = Path::new(path);
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            return self.exported(&name, path);
        }
        if let Some(network) = model.library_network() {
            let path = self.export(model, network.clone(), progress)?;
            return self.exported(&network.name, &path);
        }
        let arch = zoo::find(&self.model)?;
        let path = self.weights.as_deref().map(Path::new);
        if let Some(path) = path.filter(|path| path.is_file()) {
            return self.state_dict(arch, path);
        }
        let set = match (
            &self.weights,
            weight_set(arch.name, self.weights.as_deref()),
        ) {
            (_, Ok(set)) => Some(set),
            (None, Err(_)) => None,
            (Some(_), Err(error)) => return Err(error),
        };
        let options = set.map(|set| set.options()).unwrap_or_default();
        let graph = arch.graph(options);
        let side = self.input.unwrap_or(arch.input);
        let all = node_info::from_graph(&graph, side, side)?;
        self.table(arch.name, &graph, &all, side)
    }

    /// The `.pt2` file of a library's network. The layers don't depend on the weights: unless the pretrained network is in
    /// the cache already, it is made untrained, which downloads nothing.
    fn export(
        &self,
        mut model: ModelSpec,
        mut network: LibraryNetwork,
        progress: &TerminalProgress,
    ) -> Result<PathBuf> {
        model.weights = self.weights.clone();
        validate_values(&ExperimentSpec {
            models: vec![model],
            ..ExperimentSpec::new("")
        })?;
        let cache = Cache::from_env(false)?;
        if let Some(weights) = &self.weights {
            network.weights = LibraryWeights::File(weights.into());
        } else if let Some(file) = cached_network(&network, &cache)? {
            return Ok(file.path);
        } else {
            network.weights = LibraryWeights::Untrained { seed: 0 };
        }
        let file = fetch_network(&network, None, &cache, progress)?;
        progress.finish();
        Ok(file.path)
    }

    /// The table of the variant of an architecture in a weight file.
    fn state_dict(&self, arch: &Arch, path: &Path) -> Result<Status> {
        let loaded = weights::load(arch, ArchOptions::default(), None, path)?;
        let graph = loaded.network.graph();
        let side = self.input.unwrap_or(arch.side(&loaded.options));
        let all = node_info::from_graph(graph, side, side)?;
        self.table(arch.name, graph, &all, side)
    }

    /// The table of the network in a `.pt2` file.
    fn exported(&self, name: &str, path: &Path) -> Result<Status> {
        let exported = pt2::read(path)?;
        let graph = exported.network.graph();
        let side = self.input.unwrap_or(exported.input_size[0]);
        let all = node_info::from_graph(graph, side, side)?;
        self.table(name, graph, &all, side)
    }

    fn table(&self, name: &str, graph: &Graph, all: &[NodeInfo], side: i64) -> Result<Status> {
        let layers = LayerTable::new(name, graph, all);
        if self.json {
            return print(&to_json(&layers.layers)?);
        }
        let (parameters, multiply_adds) = layers.sums();
        print(&format!(
            "{layers}\n\n{} layers, {} parameters, {} multiply-adds for an input of {side} × {side}\n",
            layers.len(),
            grouped(parameters),
            grouped(multiply_adds),
        ))
    }
}
