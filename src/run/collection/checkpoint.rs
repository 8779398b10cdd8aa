//! Checkpoints: the state of a pass over the collection, from which an interrupted run is resumed.

use serde::{Deserialize, Serialize};

use super::super::fingerprint::fingerprint;
use super::super::result_cache::ResultCache;
use super::task::CollectionTask;
use crate::error::Result;
use crate::figures::Tensors;
use crate::methods::CollectorState;
use crate::results::Failure;

/// The state of a pass after its first `next` images.
pub(super) struct Checkpoint {
    /// The index of the first image that no task has observed.
    pub(super) next: usize,
    /// The images that could not be read.
    pub(super) skipped: Vec<Failure>,
    /// The state of every task, in order.
    pub(super) states: Vec<CollectorState>,
}

/// A checkpoint without its tensors; those of task `i` are stored as `<i>/<key>`.
#[derive(Serialize, Deserialize)]
struct StoredCheckpoint {
    next: usize,
    skipped: Vec<Failure>,
    numbers: Vec<serde_json::Value>,
}

/// A hash of the tasks of a pass, under which its checkpoint is stored.
///
/// # Errors
/// If they can't be written as JSON.
pub(super) fn pass_fingerprint(tasks: &[CollectionTask]) -> Result<String> {
    let tasks: Vec<&str> = tasks.iter().map(|task| &*task.fingerprint).collect();
    fingerprint(&("collection pass", tasks))
}

impl Checkpoint {
    /// The stored checkpoint, if there is one.
    pub(super) fn read(cache: &ResultCache, fingerprint: &str) -> Option<Self> {
        let (stored, tensors): (StoredCheckpoint, Tensors) = cache.read(fingerprint)?;
        let states = stored
            .numbers
            .into_iter()
            .enumerate()
            .map(|(index, numbers)| {
                let prefix = format!("{index}/");
                let own = tensors.iter().filter_map(|(key, array)| {
                    Some((key.strip_prefix(&prefix)?.to_owned(), array.clone()))
                });
                CollectorState {
                    values: numbers,
                    tensors: own.collect(),
                }
            });
        Some(Checkpoint {
            next: stored.next,
            skipped: stored.skipped,
            states: states.collect(),
        })
    }

    /// Stores the checkpoint.
    pub(super) fn write(self, cache: &ResultCache, fingerprint: &str) {
        let mut numbers = Vec::new();
        let mut tensors = Tensors::new();
        for (index, state) in self.states.into_iter().enumerate() {
            numbers.push(state.values);
            let own = state.tensors.into_iter();
            tensors.extend(own.map(|(key, array)| (format!("{index}/{key}"), array)));
        }
        let stored = StoredCheckpoint {
            next: self.next,
            skipped: self.skipped,
            numbers,
        };
        cache.write(fingerprint, &stored, &tensors);
    }
}
