//! The stored form of a meeting, from which its members resume after the server was killed. Pure: bytes in, bytes out.
//!
//! The bytes of a meeting are one batch with the whole meeting, followed by a batch for each change. They hold what the service
//! knows in any case: random ids, public keys, signed commands and ciphertext. Connections, requests to be admitted and
//! rates are not stored.

use super::log::{Entry, Log};
use minicbor::{CborLen, Decode, Encode};
use proto::{Blob, Down, Epoch, GoneMember, LogEntry, MAX_MEMBERS, MeetingId, ParticipantId, Position};

/// A change of what is stored of a meeting. It is stored before the messages that follow from it are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Adds an encoded batch to those that are stored.
    Append(Vec<u8>),
    /// Replaces all that is stored by one encoded batch.
    Replace(Vec<u8>),
    /// Removes all that is stored: the meeting is over.
    Remove,
}

/// What changed in a meeting since the last [`Unstored::take`].
#[derive(Debug, Default)]
pub struct Unstored {
    /// The new entries of the log.
    entries: Vec<Entry>,
    /// True if something other than the log changed.
    state: bool,
    /// True if the counters of signed commands changed.
    counters: bool,
    /// Bytes that were appended since everything was stored. `None` if nothing is stored.
    appended: Option<usize>,
}

/// All that is stored of a meeting, except its log.
#[derive(Debug, Encode, Decode, CborLen)]
pub struct State {
    /// Its id.
    #[n(0)]
    pub meeting: MeetingId,
    /// The chain of its authorities.
    #[n(1)]
    pub chain: Blob,
    /// The newest admission key.
    #[n(2)]
    pub admission_key: Blob,
    /// Whether knocks are refused.
    #[n(3)]
    pub locked: bool,
    /// Its members.
    #[n(4)]
    pub members: Vec<MemberState>,
    /// The participants that are logged as gone.
    #[n(5)]
    pub gone: Vec<GoneMember>,
    /// The log's epoch.
    #[n(6)]
    pub epoch: Epoch,
    /// The first position of the log that can be replayed.
    #[n(7)]
    pub start: Position,
    /// The position of the next entry.
    #[n(8)]
    pub next: Position,
}

/// What is stored of a member.
#[derive(Debug, Encode, Decode, CborLen)]
pub struct MemberState {
    /// Its id.
    #[n(0)]
    pub participant: ParticipantId,
    /// Whether it has created the meeting or sent a signed command.
    #[n(1)]
    pub manager: bool,
    /// The counter of its last signed command.
    #[n(2)]
    pub last_counter: Option<u64>,
}

/// New entries of the log, and the state after them. Without a state, only the log changed.
#[derive(Debug, Encode, Decode, CborLen)]
struct Batch {
    /// Each is an encoded [`Down::Log`].
    #[n(0)]
    entries: Vec<Blob>,
    #[n(1)]
    state: Option<State>,
}

impl State {
    /// Returns whether a meeting can have this state.
    fn is_valid(&self) -> bool {
        self.members.len() <= MAX_MEMBERS
            && self.gone.len() <= MAX_MEMBERS
            && self.start <= self.next
            && self.next <= MAX_POSITION
    }
}

impl Unstored {
    /// Returns the changes of a meeting of which nothing is stored.
    pub fn all() -> Self {
        Self { state: true, ..Self::default() }
    }

    /// Notes a new entry of the log.
    pub fn add(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    /// Notes that something other than the log has changed.
    pub fn change_state(&mut self) {
        self.state = true;
    }

    /// Notes that the counter of a signed command has changed. That alone is stored with the next change, or by
    /// [`Self::handle_tick`]: nobody but its author can send such a command again, and if it had changed anything else, its counter
    /// would have been stored with that.
    pub fn change_counter(&mut self) {
        self.counters = true;
    }

    /// Notes that some time has passed: counters that have changed are stored now.
    pub fn handle_tick(&mut self) {
        self.state |= self.counters;
    }

    /// Returns what is to be stored of the changes; `None` if nothing changed. `describe` returns the state now.
    pub fn take(&mut self, log: &Log, describe: impl Fn() -> State) -> Option<Change> {
        let (entries, state) = (std::mem::take(&mut self.entries), std::mem::take(&mut self.state));
        if entries.is_empty() && !state {
            return None;
        }
        self.counters &= !state;
        let batch = encode(&entries, state.then(&describe));
        let appended = self.appended.map(|appended| appended + batch.len());
        self.appended = appended.filter(|appended| *appended <= log.bytes() + SLACK);
        if self.appended.is_some() {
            return Some(Change::Append(batch));
        }
        (self.appended, self.counters) = (Some(0), false);
        Some(Change::Replace(encode(&log.entries(), Some(describe()))))
    }
}

/// Returns the state and the entries that are in `batches`, in the order in which they were stored. Returns `None` if the
/// batches are damaged.
pub fn decode(batches: &[Vec<u8>]) -> Option<(State, Vec<Entry>)> {
    let (mut entries, mut latest) = (Vec::new(), None::<State>);
    for bytes in batches {
        let batch: Batch = minicbor::decode(bytes).ok()?;
        for Blob(message) in batch.entries {
            let Ok(Down::Log { position, entry }) = proto::decode(&message) else { return None };
            if let Some(state) = &mut latest {
                state.next = Position(position.0.checked_add(1)?);
            }
            let told = matches!(entry, LogEntry::Told { .. });
            entries.push(Entry { position, told, message: message.into() });
        }
        latest = batch.state.or(latest);
    }
    Some((latest.filter(State::is_valid)?, entries))
}

fn encode(entries: &[Entry], state: Option<State>) -> Vec<u8> {
    let entries = entries.iter().map(|entry| Blob(entry.message.to_vec())).collect();
    proto::encode(&Batch { entries, state })
}

/// Bytes that may be appended in addition to the length of the log.
const SLACK: usize = 256 << 10;

/// The highest position of a log that is continued. No meeting reaches it. The positions after it do not overflow.
const MAX_POSITION: Position = Position(u64::MAX / 2);

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        State {
            meeting: MeetingId([1; 16]),
            chain: Blob(vec![1]),
            admission_key: Blob(vec![2]),
            locked: false,
            members: vec![MemberState { participant: ParticipantId(1), manager: true, last_counter: None }],
            gone: Vec::new(),
            epoch: Epoch(0),
            start: Position(2),
            next: Position(3),
        }
    }

    #[test]
    fn a_state_that_no_meeting_can_have_is_damaged() {
        let is_valid = |state| decode(&[encode(&[], Some(state))]).is_some();
        assert!(is_valid(state()));
        assert!(!is_valid(State { start: Position(4), ..state() }));
        assert!(!is_valid(State { next: Position(u64::MAX), ..state() }), "the next position would overflow");
        assert!(!is_valid(State {
            gone: vec![GoneMember { participant: ParticipantId(1), by: None }; MAX_MEMBERS + 1],
            ..state()
        }));
    }

    #[test]
    fn a_batch_with_other_bytes_than_log_entries_is_damaged() {
        let message = proto::encode(&Down::Resumed).into();
        let entry = Entry { position: Position(2), told: false, message };
        assert!(decode(&[encode(&[entry], Some(state()))]).is_none());
    }
}
