//! A commit whose keys this client could not read, until it is known whether the others have merged it.
//!
//! A member that sends a path secret that only some can decrypt splits the group. Who cannot read it has not lost the meeting: it does
//! not commit meanwhile, because the others would take its commit for an invalid one. The leading manager's beacon cuts off a member.
//! A manager itself asks the beacons of the others: if they have merged the commit, it joins again alone. Otherwise it voids the
//! commit, so that those who have merged it join again.

use super::roster::Roster;
use super::timing::{EVIDENCE_TIMEOUT, UNREAD_TIMEOUT};
use crypto::Complaint;
use proto::{Epoch, ManagerCommand, ParticipantId};
use std::collections::BTreeSet;
use std::time::Instant;

/// A commit that this client could not read.
pub(super) struct UnreadCommit {
    epoch: Epoch,
    from: ParticipantId,
    /// What the managers are told if this client joins again. `None` if the server names nobody in the group.
    complaint: Option<Complaint>,
    /// When a manager decides. When another member takes its own group for the right one.
    until: Instant,
    /// The members whose signed beacons say that they have merged it.
    merged: BTreeSet<ParticipantId>,
}

impl UnreadCommit {
    /// Returns the commit of `from` that ended the epoch `epoch` of the log. `manager` is true if this client decides.
    pub(super) fn new((from, epoch): (ParticipantId, Epoch), manager: bool, roster: &Roster, now: Instant) -> Self {
        let until = match (manager, others(roster, from)) {
            // Nobody can have merged it.
            (true, 0) => now,
            (true, _) => now + EVIDENCE_TIMEOUT,
            (false, _) => now + UNREAD_TIMEOUT,
        };
        let complaint = roster.device(from).map(|device| Complaint { device, epoch });
        Self { epoch, from, complaint, until, merged: BTreeSet::new() }
    }

    pub(super) const fn complaint(&self) -> Option<Complaint> {
        self.complaint
    }

    pub(super) const fn until(&self) -> Instant {
        self.until
    }

    /// Returns who has made the commit, according to the server.
    pub(super) const fn from(&self) -> ParticipantId {
        self.from
    }

    pub(super) const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Notes what a member's beacon about a later epoch of the log says: whether it has merged the commit.
    pub(super) fn handle_beacon(&mut self, from: ParticipantId, has_merged: bool) {
        if from == self.from || !has_merged {
            self.merged.remove(&from);
        } else {
            self.merged.insert(from);
        }
    }

    /// Returns the command by which a manager voids the commit.
    pub(super) const fn void(&self) -> ManagerCommand {
        ManagerCommand::Void { epoch: self.epoch, participant: self.from }
    }

    /// Returns true if so many connected members have merged the commit that the meeting goes on with it: more than half, without its
    /// author. In a large meeting only some send a beacon on an epoch, so a few are enough.
    pub(super) fn is_merged_by_others(&self, roster: &Roster) -> bool {
        self.merged.len() >= (others(roster, self.from) / 2 + 1).min(ENOUGH)
    }
}

/// Returns how many members are connected, without this client and the author of a commit.
fn others(roster: &Roster, from: ParticipantId) -> usize {
    roster.present().filter(|person| person.connected && !person.me && person.id != from).count()
}

/// So many members are enough in a meeting of any size.
const ENOUGH: usize = 5;
