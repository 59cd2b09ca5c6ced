//! The datagrams that wait to be written into a tunnel. Adding one never waits.

use proto::{DatagramQueue, MAX_TUNNEL_AGE, MAX_TUNNEL_QUEUE};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::Notify;

/// The queue. The media thread adds, and the tunnel's task takes.
#[derive(Debug)]
pub struct TunnelQueue {
    /// `None` if it is closed.
    waiting: Mutex<Option<DatagramQueue>>,
    changed: Notify,
}

impl Default for TunnelQueue {
    fn default() -> Self {
        let queue = DatagramQueue::new(MAX_TUNNEL_QUEUE, MAX_TUNNEL_AGE);
        Self { waiting: Mutex::new(Some(queue)), changed: Notify::new() }
    }
}

impl TunnelQueue {
    /// Adds a datagram. Returns false if the queue is closed.
    pub fn push(&self, datagram: &[u8], now: Instant) -> bool {
        let is_open = self.lock().as_mut().map(|queue| queue.push(datagram, now)).is_some();
        self.changed.notify_one();
        is_open
    }

    /// Drops what waits, and ends [`TunnelQueue::next_batch`].
    pub fn close(&self) {
        *self.lock() = None;
        self.changed.notify_one();
    }

    /// Waits for datagrams, and returns some of them as a message. Returns `None` if the queue is closed. Only one task may
    /// wait.
    pub async fn next_batch(&self) -> Option<Vec<u8>> {
        loop {
            let mut batch = Vec::new();
            self.lock().as_mut()?.pop_batch(&mut batch, Instant::now());
            if !batch.is_empty() {
                return Some(batch);
            }
            self.changed.notified().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<DatagramQueue>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[test]
    fn a_closed_queue_takes_nothing_and_ends_its_reader() {
        let queue = TunnelQueue::default();
        assert!(queue.push(b"one", Instant::now()));
        assert_eq!(queue.next_batch().now_or_never(), Some(Some([&[0, 3], &b"one"[..]].concat())));
        assert_eq!(queue.next_batch().now_or_never(), None);
        queue.close();
        assert_eq!(queue.next_batch().now_or_never(), Some(None));
        assert!(!queue.push(b"two", Instant::now()));
    }
}
