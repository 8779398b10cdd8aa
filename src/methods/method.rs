//! What a method is: its facts, its layers, and the traits by what it is called for (a network, an image, a class, a
//! collection).

use super::collector::Collector;
use super::forward_backward::{BackwardPass, ForwardPass};
use super::loaded_model::LoadedModel;
use super::method_output::MethodOutput;
use super::row_file::Scratch;
use crate::error::Result;
use crate::network::graph::{Graph, NodeId};
use crate::network::node_info::NodeInfo;
use crate::network::{LayerSelector, selector};

/// Facts and English texts of a method, written once in the method's file.
#[derive(Debug)]
pub struct MethodInfo {
    /// The name in a spec, which is also the first part of the keys of its tensors.
    pub key: &'static str,
    /// The name in the report.
    pub title: &'static str,
    /// What it shows, as a phrase: README's table of methods.
    pub summary: &'static str,
    /// How a figure of it is read.
    pub read: &'static str,
    /// What a figure of it can't show.
    pub limit: &'static str,
    /// What its figures are.
    pub result: ResultKind,
    /// The papers, as the report's list of references gives them.
    pub papers: &'static [&'static str],
}

/// What the figures of a method are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResultKind {
    /// Values at spatial positions or pixels of an image.
    Map,
    /// Channels of a layer for an image.
    Channels,
    /// Kernels of a network.
    Kernels,
    /// Activations propagated back to the pixels.
    Projections,
    /// Patches of a collection's images.
    Patches,
    /// Images that maximise units or classes.
    Images,
    /// A map of a collection's images by their codes.
    CodeMap,
    /// How similar layers are.
    Similarity,
    /// Figures of each residual block.
    ResidualBlocks,
    /// Scores over a collection.
    Scores,
}

impl ResultKind {
    /// A phrase for the documentation: `a map`.
    pub fn describe(self) -> &'static str {
        match self {
            ResultKind::Map => "a map",
            ResultKind::Channels => "channels of a layer",
            ResultKind::Kernels => "kernels",
            ResultKind::Projections => "projections to the pixels",
            ResultKind::Patches => "patches of images",
            ResultKind::Images => "images",
            ResultKind::CodeMap => "a map of the collection's images",
            ResultKind::Similarity => "a matrix of similarities",
            ResultKind::ResidualBlocks => "figures of each residual block",
            ResultKind::Scores => "scores over the collection",
        }
    }
}

impl MethodInfo {
    /// The English texts by their keys in the report's word files: `method.KEY`, `method.KEY.read`, `method.KEY.limit`.
    pub fn texts(&self) -> [(String, &'static str); 3] {
        [
            (format!("method.{}", self.key), self.title),
            (format!("method.{}.read", self.key), self.read),
            (format!("method.{}.limit", self.key), self.limit),
        ]
    }
}

/// A method with its options.
///
/// What it computes is in one or several of [`NetworkMethod`], [`ImageMethod`], [`ClassMethod`] and
/// [`CollectionMethod`]; the `for_…` functions say which of them it implements.
pub trait Method {
    /// Its facts and texts.
    fn info(&self) -> &'static MethodInfo;

    /// The selectors of its layers, as the spec gives them.
    fn selectors(&self) -> &[LayerSelector] {
        &[]
    }

    /// Whether its layers must have height and width.
    fn spatial(&self) -> bool {
        true
    }

    /// The layers that a selector means for this method, in the network's order.
    ///
    /// # Errors
    /// If the network has no such layer, or none that the method can use.
    fn resolve(
        &self,
        selector: &LayerSelector,
        graph: &Graph,
        info: &[NodeInfo],
    ) -> Result<Vec<NodeId>> {
        if self.spatial() {
            selector::resolve_spatial(selector, graph, info)
        } else {
            selector::resolve(selector, graph, info)
        }
    }

    /// Nodes that it needs besides its layers, whatever the spec says: their values are kept, and, if it is a
    /// [`ClassMethod`], their gradients.
    fn nodes(&self, _graph: &Graph) -> Vec<NodeId> {
        Vec::new()
    }

    /// Checks the options for this network and these layers before anything runs.
    ///
    /// # Errors
    /// With the option, its value and what is allowed.
    fn check(&self, _graph: &Graph, _info: &[NodeInfo], _layers: &[NodeId]) -> Result<()> {
        Ok(())
    }

    /// The classes that its options name: at least one network has to know each.
    fn classes(&self) -> Vec<String> {
        Vec::new()
    }

    /// The method as one that makes figures of a network alone.
    fn for_network(&self) -> Option<&dyn NetworkMethod> {
        None
    }

    /// The method as one that makes figures of an image, whatever the class.
    fn for_image(&self) -> Option<&dyn ImageMethod> {
        None
    }

    /// The method as one that makes figures of an image and a class.
    fn for_class(&self) -> Option<&dyn ClassMethod> {
        None
    }

    /// The method as one that searches the collection.
    fn for_collection(&self) -> Option<&dyn CollectionMethod> {
        None
    }
}

/// A method that makes figures of a network alone, such as its kernels.
pub trait NetworkMethod: Method {
    /// Adds the figures of a network to `out`.
    ///
    /// # Errors
    /// If libtorch fails; the run goes on with the other methods.
    fn network_figures(
        &self,
        model: &LoadedModel,
        layers: &[NodeId],
        out: &mut MethodOutput,
    ) -> Result<()>;
}

/// A method that makes figures of an image, whatever the class, such as its activations.
pub trait ImageMethod: Method {
    /// Adds the figures of an image to `out`.
    ///
    /// # Errors
    /// If libtorch fails; the run goes on with the other methods.
    fn image_figures(
        &self,
        pass: &ForwardPass,
        layers: &[NodeId],
        out: &mut MethodOutput,
    ) -> Result<()>;
}

/// What a method computes of many inputs besides the image itself: changed copies of it, or the images of a collection. A network
/// can run these passes in another [precision](crate::network::Precisions).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ManyInputs {
    /// Values, without gradients.
    Passes,
    /// Gradients.
    Gradients,
}

/// A method that makes figures of an image and a class. One backward pass is made for each class, and the gradients of
/// its logit at the input, at the method's layers and at its nodes are kept.
pub trait ClassMethod: Method {
    /// The passes that it makes for one class besides the forward and the backward one that all methods share, at these
    /// layers and the input size of `info`.
    fn passes(&self, _info: &[NodeInfo], _layers: &[NodeId]) -> PassCount {
        PassCount::default()
    }

    /// What it computes of changed copies of the image; `None` for nothing.
    fn many_inputs(&self) -> Option<ManyInputs> {
        None
    }

    /// Adds the figures of an image and a class to `out`.
    ///
    /// # Errors
    /// If libtorch fails; the run goes on with the other methods.
    fn class_figures(
        &self,
        pass: &BackwardPass,
        layers: &[NodeId],
        out: &mut MethodOutput,
    ) -> Result<()>;
}

/// A method that searches the collection.
pub trait CollectionMethod: Method {
    /// Checks the options for a collection of `count` images before anything runs.
    ///
    /// # Errors
    /// With the option, its value and what is allowed.
    fn check_collection(&self, _count: usize) -> Result<()> {
        Ok(())
    }

    /// A collector that observes the collection with this network. Its files lie in `scratch`.
    ///
    /// # Errors
    /// If libtorch fails; the run goes on with the other methods.
    fn collector<'a>(
        &'a self,
        model: &'a LoadedModel,
        layers: &[NodeId],
        scratch: &Scratch,
    ) -> Result<Box<dyn Collector + 'a>>;
}

/// How often a method sends an image through the network by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PassCount {
    /// Forward passes.
    pub forward: usize,
    /// Backward passes.
    pub backward: usize,
}
