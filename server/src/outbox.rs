//! The messages that wait to be sent to one connection: bounded in count and bytes. Adding one never waits.
//!
//! A client that stops reading fills its own outbox. Then its connection ends; others are not affected.

use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{Notify, mpsc};

/// The sending end. Clones add to the same queue.
#[derive(Clone, Debug)]
pub struct Outbox {
    sender: mpsc::Sender<Item>,
    shared: Arc<Shared>,
}

/// The receiving end, for the task that writes to the connection.
#[derive(Debug)]
pub struct Outgoing {
    receiver: mpsc::Receiver<Item>,
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

#[derive(Debug)]
struct Shared {
    waiting_bytes: AtomicUsize,
    max_bytes: usize,
    overflow: Notify,
}

/// Returns both ends of a queue of at most `messages` messages with at most `bytes` bytes together.
pub fn outbox(messages: usize, bytes: usize) -> (Outbox, Outgoing) {
    let (sender, receiver) = mpsc::channel(messages);
    let shared = Arc::new(Shared { waiting_bytes: AtomicUsize::new(0), max_bytes: bytes, overflow: Notify::new() });
    (Outbox { sender, shared: shared.clone() }, Outgoing { receiver, shared })
}

impl Outbox {
    /// Adds a message. If there is no room, the message is dropped and the connection ends. The byte count is not
    /// corrected after that, because nothing uses the queue any more.
    pub fn send(&self, message: Bytes) {
        let length = message.len();
        let waiting = self.shared.waiting_bytes.fetch_add(length, Ordering::Relaxed);
        if waiting.saturating_add(length) > self.shared.max_bytes {
            self.shared.overflow.notify_one();
        } else {
            self.push(Item::Message(message));
        }
    }

    /// Closes the connection after the messages that were added before.
    pub fn close(&self) {
        self.push(Item::Close);
    }

    fn push(&self, item: Item) {
        if let Err(mpsc::error::TrySendError::Full(_)) = self.sender.try_send(item) {
            self.shared.overflow.notify_one();
        }
    }
}

impl Outgoing {
    /// Waits for the next item. Returns `None` if all sending ends are dropped.
    pub async fn next(&mut self) -> Option<Item> {
        let item = self.receiver.recv().await?;
        if let Item::Message(message) = &item {
            self.shared.waiting_bytes.fetch_sub(message.len(), Ordering::Relaxed);
        }
        Some(item)
    }

    /// Resolves when a message was dropped because the queue was full.
    pub fn overflow(&self) -> impl Future<Output = ()> + use<> {
        let shared = self.shared.clone();
        async move { shared.overflow.notified().await }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[test]
    fn messages_are_received_in_order() {
        let (outbox, mut outgoing) = outbox(4, 100);
        outbox.send(Bytes::from_static(b"one"));
        outbox.close();
        assert_eq!(outgoing.next().now_or_never(), Some(Some(Item::Message(Bytes::from_static(b"one")))));
        assert_eq!(outgoing.next().now_or_never(), Some(Some(Item::Close)));
        assert_eq!(outgoing.overflow().now_or_never(), None);
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
}
