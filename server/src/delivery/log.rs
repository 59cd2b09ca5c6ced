//! A meeting's log: entries in the same order for all members. Entries are kept until all members have acknowledged
//! them, so that a member can resume after it lost its connection.

use bytes::Bytes;
use proto::{Down, LogEntry, Position};
use std::collections::VecDeque;
use std::ops::Range;

/// An append-only log that keeps what a member may still need, within bounds.
#[derive(Debug)]
pub struct Log {
    /// Encoded entries that every member needs.
    needed: EntryQueue,
    /// Encoded application messages. A member can miss some of them.
    told: EntryQueue,
    /// The position of the next entry.
    next: Position,
    /// No entry before this position can be replayed.
    start: Position,
    max_entries: usize,
    max_bytes: usize,
}

/// An encoded entry.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its position.
    pub position: Position,
    /// Whether it is an application message.
    pub told: bool,
    /// The encoded [`Down::Log`].
    pub message: Bytes,
}

/// Encoded entries with their positions, oldest first.
#[derive(Debug, Default)]
struct EntryQueue {
    entries: VecDeque<(Position, Bytes)>,
    bytes: usize,
}

impl Log {
    /// Returns an empty log that keeps at most `max_entries` with at most `max_bytes`. Application messages use at most
    /// half of both.
    pub fn new(max_entries: usize, max_bytes: usize) -> Self {
        let start = Position(0);
        Self { needed: EntryQueue::default(), told: EntryQueue::default(), next: start, start, max_entries, max_bytes }
    }

    /// Returns a log that keeps those of `entries` that are within `positions`, within the bounds of [`Self::new`]. Its next entry
    /// is at the end of `positions`.
    pub fn restore(max_entries: usize, max_bytes: usize, positions: Range<Position>, entries: Vec<Entry>) -> Self {
        let mut log = Self { start: positions.start, next: positions.end, ..Self::new(max_entries, max_bytes) };
        for entry in entries.into_iter().filter(|entry| positions.contains(&entry.position)) {
            log.keep(entry);
        }
        log
    }

    /// Returns the entries that are kept, in the order of their positions.
    pub fn entries(&self) -> Vec<Entry> {
        let all = [(&self.needed, false), (&self.told, true)].into_iter();
        let mut entries: Vec<_> = all.flat_map(|(kept, told)| kept.entries(told)).collect();
        entries.sort_unstable_by_key(|entry| entry.position);
        entries
    }

    /// Returns the first position that can be replayed.
    pub fn start(&self) -> Position {
        self.start
    }

    /// Returns the position of the next entry.
    pub fn end(&self) -> Position {
        self.next
    }

    /// Returns how many bytes are kept.
    pub fn bytes(&self) -> usize {
        self.needed.bytes + self.told.bytes
    }

    /// Appends an entry, and returns it encoded.
    pub fn append(&mut self, entry: LogEntry) -> Entry {
        let (position, told) = (self.next, matches!(entry, LogEntry::Told { .. }));
        self.next.0 += 1;
        let entry = Entry { position, told, message: proto::encode(&Down::Log { position, entry }).into() };
        self.keep(entry.clone());
        entry
    }

    /// Drops the entries before `position`: no member needs them.
    pub fn forget_before(&mut self, position: Position) {
        self.start = self.start.max(position).min(self.next);
        self.needed.forget_before(self.start);
        self.told.forget_before(self.start);
    }

    /// Returns whether a member that expects the entry at `position` can get all that it needs.
    pub fn reaches(&self, position: Position) -> bool {
        (self.start..=self.next).contains(&position)
    }

    /// Returns the encoded messages for a member that expects the entry at `position`: all kept entries, and
    /// [`Down::Skipped`] for application messages that were dropped.
    pub fn replay(&self, position: Position) -> Vec<Bytes> {
        let mut kept: Vec<_> = self.needed.entries.iter().chain(&self.told.entries).collect();
        kept.sort_unstable_by_key(|(at, _)| *at);
        let (mut messages, mut expected) = (Vec::new(), position);
        for (at, message) in kept.into_iter().filter(|(at, _)| *at >= position) {
            messages.extend(skipped(expected, *at));
            messages.push(message.clone());
            expected = Position(at.0 + 1);
        }
        messages.extend(skipped(expected, self.next));
        messages
    }

    fn keep(&mut self, Entry { position, told, message }: Entry) {
        if told {
            self.told.push(position, message);
            while self.told.entries.len() > self.max_entries / 2 || self.told.bytes > self.max_bytes / 2 {
                self.told.pop();
            }
        } else {
            self.needed.push(position, message);
        }
        while self.needed.entries.len() > self.max_entries / 2 || self.bytes() > self.max_bytes {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        let Some(position) = self.needed.pop().or_else(|| self.told.pop()) else { return };
        self.forget_before(Position(position.0 + 1));
    }
}

impl EntryQueue {
    fn push(&mut self, position: Position, message: Bytes) {
        self.bytes += message.len();
        self.entries.push_back((position, message));
    }

    fn pop(&mut self) -> Option<Position> {
        let (position, message) = self.entries.pop_front()?;
        self.bytes -= message.len();
        Some(position)
    }

    fn entries(&self, told: bool) -> impl Iterator<Item = Entry> {
        self.entries.iter().map(move |(position, message)| Entry {
            position: *position,
            told,
            message: message.clone(),
        })
    }

    fn forget_before(&mut self, position: Position) {
        while self.entries.front().is_some_and(|(at, _)| *at < position) {
            self.pop();
        }
    }
}

/// Returns the message that replaces the entries from `from` up to `to`, if there are any.
fn skipped(from: Position, to: Position) -> Option<Bytes> {
    let count = to.0.saturating_sub(from.0);
    (count > 0).then(|| proto::encode(&Down::Skipped { position: from, count }).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::{Blob, Epoch, ParticipantId};

    fn told(length: usize) -> LogEntry {
        LogEntry::Told { from: ParticipantId(1), epoch: Epoch(0), blob: Blob(vec![0; length]) }
    }

    fn commit(length: usize) -> LogEntry {
        LogEntry::Commit { from: ParticipantId(1), epoch: Epoch(0), blob: Blob(vec![0; length]) }
    }

    /// Returns the positions that a replay contains, and those that it skips.
    fn positions(log: &Log, from: u64) -> (Vec<u64>, Vec<u64>) {
        let (mut kept, mut missing) = (Vec::new(), Vec::new());
        for message in log.replay(Position(from)) {
            match proto::decode::<Down>(&message) {
                Ok(Down::Log { position, .. }) => kept.push(position.0),
                Ok(Down::Skipped { position, count }) => missing.extend(position.0..position.0 + count),
                other => panic!("{other:?}"),
            }
        }
        (kept, missing)
    }

    #[test]
    fn replay_starts_at_the_requested_position() {
        let mut log = Log::new(10, 1_000);
        assert_eq!((0..4).map(|_| log.append(told(1)).position.0).collect::<Vec<_>>(), [0, 1, 2, 3]);
        assert_eq!(positions(&log, 2), (vec![2, 3], vec![]));
        assert_eq!(positions(&log, 4), (vec![], vec![]));
        assert!(log.reaches(Position(0)) && log.reaches(Position(4)) && !log.reaches(Position(5)));
    }

    #[test]
    fn acknowledged_entries_are_dropped() {
        let mut log = Log::new(10, 1_000);
        (0..4).for_each(|_| drop(log.append(commit(100))));
        log.forget_before(Position(3));
        assert!(!log.reaches(Position(2)) && log.reaches(Position(3)));
        assert_eq!(positions(&log, 3), (vec![3], vec![]));
        log.forget_before(Position(9));
        assert_eq!((log.bytes(), log.end()), (0, Position(4)));
        log.forget_before(Position(1));
        assert!(!log.reaches(Position(3)), "an older position brings nothing back");
    }

    #[test]
    fn a_flood_of_application_messages_drops_no_commit() {
        let mut log = Log::new(20, 4_000);
        log.append(commit(100));
        (0..1_000).for_each(|_| drop(log.append(told(100))));
        log.append(commit(100));
        assert!(log.reaches(Position(0)));
        let (kept, missing) = positions(&log, 0);
        assert_eq!((kept.first(), kept.last()), (Some(&0), Some(&1_001)));
        assert_eq!(kept.len() + missing.len(), 1_002, "each entry is sent or skipped");
        assert!(log.bytes() <= 4_000, "{} bytes", log.bytes());
    }

    #[test]
    fn commits_beyond_the_bound_end_the_replay_of_older_positions() {
        let mut log = Log::new(1_000, 1_000);
        (0..10).for_each(|_| drop(log.append(commit(300))));
        assert!(log.bytes() <= 1_000);
        assert!(!log.reaches(Position(0)) && log.reaches(Position(8)));
        log.append(commit(5_000));
        assert_eq!(positions(&log, 11), (vec![], vec![]), "an entry that is too large to keep has a position");
        assert!(!log.reaches(Position(10)) && log.reaches(Position(11)));
    }
}
