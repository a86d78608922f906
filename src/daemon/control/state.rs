use std::sync::Arc;

use nix::unistd::Gid;
use tokio_util::sync::CancellationToken;

use super::peer::Authority;
use crate::daemon::engine::Engine;
use crate::daemon::reload::Reloader;
use crate::daemon::rounds::Rounds;
use crate::delivery::Post;

/// What the handlers work with.
#[derive(Clone)]
pub struct Control {
    pub(super) engine: Engine,
    pub(super) reloader: Arc<Reloader>,
    pub(super) rounds: Rounds,
    pub(super) post: Post,
    pub(super) started_at: chrono::DateTime<chrono::Utc>,
    pub(super) stop: CancellationToken,
    authority: Authority,
}

impl Control {
    /// A control for these parts; members of `group` may read and run. It ends with `stop`, open streams too.
    #[must_use]
    pub fn new(
        engine: Engine,
        reloader: Arc<Reloader>,
        rounds: Rounds,
        post: Post,
        group: Gid,
        stop: CancellationToken,
    ) -> Self {
        Self {
            started_at: engine.now(),
            engine,
            reloader,
            rounds,
            post,
            stop,
            authority: Authority::of_this_process(group),
        }
    }

    /// Who decides what peers may do.
    pub(super) fn authority(&self) -> &Authority {
        &self.authority
    }

    /// With another judge of peers.
    #[cfg(test)]
    pub(super) fn judged_by(mut self, authority: Authority) -> Self {
        self.authority = authority;
        self
    }
}
