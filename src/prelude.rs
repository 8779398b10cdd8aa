//! Re-exports the types of most programs and notebooks: `use convscope::prelude::*;`.

pub use crate::checks::all::*;
pub use crate::methods::activations::Channels;
pub use crate::methods::all::*;
pub use crate::report::ChartKind;
pub use crate::session::{
    Chart, Experiment, Figures, Image, LayerTable, Model, Predictions, Report, Session,
};
pub use crate::spec::{ImageSpec, Lang, ModelSpec};
