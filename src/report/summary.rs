//! What came out, in sentences that are computed from the predictions.

use super::comparison;
use super::words::Words;
use crate::results::{Prediction, Results};

/// Names of pictures are spelt out up to so many.
const NAMED: usize = 6;

/// Who is right where, and where the networks differ.
pub fn sentences(results: &Results, words: &Words) -> Vec<String> {
    let mut sentences = Vec::new();
    for model in &results.models {
        let labels = || {
            let own = results.predictions.iter().filter(|p| p.model == model.id);
            own.filter_map(|p| p.label.as_ref())
        };
        let of = labels().count();
        if of > 0 {
            let first = labels().filter(|l| l.rank == 1).count().to_string();
            let five = labels().filter(|l| l.rank <= 5).count().to_string();
            let gaps = [
                ("network", &*model.id),
                ("first", &first),
                ("five", &five),
                ("of", &of.to_string()),
            ];
            sentences.push(words.say("summary.right", &gaps));
        }
    }
    if results.models.len() < 2 {
        return sentences;
    }
    let mut groups: [(&str, Vec<String>); 5] = [
        ("summary.all_right", vec![]),
        ("summary.none_right", vec![]),
        ("summary.some_right", vec![]),
        ("summary.agree", vec![]),
        ("summary.differ", vec![]),
    ];
    for image in &results.images {
        let said: Vec<&Prediction> = results
            .predictions
            .iter()
            .filter(|p| p.image == image.id)
            .collect();
        if said.len() < 2 {
            continue;
        }
        let right: Vec<&str> = said
            .iter()
            .filter(|p| p.label.as_ref().is_some_and(|l| l.rank == 1))
            .map(|p| p.model.as_str())
            .collect();
        let name = image.id.clone();
        if said.iter().all(|p| p.label.is_some()) {
            let (group, name) = match right.len() {
                n if n == said.len() => (0, name),
                0 => (1, name),
                _ => (2, format!("{name} ({})", right.join(", "))),
            };
            groups[group].1.push(name);
        } else {
            let mut first = said.iter().map(|p| p.top.first().map(|s| &s.class.name));
            let one = first.next();
            let group = if first.all(|name| Some(name) == one) {
                3
            } else {
                4
            };
            groups[group].1.push(name);
        }
    }
    for (key, names) in groups {
        if names.is_empty() {
            continue;
        }
        let mut list = names
            .iter()
            .take(NAMED)
            .cloned()
            .collect::<Vec<_>>()
            .join(", ");
        if names.len() > NAMED {
            list.push_str(", …");
        }
        sentences.push(words.say(
            key,
            &[("count", &names.len().to_string()), ("photos", &list)],
        ));
    }
    sentences.extend(comparison::sentences(results, words));
    sentences
}
