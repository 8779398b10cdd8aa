//! `convscope layers`: what is known of every node of a network.

use convscope::Result;
use convscope::fetch::weight_set;
use convscope::network::{node_info, zoo};
use convscope::session::LayerTable;
use convscope::text_table::grouped;

use super::{Done, pretty, print};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// An architecture: `resnet50`.
    #[arg(value_name = "MODEL")]
    model: String,
    /// A weight set, where sets differ in their graph (stride, head); by default the first.
    #[arg(long)]
    weights: Option<String>,
    /// Side of the picture in pixels; by default what the architecture was made for.
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(i64).range(1..=16384))]
    input: Option<i64>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Arguments {
    pub fn execute(&self) -> Result<Done> {
        let arch = zoo::find(&self.model)?;
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
        let all = node_info::of_graph(&graph, side, side)?;
        let layers = LayerTable::new(arch.name, &graph, &all);
        if self.json {
            return print(&pretty(&layers.layers)?);
        }
        let (parameters, multiply_adds) = layers.sums();
        print(&format!(
            "{layers}\n\n{} layers, {} parameters, {} multiply-adds for a picture of {side} × {side}\n",
            layers.len(),
            grouped(parameters),
            grouped(multiply_adds),
        ))
    }
}
