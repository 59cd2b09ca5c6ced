//! What hostile members do to an organiser that comes back, without a false Welcome.

use super::{Aim, HostileClient};
use crypto::group::hostile::{Forbidden, forge};
use crypto::open_return;
use proto::{Blob, Up};

impl HostileClient {
    /// Adds the organiser that waits, and sends it no Welcome. The other members then take it for a member.
    pub(super) fn swallow(&mut self) -> Option<Vec<u8>> {
        let Aim::Swallow(Some(target)) = self.aim else { return None };
        let request = self.captured.return_of(target)?;
        let membership = self.memberships.last_mut().filter(|membership| membership.pending.is_none())?;
        let request = open_return(&membership.group, &request.0).ok()?;
        let blob = Blob(membership.group.add(vec![request]).ok()?.commit);
        membership.pending = Some((blob.clone(), true));
        Some(proto::encode(&Up::Commit { epoch: membership.epoch, blob, removed: Vec::new(), welcome: None }))
    }

    /// Adds an organiser that has left once more, by a request that was used.
    #[expect(clippy::disallowed_methods, reason = "it is a hostile client")]
    pub(super) fn haunt(&mut self) -> Option<Vec<u8>> {
        let (_, package, _) = self.captured.return_request(&mut self.random)?;
        let membership = self.memberships.last_mut().filter(|membership| membership.pending.is_none())?;
        let blob = forge(&mut membership.group, &self.identity, Forbidden::Package(package.0), self.wall).ok()?;
        Some(proto::encode(&Up::Commit {
            epoch: membership.epoch,
            blob: Blob(blob),
            removed: Vec::new(),
            welcome: None,
        }))
    }

    /// Handles the server's answer that it did not accept the last commit.
    pub(super) fn drop_pending(&mut self) {
        if let Some(membership) = self.memberships.last_mut()
            && membership.pending.take().is_some()
        {
            membership.group.clear_pending_commit();
        }
    }
}
