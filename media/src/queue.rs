//! A queue bounded in bytes, for encoded media.

use crate::Notify;
use crate::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::collections::VecDeque;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

/// The size of an item, which counts towards a queue's limit.
pub trait ByteSize {
    /// Returns the item's size in bytes.
    fn byte_size(&self) -> usize;
}

/// Returns both ends of a queue of at most `limit` bytes and 4,096 items. An empty queue accepts an item of any size.
#[must_use]
pub fn bounded<T: ByteSize>(limit: usize) -> (Sender<T>, Receiver<T>) {
    let state = State { items: VecDeque::new(), bytes: 0, senders: 1, receiving: true, notify: None };
    let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new(), limit });
    (Sender { shared: Arc::clone(&shared) }, Receiver { shared })
}

/// The error that the queue is full or its receiver was dropped. Contains the item.
#[derive(Debug, PartialEq, Eq)]
pub struct Full<T>(pub T);

/// The sending end. Clones share the queue.
pub struct Sender<T: ByteSize> {
    shared: Arc<Shared<T>>,
}

/// The receiving end.
pub struct Receiver<T: ByteSize> {
    shared: Arc<Shared<T>>,
}

struct Shared<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    limit: usize,
}

struct State<T> {
    items: VecDeque<T>,
    bytes: usize,
    senders: usize,
    receiving: bool,
    notify: Option<Notify>,
}

impl<T: ByteSize> Sender<T> {
    /// Queues `item` without waiting.
    ///
    /// # Errors
    /// Returns the item in [`Full`] if the queue is full or the receiver was dropped.
    pub fn try_send(&self, item: T) -> Result<(), Full<T>> {
        let mut state = lock(&self.shared);
        let over_limit = state.bytes + item.byte_size() > self.shared.limit && !state.items.is_empty();
        if over_limit || state.items.len() >= MAX_ITEMS || !state.receiving {
            return Err(Full(item));
        }
        state.bytes += item.byte_size();
        state.items.push_back(item);
        state.notify();
        drop(state);
        self.shared.changed.notify_one();
        Ok(())
    }

    /// Returns true if the receiver was dropped.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        !lock(&self.shared).receiving
    }
}

impl<T: ByteSize> Receiver<T> {
    /// Waits for the next item. Returns `None` if every sender was dropped and the queue is empty.
    #[must_use]
    pub fn recv(&self) -> Option<T> {
        let mut state = lock(&self.shared);
        while state.items.is_empty() && state.senders > 0 {
            state = self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.pop()
    }

    /// Waits for the next item until `deadline`. Returns `None` at the deadline, or if [`Receiver::is_ended`].
    #[must_use]
    pub fn recv_until(&self, deadline: Instant) -> Option<T> {
        let mut state = lock(&self.shared);
        while state.items.is_empty() && state.senders > 0 {
            let remaining = deadline.saturating_duration_since(Instant::now());
            if remaining == Duration::ZERO {
                return None;
            }
            state = self.shared.changed.wait_timeout(state, remaining).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.pop()
    }

    /// Returns the next item without waiting, or `None` if the queue is empty.
    #[must_use]
    pub fn try_recv(&self) -> Option<T> {
        lock(&self.shared).pop()
    }

    /// Notifies `notify` for every new item and for every dropped sender, and once now. For a thread that reads many
    /// queues.
    pub fn notify_on(&self, notify: Notify) {
        let mut state = lock(&self.shared);
        state.notify = Some(notify);
        state.notify();
    }

    /// Returns true if every sender was dropped and the queue is empty.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        let state = lock(&self.shared);
        state.senders == 0 && state.items.is_empty()
    }
}

impl<T> State<T> {
    fn notify(&self) {
        if let Some(notify) = &self.notify {
            notify.notify();
        }
    }
}

impl<T: ByteSize> State<T> {
    fn pop(&mut self) -> Option<T> {
        let item = self.items.pop_front()?;
        self.bytes -= item.byte_size();
        Some(item)
    }
}

impl<T: ByteSize> Clone for Sender<T> {
    fn clone(&self) -> Self {
        lock(&self.shared).senders += 1;
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<T: ByteSize> Drop for Sender<T> {
    fn drop(&mut self) {
        let mut state = lock(&self.shared);
        state.senders -= 1;
        state.notify();
        drop(state);
        self.shared.changed.notify_all();
    }
}

impl<T: ByteSize> Drop for Receiver<T> {
    fn drop(&mut self) {
        let remaining = {
            let mut state = lock(&self.shared);
            state.receiving = false;
            state.bytes = 0;
            std::mem::take(&mut state.items)
        };
        drop(remaining);
    }
}

// No code panics while it holds the lock, so a poisoned lock still guards a consistent state.
fn lock<T>(shared: &Shared<T>) -> MutexGuard<'_, State<T>> {
    shared.state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The maximum number of items. It is needed because items may have zero bytes.
const MAX_ITEMS: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    impl ByteSize for Vec<u8> {
        fn byte_size(&self) -> usize {
            self.len()
        }
    }

    #[test]
    fn bytes_are_limited_and_an_empty_queue_accepts_any_item() {
        let (sender, receiver) = bounded::<Vec<u8>>(10);
        sender.try_send(vec![0; 99]).unwrap();
        assert_eq!(sender.try_send(vec![0; 1]), Err(Full(vec![0; 1])));
        assert_eq!(receiver.try_recv().map(|item| item.len()), Some(99));
        sender.try_send(vec![0; 6]).unwrap();
        assert!(sender.try_send(vec![0; 5]).is_err());
        sender.try_send(vec![0; 4]).unwrap();
    }

    #[test]
    fn the_number_of_empty_items_is_limited() {
        let (sender, _receiver) = bounded::<Vec<u8>>(10);
        for _ in 0..MAX_ITEMS {
            sender.try_send(Vec::new()).unwrap();
        }
        assert!(sender.try_send(Vec::new()).is_err());
    }

    #[test]
    fn recv_returns_none_after_every_sender_was_dropped() {
        let (sender, receiver) = bounded::<Vec<u8>>(10);
        thread::scope(|scope| {
            let reader = scope.spawn(|| (receiver.recv(), receiver.recv()));
            sender.clone().try_send(vec![1]).unwrap();
            drop(sender);
            assert_eq!(reader.join().unwrap(), (Some(vec![1]), None));
        });
    }

    #[test]
    fn notify_is_called_for_items_and_for_a_dropped_sender() {
        let notify = Notify::new();
        let (sender, receiver) = bounded::<Vec<u8>>(10);
        receiver.notify_on(notify.clone());
        notify.wait();
        sender.try_send(vec![1]).unwrap();
        notify.wait();
        drop(sender);
        notify.wait();
        assert!(receiver.try_recv().is_some() && receiver.is_ended());
    }

    #[test]
    fn sending_without_a_receiver_returns_the_item() {
        let (sender, receiver) = bounded::<Vec<u8>>(10);
        drop(receiver);
        assert!(sender.is_closed());
        assert!(sender.try_send(vec![1]).is_err());
    }
}
