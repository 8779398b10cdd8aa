//! Parts of a run's results, to be looked at one by one: some figures, and what the networks said.

use std::rc::Rc;

use crate::error::{Error, ErrorKind, Result};
use crate::figures::{Content, Figure, Tensors};
use crate::network::graph::nearest;
use crate::report;
use crate::results::{Prediction, Results};
use crate::run::Outcome;

/// Some figures of a run: one, after a single step; those of a method, of a report.
#[derive(Clone)]
pub struct Figures {
    outcome: Rc<Outcome>,
    /// Their places in the results.
    chosen: Vec<usize>,
}

impl Figures {
    /// Every figure there is.
    ///
    /// # Errors
    /// If there is none.
    pub(super) fn all(outcome: Rc<Outcome>) -> Result<Self> {
        let chosen: Vec<usize> = (0..outcome.results.figures.len()).collect();
        match chosen[..] {
            [] => Err(Error::new(ErrorKind::Usage, "there is no figure").help(
                "a class that the network does not know has none, and some methods need a collection",
            )),
            _ => Ok(Figures { outcome, chosen }),
        }
    }

    /// Those of one method.
    ///
    /// # Errors
    /// If there is none.
    pub(super) fn of_method(outcome: Rc<Outcome>, method: &str) -> Result<Self> {
        let figures = &outcome.results.figures;
        let chosen = (0..figures.len()).filter(|&at| figures[at].method == method);
        let chosen: Vec<usize> = chosen.collect();
        if !chosen.is_empty() {
            return Ok(Figures { outcome, chosen });
        }
        let mut there: Vec<&str> = figures.iter().map(|f| f.method.as_str()).collect();
        there.dedup();
        let error = Error::new(
            ErrorKind::Usage,
            format!("the report has no figure of `{method}`"),
        );
        Err(match nearest(method, there.iter().copied()) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error.help(format!("it has those of {}", there.join(", "))),
        })
    }

    /// Those of one network.
    pub fn model(&self, id: &str) -> Figures {
        self.filter(|figure| figure.model == id)
    }

    /// Those of one picture.
    pub fn image(&self, id: &str) -> Figures {
        self.filter(|figure| figure.image.as_deref() == Some(id))
    }

    fn filter(&self, keep: impl Fn(&Figure) -> bool) -> Figures {
        let all = &self.results().figures;
        let chosen = self.chosen.iter().copied();
        Figures {
            outcome: self.outcome.clone(),
            chosen: chosen.filter(|&at| keep(&all[at])).collect(),
        }
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.chosen.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.chosen.is_empty()
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = &Figure> {
        self.chosen.iter().map(|&at| &self.results().figures[at])
    }

    /// The numbers of the first map, row by row, with height and width; `None` where no figure is a map.
    pub fn map(&self) -> Option<(&[f32], [usize; 2])> {
        self.iter().find_map(|figure| match &figure.content {
            Content::Map { tensor, .. } => self.tensors().get(tensor)?.shaped::<2>(),
            _ => None,
        })
    }

    /// The results that they are part of.
    pub fn results(&self) -> &Results {
        &self.outcome.results
    }

    /// Every tensor of the results, by its key.
    pub fn tensors(&self) -> &Tensors {
        &self.outcome.tensors
    }

    /// The figures as HTML that carries no style sheet; where they need more than pictures and tables, in a
    /// frame of their own.
    ///
    /// # Errors
    /// If they can't be drawn.
    pub fn html(&self) -> Result<String> {
        report::inline::figures(self.results(), self.tensors(), &self.chosen)
    }
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (number, figure) in self.iter().enumerate() {
            if number > 0 {
                writeln!(f)?;
            }
            write!(f, "{} of {}", figure.method, figure.model)?;
            if let Some(image) = &figure.image {
                write!(f, " on {image}")?;
            }
            if let Some(class) = &figure.class {
                write!(f, ", {}", class.name)?;
            }
            if let Some(layer) = &figure.layer {
                write!(f, ", at {layer}")?;
            }
            if let Content::Map {
                minimum, maximum, ..
            } = figure.content
            {
                write!(f, ": from {minimum} to {maximum}")?;
            }
        }
        Ok(())
    }
}

impl std::fmt::Debug for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

/// What networks said of pictures.
#[derive(Clone)]
pub struct Predictions {
    outcome: Rc<Outcome>,
}

impl Predictions {
    pub(super) fn new(outcome: Rc<Outcome>) -> Self {
        Predictions { outcome }
    }

    /// One for each picture and network.
    pub fn all(&self) -> &[Prediction] {
        &self.results().predictions
    }

    /// The results that they are part of.
    pub fn results(&self) -> &Results {
        &self.outcome.results
    }

    /// The likeliest class of the first one, by name.
    pub fn first(&self) -> Option<&str> {
        let first = self.all().first()?.top.first()?;
        Some(&first.class.name)
    }

    /// The predictions as HTML that carries no style sheet.
    ///
    /// # Errors
    /// If they can't be drawn.
    pub fn html(&self) -> Result<String> {
        report::inline::predictions(self.results(), &self.outcome.tensors)
    }
}

impl std::fmt::Display for Predictions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (number, prediction) in self.all().iter().enumerate() {
            if number > 0 {
                writeln!(f)?;
            }
            write!(f, "{} on {}: ", prediction.model, prediction.image)?;
            for (place, scored) in prediction.top.iter().enumerate() {
                let comma = if place > 0 { ", " } else { "" };
                let percent = scored.probability * 100.0;
                write!(f, "{comma}{} {percent:.1} %", scored.class.name)?;
            }
        }
        Ok(())
    }
}

impl std::fmt::Debug for Predictions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}
