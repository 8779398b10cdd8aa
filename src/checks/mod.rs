//! Checks of how far a map can be trusted: one file per check, and one line each in the list below.

mod baseline_maps;
mod check;
mod context;
mod info;

pub use baseline_maps::baseline_maps;
pub use check::{Check, ErasedCheck};
pub use context::{CheckContext, TestedMap};
pub use info::{
    Better, CheckChartInfo, CheckChartLine, CheckInfo, CheckNote, CheckNoteValue, ScoreFormat,
    ScoreInfo,
};

crate::registry::list! {
    /// One entry of an experiment's `checks`: a name, or a name with its options.
    CheckSpec as check: dyn ErasedCheck, called "Check", for example "`curves: {steps: 32}`";
    curves: Curves,
    drop: ConfidenceDrop,
    randomisation: Randomisation,
    pointing: Pointing,
}
