//! How Rust names a method's layers: `GradCam::last()`, `Activations::at(["stage2", "last"])`; every other option has its
//! default.

/// Gives an option type with `layers` the functions `at` and `last`.
macro_rules! at_layers {
    ($method:ty) => {
        #[allow(clippy::field_reassign_with_default)] // Some have no other field to fill in.
        impl $method {
            /// At these layers, by selector; every other option has its default.
            pub fn at<L: Into<crate::network::LayerSelector>>(
                layers: impl IntoIterator<Item = L>,
            ) -> Self {
                let mut method = Self::default();
                method.layers = layers.into_iter().map(Into::into).collect();
                method
            }

            /// At the last convolution; every other option has its default.
            pub fn last() -> Self {
                Self::at(["last"])
            }
        }
    };
}

pub(super) use at_layers;
