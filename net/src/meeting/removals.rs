//! Removes members that the user wants removed, and members that left.

use super::context::Context;
use super::group_log::GroupLog;
use super::key_sharing::KeySharing;
use super::roster::{Roster, becomes_manager, by_device};
use super::{Notice, PolicyRefusal};
use crypto::group::edits;
use crypto::{Changes, DeviceKey, Leaf, MeetingPolicy, PolicyEdit};
use proto::{MAX_MEMBERS, ManagerCommand, ParticipantId, Rights};
use std::collections::BTreeMap;
use std::time::Instant;

/// Members that the user wants removed. A request is kept until the policy bars the device: a commit of another member
/// may remove the leaf before, because the server has reported the expelled member gone.
#[derive(Default)]
pub(super) struct Removals {
    requested: BTreeMap<ParticipantId, Request>,
    /// How many invalid commits each device has sent, according to the server.
    invalid_commits: BTreeMap<DeviceKey, u32>,
}

struct Request {
    device: DeviceKey,
    /// True once the server was told to close the member's connection.
    expelled: bool,
}

impl Removals {
    /// Requests the removal that the user wants, or tells the user why not.
    pub(super) fn handle_command(&mut self, participant: ParticipantId, roster: &Roster, context: &mut Context<'_>) {
        let Some(device) = roster.device(participant) else { return };
        // A second leaf of this device is removed by everybody's right to remove its own leaves.
        let is_own = roster.device(roster.me()) == Some(device);
        if participant == roster.me() || !roster.own().1.contains(Rights::REMOVE) {
            context.outputs.notice(Notice::NotAllowed);
        } else if context.manager.is_none() {
            context.outputs.notice(Notice::PolicyRefused(PolicyRefusal::NoKeys));
        } else if is_own || roster.is_above(participant) {
            self.request(participant, device);
        } else {
            context.outputs.notice(Notice::PolicyRefused(PolicyRefusal::NotBelow));
        }
    }

    /// Requests a removal. The caller checks that this client has the right.
    pub(super) fn request(&mut self, participant: ParticipantId, device: DeviceKey) {
        self.requested.entry(participant).or_insert(Request { device, expelled: false });
    }

    /// Requests the removal of the members of lower roles on these devices.
    pub(super) fn remove_devices(&mut self, devices: &[DeviceKey], roster: &Roster) {
        let may_remove = roster.own().1.contains(Rights::REMOVE);
        for person in devices.iter().filter(|_| may_remove).filter_map(|device| by_device(roster, *device)) {
            if roster.is_above(person.id) {
                tracing::warn!("a member whose keys several others could not read is removed");
                self.request(person.id, person.device);
            }
        }
    }

    /// Counts an invalid commit of a member, which an honest one may send before it knows that the group is forked. A member of a
    /// lower role that has sent several is removed.
    pub(super) fn handle_invalid_commit(&mut self, from: ParticipantId, roster: &Roster) {
        self.distrust(from, 1, roster);
    }

    /// Handles a commit that no honest client makes. A member of a lower role is removed.
    pub(super) fn handle_forged_commit(&mut self, from: ParticipantId, roster: &Roster) {
        self.distrust(from, MAX_INVALID_COMMITS, roster);
    }

    fn distrust(&mut self, from: ParticipantId, count: u32, roster: &Roster) {
        let Some(device) = roster.device(from) else { return };
        self.count_invalid_commits(device, count);
        if self.is_distrusted(device) && roster.is_above(from) {
            tracing::warn!("a member that sent invalid commits is removed");
            self.request(from, device);
        }
    }

    pub(super) fn count_invalid_commits(&mut self, device: DeviceKey, count: u32) {
        if self.invalid_commits.len() >= MAX_COUNTED && !self.invalid_commits.contains_key(&device) {
            self.invalid_commits.pop_first();
        }
        let sent = self.invalid_commits.entry(device).or_default();
        *sent = sent.saturating_add(count);
    }

    /// Returns true if a device has sent so many invalid commits that it is not admitted again.
    pub(super) fn is_distrusted(&self, device: DeviceKey) -> bool {
        self.invalid_commits.get(&device).is_some_and(|count| *count >= MAX_INVALID_COMMITS)
    }

    /// Drops the requests that are fulfilled, and those that this client has no right to any more. The device of a person who
    /// is not below this client is not barred, so only its leaf counts.
    pub(super) fn handle_group_change(&mut self, roster: &Roster, policy: &MeetingPolicy) {
        if becomes_manager(roster, policy) {
            return;
        }
        let is_out = |device| policy.is_barred(device) || !roster.own().0.is_above(policy.role_of_device(device));
        let may_remove = |id| roster.own().1.contains(Rights::REMOVE) && (roster.is_above(id) || !roster.contains(id));
        self.requested.retain(|id, request| may_remove(*id) && (roster.contains(*id) || !is_out(request.device)));
    }

    /// Tells the server to close the connections of those who are to be removed. That needs no commit, so no member
    /// can delay it. The members believe it only of somebody who has the right by the policy in force.
    pub(super) fn expel(&mut self, roster: &Roster, context: &mut Context<'_>) {
        let may_remove = roster.own().1.contains(Rights::REMOVE);
        let Some(manager) = context.manager.as_mut().filter(|_| may_remove) else { return };
        for (participant, request) in &mut self.requested {
            if !std::mem::replace(&mut request.expelled, true) {
                manager.send(ManagerCommand::Expel { participant: *participant }, context.now, context.outputs);
            }
        }
    }

    /// Returns true if [`Self::commit`] removes somebody now.
    pub(super) fn is_due(&self, roster: &Roster, now: Instant) -> bool {
        !self.requested.is_empty() || !roster.due_removals(now).is_empty()
    }

    /// Sends a commit that removes all members that are due, with the edits `floor` of floor control. Returns false if none was
    /// sent.
    pub(super) fn commit(
        &mut self,
        floor: &[PolicyEdit],
        roster: &mut Roster,
        log: &mut GroupLog,
        sharing: &mut KeySharing,
        context: &mut Context<'_>,
    ) -> bool {
        let holds_keys = context.manager.is_some();
        let requested = self.requested.keys().filter(|_| holds_keys).filter_map(|id| roster.leaf(*id));
        let requested: Vec<Leaf> = requested.collect();
        let devices: Vec<DeviceKey> = self.requested.values().map(|request| request.device).collect();
        let left = roster.due_removals(context.now).into_iter().filter_map(|id| roster.leaf(id));
        let mut changes = for_good((&requested, &devices), floor, log, context);
        changes.remove.extend(left);
        if changes.policy.is_none() && !changes.remove.is_empty() {
            changes.policy = folded(floor, log, context);
        }
        if changes.remove.is_empty() && changes.policy.is_none() {
            // The leaves are gone, and their devices cannot be barred.
            if holds_keys {
                self.requested.clear();
            }
            return false;
        }
        sharing.send_next(changes.policy.as_ref(), log, roster, context);
        if log.commit(changes, context) {
            return true;
        }
        if !floor.is_empty() {
            return self.commit(&[], roster, log, sharing, context);
        }
        for (participant, _) in std::mem::take(&mut self.requested) {
            context.outputs.notice(Notice::CannotRemove(participant));
        }
        roster.postpone_removals(context.now);
        false
    }
}

/// Returns the policy with the edits of floor control; `None` if there are none, or this client cannot make them.
pub(super) fn folded(floor: &[PolicyEdit], log: &GroupLog, context: &mut Context<'_>) -> Option<MeetingPolicy> {
    let manager = context.manager.as_mut().filter(|_| !floor.is_empty())?;
    edits::edited_policy(log.group().policy(), floor, false, manager.keys_mut()).ok()
}

/// Returns the changes that remove `leaves` so that their devices cannot come back. If there is no room for more barred
/// devices or keys, the leaves are removed all the same.
fn for_good(
    (leaves, devices): (&[Leaf], &[DeviceKey]),
    floor: &[PolicyEdit],
    log: &GroupLog,
    context: &mut Context<'_>,
) -> Changes {
    let mut changes = Changes::default();
    if let Some(manager) = context.manager
        && !devices.is_empty()
    {
        let removal = edits::removal_with_edits(log.group(), devices, floor, manager.keys_mut());
        match removal.or_else(|_| edits::removal_of_devices(log.group(), devices, manager.keys_mut())) {
            Ok(removal) => changes = removal,
            Err(error) => tracing::warn!(%error, "the removed device is not barred"),
        }
    }
    changes.remove.extend_from_slice(leaves);
    changes
}

/// How many invalid commits a member may send before it is removed. The server names their sender, so a server can have a
/// member removed: it can also keep it out by itself. One that no honest client makes counts as all.
const MAX_INVALID_COMMITS: u32 = 3;

/// For how many devices invalid commits are counted.
const MAX_COUNTED: usize = 4 * MAX_MEMBERS;

#[cfg(test)]
mod tests {
    use super::super::entrant::Entrant;
    use super::super::manager::Manager;
    use super::super::outputs::Outputs;
    use super::super::timing::REMOVAL_INTERVAL;
    use super::super::{Event, MediaState};
    use super::*;
    use crypto::{DeviceKey, Group, Identity, ManagerKeys, Profile};
    use proto::{Epoch, GoneMember, Position, Role, Up};
    use std::time::SystemTime;

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
                entrant: Entrant { identity, profile, link: None, complaint: None },
                manager: Some(Manager::new(keys)),
                now,
            };
            failing.update(others);
            failing
        }

        fn update(&mut self, others: &[u64]) {
            let member = |leaf: u32, participant: ParticipantId| {
                // The organiser's device is another one than the guests'.
                let role = if participant == ME { Role::Organiser } else { Role::Participant };
                let (name, device) = ("member".to_owned(), DeviceKey([u8::from(participant == ME); 32]));
                let certificate = None;
                let rights = role.default_rights();
                crypto::Member { leaf: Leaf(leaf), participant, name, device, certificate, role, rights }
            };
            let ids = [ME].into_iter().chain(others.iter().copied().map(ParticipantId));
            let members = (0..).zip(ids).map(|(leaf, id)| member(leaf, id)).collect();
            self.roster.update(members, MediaState::default(), |_| false);
            self.removals.handle_group_change(&self.roster, self.log.group().policy());
        }

        fn request(&mut self, participant: u64) {
            self.removals.request(ParticipantId(participant), DeviceKey([0; 32]));
        }

        /// Tries to commit. Returns the message.
        fn try_commit(&mut self) -> Option<Up> {
            let mut outputs = Outputs::default();
            let mut context = Context {
                now: self.now,
                wall: SystemTime::now(),
                clock_ahead: 0,
                entrant: &mut self.entrant,
                manager: &mut self.manager,
                outputs: &mut outputs,
            };
            self.removals.commit(&[], &mut self.roster, &mut self.log, &mut KeySharing::default(), &mut context);
            outputs.poll_transmit()
        }

        /// Tries to commit, and returns the members whose removal failed.
        fn commit(&mut self) -> Vec<ParticipantId> {
            let mut outputs = Outputs::default();
            let mut context = Context {
                now: self.now,
                wall: SystemTime::now(),
                clock_ahead: 0,
                entrant: &mut self.entrant,
                manager: &mut self.manager,
                outputs: &mut outputs,
            };
            assert!(!self.removals.commit(
                &[],
                &mut self.roster,
                &mut self.log,
                &mut KeySharing::default(),
                &mut context
            ));
            assert!(outputs.poll_transmit().is_none());
            let failed = |event| if let Event::Notice(Notice::CannotRemove(id)) = event { Some(id) } else { None };
            std::iter::from_fn(|| outputs.poll_event()).map(|event| failed(event).unwrap()).collect()
        }
    }

    #[test]
    fn a_removal_that_fails_is_reported_once() {
        let mut failing = Failing::new(&[2, 3]);
        failing.request(2);
        assert_eq!(failing.commit(), [ParticipantId(2)]);
        assert!(failing.commit().is_empty());
    }

    /// If a request ended with the membership, an accomplice could remove the expelled member as gone, faster than the
    /// organiser, and its device would not be barred.
    #[test]
    fn a_request_ends_when_the_device_is_barred_not_when_the_leaf_is_removed() {
        let mut organiser = Failing::new(&[2, 3]);
        organiser.request(2);
        organiser.update(&[3]);
        let message = organiser.try_commit().expect("the device is barred although its leaf is gone");
        let Up::Manage { command, .. } = message else { panic!("{message:?}") };
        let Ok(ManagerCommand::Commit { epoch, blob, .. }) = proto::decode(&command.0) else { panic!("a commit") };
        organiser.log.handle_commit(epoch, &blob, &|_| None, organiser.now).unwrap();
        organiser.update(&[3]);
        assert!(organiser.log.group().policy().is_barred(DeviceKey([0; 32])));
        assert!(organiser.try_commit().is_none());
    }

    #[test]
    fn a_member_that_sends_three_invalid_commits_is_removed_and_an_organiser_is_not() {
        let mut organiser = Failing::new(&[2, 3]);
        for (from, removed) in
            [(2, false), (ME.0, false), (2, false), (ME.0, false), (9, false), (ME.0, false), (2, true)]
        {
            organiser.removals.handle_invalid_commit(ParticipantId(from), &organiser.roster);
            assert_eq!(organiser.removals.requested.contains_key(&ParticipantId(2)), removed);
        }
        assert_eq!(organiser.removals.requested.len(), 1);
    }

    #[test]
    fn a_member_that_sends_one_commit_that_no_honest_client_makes_is_removed() {
        let mut organiser = Failing::new(&[2, 3]);
        organiser.removals.handle_forged_commit(ME, &organiser.roster);
        assert!(organiser.removals.requested.is_empty());
        organiser.removals.handle_forged_commit(ParticipantId(2), &organiser.roster);
        assert!(organiser.removals.requested.contains_key(&ParticipantId(2)));
        assert!(organiser.removals.is_distrusted(DeviceKey([0; 32])));
    }

    #[test]
    fn after_a_failure_the_next_member_in_rank_can_try_first() {
        let mut failing = Failing::new(&[2]);
        let left = GoneMember { participant: ParticipantId(2), by: None };
        failing.roster.mark_gone(left, failing.log.group().policy(), failing.now);
        assert_eq!(failing.roster.removal_deadline(), Some(failing.now));
        assert!(failing.commit().is_empty(), "nobody asked for it");
        assert_eq!(failing.roster.removal_deadline(), Some(failing.now + 2 * REMOVAL_INTERVAL));
    }
}
