//! The dependency line of a notebook's first cell.

use std::path::Path;

/// evcxr's `:dep` line for convscope without the feature `cli`: a path to the sources if they are still where
/// this program was built, else a version of the registry.
pub fn dependency_line() -> String {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR"));
    let origin = if sources.join("Cargo.toml").is_file() {
        format!("path = {:?}", sources.display().to_string())
    } else {
        format!("version = {:?}", env!("CARGO_PKG_VERSION"))
    };
    format!(":dep convscope = {{ {origin}, default-features = false, features = [\"fetch\"] }}")
}
