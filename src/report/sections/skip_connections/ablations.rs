//! The cuts of the residual blocks of one network, from its figures.

use crate::figures::{AblatedPrediction, Content, Figure, Quantity, ResidualBlock, TargetInfo};
use crate::report::charts::series_chart::{ChartSeries, SeriesPoint};
use crate::report::input::ReportInput;
use crate::report::views::net::NetView;
use crate::report::views::prediction::prediction;
use crate::results::Results;

/// The method whose figures the section shows.
pub const METHOD: &str = "skip_connections";

/// One figure: the blocks of a network for one photo and target.
#[derive(Debug, Clone, Copy)]
pub struct PhotoCuts<'a> {
    /// The photo.
    pub image: &'a str,
    /// The class, or what else is explained.
    pub target: &'a TargetInfo,
    /// Its value in the whole network.
    pub value: f32,
    /// What the value is.
    pub quantity: Quantity,
    /// Its probability in the whole network, 0 to 1, if it has one.
    pub probability: Option<f32>,
    /// The blocks, in the order of the network.
    pub blocks: &'a [ResidualBlock],
    /// The class that the whole network finds most probable.
    pub first: Option<usize>,
}

impl<'a> PhotoCuts<'a> {
    fn new(figure: &'a Figure, results: &'a Results) -> Option<PhotoCuts<'a>> {
        let Content::Shortcuts {
            value,
            quantity,
            probability,
            blocks,
        } = &figure.content
        else {
            return None;
        };
        let image = figure.image.as_deref()?;
        let prediction = prediction(results, &figure.model, image);
        Some(PhotoCuts {
            image,
            target: figure.target.as_ref()?,
            value: *value,
            quantity: *quantity,
            probability: *probability,
            blocks,
            first: prediction.and_then(|p| Some(p.top.first()?.class.index)),
        })
    }

    /// How much of the class's probability is lost by `cut`, 0 to 1, if it has one.
    pub fn lost(&self, cut: &AblatedPrediction) -> Option<f64> {
        Some(f64::from(self.probability?) - f64::from(cut.probability?))
    }
}

/// The figures of one network.
#[derive(Debug)]
pub struct NetworkCuts<'a> {
    /// The network's index in the experiment.
    pub index: usize,
    /// The network.
    pub net: &'a NetView,
    /// One for each photo and class.
    pub photos: Vec<PhotoCuts<'a>>,
}

impl<'a> NetworkCuts<'a> {
    /// The figures of the network `net` at `index`.
    pub fn new(input: &'a ReportInput, index: usize, net: &'a NetView) -> NetworkCuts<'a> {
        let own = input
            .figures_of(METHOD)
            .filter(|figure| figure.model == net.id);
        NetworkCuts {
            index,
            net,
            photos: own
                .filter_map(|figure| PhotoCuts::new(figure, input.results))
                .collect(),
        }
    }

    /// Whether there is no figure with blocks.
    pub fn is_empty(&self) -> bool {
        self.photos.is_empty()
    }

    /// The first class of each photo: the charts count every photo once.
    pub fn first_classes(&self) -> Vec<PhotoCuts<'a>> {
        let mut first: Vec<PhotoCuts> = Vec::new();
        for photo in &self.photos {
            if first.iter().all(|known| known.image != photo.image) {
                first.push(*photo);
            }
        }
        first
    }

    /// A value of every block, one for each photo.
    pub fn series(&self, value: impl Fn(&PhotoCuts, &ResidualBlock) -> Option<f64>) -> ChartSeries {
        let photos = self.first_classes();
        let blocks = photos.first().map_or(&[][..], |photo| photo.blocks);
        let point = |block: &ResidualBlock| SeriesPoint {
            x: block.depth,
            hollow: block.projection,
            values: photos
                .iter()
                .filter_map(|photo| {
                    let own = photo.blocks.iter().find(|own| own.add == block.add)?;
                    value(photo, own)
                })
                .collect(),
        };
        ChartSeries {
            network: self.index,
            points: blocks.iter().map(point).collect(),
        }
    }

    /// The names of the blocks, in the order of [`series`](Self::series).
    pub fn block_names(&self) -> Vec<&'a str> {
        let first = self.photos.first();
        let blocks = first.map_or(&[][..], |photo| photo.blocks).iter();
        blocks.map(|block| block_name(&block.add)).collect()
    }
}

/// A block's name: that of its addition without `.add`.
pub fn block_name(add: &str) -> &str {
    add.strip_suffix(".add").unwrap_or(add)
}
