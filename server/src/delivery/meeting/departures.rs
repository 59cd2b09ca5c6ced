//! Who has left a meeting, and who has not waited for the answer.

use super::super::members::contains_all;
use proto::{GoneMember, MAX_MEMBERS, ParticipantId};
use std::collections::{BTreeSet, VecDeque};

/// Participants that are logged as gone, and requests that were withdrawn. At most [`MAX_MEMBERS`] each.
#[derive(Debug, Default)]
pub struct Departures {
    /// Participants that are logged as gone, oldest first, unless a manager's commit has removed them. A member's commit
    /// takes no one off this list: it may be invalid.
    gone: VecDeque<GoneMember>,
    /// Those of `gone` that no accepted commit of a member names. The commit of such a member may come early, once: the
    /// server cannot see whether it removes them.
    unremoved: BTreeSet<ParticipantId>,
    /// The last requests that were withdrawn. A Welcome may still come for them.
    withdrawn: VecDeque<ParticipantId>,
}

impl Departures {
    /// Returns the departures of a stored meeting.
    pub fn restore(gone: Vec<GoneMember>) -> Self {
        let unremoved = gone.iter().map(|gone| gone.participant).collect();
        Self { gone: gone.into(), unremoved, withdrawn: VecDeque::new() }
    }

    /// Returns those who are logged as gone, oldest first.
    pub fn gone(&self) -> Vec<GoneMember> {
        self.gone.iter().copied().collect()
    }

    /// Returns true if a participant is logged as gone.
    pub fn contains(&self, participant: ParticipantId) -> bool {
        self.gone.iter().any(|gone| gone.participant == participant)
    }

    /// Returns true if all of them are logged as gone.
    pub fn contains_all(&self, participants: &[ParticipantId]) -> bool {
        contains_all(self.gone.iter().map(|gone| &gone.participant), participants)
    }

    /// Notes that a participant is logged as gone.
    pub fn add(&mut self, member: GoneMember) {
        self.gone.push_back(member);
        self.unremoved.insert(member.participant);
        if self.gone.len() > MAX_MEMBERS
            && let Some(oldest) = self.gone.pop_front()
        {
            self.unremoved.remove(&oldest.participant);
        }
    }

    /// Returns true if a commit that names these participants may remove somebody whom none before has named.
    pub fn is_needed(&self, removed: &[ParticipantId]) -> bool {
        removed.iter().any(|gone| self.unremoved.contains(gone))
    }

    /// Handles an accepted commit of a member that names these participants.
    pub fn handle_commit(&mut self, removed: &[ParticipantId]) {
        for participant in removed {
            self.unremoved.remove(participant);
        }
    }

    /// Handles an accepted commit of a manager that removes these participants.
    pub fn handle_removal(&mut self, removed: &[ParticipantId]) {
        self.handle_commit(removed);
        let named: BTreeSet<_> = removed.iter().collect();
        self.gone.retain(|gone| !named.contains(&gone.participant));
    }

    /// Notes that a request was withdrawn.
    pub fn withdraw(&mut self, participant: ParticipantId) {
        self.withdrawn.push_back(participant);
        if self.withdrawn.len() > MAX_MEMBERS {
            self.withdrawn.pop_front();
        }
    }

    /// Returns true if the request of a participant was withdrawn.
    pub fn has_withdrawn(&self, participant: ParticipantId) -> bool {
        self.withdrawn.contains(&participant)
    }
}
