//! `saliency`: the gradient of a class's logit with respect to the picture (Simonyan et al. 2013).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// No options: the absolute gradient, and its maximum over the colours.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Saliency {}
