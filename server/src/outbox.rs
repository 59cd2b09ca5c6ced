//! What waits for one connection: bounded in messages and bytes. Whoever puts something in never waits.
//!
//! A client that stops reading fills its own box; then it is dropped, and nobody else has noticed.

use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{Notify, mpsc};

/// The way into a box. Clones lead into the same one.
#[derive(Clone, Debug)]
pub struct Outbox {
    sender: mpsc::Sender<Item>,
    shared: Arc<Shared>,
}

/// The way out of a box: its connection's writer has it.
#[derive(Debug)]
pub struct Outgoing {
    receiver: mpsc::Receiver<Item>,
    shared: Arc<Shared>,
}

/// What the writer finds.
#[derive(Debug, PartialEq, Eq)]
pub enum Item {
    /// One message.
    Message(Bytes),
    /// Nothing follows: close.
    End,
}

#[derive(Debug)]
struct Shared {
    waiting: AtomicUsize,
    most: usize,
    overflow: Notify,
}

/// A box for at most `messages` messages of `bytes` bytes together.
pub fn outbox(messages: usize, bytes: usize) -> (Outbox, Outgoing) {
    let (sender, receiver) = mpsc::channel(messages);
    let shared = Arc::new(Shared { waiting: AtomicUsize::new(0), most: bytes, overflow: Notify::new() });
    (Outbox { sender, shared: shared.clone() }, Outgoing { receiver, shared })
}

impl Outbox {
    /// Puts a message in. A full box is given up: its connection ends.
    pub fn say(&self, message: Bytes) {
        let length = message.len();
        let waiting = self.shared.waiting.fetch_add(length, Ordering::Relaxed);
        if waiting.saturating_add(length) > self.shared.most {
            self.shared.overflow.notify_one();
        } else {
            self.put(Item::Message(message));
        }
    }

    /// Puts in that nothing follows.
    pub fn finish(&self) {
        self.put(Item::End);
    }

    fn put(&self, item: Item) {
        if let Err(mpsc::error::TrySendError::Full(_)) = self.sender.try_send(item) {
            self.shared.overflow.notify_one();
        }
    }
}

impl Outgoing {
    /// Waits for the next item; none when every way in is gone.
    pub async fn next(&mut self) -> Option<Item> {
        let item = self.receiver.recv().await?;
        if let Item::Message(message) = &item {
            self.shared.waiting.fetch_sub(message.len(), Ordering::Relaxed);
        }
        Some(item)
    }

    /// Waits until somebody found the box full.
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
    fn messages_come_out_as_they_went_in() {
        let (outbox, mut outgoing) = outbox(4, 100);
        outbox.say(Bytes::from_static(b"one"));
        outbox.finish();
        assert_eq!(outgoing.next().now_or_never(), Some(Some(Item::Message(Bytes::from_static(b"one")))));
        assert_eq!(outgoing.next().now_or_never(), Some(Some(Item::End)));
        assert_eq!(outgoing.overflow().now_or_never(), None);
    }

    #[test]
    fn too_many_messages_or_bytes_give_the_box_up() {
        let (few, outgoing) = outbox(1, 100);
        few.say(Bytes::from_static(b"one"));
        few.say(Bytes::from_static(b"two"));
        assert_eq!(outgoing.overflow().now_or_never(), Some(()));
        let (small, outgoing) = outbox(10, 5);
        small.say(Bytes::from_static(b"three"));
        assert_eq!(outgoing.overflow().now_or_never(), None);
        small.say(Bytes::from_static(b"!"));
        assert_eq!(outgoing.overflow().now_or_never(), Some(()));
    }
}
