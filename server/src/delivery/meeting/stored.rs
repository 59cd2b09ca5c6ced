//! What of a meeting is stored, so that its members resume after the server was killed. Pure: bytes in, bytes out.
//!
//! The bytes of a meeting are one batch with everything, followed by a batch for each change. They hold what the service
//! knows anyway: random ids, public keys and ciphertext. Connections, requests to be admitted and rates are not stored.

use super::Meeting;
use crate::delivery::authority::Authority;
use crate::delivery::log::{Entry, Log};
use crate::delivery::members::{Member, Members};
use crate::delivery::returns::Returns;
use crate::delivery::settings::Settings;
use crate::delivery::waiting::Waiting;
use minicbor::{CborLen, Decode, Encode};
use proto::{Blob, Epoch, MeetingId, ParticipantId, Position};
use std::sync::Arc;
use std::time::Instant;

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

/// What changed in a meeting since the last [`take_change`].
#[derive(Debug, Default)]
pub struct Unstored {
    /// The new entries of the log.
    entries: Vec<Entry>,
    /// True if anything but the log changed.
    pub state: bool,
    /// Bytes that are stored. `None` before the first batch.
    stored: Option<usize>,
}

impl Unstored {
    /// Returns the changes of a meeting of which nothing is stored.
    pub fn all() -> Self {
        Self { state: true, ..Self::default() }
    }

    /// Notes a new entry of the log, if meetings are stored.
    pub fn add(&mut self, entry: Entry, settings: &Settings) {
        if settings.stores {
            self.entries.push(entry);
        }
    }
}

/// New entries of the log, and the state after them. Without a state, only the log changed.
#[derive(Debug, Encode, Decode, CborLen)]
struct Batch {
    #[n(0)]
    entries: Vec<StoredEntry>,
    #[n(1)]
    state: Option<State>,
}

#[derive(Debug, Encode, Decode, CborLen)]
struct StoredEntry {
    #[n(0)]
    position: Position,
    /// True for an application message.
    #[n(1)]
    told: bool,
    /// The encoded [`proto::Down::Log`].
    #[cbor(n(2), with = "minicbor::bytes")]
    message: Vec<u8>,
}

#[derive(Debug, Encode, Decode, CborLen)]
struct State {
    #[n(0)]
    meeting: MeetingId,
    #[n(1)]
    chain: Blob,
    #[n(2)]
    admission_key: Blob,
    #[n(3)]
    locked: bool,
    #[n(4)]
    members: Vec<StoredMember>,
    #[n(5)]
    gone: Vec<ParticipantId>,
    #[n(6)]
    epoch: Epoch,
    /// The first position that can be replayed.
    #[n(7)]
    start: Position,
    /// The position of the next entry.
    #[n(8)]
    next: Position,
}

#[derive(Debug, Encode, Decode, CborLen)]
struct StoredMember {
    #[n(0)]
    participant: ParticipantId,
    #[n(1)]
    manager: bool,
    #[n(2)]
    last_counter: Option<u64>,
}

/// Returns what is to be stored of the changes since the last call; `None` if nothing changed.
pub fn take_change(meeting: &mut Meeting) -> Option<Change> {
    let Unstored { entries, state, stored } = std::mem::take(&mut meeting.unstored);
    meeting.unstored.stored = stored;
    if entries.is_empty() && !state {
        return None;
    }
    let batch = encode(entries.iter(), state.then(|| describe(meeting)));
    let appended = stored.map(|stored| stored + batch.len());
    // A file holds at most twice what is needed, and `SLACK`.
    if let Some(length) = appended.filter(|length| *length <= 2 * meeting.log.bytes() + SLACK) {
        meeting.unstored.stored = Some(length);
        return Some(Change::Append(batch));
    }
    let all = encode(meeting.log.entries().iter(), Some(describe(meeting)));
    meeting.unstored.stored = Some(0);
    Some(Change::Replace(all))
}

/// Returns the meeting `id` that `batches` describe, or `None` if they are damaged. All its members are absent.
pub fn restore(id: MeetingId, batches: &[Vec<u8>], settings: Arc<Settings>, now: Instant) -> Option<Meeting> {
    let (mut entries, mut latest, mut next) = (Vec::new(), None::<State>, Position(0));
    for bytes in batches {
        let batch: Batch = minicbor::decode(bytes).ok()?;
        for StoredEntry { position, told, message } in batch.entries {
            next = Position(position.0.checked_add(1)?);
            entries.push(Entry { position, told, message: message.into() });
        }
        if let Some(state) = batch.state {
            next = state.next;
            latest = Some(state);
        }
    }
    let latest = latest.filter(|state| state.meeting == id)?;
    let State { chain, admission_key, locked, members, gone, epoch, start, .. } = latest;
    let authority = Authority::restore(id, chain.0, admission_key)?;
    let mut restored = Members::default();
    for StoredMember { participant, manager, last_counter } in members {
        restored.insert(participant, Member::absent(start, manager, last_counter, &settings.limits, now));
    }
    let log = Log::restore(settings.limits.log_entries, settings.limits.log_bytes, start..next, entries);
    let waiting = Waiting::new(&settings.limits, now);
    Some(Meeting {
        id,
        settings,
        authority,
        is_locked: locked,
        members: restored,
        waiting,
        returns: Returns::default(),
        gone: gone.into(),
        log,
        epoch,
        reserved_until: None,
        // The first change replaces the file, which may end in the middle of a batch.
        unstored: Unstored::all(),
    })
}

fn describe(meeting: &Meeting) -> State {
    let members = meeting.members.iter().map(|(participant, member)| StoredMember {
        participant,
        manager: member.is_manager,
        last_counter: member.last_counter(),
    });
    State {
        meeting: meeting.id,
        chain: meeting.authority.chain(),
        admission_key: meeting.authority.admission_key().clone(),
        locked: meeting.is_locked,
        members: members.collect(),
        gone: meeting.gone.iter().copied().collect(),
        epoch: meeting.epoch,
        start: meeting.log.start(),
        next: meeting.log.end(),
    }
}

fn encode<'a>(entries: impl Iterator<Item = &'a Entry>, state: Option<State>) -> Vec<u8> {
    let stored =
        |entry: &Entry| StoredEntry { position: entry.position, told: entry.told, message: entry.message.to_vec() };
    proto::encode(&Batch { entries: entries.map(stored).collect(), state })
}

/// Bytes that a meeting's file may hold in addition to twice the log.
const SLACK: usize = 256 << 10;
