//! The participants that are gone, and those that gave up waiting.

use proto::{GoneMember, MAX_MEMBERS, ParticipantId};
use std::collections::{BTreeSet, VecDeque};

/// The last participants of a meeting that do not come back under the same id. Each list has at most [`MAX_MEMBERS`].
#[derive(Debug, Default)]
pub struct Departed {
    /// Those that are logged as gone, oldest first. No commit takes anyone off this list: it may be invalid, and nobody may add such a
    /// participant again. Each member keeps the same list.
    gone: VecDeque<GoneMember>,
    /// Those of `gone` that no accepted commit names. The commit of a member that does may come early, once: the server cannot see
    /// whether it removes them.
    unremoved: BTreeSet<ParticipantId>,
    /// Those that withdrew their requests. A Welcome may still come for them.
    withdrawn: VecDeque<ParticipantId>,
}

impl Departed {
    /// Returns the lists of a meeting that was stored. Who withdrew is not stored.
    pub fn new(gone: Vec<GoneMember>) -> Self {
        let unremoved = gone.iter().map(|gone| gone.participant).collect();
        Self { gone: gone.into(), unremoved, withdrawn: VecDeque::new() }
    }

    /// Adds a participant that is logged as gone. The first entry about a participant counts.
    pub fn add(&mut self, member: GoneMember) {
        if !self.contains(member.participant) {
            self.unremoved.insert(member.participant);
            if let Some(oldest) = push(&mut self.gone, member) {
                self.unremoved.remove(&oldest.participant);
            }
        }
    }

    /// Adds a participant that withdrew its request.
    pub fn add_withdrawn(&mut self, participant: ParticipantId) {
        push(&mut self.withdrawn, participant);
    }

    /// Returns whether a participant is logged as gone.
    pub fn contains(&self, participant: ParticipantId) -> bool {
        self.gone.iter().any(|gone| gone.participant == participant)
    }

    /// Returns whether all of these are. Both lists may have a thousand names, so they are not compared one by one.
    pub fn contains_all(&self, named: &[ParticipantId]) -> bool {
        let named: BTreeSet<_> = named.iter().collect();
        let found = self.gone.iter().filter(|gone| named.contains(&gone.participant));
        found.count() == named.len()
    }

    /// Returns whether a commit that names these participants may remove somebody whom none before has named.
    pub fn is_needed(&self, removed: &[ParticipantId]) -> bool {
        removed.iter().any(|gone| self.unremoved.contains(gone))
    }

    /// Handles an accepted commit that names these participants.
    pub fn handle_commit(&mut self, removed: &[ParticipantId]) {
        for participant in removed {
            self.unremoved.remove(participant);
        }
    }

    /// Returns whether a participant withdrew its request.
    pub fn has_withdrawn(&self, participant: ParticipantId) -> bool {
        self.withdrawn.contains(&participant)
    }

    /// Returns those that are gone, oldest first.
    pub fn list(&self) -> Vec<GoneMember> {
        self.gone.iter().copied().collect()
    }
}

/// Adds an item, and returns the oldest one if there is no room for it any more.
fn push<T>(list: &mut VecDeque<T>, item: T) -> Option<T> {
    list.push_back(item);
    if list.len() > MAX_MEMBERS { list.pop_front() } else { None }
}
