//! Announces to the members what this client sends, and checks their announcements.

use super::MediaState;
use super::group_log::GroupLog;
use super::outputs::Outputs;
use super::roster::Roster;
use super::state::Message;
use proto::ParticipantId;
use std::collections::BTreeMap;

/// This client's own state, whether the others know it, and the counts of the others' messages.
pub(super) struct Announcements {
    own: MediaState,
    /// How many messages this client has sent.
    count: u32,
    /// True if the others know `own`.
    sent: bool,
    /// The highest count received from each member.
    received: BTreeMap<ParticipantId, u32>,
}

impl Announcements {
    pub(super) fn new(own: MediaState) -> Self {
        Self { own, count: 0, sent: own == MediaState::default(), received: BTreeMap::new() }
    }

    pub(super) const fn own(&self) -> MediaState {
        self.own
    }

    pub(super) fn announce(&mut self, state: MediaState) {
        self.sent &= self.own == state;
        self.own = state;
    }

    /// Handles the end of the connection. A message that was sent on it may be lost, so the next [`Self::send`] repeats it.
    pub(super) const fn handle_lost_connection(&mut self) {
        self.sent &= self.count == 0;
    }

    /// Marks the state as not sent, so that the next [`Self::send`] sends it again.
    pub(super) const fn repeat(&mut self) {
        self.sent = false;
    }

    /// Sends the state if the others do not know it. While a commit is pending, MLS cannot encrypt. Then the next call
    /// tries again.
    pub(super) fn send(&mut self, log: &mut GroupLog, outputs: &mut Outputs) {
        if self.sent {
            return;
        }
        let Some(message) = log.seal(&Message::State { count: self.count, state: self.own }) else { return };
        self.count = self.count.saturating_add(1);
        self.sent = true;
        outputs.transmit(message);
    }

    /// Returns true if the message number `count` of `from` counts: it is from a member and newer than the last one.
    pub(super) fn receive(&mut self, from: ParticipantId, count: u32, roster: &Roster) -> bool {
        if !roster.contains(from) || self.received.get(&from).is_some_and(|last| count <= *last) {
            return false;
        }
        self.received.insert(from, count);
        true
    }

    /// Handles a change of the group. New members know no state, so the own one must be sent again. They assume that a
    /// member sends nothing, so that state need not be sent.
    pub(super) fn handle_group_change(&mut self, roster: &Roster, joined: bool) {
        self.received.retain(|id, _| roster.contains(*id));
        self.sent &= !joined || self.own == MediaState::default();
    }
}
