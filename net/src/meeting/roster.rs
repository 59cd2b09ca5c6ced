//! The members of the meeting, and which of them have left but are still in the group.

use super::timing::REMOVAL_INTERVAL;
use super::{MediaState, Member};
use crypto::{DeviceKey, Leaf, MeetingPolicy};
use proto::{MAX_MEMBERS, ParticipantId, Rights, Role};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Instant;

/// Members according to the MLS group.
pub(super) struct Roster {
    me: ParticipantId,
    people: BTreeMap<ParticipantId, Member>,
    /// Members whose connection has ended according to the log, and when this client learned it.
    gone: BTreeMap<ParticipantId, Instant>,
    /// The last participants whose connection has ended, members or not, in the order of the log, and when this client learned it.
    /// At most [`MAX_MEMBERS`], as at the server: so all members know the same of them, also those who joined later.
    departed: VecDeque<(ParticipantId, Instant)>,
    /// Members whose connection was lost, and who may resume.
    absent: BTreeSet<ParticipantId>,
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
    /// Returns a roster without members. `gone` are those that left before this client joined, in the order of the log.
    pub(super) fn new(me: ParticipantId, gone: Vec<ParticipantId>, now: Instant) -> Self {
        let departed: VecDeque<_> = gone.into_iter().map(|participant| (participant, now)).collect();
        Self { me, people: BTreeMap::new(), gone: BTreeMap::new(), departed, absent: BTreeSet::new() }
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
            let was_present = !self.gone.contains_key(&id);
            let has_leaf = self.people.values().any(|person| person.device == device);
            let sent_back = was_present && !barred(device) && !has_leaf;
            Departure { id, leaf, device, removed: barred(device) || was_present, sent_back }
        };
        let left = before.values().filter(|person| !stays(person)).map(departure).collect();
        let joined: Vec<_> = self.people.keys().filter(|id| !before.contains_key(id)).copied().collect();
        // It left before this client joined, or while the commit that has added it was on its way.
        let is_new = |(id, _): &&(ParticipantId, Instant)| joined.binary_search(id).is_ok();
        self.gone.extend(self.departed.iter().filter(is_new).copied());
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

    /// Returns true if this client's role is higher than that of `id`.
    pub(super) fn is_above(&self, id: ParticipantId) -> bool {
        self.people.get(&id).is_some_and(|person| self.own().0.is_above(person.role))
    }

    /// Returns all members, in the order of their leaves.
    pub(super) fn list(&self) -> Vec<Member> {
        let mut people: Vec<_> = self.people.values().cloned().collect();
        people.sort_by_key(|person| person.leaf);
        people
    }

    pub(super) fn leaves(&self) -> Vec<Leaf> {
        self.people.values().map(|person| person.leaf).collect()
    }

    /// Returns true if somebody is present who may admit.
    pub(super) fn is_attended(&self) -> bool {
        self.present().any(|person| person.rights.contains(Rights::ADMIT))
    }

    /// Returns the members that have not left.
    pub(super) fn present(&self) -> impl Iterator<Item = &Member> {
        self.people.values().filter(|person| !self.gone.contains_key(&person.id))
    }

    /// Sets what a member sends. Returns true if it changed.
    pub(super) fn set_state(&mut self, id: ParticipantId, state: MediaState) -> bool {
        let Some(person) = self.people.get_mut(&id) else { return false };
        std::mem::replace(&mut person.state, state) != state
    }

    /// Records that a participant's connection has ended. Returns true if it was the last one present who may admit.
    pub(super) fn mark_gone(&mut self, id: ParticipantId, now: Instant) -> bool {
        self.departed.push_back((id, now));
        if self.departed.len() > MAX_MEMBERS {
            self.departed.pop_front();
        }
        let Some(person) = self.people.get(&id) else { return false };
        let admitted = person.rights.contains(Rights::ADMIT);
        self.gone.insert(id, now).is_none() && admitted && !self.is_attended()
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
        self.people.values_mut().for_each(|person| person.connected = true);
    }

    /// Returns the leaves of a device that no connected member uses: it lost its connection, and joins again.
    pub(super) fn unused_leaves(&self, device: DeviceKey) -> Vec<Leaf> {
        let unused = |person: &&Member| {
            person.device == device && (self.gone.contains_key(&person.id) || self.absent.contains(&person.id))
        };
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

    pub(super) fn is_gone(&self, id: ParticipantId) -> bool {
        self.gone.contains_key(&id)
    }

    /// Returns the number of present members that act before this client: those of higher roles, then by leaf.
    pub(super) fn rank(&self) -> u32 {
        let order = |person: &Member| (person.role, person.leaf);
        let Some(mine) = self.people.get(&self.me).map(order) else { return 0 };
        u32::try_from(self.present().filter(|person| order(person) < mine).count()).unwrap_or(u32::MAX)
    }

    /// Returns when this client removes the members that left, or `None` if there are none.
    pub(super) fn removal_deadline(&self) -> Option<Instant> {
        let first = self.gone.values().min()?;
        Some(*first + REMOVAL_INTERVAL * self.rank())
    }

    /// Returns the members to remove because they have left. Empty before [`Self::removal_deadline`]. If one is due,
    /// all are removed with it.
    pub(super) fn due_removals(&self, now: Instant) -> Vec<ParticipantId> {
        let due = self.removal_deadline().is_some_and(|deadline| deadline <= now);
        if due { self.gone.keys().copied().collect() } else { Vec::new() }
    }

    /// Returns the leaves of the members that left.
    pub(super) fn gone_leaves(&self) -> Vec<Leaf> {
        self.gone.keys().filter_map(|id| self.leaf(*id)).collect()
    }

    /// Delays removals after a commit that could not be made, so that the next member in rank tries first.
    pub(super) fn postpone_removals(&mut self, now: Instant) {
        self.gone.values_mut().for_each(|since| *since = now + 2 * REMOVAL_INTERVAL);
    }
}

/// Returns true if the log says that a participant's connection has ended. Nobody uses its id again.
pub(super) fn has_departed(roster: &Roster, id: ParticipantId) -> bool {
    roster.departed.iter().any(|(departed, _)| *departed == id)
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
    use std::time::Duration;

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
        roster.mark_gone(ParticipantId(3), Instant::now());
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
        assert!(!roster.mark_gone(ParticipantId(3), now) && !roster.mark_gone(ParticipantId(9), now));
        assert!(roster.is_attended());
        assert!(roster.mark_gone(ParticipantId(1), now));
        assert!(!roster.mark_gone(ParticipantId(1), now) && !roster.is_attended());
    }

    #[test]
    fn members_remove_those_who_left_in_the_order_of_their_rank() {
        let now = Instant::now();
        let mut roster = roster(now);
        assert_eq!((roster.rank(), roster.removal_deadline()), (2, None), "after the organiser, and the first leaf");
        roster.mark_gone(ParticipantId(3), now);
        roster.mark_gone(ParticipantId(9), now);
        let due = now + 2 * REMOVAL_INTERVAL;
        assert_eq!(roster.removal_deadline(), Some(due));
        let early = due.checked_sub(Duration::from_nanos(1)).unwrap();
        assert!(roster.due_removals(early).is_empty());
        assert_eq!(roster.due_removals(due), [ParticipantId(3)]);
        // The organiser leaves later. Its place is free at once, and it is removed with the first.
        roster.mark_gone(ParticipantId(1), now + Duration::from_secs(1));
        assert_eq!((roster.rank(), roster.removal_deadline()), (1, Some(now + REMOVAL_INTERVAL)));
        assert_eq!(roster.due_removals(due), [ParticipantId(1), ParticipantId(3)]);
        roster.postpone_removals(due);
        assert_eq!(roster.removal_deadline(), Some(due + 3 * REMOVAL_INTERVAL));
    }

    /// A commit that was on its way may have added it, and everybody has to remove its leaf.
    #[test]
    fn who_left_before_a_commit_has_added_it_is_gone_for_old_and_new_members() {
        let (now, late) = (Instant::now(), ParticipantId(9));
        let mut old = roster(now);
        old.mark_gone(late, now);
        let mut new = Roster::new(ParticipantId(3), vec![late], now);
        for roster in [&mut old, &mut new] {
            let people = [members(), vec![member(9, 5)]].concat();
            roster.update(people, MediaState::default(), |_| false);
            assert!(roster.is_gone(late) && has_departed(roster, late));
            assert_eq!(roster.due_removals(now + REMOVAL_INTERVAL * 5), [late]);
            roster.update(members(), MediaState::default(), |_| false);
            assert!(!roster.is_gone(late) && has_departed(roster, late), "its id is not used again");
        }
    }

    /// The server tells newcomers the same participants. A list with another bound would let members disagree.
    #[test]
    fn old_and_new_members_forget_the_same_departed_participants() {
        let now = Instant::now();
        let ids = || (1..).map(|number| ParticipantId(1_000 + number)).take(MAX_MEMBERS + 1);
        let mut old = roster(now);
        ids().for_each(|id| assert!(!old.mark_gone(id, now)));
        let mut new = Roster::new(ParticipantId(3), ids().take(MAX_MEMBERS).collect(), now);
        new.mark_gone(ParticipantId(1_001 + MAX_MEMBERS as u64), now);
        for roster in [old, new] {
            let known: Vec<bool> = ids().map(|id| has_departed(&roster, id)).collect();
            assert_eq!((known[0], known.iter().filter(|known| **known).count()), (false, MAX_MEMBERS));
        }
    }

    #[test]
    fn a_new_member_removes_those_who_left_before_it_joined() {
        let now = Instant::now();
        let mut roster = Roster::new(ME, vec![ParticipantId(1), ParticipantId(9)], now);
        roster.update(members(), MediaState::default(), |_| false);
        assert!(!roster.is_attended() && roster.rank() == 1);
        assert_eq!(roster.due_removals(now + REMOVAL_INTERVAL), [ParticipantId(1)], "9 is not in the group any more");
    }
}
