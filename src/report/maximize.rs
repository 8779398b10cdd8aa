//! The pictures that gradient ascent made for classes and units, each beside the photo that comes closest; the
//! networks side by side.

use serde::Serialize;

use super::cells::LayerView;
use super::exemplars::planes;
use super::page::Net;
use super::pictures::{Store, Stored};
use super::words::Words;
use crate::error::Result;
use crate::figures::{Content, Figure, MaximisedImage, Tensors, TopImage};
use crate::results::Results;

#[derive(Debug, Serialize)]
pub struct Maximize {
    pub rows: Vec<Row>,
    pub stored: Vec<Stored>,
}

/// What is asked of all networks, side by side: a class, or each one's layer.
#[derive(Debug, Serialize)]
pub struct Row {
    pub title: String,
    pub cells: Vec<Cell>,
}

#[derive(Debug, Serialize)]
pub struct Cell {
    pub net: Net,
    pub layer: Option<LayerView>,
    /// Whether a unit's middle place was excited, not its mean.
    pub centre: bool,
    pub cards: Vec<Card>,
    /// Why there are none.
    pub message: Option<String>,
    pub notes: Vec<String>,
}

#[derive(Debug, Serialize)]
pub struct Card {
    /// `unit 17`, `goldfish`
    pub name: String,
    pub correlation: Option<String>,
    /// The stored picture; absent where its numbers are missing.
    pub picture: Option<String>,
    pub side: usize,
    pub reached: String,
    pub best: Option<BestView>,
    /// How many times the best photo's value was reached, where that says something.
    pub times: Option<String>,
    pub message: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct BestView {
    pub image: String,
    pub label: Option<String>,
    pub value: String,
    pub thumbnail: Option<String>,
}

/// The section, if there is anything in it.
///
/// # Errors
/// If a picture can't be encoded.
pub fn view(
    results: &Results,
    tensors: &Tensors,
    nets: &[Net],
    words: &Words,
) -> Result<Option<Maximize>> {
    let mut drawing = Drawing {
        results,
        tensors,
        words,
        store: Store::new("m"),
    };
    let mut rows = Vec::new();
    for class in drawing.classes() {
        rows.push(drawing.class(class, nets)?);
    }
    let mut keys = Vec::new();
    for figure in drawing.figures().filter(|figure| figure.layer.is_some()) {
        let key = results.selector_of(figure);
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    for key in keys {
        rows.push(drawing.layer(key, nets)?);
    }
    if rows.is_empty() && drawing.of_classes().next().is_some() {
        rows.push(drawing.without(nets));
    }
    Ok((!rows.is_empty()).then_some(Maximize {
        rows,
        stored: drawing.store.stored,
    }))
}

struct Drawing<'a> {
    results: &'a Results,
    tensors: &'a Tensors,
    words: &'a Words,
    store: Store,
}

impl<'a> Drawing<'a> {
    fn figures(&self) -> impl Iterator<Item = &'a Figure> + use<'a> {
        let figures = self.results.figures.iter();
        figures.filter(|figure| figure.method == "maximize")
    }

    /// The figures about classes, one a network.
    fn of_classes(&self) -> impl Iterator<Item = &'a Figure> + use<'a> {
        self.figures().filter(|figure| figure.layer.is_none())
    }

    /// The names of the classes that any network was asked about, the first asked first.
    fn classes(&self) -> Vec<&'a str> {
        let mut names = Vec::new();
        for figure in self.of_classes() {
            for picture in pictures(figure) {
                if let Some(class) = &picture.class
                    && !names.contains(&class.name.as_str())
                {
                    names.push(&class.name);
                }
            }
        }
        names
    }

    fn class(&mut self, name: &str, nets: &[Net]) -> Result<Row> {
        let mut cells = Vec::new();
        for net in nets {
            let figure = self.of_classes().find(|figure| figure.model == net.id);
            let named = |picture: &&MaximisedImage| {
                let class = picture.class.as_ref();
                class.is_some_and(|class| class.name == name)
            };
            let own: Vec<&MaximisedImage> = figure
                .map(pictures)
                .unwrap_or_default()
                .iter()
                .filter(named)
                .collect();
            cells.push(self.cell(net, figure, &own)?);
        }
        let title = self.words.say("maximize.class", &[("class", name)]);
        Ok(Row { title, cells })
    }

    fn layer(&mut self, key: Option<(String, usize)>, nets: &[Net]) -> Result<Row> {
        let mut cells = Vec::new();
        for net in nets {
            let figure = self.figures().find(|figure| {
                figure.model == net.id
                    && figure.layer.is_some()
                    && self.results.selector_of(figure) == key
            });
            let own: Vec<&MaximisedImage> =
                figure.map(pictures).unwrap_or_default().iter().collect();
            cells.push(self.cell(net, figure, &own)?);
        }
        let layer = match key {
            Some((name, 0)) => name,
            Some((name, number)) => format!("{name} ({})", number + 1),
            None => String::new(),
        };
        let title = self.words.say("maximize.layer", &[("layer", &layer)]);
        Ok(Row { title, cells })
    }

    /// No network had anything to climb for.
    fn without(&mut self, nets: &[Net]) -> Row {
        let cells = nets.iter().map(|net| {
            let figure = self.of_classes().find(|figure| figure.model == net.id);
            self.empty(net, figure)
        });
        Row {
            title: String::new(),
            cells: cells.collect(),
        }
    }

    fn empty(&self, net: &Net, figure: Option<&Figure>) -> Cell {
        let message = match figure.map(|figure| &figure.content) {
            Some(Content::Absent { reason }) => self.words.note(reason),
            _ => (self.words).gap(self.results.failure(&net.id, None, "maximize")),
        };
        Cell {
            net: net.clone(),
            layer: None,
            centre: false,
            cards: Vec::new(),
            message: Some(message),
            notes: notes(figure, self.words),
        }
    }

    fn cell(
        &mut self,
        net: &Net,
        figure: Option<&Figure>,
        own: &[&MaximisedImage],
    ) -> Result<Cell> {
        let mut cell = self.empty(net, figure);
        if own.is_empty() {
            return Ok(cell);
        }
        for maximised in own {
            cell.cards.push(self.card(maximised)?);
        }
        cell.message = None;
        let model = self.results.models.iter().find(|model| model.id == net.id);
        cell.layer = model.zip(figure).and_then(|(model, figure)| {
            let mut layers = model.layers.iter();
            let layer = layers.find(|layer| Some(&layer.name) == figure.layer.as_ref());
            layer.map(LayerView::new)
        });
        if let Some(Content::Maximised { centre, .. }) = figure.map(|figure| &figure.content) {
            cell.centre = *centre;
        }
        Ok(cell)
    }

    fn card(&mut self, maximised: &MaximisedImage) -> Result<Card> {
        let words = self.words;
        let unit = maximised.unit.to_string();
        let mut card = Card {
            name: match &maximised.class {
                Some(class) => class.name.clone(),
                None => words.say("maximize.unit", &[("unit", &unit)]),
            },
            correlation: maximised.correlation.map(|r| words.fixed(r, 2)),
            picture: None,
            side: 1,
            reached: words.number(maximised.final_value),
            best: None,
            times: None,
            message: None,
        };
        match self.tensors.get(&maximised.tensor).and_then(planes) {
            Some(pixels) => {
                card.side = pixels.width() as usize;
                card.picture = Some(self.store.small(&pixels)?);
            }
            None => {
                let gaps = [("key", maximised.tensor.as_str())];
                card.message = Some(words.say("cell.missing", &gaps));
            }
        }
        if let Some(best) = &maximised.top_image {
            let value = f64::from(best.value);
            // A photo's answer near 0 or below has no multiple that says anything.
            let times = maximised.final_value / value;
            card.times =
                (value > 0.0 && (0.0..1e3).contains(&times)).then(|| words.fixed(times, 1));
            card.best = Some(self.best(best));
        }
        Ok(card)
    }

    fn best(&mut self, best: &TopImage) -> BestView {
        let thumbnail = self.tensors.get(&best.tensor);
        BestView {
            image: best.image.clone(),
            label: best.label.as_ref().map(|class| class.name.clone()),
            value: self.words.number(f64::from(best.value)),
            thumbnail: thumbnail.and_then(|array| self.store.photo(array)),
        }
    }
}

fn pictures(figure: &Figure) -> &[MaximisedImage] {
    match &figure.content {
        Content::Maximised { images, .. } => images,
        _ => &[],
    }
}

fn notes(figure: Option<&Figure>, words: &Words) -> Vec<String> {
    let notes = figure.map(|figure| figure.notes.as_slice());
    let notes = notes.unwrap_or_default().iter();
    notes.map(|note| words.note(note)).collect()
}
