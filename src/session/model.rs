//! A loaded network and the single steps: its layers, what it says of a picture, and why.

use std::rc::Rc;

use super::experiment::Experiment;
use super::figures::{Figures, Predictions};
use super::image::Image;
use super::layers::LayerTable;
use super::{Session, State};
use crate::error::Result;
use crate::methods::{LoadedModel, MethodSpec};
use crate::network::ClassSpec;
use crate::network::Network;
use crate::results::ModelInfo;
use crate::run::{self, Outcome};
use crate::spec::{ImageSpec, ModelSpec};

/// A network of a session, ready to be asked.
#[derive(Clone)]
pub struct Model {
    session: Session,
    spec: ModelSpec,
    loaded: Rc<run::Model>,
}

impl Model {
    pub(super) fn load(session: &Session, spec: ModelSpec) -> Result<Self> {
        let State {
            options,
            shelf,
            progress,
        } = &*session.state;
        let alone = about(&spec).spec()?;
        let loaded = run::load(&alone, options, shelf, &**progress)?;
        Ok(Model {
            session: session.clone(),
            spec,
            loaded: Rc::new(loaded),
        })
    }

    /// Its name in the results' keys.
    pub fn id(&self) -> &str {
        &self.loaded.subject.id
    }

    /// What is known of it: weights, size, preprocessing.
    pub fn info(&self) -> &ModelInfo {
        &self.loaded.record
    }

    /// The network itself: its graph and its numbers.
    pub fn network(&self) -> &Network {
        &self.loaded.subject.network
    }

    /// The network with class names and preprocessing, as methods take it.
    pub fn subject(&self) -> &LoadedModel {
        &self.loaded.subject
    }

    /// Every layer with its shape, cost, output stride and receptive field.
    pub fn layers(&self) -> LayerTable {
        LayerTable::of(&self.loaded)
    }

    /// What the network says of a picture: the likeliest classes.
    ///
    /// # Errors
    /// If the picture is too small for the network, or libtorch refuses.
    pub fn predict(&self, image: &Image) -> Result<Predictions> {
        let outcome = self.look(image, about(&self.spec))?;
        Ok(Predictions::new(Rc::new(outcome)))
    }

    /// A picture through one way of looking; what asks about a class asks about the likeliest one.
    ///
    /// # Errors
    /// If the network has none of the method's layers, or the method fails.
    pub fn explain(&self, image: &Image, method: impl Into<MethodSpec>) -> Result<Figures> {
        self.explain_class(ClassSpec::Predicted, image, method)
    }

    /// The same for a class: its name, its WordNet id or its index.
    ///
    /// # Errors
    /// Also if the network knows no such class.
    pub fn explain_class(
        &self,
        class: impl Into<ClassSpec>,
        image: &Image,
        method: impl Into<MethodSpec>,
    ) -> Result<Figures> {
        let asked = about(&self.spec).class(class).method(method);
        let outcome = self.look(image, asked)?;
        Figures::all(Rc::new(outcome))
    }

    fn look(&self, image: &Image, asked: Experiment) -> Result<Outcome> {
        let State {
            options,
            shelf,
            progress,
        } = &*self.session.state;
        let pictures = std::slice::from_ref(&image.picture);
        let mut outcome = run::look(&asked.spec()?, pictures, options, shelf, &**progress)?;
        // One step has nobody to go on for.
        match outcome.results.failures.pop() {
            None => Ok(outcome),
            Some(failure) => {
                let error = crate::Error::new(crate::ErrorKind::Network, failure.message);
                Err(match failure.help {
                    Some(help) => error.help(help),
                    None => error,
                })
            }
        }
    }
}

/// An experiment of one network. The picture is given beside it, and its name here is never looked up.
fn about(model: &ModelSpec) -> Experiment {
    Experiment::new("One look")
        .model(model.clone())
        .image(ImageSpec::path("picture"))
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
