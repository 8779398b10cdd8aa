//! Parts of the results: a selection of the figures, and the predictions.

use std::rc::Rc;

use crate::error::{Error, ErrorKind, Result, nearest};
use crate::figures::{Content, Figure, Tensors};
use crate::report;
use crate::results::{Prediction, Results};
use crate::run::RunOutput;

/// Some figures of a run: those of one method, network or image.
#[derive(Clone)]
pub struct Figures {
    output: Rc<RunOutput>,
    /// Their indices in the results.
    indices: Vec<usize>,
}

impl Figures {
    /// Every figure of a run.
    ///
    /// # Errors
    /// If there is none.
    pub(super) fn all(output: Rc<RunOutput>) -> Result<Self> {
        let indices: Vec<usize> = (0..output.results.figures.len()).collect();
        if indices.is_empty() {
            let error = Error::new(
                ErrorKind::Usage,
                "the method made no figure of this image and class",
            );
            return Err(error.help(
                "there is none for a class that the network doesn't have, and some methods need a collection",
            ));
        }
        Ok(Figures { output, indices })
    }

    /// The figures of one method.
    ///
    /// # Errors
    /// If there is none.
    pub(super) fn for_method(output: Rc<RunOutput>, method: &str) -> Result<Self> {
        let figures = &output.results.figures;
        let indices = (0..figures.len()).filter(|&index| figures[index].method == method);
        let indices: Vec<usize> = indices.collect();
        if !indices.is_empty() {
            return Ok(Figures { output, indices });
        }
        let mut methods: Vec<&str> = figures.iter().map(|f| f.method.as_str()).collect();
        methods.dedup();
        let error = Error::new(
            ErrorKind::Usage,
            format!("the report has no figure of `{method}`"),
        );
        Err(match nearest(method, methods.iter().copied()) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error.help(format!("it has figures of {}", methods.join(", "))),
        })
    }

    /// The figures of one network.
    pub fn model(&self, id: &str) -> Figures {
        self.filter(|figure| figure.model == id)
    }

    /// The figures of one image.
    pub fn image(&self, id: &str) -> Figures {
        self.filter(|figure| figure.image.as_deref() == Some(id))
    }

    fn filter(&self, keep: impl Fn(&Figure) -> bool) -> Figures {
        let all = &self.results().figures;
        let indices = self.indices.iter().copied();
        Figures {
            output: self.output.clone(),
            indices: indices.filter(|&index| keep(&all[index])).collect(),
        }
    }

    /// The number of figures.
    pub fn len(&self) -> usize {
        self.indices.len()
    }

    /// Whether there are no figures.
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }

    /// The figures, in the order of the results.
    pub fn iter(&self) -> impl Iterator<Item = &Figure> {
        let indices = self.indices.iter();
        indices.map(|&index| &self.results().figures[index])
    }

    /// The values of the first map, row by row, with its height and width; `None` where no figure is a map.
    pub fn map(&self) -> Option<(&[f32], [usize; 2])> {
        self.iter().find_map(|figure| match &figure.content {
            Content::Map { tensor, .. } => self.tensors().get(tensor)?.shaped::<2>(),
            _ => None,
        })
    }

    /// The results of the run.
    pub fn results(&self) -> &Results {
        &self.output.results
    }

    /// Every tensor of the run, by its key.
    pub fn tensors(&self) -> &Tensors {
        &self.output.tensors
    }

    /// The figures as HTML without a style sheet; figures that need more than images and tables are in an `<iframe>`.
    ///
    /// # Errors
    /// If an image can't be encoded.
    pub fn html(&self) -> Result<String> {
        report::inline::figures(self.results(), self.tensors(), &self.indices)
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
            if let Some(target) = &figure.target {
                write!(f, ", {}", target.name())?;
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

/// Predictions of networks for images.
#[derive(Clone)]
pub struct Predictions {
    output: Rc<RunOutput>,
}

impl Predictions {
    pub(super) fn new(output: Rc<RunOutput>) -> Self {
        Predictions { output }
    }

    /// All predictions, one for each image and network.
    pub fn all(&self) -> &[Prediction] {
        &self.results().predictions
    }

    /// The results of the run.
    pub fn results(&self) -> &Results {
        &self.output.results
    }

    /// The name of the most probable class in the first prediction, or of the first output of a network without classes.
    pub fn first(&self) -> Option<&str> {
        let first = self.all().first()?.top.first()?;
        Some(&first.class.name)
    }

    /// The predictions as HTML without a style sheet.
    ///
    /// # Errors
    /// If an image can't be encoded.
    pub fn html(&self) -> Result<String> {
        report::inline::predictions(self.results(), &self.output.tensors)
    }
}

impl std::fmt::Display for Predictions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (number, prediction) in self.all().iter().enumerate() {
            if number > 0 {
                writeln!(f)?;
            }
            write!(f, "{} on {}: ", prediction.model, prediction.image)?;
            for (index, score) in prediction.top.iter().enumerate() {
                let comma = if index > 0 { ", " } else { "" };
                write!(f, "{comma}{} ", score.class.name)?;
                match score.probability {
                    Some(probability) => write!(f, "{:.1} %", probability * 100.0)?,
                    None => write!(f, "{}", score.logit)?,
                }
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
