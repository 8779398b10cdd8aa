//! Progress reports of long work, shown on a terminal, in a notebook's cell, or not at all.
//!
//! The library itself never prints: it reports to a [`Progress`], and the command line or the notebook decides how that
//! is shown.

/// The unit of [`Progress::advance`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgressUnit {
    /// Bytes of a download.
    Bytes,
    /// Images, passes, steps.
    Items,
}

/// Receives the progress of long work.
pub trait Progress: Sync {
    /// A step begins; `message` is one line: `resnet50: fetching 102 MB through npm`.
    fn step(&self, message: &str);

    /// `done` of `total` units of the current step are complete. Called often; ignored by default.
    fn advance(&self, done: u64, total: Option<u64>, unit: ProgressUnit) {
        let _ = (done, total, unit);
    }

    /// Something that the user should know, and no warning.
    fn note(&self, message: &str) {
        self.step(message);
    }

    /// Whether the work should stop as soon as it can be continued later. Never by default.
    fn interrupted(&self) -> bool {
        false
    }

    /// A warning; the work continues.
    fn warn(&self, message: &str) {
        self.step(message);
    }
}

/// Shows nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn step(&self, _message: &str) {}
}

/// Whether this process runs the cells of a notebook (evcxr).
pub fn is_notebook() -> bool {
    std::env::var_os("EVCXR_IS_RUNTIME").is_some()
}

/// Prints one line for each step, which a notebook's cell shows at once.
#[derive(Debug, Clone, Copy, Default)]
pub struct Lines;

impl Progress for Lines {
    fn step(&self, message: &str) {
        println!("{message}");
    }
}
