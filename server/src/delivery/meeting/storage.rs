//! What is stored of a meeting, so that it continues after its server was killed.

use super::super::authority::Authority;
use super::super::log::Log;
use super::super::members::{Member, Members};
use super::super::returns::Returns;
use super::super::settings::Settings;
use super::super::stored::{self, Change, MemberState, State, Unstored};
use super::super::waiting::Waiting;
use super::Meeting;
use super::departures::Departures;
use proto::MeetingId;
use std::sync::Arc;
use std::time::Instant;

/// Returns what is to be stored of the changes since the last call; `None` if nothing changed.
pub fn take_change(meeting: &mut Meeting) -> Option<Change> {
    let mut unstored = std::mem::take(&mut meeting.unstored);
    let change = unstored.take(&meeting.log, || state(meeting));
    meeting.unstored = unstored;
    change
}

/// Returns the meeting `id` that `batches` describe, or `None` if they are damaged. All its members are absent.
pub fn restore(id: MeetingId, batches: &[Vec<u8>], settings: Arc<Settings>, now: Instant) -> Option<Meeting> {
    let (state, entries) = stored::decode(batches)?;
    let State { meeting, chain, admission_key, locked, members: stored, gone, epoch, start, next } = state;
    let authority = Authority::restore(id, chain.0, admission_key).filter(|_| meeting == id)?;
    let (limits, mut members) = (&settings.limits, Members::default());
    for MemberState { participant, manager, last_counter } in stored {
        members.insert(participant, Member::absent(start, manager, last_counter, limits, now));
    }
    let log = Log::restore(limits.log_entries, limits.log_bytes, start..next, entries);
    let waiting = Waiting::new(limits, now);
    Some(Meeting {
        id,
        settings,
        authority,
        is_locked: locked,
        members,
        waiting,
        returns: Returns::default(),
        departures: Departures::restore(gone),
        log,
        epoch,
        reserved_until: None,
        // The first change replaces the file, which may end in the middle of a batch.
        unstored: Unstored::all(),
        #[cfg(test)]
        panics: false,
    })
}

fn state(meeting: &Meeting) -> State {
    let members = meeting.members.iter().map(|(participant, member)| MemberState {
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
        gone: meeting.departures.gone(),
        epoch: meeting.epoch,
        start: meeting.log.start(),
        next: meeting.log.end(),
    }
}
