//! The charts of the report, one file each; [`Measure`] lists those that show the whole results.

mod bars;

mod channels;
mod chart_info;
pub mod depth_lines;
mod multiply_adds;
pub mod norms;
mod parameters;
mod plot;
mod resolution;
pub mod series_chart;
pub mod standalone;
mod truth;

pub use chart_info::{ChartInfo, ChartPlace};
pub use plot::DEPTH_LABELS;

/// Makes [`Measure`] from the list of charts.
macro_rules! measures {
    ($($(#[$about:meta])* $name:ident => $chart:expr),* $(,)?) => {
        /// What a chart of the whole results measures.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Measure {
            $($(#[$about])* $name),*
        }

        impl Measure {
            /// All of them, in the order of the report.
            pub const ALL: &'static [Measure] = &[$(Measure::$name),*];

            /// The chart.
            pub fn chart(self) -> &'static ChartInfo {
                match self {
                    $(Measure::$name => &$chart),*
                }
            }
        }
    };
}

measures! {
    /// The parameters of each network, a bar each.
    Parameters => parameters::CHART,
    /// Multiply-adds for one image, a bar for each network.
    MultiplyAdds => multiply_adds::CHART,
    /// The side of the layers that the figures show, over the depth.
    Resolution => resolution::CHART,
    /// Their channels.
    Channels => channels::CHART,
    /// The probability of the true class, for each labelled photo.
    Truth => truth::CHART,
}
