//! The states of the group after each commit of the log, and the manager's beacons about them.
//!
//! A manager's beacon is the only evidence, besides a manager's commit, that this client has lost the group: numbers that a member or
//! the server claims are not authenticated.

use proto::ParticipantId;
use std::collections::BTreeMap;

/// The state of the group at one epoch of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct GroupState {
    /// The MLS epoch.
    pub mls_epoch: u64,
    /// The hash of the confirmed transcript hash.
    pub transcript: [u8; 32],
}

/// The newest states, by the log's epoch.
#[derive(Default)]
pub(super) struct GroupStateHistory {
    states: BTreeMap<u64, GroupState>,
    /// A verified beacon about a later epoch of the log, and its author.
    beacon: Option<(u64, GroupState, ParticipantId)>,
}

impl GroupStateHistory {
    /// Records the state at the log's epoch `epoch`. Returns false if a beacon says otherwise.
    pub(super) fn record(&mut self, epoch: u64, state: GroupState) -> bool {
        self.states.insert(epoch, state);
        while self.states.len() > MAX_STATES {
            self.states.pop_first();
        }
        self.beacon.take_if(|beacon| beacon.0 <= epoch).is_none_or(|beacon| self.agrees(beacon.0, beacon.1))
    }

    /// Handles a beacon whose signature was verified. Returns false if this client's state differs.
    pub(super) fn handle_beacon(&mut self, from: ParticipantId, epoch: u64, state: GroupState) -> bool {
        let is_later = self.states.last_key_value().is_some_and(|newest| *newest.0 < epoch);
        if is_later {
            self.beacon = Some((epoch, state, from));
            return true;
        }
        self.agrees(epoch, state)
    }

    /// Handles that `leader` leads from now on. The word of another manager does not count any more.
    pub(super) fn handle_leader(&mut self, leader: Option<ParticipantId>) {
        self.beacon.take_if(|beacon| Some(beacon.2) != leader);
    }

    /// Returns true if the commit that ended the log's epoch `epoch` was merged here.
    pub(super) fn was_merged(&self, epoch: u64) -> bool {
        let (before, after) = (self.states.get(&epoch), self.states.get(&epoch.saturating_add(1)));
        before.zip(after).is_some_and(|(before, after)| before != after)
    }

    /// Returns the state at an epoch of the log; `None` if it is not known.
    pub(super) fn state(&self, epoch: u64) -> Option<GroupState> {
        self.states.get(&epoch).copied()
    }

    /// Returns the newest epoch of the log with a state; `None` if there is none.
    pub(super) fn newest(&self, state: GroupState) -> Option<u64> {
        self.states.iter().rev().find(|(_, mine)| **mine == state).map(|(epoch, _)| *epoch)
    }

    fn agrees(&self, epoch: u64, state: GroupState) -> bool {
        self.states.get(&epoch).is_none_or(|mine| *mine == state)
    }
}

/// How many states are kept. A beacon comes at each epoch, so it is about one of the newest.
const MAX_STATES: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: ParticipantId = ParticipantId(1);

    fn state(mls_epoch: u64, byte: u8) -> GroupState {
        GroupState { mls_epoch, transcript: [byte; 32] }
    }

    #[test]
    fn a_beacon_is_compared_with_the_state_of_its_own_epoch() {
        let mut history = GroupStateHistory::default();
        assert!(history.record(4, state(4, 4)) && history.record(5, state(5, 5)));
        assert!(history.handle_beacon(ADA, 4, state(4, 4)) && history.handle_beacon(ADA, 5, state(5, 5)));
        assert!(!history.handle_beacon(ADA, 5, state(4, 4)));
        assert!(!history.handle_beacon(ADA, 5, state(5, 6)));
        assert!(history.handle_beacon(ADA, 3, state(9, 9)), "the state of epoch 3 is not known here");
    }

    #[test]
    fn a_beacon_about_a_later_epoch_waits_for_it() {
        let mut history = GroupStateHistory::default();
        assert!(history.record(4, state(4, 4)));
        assert!(history.handle_beacon(ADA, 6, state(5, 5)));
        assert!(history.record(5, state(5, 5)));
        assert!(!history.record(6, state(5, 1)));
    }

    #[test]
    fn a_beacon_about_a_later_epoch_is_forgotten_if_its_author_does_not_lead_any_more() {
        let mut history = GroupStateHistory::default();
        assert!(history.record(4, state(4, 4)) && history.handle_beacon(ADA, 5, state(9, 9)));
        history.handle_leader(Some(ParticipantId(2)));
        assert!(history.record(5, state(5, 5)));
    }

    #[test]
    fn a_commit_that_changed_nothing_was_not_merged() {
        let mut history = GroupStateHistory::default();
        history.record(4, state(4, 4));
        history.record(5, state(4, 4));
        history.record(6, state(5, 5));
        assert!(!history.was_merged(4) && history.was_merged(5) && !history.was_merged(6));
    }

    #[test]
    fn the_history_is_bounded() {
        let mut history = GroupStateHistory::default();
        for epoch in 0..1_000 {
            history.record(epoch, state(epoch, 0));
        }
        assert_eq!(history.states.len(), MAX_STATES);
    }
}
