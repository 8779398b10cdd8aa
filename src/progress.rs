//! Who hears of long work: a terminal, a notebook cell, or nobody.
//!
//! The library never prints; it tells a [`Progress`], and the edge (command line, notebook)
//! decides what becomes of it.

/// What the numbers of [`Progress::advance`] count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Bytes of a download.
    Bytes,
    /// Pictures, passes, steps.
    Items,
}

/// Hears what a long piece of work is at.
pub trait Progress: Sync {
    /// A step begins; one line (`resnet50: fetching 102 MB through npm`).
    fn step(&self, message: &str);

    /// How far the current step is; called often, drawn or ignored as the listener likes.
    fn advance(&self, done: u64, total: Option<u64>, unit: Unit) {
        let _ = (done, total, unit);
    }

    /// Something the user should know although the work goes on.
    fn warn(&self, message: &str) {
        self.step(message);
    }
}

/// Tells nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn step(&self, _message: &str) {}
}

/// Whether this process runs the cells of a notebook (evcxr).
pub fn is_notebook() -> bool {
    std::env::var_os("EVCXR_IS_RUNTIME").is_some()
}

/// Prints one line a step, which a notebook's cell shows as it goes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Lines;

impl Progress for Lines {
    fn step(&self, message: &str) {
        println!("{message}");
    }
}
