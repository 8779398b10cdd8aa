//! What a run of a session gives: the results, and the page that shows them.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::chart::Chart;
use super::figures::{Figures, Predictions};
use crate::error::Result;
use crate::figures::Tensors;
use crate::output;
use crate::report::{self, Measure, Options};
use crate::results::{Failure, Results, store};
use crate::run::Outcome;
use crate::spec::SpecFile;

/// A run's results and how they are shown.
#[derive(Clone)]
pub struct Report {
    outcome: Rc<Outcome>,
    spec: Rc<SpecFile>,
}

impl Report {
    /// The report on `outcome`, which `spec` led to.
    pub fn new(outcome: Outcome, spec: SpecFile) -> Self {
        Report {
            outcome: Rc::new(outcome),
            spec: Rc::new(spec),
        }
    }

    /// The page: one HTML file that needs no other.
    ///
    /// # Errors
    /// If the page can't be drawn.
    pub fn html(&self) -> Result<String> {
        self.html_with(&Options::default())
    }

    /// The page, drawn as `options` say.
    ///
    /// # Errors
    /// If a template is wrong.
    pub fn html_with(&self, options: &Options) -> Result<String> {
        report::render(self.results(), self.tensors(), options)
    }

    /// Writes the page, the results, the tensors and the lock into a folder, which is made if need be;
    /// says where the page is.
    ///
    /// # Errors
    /// If the disk refuses; then nothing in the folder has changed.
    pub fn save(&self, folder: impl AsRef<Path>) -> Result<PathBuf> {
        self.save_with(folder, &Options::default())
    }

    /// The same, with the page drawn as `options` say.
    ///
    /// # Errors
    /// As [`save`](Self::save), and if a template is wrong.
    pub fn save_with(&self, folder: impl AsRef<Path>, options: &Options) -> Result<PathBuf> {
        let folder = folder.as_ref();
        let _made = store::prepare(folder)?;
        output::save(&self.outcome, &self.spec, folder, options)
    }

    /// The page in a frame, for another page to hold.
    ///
    /// # Errors
    /// If the page can't be drawn.
    pub fn framed(&self) -> Result<String> {
        report::inline::report(self.results(), self.tensors())
    }

    /// What was run and every scalar.
    pub fn results(&self) -> &Results {
        &self.outcome.results
    }

    /// Every map and matrix, by its key.
    pub fn tensors(&self) -> &Tensors {
        &self.outcome.tensors
    }

    /// The experiment with its text.
    pub fn spec(&self) -> &SpecFile {
        &self.spec
    }

    /// What did not work while the rest went on.
    pub fn failures(&self) -> &[Failure] {
        &self.results().failures
    }

    /// What the networks say of every picture.
    pub fn predictions(&self) -> Predictions {
        Predictions::new(self.outcome.clone())
    }

    /// The figures of one method, of all networks and pictures.
    ///
    /// # Errors
    /// If the method is not in the experiment.
    pub fn figures(&self, method: &str) -> Result<Figures> {
        Figures::of_method(self.outcome.clone(), method)
    }

    /// A chart of the networks side by side; `None` where there is nothing to draw.
    ///
    /// # Errors
    /// If it can't be drawn.
    pub fn chart(&self, measure: Measure) -> Result<Option<Chart>> {
        Chart::of_results(self.results(), measure)
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let results = self.results();
        writeln!(f, "{}", results.experiment.title)?;
        for sentence in report::summary(results) {
            writeln!(f, "{sentence}")?;
        }
        write!(f, "{}", self.predictions())?;
        for failure in self.failures() {
            write!(f, "\nfailed: {}", failure.message)?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}
