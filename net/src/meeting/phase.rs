//! Where a client is on its way into the meeting, and back.

use super::joined_meeting::JoinedMeeting;
use super::joining::Joining;
use super::problems::Awaited;
use super::recovery::{Recovery, Stage};

pub(super) enum Phase {
    Joining(Joining),
    Member(Box<JoinedMeeting>),
    /// The connection or the group is lost. Keys and members stay until this client is back. They are `None` for an
    /// organiser that has got a false Welcome before it was in the group, and asks again.
    Recovering(Option<Box<JoinedMeeting>>, Recovery),
    Over,
}

impl Phase {
    /// Returns the meeting of a member, also while its connection is lost.
    pub(super) fn joined(&self) -> Option<&JoinedMeeting> {
        match self {
            Phase::Member(joined) | Phase::Recovering(Some(joined), _) => Some(joined),
            Phase::Joining(_) | Phase::Recovering(None, _) | Phase::Over => None,
        }
    }

    /// Returns true if the server must send something from time to time.
    pub(super) fn expects_server(&self) -> bool {
        match self {
            Phase::Joining(_) | Phase::Member(_) => true,
            Phase::Recovering(_, recovery) => recovery.expects_answer(),
            Phase::Over => false,
        }
    }

    /// Returns the answer that this client awaits.
    pub(super) fn awaited(&self) -> Awaited {
        match self {
            Phase::Joining(joining) => joining.awaited(),
            Phase::Recovering(_, recovery) => recovery.awaited(),
            Phase::Member(_) | Phase::Over => Awaited::Nothing,
        }
    }
}

/// Returns the entry of a client that is not a member and has no group to come back to.
pub(super) fn joining(phase: &mut Phase) -> Option<&mut Joining> {
    match phase {
        Phase::Joining(joining) => Some(joining),
        Phase::Recovering(None, recovery) => match recovery.stage() {
            Stage::Joining(joining) => Some(joining),
            Stage::Waiting(_) | Stage::Connecting | Stage::Greeting | Stage::Resuming => None,
        },
        Phase::Member(_) | Phase::Recovering(Some(_), _) | Phase::Over => None,
    }
}
