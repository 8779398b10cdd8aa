//! How Rust says a method's layers: `GradCam::last()`, `Activations::at(["stage2", "last"])`; every
//! other option keeps its default.

use crate::network::LayerSelector;

macro_rules! layered {
    ($($method:ty),* $(,)?) => {
        $(#[allow(clippy::field_reassign_with_default)] // Some have no other field to fill in.
        impl $method {
            /// At these layers, by selector; every other option has its default.
            pub fn at<L: Into<LayerSelector>>(layers: impl IntoIterator<Item = L>) -> Self {
                let mut method = Self::default();
                method.layers = layers.into_iter().map(Into::into).collect();
                method
            }

            /// At the last convolution; every other option has its default.
            pub fn last() -> Self {
                Self::at(["last"])
            }
        })*
    };
}

layered!(
    super::ablation_cam::AblationCam,
    super::activations::Activations,
    super::cka::Cka,
    super::deconvnet::Deconvnet,
    super::eigen_cam::EigenCam,
    super::exemplars::Exemplars,
    super::filters::Filters,
    super::grad_cam::GradCam,
    super::grad_cam_plus_plus::GradCamPlusPlus,
    super::guided_grad_cam::GuidedGradCam,
    super::hires_cam::HiresCam,
    super::layer_cam::LayerCam,
    super::maximize::Maximize,
    super::score_cam::ScoreCam,
    super::tsne::Tsne,
    super::xgrad_cam::XgradCam,
);
