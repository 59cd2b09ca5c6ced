//! A meeting's log: entries in the same order for all members. The newest entries are kept for replay.

use proto::{Blob, LogEntry, Position};
use std::collections::VecDeque;

/// An append-only log that drops its oldest entries beyond a number of entries or bytes.
#[derive(Debug)]
pub struct Log {
    kept: VecDeque<LogEntry>,
    /// The position of the next entry.
    next: u64,
    /// Bytes of the kept blobs.
    bytes: usize,
    max_entries: usize,
    max_bytes: usize,
}

impl Log {
    /// Returns an empty log that keeps at most `max_entries`, with at most `max_bytes` of blobs.
    pub fn new(max_entries: usize, max_bytes: usize) -> Self {
        Self { kept: VecDeque::new(), next: 0, bytes: 0, max_entries, max_bytes }
    }

    /// Returns the position of the next entry.
    pub fn end(&self) -> Position {
        Position(self.next)
    }

    /// Appends an entry, and returns its position.
    pub fn append(&mut self, entry: LogEntry) -> Position {
        let position = self.end();
        self.next += 1;
        self.bytes += byte_size(&entry);
        self.kept.push_back(entry);
        while self.kept.len() > self.max_entries || self.bytes > self.max_bytes {
            let Some(oldest) = self.kept.pop_front() else { break };
            self.bytes -= byte_size(&oldest);
        }
        position
    }

    /// Returns the kept entries from `position` on, with their positions.
    pub fn since(&self, position: Position) -> impl Iterator<Item = (Position, &LogEntry)> {
        let first = self.next - self.kept.len() as u64;
        let positions = (first..).map(Position);
        positions.zip(&self.kept).filter(move |(at, _)| *at >= position)
    }
}

fn byte_size(entry: &LogEntry) -> usize {
    match entry {
        LogEntry::Commit { blob: Blob(bytes), .. } | LogEntry::Told { blob: Blob(bytes), .. } => bytes.len(),
        LogEntry::Gone { .. } => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::{Epoch, ParticipantId};

    fn told(length: usize) -> LogEntry {
        LogEntry::Told { from: ParticipantId(1), epoch: Epoch(0), blob: Blob(vec![0; length]) }
    }

    fn positions(log: &Log, from: u64) -> Vec<u64> {
        log.since(Position(from)).map(|(position, _)| position.0).collect()
    }

    #[test]
    fn replay_starts_at_the_requested_position() {
        let mut log = Log::new(10, 1_000);
        assert_eq!((0..4).map(|_| log.append(told(1)).0).collect::<Vec<_>>(), [0, 1, 2, 3]);
        assert_eq!(positions(&log, 2), [2, 3]);
        assert_eq!(positions(&log, 4), [] as [u64; 0]);
    }

    #[test]
    fn the_oldest_entries_are_dropped_and_positions_stay() {
        let mut log = Log::new(3, 100);
        for _ in 0..5 {
            log.append(told(1));
        }
        assert_eq!(positions(&log, 0), [2, 3, 4]);
        log.append(told(99));
        assert_eq!(positions(&log, 0), [4, 5], "too many bytes");
        log.append(told(1_000));
        assert_eq!(positions(&log, 0), [] as [u64; 0], "an entry that is too large to keep has a position");
        assert_eq!(log.end(), Position(7));
    }
}
