//! Ranges of options, read from their JSON schema.
//!
//! A range is written once, as an attribute of the field: `#[schemars(range(min = 1, max = 1000))]`,
//! `#[schemars(length(min = 1))]`, `#[schemars(extend("exclusiveMinimum" = 0))]`. The schema that editors use and this check
//! are both generated from it.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::error::{Error, ErrorKind};

/// An option whose value is not allowed.
#[derive(Debug)]
pub struct OutOfRange {
    /// The option's key.
    pub option: String,
    /// An error with the option, the allowed values and the value.
    pub error: Error,
}

/// Checks the values of `options` against the ranges in their schema. Lists are checked for their length, and a number
/// that is infinite or not a number is out of every range.
///
/// # Errors
/// For the first option out of its range.
pub fn check_ranges<T: JsonSchema + Serialize>(options: &T) -> Result<(), OutOfRange> {
    let schema = schemars::schema_for!(T).to_value();
    // Options are read from YAML, so they can be written as JSON.
    let values = serde_json::to_value(options).unwrap_or_default();
    let schemas = Schemas { root: &schema };
    let Some(properties) = schemas.resolve(&schema).get("properties") else {
        return Ok(());
    };
    for (option, value) in values.as_object().into_iter().flatten() {
        let Some(allowed) = properties
            .get(option)
            .and_then(|schema| schemas.violated(schema, value))
        else {
            continue;
        };
        let message = format!("`{option}` must {allowed}");
        return Err(OutOfRange {
            option: option.clone(),
            error: Error::new(ErrorKind::Spec, message),
        });
    }
    Ok(())
}

/// The allowed values of an option as text, from the schema of its type and the root schema with the definitions that it
/// refers to: `1 to 1000`, `above 0`, `1 or more entries`. `None` if there is no range.
pub fn describe_range(root: &Value, schema: &Value) -> Option<String> {
    let schemas = Schemas { root };
    let alternatives = schemas.alternatives(schema);
    let texts: Vec<String> = alternatives
        .iter()
        .filter_map(|schema| {
            let length = length_range(schema);
            number_range(schema).or(length)
        })
        .collect();
    (!texts.is_empty()).then(|| texts.join(", or "))
}

/// A schema with definitions.
struct Schemas<'a> {
    root: &'a Value,
}

impl<'a> Schemas<'a> {
    /// The schema that `schema` refers to, or itself.
    fn resolve(&self, schema: &'a Value) -> &'a Value {
        let reference = schema.get("$ref").and_then(Value::as_str);
        let pointer = reference.and_then(|reference| reference.strip_prefix('#'));
        match pointer.and_then(|pointer| self.root.pointer(pointer)) {
            Some(definition) => self.resolve(definition),
            None => schema,
        }
    }

    /// The schemas of which a value must match at least one.
    fn alternatives(&self, schema: &'a Value) -> Vec<&'a Value> {
        let schema = self.resolve(schema);
        let lists = ["anyOf", "oneOf"].map(|key| schema.get(key).and_then(Value::as_array));
        let alternatives: Vec<&Value> = lists.into_iter().flatten().flatten().collect();
        if alternatives.is_empty() {
            return vec![schema];
        }
        let nested = alternatives
            .into_iter()
            .map(|schema| self.alternatives(schema));
        nested.flatten().collect()
    }

    /// The requirement that `value` violates, if it is out of the range for its type: `be 1 to 1000, got 0`.
    fn violated(&self, schema: &'a Value, value: &Value) -> Option<String> {
        let alternatives = self.alternatives(schema);
        if value.is_null() {
            // JSON has no infinity and no NaN: a number that became null is one of them.
            let null = alternatives.iter().any(|schema| has_type(schema, "null"));
            let number = alternatives.iter().any(|schema| has_type(schema, "number"));
            return (number && !null).then(|| "be a finite number".to_owned());
        }
        alternatives
            .iter()
            .find_map(|schema| self.violated_alternative(schema, value))
    }

    /// The requirement that `value` violates, if it has the type of `schema` and is out of its range.
    fn violated_alternative(&self, schema: &'a Value, value: &Value) -> Option<String> {
        match value {
            Value::Number(number) if has_type(schema, "integer") || has_type(schema, "number") => {
                let got = number.as_f64().unwrap_or_default();
                let allowed = number_range(schema)?;
                (!in_range(schema, got)).then(|| format!("be {allowed}, got {number}"))
            }
            Value::Array(entries) if has_type(schema, "array") => {
                let allowed = length_range(schema)?;
                let count = entries.len() as f64;
                let limit = |key| schema.get(key).and_then(Value::as_f64);
                let fits = limit("minItems").is_none_or(|least| count >= least)
                    && limit("maxItems").is_none_or(|most| count <= most);
                (!fits).then(|| format!("have {allowed}, got {}", entries.len()))
            }
            Value::Object(fields) if has_type(schema, "object") => {
                let properties = schema.get("properties")?;
                fields.iter().find_map(|(key, value)| {
                    let allowed = self.violated(properties.get(key)?, value)?;
                    Some(format!("have a `{key}` that must {allowed}"))
                })
            }
            _ => None,
        }
    }
}

fn has_type(schema: &Value, name: &str) -> bool {
    match schema.get("type") {
        Some(Value::String(one)) => one == name,
        Some(Value::Array(several)) => several.iter().any(|one| one == name),
        _ => false,
    }
}

fn in_range(schema: &Value, number: f64) -> bool {
    let limit = |key| schema.get(key).and_then(Value::as_f64);
    limit("minimum").is_none_or(|limit| number >= limit)
        && limit("maximum").is_none_or(|limit| number <= limit)
        && limit("exclusiveMinimum").is_none_or(|limit| number > limit)
        && limit("exclusiveMaximum").is_none_or(|limit| number < limit)
}

/// The range of a number as text; `None` if it has no range other than that of its type.
fn number_range(schema: &Value) -> Option<String> {
    let limit = |key| schema.get(key).and_then(Value::as_f64);
    let unsigned = schema.get("format").and_then(Value::as_str);
    let unsigned = unsigned.is_some_and(|format| format.starts_with("uint"));
    let lower = match (limit("minimum"), limit("exclusiveMinimum")) {
        (Some(limit), _) => Some((limit, true)),
        (None, Some(limit)) => Some((limit, false)),
        (None, None) => None,
    };
    let upper = match (limit("maximum"), limit("exclusiveMaximum")) {
        (Some(limit), _) => Some((limit, true)),
        (None, Some(limit)) => Some((limit, false)),
        (None, None) => None,
    };
    match (lower, upper) {
        (None, None) => None,
        // The range of an unsigned type.
        (Some((0.0, true)), None) if unsigned => None,
        (Some((low, true)), Some((high, true))) => Some(format!("{low} to {high}")),
        (Some((low, true)), None) => Some(format!("{low} or more")),
        (lower, upper) => {
            let mut text = String::new();
            if let Some((low, inclusive)) = lower {
                text = if inclusive {
                    format!("{low} or more")
                } else {
                    format!("above {low}")
                };
            }
            if let Some((high, inclusive)) = upper {
                let and = if text.is_empty() { "" } else { " and " };
                let side = if inclusive { "at most" } else { "below" };
                text.push_str(&format!("{and}{side} {high}"));
            }
            Some(text)
        }
    }
}

/// The range of a list's length as text.
fn length_range(schema: &Value) -> Option<String> {
    let limit = |key| schema.get(key).and_then(Value::as_u64);
    match (limit("minItems"), limit("maxItems")) {
        (None, None) => None,
        (Some(low), Some(high)) if low == high => Some(format!("{low} entries")),
        (Some(low), Some(high)) => Some(format!("{low} to {high} entries")),
        (Some(1), None) => Some("at least 1 entry".to_owned()),
        (Some(low), None) => Some(format!("at least {low} entries")),
        (None, Some(high)) => Some(format!("at most {high} entries")),
    }
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;
    use serde::Serialize;

    use super::check_ranges;

    #[derive(Serialize, JsonSchema)]
    #[serde(untagged)]
    enum CountOrList {
        Count(#[schemars(range(min = 1))] usize),
        List(#[schemars(length(min = 1))] Vec<usize>),
    }

    #[derive(Serialize, JsonSchema)]
    struct Options {
        #[schemars(range(min = 1, max = 1000))]
        steps: usize,
        #[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1))]
        keep: f64,
        #[schemars(range(min = 1))]
        channels: Option<usize>,
        units: CountOrList,
        free: i64,
    }

    const VALID: Options = Options {
        steps: 1000,
        keep: 0.5,
        channels: None,
        units: CountOrList::Count(1),
        free: -3,
    };

    fn message(options: Options) -> String {
        let found = check_ranges(&options).expect_err("a value out of its range");
        let message = found.error.message().to_owned();
        assert!(message.starts_with(&format!("`{}` must ", found.option)));
        message
    }

    #[test]
    fn values_in_their_ranges_pass() {
        assert!(check_ranges(&VALID).is_ok());
        let units = CountOrList::List(vec![0]);
        assert!(check_ranges(&Options { units, ..VALID }).is_ok());
    }

    #[test]
    fn messages_have_the_option_what_is_allowed_and_what_was_got() {
        let steps = message(Options { steps: 0, ..VALID });
        assert_eq!(steps, "`steps` must be 1 to 1000, got 0");
        let keep = message(Options { keep: 1.0, ..VALID });
        assert_eq!(keep, "`keep` must be above 0 and below 1, got 1.0");
        let keep = f64::NAN;
        assert_eq!(
            message(Options { keep, ..VALID }),
            "`keep` must be a finite number"
        );
        let channels = Some(0);
        let channels = message(Options { channels, ..VALID });
        assert_eq!(channels, "`channels` must be 1 or more, got 0");
        let units = CountOrList::Count(0);
        assert_eq!(
            message(Options { units, ..VALID }),
            "`units` must be 1 or more, got 0"
        );
        let units = CountOrList::List(Vec::new());
        let units = message(Options { units, ..VALID });
        assert_eq!(units, "`units` must have at least 1 entry, got 0");
    }
}
