//! One thread waits for many queues.

use crate::sync::{Arc, Condvar, Mutex};
use std::sync::PoisonError;
use std::time::{Duration, Instant};

/// Wakes the one thread that waits on it. A ring while nobody waits is kept for the next wait; many rings are one.
/// Clones ring the same bell.
#[derive(Clone, Default)]
pub struct Notify {
    shared: Arc<(Mutex<bool>, Condvar)>,
}

impl Notify {
    /// A silent bell.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Wakes the waiting thread, or the next one to wait.
    pub fn notify(&self) {
        let (rung, changed) = &*self.shared;
        *rung.lock().unwrap_or_else(PoisonError::into_inner) = true;
        changed.notify_one();
    }

    /// Waits for a ring.
    pub fn wait(&self) {
        let (rung, changed) = &*self.shared;
        let mut state = rung.lock().unwrap_or_else(PoisonError::into_inner);
        while !*state {
            state = changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        *state = false;
    }

    /// Waits for a ring until `deadline`. True where it rang.
    #[must_use]
    pub fn wait_until(&self, deadline: Instant) -> bool {
        let (rung, changed) = &*self.shared;
        let mut state = rung.lock().unwrap_or_else(PoisonError::into_inner);
        while !*state {
            let left = deadline.saturating_duration_since(Instant::now());
            if left == Duration::ZERO {
                return false;
            }
            state = changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
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
    fn a_ring_before_the_wait_is_kept_and_rings_merge() {
        let notify = Notify::new();
        notify.notify();
        notify.notify();
        notify.wait();
        assert!(!notify.wait_until(Instant::now()));
    }

    #[test]
    fn a_ring_wakes_a_waiting_thread() {
        let notify = Notify::new();
        thread::scope(|scope| {
            scope.spawn(|| notify.wait());
            notify.notify();
        });
    }
}
