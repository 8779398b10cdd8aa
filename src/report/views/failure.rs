//! What failed during the run.

use serde::Serialize;

use crate::results::Failure;

/// A failure: where, what, and what can be done.
#[derive(Debug, Serialize)]
pub struct FailureView {
    /// The network, the photo and the method, as far as it concerns one.
    pub place: String,
    /// What failed.
    pub message: String,
    /// What the user can do about it.
    pub help: Option<String>,
}

impl FailureView {
    /// The view of one failure.
    pub fn new(failure: &Failure) -> Self {
        let parts = [&failure.model, &failure.image, &failure.method];
        let place: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
        FailureView {
            place: place.join(" · "),
            message: failure.message.clone(),
            help: failure.help.clone(),
        }
    }
}
