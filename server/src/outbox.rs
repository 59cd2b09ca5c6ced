//! The messages that wait to be sent to one connection: bounded in count and bytes. Adding one never waits.
//!
//! A client that stops reading fills its own outbox. Then its connection ends; others are not affected. Application
//! messages of other members cannot fill it: each sender has a share, and all together have half of it. Further
//! messages are dropped, and a [`Down::Skipped`] replaces them.

use crate::Origin;
use bytes::Bytes;
use proto::{Down, ParticipantId, Position};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, mpsc};

/// The sending end. Clones add to the same queue.
#[derive(Clone, Debug)]
pub struct Outbox {
    /// The address of this machine to which the client connected; `None` if it is unknown.
    pub arrived_at: Option<IpAddr>,
    /// The address that the client comes from; `None` if it is unknown.
    pub origin: Option<Origin>,
    sender: mpsc::Sender<Queued>,
    shared: Arc<Shared>,
}

/// The receiving end, for the task that writes to the connection.
#[derive(Debug)]
pub struct Outgoing {
    receiver: mpsc::Receiver<Queued>,
    shared: Arc<Shared>,
}

/// What the writer receives.
#[derive(Debug, PartialEq, Eq)]
pub enum Item {
    /// An encoded message.
    Message(Bytes),
    /// Close the connection: nothing follows.
    Close,
}

/// An item, with its sender if it is an application message.
#[derive(Debug)]
struct Queued {
    item: Item,
    teller: Option<ParticipantId>,
}

#[derive(Debug)]
struct Shared {
    waiting_bytes: AtomicUsize,
    max: QueueLoad,
    overflow: Notify,
    disconnected: Notify,
    tells: Mutex<Tells>,
}

/// The application messages in the queue.
#[derive(Debug, Default)]
struct Tells {
    by_sender: HashMap<ParticipantId, QueueLoad>,
    total: QueueLoad,
    /// The entries that were dropped since the last message was added: the first one, and how many.
    skipped: Option<(Position, u64)>,
}

/// A number of messages, and the sum of their bytes.
#[derive(Clone, Copy, Debug, Default)]
struct QueueLoad {
    messages: usize,
    bytes: usize,
}

impl QueueLoad {
    fn add(&mut self, bytes: usize) {
        self.messages += 1;
        self.bytes += bytes;
    }

    fn subtract(&mut self, bytes: usize) {
        self.messages = self.messages.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    /// Returns whether another message of `bytes` fits into a fraction of `max`.
    fn has_room(self, bytes: usize, max: Self, fraction: usize) -> bool {
        self.messages < max.messages.div_ceil(fraction) && self.bytes.saturating_add(bytes) <= max.bytes / fraction
    }
}

/// Returns both ends of a queue of at most `messages` messages with at most `bytes` bytes together.
pub fn outbox(messages: usize, bytes: usize) -> (Outbox, Outgoing) {
    let (sender, receiver) = mpsc::channel(messages);
    let shared = Arc::new(Shared {
        waiting_bytes: AtomicUsize::new(0),
        max: QueueLoad { messages, bytes },
        overflow: Notify::new(),
        disconnected: Notify::new(),
        tells: Mutex::default(),
    });
    (Outbox { arrived_at: None, origin: None, sender, shared: shared.clone() }, Outgoing { receiver, shared })
}

impl Outbox {
    /// Adds a message. If there is no room, the message is dropped and the connection ends. The byte count is not
    /// corrected after that, because nothing uses the queue any more.
    pub fn send(&self, message: Bytes) {
        let mut tells = self.shared.tells();
        self.push_skipped(&mut tells);
        self.push(Item::Message(message), None);
    }

    /// Adds an application message of `from` that is at `position` in the log. If `from` has used its share, or all
    /// senders have used theirs, the message is dropped, and the client is told that it was skipped.
    pub fn tell(&self, from: ParticipantId, position: Position, message: Bytes) {
        let (mut tells, length, max) = (self.shared.tells(), message.len(), self.shared.max);
        let load = tells.by_sender.get(&from).copied().unwrap_or_default();
        if !load.has_room(length, max, SENDER_SHARE) || !tells.total.has_room(length, max, TELL_SHARE) {
            // Every message that is added ends the skipped entries before it, so they have no gap.
            tells.skipped.get_or_insert((position, 0)).1 += 1;
            return;
        }
        self.push_skipped(&mut tells);
        tells.by_sender.entry(from).or_default().add(length);
        tells.total.add(length);
        self.push(Item::Message(message), Some(from));
    }

    /// Adds a message of `from` that is not in the log. Drops it if half of the share of `from`, or of all senders, is used: the rest
    /// is for messages in the log.
    pub fn offer(&self, from: ParticipantId, message: Bytes) {
        let (mut tells, length, max) = (self.shared.tells(), message.len(), self.shared.max);
        let load = tells.by_sender.get(&from).copied().unwrap_or_default();
        if load.has_room(length, max, 2 * SENDER_SHARE) && tells.total.has_room(length, max, 2 * TELL_SHARE) {
            tells.by_sender.entry(from).or_default().add(length);
            tells.total.add(length);
            self.push(Item::Message(message), Some(from));
        }
    }

    /// Closes the connection after the messages that were added before.
    pub fn close(&self) {
        self.push(Item::Close, None);
    }

    /// Drops the connection at once, as if the network had failed. Queued messages are lost. The client may resume.
    pub fn disconnect(&self) {
        self.shared.disconnected.notify_one();
    }

    fn push_skipped(&self, tells: &mut Tells) {
        if let Some(message) = tells.take_skipped() {
            self.push(Item::Message(message), None);
        }
    }

    fn push(&self, item: Item, teller: Option<ParticipantId>) {
        if let Item::Message(message) = &item {
            let waiting = self.shared.waiting_bytes.fetch_add(message.len(), Ordering::Relaxed);
            if waiting.saturating_add(message.len()) > self.shared.max.bytes {
                return self.shared.overflow.notify_one();
            }
        }
        if let Err(mpsc::error::TrySendError::Full(_)) = self.sender.try_send(Queued { item, teller }) {
            self.shared.overflow.notify_one();
        }
    }
}

impl Outgoing {
    /// Waits for the next item. Returns `None` if all sending ends are dropped.
    pub async fn next(&mut self) -> Option<Item> {
        let queued = match self.receiver.try_recv() {
            Ok(queued) => queued,
            Err(mpsc::error::TryRecvError::Disconnected) => return None,
            Err(mpsc::error::TryRecvError::Empty) => {
                if let Some(message) = self.shared.tells().take_skipped() {
                    return Some(Item::Message(message));
                }
                self.receiver.recv().await?
            }
        };
        if let Item::Message(message) = &queued.item {
            self.shared.waiting_bytes.fetch_sub(message.len(), Ordering::Relaxed);
            if let Some(from) = queued.teller {
                self.shared.tells().subtract(from, message.len());
            }
        }
        Some(queued.item)
    }

    /// Resolves when a message was dropped because the queue was full.
    pub fn overflow(&self) -> impl Future<Output = ()> + use<> {
        let shared = self.shared.clone();
        async move { shared.overflow.notified().await }
    }

    /// Resolves after [`Outbox::disconnect`].
    pub fn disconnected(&self) -> impl Future<Output = ()> + use<> {
        let shared = self.shared.clone();
        async move { shared.disconnected.notified().await }
    }
}

impl Shared {
    fn tells(&self) -> MutexGuard<'_, Tells> {
        self.tells.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tells {
    fn take_skipped(&mut self) -> Option<Bytes> {
        let (position, count) = self.skipped.take()?;
        Some(proto::encode(&Down::Skipped { position, count }).into())
    }

    fn subtract(&mut self, from: ParticipantId, bytes: usize) {
        self.total.subtract(bytes);
        if let Some(load) = self.by_sender.get_mut(&from) {
            load.subtract(bytes);
            if load.messages == 0 {
                self.by_sender.remove(&from);
            }
        }
    }
}

/// One sender of application messages may use this fraction of a queue: 1/32.
const SENDER_SHARE: usize = 32;

/// All senders of application messages together may use this fraction of a queue: 1/2.
const TELL_SHARE: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    const ANNA: ParticipantId = ParticipantId(1);
    const BEN: ParticipantId = ParticipantId(2);

    fn next(outgoing: &mut Outgoing) -> Option<Bytes> {
        match outgoing.next().now_or_never() {
            Some(Some(Item::Message(message))) => Some(message),
            Some(Some(Item::Close) | None) | None => None,
        }
    }

    fn skipped(position: u64, count: u64) -> Bytes {
        proto::encode(&Down::Skipped { position: Position(position), count }).into()
    }

    #[test]
    fn messages_are_received_in_order() {
        let (outbox, mut outgoing) = outbox(4, 100);
        outbox.send(Bytes::from_static(b"one"));
        outbox.close();
        assert_eq!(outgoing.next().now_or_never(), Some(Some(Item::Message(Bytes::from_static(b"one")))));
        assert_eq!(outgoing.next().now_or_never(), Some(Some(Item::Close)));
        assert_eq!(outgoing.overflow().now_or_never(), None);
        assert_eq!(outgoing.disconnected().now_or_never(), None);
        outbox.disconnect();
        assert_eq!(outgoing.disconnected().now_or_never(), Some(()));
    }

    #[test]
    fn too_many_messages_or_bytes_overflow() {
        let (few, outgoing) = outbox(1, 100);
        few.send(Bytes::from_static(b"one"));
        few.send(Bytes::from_static(b"two"));
        assert_eq!(outgoing.overflow().now_or_never(), Some(()));
        let (small, outgoing) = outbox(10, 5);
        small.send(Bytes::from_static(b"three"));
        assert_eq!(outgoing.overflow().now_or_never(), None);
        small.send(Bytes::from_static(b"!"));
        assert_eq!(outgoing.overflow().now_or_never(), Some(()));
    }

    #[test]
    fn a_flood_of_application_messages_never_ends_a_slow_connection() {
        let (outbox, mut outgoing) = outbox(64, 64_000);
        let message = Bytes::from(vec![0; 100]);
        // One sender may have two messages in this queue.
        (0..1_000).for_each(|position| outbox.tell(ANNA, Position(position), message.clone()));
        outbox.tell(BEN, Position(1_000), Bytes::from_static(b"ben"));
        outbox.send(Bytes::from_static(b"commit"));
        assert_eq!(outgoing.overflow().now_or_never(), None);
        let received: Vec<Bytes> = std::iter::from_fn(|| next(&mut outgoing)).collect();
        let (ben, commit) = (Bytes::from_static(b"ben"), Bytes::from_static(b"commit"));
        assert_eq!(received, [message.clone(), message.clone(), skipped(2, 998), ben, commit]);
        outbox.tell(ANNA, Position(1_002), message.clone());
        assert_eq!(next(&mut outgoing), Some(message), "what was sent is free again");
    }

    #[test]
    fn a_flood_of_many_senders_leaves_half_of_the_queue() {
        let (outbox, mut outgoing) = outbox(64, 64_000);
        let message = Bytes::from(vec![0; 10]);
        (0..1_000).for_each(|id| outbox.tell(ParticipantId(id), Position(id), message.clone()));
        (0..31).for_each(|_| outbox.send(Bytes::from_static(b"commit")));
        assert_eq!(outgoing.overflow().now_or_never(), None);
        let received = std::iter::from_fn(|| next(&mut outgoing)).count();
        assert_eq!(received, 32 + 1 + 31);
    }

    #[test]
    fn messages_outside_the_log_are_dropped_without_a_word_and_leave_room_for_those_in_the_log() {
        let (outbox, mut outgoing) = outbox(64, 64_000);
        let message = Bytes::from(vec![0; 100]);
        (0..1_000).for_each(|_| outbox.offer(ANNA, message.clone()));
        outbox.tell(ANNA, Position(0), message.clone());
        outbox.offer(BEN, Bytes::from_static(b"ben"));
        assert_eq!(outgoing.overflow().now_or_never(), None);
        let received: Vec<Bytes> = std::iter::from_fn(|| next(&mut outgoing)).collect();
        assert_eq!(received, [message.clone(), message, Bytes::from_static(b"ben")]);
    }

    #[test]
    fn skipped_messages_are_reported_although_nothing_follows() {
        let (outbox, mut outgoing) = outbox(32, 32_000);
        let message = Bytes::from_static(b"anna");
        (0..3).for_each(|position| outbox.tell(ANNA, Position(position), message.clone()));
        assert_eq!(std::iter::from_fn(|| next(&mut outgoing)).collect::<Vec<_>>(), [message, skipped(1, 2)]);
    }
}
