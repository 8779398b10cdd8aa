//! The state that a session shares with its networks.

use crate::progress::Progress;
use crate::run::{NetworkCache, RunOptions};

/// A session's run options, the networks that it has loaded, and where it reports progress.
pub(super) struct SessionState {
    pub(super) options: RunOptions,
    pub(super) networks: NetworkCache,
    pub(super) progress: Box<dyn Progress>,
}
