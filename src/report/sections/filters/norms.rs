//! The norms of the kernels over the depth, and how many kernels are dead.

use serde::Serialize;

use crate::error::Result;
use crate::figures::{Content, Figure, KernelNorms};
use crate::report::charts::norms::{is_positive, norms_chart};
use crate::report::input::ReportInput;
use crate::report::views::net::NetView;
use crate::report::words::Words;

/// At most so many layers with dead kernels are named.
const NAMED: usize = 6;

/// The norms of all networks.
#[derive(Debug, Serialize)]
pub struct NormsView {
    /// The chart as SVG.
    chart: String,
    networks: Vec<DeadKernelsView>,
}

/// The dead kernels of a network, in a sentence.
#[derive(Debug, Serialize)]
struct DeadKernelsView {
    net: NetView,
    words: String,
}

impl NormsView {
    /// The chart and the sentences; `None` where no network has a norm above 0.
    ///
    /// # Errors
    /// If the chart can't be drawn.
    pub fn new(input: &ReportInput, figures: &[&Figure]) -> Result<Option<NormsView>> {
        let mut networks = Vec::new();
        let mut norms: Vec<(usize, &[KernelNorms])> = Vec::new();
        for (index, net) in input.nets.iter().enumerate() {
            let own = figures.iter().filter(|figure| figure.model == net.id);
            let layers = own.into_iter().find_map(|figure| match &figure.content {
                Content::Norms { layers } => Some(layers.as_slice()),
                _ => None,
            });
            if let Some(layers) = layers {
                norms.push((index, layers));
                networks.push(DeadKernelsView {
                    net: net.clone(),
                    words: dead_kernels(layers, input.words),
                });
            }
        }
        let mut layers = norms.iter().flat_map(|(_, layers)| layers.iter());
        if !layers.any(|layer| is_positive(layer.median)) {
            return Ok(None);
        }
        Ok(Some(NormsView {
            chart: norms_chart(&norms, input.words)?,
            networks,
        }))
    }
}

fn dead_kernels(layers: &[KernelNorms], words: &Words) -> String {
    let sum = |count: fn(&KernelNorms) -> usize| layers.iter().map(count).sum::<usize>() as u64;
    let (dead, of) = (
        words.integer(sum(|l| l.dead)),
        words.integer(sum(|l| l.count)),
    );
    let mut affected: Vec<&KernelNorms> = layers.iter().filter(|l| l.dead > 0).collect();
    if affected.is_empty() {
        return words.text("norms.none_dead", &[("of", &of)]);
    }
    affected.sort_by_key(|l| std::cmp::Reverse(l.dead));
    let mut named: Vec<String> = affected
        .iter()
        .take(NAMED)
        .map(|l| format!("{} {}/{}", l.layer, l.dead, l.count))
        .collect();
    if affected.len() > NAMED {
        named.push("…".into());
    }
    let gaps = [
        ("dead", &*dead),
        ("of", &*of),
        ("layers", &*named.join(", ")),
    ];
    words.text("norms.dead", &gaps)
}
