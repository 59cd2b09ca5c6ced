//! Messages and events that wait for the caller of [`super::Meeting`].

use super::malformed::Malformed;
use super::roster::Departure;
use super::{Event, Notice};
use proto::{ParticipantId, Reason, Up};
use std::collections::VecDeque;
use std::mem;
use std::time::Instant;

/// The output queues of the state machine. Each input adds a bounded number of items, and the caller takes all of them
/// before the next input.
#[derive(Default)]
pub(super) struct Outputs {
    transmits: VecDeque<Up>,
    events: VecDeque<Event>,
    reconnect: bool,
    ended: bool,
    malformed: Malformed,
}

impl Outputs {
    pub(super) fn transmit(&mut self, message: Up) {
        self.transmits.push_back(message);
    }

    pub(super) fn event(&mut self, event: Event) {
        self.events.push_back(event);
    }

    pub(super) fn notice(&mut self, notice: Notice) {
        self.event(Event::Notice(notice));
    }

    /// Queues who has left and who has joined.
    pub(super) fn members_changed(&mut self, left: &[Departure], joined: &[ParticipantId]) {
        for Departure { id, removed, .. } in left {
            self.event(Event::Left { id: *id, removed: *removed });
        }
        for id in joined {
            self.event(Event::Joined(*id));
        }
    }

    /// Counts a message of `from` that this client cannot read.
    pub(super) fn malformed(&mut self, from: ParticipantId, now: Instant) {
        if let Some(messages) = self.malformed.count(from, now) {
            self.event(Event::Malformed { from, messages });
        }
    }

    /// Queues [`Event::Ended`], once.
    pub(super) fn end(&mut self, reason: Reason) {
        if !mem::replace(&mut self.ended, true) {
            self.event(Event::Ended(reason));
        }
    }

    /// Requests a new connection, after the queued messages were sent on the old one.
    pub(super) fn reconnect(&mut self) {
        self.reconnect = true;
    }

    /// Drops the queued messages, because the connection is lost.
    pub(super) fn drop_transmits(&mut self) {
        self.transmits.clear();
    }

    pub(super) fn poll_reconnect(&mut self) -> bool {
        mem::take(&mut self.reconnect)
    }

    pub(super) fn poll_transmit(&mut self) -> Option<Up> {
        self.transmits.pop_front()
    }

    pub(super) fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }
}
