//! `convscope models`: the networks and the weights there are for them.

use convscope::Result;
use convscope::fetch::catalogue;
use convscope::network::{node_info, zoo};
use convscope::text_table::{grouped, table};
use serde::Serialize;

use super::{Done, pretty, print};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Model {
    name: &'static str,
    family: &'static str,
    input: i64,
    parameters: i64,
    multiply_adds: i64,
    weights: Vec<Weights>,
}

#[derive(Serialize)]
struct Weights {
    name: String,
    description: String,
    licence: String,
    bytes: u64,
    source: String,
    preprocess: String,
    note: Option<String>,
}

impl Arguments {
    pub fn execute(&self) -> Result<Done> {
        let mut models = Vec::new();
        for arch in zoo::ARCHITECTURES {
            let graph = arch.graph(zoo::Options::default());
            let all = node_info::of_graph(&graph, arch.input, arch.input)?;
            let sets = catalogue()
                .weights
                .iter()
                .filter(|set| set.arch == arch.name);
            models.push(Model {
                name: arch.name,
                family: arch.family,
                input: arch.input,
                parameters: all.iter().map(|info| info.parameters).sum(),
                multiply_adds: all.iter().map(|info| info.multiply_adds).sum(),
                weights: sets
                    .map(|set| Weights {
                        name: set.name.clone(),
                        description: set.title.clone(),
                        licence: set.licence.clone(),
                        bytes: set.bytes,
                        source: set.source_line(),
                        preprocess: set.preprocess.describe(),
                        note: set.note.clone(),
                    })
                    .collect(),
            });
        }
        if self.json {
            return print(&pretty(&models)?);
        }
        print(&text(&models))
    }
}

fn text(models: &[Model]) -> String {
    let networks: Vec<Vec<String>> = models
        .iter()
        .map(|model| {
            vec![
                model.name.to_owned(),
                model.family.to_owned(),
                model.input.to_string(),
                grouped(model.parameters),
                grouped(model.multiply_adds),
                model
                    .weights
                    .first()
                    .map_or("–".into(), |set| set.name.clone()),
            ]
        })
        .collect();
    let mut sets = Vec::new();
    for model in models {
        for set in &model.weights {
            sets.push(vec![
                model.name.to_owned(),
                set.name.clone(),
                format!("{:.0} MB", (set.bytes as f64 / 1e6).ceil()),
                set.licence.clone(),
                set.source.clone(),
            ]);
        }
    }
    let photos: Vec<Vec<String>> = catalogue()
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
        "{}\nWeight sets (the first of a network is its default; `random` is untrained; a path to a .pth, \
         .pt or .safetensors file works too):\n\n{}\nPhoto packs:\n\n{}",
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
        table(&["network", "weights", "size", "licence", "from"], &sets),
        table(&["pack", "photos", "licence", "from"], &photos)
    )
}
