//! Organisers that ask to come back, and whose turn it is to answer them.
//!
//! Any member may add an organiser that the authority has vouched for, and the server cannot check a Welcome. An organiser
//! that has entered the group sends a signed command at once. A member that has admitted one which sent none may have sent a
//! false Welcome, so it answers no other request until all connected members have had their turn, or for
//! [`TURN_MEMORY`]. If a member's answer loses against a commit of another member, the next commit is reserved for it, so
//! that a member without a turn cannot keep the others from answering by commits of its own.

use proto::ParticipantId;
use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

/// The organisers that asked to come back, and the members that have answered. Each list is bounded.
#[derive(Debug, Default)]
pub struct Returns {
    /// The last organisers that asked, oldest first. At most [`MAX_RETURNED`].
    asked: VecDeque<ParticipantId>,
    /// The answers that no signed command has confirmed, oldest first. At most [`MAX_ANSWERS`].
    unconfirmed: VecDeque<Answer>,
    /// The member for which the next commit is reserved, and until when.
    reserved: Option<(ParticipantId, Instant)>,
}

/// A member has had its turn.
#[derive(Debug)]
struct Answer {
    from: ParticipantId,
    /// The organiser that it has admitted. `None` if the next commit was reserved for it and it has not used that yet.
    admitted: Option<ParticipantId>,
    until: Instant,
}

impl Returns {
    /// Notes a request that the authority has signed.
    pub fn handle_request(&mut self, organiser: ParticipantId) {
        self.asked.push_back(organiser);
        if self.asked.len() > MAX_RETURNED {
            self.asked.pop_front();
        }
    }

    /// Returns whether this organiser has asked to come back.
    pub fn contains(&self, organiser: ParticipantId) -> bool {
        self.asked.contains(&organiser)
    }

    /// Returns whether `from` may commit now. `is_answer` is true if the commit admits an organiser that waits. If no
    /// `connected` member could answer, all turns start again.
    pub fn has_turn(
        &mut self,
        from: ParticipantId,
        is_answer: bool,
        connected: impl IntoIterator<Item = ParticipantId>,
        now: Instant,
    ) -> bool {
        self.reserved.take_if(|(_, until)| *until <= now);
        self.unconfirmed.retain(|answer| now < answer.until);
        if let Some((member, _)) = self.reserved {
            return member == from;
        }
        if !is_answer {
            return true;
        }
        let answered: BTreeSet<_> = self.unconfirmed.iter().map(|answer| answer.from).collect();
        if connected.into_iter().all(|member| answered.contains(&member)) {
            self.unconfirmed.clear();
            return true;
        }
        !answered.contains(&from)
    }

    /// Notes that `from` has admitted an organiser.
    pub fn handle_answer(&mut self, from: ParticipantId, organiser: ParticipantId, now: Instant) {
        self.reserved.take_if(|(member, _)| *member == from);
        self.unconfirmed.retain(|answer| answer.from != from || answer.admitted.is_some());
        self.note(Answer { from, admitted: Some(organiser), until: now + TURN_MEMORY });
    }

    /// Reserves the next commit for a member whose answer came too late. It is the turn of that member, also if it does not
    /// use it.
    pub fn reserve(&mut self, from: ParticipantId, until: Instant, now: Instant) {
        if self.reserved.is_none() {
            self.reserved = Some((from, until));
            self.note(Answer { from, admitted: None, until: now + TURN_MEMORY });
        }
    }

    /// Notes that an organiser has sent a signed command: it is in the group, so its Welcome was a true one.
    pub fn confirm(&mut self, organiser: ParticipantId) {
        self.unconfirmed.retain(|answer| answer.admitted != Some(organiser));
    }

    /// Forgets a member that has left.
    pub fn forget(&mut self, member: ParticipantId) {
        self.unconfirmed.retain(|answer| answer.from != member);
        self.reserved.take_if(|(reserved, _)| *reserved == member);
    }

    fn note(&mut self, answer: Answer) {
        self.unconfirmed.push_back(answer);
        if self.unconfirmed.len() > MAX_ANSWERS {
            self.unconfirmed.pop_front();
        }
    }
}

/// How many organisers that asked to come back are remembered.
const MAX_RETURNED: usize = 64;

/// How many answers are remembered: one commit of each member, and a few that admit several organisers.
const MAX_ANSWERS: usize = 2 * proto::MAX_MEMBERS;

/// How long a member waits for its next turn at most. A member that says nothing cannot end the turns of the others.
const TURN_MEMORY: Duration = Duration::from_mins(5);
