//! Who asks, and what they may.

use std::ffi::CString;
use std::sync::Arc;

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use nix::unistd::{Gid, Uid, User, geteuid, getgrouplist};
use tokio::net::UnixListener;

/// The uid that stands for everybody where a user namespace hides them.
const NOBODY: u32 = 65_534;

/// Who is at the other end of a connection, as the kernel says (SO_PEERCRED).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    uid: u32,
    gid: u32,
}

impl Peer {
    /// A peer of this uid and primary gid.
    #[must_use]
    pub fn new(uid: u32, gid: u32) -> Self {
        Self { uid, gid }
    }
}

/// The peer of a connection; none where the kernel does not say.
#[derive(Debug, Clone, Copy)]
pub(super) struct PeerOf(pub(super) Option<Peer>);

impl Connected<IncomingStream<'_, UnixListener>> for PeerOf {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        let credentials = stream.io().peer_cred();
        Self(
            credentials
                .ok()
                .map(|found| Peer::new(found.uid(), found.gid())),
        )
    }
}

/// What a peer may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// Everything.
    All,
    /// Read, and start imports.
    ReadAndRun,
}

/// Tells all groups of a peer.
pub(super) type GroupsOf = Arc<dyn Fn(Peer) -> Vec<u32> + Send + Sync>;

/// Decides what peers may do.
#[derive(Clone)]
pub struct Authority {
    privileged: Vec<u32>,
    group: u32,
    groups_of: GroupsOf,
}

impl Authority {
    /// Root and this process's user may do everything, members of `group` may read and run.
    #[must_use]
    pub fn of_this_process(group: Gid) -> Self {
        let privileged = vec![0, geteuid().as_raw()];
        Self::new(privileged, group.as_raw(), Arc::new(groups_of))
    }

    /// The same for these privileged uids; `groups_of` tells all groups of a peer.
    #[must_use]
    pub fn new(privileged: Vec<u32>, group: u32, groups_of: GroupsOf) -> Self {
        Self {
            privileged,
            group,
            groups_of,
        }
    }

    /// What this peer may do.
    ///
    /// # Errors
    /// Nothing; why, and what to do.
    pub async fn right_of(&self, peer: Option<Peer>) -> Result<Right, String> {
        let Some(peer) = peer else {
            return Err("not allowed: the kernel does not say who asks".to_owned());
        };
        if self.privileged.contains(&peer.uid) {
            return Ok(Right::All);
        }
        if peer.gid == self.group {
            return Ok(Right::ReadAndRun);
        }
        // The answer may come from a directory server.
        let groups_of = Arc::clone(&self.groups_of);
        let groups = tokio::task::spawn_blocking(move || groups_of(peer)).await;
        if groups.is_ok_and(|groups| groups.contains(&self.group)) {
            return Ok(Right::ReadAndRun);
        }
        Err(self.refusal(peer))
    }

    fn refusal(&self, peer: Peer) -> String {
        if peer.uid == NOBODY {
            return "not allowed: the service cannot see who asks, as its unit sets PrivateUsers=yes; use PrivateUsers=identity or no".to_owned();
        }
        let group = match nix::unistd::Group::from_gid(Gid::from_raw(self.group)) {
            Ok(Some(group)) => group.name,
            _ => format!("with gid {}", self.group),
        };
        format!(
            "not allowed: user {} is not a member of the group {group}",
            name_of(peer.uid)
        )
    }
}

/// What is said to a member of the group who wants more.
pub(super) fn not_enough(what: &str) -> String {
    format!("not allowed: only root and the service's own user may {what}")
}

fn name_of(uid: u32) -> String {
    match User::from_uid(Uid::from_raw(uid)) {
        Ok(Some(user)) => user.name,
        _ => format!("with uid {uid}"),
    }
}

/// All groups of a peer: SO_PEERCRED tells only the primary one.
fn groups_of(peer: Peer) -> Vec<u32> {
    let user = User::from_uid(Uid::from_raw(peer.uid)).ok().flatten();
    let Some(name) = user.and_then(|user| CString::new(user.name).ok()) else {
        return Vec::new();
    };
    getgrouplist(&name, Gid::from_raw(peer.gid))
        .unwrap_or_default()
        .into_iter()
        .map(Gid::as_raw)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authority() -> Authority {
        let groups = |peer: Peer| match peer.uid {
            1001 => vec![500, 77],
            _ => vec![500],
        };
        Authority::new(vec![0, 900], 77, Arc::new(groups))
    }

    #[tokio::test]
    async fn root_and_the_service_may_everything_and_members_read_and_run() {
        let authority = authority();
        let right = async |uid, gid| authority.right_of(Some(Peer::new(uid, gid))).await;
        assert_eq!(right(0, 0).await, Ok(Right::All));
        assert_eq!(right(900, 900).await, Ok(Right::All));
        assert_eq!(right(1000, 77).await, Ok(Right::ReadAndRun));
        assert_eq!(right(1001, 500).await, Ok(Right::ReadAndRun));
    }

    #[tokio::test]
    async fn everybody_else_is_refused_with_the_reason() {
        let authority = authority();
        let stranger = authority.right_of(Some(Peer::new(4_000_002, 500))).await;
        assert_eq!(
            stranger,
            Err(
                "not allowed: user with uid 4000002 is not a member of the group with gid 77"
                    .to_owned()
            )
        );
        assert!(authority.right_of(None).await.is_err());
    }

    #[tokio::test]
    async fn a_hidden_user_is_told_what_hides_them() {
        let hidden = authority().right_of(Some(Peer::new(NOBODY, NOBODY))).await;
        assert!(hidden.unwrap_err().contains("PrivateUsers=identity"));
    }

    #[test]
    fn the_groups_of_this_user_hold_its_own() {
        let (uid, gid) = (geteuid().as_raw(), nix::unistd::getegid().as_raw());
        assert!(groups_of(Peer::new(uid, gid)).contains(&gid));
    }
}
