//! The charts of the report, one file each; [`ChartKind`] lists those that show the whole results.

mod bars;
mod chart_info;
pub mod depth_lines;
pub mod norms;
mod plot;
pub mod scatter;
pub mod series_chart;
pub mod severity_lines;
pub mod standalone;

pub use chart_info::{ChartInfo, ChartPlace};
pub use plot::DEPTH_LABELS;

/// Declares the module of each chart, and makes [`ChartKind`] from the list.
macro_rules! measures {
    ($($(#[$about:meta])* $name:ident => $module:ident),* $(,)?) => {
        $(mod $module;)*

        /// What a chart of the whole results measures.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum ChartKind {
            $($(#[$about])* $name),*
        }

        impl ChartKind {
            /// All of them, in the order of the report.
            pub const ALL: &'static [ChartKind] = &[$(ChartKind::$name),*];

            /// The chart.
            pub fn chart(self) -> &'static ChartInfo {
                match self {
                    $(ChartKind::$name => &$module::CHART),*
                }
            }
        }
    };
}

measures! {
    /// The parameters of each network, a bar each.
    Parameters => parameters,
    /// Multiply-adds for one image, a bar for each network.
    MultiplyAdds => multiply_adds,
    /// The side of the layers that the figures show, over the depth.
    Resolution => resolution,
    /// Their channels.
    Channels => channels,
    /// The probability of the true class, for each labelled photo.
    Truth => true_class,
    /// How often the networks are right at each probability, over the collection.
    Reliability => reliability,
}
