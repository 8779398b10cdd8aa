//! The sections of the report, one file each. The list is their order in the page and in its contents.

use super::section::Section;

pub use references::papers;

/// Declares the module of each section and lists the sections.
macro_rules! sections {
    ($($name:ident),* $(,)?) => {
        $(mod $name;)*

        /// All sections, in the order of the page.
        pub const SECTIONS: &[&Section] = &[$(&$name::SECTION),*];
    };
}

sections! {
    opening,
    networks,
    predictions,
    evaluation,
    methods,
    comparison,
    photos,
    skip_connections,
    filters,
    exemplars,
    maximize,
    codes,
    atlas,
    layer_statistics,
    checks,
    reproduce,
    references,
}
