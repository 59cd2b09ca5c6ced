//! A queue bounded by weight: encoded media may wait a little, never without end.

use crate::Notify;
use crate::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::collections::VecDeque;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

/// What an item costs in a queue.
pub trait ByteSize {
    /// The item's cost, in bytes for media.
    fn byte_size(&self) -> usize;
}

/// A queue that holds at most `limit` of weight, and at most 4096 items. One item is always let in, however heavy.
#[must_use]
pub fn bounded<T: ByteSize>(limit: usize) -> (Sender<T>, Receiver<T>) {
    let state = State { items: VecDeque::new(), weight: 0, senders: 1, receiving: true, notify: None };
    let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new(), limit });
    (Sender { shared: Arc::clone(&shared) }, Receiver { shared })
}

/// The item found no room, or nobody listens any more.
#[derive(Debug, PartialEq, Eq)]
pub struct Full<T>(pub T);

/// The writing end; clones share the queue.
pub struct Sender<T: ByteSize> {
    shared: Arc<Shared<T>>,
}

/// The reading end.
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
    weight: usize,
    senders: usize,
    receiving: bool,
    notify: Option<Notify>,
}

impl<T: ByteSize> Sender<T> {
    /// Queues `item` without waiting.
    ///
    /// # Errors
    /// Gives the item back where there is no room, or nobody reads.
    pub fn try_send(&self, item: T) -> Result<(), Full<T>> {
        let mut state = lock(&self.shared);
        let heavy = state.weight + item.byte_size() > self.shared.limit && !state.items.is_empty();
        if heavy || state.items.len() >= MAX_ITEMS || !state.receiving {
            return Err(Full(item));
        }
        state.weight += item.byte_size();
        state.items.push_back(item);
        state.notify();
        drop(state);
        self.shared.changed.notify_one();
        Ok(())
    }

    /// True once the reader is gone.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        !lock(&self.shared).receiving
    }
}

impl<T: ByteSize> Receiver<T> {
    /// Waits for the next item; `None` once every sender is gone and the queue is empty.
    #[must_use]
    pub fn recv(&self) -> Option<T> {
        let mut state = lock(&self.shared);
        while state.items.is_empty() && state.senders > 0 {
            state = self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.pop()
    }

    /// Waits for the next item until `deadline`; `None` then, or once the queue has ended.
    #[must_use]
    pub fn recv_until(&self, deadline: Instant) -> Option<T> {
        let mut state = lock(&self.shared);
        while state.items.is_empty() && state.senders > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            if left == Duration::ZERO {
                return None;
            }
            state = self.shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.pop()
    }

    /// Takes an item that is there now.
    #[must_use]
    pub fn try_recv(&self) -> Option<T> {
        lock(&self.shared).pop()
    }

    /// Rings `bell` at every item from now on, and when the last sender goes: for a thread that reads many queues.
    pub fn notify_on(&self, notify: Notify) {
        let mut state = lock(&self.shared);
        state.notify = Some(notify);
        state.notify();
    }

    /// True once every sender is gone and nothing is left.
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
        self.weight -= item.byte_size();
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
        let left = {
            let mut state = lock(&self.shared);
            state.receiving = false;
            state.weight = 0;
            std::mem::take(&mut state.items)
        };
        drop(left);
    }
}

// The state is whole whenever the lock is free, so a thread that panicked elsewhere poisons nothing.
fn lock<T>(shared: &Shared<T>) -> MutexGuard<'_, State<T>> {
    shared.state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A second bound, for items that weigh nothing.
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
    fn weight_is_the_bound_and_one_item_always_fits() {
        let (sender, receiver) = bounded::<Vec<u8>>(10);
        sender.try_send(vec![0; 99]).unwrap();
        assert_eq!(sender.try_send(vec![0; 1]), Err(Full(vec![0; 1])));
        assert_eq!(receiver.try_recv().map(|item| item.len()), Some(99));
        sender.try_send(vec![0; 6]).unwrap();
        assert!(sender.try_send(vec![0; 5]).is_err());
        sender.try_send(vec![0; 4]).unwrap();
    }

    #[test]
    fn items_that_weigh_nothing_are_counted() {
        let (sender, _receiver) = bounded::<Vec<u8>>(10);
        for _ in 0..MAX_ITEMS {
            sender.try_send(Vec::new()).unwrap();
        }
        assert!(sender.try_send(Vec::new()).is_err());
    }

    #[test]
    fn the_reader_learns_that_every_sender_has_gone() {
        let (sender, receiver) = bounded::<Vec<u8>>(10);
        thread::scope(|scope| {
            let reader = scope.spawn(|| (receiver.recv(), receiver.recv()));
            sender.clone().try_send(vec![1]).unwrap();
            drop(sender);
            assert_eq!(reader.join().unwrap(), (Some(vec![1]), None));
        });
    }

    #[test]
    fn a_bell_rings_for_items_and_for_the_end() {
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
    fn nobody_listening_gives_the_item_back() {
        let (sender, receiver) = bounded::<Vec<u8>>(10);
        drop(receiver);
        assert!(sender.is_closed());
        assert!(sender.try_send(vec![1]).is_err());
    }
}
