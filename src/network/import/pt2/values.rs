//! What each name of a program is while the graph is built: a node, a parameter, or a part of another value. Operators that
//! write in place become functional: the name gets the new value, and so does what it is a part of.

use std::collections::HashMap;

use crate::error::{Error, ErrorKind, Result};
use crate::network::arg::Arg;
use crate::network::op::Op;

/// A value that is computed from another one without copying: a write to either changes both.
#[derive(Debug, Clone)]
pub(super) struct View {
    /// The name of the other value.
    pub(super) base: String,
    /// How it is computed from that.
    pub(super) op: Op,
    /// The version of the base from which it was computed.
    pub(super) version: usize,
}

/// A named value.
#[derive(Debug, Clone)]
pub(super) struct NamedValue {
    pub(super) arg: Arg,
    pub(super) view: Option<View>,
    /// How often it was written to.
    pub(super) version: usize,
}

/// All named values of a program.
#[derive(Debug, Default)]
pub(super) struct Values {
    values: HashMap<String, NamedValue>,
    /// The last node that uses each name.
    last_use: HashMap<String, usize>,
    /// The last node that uses the name or one of its parts.
    last_use_of_parts: HashMap<String, usize>,
}

impl Values {
    /// No values yet; `last_use` has the last node that uses each name.
    pub(super) fn new(last_use: HashMap<String, usize>) -> Values {
        Values {
            last_use,
            ..Values::default()
        }
    }

    /// Gives a new value a name.
    pub(super) fn set(&mut self, name: &str, arg: Arg, view: Option<(String, Op)>) {
        let view = view.map(|(base, op)| View {
            version: self.values.get(&base).map_or(0, |base| base.version),
            base,
            op,
        });
        let value = NamedValue {
            arg,
            view,
            version: 0,
        };
        self.values.insert(name.to_owned(), value);
        if let Some(&last) = self.last_use.get(name) {
            let names: Vec<String> = self.bases(name).map(str::to_owned).collect();
            for name in names {
                let own = self.last_use_of_parts.entry(name).or_default();
                *own = last.max(*own);
            }
        }
    }

    /// Whether a node uses the value called `name`.
    pub(super) fn is_read(&self, name: &str) -> bool {
        self.last_use.contains_key(name)
    }

    /// Whether the value called `name`, what it is a part of, or one of its parts is read after the node `index`.
    pub(super) fn is_read_later(&self, name: &str, index: usize) -> bool {
        let is_later = |last: Option<&usize>| last.is_some_and(|&last| last > index);
        is_later(self.last_use_of_parts.get(name))
            || is_later(self.last_use.get(name))
            || self
                .bases(name)
                .any(|base| is_later(self.last_use.get(base)))
    }

    /// The value called `name`.
    ///
    /// # Errors
    /// If there is none: a program that uses what it does not compute.
    pub(super) fn get(&self, name: &str) -> Result<&NamedValue> {
        self.values.get(name).ok_or_else(|| {
            let message = format!("the program uses `{name}` before it is computed");
            Error::new(ErrorKind::Weights, message)
        })
    }

    /// Replaces a value, after a write in place or because its base was written to.
    pub(super) fn replace(&mut self, name: &str, arg: Arg, base_version: Option<usize>) {
        if let Some(value) = self.values.get_mut(name) {
            value.arg = arg;
            value.version += 1;
            if let (Some(view), Some(version)) = (&mut value.view, base_version) {
                view.version = version;
            }
        }
    }

    /// How often the value called `name` was written to.
    pub(super) fn version(&self, name: &str) -> usize {
        self.values.get(name).map_or(0, |value| value.version)
    }

    /// Whether there is a value called `name`.
    pub(super) fn contains(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// The names of what the value called `name` is a part of, from the nearest.
    pub(super) fn bases<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        let base = |name: &&'a str| {
            let view = self.values.get(*name)?.view.as_ref()?;
            Some(view.base.as_str())
        };
        std::iter::successors(Some(name), base).skip(1)
    }
}
