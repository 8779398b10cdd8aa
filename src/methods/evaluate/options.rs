//! The options of an evaluation.

use schemars::JsonSchema;
use serde::de::{MapAccess, SeqAccess, Visitor, value};
use serde::{Deserialize, Deserializer, Serialize};

use crate::image::{Corruption, SEVERITIES};
use crate::network::LayerSelector;

/// What is evaluated besides the accuracy, and the size of the galleries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Evaluate {
    /// How many images each gallery shows.
    #[schemars(range(min = 0, max = 100))]
    pub gallery: usize,
    /// The method whose map of the predicted class stands beside each image of a gallery, with its default options: a method that
    /// gives a map of an image and a class, or `none`.
    pub attribution: String,
    /// The layer in whose codes groups of similar images are found; empty for none.
    #[schemars(length(max = 1))]
    pub layers: Vec<LayerSelector>,
    /// Corruptions of the images after which the accuracy is measured again.
    pub corruptions: Corruptions,
    /// For networks of `task: regression`: the columns of the CSV that have the true values, one for each output. Without them
    /// those with the names of the outputs, or, for one output, the column `value`.
    pub values: Vec<String>,
}

impl Default for Evaluate {
    fn default() -> Self {
        Evaluate {
            gallery: 8,
            attribution: "grad_cam".into(),
            layers: vec![LayerSelector::from("penultimate")],
            corruptions: Corruptions::default(),
            values: Vec::new(),
        }
    }
}

/// Corruptions of ImageNet-C (Hendrycks & Dietterich 2019): a list of their names, or a map with their severities.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Corruptions {
    /// Which.
    pub kinds: Vec<Corruption>,
    /// How strong, 1 to 5.
    pub severities: Vec<usize>,
    /// The share of the images that are corrupted, above 0 and at most 1; they are drawn at random.
    pub share: f64,
}

impl Default for Corruptions {
    fn default() -> Self {
        Corruptions {
            kinds: Vec::new(),
            severities: (1..=SEVERITIES).collect(),
            share: 1.0,
        }
    }
}

/// The map form, as it is written.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "CorruptionOptions")]
struct Written {
    /// Which.
    kinds: Vec<Corruption>,
    /// How strong, 1 to 5.
    #[schemars(length(min = 1), inner(range(min = 1, max = 5)))]
    severities: Vec<usize>,
    /// The share of the images that are corrupted, above 0 and at most 1; they are drawn at random.
    #[schemars(range(max = 1), extend("exclusiveMinimum" = 0))]
    share: f64,
}

impl Default for Written {
    fn default() -> Self {
        let Corruptions {
            kinds,
            severities,
            share,
        } = Corruptions::default();
        Written {
            kinds,
            severities,
            share,
        }
    }
}

impl<'de> Deserialize<'de> for Corruptions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;
        impl<'de> Visitor<'de> for Form {
            type Value = Corruptions;

            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str(
                    "a list of corruptions, or a map with `kinds`, `severities` and `share`",
                )
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Corruptions, A::Error> {
                let kinds = Vec::deserialize(value::SeqAccessDeserializer::new(list))?;
                checked(Written {
                    kinds,
                    ..Written::default()
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Corruptions, A::Error> {
                checked(Written::deserialize(value::MapAccessDeserializer::new(
                    map,
                ))?)
            }
        }
        deserializer.deserialize_any(Form)
    }
}

/// The options, if each corruption and each severity is there once and all are in their ranges.
fn checked<E: serde::de::Error>(written: Written) -> Result<Corruptions, E> {
    let Written {
        kinds,
        severities,
        share,
    } = written;
    if let Some(wrong) = severities
        .iter()
        .find(|own| !(1..=SEVERITIES).contains(*own))
    {
        return Err(E::custom(format!(
            "`severities` must be 1 to {SEVERITIES}, got {wrong}"
        )));
    }
    if severities.is_empty() {
        return Err(E::custom("`severities` must have 1 or more entries"));
    }
    if !(share > 0.0 && share <= 1.0) {
        return Err(E::custom(format!(
            "`share` must be above 0 and at most 1, got {share}"
        )));
    }
    let twice = (1..kinds.len()).find(|at| kinds[..*at].contains(&kinds[*at]));
    if let Some(at) = twice {
        return Err(E::custom(format!("`{}` is there twice", kinds[at].name())));
    }
    if !severities.is_sorted_by(|a, b| a < b) {
        return Err(E::custom("`severities` must ascend, each once"));
    }
    Ok(Corruptions {
        kinds,
        severities,
        share,
    })
}

impl JsonSchema for Corruptions {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Corruptions".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let kinds = generator.subschema_for::<Vec<Corruption>>();
        let written = generator.subschema_for::<Written>();
        schemars::json_schema!({
            "description": "Corruptions of ImageNet-C: a list of their names, or a map with their severities.",
            "anyOf": [kinds, written]
        })
    }
}
