//! What every section is given: the results, and the views that all of them share.

use crate::figures::{Figure, Tensors};
use crate::report::photo_names::photo_name;
use crate::report::views::net::NetView;
use crate::report::views::photo::PhotoView;
use crate::report::words::Words;
use crate::results::Results;

/// The results of a run with the words of the report, and the views of its networks and photos.
#[derive(Debug)]
pub struct ReportInput<'a> {
    /// What was run, and every scalar.
    pub results: &'a Results,
    /// Every map and matrix.
    pub tensors: &'a Tensors,
    /// The report's texts.
    pub words: &'a Words,
    /// The figures to show: those of the results, or some of them.
    pub figures: Vec<&'a Figure>,
    /// The networks, in the experiment's order.
    pub nets: Vec<NetView>,
    /// The photos, in the experiment's order.
    pub photos: Vec<PhotoView>,
}

impl<'a> ReportInput<'a> {
    /// All of the results.
    pub fn new(results: &'a Results, tensors: &'a Tensors, words: &'a Words) -> ReportInput<'a> {
        ReportInput {
            results,
            tensors,
            words,
            figures: results.figures.iter().collect(),
            nets: net_views(results),
            photos: results
                .images
                .iter()
                .enumerate()
                .map(|(index, image)| {
                    PhotoView::new(index, image, photo_name(results, &image.id), tensors)
                })
                .collect(),
        }
    }

    /// The same with some of the figures.
    pub fn with_figures(mut self, figures: Vec<&'a Figure>) -> ReportInput<'a> {
        self.figures = figures;
        self
    }

    /// The figures of one method.
    pub fn figures_of<'m>(
        &self,
        method: &'m str,
    ) -> impl Iterator<Item = &'a Figure> + use<'_, 'a, 'm> {
        let figures = self.figures.iter().copied();
        figures.filter(move |figure| figure.method == method)
    }

    /// The network `id`, with its index.
    pub fn net(&self, id: &str) -> Option<(usize, &NetView)> {
        self.nets.iter().enumerate().find(|(_, net)| net.id == id)
    }

    /// The message where a network has no figure of `method`: what failed, or that the experiment has none there.
    pub fn missing_figure(&self, net: &NetView, image: Option<&str>, method: &str) -> String {
        let failure = self.results.failure(&net.id, image, method);
        self.words.missing_figure(failure)
    }

    /// The message where a tensor of the results is missing or has a wrong shape.
    pub fn missing_tensor(&self, key: &str) -> String {
        self.words.text("cell.missing", &[("key", key)])
    }
}

/// The networks of the results, each with its colour.
pub fn net_views(results: &Results) -> Vec<NetView> {
    let models = results.models.iter().enumerate();
    models
        .map(|(index, model)| NetView::new(index, &model.id))
        .collect()
}
