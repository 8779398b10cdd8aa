//! A method's title and how its figures are read.

use serde::Serialize;

use crate::report::words::Words;

/// A method as the report explains it.
#[derive(Debug, Serialize)]
pub struct MethodView {
    /// Its name in a spec.
    pub key: String,
    /// Its title.
    pub name: String,
    /// How a figure of it is read.
    pub read: Option<String>,
    /// What a figure of it can't show.
    pub limit: Option<String>,
}

impl MethodView {
    /// The view of the method `key`.
    pub fn new(key: &str, words: &Words) -> MethodView {
        MethodView {
            key: key.to_owned(),
            name: method_title(key, words),
            read: words.find(&format!("method.{key}.read"), &[]),
            limit: words.find(&format!("method.{key}.limit"), &[]),
        }
    }
}

/// A method's title; its name in a spec where it has none.
pub fn method_title(key: &str, words: &Words) -> String {
    let title = words.find(&format!("method.{key}"), &[]);
    title.unwrap_or_else(|| key.to_owned())
}
