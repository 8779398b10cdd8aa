//! Reads a head from the names and shapes of its tensors. `fc.0` and `fc.3` with nothing between them are a linear layer, two
//! modules without parameters, and another linear layer: which two a state dict doesn't say, so what is customary is
//! assumed, and said in a note: a ReLU first, and dropout.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::network::zoo::{HeadLayer, HeadOp};

/// The shapes of a module's tensors by their last names: `weight`, `running_mean`.
type Parts = BTreeMap<String, Vec<i64>>;

/// The layers of a head, and what was assumed of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct HeadLayers {
    /// The layers, in order.
    pub(super) layers: Vec<HeadLayer>,
    /// Whether a module without parameters was assumed to be a ReLU or dropout.
    pub(super) assumed: bool,
    /// A pair of linear layers with no place for an activation between them.
    pub(super) linear_pair: Option<(String, String)>,
}

/// The layers of the head whose tensors have these full names and shapes.
///
/// # Errors
/// If a module is none that a head can have, or a layer takes another number of values than the one before it gives: the
/// predicate of a sentence about the head.
pub(super) fn head_layers<'a>(
    tensors: impl IntoIterator<Item = (&'a str, Vec<i64>)>,
) -> Result<HeadLayers, String> {
    let mut modules: Vec<(Path, Parts)> = Vec::new();
    let mut by_name: BTreeMap<&str, Parts> = BTreeMap::new();
    for (name, shape) in tensors {
        let (module, part) = name.rsplit_once('.').unwrap_or(("", name));
        if part != "num_batches_tracked" {
            let parts = by_name.entry(module).or_default();
            parts.insert(part.to_owned(), shape);
        }
    }
    for (name, parts) in by_name {
        modules.push((Path::new(name), parts));
    }
    modules.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut found = HeadLayers {
        layers: Vec::new(),
        assumed: false,
        linear_pair: None,
    };
    let mut before: Option<Path> = None;
    // The linear layer after which no activation has come yet.
    let mut waiting: Option<String> = None;
    for (path, parts) in modules {
        if let Some(before) = before.as_ref().filter(|before| path.is_below(before)) {
            return Err(format!(
                "has `{}` within `{}`, which has parameters of its own",
                path.text(),
                before.text()
            ));
        }
        let op = module(&path.text(), &parts)?;
        let room = before.as_ref().map_or(path.has_room_at_start(), |before| {
            path.has_room_after(before)
        });
        found.assumed |= room;
        match (&before, &waiting) {
            (Some(before), Some(_)) if room => {
                found.push(before.next_name(&path), HeadOp::Relu);
                waiting = None;
            }
            (_, Some(linear)) if matches!(op, HeadOp::Linear { .. }) => {
                found.linear_pair = Some((linear.clone(), path.text()));
            }
            _ => {}
        }
        if matches!(op, HeadOp::Linear { .. }) {
            waiting = Some(path.text());
        }
        found.push(path.text(), op);
        before = Some(path);
    }
    found.check()?;
    Ok(found)
}

impl HeadLayers {
    fn push(&mut self, name: String, op: HeadOp) {
        self.layers.push(HeadLayer { name, op });
    }

    /// Whether each layer takes as many values as the one before it gives.
    fn check(&self) -> Result<(), String> {
        let mut given: Option<(i64, &str)> = None;
        for HeadLayer { name, op } in &self.layers {
            if let (Some((given, before)), Some(wanted)) = (given, op.inputs())
                && given != wanted
            {
                return Err(format!(
                    "doesn't fit together: `{before}` gives {given} values, `{name}` takes {wanted}"
                ));
            }
            if let Some(outputs) = op.outputs() {
                given = Some((outputs, name));
            }
        }
        Ok(())
    }
}

/// What the module called `name` with tensors of these shapes computes.
fn module(name: &str, parts: &Parts) -> Result<HeadOp, String> {
    let get = |part: &str| parts.get(part).map(Vec::as_slice);
    let rest = |known: &[&str]| parts.keys().all(|part| known.contains(&part.as_str()));
    match (get("weight"), get("bias"), get("running_mean")) {
        (Some(&[outputs, inputs]), None, None)
            if outputs > 0 && inputs > 0 && rest(&["weight"]) =>
        {
            Ok(HeadOp::Linear {
                inputs,
                outputs,
                bias: false,
            })
        }
        (Some(&[outputs, inputs]), Some(&[bias]), None)
            if outputs > 0 && inputs > 0 && bias == outputs && rest(&["weight", "bias"]) =>
        {
            Ok(HeadOp::Linear {
                inputs,
                outputs,
                bias: true,
            })
        }
        (None, None, Some(&[width])) if rest(&["running_mean", "running_var"]) => {
            Ok(HeadOp::BatchNorm {
                width,
                affine: false,
            })
        }
        (Some(&[a]), Some(&[b]), Some(&[width])) if a == width && b == width => {
            Ok(HeadOp::BatchNorm {
                width,
                affine: true,
            })
        }
        _ => {
            let list: Vec<String> = parts
                .iter()
                .map(|(part, shape)| format!("`{name}.{part}` {shape:?}"))
                .collect();
            Err(format!(
                "has a module that is neither Linear nor BatchNorm1d: {}",
                list.join(", ")
            ))
        }
    }
}

/// The name of a module, in its components.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Path(Vec<Component>);

/// A component of a module's name.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Component {
    /// A position in a `Sequential`.
    Index(u32),
    /// An attribute: its text, without and with the digits at its end.
    Name(String, u32, String),
}

impl Component {
    fn new(text: &str) -> Component {
        if let Ok(index) = text.parse::<u32>()
            && index.to_string() == text
        {
            return Component::Index(index);
        }
        let stem = text.trim_end_matches(|c: char| c.is_ascii_digit());
        let number = text[stem.len()..].parse().unwrap_or(0);
        Component::Name(stem.to_owned(), number, text.to_owned())
    }

    fn text(&self) -> String {
        match self {
            Component::Index(index) => index.to_string(),
            Component::Name(_, _, text) => text.clone(),
        }
    }
}

impl Path {
    fn new(name: &str) -> Path {
        Path(name.split('.').map(Component::new).collect())
    }

    fn text(&self) -> String {
        let parts: Vec<String> = self.0.iter().map(Component::text).collect();
        parts.join(".")
    }

    /// The order of modules: by position, and by the number at the end of a name (`fc2` before `fc10`).
    fn cmp(&self, other: &Path) -> Ordering {
        let key = |component: &Component| match component {
            Component::Index(index) => (0, String::new(), *index, String::new()),
            Component::Name(stem, number, text) => (1, stem.clone(), *number, text.clone()),
        };
        self.0.iter().map(key).cmp(other.0.iter().map(key))
    }

    /// Whether it is a module within `other`.
    fn is_below(&self, other: &Path) -> bool {
        self.0.len() > other.0.len() && self.0.starts_with(&other.0)
    }

    /// Whether there may be a module without parameters between `before` and it: an index that is missing, the end of a
    /// `Sequential` within another, or modules that are named, not numbered.
    fn has_room_after(&self, before: &Path) -> bool {
        let pairs = self.0.iter().zip(&before.0);
        let same = pairs.take_while(|(own, other)| own == other).count();
        match (self.0.get(same), before.0.get(same)) {
            (Some(Component::Index(own)), Some(Component::Index(other))) => {
                let is_last = before.0.len() == same + 1;
                !is_last || own.saturating_sub(*other) > 1 || self.skips_positions(same + 1)
            }
            _ => true,
        }
    }

    /// Whether modules may come before it in its `Sequential`s.
    fn has_room_at_start(&self) -> bool {
        self.skips_positions(0)
    }

    /// Whether one of the components from `from` on is a position other than the first.
    fn skips_positions(&self, from: usize) -> bool {
        let is_later = |component: &Component| matches!(component, Component::Index(1..));
        self.0.iter().skip(from).any(is_later)
    }

    /// The name of a module between it and `next`: the position after it, if that is free.
    fn next_name(&self, next: &Path) -> String {
        let parent = &self.0[..self.0.len().saturating_sub(1)];
        let Some(Component::Index(index)) = self.0.last() else {
            return format!("{}.relu", self.text());
        };
        let after = Component::Index(index.saturating_add(1));
        let mut path = parent.to_vec();
        path.push(after);
        if next.0.starts_with(&path) || !next.0.starts_with(parent) {
            return format!("{}.relu", self.text());
        }
        Path(path).text()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn linear(name: &str, outputs: i64, inputs: i64) -> Vec<(String, Vec<i64>)> {
        vec![
            (format!("{name}.weight"), vec![outputs, inputs]),
            (format!("{name}.bias"), vec![outputs]),
        ]
    }

    fn norm(name: &str, width: i64) -> Vec<(String, Vec<i64>)> {
        ["weight", "bias", "running_mean", "running_var"]
            .map(|part| (format!("{name}.{part}"), vec![width]))
            .to_vec()
    }

    /// The layers in one line: `fc.0 Linear, fc.1 ReLU`.
    fn read(tensors: Vec<Vec<(String, Vec<i64>)>>) -> String {
        let tensors = tensors.concat();
        let tensors = tensors
            .iter()
            .map(|(name, shape)| (name.as_str(), shape.clone()));
        let found = match head_layers(tensors) {
            Ok(found) => found,
            Err(clause) => return clause,
        };
        let name = |layer: &HeadLayer| {
            let op = match layer.op {
                HeadOp::Linear { .. } => "Linear",
                HeadOp::BatchNorm { .. } => "BatchNorm1d",
                HeadOp::Relu => "ReLU",
            };
            format!("{} {op}", layer.name)
        };
        let names: Vec<String> = found.layers.iter().map(name).collect();
        names.join(", ")
    }

    #[test]
    fn missing_positions_are_a_relu_and_dropout() {
        let one = read(vec![linear("fc.1", 2, 8)]);
        assert_eq!(one, "fc.1 Linear");
        let two = read(vec![linear("fc.0", 4, 8), linear("fc.3", 2, 4)]);
        assert_eq!(two, "fc.0 Linear, fc.1 ReLU, fc.3 Linear");
        let none = read(vec![linear("fc.0", 4, 8), linear("fc.1", 2, 4)]);
        assert_eq!(none, "fc.0 Linear, fc.1 Linear");
        // Positions are numbers: 10 comes after 9.
        let late = read(vec![linear("fc.10", 2, 4), linear("fc.9", 4, 8)]);
        assert_eq!(late, "fc.9 Linear, fc.10 Linear");
    }

    #[test]
    fn one_relu_lies_between_two_linear_layers() {
        // Linear, BatchNorm1d, ReLU, Dropout, Linear.
        let after = read(vec![
            linear("fc.0", 4, 8),
            norm("fc.1", 4),
            linear("fc.4", 2, 4),
        ]);
        assert_eq!(
            after,
            "fc.0 Linear, fc.1 BatchNorm1d, fc.2 ReLU, fc.4 Linear"
        );
        // fastai: pooling, flatten, BatchNorm1d, Dropout, Linear, ReLU, BatchNorm1d, Dropout, Linear.
        let fastai = read(vec![
            norm("1.2", 8),
            linear("1.4", 4, 8),
            norm("1.6", 4),
            linear("1.8", 2, 4),
        ]);
        assert_eq!(
            fastai,
            "1.2 BatchNorm1d, 1.4 Linear, 1.5 ReLU, 1.6 BatchNorm1d, 1.8 Linear"
        );
    }

    #[test]
    fn nested_and_named_modules_have_a_relu_between_them() {
        let nested = read(vec![linear("fc.0.1", 4, 8), linear("fc.1.0", 2, 4)]);
        assert_eq!(nested, "fc.0.1 Linear, fc.0.1.relu ReLU, fc.1.0 Linear");
        let named = read(vec![linear("fc.fc10", 2, 4), linear("fc.fc2", 4, 8)]);
        assert_eq!(named, "fc.fc2 Linear, fc.fc2.relu ReLU, fc.fc10 Linear");
    }

    #[test]
    fn a_head_that_is_none_says_what_was_found() {
        let apart = read(vec![linear("fc.0", 4, 8), linear("fc.2", 2, 5)]);
        assert_eq!(
            apart,
            "doesn't fit together: `fc.0` gives 4 values, `fc.2` takes 5"
        );
        let other = read(vec![
            linear("fc.0", 4, 8),
            vec![("fc.1.weight".to_owned(), vec![4])],
        ]);
        assert_eq!(
            other,
            "has a module that is neither Linear nor BatchNorm1d: `fc.1.weight` [4]"
        );
        let within = read(vec![linear("fc.0", 4, 8), linear("fc.0.relu", 4, 4)]);
        assert_eq!(
            within,
            "has `fc.0.relu` within `fc.0`, which has parameters of its own"
        );
    }
}
