//! The queue of events for the program. The driver never waits for the program to read them, and the queue is bounded.

use crate::error::Error;
use crate::event::Event;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::sync::mpsc;

/// Events that wait for room in the channel to the program.
pub struct EventQueue {
    waiting: VecDeque<Event>,
    reader: mpsc::Sender<Event>,
}

impl EventQueue {
    pub fn new(reader: mpsc::Sender<Event>) -> Self {
        Self { waiting: VecDeque::new(), reader }
    }

    /// Queues an event.
    pub fn push(&mut self, event: Event) {
        self.waiting.push_back(event);
    }

    /// Passes on as many events as there is room for.
    ///
    /// # Errors
    /// Returns [`Error::Stalled`] if more than `MAX_WAITING` events wait.
    pub fn push_all(&mut self) -> Result<(), Error> {
        while !self.waiting.is_empty() {
            let Ok(room) = self.reader.try_reserve() else { break };
            if let Some(event) = self.waiting.pop_front() {
                room.send(event);
            }
        }
        if self.waiting.len() > MAX_WAITING { Err(Error::Stalled) } else { Ok(()) }
    }

    /// Returns true if events wait for room.
    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Returns true if the reader was dropped.
    pub fn is_closed(&self) -> bool {
        self.reader.is_closed()
    }

    /// Waits for room.
    pub async fn room(&self) {
        // The caller checks `is_closed`.
        let _ = self.reader.reserve().await;
    }

    /// Passes on the remaining events. Gives up after `limit`.
    pub async fn flush(mut self, limit: Duration) {
        let rest = async {
            while let Some(event) = self.waiting.pop_front() {
                if self.reader.send(event).await.is_err() {
                    return;
                }
            }
        };
        if tokio::time::timeout(limit, rest).await.is_err() {
            tracing::debug!("the last events were not read");
        }
    }
}

/// The maximum number of events that wait for room in the channel.
const MAX_WAITING: usize = 4_096;

#[cfg(test)]
mod tests {
    use super::*;
    use proto::Epoch;

    #[test]
    fn a_reader_that_pauses_gets_all_and_one_that_stops_ends_the_session() {
        let (sender, mut reader) = mpsc::channel(2);
        let mut event_queue = EventQueue::new(sender);
        for epoch in 0..10 {
            event_queue.push(Event::Rekeyed(Epoch(epoch)));
        }
        let mut read = Vec::new();
        while event_queue.push_all().is_ok() && read.len() < 10 {
            while let Ok(Event::Rekeyed(epoch)) = reader.try_recv() {
                read.push(epoch.0);
            }
        }
        assert_eq!(read, (0..10).collect::<Vec<_>>());
        for epoch in 0..5_000 {
            event_queue.push(Event::Rekeyed(Epoch(epoch)));
        }
        assert!(matches!(event_queue.push_all(), Err(Error::Stalled)));
    }
}
