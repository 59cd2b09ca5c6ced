//! Organisers who come back. The authority has signed their requests, so any member may add them.

use super::context::Context;
use super::group_log::GroupLog;
use super::removals::folded;
use super::roster::Roster;
use super::timing::REMOVAL_INTERVAL;
use crypto::{Changes, KnockRequest, PolicyEdit, open_return};
use proto::{Blob, ParticipantId, Signature};
use std::time::Instant;

/// The organisers who wait to come back, and since when.
#[derive(Default)]
pub(super) struct Returns {
    waiting: Vec<(KnockRequest, Instant)>,
}

impl Returns {
    /// Keeps a request if the authority has signed it.
    pub(super) fn handle_request(
        &mut self,
        participant: ParticipantId,
        request: &Blob,
        signature: &Signature,
        log: &GroupLog,
        now: Instant,
    ) {
        let policy = log.group().policy();
        let known = self.waiting.iter().any(|(request, _)| request.participant() == participant);
        // The authority before counts as well: the organiser may have lost the connection while the keys rotated.
        let (meeting, newest) = (policy.chain().meeting(), policy.chain().newest_authorities());
        let signed =
            newest.iter().any(|authority| authority.signed_return(meeting, participant, &request.0, signature));
        if known || !signed || self.waiting.len() >= MAX_WAITING {
            return;
        }
        match open_return(log.group(), &request.0) {
            Ok(request) if request.participant() == participant => self.waiting.push((request, now)),
            Ok(_) | Err(_) => tracing::warn!("the request of an organiser to come back is not valid"),
        }
    }

    /// Removes a participant who gave up waiting, or left after another member had answered it.
    pub(super) fn handle_withdrawal(&mut self, participant: ParticipantId) {
        self.waiting.retain(|(request, _)| request.participant() != participant);
    }

    /// Removes the participants who are members now.
    pub(super) fn handle_group_change(&mut self, roster: &Roster) {
        self.waiting.retain(|(request, _)| !roster.contains(request.participant()));
    }

    /// Forgets all requests. The server sends them again after the connection was resumed.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
    }

    /// Returns when this client adds the organiser, if nobody before it in rank has done so.
    pub(super) fn deadline(&self, roster: &Roster) -> Option<Instant> {
        let first = self.waiting.iter().map(|(_, since)| *since).min()?;
        Some(first + REMOVAL_INTERVAL * roster.rank().min(MAX_RANK))
    }

    /// Returns true if [`Self::commit`] has something to do.
    pub(super) fn is_due(&self, roster: &Roster, now: Instant) -> bool {
        self.deadline(roster).is_some_and(|deadline| deadline <= now)
    }

    /// Sends a commit that adds those who are due, and removes the members that left, with the edits `floor` of floor control.
    /// Returns false if none was sent. A request that cannot be added is dropped.
    pub(super) fn commit(
        &mut self,
        floor: &[PolicyEdit],
        roster: &Roster,
        log: &mut GroupLog,
        context: &mut Context<'_>,
    ) -> bool {
        if !self.is_due(roster, context.now) {
            return false;
        }
        let add: Vec<_> = self.waiting.iter().map(|(request, _)| request.clone()).collect();
        let policy = folded(floor, log, context);
        let is_folded = policy.is_some();
        let changes = Changes { add, remove: roster.gone_leaves(), policy };
        let sent = log.commit(changes.clone(), context)
            || is_folded && log.commit(Changes { policy: None, ..changes }, context);
        if !sent {
            self.waiting.clear();
        }
        sent
    }
}

/// Members of a higher rank wait no longer than this one, so that many hostile members do not keep an honest one from its
/// turn for minutes.
const MAX_RANK: u32 = 5;

/// The maximum number of organisers that wait to come back.
const MAX_WAITING: usize = 16;
