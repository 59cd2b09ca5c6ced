//! Updates of the own keys that some members cannot read.

use super::super::group_log::expect_own;
use super::super::{Meeting, Phase};
use crypto::group::hostile;
use proto::{Blob, ParticipantId, Up};
use std::time::Instant;

/// Returns an update of this member's keys that `victims` cannot read, nor those who share their keys in the tree. All others merge it,
/// this client included. `None` if it is no member, or has a commit pending.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "it is a hostile client")]
pub fn half_valid(meeting: &mut Meeting, victims: &[ParticipantId], now: Instant) -> Option<Up> {
    let Phase::Member(joined) = &mut meeting.phase else { return None };
    let leaves: Vec<_> = victims.iter().filter_map(|id| joined.roster.leaf(*id)).collect();
    let blob = Blob(hostile::half_valid(joined.log.group_mut(), &leaves).ok()?);
    expect_own(&mut joined.log, &blob, now);
    Some(Up::Commit { epoch: joined.log.epoch(), blob, removed: Vec::new(), welcome: None })
}
