//! The members of the meeting, and which of them have left but are still in the group.

use super::timing::REMOVAL_INTERVAL;
use super::{MediaState, Member};
use crypto::{DeviceKey, Gone, Leaf, MeetingPolicy};
use proto::{GoneMember, ParticipantId, Rights, Role};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// Members according to the MLS group.
pub(super) struct Roster {
    me: ParticipantId,
    people: BTreeMap<ParticipantId, Member>,
    /// Members whose connection has ended according to the log.
    gone: BTreeMap<ParticipantId, Ended>,
    /// Members on devices of people who are not below this client.
    protected: BTreeSet<ParticipantId>,
    /// Members whose connection was lost, and who may resume.
    absent: BTreeSet<ParticipantId>,
}

/// A member whose connection has ended according to the log.
struct Ended {
    why: Gone,
    /// When this client learned it.
    since: Instant,
    /// True if it is gone by the policy in force. Otherwise a manager without power over it has had its connection closed: it is
    /// displaced, and its leaf stays for its device and for those above it.
    counts: bool,
    /// True if this client may remove its leaf.
    removable: bool,
}

/// What an update changed.
#[derive(Default)]
pub(super) struct Changes {
    pub joined: Vec<ParticipantId>,
    pub left: Vec<Departure>,
}

/// A former member.
pub(super) struct Departure {
    pub id: ParticipantId,
    pub leaf: Leaf,
    pub device: DeviceKey,
    /// True if a manager removed it; false if it had left before.
    pub removed: bool,
    /// True if a manager removed it, did not bar its device, and the device has no other leaf.
    pub sent_back: bool,
}

impl Roster {
    /// Returns a roster without members. `gone` are members that left before this client joined.
    pub(super) fn new(me: ParticipantId, gone: Vec<GoneMember>, now: Instant) -> Self {
        let gone = gone.into_iter().map(|member| (member.participant, Ended::new(member.by, now))).collect();
        Self { me, people: BTreeMap::new(), gone, protected: BTreeSet::new(), absent: BTreeSet::new() }
    }

    /// Replaces the members by those of the group. Known members keep their media state. This client's own state is
    /// `own`. `barred` returns whether the organiser has removed a device.
    pub(super) fn update(
        &mut self,
        members: Vec<crypto::Member>,
        own: MediaState,
        barred: impl Fn(DeviceKey) -> bool,
    ) -> Changes {
        let person = |member: crypto::Member| {
            let me = member.participant == self.me;
            let known = self.people.get(&member.participant).map(|person| person.state);
            let state = if me { own } else { known.unwrap_or_default() };
            let crypto::Member { leaf, participant: id, name, device, certificate, role, rights } = member;
            let connected = !self.absent.contains(&id);
            (id, Member { id, leaf, name, device, certificate, role, rights, me, state, connected })
        };
        let people: BTreeMap<_, _> = members.into_iter().map(person).collect();
        let before = std::mem::replace(&mut self.people, people);
        let stays = |person: &Member| self.people.get(&person.id).is_some_and(|now| now.leaf == person.leaf);
        let departure = |person: &Member| {
            let Member { id, leaf, device, .. } = *person;
            let was_present = !self.is_gone(id);
            let has_leaf = self.people.values().any(|person| person.device == device);
            let sent_back = was_present && !barred(device) && !has_leaf;
            Departure { id, leaf, device, removed: barred(device) || was_present, sent_back }
        };
        let left = before.values().filter(|person| !stays(person)).map(departure).collect();
        let joined = self.people.keys().filter(|id| !before.contains_key(id)).copied().collect();
        self.gone.retain(|id, _| self.people.contains_key(id));
        self.absent.retain(|id| self.people.contains_key(id));
        Changes { joined, left }
    }

    pub(super) const fn me(&self) -> ParticipantId {
        self.me
    }

    pub(super) fn contains(&self, id: ParticipantId) -> bool {
        self.people.contains_key(&id)
    }

    pub(super) fn leaf(&self, id: ParticipantId) -> Option<Leaf> {
        self.people.get(&id).map(|person| person.leaf)
    }

    pub(super) fn device(&self, id: ParticipantId) -> Option<DeviceKey> {
        self.people.get(&id).map(|person| person.device)
    }

    /// Returns this client's role and rights.
    pub(super) fn own(&self) -> (Role, Rights) {
        self.people.get(&self.me).map_or((Role::Guest, Rights::NONE), |person| (person.role, person.rights))
    }

    /// Returns true if this client's role is higher than that of `id`, also than that which `id` takes again if it has come back.
    pub(super) fn is_above(&self, id: ParticipantId) -> bool {
        let is_below = |person: &Member| self.own().0.is_above(person.role) && !self.protected.contains(&id);
        self.people.get(&id).is_some_and(is_below)
    }

    /// Returns all members, in the order of their leaves.
    pub(super) fn list(&self) -> Vec<Member> {
        let mut people: Vec<_> = self.people.values().cloned().collect();
        people.sort_by_key(|person| person.leaf);
        people
    }

    /// Returns all leaves, with the rights of their owners.
    pub(super) fn leaves(&self) -> Vec<(Leaf, Rights)> {
        self.people.values().map(|person| (person.leaf, person.rights)).collect()
    }

    /// Returns true if somebody is present who may admit.
    pub(super) fn is_attended(&self) -> bool {
        self.present().any(|person| person.rights.contains(Rights::ADMIT))
    }

    /// Returns the members that have not left, also the displaced ones.
    pub(super) fn present(&self) -> impl Iterator<Item = &Member> {
        self.people.values().filter(|person| !self.is_gone(person.id))
    }

    /// Sets what a member sends. Returns true if it changed.
    pub(super) fn set_state(&mut self, id: ParticipantId, state: MediaState) -> bool {
        let Some(person) = self.people.get_mut(&id) else { return false };
        std::mem::replace(&mut person.state, state) != state
    }

    /// Records that a participant's connection has ended. The first report of a participant counts. Returns true if it was the last
    /// one present who may admit.
    pub(super) fn mark_gone(&mut self, member: GoneMember, policy: &MeetingPolicy, now: Instant) -> bool {
        let GoneMember { participant: id, by } = member;
        let was_attended = self.is_attended();
        if !self.people.contains_key(&id) || self.gone.contains_key(&id) {
            return false;
        }
        self.gone.insert(id, Ended::new(by, now));
        judge(self, policy);
        was_attended && !self.is_attended()
    }

    /// Records that a member's connection was lost, or that it has resumed. Returns true if that is new.
    pub(super) fn set_connected(&mut self, id: ParticipantId, connected: bool) -> bool {
        let Some(person) = self.people.get_mut(&id) else { return false };
        if connected {
            self.absent.remove(&id);
        } else {
            self.absent.insert(id);
        }
        std::mem::replace(&mut person.connected, connected) != connected
    }

    /// Forgets who is absent. The server reports it again after the connection was resumed.
    pub(super) fn clear_absent(&mut self) {
        self.absent.clear();
        let is_displaced = |id| self.gone.get(id).is_some_and(|ended| !ended.counts);
        self.people.values_mut().for_each(|person| person.connected = !is_displaced(&person.id));
    }

    /// Returns the leaves of a device that no connected member uses, and that this client may remove: the device lost its connection,
    /// and joins again.
    pub(super) fn unused_leaves(&self, device: DeviceKey) -> Vec<Leaf> {
        let may_remove = |id| self.own().1.contains(Rights::REMOVE) && self.is_above(id);
        let is_unused = |id| match self.gone.get(&id) {
            Some(ended) => ended.removable,
            None => self.absent.contains(&id) && may_remove(id),
        };
        let unused = |person: &&Member| person.device == device && is_unused(person.id);
        self.people.values().filter(unused).map(|person| person.leaf).collect()
    }

    /// Returns the members whose leaves are not in `other` with the same owner.
    pub(super) fn departed_since(&self, other: &Self) -> Vec<Departure> {
        let stays = |person: &Member| other.people.get(&person.id).is_some_and(|now| now.leaf == person.leaf);
        let left = self.people.values().filter(|person| !person.me && !stays(person));
        let departure = |person: &Member| {
            let Member { id, leaf, device, .. } = *person;
            Departure { id, leaf, device, removed: false, sent_back: false }
        };
        left.map(departure).collect()
    }

    /// Returns how many members there are.
    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.people.len()).unwrap_or(u32::MAX)
    }

    /// Returns true if a member is gone by the policy in force.
    pub(super) fn is_gone(&self, id: ParticipantId) -> bool {
        self.gone.get(&id).is_some_and(|ended| ended.counts)
    }

    /// Returns the number of members with a connection that act before this client: those of higher roles, then by leaf.
    pub(super) fn rank(&self) -> u32 {
        let order = |person: &Member| (person.role, person.leaf);
        let Some(mine) = self.people.get(&self.me).map(order) else { return 0 };
        let acts = |person: &&Member| order(person) < mine && !self.gone.contains_key(&person.id);
        u32::try_from(self.people.values().filter(acts).count()).unwrap_or(u32::MAX)
    }

    /// Returns when this client removes the members that left, or `None` if there are none that it may remove.
    pub(super) fn removal_deadline(&self) -> Option<Instant> {
        let first = self.gone.values().filter(|ended| ended.removable).map(|ended| ended.since).min()?;
        Some(first + REMOVAL_INTERVAL * self.rank())
    }

    /// Returns the members to remove because they have left. Empty before [`Self::removal_deadline`]. If one is due,
    /// all are removed with it.
    pub(super) fn due_removals(&self, now: Instant) -> Vec<ParticipantId> {
        let due = self.removal_deadline().is_some_and(|deadline| deadline <= now);
        if due { removable(self).collect() } else { Vec::new() }
    }

    /// Returns the leaves of the members that left and that this client may remove.
    pub(super) fn gone_leaves(&self) -> Vec<Leaf> {
        removable(self).filter_map(|id| self.leaf(id)).collect()
    }

    /// Delays removals after a commit that could not be made, so that the next member in rank tries first.
    pub(super) fn postpone_removals(&mut self, now: Instant) {
        self.gone.values_mut().for_each(|ended| ended.since = now + 2 * REMOVAL_INTERVAL);
    }
}

impl Ended {
    /// Returns a member that nobody has judged by the policy yet.
    fn new(by: Option<ParticipantId>, since: Instant) -> Self {
        let has_left = by.is_none();
        Self { why: by.map_or(Gone::Left, Gone::RemovedBy), since, counts: has_left, removable: has_left }
    }
}

/// Judges by the policy in force who is gone, and whom this client may remove. The caller does so after each change of the group, so
/// that members that have just come and those who have been there decide alike.
pub(super) fn judge(roster: &mut Roster, policy: &MeetingPolicy) {
    let Roster { me, people, gone, protected, .. } = roster;
    let own = people.get(me).map_or(policy.everyone(), |person| policy.role_of(person.device, *me));
    let not_below = people.values().filter(|person| !own.is_above(policy.role_of_device(person.device)));
    *protected = not_below.map(|person| person.id).collect();
    for (id, ended) in gone {
        let Some(person) = people.get_mut(id) else { continue };
        ended.counts = policy.counts_as_gone(person.device, ended.why);
        ended.removable = ended.counts || policy.counts_as_gone(person.device, Gone::RemovedBy(*me));
        person.connected &= ended.counts;
    }
}

/// Returns why a member is gone, if the log says so. `authorize` judges it.
pub(super) fn gone(roster: &Roster, id: ParticipantId) -> Option<Gone> {
    roster.gone.get(&id).map(|ended| ended.why)
}

fn removable(roster: &Roster) -> impl Iterator<Item = ParticipantId> {
    roster.gone.iter().filter(|(_, ended)| ended.removable).map(|(id, _)| *id)
}

/// Returns the manager whose word about the group counts: the first one in the order of succession that is a member and not gone. If
/// others counted, a manager below it could cut off everybody, and succeed it.
pub(super) fn leader(roster: &Roster, policy: &MeetingPolicy) -> Option<ParticipantId> {
    let is_here = |device| roster.present().any(|person| person.device == device);
    let mut managers = policy.people().iter().take_while(|person| person.role.is_manager());
    managers.find(|person| is_here(person.device)).map(|first| first.participant)
}

/// Returns a member.
pub(super) fn member(roster: &Roster, id: ParticipantId) -> Option<&Member> {
    roster.people.get(&id)
}

/// Returns the member on a device, or the one who is connected if the device has several leaves.
pub(super) fn by_device(roster: &Roster, device: DeviceKey) -> Option<&Member> {
    let leaves = roster.people.values().filter(|person| person.device == device);
    leaves.max_by_key(|person| (!roster.gone.contains_key(&person.id), person.connected, person.leaf))
}

/// Returns true if a member acts before this client, in the order of [`Roster::rank`].
pub(super) fn acts_before_me(roster: &Roster, id: ParticipantId) -> bool {
    let order = |id| member(roster, id).map(|person| (person.role, person.leaf));
    order(id).zip(order(roster.me)).is_some_and(|(other, mine)| other < mine)
}

/// Returns true if this client is a manager again after its next commit: its device is one by `policy`, its leaf is not yet.
pub(super) fn becomes_manager(roster: &Roster, policy: &MeetingPolicy) -> bool {
    let is_named = |device| policy.role_of_device(device).is_manager();
    !roster.own().0.is_manager() && roster.device(roster.me()).is_some_and(is_named)
}

/// Returns the highest role of the members on a device.
pub(super) fn role_of_device(roster: &Roster, device: DeviceKey) -> Option<Role> {
    roster.people.values().filter(|person| person.device == device).map(|person| person.role).min()
}

/// Returns the member at a leaf.
pub(super) fn member_at(roster: &Roster, leaf: Leaf) -> Option<&Member> {
    roster.people.values().find(|person| person.leaf == leaf)
}

/// Sets the rights of each member to those that `rights` returns. Returns true if any changed.
pub(super) fn set_rights(roster: &mut Roster, rights: impl Fn(ParticipantId, DeviceKey) -> Rights) -> bool {
    let set = |person: &mut Member| {
        let rights = rights(person.id, person.device);
        std::mem::replace(&mut person.rights, rights) != rights
    };
    roster.people.values_mut().map(set).fold(false, |any, changed| any | changed)
}

/// Returns true if `by` is a manager, and `id` is not of a higher role.
pub(super) fn may_lower_hand(roster: &Roster, by: ParticipantId, id: ParticipantId) -> bool {
    let role = |id| member(roster, id).map(|person| person.role);
    role(by).zip(role(id)).is_some_and(|(by, of)| by.is_manager() && !of.is_above(by))
}

#[cfg(test)]
mod tests {
    use super::super::Microphone;
    use super::*;
    use crypto::{Group, Identity, ManagerKeys, Profile};
    use std::time::{Duration, SystemTime};

    const ME: ParticipantId = ParticipantId(2);

    fn member(id: u64, leaf: u32) -> crypto::Member {
        let (participant, name) = (ParticipantId(id), format!("member {id}"));
        let role = if id == 1 { Role::Organiser } else { Role::Participant };
        let (device, rights) = (DeviceKey([0; 32]), role.default_rights());
        crypto::Member { leaf: Leaf(leaf), participant, name, device, certificate: None, role, rights }
    }

    /// Members 4, 2 (this client), 3 and 1 (the organiser) at leaves 0, 2, 3 and 4.
    fn members() -> Vec<crypto::Member> {
        vec![member(4, 0), member(2, 2), member(3, 3), member(1, 4)]
    }

    /// Returns the policy of a meeting whose organiser is somebody else.
    fn policy() -> MeetingPolicy {
        let (identity, profile) = (Identity::generate().unwrap(), Profile::new("Ada").unwrap());
        let (keys, now) = (ManagerKeys::new().unwrap(), SystemTime::UNIX_EPOCH);
        Group::create(&identity, profile, ParticipantId(9), &keys, now).unwrap().policy().clone()
    }

    fn leave(roster: &mut Roster, id: u64, now: Instant) -> bool {
        roster.mark_gone(GoneMember { participant: ParticipantId(id), by: None }, &policy(), now)
    }

    fn roster(now: Instant) -> Roster {
        let mut roster = Roster::new(ME, Vec::new(), now);
        roster.update(members(), MediaState::default(), |_| false);
        roster
    }

    #[test]
    fn an_update_keeps_the_states_of_known_members() {
        let mut roster = roster(Instant::now());
        let on = MediaState { microphone: Microphone::On, ..MediaState::default() };
        assert!(roster.set_state(ParticipantId(3), on));
        assert!(!roster.set_state(ParticipantId(3), on), "no change");
        assert!(!roster.set_state(ParticipantId(9), on), "not a member");
        let own = MediaState { camera: true, ..MediaState::default() };
        roster.update(members(), own, |_| false);
        let states: Vec<_> = roster.list().iter().map(|person| (person.id.0, person.state)).collect();
        assert_eq!(states, [(4, MediaState::default()), (2, own), (3, on), (1, MediaState::default())], "by leaf");
    }

    #[test]
    fn an_update_tells_who_joined_and_who_left_and_why() {
        let mut roster = roster(Instant::now());
        leave(&mut roster, 3, Instant::now());
        // Member 4 is in the group again, at another leaf.
        let Changes { joined, left } =
            roster
                .update(vec![member(2, 2), member(4, 3), member(1, 4), member(5, 5)], MediaState::default(), |_| false);
        let left: Vec<_> = left.into_iter().map(|one| (one.id.0, one.leaf, one.removed)).collect();
        assert_eq!((joined, left), (vec![ParticipantId(5)], vec![(3, Leaf(3), false), (4, Leaf(0), true)]));
        assert!(!roster.is_gone(ParticipantId(3)) && roster.removal_deadline().is_none(), "no removal is left to do");
    }

    #[test]
    fn the_organiser_is_missed_once() {
        let (now, mut roster) = (Instant::now(), roster(Instant::now()));
        assert!(!leave(&mut roster, 3, now) && !leave(&mut roster, 9, now));
        assert!(roster.is_attended());
        assert!(leave(&mut roster, 1, now));
        assert!(!leave(&mut roster, 1, now) && !roster.is_attended());
    }

    #[test]
    fn members_remove_those_who_left_in_the_order_of_their_rank() {
        let now = Instant::now();
        let mut roster = roster(now);
        assert_eq!((roster.rank(), roster.removal_deadline()), (2, None), "after the organiser, and the first leaf");
        leave(&mut roster, 3, now);
        leave(&mut roster, 9, now);
        let due = now + 2 * REMOVAL_INTERVAL;
        assert_eq!(roster.removal_deadline(), Some(due));
        let early = due.checked_sub(Duration::from_nanos(1)).unwrap();
        assert!(roster.due_removals(early).is_empty());
        assert_eq!(roster.due_removals(due), [ParticipantId(3)]);
        // The organiser leaves later. Its place is free at once, and it is removed with the first.
        leave(&mut roster, 1, now + Duration::from_secs(1));
        assert_eq!((roster.rank(), roster.removal_deadline()), (1, Some(now + REMOVAL_INTERVAL)));
        assert_eq!(roster.due_removals(due), [ParticipantId(1), ParticipantId(3)]);
        roster.postpone_removals(due);
        assert_eq!(roster.removal_deadline(), Some(due + 3 * REMOVAL_INTERVAL));
    }

    #[test]
    fn a_new_member_removes_those_who_left_before_it_joined() {
        let now = Instant::now();
        let left = |id| GoneMember { participant: ParticipantId(id), by: None };
        let mut roster = Roster::new(ME, vec![left(1), left(9)], now);
        roster.update(members(), MediaState::default(), |_| false);
        assert!(!roster.is_attended() && roster.rank() == 1);
        assert_eq!(roster.due_removals(now + REMOVAL_INTERVAL), [ParticipantId(1)], "9 is not in the group any more");
    }
}
