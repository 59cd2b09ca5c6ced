//! A meeting's log: entries in one order for everybody, the newest kept for replay.

use proto::{Blob, Entry, Position};
use std::collections::VecDeque;

/// Append-only; forgets its oldest entries once it holds too much.
#[derive(Debug)]
pub struct Log {
    kept: VecDeque<Entry>,
    next: u64,
    bytes: usize,
    most_entries: usize,
    most_bytes: usize,
}

impl Log {
    /// An empty log that keeps so many entries, and so many bytes of blobs.
    pub fn new(most_entries: usize, most_bytes: usize) -> Self {
        Self { kept: VecDeque::new(), next: 0, bytes: 0, most_entries, most_bytes }
    }

    /// Where the next entry will stand.
    pub fn end(&self) -> Position {
        Position(self.next)
    }

    /// Puts an entry at the end, and says where it stands.
    pub fn append(&mut self, entry: Entry) -> Position {
        let position = self.end();
        self.next += 1;
        self.bytes += weight(&entry);
        self.kept.push_back(entry);
        while self.kept.len() > self.most_entries || self.bytes > self.most_bytes {
            let Some(oldest) = self.kept.pop_front() else { break };
            self.bytes -= weight(&oldest);
        }
        position
    }

    /// The kept entries from `position` on, with their places.
    pub fn since(&self, position: Position) -> impl Iterator<Item = (Position, &Entry)> {
        let first = self.next - self.kept.len() as u64;
        let places = (first..).map(Position);
        places.zip(&self.kept).filter(move |(place, _)| *place >= position)
    }
}

fn weight(entry: &Entry) -> usize {
    match entry {
        Entry::Commit { blob: Blob(bytes), .. } | Entry::Told { blob: Blob(bytes), .. } => bytes.len(),
        Entry::Gone { .. } => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::{Epoch, ParticipantId};

    fn told(length: usize) -> Entry {
        Entry::Told { from: ParticipantId(1), epoch: Epoch(0), blob: Blob(vec![0; length]) }
    }

    fn places(log: &Log, from: u64) -> Vec<u64> {
        log.since(Position(from)).map(|(place, _)| place.0).collect()
    }

    #[test]
    fn replay_starts_where_it_is_asked_to() {
        let mut log = Log::new(10, 1_000);
        assert_eq!((0..4).map(|_| log.append(told(1)).0).collect::<Vec<_>>(), [0, 1, 2, 3]);
        assert_eq!(places(&log, 2), [2, 3]);
        assert_eq!(places(&log, 4), [] as [u64; 0]);
    }

    #[test]
    fn the_oldest_are_forgotten_and_places_stay() {
        let mut log = Log::new(3, 100);
        for _ in 0..5 {
            log.append(told(1));
        }
        assert_eq!(places(&log, 0), [2, 3, 4]);
        log.append(told(99));
        assert_eq!(places(&log, 0), [4, 5], "too many bytes");
        log.append(told(1_000));
        assert_eq!(places(&log, 0), [] as [u64; 0], "an entry too large to keep is still ordered");
        assert_eq!(log.end(), Position(7));
    }
}
