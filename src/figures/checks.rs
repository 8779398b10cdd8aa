//! The results of the checks for one map, as plain data.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Quantity, TargetInfo};
use crate::error::{Error, ErrorKind, Result};

/// The results of all checks for one map.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CheckedMap {
    /// The model's id.
    pub model: String,
    /// The image's id.
    pub image: String,
    /// What the map explains.
    #[serde(rename = "class")]
    pub target: TargetInfo,
    /// What the checks measure of it.
    #[serde(skip_serializing_if = "Quantity::is_probability", default)]
    pub quantity: Quantity,
    /// Which map was checked.
    #[serde(rename = "of")]
    pub source: MapSource,
    /// Each check's result under its key; a check that does not apply to the map has none.
    #[serde(flatten)]
    results: Map<String, Value>,
}

/// Which map was checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MapSource {
    /// A method's map.
    Method {
        /// The method's key.
        name: String,
        /// The layer's full name, if the map belongs to a layer.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        layer: Option<String>,
    },
    /// The random map: a baseline that does not depend on the network.
    Random,
    /// The centre map: a baseline that does not depend on the network.
    Centre,
}

impl CheckedMap {
    /// A map without results.
    pub fn new(
        model: &str,
        image: &str,
        (target, quantity): (TargetInfo, Quantity),
        source: MapSource,
    ) -> Self {
        CheckedMap {
            model: model.to_owned(),
            image: image.to_owned(),
            target,
            quantity,
            source,
            results: Map::new(),
        }
    }

    /// Stores a check's result under `key`.
    ///
    /// # Errors
    /// If the result is not JSON.
    pub fn insert(&mut self, key: &str, result: &impl Serialize) -> Result<()> {
        // Serialised as text first, so that a float32 keeps its shortest decimal form.
        let value = serde_json::to_string(result).and_then(|text| serde_json::from_str(&text));
        let value = value.map_err(|cause| {
            Error::new(
                ErrorKind::Report,
                format!("the result `{key}` of a check is not JSON"),
            )
            .caused_by(cause)
        })?;
        self.results.insert(key.to_owned(), value);
        Ok(())
    }

    /// The result under `key`, if there is one.
    ///
    /// # Errors
    /// If it is not a `T`.
    pub fn result<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        let Some(value) = self.results.get(key) else {
            return Ok(None);
        };
        T::deserialize(value).map(Some).map_err(|cause| {
            let message = format!(
                "the result `{key}` of a check of model `{}` and image `{}` can't be read",
                self.model, self.image
            );
            Error::new(ErrorKind::Report, message).caused_by(cause)
        })
    }
}
