//! The ways of looking: one file a method, one line each in the list below.

use crate::error::Result;
use crate::network::graph::{Graph, NodeId};
use crate::network::node_info::NodeInfo;
use crate::network::{LayerSelector, selector};

pub use collection::{Batch, Collector, Member, State};
pub use pass::{BackwardPass, ForwardPass, LoadedModel, MethodOutput, to_array};

mod at_layers;
pub mod baseline;
pub mod batched;
mod cam;
mod collection;
mod pass;
pub mod units;

pub mod ablation_cam;
pub mod activations;
pub mod cka;
pub mod deconvnet;
pub mod eigen_cam;
pub mod exemplars;
pub mod filters;
pub mod grad_cam;
pub mod grad_cam_plus_plus;
pub mod guided_backprop;
pub mod guided_grad_cam;
pub mod hires_cam;
pub mod input_x_gradient;
pub mod integrated_gradients;
pub mod layer_cam;
pub mod lrp;
pub mod maximize;
pub mod occlusion;
pub mod rise;
pub mod saliency;
pub mod score_cam;
pub mod skip_connections;
pub mod smoothgrad;
pub mod tsne;
pub mod vargrad;
pub mod xgrad_cam;

/// A way of looking. Its config says what it needs; the three functions below are called once a
/// network, once a picture and once a class, and do nothing unless a method has something to say.
pub trait Method {
    /// The selectors whose layers it looks at, as the spec has them.
    fn selectors(&self) -> &[LayerSelector] {
        &[]
    }

    /// Whether those layers must have height and width.
    fn spatial(&self) -> bool {
        true
    }

    /// The layers that one of the selectors means to this method, in the network's order.
    ///
    /// # Errors
    /// If the network has no such layer, or none that the method can look at.
    fn resolve(
        &self,
        word: &LayerSelector,
        graph: &Graph,
        info: &[NodeInfo],
    ) -> Result<Vec<NodeId>> {
        match self.spatial() {
            true => selector::resolve_spatial(word, graph, info),
            false => selector::resolve(word, graph, info),
        }
    }

    /// Whether it asks about classes: then one backward pass is made for each, and the gradients
    /// at the input and at its layers are there.
    fn asks_about_classes(&self) -> bool {
        false
    }

    /// The passes of its own that it makes for one class, besides the forward and the backward one that all
    /// methods share, at these layers and the input size that `info` is for.
    fn passes(&self, _info: &[NodeInfo], _layers: &[NodeId]) -> PassCount {
        PassCount::default()
    }

    /// Nodes that it needs besides its layers, whatever the spec says: their values are kept, and where
    /// it asks about classes, their gradients.
    fn nodes(&self, _graph: &Graph) -> Vec<NodeId> {
        Vec::new()
    }

    /// Options that make no sense for this network and these layers, before anything runs.
    ///
    /// # Errors
    /// With what would make sense.
    fn check(&self, _graph: &Graph, _info: &[NodeInfo], _layers: &[NodeId]) -> Result<()> {
        Ok(())
    }

    /// The classes that its options name: some network has to know each.
    fn classes(&self) -> Vec<String> {
        Vec::new()
    }

    /// Whether it looks through the collection: then [`collector`](Self::collector) gives something.
    fn looks_through_collection(&self) -> bool {
        false
    }

    /// Options that make no sense for a collection of `count` images, before anything runs.
    ///
    /// # Errors
    /// With what would make sense.
    fn check_collection(&self, _count: usize) -> Result<()> {
        Ok(())
    }

    /// Something that looks through the collection with this network, if the method does that.
    ///
    /// # Errors
    /// If libtorch refuses; the run goes on with the others.
    fn collector<'a>(
        &'a self,
        _subject: &'a LoadedModel,
        _layers: &[NodeId],
    ) -> Result<Option<Box<dyn Collector + 'a>>> {
        Ok(None)
    }

    /// What there is to say of the network alone.
    ///
    /// # Errors
    /// If libtorch refuses; the run goes on with the others.
    fn of_network(
        &self,
        _subject: &LoadedModel,
        _layers: &[NodeId],
        _out: &mut MethodOutput,
    ) -> Result<()> {
        Ok(())
    }

    /// What there is to say of one picture.
    ///
    /// # Errors
    /// If libtorch refuses; the run goes on with the others.
    fn of_picture(
        &self,
        _pass: &ForwardPass,
        _layers: &[NodeId],
        _out: &mut MethodOutput,
    ) -> Result<()> {
        Ok(())
    }

    /// What there is to say of one picture and one class.
    ///
    /// # Errors
    /// If libtorch refuses; the run goes on with the others.
    fn of_class(
        &self,
        _pass: &BackwardPass,
        _layers: &[NodeId],
        _out: &mut MethodOutput,
    ) -> Result<()> {
        Ok(())
    }
}

/// How often a method sends a picture through the network by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PassCount {
    pub forward: usize,
    pub backward: usize,
}

crate::registry::list! {
    /// One entry of an experiment's `methods`: a name, or a name with its options.
    MethodSpec as method: dyn Method, called "Method", for example "`grad_cam: {layers: [last]}`";
    "activations" => Activations(activations::Activations),
    "filters" => Filters(filters::Filters),
    "saliency" => Saliency(saliency::Saliency),
    "input_x_gradient" => InputXGradient(input_x_gradient::InputXGradient),
    "integrated_gradients" => IntegratedGradients(integrated_gradients::IntegratedGradients),
    "smoothgrad" => Smoothgrad(smoothgrad::Smoothgrad),
    "vargrad" => Vargrad(vargrad::Vargrad),
    "occlusion" => Occlusion(occlusion::Occlusion),
    "rise" => Rise(rise::Rise),
    "grad_cam" => GradCam(grad_cam::GradCam),
    "deconvnet" => Deconvnet(deconvnet::Deconvnet),
    "guided_backprop" => GuidedBackprop(guided_backprop::GuidedBackprop),
    "guided_grad_cam" => GuidedGradCam(guided_grad_cam::GuidedGradCam),
    "grad_cam_plus_plus" => GradCamPlusPlus(grad_cam_plus_plus::GradCamPlusPlus),
    "hires_cam" => HiresCam(hires_cam::HiresCam),
    "layer_cam" => LayerCam(layer_cam::LayerCam),
    "xgrad_cam" => XgradCam(xgrad_cam::XgradCam),
    "score_cam" => ScoreCam(score_cam::ScoreCam),
    "ablation_cam" => AblationCam(ablation_cam::AblationCam),
    "eigen_cam" => EigenCam(eigen_cam::EigenCam),
    "lrp" => Lrp(lrp::Lrp),
    "tsne" => Tsne(tsne::Tsne),
    "cka" => Cka(cka::Cka),
    "exemplars" => Exemplars(exemplars::Exemplars),
    "maximize" => Maximize(maximize::Maximize),
    "skip_connections" => SkipConnections(skip_connections::SkipConnections),
}
