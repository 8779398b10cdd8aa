//! Which units (channels) of a layer a method explains: a number drawn with the seed, a list, or those whose activation
//! correlates most with a class's logit.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use tch::Tensor;

use super::{LoadedModel, to_floats};
use crate::compare::BlockSums;
use crate::error::{Error, ErrorKind, Result};
use crate::network::ClassSpec;
use crate::network::graph::{Graph, NodeId};
use crate::network::node_info::NodeInfo;
use crate::rng::{fnv1a, mix64};

/// The units of a layer, as the spec gives them.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Units {
    /// A number of units, drawn with the experiment's seed.
    Drawn(usize),
    /// A list, counted from 0.
    Listed(Vec<usize>),
    /// The units whose largest activation correlates most with a class's logit, over the collection.
    OfClass(ClassUnits),
}

/// A class, and how many units.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClassUnits {
    /// By name, WordNet id or index.
    pub class: ClassSpec,
    /// How many units, largest correlation first; 1 or more.
    #[serde(default = "default_count")]
    #[schemars(range(min = 1))]
    pub count: usize,
}

fn default_count() -> usize {
    4
}

impl<'de> Deserialize<'de> for Units {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct UnitsVisitor;
        impl<'de> Visitor<'de> for UnitsVisitor {
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
                ClassUnits::deserialize(MapAccessDeserializer::new(map)).map(Units::OfClass)
            }
        }
        deserializer.deserialize_any(UnitsVisitor)
    }
}

impl JsonSchema for Units {
    fn schema_name() -> Cow<'static, str> {
        "Units".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let class_units = generator.subschema_for::<ClassUnits>();
        json_schema!({
            "description": "Which units of a layer.",
            "anyOf": [
                { "type": "integer", "minimum": 1, "description": "A number of units, drawn with the seed." },
                { "type": "array", "items": { "type": "integer", "minimum": 0 }, "minItems": 1, "description": "These units, counted from 0." },
                class_units
            ]
        })
    }
}

impl Units {
    /// The class that the units are selected for.
    pub fn class(&self) -> Option<String> {
        match self {
            Units::OfClass(ClassUnits { class, .. }) => Some(class_name(class)),
            _ => None,
        }
    }

    /// Checks the units before anything runs.
    ///
    /// # Errors
    /// If a list names a unit twice, or a layer has no such unit.
    pub fn check(&self, graph: &Graph, info: &[NodeInfo], layers: &[NodeId]) -> Result<()> {
        let wrong =
            |message: String, help: String| Err(Error::new(ErrorKind::Network, message).help(help));
        let list = match self {
            Units::Listed(list) => list,
            _ => return Ok(()),
        };
        for (index, unit) in list.iter().enumerate() {
            if list[..index].contains(unit) {
                let message = format!("`units` lists unit {unit} twice");
                return wrong(message, "keep one of them".into());
            }
        }
        for &layer in layers {
            let count = info[layer].shape[0];
            if let Some(unit) = list.iter().find(|&&unit| unit as i64 >= count) {
                let name = &graph.node(layer).name;
                let message = format!("`{name}` has no unit {unit}");
                let help = format!("it has {count}, counted from 0: 0 to {}", count - 1);
                return wrong(message, help);
            }
        }
        Ok(())
    }
}

/// A class as a spec names it. `predicted` and `label` are no names of classes, and the error for an unknown class says so.
pub(super) fn class_name(class: &ClassSpec) -> String {
    match class {
        ClassSpec::Name(name) => name.clone(),
        other => other.to_string(),
    }
}

/// The largest activation of each unit over the spatial positions: `[N, C]` of `[N, C, H, W]`; `[N, C]` is returned as it is.
///
/// # Errors
/// If libtorch fails.
pub fn max_activations(activations: &Tensor) -> Result<Tensor> {
    match activations.dim() {
        2 => Ok(activations.shallow_clone()),
        _ => Ok(activations.f_amax([2i64, 3].as_slice(), false)?),
    }
}

/// Selects the units of one layer; those of a class after all images of the collection.
#[derive(Debug, Serialize, Deserialize)]
pub struct UnitSelection {
    units: Units,
    /// The index of the class whose units are selected.
    class: Option<usize>,
    /// The seed of the draw.
    seed: u64,
    /// The number of units.
    count: usize,
    /// Sums over the images for a class: of 1, of its logit, of the logit's square; and for each unit of its largest
    /// activation, of the square, and of the product with the logit.
    sums: BlockSums,
}

impl UnitSelection {
    /// For a layer of `count` units.
    ///
    /// # Errors
    /// If the network does not know the class.
    pub fn new(units: &Units, model: &LoadedModel, layer: NodeId, count: usize) -> Result<Self> {
        let class = match units.class() {
            Some(name) => Some(model.labels.resolve(&name)?),
            None => None,
        };
        Ok(UnitSelection {
            units: units.clone(),
            class,
            seed: model.seed ^ fnv1a(model.layer(layer)),
            count,
            sums: BlockSums::new(3 + 3 * count),
        })
    }

    /// Updates the sums with the units' largest activations, `[N, C]`, and the logits, `[N, classes]`, of the images from
    /// the index `first` of the collection on.
    ///
    /// # Errors
    /// If libtorch fails.
    pub fn observe(
        &mut self,
        first: usize,
        max_activations: &Tensor,
        logits: &Tensor,
    ) -> Result<()> {
        let Some(class) = self.class else {
            return Ok(());
        };
        let logits = to_floats(&logits.f_select(1, class as i64)?)?;
        let activations = to_floats(max_activations)?;
        let images = activations.chunks_exact(self.count.max(1));
        for (image, (activations, logit)) in (first..).zip(images.zip(logits)) {
            let logit = f64::from(logit);
            let units = activations.iter().flat_map(|&activation| {
                let activation = f64::from(activation);
                [activation, activation * activation, activation * logit]
            });
            let of_class = [1.0, logit, logit * logit].into_iter();
            self.sums.add(image, of_class.chain(units));
        }
        Ok(())
    }

    /// Adds the sums of the images that follow.
    pub fn append(&mut self, later: UnitSelection) {
        self.sums.append(later.sums);
    }

    /// The units, in the order to show them; those of a class with their correlations, −1 to 1.
    pub fn selected(&self) -> Vec<(usize, Option<f64>)> {
        let plain = |units: Vec<usize>| units.into_iter().map(|unit| (unit, None)).collect();
        match &self.units {
            Units::Listed(list) => plain(list.clone()),
            Units::Drawn(count) => {
                let mut units: Vec<usize> = (0..self.count).collect();
                let hash = |unit: usize| mix64(mix64(self.seed).wrapping_add(unit as u64));
                units.sort_by_key(|&unit| (hash(unit), unit));
                units.truncate(*count);
                units.sort_unstable();
                plain(units)
            }
            Units::OfClass(ClassUnits { count, .. }) => {
                let totals = self.sums.totals();
                let (of_class, of_units) = totals.split_at(3);
                let correlations = of_units.chunks_exact(3);
                let correlations = correlations.map(|sums| correlation(of_class, sums));
                let mut units: Vec<(usize, f64)> = correlations.enumerate().collect();
                units.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
                units.truncate(*count);
                let units = units.into_iter();
                units
                    .map(|(unit, correlation)| (unit, Some(correlation)))
                    .collect()
            }
        }
    }
}

/// Pearson's correlation of a unit's largest activation with the logit, of the sums for the class and for the unit; −1 if
/// one of them is constant, so that the unit comes last.
fn correlation(of_class: &[f64], of_unit: &[f64]) -> f64 {
    let n = of_class[0].max(1.0);
    let mean = |sum: f64| sum / n;
    let (logit, activation) = (mean(of_class[1]), mean(of_unit[0]));
    let covariance = mean(of_unit[2]) - activation * logit;
    let unit_variance = mean(of_unit[1]) - activation.powi(2);
    let logit_variance = mean(of_class[2]) - logit.powi(2);
    if unit_variance > 0.0 && logit_variance > 0.0 {
        (covariance / (unit_variance * logit_variance).sqrt()).clamp(-1.0, 1.0)
    } else {
        -1.0
    }
}
