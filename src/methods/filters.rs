//! `filters`: the kernels of the first convolution as colour tiles (Krizhevsky et al. 2012; Zeiler &
//! Fergus 2013, <https://arxiv.org/abs/1311.2901>).
//!
//! **What it shows.** What the first layer looks for in the pixels: edges, bars, colours.
//! **How it is computed.** The weights `[K, 3, h, w]`, red, green, blue, sorted by falling Euclidean norm; no
//! batch norm is folded in, no kernel is scaled by itself.
//! **How to read it.** Mid-grey is zero, brighter than grey a positive weight in that colour; a kernel answers
//! most to a patch that looks like it.
//! **What it can't show.** What later layers make of it; deeper kernels have no colours.
//! **Options.** `count`. **Cost.** None: no picture runs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::{Method, Output, Subject, to_array};
use crate::error::{Error, ErrorKind, Result};
use crate::network::graph::{Graph, NodeId};
use crate::network::info::NodeInfo;
use crate::results::Content;

/// How many kernels to show.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Filters {
    /// At most so many, by falling norm.
    #[schemars(range(min = 1))]
    pub count: usize,
}

impl Default for Filters {
    fn default() -> Self {
        Filters { count: 64 }
    }
}

impl Method for Filters {
    fn check(&self, _graph: &Graph, _info: &[NodeInfo], _layers: &[NodeId]) -> Result<()> {
        if self.count == 0 {
            return Err(Error::new(ErrorKind::Network, "no kernels are asked for")
                .help("`count` is 1 or more"));
        }
        Ok(())
    }

    fn of_network(&self, subject: &Subject, _layers: &[NodeId], out: &mut Output) -> Result<()> {
        let graph = subject.network.graph();
        let missing = || Error::new(ErrorKind::Network, "the network has no convolution");
        let layer = graph.convolutions().next().ok_or_else(missing)?;
        let name = format!("{}.weight", subject.layer(layer));
        let kernels = subject.network.parameter(&name).ok_or_else(missing)?;
        let norms = kernels
            .f_flatten(1, -1)?
            .f_norm_scalaropt_dim(2, [1i64].as_slice(), false)?;
        let norms = to_array(&norms)?;
        let norms = norms.floats().unwrap_or_default();
        let mut units: Vec<usize> = (0..norms.len()).collect();
        units.sort_by(|&a, &b| norms[b].total_cmp(&norms[a]).then(a.cmp(&b)));
        units.truncate(self.count);
        let index: Vec<i64> = units.iter().map(|&unit| unit as i64).collect();
        let chosen = kernels.f_index_select(0, &Tensor::from_slice(&index).to(kernels.device()))?;
        let key = format!("{}/filters/{}", subject.id, subject.layer(layer));
        let (low, high) = out.tensor(&key, &chosen)?;
        let content = Content::Tiles {
            tensor: key,
            units,
            of: norms.len(),
            magnitude: high.max(-low),
        };
        out.figures
            .push(subject.figure("filters", Some(layer), content));
        Ok(())
    }
}
