//! Removes members that the organiser wants removed, and members that left.

use super::Notice;
use super::context::Context;
use super::group_log::GroupLog;
use super::roster::Roster;
use crypto::{Changes, Leaf};
use proto::{ManagerCommand, ParticipantId};
use std::collections::BTreeMap;

/// Members that the organiser wants removed. A request is kept until a commit, by any member, has removed the member.
#[derive(Default)]
pub(super) struct Removals {
    /// True once the server was told to close the member's connection.
    requested: BTreeMap<ParticipantId, bool>,
}

impl Removals {
    /// Requests a removal. The caller checks that this client is the organiser.
    pub(super) fn request(&mut self, participant: ParticipantId) {
        self.requested.entry(participant).or_insert(false);
    }

    /// Drops requests for participants who are no longer members.
    pub(super) fn handle_group_change(&mut self, roster: &Roster) {
        self.requested.retain(|id, _| roster.contains(*id));
    }

    /// Tells the server to close the connections of those who are to be removed. That needs no commit, so nobody can
    /// delay it.
    pub(super) fn expel(&mut self, context: &mut Context<'_>) {
        let Some(manager) = context.manager else { return };
        for (participant, expelled) in &mut self.requested {
            if !std::mem::replace(expelled, true) {
                manager.send(&ManagerCommand::Expel { participant: *participant }, context.outputs);
            }
        }
    }

    /// Sends a commit that removes all members that are due. Returns false if none was sent.
    pub(super) fn commit(&mut self, roster: &mut Roster, log: &mut GroupLog, context: &mut Context<'_>) -> bool {
        let leaves = |ids: Vec<ParticipantId>| ids.into_iter().filter_map(|id| roster.leaf(id)).collect::<Vec<Leaf>>();
        let requested = leaves(self.requested.keys().copied().collect());
        let left = leaves(roster.due_removals(context.now));
        if requested.is_empty() && left.is_empty() {
            return false;
        }
        let mut changes = for_good(&requested, log, context);
        changes.remove.extend(left);
        if log.commit(changes, context) {
            return true;
        }
        for (participant, _) in std::mem::take(&mut self.requested) {
            context.outputs.notice(Notice::CannotRemove(participant));
        }
        roster.postpone_removals(context.now);
        false
    }
}

/// Returns the changes that remove `leaves` so that their devices cannot come back. If there is no room for more barred
/// devices or keys, their leaves are removed all the same.
fn for_good(leaves: &[Leaf], log: &GroupLog, context: &mut Context<'_>) -> Changes {
    let plain = || Changes { remove: leaves.to_vec(), ..Changes::default() };
    match context.manager {
        Some(manager) if !leaves.is_empty() => {
            log.group().removal(leaves, manager.keys_mut()).unwrap_or_else(|error| {
                tracing::warn!(%error, "the removed device is not barred");
                plain()
            })
        }
        Some(_) | None => plain(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::entrant::Entrant;
    use super::super::manager::Manager;
    use super::super::outputs::Outputs;
    use super::super::timing::REMOVAL_INTERVAL;
    use super::super::{Event, MediaState};
    use super::*;
    use crypto::{DeviceKey, Group, Identity, ManagerKeys, Profile};
    use proto::{Epoch, Position};
    use std::time::{Instant, SystemTime};

    const ME: ParticipantId = ParticipantId(1);

    /// The removals of an organiser whose group has no other member, so that no removal succeeds.
    struct Failing {
        removals: Removals,
        roster: Roster,
        log: GroupLog,
        entrant: Entrant,
        manager: Option<Manager>,
        now: Instant,
    }

    impl Failing {
        fn new(others: &[u64]) -> Self {
            let (identity, profile) = (Identity::generate().unwrap(), Profile::new("Ada").unwrap());
            let keys = ManagerKeys::new().unwrap();
            let group = Group::create(&identity, profile.clone(), ME, &keys, SystemTime::now()).unwrap();
            let now = Instant::now();
            let mut failing = Self {
                removals: Removals::default(),
                roster: Roster::new(ME, Vec::new(), now),
                log: GroupLog::new(group, Position(0), Epoch(0)),
                entrant: Entrant { identity, profile, link: None },
                manager: Some(Manager::new(keys)),
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
            let members = (0..).zip(ids).map(|(leaf, id)| member(leaf, id)).collect();
            self.roster.update(members, MediaState::default(), |_| false);
            self.removals.handle_group_change(&self.roster);
        }

        /// Tries to commit, and returns the members whose removal failed.
        fn commit(&mut self) -> Vec<ParticipantId> {
            let mut outputs = Outputs::default();
            let mut context = Context {
                now: self.now,
                wall: SystemTime::now(),
                clock_ahead: 0,
                entrant: &self.entrant,
                manager: &mut self.manager,
                outputs: &mut outputs,
            };
            assert!(!self.removals.commit(&mut self.roster, &mut self.log, &mut context));
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
