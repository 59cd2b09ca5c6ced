//! Datagrams on their way from the thread that receives to a thread that forwards. A full queue refuses them: the thread that
//! receives never waits for room.

use crate::tunnel::Endpoints;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// The queue of one thread. It keeps its memory, so a datagram costs no allocation.
#[derive(Debug, Default)]
pub struct ReceiveQueue {
    waiting: Mutex<ReceivedDatagrams>,
    changed: Notify,
}

/// Datagrams in the order in which they arrived, each with its addresses.
#[derive(Debug, Default)]
pub struct ReceivedDatagrams {
    bytes: Vec<u8>,
    /// The addresses of each datagram, and the index of its end in `bytes`.
    ends: Vec<(Endpoints, usize)>,
}

impl ReceiveQueue {
    /// Adds a datagram. Returns false if the queue is full. The other thread is woken by [`ReceiveQueue::notify`].
    pub fn push(&self, endpoints: Endpoints, datagram: &[u8]) -> bool {
        let mut waiting = self.lock();
        if waiting.ends.len() >= MAX_DATAGRAMS || waiting.bytes.len() + datagram.len() > MAX_BYTES {
            return false;
        }
        waiting.bytes.extend_from_slice(datagram);
        let end = waiting.bytes.len();
        waiting.ends.push((endpoints, end));
        true
    }

    /// Wakes the thread that waits for datagrams.
    pub fn notify(&self) {
        self.changed.notify_one();
    }

    /// Waits for [`ReceiveQueue::notify`]. Cancel-safe. Only one task may wait.
    pub async fn ready(&self) {
        self.changed.notified().await;
    }

    /// Replaces `taken` by all datagrams that wait. The queue uses the memory of `taken` for the next ones.
    pub fn take(&self, taken: &mut ReceivedDatagrams) {
        taken.bytes.clear();
        taken.ends.clear();
        std::mem::swap(&mut *self.lock(), taken);
    }

    fn lock(&self) -> MutexGuard<'_, ReceivedDatagrams> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ReceivedDatagrams {
    /// Returns the datagrams.
    pub fn iter(&self) -> impl Iterator<Item = (Endpoints, &[u8])> {
        let mut start = 0;
        self.ends.iter().map(move |(endpoints, end)| {
            let datagram = &self.bytes[start..*end];
            start = *end;
            (*endpoints, datagram)
        })
    }
}

/// The maximum number of datagrams that wait for one thread: about as many as the system keeps for a socket. At 10,000 a second, a
/// thread may be busy for 0.2 s.
pub const MAX_DATAGRAMS: usize = 2_048;

/// The maximum bytes of datagrams that wait for one thread.
const MAX_BYTES: usize = 4 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    fn endpoints(port: u16) -> Endpoints {
        Endpoints { local: ([192, 0, 2, 1], 7_443).into(), remote: ([198, 51, 100, 7], port).into() }
    }

    #[test]
    fn datagrams_are_taken_in_order_with_their_addresses() {
        let (queue, mut taken) = (ReceiveQueue::default(), ReceivedDatagrams::default());
        assert_eq!(queue.ready().now_or_never(), None);
        for round in 0..3 {
            for (port, datagram) in [(1, &b"one"[..]), (2, b""), (1, b"three")] {
                assert!(queue.push(endpoints(port), datagram), "{round}");
            }
            queue.notify();
            assert_eq!(queue.ready().now_or_never(), Some(()));
            queue.take(&mut taken);
            let all: Vec<_> = taken.iter().collect();
            assert_eq!(all, [(endpoints(1), &b"one"[..]), (endpoints(2), b""), (endpoints(1), b"three")]);
        }
        queue.take(&mut taken);
        assert_eq!(taken.iter().count(), 0);
    }

    #[test]
    fn a_full_queue_takes_no_more_datagrams_until_it_is_emptied() {
        let (queue, mut taken) = (ReceiveQueue::default(), ReceivedDatagrams::default());
        let accepted = (0..2 * MAX_DATAGRAMS).filter(|_| queue.push(endpoints(1), b"datagram")).count();
        assert_eq!(accepted, MAX_DATAGRAMS);
        queue.take(&mut taken);
        assert_eq!(taken.iter().count(), MAX_DATAGRAMS);
        assert!(queue.push(endpoints(1), b"datagram"));
        queue.take(&mut taken);
        let large = vec![0; 60_000];
        let accepted = (0..1_000).filter(|_| queue.push(endpoints(1), &large)).count();
        assert_eq!(accepted, MAX_BYTES / large.len());
    }
}
