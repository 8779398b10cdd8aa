//! The values of parameters, buffers and constants: a file for each storage since PyTorch 2.9, before that pickled state dicts.

use std::collections::{BTreeSet, HashMap};

use tch::Tensor;

use super::archive::Archive;
use super::schema::{GraphModule, PayloadConfig};
use crate::error::Result;
use crate::network::file_kind::ProgramForm;
use crate::network::weights::format::StateDict;

/// The names of a kind of values in the archive.
struct Place {
    /// Their folder.
    folder: &'static str,
    /// The file that lists them.
    config: &'static str,
    /// The pickled state dict of all of them, in today's archives and in old ones.
    pickled: [&'static [&'static str]; 2],
}

const PLACES: [Place; 2] = [
    Place {
        folder: "data/weights/",
        config: "data/weights/model_weights_config.json",
        pickled: [
            &["data/weights/model.pt"],
            // PyTorch 2.1 called a pickle `.json`, too.
            &["serialized_state_dict.pt", "serialized_state_dict.json"],
        ],
    },
    Place {
        folder: "data/constants/",
        config: "data/constants/model_constants_config.json",
        pickled: [
            &["data/constants/model.pt"],
            &["serialized_constants.pt", "serialized_constants.json"],
        ],
    },
];

/// The values of a program's parameters, buffers and constants.
pub(super) struct Stored<'a> {
    archive: &'a mut Archive,
    configs: Vec<(&'static str, PayloadConfig)>,
    pickled: StateDict,
    /// The names of the parameters, among those that are pickled.
    parameters: BTreeSet<String>,
    loaded: HashMap<String, (Tensor, bool)>,
}

impl Stored<'_> {
    /// The values of the program `module` in `archive`. Pickled ones are read here, others when they are used.
    ///
    /// # Errors
    /// If a list of them or a pickle can't be read.
    pub(super) fn open<'a>(archive: &'a mut Archive, module: &GraphModule) -> Result<Stored<'a>> {
        let specs = module.signature.input_specs.iter();
        let parameters = specs.filter_map(|spec| {
            let name = spec.get("parameter")?.get("parameter_name")?.as_str()?;
            Some(name.to_owned())
        });
        let mut stored = Stored {
            configs: Vec::new(),
            pickled: StateDict::new(),
            parameters: parameters.collect(),
            loaded: HashMap::new(),
            archive,
        };
        for place in &PLACES {
            let [current, old] = place.pickled;
            let names = match stored.archive.form() {
                ProgramForm::Current => current,
                ProgramForm::Old => old,
            };
            if let Some(name) = names.iter().find(|name| stored.archive.has(name)) {
                stored.pickled.extend(stored.archive.state_dict(name)?);
            } else if stored.archive.has(place.config) {
                let config = stored.archive.json(place.config)?;
                stored.configs.push((place.folder, config));
            }
        }
        Ok(stored)
    }

    /// The values called `name`, and whether they are a parameter's.
    ///
    /// # Errors
    /// If there are none, or they can't be read.
    pub(super) fn load(&mut self, name: &str) -> Result<(Tensor, bool)> {
        if let Some((tensor, is_trained)) = self.loaded.get(name) {
            return Ok((tensor.shallow_clone(), *is_trained));
        }
        if let Some(tensor) = self.pickled.get(name) {
            return Ok((tensor.shallow_clone(), self.parameters.contains(name)));
        }
        for (folder, config) in &self.configs {
            if let Some(payload) = config.config.get(name) {
                let tensor = self.archive.tensor(folder, name, payload)?;
                let own = (tensor.shallow_clone(), payload.is_param);
                self.loaded.insert(name.to_owned(), own);
                return Ok((tensor, payload.is_param));
            }
        }
        Err(self.archive.fault(&format!("lacks the values of `{name}`")))
    }
}
