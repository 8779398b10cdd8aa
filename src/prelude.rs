//! The names of everyday work: `use convscope::prelude::*;`.

// Not `checks::drop::Drop`, which would hide the trait of that name.
pub use crate::checks::{curves::Curves, pointing::Pointing, randomisation::Randomisation};
pub use crate::methods::{
    ablation_cam::AblationCam,
    activations::{Activations, Channels},
    cka::Cka,
    deconvnet::Deconvnet,
    eigen_cam::EigenCam,
    exemplars::Exemplars,
    filters::Filters,
    grad_cam::GradCam,
    grad_cam_plus_plus::GradCamPlusPlus,
    guided_backprop::GuidedBackprop,
    guided_grad_cam::GuidedGradCam,
    hires_cam::HiresCam,
    input_x_gradient::InputXGradient,
    integrated_gradients::IntegratedGradients,
    layer_cam::LayerCam,
    lrp::Lrp,
    maximize::Maximize,
    occlusion::Occlusion,
    rise::Rise,
    saliency::Saliency,
    score_cam::ScoreCam,
    skip_connections::SkipConnections,
    smoothgrad::Smoothgrad,
    tsne::Tsne,
    vargrad::Vargrad,
    xgrad_cam::XgradCam,
};
pub use crate::report::Measure;
pub use crate::session::{
    Chart, Experiment, Figures, Image, LayerTable, Model, Predictions, Report, Session,
};
pub use crate::spec::{ImageSpec, Lang, ModelSpec};
