//! `convscope models`: lists the networks, their weight sets, and the image packs.

use convscope::Result;
use convscope::fetch::catalogue;
use convscope::network::{node_info, zoo};
use convscope::text_table::{grouped, table};
use serde::Serialize;

use super::exit_status::{Status, print, to_json};

#[derive(Debug, clap::Args)]
pub struct ModelsArgs {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// An architecture as `--json` prints it.
#[derive(Serialize)]
struct ArchitectureEntry {
    name: &'static str,
    family: &'static str,
    input: i64,
    parameters: i64,
    multiply_adds: i64,
    weights: Vec<WeightSetEntry>,
}

/// A weight set as `--json` prints it.
#[derive(Serialize)]
struct WeightSetEntry {
    name: String,
    description: String,
    licence: String,
    bytes: u64,
    source: String,
    preprocess: String,
    note: Option<String>,
}

impl ModelsArgs {
    /// Prints the tables or their JSON.
    pub fn run(&self) -> Result<Status> {
        let mut architectures = Vec::new();
        for arch in zoo::architectures() {
            let graph = arch.graph(zoo::ArchOptions::default());
            let all = node_info::from_graph(&graph, arch.input, arch.input)?;
            architectures.push(ArchitectureEntry {
                name: arch.name,
                family: arch.family,
                input: arch.input,
                parameters: all.iter().map(|info| info.parameters).sum(),
                multiply_adds: all.iter().map(|info| info.multiply_adds).sum(),
                weights: weight_sets(arch.name),
            });
        }
        if self.json {
            return print(&to_json(&architectures)?);
        }
        print(&format_tables(&architectures))
    }
}

fn weight_sets(arch: &str) -> Vec<WeightSetEntry> {
    let sets = catalogue().weights.iter().filter(|set| set.arch == arch);
    sets.map(|set| WeightSetEntry {
        name: set.name.clone(),
        description: set.title.clone(),
        licence: set.licence.clone(),
        bytes: set.bytes,
        source: set.source_line(),
        preprocess: set.preprocess.describe(),
        note: set.note.clone(),
    })
    .collect()
}

fn format_tables(architectures: &[ArchitectureEntry]) -> String {
    let networks: Vec<Vec<String>> = architectures
        .iter()
        .map(|arch| {
            vec![
                arch.name.to_owned(),
                arch.family.to_owned(),
                arch.input.to_string(),
                grouped(arch.parameters),
                grouped(arch.multiply_adds),
                arch.weights
                    .first()
                    .map_or("–".into(), |set| set.name.clone()),
            ]
        })
        .collect();
    let mut sets = Vec::new();
    for arch in architectures {
        for set in &arch.weights {
            sets.push(vec![
                arch.name.to_owned(),
                set.name.clone(),
                format!("{:.0} MB", (set.bytes as f64 / 1e6).ceil()),
                set.licence.clone(),
                set.source.clone(),
            ]);
        }
    }
    let packs: Vec<Vec<String>> = catalogue()
        .packs
        .iter()
        .map(|pack| {
            vec![
                pack.name.clone(),
                pack.images.len().to_string(),
                pack.licence.clone(),
                pack.source_line(),
            ]
        })
        .collect();
    format!(
        "{}\nWeight sets (the first of a network is its default; also allowed: `random`, which is untrained, and \
         the path of a .pth, .pt or .safetensors file):\n\n{}\nImage packs:\n\n{}",
        table(
            &[
                "network",
                "family",
                "input",
                "parameters",
                "multiply-adds",
                "weights"
            ],
            &networks
        ),
        table(&["network", "weights", "size", "licence", "source"], &sets),
        table(&["pack", "images", "licence", "source"], &packs)
    )
}
