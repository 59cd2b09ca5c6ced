//! Refusals of requests for admission that wait to be sent.
//!
//! Each request that is not valid is refused. The server disconnects a member that sends too many messages, so refusals
//! have a rate that leaves room for all others. So a flood of requests does not disconnect the manager.

use super::context::Context;
use crypto::admission_key;
use proto::{MAX_MEMBERS, ManagerCommand, ParticipantId, Refusal};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Refusals that wait to be sent.
#[derive(Default)]
pub(super) struct Refusals {
    waiting: VecDeque<(ParticipantId, Refusal)>,
    /// How many were sent since `since`.
    sent: u32,
    /// When the current interval began.
    since: Option<Instant>,
    /// How many requests could not be read.
    unreadable: u64,
}

impl Refusals {
    /// Returns why a request is refused that cannot be opened. Counts those that cannot be read, and logs nothing of their content.
    pub(super) fn reason(&mut self, error: &admission_key::Error) -> Refusal {
        use admission_key::Error::{Clock, KeyPackage, Malformed};
        if let Clock { ahead } = error {
            return Refusal::Clock { ahead: *ahead };
        }
        if !matches!(error, Malformed | KeyPackage) {
            return Refusal::Declined;
        }
        self.unreadable = self.unreadable.saturating_add(1);
        tracing::info!(count = self.unreadable, %error, "a request to join could not be read");
        Refusal::Unreadable
    }

    /// Refuses a request, at once or later. Requests beyond the limit are not answered: the server ends them.
    pub(super) fn refuse(&mut self, participant: ParticipantId, why: Refusal, context: &mut Context<'_>) {
        if self.waiting.len() < MAX_MEMBERS && !self.contains(participant) {
            self.waiting.push_back((participant, why));
        }
        self.send(context);
    }

    /// Sends those that may be sent now.
    pub(super) fn send(&mut self, context: &mut Context<'_>) {
        let Some(manager) = context.manager else { return };
        if self.since.is_none_or(|since| context.now >= since + INTERVAL) {
            (self.since, self.sent) = (Some(context.now), 0);
        }
        while self.sent < MAX_IN_INTERVAL
            && let Some((participant, why)) = self.waiting.pop_front()
        {
            self.sent += 1;
            manager.send(ManagerCommand::Refuse { participant, why }, context.now, context.outputs);
        }
    }

    /// Returns when the next refusals may be sent; `None` if none waits.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.since.filter(|_| !self.waiting.is_empty()).map(|since| since + INTERVAL)
    }

    /// Returns true if the refusal of a participant waits.
    pub(super) fn contains(&self, participant: ParticipantId) -> bool {
        self.waiting.iter().any(|(waiting, _)| *waiting == participant)
    }

    /// Drops the refusal of a participant who gave up waiting.
    pub(super) fn forget(&mut self, participant: ParticipantId) {
        self.waiting.retain(|(waiting, _)| *waiting != participant);
    }

    /// Drops all refusals, because the server repeats the requests after the connection was resumed.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
    }
}

/// How many refusals are sent in an interval: 20 a second. The server allows 50 messages a second, of all kinds.
const MAX_IN_INTERVAL: u32 = 40;
const INTERVAL: Duration = Duration::from_secs(2);
