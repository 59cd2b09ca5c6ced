//! Messages of this client on their way into the meeting's log. One is on its way at a time, so that they arrive in their
//! order.
//!
//! A message counts only if it is encrypted in the epoch that is in force at its position in the log. Otherwise some members
//! might not be able to read it any more, so all skip it, and its author sends it again. After the connection was lost, a
//! message that is not among the entries that the server sends again is sent again. Receivers recognise a repetition by the
//! id of the line.

use super::limits::Pace;
use super::line::LineId;
use super::message::{ChatMessage, PrivateMessage};
use crypto::DeviceKey;
use proto::{Blob, ParticipantId};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A message to send.
#[derive(Clone, Debug)]
pub struct Item {
    pub message: Outgoing,
    /// The line that it is about. `None` for messages that the user does not see.
    pub line: Option<LineId>,
    /// When it was queued.
    pub since: Instant,
}

/// A message, and who may read it.
#[derive(Clone, Debug)]
pub enum Outgoing {
    All(ChatMessage),
    One { to: DeviceKey, message: PrivateMessage },
}

impl Outgoing {
    /// Returns whom it answers. Empty if it is no part of an answer.
    fn answered(&self) -> &[ParticipantId] {
        match self {
            Self::All(ChatMessage::History { to, .. } | ChatMessage::OpenVote { to, .. }) => to,
            Self::All(_) | Self::One { .. } => &[],
        }
    }

    /// Returns true for a new line, and for a newer revision of one.
    pub fn is_line(&self) -> bool {
        match self {
            Self::All(message) => matches!(message, ChatMessage::Line(_) | ChatMessage::Vote(_)),
            Self::One { message, .. } => matches!(message, PrivateMessage::Line { .. }),
        }
    }
}

/// The queue.
pub struct Outbox {
    waiting: VecDeque<Item>,
    /// The parts of one answer to those who come late. They go after everything else, so that they delay no line of the
    /// user.
    answers: VecDeque<Item>,
    in_flight: Option<(Item, Blob)>,
    pace: Pace,
    /// True after the connection was lost, until all entries from before have arrived.
    is_interrupted: bool,
    /// True if the message on its way was sent on a connection before.
    is_unconfirmed: bool,
    /// When the next message may be sent, if the pace delays it.
    pub delayed_until: Option<Instant>,
}

impl Default for Outbox {
    fn default() -> Self {
        let pace = Pace::sending();
        Self {
            waiting: VecDeque::new(),
            answers: VecDeque::new(),
            in_flight: None,
            pace,
            is_interrupted: false,
            is_unconfirmed: false,
            delayed_until: None,
        }
    }
}

impl Outbox {
    /// Queues a message. Returns it if too many wait.
    pub fn push(&mut self, item: Item) -> Option<Item> {
        if self.waiting.len() >= MAX_WAITING {
            return Some(item);
        }
        self.waiting.push_back(item);
        None
    }

    /// Queues a message that the user does not see, before all others.
    pub fn push_first(&mut self, message: ChatMessage, now: Instant) {
        if self.waiting.len() < 2 * MAX_WAITING {
            self.waiting.push_front(Item { message: Outgoing::All(message), line: None, since: now });
        }
    }

    /// Queues the parts of an answer, after all others.
    pub fn answer(&mut self, parts: Vec<ChatMessage>, now: Instant) {
        let item = |part| Item { message: Outgoing::All(part), line: None, since: now };
        self.answers.extend(parts.into_iter().map(item));
    }

    /// Returns true while a part of an answer waits.
    pub fn is_answering(&self) -> bool {
        !self.answers.is_empty()
    }

    /// Drops answers to those who have left.
    pub fn handle_group_change(&mut self, is_member: impl Fn(ParticipantId) -> bool) {
        self.answers.retain(|item| item.message.answered().iter().any(|id| is_member(*id)));
    }

    /// Takes the first message for which `may_go` returns true, unless one is on its way.
    pub fn take(&mut self, mut may_go: impl FnMut(&Item) -> bool) -> Option<Item> {
        self.delayed_until = None;
        if self.in_flight.is_some() {
            return None;
        }
        let at = self.waiting.iter().position(&mut may_go);
        at.and_then(|at| self.waiting.remove(at)).or_else(|| self.answers.pop_front())
    }

    /// Returns a message that could not be sent to its place.
    pub fn put_back(&mut self, item: Item) {
        let queue = if item.message.answered().is_empty() { &mut self.waiting } else { &mut self.answers };
        queue.push_front(item);
    }

    /// Returns true if the pace delays a message of `length` bytes.
    pub fn is_delayed(&mut self, length: usize, now: Instant) -> bool {
        self.delayed_until = self.pace.ready_at(length, now);
        self.delayed_until.is_some()
    }

    /// A message of `length` bytes was sent.
    pub fn handle_sent(&mut self, mut item: Item, blob: Blob, length: usize, now: Instant) {
        self.pace.take(length, now);
        if !item.message.answered().is_empty() {
            // It may have waited for long.
            item.since = now;
        }
        self.is_unconfirmed = false;
        self.in_flight = Some((item, blob));
    }

    /// Handles an entry of the log. `None` if it is not the message that is on its way.
    pub fn handle_entry(&mut self, blob: &Blob) -> Option<Item> {
        self.in_flight.take_if(|(_, sent)| sent == blob).map(|(item, _)| item)
    }

    /// Handles the end of the connection.
    pub fn handle_lost_connection(&mut self) {
        self.is_interrupted = true;
        self.is_unconfirmed = self.in_flight.is_some();
    }

    /// Handles that all entries from before have arrived after the connection was lost.
    pub fn handle_caught_up(&mut self, now: Instant) {
        if std::mem::take(&mut self.is_interrupted) {
            if self.is_unconfirmed {
                self.repeat(now);
            }
            self.waiting.iter_mut().for_each(|item| item.since = now);
        }
    }

    /// Sends the message on its way again: it may be among entries that this client does not get. The time for all messages
    /// begins again.
    pub fn repeat(&mut self, now: Instant) {
        self.is_unconfirmed = false;
        if let Some((item, _)) = self.in_flight.take() {
            self.put_back(item);
        }
        self.waiting.iter_mut().for_each(|item| item.since = now);
    }

    /// Drops what is about a line, because it is in the log.
    pub fn drop_new_line(&mut self, line: LineId) {
        let is_new = |item: &Item| item.line == Some(line) && item.message.is_line();
        self.waiting.retain(|item| !is_new(item));
        self.in_flight.take_if(|(item, _)| is_new(item));
    }

    /// Takes the messages that have not been sent for too long.
    pub fn take_expired(&mut self, now: Instant) -> Vec<Item> {
        let is_expired = |item: &Item| item.since + SEND_TIMEOUT <= now;
        let in_flight = self.in_flight.take_if(|(item, _)| is_expired(item)).map(|(item, _)| item);
        let mut expired: Vec<_> = in_flight.into_iter().collect();
        self.waiting.retain(|item| {
            let keep = !is_expired(item);
            expired.extend((!keep).then(|| item.clone()));
            keep
        });
        expired
    }

    /// Returns when [`Self::take_expired`] has something to do.
    pub fn deadline(&self) -> Option<Instant> {
        let in_flight = self.in_flight.iter().map(|(item, _)| item);
        let first = self.waiting.iter().chain(in_flight).map(|item| item.since).min();
        first.map(|since| since + SEND_TIMEOUT)
    }
}

/// How long a message may take to get into the log before it counts as not sent.
pub const SEND_TIMEOUT: Duration = Duration::from_mins(1);

/// Messages that wait at the same time.
const MAX_WAITING: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crypto::DeviceKey;

    fn delete(counter: u64, since: Instant) -> Item {
        let line = LineId { device: DeviceKey([1; 32]), counter };
        Item { message: Outgoing::All(ChatMessage::Delete(line.into())), line: Some(line), since }
    }

    fn counter(item: Option<Item>) -> Option<u64> {
        item.and_then(|item| item.line).map(|line| line.counter)
    }

    #[test]
    fn an_answer_to_those_who_come_late_delays_no_message_of_the_user_and_does_not_expire() {
        let (start, mut outbox) = (Instant::now(), Outbox::default());
        let part = ChatMessage::History { to: vec![ParticipantId(7)], lines: Vec::new(), last: true };
        outbox.answer(vec![part; 3], start);
        assert!(outbox.push(delete(1, start)).is_none());
        assert_eq!(counter(outbox.take(|_| true)), Some(1));
        let answer = outbox.take(|_| true).expect("nothing else waits");
        // The pace delays it. Then the user writes.
        outbox.put_back(answer);
        outbox.push(delete(2, start));
        assert_eq!(counter(outbox.take(|_| true)), Some(2));
        let answer = outbox.take(|_| true).expect("nothing else waits");
        let later = start + 2 * SEND_TIMEOUT;
        outbox.handle_sent(answer, Blob(vec![1]), 64, later);
        assert!(outbox.take_expired(later).is_empty() && outbox.is_answering());
        assert!(outbox.handle_entry(&Blob(vec![1])).is_some());
        outbox.handle_group_change(|id| id != ParticipantId(7));
        assert!(outbox.take(|_| true).is_none() && !outbox.is_answering(), "it has left");
    }
}
