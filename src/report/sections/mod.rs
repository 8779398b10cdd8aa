//! The sections of the report, one file each. [`SECTIONS`] is their order in the page and in its contents.

mod codes;
mod comparison;
mod exemplars;
mod filters;
mod maximize;
mod methods;
mod networks;
mod opening;
mod photos;
mod predictions;
mod references;
mod reproduce;
mod residual_blocks;
mod trust;

use super::section::Section;

pub use references::papers;

/// All sections, in the order of the page.
pub const SECTIONS: &[&Section] = &[
    &opening::SECTION,
    &networks::SECTION,
    &predictions::SECTION,
    &methods::SECTION,
    &comparison::SECTION,
    &photos::SECTION,
    &residual_blocks::SECTION,
    &filters::SECTION,
    &exemplars::SECTION,
    &maximize::SECTION,
    &codes::SECTION,
    &trust::SECTION,
    &reproduce::SECTION,
    &references::SECTION,
];
