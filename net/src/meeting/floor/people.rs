//! What the orders of floor control depend on: the people, and what the policy in force says of them, and since when.

use super::super::moderation_message::FloorTarget;
use crypto::group::PolicyContent;
use crypto::{DeviceKey, Rank};
use proto::{ParticipantId, Rights, Role};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// One right of one target. The number is the index of the right in [`KINDS`].
pub(super) type Subject = (FloorTarget, usize);

/// An order about one subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub lamport: u64,
    /// The MLS epoch in which it was sealed.
    pub epoch: u64,
    pub allow: bool,
}

/// What the policy says of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Facts {
    pub device: DeviceKey,
    pub rank: Rank,
    pub rights: Rights,
    /// The epoch since which the role and the rights are these.
    pub since: u64,
}

/// The members, and the people whom the policy lists.
pub(super) struct People {
    pub list: BTreeMap<ParticipantId, Facts>,
    /// The rights to send of the roles that are no managers, and the epoch that they hold since.
    defaults: ([Rights; 3], u64),
}

impl People {
    pub(super) fn new() -> Self {
        Self { list: BTreeMap::new(), defaults: ([Rights::NONE; 3], 0) }
    }

    /// Takes over a new epoch. Returns true if somebody has come.
    pub(super) fn handle_group_change(
        &mut self,
        policy: &PolicyContent,
        members: impl Iterator<Item = (ParticipantId, DeviceKey)>,
        epoch: u64,
    ) -> bool {
        let before = std::mem::take(&mut self.list);
        let listed = policy.people().iter().map(|person| (person.participant, person.device));
        for (id, device) in listed.chain(members) {
            let (rank, rights) = (policy.rank_of(device, id), policy.rights_of(device, id));
            let is_same = |facts: &&Facts| (facts.rank.role, facts.rights) == (rank.role, rights);
            let since = before.get(&id).filter(is_same).map_or(epoch, |facts| facts.since);
            self.list.insert(id, Facts { device, rank, rights, since });
        }
        let defaults = BELOW_MANAGERS.map(|role| policy.default_rights(role) & Rights::MEDIA);
        if defaults != self.defaults.0 {
            self.defaults = (defaults, epoch);
        }
        self.list.keys().any(|id| !before.contains_key(id))
    }

    /// Returns whether the policy gives the right to the target; `None` if that differs within the target, or nobody is it.
    pub(super) fn policy_says(&self, (target, kind): Subject) -> Option<bool> {
        match target {
            FloorTarget::Person(id) => self.list.get(&id).map(|facts| has(facts.rights, kind)),
            FloorTarget::Everyone => {
                let [first, rest @ ..] = self.defaults.0.map(|rights| has(rights, kind));
                rest.iter().all(|other| *other == first).then_some(first)
            }
        }
    }

    /// Returns true if the author may give this order, and nothing that it depends on has changed since it was sealed.
    pub(super) fn counts(&self, (target, kind): Subject, author: ParticipantId, order: Order) -> bool {
        let Some(by) = self.list.get(&author).filter(|_| order.lamport <= last_number(order.epoch)) else {
            return false;
        };
        let given = if order.allow { KINDS[kind] } else { Rights::NONE };
        let is_free =
            |needed: Rights| by.rank.role.is_manager() && by.rights.contains(needed | given) && order.epoch >= by.since;
        match target {
            FloorTarget::Everyone => is_free(Rights::DELEGATE | Rights::SET_ROLE) && order.epoch >= self.defaults.1,
            FloorTarget::Person(id) => {
                let is_below = |of: &Facts| by.rank.role.is_above(of.rank.role) && order.epoch >= of.since;
                is_free(Rights::DELEGATE) && self.list.get(&id).is_some_and(is_below)
            }
        }
    }

    /// Returns the precedence of an order over others about the same right. The highest one wins.
    pub(super) fn precedence(&self, author: ParticipantId, order: Order) -> (u64, Reverse<Option<Rank>>, bool) {
        let rank = self.list.get(&author).map(|facts| facts.rank);
        (order.lamport, Reverse(rank), !order.allow)
    }
}

fn has(rights: Rights, kind: usize) -> bool {
    !(KINDS[kind] & rights).is_empty()
}

/// The rights that orders are about, each by itself.
pub(super) const KINDS: [Rights; 3] = [Rights::MICROPHONE, Rights::CAMERA, Rights::SHARE];

/// Returns the highest number of an order in an epoch. So nobody can give an order that no later one follows.
pub(super) fn last_number(epoch: u64) -> u64 {
    epoch.saturating_add(1).saturating_mul(EPOCH_NUMBERS) - 1
}

/// The orders of one epoch that are numbered before the first one of the next epoch.
pub(super) const EPOCH_NUMBERS: u64 = 1 << 16;

/// The roles that [`FloorTarget::Everyone`] is about.
pub(super) const BELOW_MANAGERS: [Role; 3] = [Role::Presenter, Role::Participant, Role::Guest];
