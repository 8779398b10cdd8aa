//! A network of the zoo in a plan. A weight file of the user decides on its input, stem and head, so it is read when the
//! experiment is planned: layers are selected, and labels are checked, on the network that will run.

use std::borrow::Cow;

use super::task::one_output_note;
use super::weights_source::WeightsSource;
use crate::error::{Error, ErrorKind, Result};
use crate::image::Preprocess;
use crate::network::graph::Graph;
use crate::network::weights::{self, CheckpointNote};
use crate::network::zoo::{Arch, ArchOptions, Head};
use crate::network::{Network, Task};
use crate::progress::Progress;
use crate::results::NetworkNote;

/// A network of the zoo.
#[derive(Debug)]
pub struct ZooNetwork {
    /// Its architecture.
    pub arch: &'static Arch,
    /// The variant of the architecture that its weights need.
    pub options: ArchOptions,
    /// The network with the weights of the user's file, on the CPU; `None` for weights that are loaded by the run.
    pub network: Option<Network>,
    /// What was chosen of the user's file, and what was assumed.
    pub notes: Vec<CheckpointNote>,
}

impl ZooNetwork {
    /// The network called `id` in the experiment, of the architecture `arch` with the weights of `source`.
    ///
    /// # Errors
    /// If a file of the user can't be read, or does not fit the architecture.
    pub(super) fn new(
        arch: &'static Arch,
        source: &WeightsSource,
        id: &str,
        progress: &dyn Progress,
    ) -> Result<ZooNetwork> {
        let options = match source {
            WeightsSource::Set(set) => set.options(),
            _ => ArchOptions::default(),
        };
        let WeightsSource::File(path) = source else {
            return Ok(ZooNetwork {
                arch,
                options,
                network: None,
                notes: Vec::new(),
            });
        };
        progress.step(&format!("{id}: reading {}", path.display()));
        let loaded = weights::load(arch, options, None, path)?;
        Ok(ZooNetwork {
            arch,
            options: loaded.options,
            network: Some(loaded.network),
            notes: loaded.notes,
        })
    }

    /// Its graph.
    pub fn graph(&self) -> Cow<'_, Graph> {
        match &self.network {
            Some(network) => Cow::Borrowed(network.graph()),
            None => Cow::Owned(self.arch.graph(self.options.clone())),
        }
    }

    /// Its task, and what a user should know of it. Without a head its outputs are codes.
    ///
    /// # Errors
    /// If the given task needs a head and there is none.
    pub(super) fn task(&self, given: Option<Task>) -> Result<(Task, Vec<NetworkNote>)> {
        let of_file = self.notes.iter().map(|note| NetworkNote {
            note: note.note.clone(),
            text: note.text.clone(),
        });
        let mut notes: Vec<NetworkNote> = of_file.collect();
        if self.options.head != Head::None {
            let outputs = self.options.classes.max(0) as usize;
            notes.extend(one_output_note(given, outputs));
            return Ok((given.unwrap_or_default(), notes));
        }
        match given {
            Some(task @ (Task::Classes | Task::MultiLabel)) => {
                let message = format!(
                    "the weight file has no head, so the network has no classes, and `task` is `{}`",
                    task.name()
                );
                Err(Error::new(ErrorKind::Spec, message)
                    .help("leave out `task`, or give weights with a head"))
            }
            given => Ok((given.unwrap_or(Task::Codes), notes)),
        }
    }

    /// The preprocessing where neither the experiment nor a weight set has one: ImageNet's for the size that the network was
    /// made for. Networks for images of 32 × 32 pixels see them whole.
    pub(super) fn preprocess(&self) -> Preprocess {
        let side = self.arch.side(&self.options) as u32;
        match side {
            ..=64 => Preprocess {
                resize: Some(side),
                crop: Some(side),
                ..Preprocess::imagenet()
            },
            _ => Preprocess::for_input(side),
        }
    }
}
