//! The section on how far the maps can be trusted: every check's numbers, the means over the photos, beside those of
//! two maps that know nothing of the network; and the curves.

use serde::Serialize;

use super::depth::{self, Point, Series, Unit};
use super::page::Net;
use super::words::Words;
use crate::error::Result;
use crate::figures::{CheckedMap, Figure, Map};
use crate::results::Results;

#[derive(Debug, Serialize)]
pub struct Trust {
    pub nets: Vec<Net>,
    /// What each check says: its name, and how to read it.
    pub checks: Vec<(String, String)>,
    pub tables: Vec<Table>,
    /// Title and chart.
    pub curves: Vec<(String, String)>,
    pub randomised: Vec<(String, String)>,
}

/// One number of every map and network.
#[derive(Debug, Serialize)]
pub struct Table {
    pub title: String,
    pub note: String,
    pub rows: Vec<Row>,
}

#[derive(Debug, Serialize)]
pub struct Row {
    pub name: String,
    /// Whether the map knows nothing of the network.
    pub baseline: bool,
    /// For each network; whether it is the network's best.
    pub cells: Vec<(String, bool)>,
}

/// The maps of one row: a method's at what one selector means, or a baseline.
#[derive(Debug, Clone, PartialEq)]
struct Slot {
    of: Kind,
    name: String,
}

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    Method(String, Option<(String, usize)>),
    Random,
    Centre,
}

pub fn section(results: &Results, nets: &[Net], words: &Words) -> Result<Option<Trust>> {
    if results.checks.is_empty() {
        return Ok(None);
    }
    let view = View {
        results,
        nets,
        words,
        slots: slots(results, words),
    };
    let asked = results.experiment.checks.iter();
    let checks = asked.map(|check| {
        let key = format!("check.{}", check.name());
        (words.say(&key, &[]), words.say(&format!("{key}.read"), &[]))
    });
    Ok(Some(Trust {
        nets: nets.to_vec(),
        checks: checks.collect(),
        tables: view.tables(),
        curves: view.curves()?,
        randomised: view.randomised()?,
    }))
}

/// The numbers that stand beside a map, where there are some.
pub fn beside(results: &Results, figure: &Figure, words: &Words) -> Option<String> {
    let own = results.checks.iter().find(|checked| {
        let of = matches!(&checked.of, Map::Method { name, layer }
            if *name == figure.method && *layer == figure.layer);
        of && checked.model == figure.model
            && Some(&checked.image) == figure.image.as_ref()
            && figure.class.as_ref().is_none_or(|c| *c == checked.class)
    })?;
    let random = results.checks.iter().find(|checked| {
        checked.of == Map::Random
            && (&checked.model, &checked.image, &checked.class)
                == (&own.model, &own.image, &own.class)
    });
    let mut parts = Vec::new();
    if let Some(curves) = &own.curves {
        let chance = random.and_then(|random| random.curves.as_ref());
        let number = |value: Option<f64>| value.map_or("–".into(), |v| words.fixed(v, 2));
        let gaps = [
            ("deletion", number(Some(curves.deletion_area))),
            ("insertion", number(Some(curves.insertion_area))),
            ("random_deletion", number(chance.map(|c| c.deletion_area))),
            ("random_insertion", number(chance.map(|c| c.insertion_area))),
        ];
        parts.push(say(words, "beside.curves", &gaps));
    }
    if let Some(drop) = &own.drop {
        let gaps = [("drop", words.percent(drop.share()))];
        let key = match drop.dimmed > drop.whole {
            true => "beside.rise",
            false => "beside.drop",
        };
        parts.push(say(words, key, &gaps[..usize::from(key == "beside.drop")]));
    }
    if let Some(pointing) = &own.pointing {
        let gaps = [
            ("energy", words.percent(pointing.energy)),
            ("area", words.percent(pointing.area)),
        ];
        let key = match pointing.hit {
            true => "beside.hit",
            false => "beside.miss",
        };
        parts.push(say(words, key, &gaps));
    }
    (!parts.is_empty()).then(|| parts.join(" · "))
}

fn say(words: &Words, key: &str, gaps: &[(&str, String)]) -> String {
    let gaps: Vec<(&str, &str)> = gaps.iter().map(|(name, value)| (*name, &**value)).collect();
    words.say(key, &gaps)
}

fn kind(results: &Results, checked: &CheckedMap) -> Kind {
    match &checked.of {
        Map::Random => Kind::Random,
        Map::Centre => Kind::Centre,
        Map::Method { name, layer } => {
            let figure = results.figures.iter().find(|figure| {
                figure.method == *name && figure.layer == *layer && figure.model == checked.model
            });
            Kind::Method(name.clone(), figure.and_then(|f| results.selector_of(f)))
        }
    }
}

/// The rows: methods in the experiment's order, then the baselines.
fn slots(results: &Results, words: &Words) -> Vec<Slot> {
    let mut kinds: Vec<Kind> = Vec::new();
    for checked in &results.checks {
        let kind = kind(results, checked);
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    let order = |kind: &Kind| match kind {
        Kind::Method(name, _) => {
            let mut all = results.experiment.methods.iter();
            all.position(|method| method.name() == name).unwrap_or(0)
        }
        Kind::Random => usize::MAX - 1,
        Kind::Centre => usize::MAX,
    };
    kinds.sort_by_key(order);
    let several = |name: &str| {
        let same = |kind: &&Kind| matches!(kind, Kind::Method(other, _) if other == name);
        kinds.iter().filter(same).count() > 1
    };
    let name = |kind: &Kind| match kind {
        Kind::Random => words.say("trust.random", &[]),
        Kind::Centre => words.say("trust.centre", &[]),
        Kind::Method(key, layer) => {
            let method = words.say(&format!("method.{key}"), &[]);
            match layer.as_ref().filter(|_| several(key)) {
                Some((selector, 0)) => format!("{method}, {selector}"),
                Some((selector, number)) => format!("{method}, {selector} ({})", number + 1),
                None => method,
            }
        }
    };
    let slots = kinds.iter().map(|kind| Slot {
        of: kind.clone(),
        name: name(kind),
    });
    slots.collect()
}

struct View<'a> {
    results: &'a Results,
    nets: &'a [Net],
    words: &'a Words,
    slots: Vec<Slot>,
}

impl View<'_> {
    fn of(&self, slot: &Slot, net: &Net) -> Vec<&CheckedMap> {
        let all = self.results.checks.iter();
        all.filter(|c| c.model == net.id && kind(self.results, c) == slot.of)
            .collect()
    }

    fn tables(&self) -> Vec<Table> {
        let area = |value: f64| self.words.signed(value, 3);
        let share = |value: f64| self.words.percent(value);
        let curve = |pick: fn(&crate::figures::Curves) -> f64| {
            move |c: &CheckedMap| c.curves.as_ref().map(pick)
        };
        let last = |c: &CheckedMap| c.randomised.first().and_then(|r| r.spearman);
        let all = [
            self.table("deletion", curve(|c| c.deletion_area), &area, |a| -a),
            self.table("insertion", curve(|c| c.insertion_area), &area, |a| a),
            self.table("drop", |c| c.drop.map(|d| d.share()), &share, |s| -s),
            self.table(
                "rise",
                |c| c.drop.map(|d| f64::from(u8::from(d.dimmed > d.whole))),
                &share,
                |s| s,
            ),
            self.table("randomised", last, &area, |r| -r.abs()),
            self.table(
                "hit",
                |c| c.pointing.map(|p| f64::from(u8::from(p.hit))),
                &share,
                |s| s,
            ),
            self.table("energy", |c| c.pointing.map(|p| p.energy), &share, |s| s),
        ];
        all.into_iter().flatten().collect()
    }

    /// A table of means over the photos; the best is what `better` makes largest.
    fn table(
        &self,
        key: &str,
        value: impl Fn(&CheckedMap) -> Option<f64>,
        written: &dyn Fn(f64) -> String,
        better: fn(f64) -> f64,
    ) -> Option<Table> {
        let mut rows: Vec<(&Slot, Vec<Option<f64>>)> = Vec::new();
        for slot in &self.slots {
            let means: Vec<Option<f64>> = self
                .nets
                .iter()
                .map(|net| {
                    let values: Vec<f64> =
                        self.of(slot, net).into_iter().filter_map(&value).collect();
                    let sum: f64 = values.iter().sum();
                    (!values.is_empty()).then(|| sum / values.len() as f64)
                })
                .collect();
            if means.iter().any(Option::is_some) {
                rows.push((slot, means));
            }
        }
        if rows.is_empty() {
            return None;
        }
        let best = |column: usize| -> Option<f64> {
            let all = rows
                .iter()
                .filter(|(slot, _)| matches!(slot.of, Kind::Method(..)));
            let values: Vec<f64> = all.filter_map(|(_, means)| means[column]).collect();
            // Where all are alike, none is better.
            let differ = values.iter().any(|value| *value != values[0]);
            let best = values
                .into_iter()
                .max_by(|a, b| better(*a).total_cmp(&better(*b)));
            best.filter(|_| differ)
        };
        let best: Vec<Option<f64>> = (0..self.nets.len()).map(best).collect();
        let rows = rows.iter().map(|(slot, means)| {
            let baseline = !matches!(slot.of, Kind::Method(..));
            let cells = means.iter().zip(&best).map(|(mean, best)| {
                let text = mean.map_or("–".to_owned(), written);
                (text, !baseline && mean.is_some() && mean == best)
            });
            Row {
                name: slot.name.clone(),
                baseline,
                cells: cells.collect(),
            }
        });
        Some(Table {
            title: self.words.say(&format!("trust.{key}"), &[]),
            note: self.words.say(&format!("trust.{key}.note"), &[]),
            rows: rows.collect(),
        })
    }

    /// The class's probability as pixels go (rings) and come (filled), for every slot.
    fn curves(&self) -> Result<Vec<(String, String)>> {
        let mut charts = Vec::new();
        for slot in &self.slots {
            let mut all = Vec::new();
            for (place, net) in self.nets.iter().enumerate() {
                let own: Vec<_> = self.of(slot, net);
                let curves: Vec<_> = own.iter().filter_map(|c| c.curves.as_ref()).collect();
                let Some(length) = curves.iter().map(|c| c.deletion.len()).min() else {
                    continue;
                };
                // A dozen marks a line are enough to tell the networks apart.
                let step = length.div_ceil(12).max(1);
                let marks: Vec<usize> = (0..length)
                    .filter(|at| at % step == 0 || at + 1 == length)
                    .collect();
                for hollow in [true, false] {
                    let mean = |at: usize| {
                        let side = |c: &&crate::figures::Curves| match hollow {
                            true => f64::from(c.deletion[at]),
                            false => f64::from(c.insertion[at]),
                        };
                        curves.iter().map(side).sum::<f64>() / curves.len() as f64
                    };
                    let points = marks.iter().map(|&at| Point {
                        depth: at as f64 / (length.max(2) - 1) as f64,
                        values: vec![mean(at)],
                        hollow,
                    });
                    all.push(Series {
                        place,
                        points: points.collect(),
                    });
                }
            }
            if !all.is_empty() {
                let gaps = [("map", &*slot.name)];
                let title = self.words.say("trust.curves.alt", &gaps);
                let ends = ["trust.none", "trust.pixels", "trust.all"];
                let chart =
                    depth::chart(&all, (0.0, 1.0), Unit::Percent, ends, &title, self.words)?;
                charts.push((slot.name.clone(), chart));
            }
        }
        Ok(charts)
    }

    /// How far the map stays as it was while the network forgets, for every method.
    fn randomised(&self) -> Result<Vec<(String, String)>> {
        let mut charts = Vec::new();
        for slot in &self.slots {
            let mut all = Vec::new();
            for (place, net) in self.nets.iter().enumerate() {
                let own = self.of(slot, net);
                let length = own.iter().map(|c| c.randomised.len()).max().unwrap_or(0);
                let point = |stage: usize| Point {
                    depth: stage as f64 / length.max(1) as f64,
                    values: match stage {
                        0 => vec![1.0],
                        _ => own
                            .iter()
                            .filter_map(|c| c.randomised.get(stage - 1)?.spearman)
                            .collect(),
                    },
                    hollow: false,
                };
                if length > 0 {
                    all.push(Series {
                        place,
                        points: (0..=length).map(point).collect(),
                    });
                }
            }
            if !all.is_empty() {
                let gaps = [("map", &*slot.name)];
                let title = self.words.say("trust.randomised.alt", &gaps);
                let ends = ["trust.whole", "trust.forgets", "trust.forgot"];
                let chart = depth::chart(&all, (-1.0, 1.0), Unit::Plain, ends, &title, self.words)?;
                charts.push((slot.name.clone(), chart));
            }
        }
        Ok(charts)
    }
}
