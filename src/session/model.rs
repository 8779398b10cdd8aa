//! A network of a session, and the single steps: its layers, its predictions, and the figures of one method.

use std::rc::Rc;

use super::figures::{Figures, Predictions};
use super::image::Image;
use super::layers::LayerTable;
use super::state::SessionState;
use crate::error::{Error, ErrorKind, Result};
use crate::methods::{LoadedModel, MethodSpec};
use crate::network::{ClassSpec, Network};
use crate::plan::Plan;
use crate::results::ModelInfo;
use crate::run::{self, RunModel, RunOutput};
use crate::spec::ModelSpec;

/// A loaded network of a session.
#[derive(Clone)]
pub struct Model {
    state: Rc<SessionState>,
    spec: ModelSpec,
    run_model: Rc<RunModel>,
}

impl Model {
    pub(super) fn load(state: &Rc<SessionState>, spec: ModelSpec) -> Result<Self> {
        let SessionState {
            options,
            networks,
            progress,
        } = &**state;
        let (cache, class) = (options.cache()?, ClassSpec::Predicted);
        let plan = Plan::for_step(&spec, &[], class, None, &cache, &**progress)?;
        let run_model = run::load_model(&plan, options, networks, &**progress)?;
        Ok(Model {
            state: state.clone(),
            spec,
            run_model: Rc::new(run_model),
        })
    }

    /// Its id in the results' keys.
    pub fn id(&self) -> &str {
        &self.run_model.loaded.id
    }

    /// Its weights, size and preprocessing.
    pub fn info(&self) -> &ModelInfo {
        &self.run_model.info
    }

    /// Its graph and parameters.
    pub fn network(&self) -> &Network {
        &self.run_model.loaded.network
    }

    /// The network with class names and preprocessing, as methods use it.
    pub fn loaded(&self) -> &LoadedModel {
        &self.run_model.loaded
    }

    /// Every layer with its shape, cost, stride and receptive field.
    pub fn layers(&self) -> LayerTable {
        LayerTable::for_model(&self.run_model)
    }

    /// The most probable classes of an image.
    ///
    /// # Errors
    /// If the image is too small for the network, or if libtorch fails.
    pub fn predict(&self, image: &Image) -> Result<Predictions> {
        let output = self.run(image, ClassSpec::Predicted, None)?;
        Ok(Predictions::new(Rc::new(output)))
    }

    /// The figures of one method for an image; a method that explains a class explains the predicted one.
    ///
    /// # Errors
    /// If the network has none of the method's layers, or the method fails.
    pub fn explain(&self, image: &Image, method: impl Into<MethodSpec>) -> Result<Figures> {
        self.explain_class(ClassSpec::Predicted, image, method)
    }

    /// The figures of one method for an image and a class: its name, its WordNet id or its index.
    ///
    /// # Errors
    /// As [`explain`](Self::explain), and if the network has no such class.
    pub fn explain_class(
        &self,
        class: impl Into<ClassSpec>,
        image: &Image,
        method: impl Into<MethodSpec>,
    ) -> Result<Figures> {
        let output = self.run(image, class.into(), Some(method.into()))?;
        Figures::all(Rc::new(output))
    }

    /// Runs one step. A failure, which a run would record in its results, is returned as an error.
    fn run(
        &self,
        image: &Image,
        class: ClassSpec,
        method: Option<MethodSpec>,
    ) -> Result<RunOutput> {
        let images = std::slice::from_ref(&image.planned);
        let SessionState {
            options,
            networks,
            progress,
        } = &*self.state;
        let cache = options.cache()?;
        let plan = Plan::for_step(&self.spec, images, class, method, &cache, &**progress)?;
        let mut output = run::run(&plan, options, networks, &**progress)?;
        let Some(failure) = output.results.failures.pop() else {
            return Ok(output);
        };
        let error = Error::new(ErrorKind::Network, failure.message);
        Err(match failure.help {
            Some(help) => error.help(help),
            None => error,
        })
    }
}

impl std::fmt::Display for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let info = self.info();
        write!(
            f,
            "{}: {}, {} ({}); {} parameters, {} multiply-adds, input {}, classes: {}",
            info.id,
            info.arch,
            info.weights.name,
            info.weights.source,
            info.parameters,
            info.multiply_adds,
            info.preprocess,
            info.classes
        )
    }
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}
