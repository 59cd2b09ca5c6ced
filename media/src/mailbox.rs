//! A one-value slot between threads in which the newest value replaces an unread one.

use crate::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::sync::PoisonError;
use std::time::{Duration, Instant};

/// Passes the newest value from one thread to another. [`Mailbox::put`] never waits: it replaces and counts an unread
/// value. Clones share the mailbox.
pub struct Mailbox<T> {
    shared: Arc<Shared<T>>,
}

struct Shared<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    value: Option<T>,
    closed: bool,
    replaced: u64,
}

impl<T> Mailbox<T> {
    /// Returns an empty, open mailbox.
    #[must_use]
    pub fn new() -> Self {
        let state = State { value: None, closed: false, replaced: 0 };
        Self { shared: Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() }) }
    }

    /// Stores `value` for the reader. Returns the unread value that it replaced, or `value` itself if the mailbox is
    /// closed, so that the caller drops it on its own thread.
    pub fn put(&self, value: T) -> Option<T> {
        let mut state = self.lock();
        if state.closed {
            return Some(value);
        }
        let unread = state.value.replace(value);
        state.replaced += u64::from(unread.is_some());
        drop(state);
        self.shared.changed.notify_one();
        unread
    }

    /// Waits for a value. Returns `None` if the mailbox is closed and empty.
    #[must_use]
    pub fn take(&self) -> Option<T> {
        let mut state = self.lock();
        loop {
            if state.value.is_some() || state.closed {
                return state.value.take();
            }
            state = self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits for a value until `deadline`. Returns `None` at the deadline, or if the mailbox is closed and empty.
    #[must_use]
    pub fn take_until(&self, deadline: Instant) -> Option<T> {
        let mut state = self.lock();
        while state.value.is_none() && !state.closed {
            let remaining = deadline.saturating_duration_since(Instant::now());
            if remaining == Duration::ZERO {
                return None;
            }
            state = self.shared.changed.wait_timeout(state, remaining).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.value.take()
    }

    /// Returns the value without waiting, or `None` if the mailbox is empty.
    #[must_use]
    pub fn try_take(&self) -> Option<T> {
        self.lock().value.take()
    }

    /// Closes the mailbox and wakes the reader. The stored value can still be taken. No new value is accepted.
    pub fn close(&self) {
        self.lock().closed = true;
        self.shared.changed.notify_all();
    }

    /// Returns true if [`Mailbox::close`] was called.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Returns how many values were replaced before they were read.
    #[must_use]
    pub fn replaced(&self) -> u64 {
        self.lock().replaced
    }

    // No code panics while it holds the lock, so a poisoned lock still guards a consistent state.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Default for Mailbox<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Clone for Mailbox<T> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn the_newest_value_wins_and_replaced_values_are_counted() {
        let mailbox = Mailbox::new();
        assert_eq!(mailbox.put(1), None);
        assert_eq!(mailbox.put(2), Some(1));
        assert_eq!(mailbox.take(), Some(2));
        assert_eq!(mailbox.try_take(), None);
        assert_eq!(mailbox.replaced(), 1);
    }

    #[test]
    fn closing_wakes_a_waiting_reader() {
        let mailbox = Mailbox::<u8>::new();
        thread::scope(|scope| {
            let reader = scope.spawn(|| mailbox.take());
            mailbox.close();
            assert_eq!(reader.join().unwrap(), None);
        });
        assert_eq!(mailbox.put(3), Some(3));
    }

    #[test]
    fn a_deadline_ends_the_wait() {
        assert_eq!(Mailbox::<u8>::new().take_until(Instant::now()), None);
    }
}
