//! Calibration: whether a network is right as often as its confidence says.

use crate::error::{Error, ErrorKind, Result};

/// The number of bins of a reliability diagram.
pub const RELIABILITY_BINS: usize = 15;

/// How far a probability may lie outside 0 to 1: the rounding of a softmax in float32.
const ROUNDING: f64 = 1e-6;

/// The sums of a reliability diagram (Guo et al. 2017), filled image by image.
///
/// The bins have equal width on the confidence, the probability of the predicted class. Bin `i` holds the confidences
/// above `i / 15` and at most `(i + 1) / 15`; the first bin also holds 0.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Calibration {
    bins: [Sums; RELIABILITY_BINS],
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Sums {
    count: usize,
    right: usize,
    confidence: f64,
}

/// One bin of a reliability diagram.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReliabilityBin {
    /// The confidence above which the bin begins, 0 to 1.
    pub low: f64,
    /// The largest confidence of the bin, 0 to 1.
    pub high: f64,
    /// The number of images.
    pub count: usize,
    /// The number of images that are predicted correctly.
    pub right: usize,
    /// The mean confidence, 0 to 1; `None` without images.
    pub mean_confidence: Option<f64>,
    /// The share of the images that are predicted correctly, 0 to 1; `None` without images.
    pub accuracy: Option<f64>,
}

impl Calibration {
    /// Adds an image: the probability of its predicted class, and whether that is the true class.
    ///
    /// # Errors
    /// If the confidence is no probability; a rounding error of 1e-6 is allowed.
    pub fn add(&mut self, confidence: f64, right: bool) -> Result<()> {
        if !(-ROUNDING..=1.0 + ROUNDING).contains(&confidence) {
            let message = format!("a confidence must be from 0 to 1, got {confidence}");
            return Err(Error::new(ErrorKind::Usage, message));
        }
        let confidence = confidence.clamp(0.0, 1.0);
        let bin = (0..RELIABILITY_BINS).find(|&bin| confidence <= edge(bin + 1));
        let sums = &mut self.bins[bin.unwrap_or(RELIABILITY_BINS - 1)];
        sums.count += 1;
        sums.right += usize::from(right);
        sums.confidence += confidence;
        Ok(())
    }

    /// The number of images.
    pub fn count(&self) -> usize {
        self.bins.iter().map(|bin| bin.count).sum()
    }

    /// The [`RELIABILITY_BINS`] bins, from low to high confidence, empty ones included.
    pub fn bins(&self) -> Vec<ReliabilityBin> {
        let bins = self.bins.iter().enumerate();
        bins.map(|(at, sums)| {
            let mean = |sum: f64| (sums.count > 0).then(|| sum / sums.count as f64);
            ReliabilityBin {
                low: edge(at),
                high: edge(at + 1),
                count: sums.count,
                right: sums.right,
                mean_confidence: mean(sums.confidence),
                accuracy: mean(sums.right as f64),
            }
        })
        .collect()
    }

    /// The expected calibration error (Naeini, Cooper & Hauskrecht 2015; Guo et al. 2017), 0 to 1: the mean over images of
    /// the absolute difference of their bin's accuracy and mean confidence. `None` without images.
    pub fn ece(&self) -> Option<f64> {
        let count = self.count();
        let differences = self.bins.iter();
        let differences = differences.map(|bin| (bin.right as f64 - bin.confidence).abs());
        (count > 0).then(|| differences.sum::<f64>() / count as f64)
    }
}

/// The border below the bin `at`.
fn edge(at: usize) -> f64 {
    at as f64 / RELIABILITY_BINS as f64
}
