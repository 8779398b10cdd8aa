//! The results of an experiment, and the page that shows them.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::chart::Chart;
use super::figures::{Figures, Predictions};
use crate::error::Result;
use crate::figures::Tensors;
use crate::output_folder;
use crate::report::{self, ChartKind, RenderOptions};
use crate::results::{Failure, Results, UnreadableImage, store};
use crate::run::RunOutput;
use crate::spec::SpecFile;

/// The results of an experiment.
#[derive(Clone)]
pub struct Report {
    output: Rc<RunOutput>,
    spec: Rc<SpecFile>,
}

impl Report {
    /// The report of a run of `spec`.
    pub fn new(output: RunOutput, spec: SpecFile) -> Self {
        Report {
            output: Rc::new(output),
            spec: Rc::new(spec),
        }
    }

    /// The page: one HTML file that needs no other.
    ///
    /// # Errors
    /// If a figure can't be encoded.
    pub fn html(&self) -> Result<String> {
        self.html_with(&RenderOptions::default())
    }

    /// The page, with the caller's templates.
    ///
    /// # Errors
    /// If a template is wrong.
    pub fn html_with(&self, options: &RenderOptions) -> Result<String> {
        report::render(self.results(), self.tensors(), options)
    }

    /// Writes the page, the results, the tensors and the lock into a folder, which is created if it doesn't exist;
    /// returns the path of the page.
    ///
    /// # Errors
    /// If a file can't be written; then nothing in the folder has changed.
    pub fn save(&self, folder: impl AsRef<Path>) -> Result<PathBuf> {
        self.save_with(folder, &RenderOptions::default())
    }

    /// As [`save`](Self::save), with the caller's templates.
    ///
    /// # Errors
    /// As [`save`](Self::save), and if a template is wrong.
    pub fn save_with(&self, folder: impl AsRef<Path>, options: &RenderOptions) -> Result<PathBuf> {
        let folder = folder.as_ref();
        let _folder = store::prepare_folder(folder)?;
        output_folder::save(&self.output, &self.spec, folder, options)
    }

    /// The page in an `<iframe>`, for a notebook's cell.
    ///
    /// # Errors
    /// If a figure can't be encoded.
    pub fn framed(&self) -> Result<String> {
        report::inline::report(self.results(), self.tensors())
    }

    /// The record of the run, with every scalar.
    pub fn results(&self) -> &Results {
        &self.output.results
    }

    /// Every map and matrix, by its key.
    pub fn tensors(&self) -> &Tensors {
        &self.output.tensors
    }

    /// The experiment with its text.
    pub fn spec(&self) -> &SpecFile {
        &self.spec
    }

    /// The failures of parts of the run.
    pub fn failures(&self) -> &[Failure] {
        &self.results().failures
    }

    /// The images of the collection that could not be read and are left out.
    pub fn unreadable(&self) -> &[UnreadableImage] {
        let collection = self.results().collection.as_ref();
        collection.map_or(&[], |collection| &collection.unreadable)
    }

    /// The predictions of all networks for all images.
    pub fn predictions(&self) -> Predictions {
        Predictions::new(self.output.clone())
    }

    /// The figures of one method, of all networks and images.
    ///
    /// # Errors
    /// If the results have no figure of the method.
    pub fn figures(&self, method: &str) -> Result<Figures> {
        Figures::for_method(self.output.clone(), method)
    }

    /// A chart that compares the networks; `None` where the results have no values for it.
    ///
    /// # Errors
    /// If it can't be drawn.
    pub fn chart(&self, measure: ChartKind) -> Result<Option<Chart>> {
        Chart::from_results(self.results(), measure)
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
