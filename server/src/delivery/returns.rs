//! Organisers that ask to come back, and the turns of the members that answer them.
//!
//! Any member may add an organiser whose request the authority has signed, and the server cannot check a Welcome. An
//! organiser that has entered the group sends a signed command at once. If it sends none, the Welcome may have been a false
//! one. So the member that sent it answers no other request until all connected members have had their turn, or for
//! [`TURN_TIMEOUT`]. If a member's answer comes too late because another member has committed, the next commit is reserved
//! for it. Otherwise a member that has had its turn could end each epoch before the others answer.
//!
//! A commit may add the organiser without a Welcome: the members then take it for one of them, and it hears nothing. The server
//! cannot see that. So while an organiser waits, for [`GUARD_TIME`] at most, members commit nothing but answers to it. A false one costs
//! a turn, and its Welcome tells the organiser to ask again. After that time other commits pass, so that an organiser whom
//! nobody answers keeps no member from removing others or updating its keys.

use proto::ParticipantId;
use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

/// The organisers that asked to come back, and the members that have had their turn. Each list is bounded.
#[derive(Debug, Default)]
pub struct Returns {
    /// The last organisers that asked, oldest first, and until when members commit only answers to them. At most [`MAX_RETURNED`].
    asked: VecDeque<(ParticipantId, Instant)>,
    /// The turns that no signed command has confirmed, oldest first. At most [`MAX_TURNS`].
    unconfirmed: VecDeque<Turn>,
    /// The member for which the next commit is reserved, and until when.
    reserved: Option<(ParticipantId, Instant)>,
}

/// The turn that a member has had.
#[derive(Debug)]
struct Turn {
    member: ParticipantId,
    /// The organiser that it has admitted. `None` if a commit was reserved for the member and it has admitted nobody.
    admitted: Option<ParticipantId>,
    /// When the turn is forgotten.
    until: Instant,
}

impl Returns {
    /// Notes a request that the authority has signed.
    pub fn handle_request(&mut self, organiser: ParticipantId, now: Instant) {
        self.asked.push_back((organiser, now + GUARD_TIME));
        if self.asked.len() > MAX_RETURNED {
            self.asked.pop_front();
        }
    }

    /// Returns whether this organiser has asked to come back.
    pub fn contains(&self, organiser: ParticipantId) -> bool {
        self.asked.iter().any(|(asked, _)| *asked == organiser)
    }

    /// Returns whether members may commit nothing but answers, because an organiser has asked a short time ago and `waits`.
    pub fn are_guarded(&self, waits: impl Fn(ParticipantId) -> bool, now: Instant) -> bool {
        self.asked.iter().any(|(organiser, until)| now < *until && waits(*organiser))
    }

    /// Returns whether `from` may commit now. `is_answer` is true if the commit admits an organiser that waits. If all
    /// `connected` members have had their turn, all turns start again.
    pub fn has_turn(
        &mut self,
        from: ParticipantId,
        is_answer: bool,
        connected: impl IntoIterator<Item = ParticipantId>,
        now: Instant,
    ) -> bool {
        self.reserved.take_if(|(_, until)| *until <= now);
        self.unconfirmed.retain(|turn| now < turn.until);
        if let Some((member, _)) = self.reserved {
            return member == from;
        }
        if !is_answer {
            return true;
        }
        let answered: BTreeSet<_> = self.unconfirmed.iter().map(|turn| turn.member).collect();
        if connected.into_iter().all(|member| answered.contains(&member)) {
            self.unconfirmed.clear();
            return true;
        }
        !answered.contains(&from)
    }

    /// Notes that `from` has admitted an organiser.
    pub fn handle_answer(&mut self, from: ParticipantId, organiser: ParticipantId, now: Instant) {
        self.reserved.take_if(|(member, _)| *member == from);
        self.unconfirmed.retain(|turn| turn.member != from || turn.admitted.is_some());
        self.note(Turn { member: from, admitted: Some(organiser), until: now + TURN_TIMEOUT });
    }

    /// Reserves the next commit for a member whose answer came too late. This is the member's turn, even if it does not
    /// commit. Does nothing if a commit is reserved already.
    pub fn reserve(&mut self, from: ParticipantId, until: Instant, now: Instant) {
        if self.reserved.is_none() {
            self.reserved = Some((from, until));
            self.note(Turn { member: from, admitted: None, until: now + TURN_TIMEOUT });
        }
    }

    /// Notes that an organiser has sent a signed command: it is in the group, so its Welcome was valid.
    pub fn confirm(&mut self, organiser: ParticipantId) {
        self.unconfirmed.retain(|turn| turn.admitted != Some(organiser));
    }

    /// Forgets a member that has left.
    pub fn forget(&mut self, member: ParticipantId) {
        self.unconfirmed.retain(|turn| turn.member != member);
        self.reserved.take_if(|(reserved, _)| *reserved == member);
    }

    fn note(&mut self, turn: Turn) {
        self.unconfirmed.push_back(turn);
        if self.unconfirmed.len() > MAX_TURNS {
            self.unconfirmed.pop_front();
        }
    }
}

/// The maximum number of organisers in [`Returns::asked`].
const MAX_RETURNED: usize = 64;

/// How long members commit nothing but answers after an organiser has asked. An honest member of any rank has answered before, and
/// an organiser gives up and asks again before.
const GUARD_TIME: Duration = Duration::from_secs(40);

/// The maximum number of turns: one of each member, and more for the members that admit several organisers.
const MAX_TURNS: usize = 2 * proto::MAX_MEMBERS;

/// The longest time until a member's next turn. Without it, one connected member that never answers would keep the turns from
/// starting again.
const TURN_TIMEOUT: Duration = Duration::from_mins(5);
