//! The methods: one file per method, and one line each in the list below.

pub use collector::{Batch, CollectionImage, Collector, CollectorState};
pub use forward_backward::{BackwardPass, ForwardPass};
pub use loaded_model::LoadedModel;
pub use method::{
    ClassMethod, CollectionMethod, ImageMethod, ManyInputs, Method, MethodInfo, NetworkMethod,
    PassCount, ResultKind,
};
pub use method_output::{MethodOutput, to_array, to_floats};
pub use row_file::{RowFile, Scratch};
pub use target::Target;

pub mod baseline;
pub mod batched;
mod cam;
mod collector;
mod forward_backward;
mod image_sample;
mod layer_constructors;
mod loaded_model;
mod method;
mod method_output;
mod rectangle_changes;
mod row_file;
mod sampled_rows;
mod target;
pub mod unit_selection;

crate::registry::list! {
    /// One entry of an experiment's `methods`: a name, or a name with its options.
    MethodSpec as method: dyn Method, called "Method", for example "`grad_cam: {layers: [last]}`";
    activations: Activations,
    filters: Filters,
    saliency: Saliency,
    input_x_gradient: InputXGradient,
    integrated_gradients: IntegratedGradients,
    smoothgrad: Smoothgrad,
    vargrad: Vargrad,
    occlusion: Occlusion,
    rise: Rise,
    grad_cam: GradCam,
    deconvnet: Deconvnet,
    guided_backprop: GuidedBackprop,
    guided_grad_cam: GuidedGradCam,
    grad_cam_plus_plus: GradCamPlusPlus,
    hires_cam: HiresCam,
    layer_cam: LayerCam,
    xgrad_cam: XgradCam,
    score_cam: ScoreCam,
    ablation_cam: AblationCam,
    eigen_cam: EigenCam,
    lrp: Lrp,
    tsne: Tsne,
    atlas: Atlas,
    cka: Cka,
    evaluate: Evaluate,
    layer_statistics: LayerStatistics,
    exemplars: Exemplars,
    maximize: Maximize,
    skip_connections: SkipConnections,
}
