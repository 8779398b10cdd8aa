//! Labels that are probably wrong, by confident learning (Northcutt, Jiang & Chuang 2021).
//!
//! It takes two passes over the predictions, so that they can lie in a file: the first one gives [`ConfidentThresholds`],
//! the second one the [`ConfidentJoint`]. Memory holds two numbers per class, the confident joint's entries above 0, and the
//! label issues. The probabilities should come from a network that has not been trained on these images.

use std::collections::BTreeMap;

use crate::error::{Error, ErrorKind, Result};

/// How far a probability may lie below a threshold and still reach it, as in cleanlab: a mean of equal numbers can be a
/// rounding error above them.
const TOLERANCE: f64 = 1e-6;

/// The mean probability of each class among the images that are labelled with it: the first pass.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfidentThresholds {
    classes: Vec<(f64, u64)>,
}

/// A labelled image and what a network predicts for it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LabelledPrediction<'a> {
    /// The class that the image is labelled with.
    pub label: usize,
    /// The probability of that class, 0 to 1.
    pub self_confidence: f64,
    /// The most probable classes with their probabilities, most probable first, each class once. The label may be among
    /// them. Further classes may be left out; [`ConfidentJoint::undecided`] counts the images for which that matters.
    pub likeliest: &'a [(usize, f64)],
}

/// An image whose label is probably wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LabelIssue {
    /// The number of the image, counted from 0 in the order in which images were added.
    pub image: usize,
    /// The class that the image is labelled with.
    pub label: usize,
    /// The class that it probably is.
    pub suggested: usize,
    /// The probability of the label, 0 to 1.
    pub self_confidence: f64,
    /// The probability of the label minus the highest one of another class, −1 to 1. Where it is positive, the network
    /// predicts the label, but less clearly than for other images with that label.
    pub margin: f64,
}

/// The confident joint, how often an image with one label clearly looks like a class, and the images off its diagonal: the
/// second pass.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfidentJoint {
    thresholds: Vec<Option<f64>>,
    /// The thresholds that there are, from the lowest.
    ascending: Vec<(f64, usize)>,
    counts: BTreeMap<(usize, usize), u64>,
    issues: Vec<LabelIssue>,
    images: usize,
    undecided: usize,
}

impl ConfidentThresholds {
    /// No images yet, of `classes` classes.
    pub fn new(classes: usize) -> Self {
        let classes = vec![(0.0, 0); classes];
        ConfidentThresholds { classes }
    }

    /// Adds an image: its label and that class's probability.
    ///
    /// # Errors
    /// If there is no such class, or the probability is not from 0 to 1.
    pub fn add(&mut self, label: usize, self_confidence: f64) -> Result<()> {
        check_class(label, self.classes.len())?;
        check_probability(label, self_confidence)?;
        let (sum, count) = &mut self.classes[label];
        *sum += self_confidence;
        *count += 1;
        Ok(())
    }

    /// The threshold of each class, 0 to 1, `[classes]`: the mean of the probabilities added. `None` for a class without
    /// images: no image counts as one of that class.
    pub fn thresholds(&self) -> Vec<Option<f64>> {
        let classes = self.classes.iter();
        let mean = |&(sum, count): &(f64, u64)| (count > 0).then(|| sum / count as f64);
        classes.map(mean).collect()
    }

    /// Begins the second pass.
    pub fn into_joint(self) -> ConfidentJoint {
        let thresholds = self.thresholds();
        let known = thresholds.iter().enumerate();
        let known = known.filter_map(|(class, threshold)| Some(((*threshold)?, class)));
        let mut ascending: Vec<_> = known.collect();
        ascending.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        ConfidentJoint {
            thresholds,
            ascending,
            counts: BTreeMap::new(),
            issues: Vec::new(),
            images: 0,
            undecided: 0,
        }
    }
}

impl ConfidentJoint {
    /// Adds the next image, the same ones as in the first pass. It counts as the most probable of the classes whose
    /// probability reaches the class's threshold, and not at all where none does. Of equally probable classes the smaller
    /// one is taken.
    ///
    /// # Errors
    /// If there is no such class, a probability is not from 0 to 1, the label has no threshold, or the classes are not in
    /// the order of their probabilities.
    pub fn add(&mut self, prediction: &LabelledPrediction) -> Result<()> {
        let LabelledPrediction {
            label,
            self_confidence,
            likeliest,
        } = *prediction;
        self.check(prediction)?;
        let image = self.images;
        self.images += 1;
        let others = likeliest.iter().filter(|(class, _)| *class != label);
        let own = [(label, self_confidence)];
        let confident = own.iter().chain(others.clone());
        let confident = confident.filter(|(class, probability)| {
            let threshold = self.thresholds[*class];
            threshold.is_some_and(|threshold| *probability >= threshold - TOLERANCE)
        });
        let likest = confident.reduce(|best, next| {
            let larger = next.1 > best.1 || (next.1 == best.1 && next.0 < best.0);
            if larger { next } else { best }
        });
        let Some(&(suggested, probability)) = likest else {
            self.undecided += usize::from(self.may_be_another(prediction, 0.0));
            return Ok(());
        };
        // A label that is not among the likeliest can be less probable than a class that was left out.
        if self.may_be_another(prediction, probability) {
            self.undecided += 1;
            return Ok(());
        }
        *self.counts.entry((label, suggested)).or_default() += 1;
        if suggested != label {
            let highest = others.map(|(_, probability)| *probability);
            let highest = highest.fold(0.0, f64::max);
            self.issues.push(LabelIssue {
                image,
                label,
                suggested,
                self_confidence,
                margin: self_confidence - highest,
            });
        }
        Ok(())
    }

    /// Whether a class that was left out can be more probable than `probability` and reach its threshold: its probability
    /// is at most that of the last class listed, and at most what all listed ones leave. A listed class with such a
    /// threshold is confident and at least as probable, so that only the label needs to be told apart.
    fn may_be_another(&self, prediction: &LabelledPrediction, probability: f64) -> bool {
        let others = prediction.likeliest.iter();
        let others = others.filter(|(class, _)| *class != prediction.label);
        let sum = prediction.self_confidence + others.map(|(_, p)| p).sum::<f64>();
        let last = prediction.likeliest.last().map_or(1.0, |(_, p)| *p);
        let bound = last.min((1.0 - sum).max(0.0));
        let reached = self.ascending.iter();
        let mut reached = reached.take_while(|(threshold, _)| *threshold - TOLERANCE <= bound);
        bound > probability && reached.any(|(_, class)| *class != prediction.label)
    }

    fn check(&self, prediction: &LabelledPrediction) -> Result<()> {
        let classes = self.thresholds.len();
        check_class(prediction.label, classes)?;
        check_probability(prediction.label, prediction.self_confidence)?;
        if self.thresholds[prediction.label].is_none() {
            let label = prediction.label;
            let message = format!("class {label} had no image in the first pass");
            return Err(Error::new(ErrorKind::Usage, message));
        }
        for (class, probability) in prediction.likeliest {
            check_class(*class, classes)?;
            check_probability(*class, *probability)?;
        }
        if !prediction.likeliest.is_sorted_by(|a, b| a.1 >= b.1) {
            let message = "the classes of a prediction are not in the order of their probabilities";
            return Err(Error::new(ErrorKind::Usage, message));
        }
        Ok(())
    }

    /// The threshold of each class, 0 to 1, `[classes]`; see [`ConfidentThresholds::thresholds`].
    pub fn thresholds(&self) -> &[Option<f64>] {
        &self.thresholds
    }

    /// The entries above 0, as (label, class that the images count as, number of images), by label and then by class.
    pub fn entries(&self) -> impl Iterator<Item = (usize, usize, u64)> {
        let entries = self.counts.iter();
        entries.map(|(&(label, class), &count)| (label, class, count))
    }

    /// The number of images that can't be counted, because a class that was left out of their likeliest ones may be the
    /// one that they count as. With all classes listed it is 0.
    pub fn undecided(&self) -> usize {
        self.undecided
    }

    /// The images that count as another class than their label, the smallest margin first; of equal margins, in the order
    /// of the images.
    pub fn into_issues(self) -> Vec<LabelIssue> {
        let mut issues = self.issues;
        issues.sort_by(|a, b| a.margin.total_cmp(&b.margin));
        issues
    }
}

fn check_class(class: usize, classes: usize) -> Result<()> {
    if class < classes {
        return Ok(());
    }
    let message = format!("class {class} is not one of the {classes} classes");
    Err(Error::new(ErrorKind::Usage, message))
}

fn check_probability(class: usize, probability: f64) -> Result<()> {
    if (0.0..=1.0 + TOLERANCE).contains(&probability) {
        return Ok(());
    }
    let message =
        format!("the probability of class {class} must be from 0 to 1, got {probability}");
    Err(Error::new(ErrorKind::Usage, message))
}
