//! Which units (channels) of a layer a method looks at: a number drawn with the seed, a list, or the
//! strongest for a class.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use tch::Tensor;

use super::{LoadedModel, to_array};
use crate::error::{Error, ErrorKind, Result};
use crate::network::ClassSpec;
use crate::network::graph::{Graph, NodeId};
use crate::network::node_info::NodeInfo;
use crate::rng::{fnv1a, mix64};

/// The units of a layer to look at.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Units {
    /// So many, drawn with the experiment's seed.
    Drawn(usize),
    /// These, counted from 0.
    Listed(Vec<usize>),
    /// So many whose strongest answer goes along best with a class's logit, over the collection.
    OfClass(OfClass),
}

/// A class, and how many units.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OfClass {
    /// By name, WordNet id or index.
    pub class: ClassSpec,
    /// How many units, the strongest first.
    #[serde(default = "four")]
    #[schemars(range(min = 1))]
    pub count: usize,
}

fn four() -> usize {
    4
}

impl<'de> Deserialize<'de> for Units {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Which;
        impl<'de> Visitor<'de> for Which {
            type Value = Units;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a number of units, a list of them, or `{class: jeep, count: 4}`")
            }

            fn visit_u64<E: de::Error>(self, count: u64) -> Result<Units, E> {
                let count = usize::try_from(count);
                count
                    .map(Units::Drawn)
                    .map_err(|_| E::custom("no layer has so many units"))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Units, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(Units::Listed)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Units, A::Error> {
                OfClass::deserialize(MapAccessDeserializer::new(map)).map(Units::OfClass)
            }
        }
        deserializer.deserialize_any(Which)
    }
}

impl JsonSchema for Units {
    fn schema_name() -> Cow<'static, str> {
        "Units".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let of_class = generator.subschema_for::<OfClass>();
        json_schema!({
            "description": "Which units of a layer.",
            "anyOf": [
                { "type": "integer", "minimum": 1, "description": "So many, drawn with the seed." },
                { "type": "array", "items": { "type": "integer", "minimum": 0 }, "minItems": 1, "description": "These, counted from 0." },
                of_class
            ]
        })
    }
}

impl Units {
    /// The class whose units are meant, if they are a class's.
    pub fn class(&self) -> Option<String> {
        match self {
            Units::OfClass(OfClass { class, .. }) => match class {
                ClassSpec::Name(name) => Some(name.clone()),
                ClassSpec::Index(index) => Some(index.to_string()),
                ClassSpec::Predicted => Some("predicted".into()),
                ClassSpec::Label => Some("label".into()),
            },
            _ => None,
        }
    }

    /// Units that can't be had, before anything runs.
    ///
    /// # Errors
    /// If there are none, one stands in the list twice, or a layer has no such unit.
    pub fn check(&self, graph: &Graph, info: &[NodeInfo], layers: &[NodeId]) -> Result<()> {
        let refuse =
            |message: String, help: String| Err(Error::new(ErrorKind::Network, message).help(help));
        let list = match self {
            Units::Drawn(0) | Units::OfClass(OfClass { count: 0, .. }) => {
                let help = "ask for at least one, or leave the method out";
                return refuse("no units are asked for".into(), help.into());
            }
            Units::Listed(list) if list.is_empty() => {
                return refuse(
                    "the list of units is empty".into(),
                    "name at least one".into(),
                );
            }
            Units::Listed(list) => list,
            _ => return Ok(()),
        };
        for (at, unit) in list.iter().enumerate() {
            if list[..at].contains(unit) {
                let message = format!("unit {unit} stands in the list twice");
                return refuse(message, "keep one of them".into());
            }
        }
        for &layer in layers {
            let of = info[layer].shape[0];
            if let Some(unit) = list.iter().find(|&&unit| unit as i64 >= of) {
                let name = &graph.node(layer).name;
                let message = format!("`{name}` has no unit {unit}");
                let help = format!("it has {of}, counted from 0: 0 to {}", of - 1);
                return refuse(message, help);
            }
        }
        Ok(())
    }
}

/// What each unit of a layer answers to each image at its strongest place: `[N, C]` of values
/// `[N, C, h, w]`; values without places, `[N, C]`, as they are.
///
/// # Errors
/// If libtorch refuses.
pub fn peaks(values: &Tensor) -> Result<Tensor> {
    match values.dim() {
        2 => Ok(values.shallow_clone()),
        _ => Ok(values.f_amax([2i64, 3].as_slice(), false)?),
    }
}

/// Chooses the units of one layer, once the collection has gone by.
#[derive(Debug, Serialize, Deserialize)]
pub struct Chooser {
    units: Units,
    class: Option<usize>,
    /// What the draw starts from.
    start: u64,
    seen: f64,
    /// Of the class's logit: the sum, and that of its squares.
    logit: [f64; 2],
    /// Of each unit's peak: the sum, that of its squares, and that of its product with the logit.
    peaks: Vec<[f64; 3]>,
}

impl Chooser {
    /// For a layer of `count` units.
    ///
    /// # Errors
    /// If the network doesn't know the class.
    pub fn new(units: &Units, subject: &LoadedModel, layer: NodeId, count: usize) -> Result<Self> {
        let class = match units.class() {
            Some(name) => Some(subject.labels.resolve(&name)?),
            None => None,
        };
        Ok(Chooser {
            units: units.clone(),
            class,
            start: subject.seed ^ fnv1a(subject.layer(layer)),
            seen: 0.0,
            logit: [0.0; 2],
            peaks: vec![[0.0; 3]; count],
        })
    }

    /// Sees what the units, `[N, C]`, and the classes, `[N, classes]`, answer to some images.
    ///
    /// # Errors
    /// If libtorch refuses.
    pub fn see(&mut self, peaks: &Tensor, logits: &Tensor) -> Result<()> {
        let Some(class) = self.class else {
            return Ok(());
        };
        let logits = to_array(&logits.f_select(1, class as i64)?)?;
        let peaks = to_array(peaks)?;
        let all = peaks.floats().unwrap_or_default();
        let images = all.chunks_exact(self.peaks.len().max(1));
        for (own, logit) in images.zip(logits.floats().unwrap_or_default()) {
            let logit = f64::from(*logit);
            self.seen += 1.0;
            self.logit[0] += logit;
            self.logit[1] += logit * logit;
            for (sums, &peak) in self.peaks.iter_mut().zip(own) {
                let peak = f64::from(peak);
                sums[0] += peak;
                sums[1] += peak * peak;
                sums[2] += peak * logit;
            }
        }
        Ok(())
    }

    /// The units, in the order to show them; of a class with their correlations, −1 to 1.
    pub fn chosen(&self) -> Vec<(usize, Option<f64>)> {
        let plain = |units: Vec<usize>| units.into_iter().map(|unit| (unit, None)).collect();
        match &self.units {
            Units::Listed(list) => plain(list.clone()),
            Units::Drawn(count) => {
                let mut order: Vec<usize> = (0..self.peaks.len()).collect();
                let mixed = |unit: usize| mix64(mix64(self.start).wrapping_add(unit as u64));
                order.sort_by_key(|&unit| (mixed(unit), unit));
                order.truncate(*count);
                order.sort_unstable();
                plain(order)
            }
            Units::OfClass(OfClass { count, .. }) => {
                let all = self.peaks.iter().map(|sums| self.correlation(sums));
                let mut order: Vec<(usize, f64)> = all.enumerate().collect();
                order.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
                order.truncate(*count);
                let with = |(unit, correlation)| (unit, Some(correlation));
                order.into_iter().map(with).collect()
            }
        }
    }

    /// Pearson's correlation of a unit's peak with the logit; −1 for one that never changes, so that
    /// it comes last.
    fn correlation(&self, sums: &[f64; 3]) -> f64 {
        let n = self.seen.max(1.0);
        let both = sums[2] / n - sums[0] / n * (self.logit[0] / n);
        let own = sums[1] / n - (sums[0] / n).powi(2);
        let logit = self.logit[1] / n - (self.logit[0] / n).powi(2);
        match own > 0.0 && logit > 0.0 {
            true => (both / (own * logit).sqrt()).clamp(-1.0, 1.0),
            false => -1.0,
        }
    }
}
