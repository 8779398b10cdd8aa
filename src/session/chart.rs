//! A single chart: one of the report's summary, or a value of every layer over the depth.

use super::layers::{Layer, LayerTable};
use crate::error::Result;
use crate::report::{self, ChartKind};
use crate::results::Results;

/// A chart of some networks, each in a colour of its own.
#[derive(Clone, PartialEq)]
pub struct Chart {
    title: String,
    /// The networks, in the order of their colours.
    networks: Vec<String>,
    svg: String,
}

impl Chart {
    /// A chart of the report's summary; `None` where the results have no values for it.
    pub(super) fn from_results(results: &Results, measure: ChartKind) -> Result<Option<Chart>> {
        let drawn = report::chart(results, measure)?;
        Ok(drawn.map(|(title, svg)| Chart {
            title,
            networks: results.models.iter().map(|m| m.id.clone()).collect(),
            svg,
        }))
    }

    /// A value of every layer over the depth, a line for each table, on a logarithmic axis. Layers whose value is
    /// `None` or below 1 are left out.
    ///
    /// ```
    /// use convscope::prelude::*;
    ///
    /// let session = Session::new();
    /// let network = session.network(ModelSpec::new("resnet18").weights("random"))?;
    /// let convolutions = network.layers().filter(|layer| layer.op == "conv2d");
    /// let chart = Chart::over_depth("Channels", &[&convolutions], |layer| Some(layer.shape[0] as f64))?;
    /// assert!(chart.svg().starts_with("<svg"));
    /// # Ok::<(), convscope::Error>(())
    /// ```
    ///
    /// # Errors
    /// If fewer than two layers have such a value.
    pub fn over_depth(
        title: &str,
        tables: &[&LayerTable],
        value: impl Fn(&Layer) -> Option<f64>,
    ) -> Result<Chart> {
        let line = |table: &&LayerTable| {
            let layers = table.layers.iter();
            layers
                .filter_map(|layer| Some((layer.depth, value(layer)?)))
                .collect()
        };
        let lines: Vec<Vec<(f64, f64)>> = tables.iter().map(line).collect();
        Ok(Chart {
            title: title.to_owned(),
            networks: tables.iter().map(|table| table.model.clone()).collect(),
            svg: report::inline::over_depth(&lines, title)?,
        })
    }

    /// The chart as an SVG file.
    pub fn svg(&self) -> &str {
        &self.svg
    }

    /// The chart as HTML without a style sheet.
    ///
    /// # Errors
    /// If a template fails.
    pub fn html(&self) -> Result<String> {
        report::inline::chart(&self.title, &self.svg, &self.networks)
    }
}

impl std::fmt::Display for Chart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.title, self.networks.join(", "))
    }
}

impl std::fmt::Debug for Chart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}
