//! The members of the meeting, and which of them have left but are still in the group.

use super::timing::REMOVAL_INTERVAL;
use super::{MediaState, Member};
use crypto::Leaf;
use proto::ParticipantId;
use std::collections::BTreeMap;
use std::time::Instant;

/// Members according to the MLS group.
pub(super) struct Roster {
    me: ParticipantId,
    people: BTreeMap<ParticipantId, Member>,
    /// Members whose connection has ended according to the log, and when this client learned it.
    gone: BTreeMap<ParticipantId, Instant>,
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
    /// True if the organiser removed it; false if it had left before.
    pub removed: bool,
}

impl Roster {
    /// Returns a roster without members. `gone` are members that left before this client joined.
    pub(super) fn new(me: ParticipantId, gone: Vec<ParticipantId>, now: Instant) -> Self {
        let gone = gone.into_iter().map(|participant| (participant, now)).collect();
        Self { me, people: BTreeMap::new(), gone }
    }

    /// Replaces the members by those of the group. Known members keep their media state. This client's own state is
    /// `own`.
    pub(super) fn update(&mut self, members: Vec<crypto::Member>, own: MediaState) -> Changes {
        let person = |member: crypto::Member| {
            let me = member.participant == self.me;
            let known = self.people.get(&member.participant).map(|person| person.state);
            let state = if me { own } else { known.unwrap_or_default() };
            let crypto::Member { leaf, participant: id, name, device, organiser, .. } = member;
            (id, Member { id, leaf, name, device, organiser, me, state })
        };
        let people: BTreeMap<_, _> = members.into_iter().map(person).collect();
        let before = std::mem::replace(&mut self.people, people);
        let stays = |person: &Member| self.people.get(&person.id).is_some_and(|now| now.leaf == person.leaf);
        let departure = |person: &Member| {
            let Member { id, leaf, .. } = *person;
            Departure { id, leaf, removed: !self.gone.contains_key(&id) }
        };
        let left = before.values().filter(|person| !stays(person)).map(departure).collect();
        let joined = self.people.keys().filter(|id| !before.contains_key(id)).copied().collect();
        self.gone.retain(|id, _| self.people.contains_key(id));
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

    /// Returns all members, in the order of their leaves.
    pub(super) fn list(&self) -> Vec<Member> {
        let mut people: Vec<_> = self.people.values().cloned().collect();
        people.sort_by_key(|person| person.leaf);
        people
    }

    pub(super) fn leaves(&self) -> Vec<Leaf> {
        self.people.values().map(|person| person.leaf).collect()
    }

    /// Returns true if this client is the organiser.
    pub(super) fn am_organiser(&self) -> bool {
        self.people.get(&self.me).is_some_and(|me| me.organiser)
    }

    /// Returns true if an organiser is present.
    pub(super) fn has_organiser(&self) -> bool {
        self.present().any(|person| person.organiser)
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

    /// Records that a participant's connection has ended. Returns true if it was the organiser and was present before.
    pub(super) fn mark_gone(&mut self, id: ParticipantId, now: Instant) -> bool {
        let Some(person) = self.people.get(&id) else { return false };
        self.gone.insert(id, now).is_none() && person.organiser
    }

    pub(super) fn is_gone(&self, id: ParticipantId) -> bool {
        self.gone.contains_key(&id)
    }

    /// Returns the number of present members that act before this client. The organiser acts first, then the others by
    /// leaf.
    pub(super) fn rank(&self) -> u32 {
        let order = |person: &Member| (!person.organiser, person.leaf);
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

    /// Delays removals after a commit that could not be made, so that the next member in rank tries first.
    pub(super) fn postpone_removals(&mut self, now: Instant) {
        self.gone.values_mut().for_each(|since| *since = now + 2 * REMOVAL_INTERVAL);
    }
}
