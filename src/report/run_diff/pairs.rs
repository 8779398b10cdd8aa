//! What two runs have in common, and what only one of them has.

use super::finished_run::FinishedRun;
use crate::error::{Error, ErrorKind, Result};
use crate::figures::{Content, Figure};
use crate::report::views::method::method_title;
use crate::report::words::Words;
use crate::results::{ImageInfo, ModelInfo, Results};

/// The parts of two runs that belong together.
pub struct Pairs<'a> {
    /// Networks with the same id; where each run has one network, these.
    pub networks: Vec<[&'a ModelInfo; 2]>,
    /// Images with the same id and the same file.
    pub images: Vec<&'a ImageInfo>,
    figures: Vec<[&'a Figure; 2]>,
    /// Networks, images and figures of one of the runs.
    only: [Only<'a>; 2],
}

#[derive(Default)]
struct Only<'a> {
    networks: Vec<&'a str>,
    images: Vec<&'a str>,
    figures: Vec<&'a Figure>,
}

impl<'a> Pairs<'a> {
    /// # Errors
    /// If the runs have no network in common.
    pub fn new(a: FinishedRun<'a>, b: FinishedRun<'a>) -> Result<Self> {
        let (first, second) = (a.results, b.results);
        let networks: Vec<[&ModelInfo; 2]> = match (&first.models[..], &second.models[..]) {
            ([one], [other]) => vec![[one, other]],
            (models, others) => {
                let pair = |model| Some([model, find_model(others, model)?]);
                models.iter().filter_map(pair).collect()
            }
        };
        if networks.is_empty() {
            return Err(no_network(a, b));
        }
        let same = |image: &&ImageInfo| second.images.iter().any(|other| is_same(image, other));
        let images: Vec<&ImageInfo> = first.images.iter().filter(same).collect();
        let mut pairs = Pairs {
            networks,
            images,
            figures: Vec::new(),
            only: [Only::default(), Only::default()],
        };
        pairs.add_figures(first, second);
        for (side, results) in [first, second].into_iter().enumerate() {
            let models = results
                .models
                .iter()
                .filter(|model| !pairs.has_network(side, &model.id));
            pairs.only[side].networks = models.map(|model| &*model.id).collect();
            let images = results
                .images
                .iter()
                .filter(|image| !pairs.has_image(&image.id));
            pairs.only[side].images = images.map(|image| &*image.id).collect();
        }
        Ok(pairs)
    }

    /// The maps of a network of the first run and an image that both runs have.
    pub fn figures_of(&self, model: &str, image: &str) -> impl Iterator<Item = [&'a Figure; 2]> {
        let of_both = move |[figure, _]: &&[&Figure; 2]| {
            figure.model == model && figure.image.as_deref() == Some(image)
        };
        self.figures.iter().filter(of_both).copied()
    }

    /// What only one of the runs has, in words.
    pub fn only_in_one(&self, words: &Words) -> [Vec<String>; 2] {
        [0, 1].map(|side| {
            let only = &self.only[side];
            let networks = only
                .networks
                .iter()
                .map(|id| words.text("diff.network", &[("name", id)]));
            let images = only
                .images
                .iter()
                .map(|id| words.text("diff.image", &[("name", id)]));
            let figures = only.figures.iter().map(|figure| name(figure, words));
            networks.chain(images).chain(figures).collect()
        })
    }

    /// Pairs the maps of both runs. Maps of a network or an image that only one run has are not listed singly.
    fn add_figures(&mut self, first: &'a Results, second: &'a Results) {
        let mut taken = vec![false; second.figures.len()];
        let comparable = |figure: &&'a Figure| self.is_comparable(0, figure);
        let own: Vec<&Figure> = first.figures.iter().filter(comparable).collect();
        for figure in own {
            let found = second.figures.iter().enumerate().find(|(index, other)| {
                !taken[*index]
                    && self.is_comparable(1, other)
                    && self.belong_together(figure, other)
            });
            match found {
                Some((index, other)) => {
                    taken[index] = true;
                    self.figures.push([figure, other]);
                }
                None => self.only[0].figures.push(figure),
            }
        }
        let others = second
            .figures
            .iter()
            .zip(&taken)
            .filter(|(_, taken)| !**taken);
        let others = others
            .map(|(figure, _)| figure)
            .filter(|figure| self.is_comparable(1, figure));
        let others: Vec<&Figure> = others.collect();
        self.only[1].figures = others;
    }

    /// Whether a figure is a map of a network and an image that both runs have.
    fn is_comparable(&self, side: usize, figure: &Figure) -> bool {
        let is_map = matches!(figure.content, Content::Map { .. });
        let image = figure.image.as_deref();
        is_map
            && self.has_network(side, &figure.model)
            && image.is_some_and(|image| self.has_image(image))
    }

    fn belong_together(&self, figure: &Figure, other: &Figure) -> bool {
        let models = [&figure.model, &other.model];
        let target = |figure: &Figure| figure.target.as_ref().map(|target| target.key());
        self.networks
            .iter()
            .any(|pair| [&pair[0].id, &pair[1].id] == models)
            && figure.method == other.method
            && figure.image == other.image
            && figure.layer == other.layer
            && target(figure) == target(other)
    }

    fn has_network(&self, side: usize, id: &str) -> bool {
        self.networks.iter().any(|pair| pair[side].id == id)
    }

    fn has_image(&self, id: &str) -> bool {
        self.images.iter().any(|image| image.id == id)
    }
}

fn find_model<'a>(models: &'a [ModelInfo], model: &ModelInfo) -> Option<&'a ModelInfo> {
    models.iter().find(|other| other.id == model.id)
}

fn is_same(image: &ImageInfo, other: &ImageInfo) -> bool {
    image.id == other.id && image.sha256 == other.sha256
}

/// A figure's name: network, image, method, layer and class.
fn name(figure: &Figure, words: &Words) -> String {
    let target = figure.target.as_ref().map(|target| target.name());
    let parts = [
        Some(figure.model.clone()),
        figure.image.clone(),
        Some(method_title(&figure.method, words)),
        figure.layer.clone(),
        target,
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn no_network(a: FinishedRun, b: FinishedRun) -> Error {
    let ids = |run: FinishedRun| {
        let ids = run
            .results
            .models
            .iter()
            .map(|model| format!("`{}`", model.id));
        let ids: Vec<String> = ids.collect();
        if ids.is_empty() {
            "none".to_owned()
        } else {
            ids.join(", ")
        }
    };
    let message = format!(
        "the runs have no network with the same id: {} has {}, {} has {}",
        a.name,
        ids(a),
        b.name,
        ids(b)
    );
    Error::new(ErrorKind::Usage, message).help(
        "give the network one `id` in both experiments, or compare runs with one network each",
    )
}
