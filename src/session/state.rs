//! What a session and its networks share.

use crate::progress::Progress;
use crate::run::{NetworkCache, RunOptions};

/// How a session runs, and the networks that it has loaded.
pub(super) struct SessionState {
    pub(super) options: RunOptions,
    pub(super) networks: NetworkCache,
    pub(super) progress: Box<dyn Progress>,
}
