//! What a check says about itself, and what it gives the report: texts, scores, chart lines and notes as plain
//! data, so that the report shows any check without knowing it.

/// Facts and English texts of a check.
#[derive(Debug)]
pub struct CheckInfo {
    /// The name in a spec.
    pub key: &'static str,
    /// The key of its results in `results.json`.
    pub result_key: &'static str,
    /// The name in the report.
    pub title: &'static str,
    /// What it shows, as a phrase: README's list of checks.
    pub summary: &'static str,
    /// How to read its scores, and what they can't show.
    pub read: &'static str,
    /// The papers, as the report's list of references gives them.
    pub papers: &'static [&'static str],
    /// The scores of a map, in the order of the report's tables.
    pub scores: &'static [ScoreInfo],
    /// The charts of a map.
    pub charts: &'static [CheckChartInfo],
    /// The texts of notes: key and English text, with the names of values in braces.
    pub notes: &'static [(&'static str, &'static str)],
    /// Texts that differ for targets without a probability: the key of the text that each replaces, without `.value`, and the
    /// English text, with the name of the value that is explained as `{quantity}`.
    pub value_texts: &'static [(&'static str, &'static str)],
}

/// A score that a check gives every map.
#[derive(Debug)]
pub struct ScoreInfo {
    /// The part of the word key after `trust.`; unique among all scores.
    pub key: &'static str,
    /// The table's title.
    pub title: &'static str,
    /// What the score is and which values are better.
    pub note: &'static str,
    /// How it is written.
    pub format: ScoreFormat,
    /// Which values are better.
    pub better: Better,
}

/// How a number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScoreFormat {
    /// With this many decimals.
    Decimals(usize),
    /// A share of 1, in per cent.
    Percent,
}

/// Which values of a score are better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// Small values.
    Lower,
    /// Large values.
    Higher,
    /// Values near 0.
    NearZero,
}

impl Better {
    /// A number that is larger for a better value.
    pub fn rank(self, value: f64) -> f64 {
        match self {
            Better::Lower => -value,
            Better::Higher => value,
            Better::NearZero => -value.abs(),
        }
    }
}

/// A chart with one line or more for each network.
#[derive(Debug)]
pub struct CheckChartInfo {
    /// The part of the word key after `trust.`; unique among all charts.
    pub key: &'static str,
    /// The title of all charts of this kind.
    pub title: &'static str,
    /// What is shown and how to read it.
    pub legend: &'static str,
    /// A description for readers who can't see the chart; `{map}` is the map's name.
    pub alt: &'static str,
    /// The part of the word key after `trust.` and the English label, at the left end, the middle and the right end of
    /// the horizontal axis.
    pub axis: [(&'static str, &'static str); 3],
    /// The range of the vertical axis.
    pub range: (f64, f64),
    /// How values at the vertical axis are written.
    pub format: ScoreFormat,
    /// Whether each image's own value is drawn behind the mean over the images.
    pub each_image: bool,
    /// Whether its values are those that are explained, so that range and format are those of probabilities only.
    pub of_targets: bool,
}

/// A line of a chart, for one map.
#[derive(Debug, Clone)]
pub struct CheckChartLine {
    /// Whether its marks are rings, which tells two lines of one network apart.
    pub hollow: bool,
    /// Values at even distances from the left end of the axis to its right end; an undefined value is left out.
    pub values: Vec<Option<f64>>,
}

/// The line of text below a map.
#[derive(Debug, Clone)]
pub struct CheckNote {
    /// A key of [`CheckInfo::notes`].
    pub key: &'static str,
    /// The values in braces.
    pub values: Vec<CheckNoteValue>,
}

/// A value in a note.
#[derive(Debug, Clone)]
pub struct CheckNoteValue {
    /// The name in braces.
    pub name: &'static str,
    /// The value; a dash is written if there is none.
    pub value: Option<f64>,
    /// How it is written.
    pub format: ScoreFormat,
}

impl CheckInfo {
    /// The English texts by their keys in the report's word files: `check.KEY`, `check.KEY.read`, `trust.KEY…` for
    /// scores and charts, `check_note.KEY` for notes.
    pub fn texts(&self) -> Vec<(String, &'static str)> {
        let mut texts = vec![
            (format!("check.{}", self.key), self.title),
            (format!("check.{}.read", self.key), self.read),
        ];
        for score in self.scores {
            texts.push((format!("trust.{}", score.key), score.title));
            texts.push((format!("trust.{}.note", score.key), score.note));
        }
        for chart in self.charts {
            texts.push((format!("trust.{}.title", chart.key), chart.title));
            texts.push((format!("trust.{}.legend", chart.key), chart.legend));
            texts.push((format!("trust.{}.alt", chart.key), chart.alt));
            for (key, text) in chart.axis {
                texts.push((format!("trust.{key}"), text));
            }
        }
        for (key, text) in self.notes {
            texts.push((format!("check_note.{key}"), text));
        }
        for (key, text) in self.value_texts {
            texts.push((format!("{key}.value"), text));
        }
        texts
    }
}
