//! The names of nodes, from the modules that computed them.
//!
//! A module that is one node gives it its path (`features.4.0.block.1.0`). What a module computes without a module of its
//! own is named after the operator below the module's path (`layer1.0.add`). A name that is taken gets a number
//! (`layer1.0.relu_1`), which counts the calls of a module that is called several times, too.

use std::collections::{BTreeMap, BTreeSet};

use super::schema::NodeRecord;

/// The call of a module that computed a node: its path, and its key, which differs from call to call (`mix@1`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct ModuleCall {
    key: String,
    path: String,
}

impl ModuleCall {
    /// The innermost module in a node's `nn_module_stack`: entries `key,path,type`, separated by `;`.
    pub(super) fn of_node(node: &NodeRecord) -> ModuleCall {
        let stack = node.metadata.get("nn_module_stack");
        let innermost = stack.and_then(|stack| stack.rsplit(';').next());
        let mut parts = innermost.unwrap_or_default().split(',');
        let (key, path) = (
            parts.next().unwrap_or_default(),
            parts.next().unwrap_or_default(),
        );
        // Calls have a number in the path, too: `mix@1`.
        let path = path.split('@').next().unwrap_or_default();
        ModuleCall {
            key: key.to_owned(),
            path: path.to_owned(),
        }
    }

    /// The module's path: `layer1.0`; empty for the network itself.
    pub(super) fn path(&self) -> &str {
        &self.path
    }
}

/// Gives names to nodes.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// How many nodes each call of a module computes by itself.
    counts: BTreeMap<ModuleCall, usize>,
    /// The modules that contain others.
    parents: BTreeSet<String>,
    taken: BTreeSet<String>,
    /// The last number of each name that was taken.
    numbers: BTreeMap<String, usize>,
}

impl Names {
    /// Names for nodes that these calls compute, a call for each node that will have a name.
    pub(super) fn new<'a>(calls: impl Iterator<Item = &'a ModuleCall>) -> Names {
        let mut names = Names::default();
        for call in calls {
            *names.counts.entry(call.clone()).or_default() += 1;
            for (at, _) in call.path.match_indices('.') {
                names.parents.insert(call.path[..at].to_owned());
            }
        }
        names.taken.insert("input".to_owned());
        names
    }

    /// The name of a node that `call` computes with the operator `operator`.
    pub(super) fn next(&mut self, call: &ModuleCall, operator: &str) -> String {
        let is_one_node = self.counts.get(call) == Some(&1) && !self.parents.contains(&call.path);
        let base = match call.path.as_str() {
            "" => operator.to_owned(),
            path if is_one_node => path.to_owned(),
            path => format!("{path}.{operator}"),
        };
        let mut name = base.clone();
        let mut number = self.numbers.get(&base).copied().unwrap_or(0);
        while !self.taken.insert(name.clone()) {
            number += 1;
            name = format!("{base}_{number}");
        }
        self.numbers.insert(base, number);
        name
    }
}
