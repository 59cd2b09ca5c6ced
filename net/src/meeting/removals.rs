//! Removes members that the user wants removed, and members that left.

use super::Notice;
use super::group_log::GroupLog;
use super::outputs::Outputs;
use super::roster::Roster;
use crypto::Leaf;
use proto::ParticipantId;
use std::collections::BTreeSet;
use std::time::Instant;

/// Members that the user wants removed. A request is kept until a commit, by any member, has removed the member.
#[derive(Default)]
pub(super) struct Removals {
    requested: BTreeSet<ParticipantId>,
}

impl Removals {
    /// Requests a removal. The caller checks that this client is the organiser.
    pub(super) fn request(&mut self, participant: ParticipantId) {
        self.requested.insert(participant);
    }

    /// Drops requests for participants who are no longer members.
    pub(super) fn handle_group_change(&mut self, roster: &Roster) {
        self.requested.retain(|id| roster.contains(*id));
    }

    /// Sends a commit that removes all members that are due. Returns false if none was sent.
    pub(super) fn commit(
        &mut self,
        roster: &mut Roster,
        log: &mut GroupLog,
        now: Instant,
        outputs: &mut Outputs,
    ) -> bool {
        let due: BTreeSet<_> = roster.due_removals(now).into_iter().chain(self.requested.iter().copied()).collect();
        let leaves: Vec<Leaf> = due.into_iter().filter_map(|id| roster.leaf(id)).collect();
        if leaves.is_empty() {
            return false;
        }
        if log.commit_removals(&leaves, now, outputs) {
            return true;
        }
        for participant in std::mem::take(&mut self.requested) {
            outputs.notice(Notice::CannotRemove(participant));
        }
        roster.postpone_removals(now);
        false
    }
}

#[cfg(test)]
mod tests {
    use super::super::timing::REMOVAL_INTERVAL;
    use super::super::{Event, MediaState};
    use super::*;
    use crypto::{DeviceKey, Group, Identity, Profile};
    use proto::{Epoch, MeetingId, Position};

    const ME: ParticipantId = ParticipantId(1);

    /// The removals of an organiser whose group has no other member, so that no removal succeeds.
    struct Failing {
        removals: Removals,
        roster: Roster,
        log: GroupLog,
        now: Instant,
    }

    impl Failing {
        fn new(others: &[u64]) -> Self {
            let (identity, profile) = (Identity::generate().unwrap(), Profile::new("Ada").unwrap());
            let group = Group::create(&identity, profile, ME, MeetingId([7; 16])).unwrap();
            let now = Instant::now();
            let mut failing = Self {
                removals: Removals::default(),
                roster: Roster::new(ME, Vec::new(), now),
                log: GroupLog::new(group, Position(0), Epoch(0)),
                now,
            };
            failing.update(others);
            failing
        }

        fn update(&mut self, others: &[u64]) {
            let member = |leaf: u32, participant: ParticipantId| {
                let (name, device, organiser) = ("member".to_owned(), DeviceKey([0; 32]), participant == ME);
                crypto::Member { leaf: Leaf(leaf), participant, name, device, organiser }
            };
            let ids = [ME].into_iter().chain(others.iter().copied().map(ParticipantId));
            self.roster.update((0..).zip(ids).map(|(leaf, id)| member(leaf, id)).collect(), MediaState::default());
            self.removals.handle_group_change(&self.roster);
        }

        /// Tries to commit, and returns the members whose removal failed.
        fn commit(&mut self) -> Vec<ParticipantId> {
            let mut outputs = Outputs::default();
            assert!(!self.removals.commit(&mut self.roster, &mut self.log, self.now, &mut outputs));
            assert!(outputs.poll_transmit().is_none());
            let failed = |event| if let Event::Notice(Notice::CannotRemove(id)) = event { Some(id) } else { None };
            std::iter::from_fn(|| outputs.poll_event()).map(|event| failed(event).unwrap()).collect()
        }
    }

    #[test]
    fn a_removal_that_fails_is_told_once() {
        let mut failing = Failing::new(&[2, 3]);
        failing.removals.request(ParticipantId(2));
        assert_eq!(failing.commit(), [ParticipantId(2)]);
        assert!(failing.commit().is_empty());
    }

    #[test]
    fn a_request_ends_with_the_membership() {
        let mut failing = Failing::new(&[2, 3]);
        failing.removals.request(ParticipantId(2));
        failing.update(&[3]);
        failing.removals.request(ParticipantId(3));
        assert_eq!(failing.commit(), [ParticipantId(3)]);
    }

    #[test]
    fn after_a_failure_the_next_member_in_rank_can_try_first() {
        let mut failing = Failing::new(&[2]);
        failing.roster.mark_gone(ParticipantId(2), failing.now);
        assert_eq!(failing.roster.removal_deadline(), Some(failing.now));
        assert!(failing.commit().is_empty(), "nobody asked for it");
        assert_eq!(failing.roster.removal_deadline(), Some(failing.now + 2 * REMOVAL_INTERVAL));
    }
}
