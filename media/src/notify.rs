//! A notification for a thread that waits for several queues.

use crate::sync::{Arc, Condvar, Mutex};
use std::sync::PoisonError;
use std::time::{Duration, Instant};

/// Wakes one waiting thread. A notification without a waiting thread is kept for the next wait. Several are merged into
/// one. Clones share the state.
#[derive(Clone, Default)]
pub struct Notify {
    shared: Arc<(Mutex<bool>, Condvar)>,
}

impl Notify {
    /// Returns a notification that is not pending.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Wakes the waiting thread, or makes the next wait return at once.
    pub fn notify(&self) {
        let (pending, changed) = &*self.shared;
        *pending.lock().unwrap_or_else(PoisonError::into_inner) = true;
        changed.notify_one();
    }

    /// Waits for a notification.
    pub fn wait(&self) {
        let (pending, changed) = &*self.shared;
        let mut state = pending.lock().unwrap_or_else(PoisonError::into_inner);
        while !*state {
            state = changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        *state = false;
    }

    /// Waits for a notification until `deadline`. Returns false at the deadline.
    #[must_use]
    pub fn wait_until(&self, deadline: Instant) -> bool {
        let (pending, changed) = &*self.shared;
        let mut state = pending.lock().unwrap_or_else(PoisonError::into_inner);
        while !*state {
            let remaining = deadline.saturating_duration_since(Instant::now());
            if remaining == Duration::ZERO {
                return false;
            }
            state = changed.wait_timeout(state, remaining).unwrap_or_else(PoisonError::into_inner).0;
        }
        *state = false;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn a_notification_before_the_wait_is_kept_and_notifications_merge() {
        let notify = Notify::new();
        notify.notify();
        notify.notify();
        notify.wait();
        assert!(!notify.wait_until(Instant::now()));
    }

    #[test]
    fn a_notification_wakes_a_waiting_thread() {
        let notify = Notify::new();
        thread::scope(|scope| {
            scope.spawn(|| notify.wait());
            notify.notify();
        });
    }
}
