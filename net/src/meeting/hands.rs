//! Raised hands, in the order in which they were raised.
//!
//! The order is that of the server's log, in which all members see the messages. So each message counts when it comes back
//! in the log, also to its author. A hand that stays up while somebody joins is announced again, with its position. Only
//! those who joined after that position believe it, once, and only of a member who was there before them: nobody gets ahead
//! of hands that others saw before its own.

use super::event::Event;
use super::group_log::GroupLog;
use super::moderation_message::HandMessage;
use super::outputs::Outputs;
use super::roster::{self, Roster};
use super::state;
use crypto::DeviceKey;
use proto::{Blob, ParticipantId, Position, Rights, Up};
use std::collections::{BTreeSet, VecDeque};

/// The queue of hands, and this client's messages about it.
pub(super) struct Hands {
    /// In the order of the positions.
    queue: Vec<Hand>,
    /// Hands of members who left, the newest last. They have their place again if they come back.
    left: VecDeque<(DeviceKey, Position)>,
    /// Where this client joined.
    entered: Position,
    /// The members at that time of whom nothing has been heard since.
    unknown: BTreeSet<ParticipantId>,
    /// True if the user wants the own hand to be up.
    wanted: bool,
    /// Messages to send, oldest first.
    unsent: VecDeque<HandMessage>,
    /// Messages that were sent and are not in the log yet. They are recognised by their bytes, because MLS opens no own
    /// message.
    sent: VecDeque<(Blob, HandMessage)>,
    /// True while the connection was lost, and the entries of the log from before have not arrived yet.
    is_catching_up: bool,
}

#[derive(Clone, Copy)]
struct Hand {
    id: ParticipantId,
    device: DeviceKey,
    position: Position,
}

impl Hands {
    pub(super) fn new(entered: Position, roster: &Roster) -> Self {
        Self {
            queue: Vec::new(),
            left: VecDeque::new(),
            entered,
            unknown: roster.list().into_iter().map(|person| person.id).collect(),
            wanted: false,
            unsent: VecDeque::new(),
            sent: VecDeque::new(),
            is_catching_up: false,
        }
    }

    /// Raises the own hand again after this client entered the group again. The others remember the place of its device.
    pub(super) fn raise_again(&mut self, before: &Self, me_before: ParticipantId) {
        self.wanted = before.wanted;
        if self.wanted {
            let since = before.position(me_before);
            self.push(HandMessage::Raise { since });
        }
    }

    /// Raises or lowers the own hand.
    pub(super) fn raise(&mut self, up: bool) {
        if std::mem::replace(&mut self.wanted, up) != up {
            self.push(if up { HandMessage::Raise { since: None } } else { HandMessage::Lower });
        }
    }

    /// Lowers the hand of a member, or all hands. The caller checks that this client may do so.
    pub(super) fn lower(&mut self, participant: Option<ParticipantId>) {
        self.push(participant.map_or(HandMessage::LowerAll, |participant| HandMessage::LowerOf { participant }));
    }

    fn push(&mut self, message: HandMessage) {
        // A user does not press a button so often in a round trip.
        if self.unsent.len() < MAX_WAITING {
            self.unsent.push_back(message);
        }
    }

    /// Returns the people whose hands are up, in order.
    pub(super) fn order(&self) -> Vec<ParticipantId> {
        self.queue.iter().map(|hand| hand.id).collect()
    }

    fn position(&self, id: ParticipantId) -> Option<Position> {
        self.queue.iter().find(|hand| hand.id == id).map(|hand| hand.position)
    }

    /// Sends what waits. While a commit is pending, MLS cannot encrypt. Then the next call tries again.
    pub(super) fn send(&mut self, log: &mut GroupLog, outputs: &mut Outputs) {
        while let Some(message) = self.unsent.front().copied().filter(|_| !self.is_catching_up) {
            let Some(sealed) = log.seal(&state::Message::Hands(message)) else { return };
            if let Up::Tell { blob, .. } = &sealed {
                self.sent.push_back((blob.clone(), message));
            }
            self.unsent.pop_front();
            outputs.transmit(sealed);
        }
    }

    /// Handles the end of the connection. The server sends the messages again that it has got.
    pub(super) fn handle_lost_connection(&mut self) {
        self.is_catching_up = true;
    }

    /// Handles that all entries from before the connection was resumed have arrived: the messages that were not among them
    /// are lost, and are sent again.
    pub(super) fn handle_caught_up(&mut self) {
        if std::mem::take(&mut self.is_catching_up) {
            for (_, message) in self.sent.drain(..).rev() {
                self.unsent.push_front(message);
            }
        }
    }

    /// Handles this client's own message in the log. `is_old` is true if it was sealed before the last commit: those who joined
    /// with it cannot read it.
    pub(super) fn handle_own(
        &mut self,
        blob: &Blob,
        is_old: bool,
        position: Position,
        roster: &Roster,
        outputs: &mut Outputs,
    ) {
        let Some(at) = self.sent.iter().position(|(sent, _)| sent == blob) else { return };
        let Some((_, message)) = self.sent.remove(at) else { return };
        let before = self.order();
        self.handle_message(roster.me(), message, position, roster, outputs);
        let (own, manages) = (self.position(roster.me()), roster.own().0.is_manager());
        match message {
            HandMessage::Raise { .. } if is_old && own.is_some() => self.push(HandMessage::Raise { since: own }),
            HandMessage::Lower if is_old && own.is_none() => self.push(HandMessage::Lower),
            // Some may have deleted the secrets of its epoch, also those whose hands are meant.
            HandMessage::LowerOf { participant } if is_old && manages && self.position(participant).is_none() => {
                self.push(message);
            }
            HandMessage::LowerAll if is_old => {
                let lowered = before.into_iter().filter(|id| *id != roster.me() && self.position(*id).is_none());
                for participant in lowered.collect::<Vec<_>>() {
                    self.push(HandMessage::LowerOf { participant });
                }
            }
            HandMessage::Raise { .. } | HandMessage::Lower | HandMessage::LowerOf { .. } | HandMessage::LowerAll => {}
        }
        // It was lowered while it was announced to those who joined.
        if own.is_some() && !self.wanted && self.sent.is_empty() && self.unsent.is_empty() {
            self.push(HandMessage::Lower);
        }
    }

    /// Handles a message in the log. One whose author has no right to it changes nothing.
    pub(super) fn handle_message(
        &mut self,
        author: ParticipantId,
        message: HandMessage,
        position: Position,
        roster: &Roster,
        outputs: &mut Outputs,
    ) {
        let before = self.order();
        match message {
            HandMessage::Raise { since } => self.add(author, since, position, roster),
            HandMessage::Lower => self.queue.retain(|hand| hand.id != author),
            HandMessage::LowerOf { participant } if roster::may_lower_hand(roster, author, participant) => {
                self.queue.retain(|hand| hand.id != participant);
            }
            HandMessage::LowerAll => self.queue.retain(|hand| !roster::may_lower_hand(roster, author, hand.id)),
            HandMessage::LowerOf { .. } => {}
        }
        self.unknown.remove(&author);
        let me = roster.me();
        if message != HandMessage::Lower && before.contains(&me) && self.position(me).is_none() {
            self.wanted = false;
            if author != me {
                outputs.event(Event::HandLowered { by: author });
            }
            // Those who joined meanwhile may not be able to read the manager's message.
            self.push(HandMessage::Lower);
        }
        self.report(&before, outputs);
    }

    fn add(&mut self, id: ParticipantId, since: Option<Position>, now: Position, roster: &Roster) {
        let Some(member) = roster::member(roster, id) else { return };
        if self.position(id).is_some() || !member.rights.contains(Rights::REACT) {
            return;
        }
        let device = member.device;
        let is_news = self.unknown.contains(&id);
        let is_known = |claim: &Position| (is_news && *claim < self.entered) || self.left.contains(&(device, *claim));
        let position = since.filter(is_known).unwrap_or(now);
        self.left.retain(|(other, _)| *other != device);
        let at = self.queue.partition_point(|hand| (hand.position, hand.id) < (position, id));
        self.queue.insert(at, Hand { id, device, position });
    }

    /// Handles a new epoch: hands of those who left, or who may not raise one any more, are down. `joined` is true if somebody
    /// joined, who does not know the own hand.
    pub(super) fn handle_group_change(&mut self, roster: &Roster, joined: bool, outputs: &mut Outputs) {
        let before = self.order();
        let Self { queue, left, .. } = self;
        queue.retain(|hand| {
            let member = roster::member(roster, hand.id);
            if member.is_none() {
                if left.len() == MAX_LEFT {
                    left.pop_front();
                }
                left.push_back((hand.device, hand.position));
            }
            member.is_some_and(|member| member.rights.contains(Rights::REACT))
        });
        if joined && let Some(since) = self.position(roster.me()) {
            self.push(HandMessage::Raise { since: Some(since) });
        }
        self.wanted &= self.position(roster.me()).is_some() || !before.contains(&roster.me());
        self.report(&before, outputs);
    }

    fn report(&self, before: &[ParticipantId], outputs: &mut Outputs) {
        let order = self.order();
        if order != before {
            outputs.event(Event::Hands(order));
        }
    }
}

/// This client's messages that wait to be sent.
const MAX_WAITING: usize = 64;

/// The hands of former members that are remembered.
const MAX_LEFT: usize = 64;
