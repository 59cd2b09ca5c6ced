//! Quick floor control: managers stop and allow microphones, cameras and shares with signed messages, without a commit.
//!
//! Pure. Each member keeps the orders that it received and decides by them, so that all decide alike in whatever order the
//! messages arrive. An order counts while its author may give it by the policy in force, and while nothing that it depends
//! on has changed since the epoch in which it was sealed, which MLS authenticates. Of the orders about one right of one
//! person, the one with the highest (lamport, rank) wins, and a tie denies. The next change of the policy by a manager, which
//! comes before anybody is admitted, makes the orders part of it ([`Floor::edits`]), so that those who come later know them.

mod people;

use super::PolicyRefusal;
use super::group_log::GroupLog;
use super::moderation_message::{FloorMessage, FloorOrder, FloorTarget};
use super::outputs::Outputs;
use super::state;
use super::timing::FOLD_INTERVAL;
use crypto::group::PolicyContent;
use crypto::{DeviceKey, PolicyEdit};
use people::{BELOW_MANAGERS, EPOCH_NUMBERS, Facts, KINDS, Order, People, Subject, last_number};
use proto::{ParticipantId, Rights, Role};
use std::collections::BTreeMap;
use std::time::Instant;

/// The orders that count, and what they depend on.
pub(super) struct Floor {
    me: ParticipantId,
    /// The last order of each author about one target and one of [`KINDS`].
    orders: BTreeMap<Subject, BTreeMap<ParticipantId, Order>>,
    people: People,
    /// This client's orders that the policy does not contain yet.
    own: BTreeMap<Subject, OwnOrder>,
    /// When this client makes the orders part of the policy.
    fold_due: Option<Instant>,
    /// Orders of this client that it gives in the next epoch, or when it is a manager again.
    waiting: BTreeMap<Subject, bool>,
    /// True if an order waits for the next epoch, because another manager has used the last number of this one.
    needs_epoch: bool,
}

struct OwnOrder {
    allow: bool,
    /// False if it must be sent, or sent again.
    sent: bool,
}

impl Floor {
    pub(super) fn new(me: ParticipantId) -> Self {
        Self {
            me,
            orders: BTreeMap::new(),
            people: People::new(),
            own: BTreeMap::new(),
            fold_due: None,
            waiting: BTreeMap::new(),
            needs_epoch: false,
        }
    }

    /// Gives the orders again that the policy did not contain when this client lost the group, or does so when it is a manager
    /// again: the others have dropped those of its former leaf.
    pub(super) fn resume(&mut self, before: &Self, policy: &PolicyContent, epoch: u64, fold: Instant) {
        let own = before.own.iter().map(|(subject, own)| (*subject, own.allow));
        self.waiting = own.chain(before.waiting.iter().map(|(subject, allow)| (*subject, *allow))).collect();
        self.fold_due = Some(fold).filter(|_| !self.waiting.is_empty());
        self.give_waiting(policy, epoch);
    }

    /// Returns true if an order waits for the next epoch.
    pub(super) const fn needs_epoch(&self) -> bool {
        self.needs_epoch
    }

    /// Takes over a new epoch: drops the orders that do not count any more, and gives those of this client again that lost
    /// against a commit whose author did not know them.
    pub(super) fn handle_group_change(
        &mut self,
        policy: &PolicyContent,
        members: impl Iterator<Item = (ParticipantId, DeviceKey)>,
        epoch: u64,
    ) {
        let has_newcomers = self.people.handle_group_change(policy, members, epoch);
        for (subject, own) in &self.own {
            if let Some(order) = self.orders.get_mut(subject).and_then(|orders| orders.get_mut(&self.me))
                && !own.sent
            {
                order.epoch = epoch;
            }
        }
        self.needs_epoch = false;
        self.drop_outdated();
        self.repeat_lost(epoch);
        self.give_waiting(policy, epoch);
        self.repeat_for_newcomers(has_newcomers, epoch);
        if self.orders.is_empty() && self.waiting.is_empty() {
            self.fold_due = None;
        }
    }

    fn drop_outdated(&mut self) {
        let mut orders = std::mem::take(&mut self.orders);
        orders.retain(|subject, by_author| {
            by_author.retain(|author, order| self.people.counts(*subject, *author, *order));
            !by_author.is_empty()
        });
        self.orders = orders;
    }

    /// Gives the orders that wait, if this client is not about to be a manager again.
    fn give_waiting(&mut self, policy: &PolicyContent, epoch: u64) {
        let is_named = |facts: &Facts| policy.role_of_device(facts.device).is_manager();
        if self.people.list.get(&self.me).is_some_and(|facts| !facts.rank.role.is_manager() && is_named(facts)) {
            // A manager that came back is one again after its next commit.
            return;
        }
        for ((target, kind), allow) in std::mem::take(&mut self.waiting) {
            if self.people.policy_says((target, kind)) != Some(allow) {
                // It is refused if this client has no right to it any more.
                let _ = self.order(FloorOrder { target, rights: KINDS[kind], allow }, epoch, None);
            }
        }
    }

    fn repeat_lost(&mut self, epoch: u64) {
        let is_lost = |subject: &Subject| !self.orders.get(subject).is_some_and(|by| by.contains_key(&self.me));
        let lost: Vec<_> = self.own.extract_if(.., |subject, _| is_lost(subject)).collect();
        for ((target, kind), OwnOrder { allow, .. }) in lost {
            if self.people.policy_says((target, kind)) != Some(allow) {
                // It is refused if this client has no right to it any more.
                let _ = self.order(FloorOrder { target, rights: KINDS[kind], allow }, epoch, None);
            }
        }
    }

    /// Sends this client's orders again, with their numbers: all to those who `joined` before the policy contained them, and
    /// one about everyone if it does not count for people who came, or got another role, with a commit after it.
    fn repeat_for_newcomers(&mut self, joined: bool, epoch: u64) {
        let is_about_all = |order: &Order| {
            let mut below = self.people.list.values().filter(|facts| !facts.rank.role.is_manager());
            below.all(|facts| facts.since <= order.epoch)
        };
        let is_news = |subject: &Subject| {
            let says = self.winner(*subject, 0).map(|(_, order)| order.allow);
            says.is_some() && says != self.people.policy_says(*subject)
        };
        let all = joined && self.orders.keys().any(is_news);
        let is_partial = |subject: &Subject| {
            let order = self.orders.get(subject).and_then(|orders| orders.get(&self.me));
            subject.0 == FloorTarget::Everyone && is_news(subject) && !order.is_some_and(is_about_all)
        };
        let again: Vec<_> = self.own.keys().copied().filter(|subject| all || is_partial(subject)).collect();
        for subject in again {
            self.set_own(subject, epoch, false);
        }
    }

    /// Gives an order of this client. It holds here at once, and is sent by [`Self::send`]. `fold` is when this client makes
    /// it part of the policy; `None` keeps the time.
    ///
    /// # Errors
    /// Returns why this client may not give it. Nothing changes then.
    pub(super) fn order(&mut self, order: FloorOrder, epoch: u64, fold: Option<Instant>) -> Result<(), PolicyRefusal> {
        let FloorOrder { target, rights, allow } = order;
        if let FloorTarget::Person(id) = target {
            let own = self.people.list.get(&self.me).map(|facts| facts.rank.role);
            let of = self.people.list.get(&id).ok_or(PolicyRefusal::NoMember)?.rank.role;
            if own.is_some_and(|own| own.is_manager() && !own.is_above(of)) {
                return Err(PolicyRefusal::NotBelow);
            }
        }
        // Orders that do not count any more are no bar, so nobody can exhaust the numbers for long.
        let newest = self.orders.values().flat_map(BTreeMap::values).map(|order| order.lamport).max();
        // Who came later does not know all orders that count for others. Its first order follows them all the same.
        let newest = newest.unwrap_or(0).max(epoch.saturating_mul(EPOCH_NUMBERS));
        let lamport = newest.saturating_add(1);
        let order = Order { lamport: lamport.min(last_number(epoch)), epoch, allow };
        let subjects: Vec<Subject> = kinds(rights).map(|kind| (target, kind)).collect();
        if subjects.iter().any(|subject| !self.people.counts(*subject, self.me, order)) {
            return Err(PolicyRefusal::NotAllowed);
        }
        if let Some(fold) = fold {
            // An order that says the same as the policy may wait for long.
            self.fold_due = Some(self.fold_due.map_or(fold, |due| due.min(fold)));
        }
        if lamport > order.lamport {
            self.needs_epoch = true;
            self.waiting.extend(subjects.into_iter().map(|subject| (subject, allow)));
            return Ok(());
        }
        for subject in subjects {
            self.insert(subject, self.me, order);
            self.own.insert(subject, OwnOrder { allow, sent: false });
        }
        Ok(())
    }

    /// Handles an order of another member, sealed in `epoch`. Returns false if it does not count, or is older than another
    /// one of its author.
    pub(super) fn receive(&mut self, author: ParticipantId, epoch: u64, message: FloorMessage, fold: Instant) -> bool {
        let FloorMessage::Set { lamport, target, rights, allow } = message;
        let target = target.map_or(FloorTarget::Everyone, FloorTarget::Person);
        let Some(rights) = Rights::from_bits(rights) else { return false };
        let (order, mut is_new) = (Order { lamport, epoch, allow }, false);
        for subject in kinds(rights).map(|kind| (target, kind)) {
            if !self.people.counts(subject, author, order) {
                continue;
            }
            is_new |= self.insert(subject, author, order);
            if self.winner(subject, 0).is_some_and(|(winner, _)| winner != self.me) {
                self.own.remove(&subject);
            }
        }
        if is_new {
            self.fold_due.get_or_insert(fold);
        }
        is_new
    }

    /// Keeps an order, unless its author has given one that precedes it. Returns true if it is kept.
    fn insert(&mut self, subject: Subject, author: ParticipantId, order: Order) -> bool {
        let orders = self.orders.entry(subject).or_default();
        let precedence = |order: &Order| (order.lamport, !order.allow, order.epoch);
        let is_newest = orders.get(&author).is_none_or(|known| precedence(known) < precedence(&order));
        if is_newest {
            orders.insert(author, order);
        }
        is_newest
    }

    /// Returns the order that wins for one subject, of those that were sealed in the epoch `since` or later, and its author.
    fn winner(&self, subject: Subject, since: u64) -> Option<(ParticipantId, Order)> {
        let orders = self.orders.get(&subject)?.iter().map(|(author, order)| (*author, *order));
        orders
            .filter(|(_, order)| order.epoch >= since)
            .max_by_key(|(author, order)| self.people.precedence(*author, *order))
    }

    /// Returns what the orders say of one right of a person; `None` if nothing.
    fn decision(&self, id: ParticipantId, kind: usize) -> Option<bool> {
        let facts = self.people.list.get(&id)?;
        let of_all = self.winner((FloorTarget::Everyone, kind), facts.since);
        let of_all = of_all.filter(|_| !facts.rank.role.is_manager());
        let of_person = self.winner((FloorTarget::Person(id), kind), facts.since);
        let winner =
            of_all.into_iter().chain(of_person).max_by_key(|(author, order)| self.people.precedence(*author, *order));
        winner.map(|(_, order)| order.allow)
    }

    /// Returns the rights of a person who has `rights` by the policy.
    pub(super) fn rights(&self, id: ParticipantId, rights: Rights) -> Rights {
        (0..KINDS.len()).fold(rights, |rights, kind| match self.decision(id, kind) {
            Some(true) => rights | KINDS[kind],
            Some(false) => rights.without(KINDS[kind]),
            None => rights,
        })
    }

    /// Returns the edits by which the policy says what the orders say.
    pub(super) fn edits(&self, policy: &PolicyContent) -> Vec<PolicyEdit> {
        let mut edits: Vec<PolicyEdit> =
            BELOW_MANAGERS.into_iter().filter_map(|role| self.defaults_of(role, policy)).collect();
        let Ok(after) = policy.edited(&edits) else { return Vec::new() };
        let is_listed_as_another =
            |id, device| policy.people().iter().any(|person| person.device == device && person.participant != id);
        for (id, facts) in &self.people.list {
            let wanted = self.rights(*id, facts.rights) & Rights::MEDIA;
            let has = after.rights_of(facts.device, *id) & Rights::MEDIA;
            // The policy lists a device once: the orders about a second leaf of it end with the leaf.
            if wanted == has || is_listed_as_another(*id, facts.device) {
                continue;
            }
            let (granted, withdrawn) = (wanted.without(has), has.without(wanted));
            if !granted.is_empty() {
                edits.push(PolicyEdit::Grant(facts.device, *id, granted));
            }
            if !withdrawn.is_empty() {
                edits.push(PolicyEdit::Withdraw(facts.device, *id, withdrawn));
            }
        }
        edits
    }

    /// Returns the edit of the rights of a role, by the orders about everyone.
    fn defaults_of(&self, role: Role, policy: &PolicyContent) -> Option<PolicyEdit> {
        let before = policy.default_rights(role);
        let after = (0..KINDS.len()).fold(before, |rights, kind| match self.winner((FloorTarget::Everyone, kind), 0) {
            Some((_, order)) if order.allow => rights | KINDS[kind],
            Some(_) => rights.without(KINDS[kind]),
            None => rights,
        });
        (after != before).then_some(PolicyEdit::SetDefaults(role, after))
    }

    /// Returns true if this client makes the orders part of the policy now: it is time, or `at_once` is true.
    pub(super) fn is_fold_due(&self, at_once: bool, now: Instant) -> bool {
        !self.orders.is_empty() && (at_once || self.fold_due.is_some_and(|due| due <= now))
    }

    /// Tries again later. `None` if the policy says what the orders say.
    pub(super) fn set_fold_due(&mut self, due: Option<Instant>) {
        self.fold_due = due;
    }

    /// Returns when [`Self::is_fold_due`] becomes true.
    pub(super) fn fold_due(&self) -> Option<Instant> {
        self.fold_due.filter(|_| !self.orders.is_empty())
    }

    /// Sends this client's orders that the others may not know. While a commit is pending, MLS cannot encrypt. Then the next
    /// call tries again.
    pub(super) fn send(&mut self, log: &mut GroupLog, outputs: &mut Outputs) {
        let epoch = log.group().epoch().0;
        while let Some(message) = self.unsent() {
            let Some(sealed) = log.seal(&state::Message::Floor(message)) else { return };
            self.set_sent(message, epoch);
            outputs.transmit(sealed);
        }
    }

    /// Returns an order of this client that the others may not know, with all rights that it is about.
    pub(super) fn unsent(&self) -> Option<FloorMessage> {
        let own = |subject: &Subject| self.orders.get(subject)?.get(&self.me).map(|order| (order.lamport, order.allow));
        let mut unsent = self.own.iter().filter(|(_, order)| !order.sent).map(|(subject, _)| subject);
        let first = unsent.next()?;
        let (lamport, allow) = own(first)?;
        let same = unsent.filter(|other| other.0 == first.0 && own(other) == Some((lamport, allow)));
        let rights = same.fold(KINDS[first.1], |rights, other| rights | KINDS[other.1]).bits();
        let target = match first.0 {
            FloorTarget::Everyone => None,
            FloorTarget::Person(id) => Some(id),
        };
        Some(FloorMessage::Set { lamport, target, rights, allow })
    }

    /// Records that an order of this client was sealed in `epoch`.
    pub(super) fn set_sent(&mut self, message: FloorMessage, epoch: u64) {
        let FloorMessage::Set { target, rights, .. } = message;
        let target = target.map_or(FloorTarget::Everyone, FloorTarget::Person);
        for subject in Rights::from_bits(rights).into_iter().flat_map(kinds).map(|kind| (target, kind)) {
            self.set_own(subject, epoch, true);
        }
    }

    fn set_own(&mut self, subject: Subject, epoch: u64, sent: bool) {
        let order = self.orders.get_mut(&subject).and_then(|orders| orders.get_mut(&self.me));
        if let (Some(order), Some(own)) = (order, self.own.get_mut(&subject)) {
            (order.epoch, own.sent) = (epoch, sent);
        }
    }

    /// Sends this client's orders again: they may have been lost with the connection, or too old to be read.
    pub(super) fn repeat(&mut self) {
        self.own.values_mut().for_each(|own| own.sent = false);
    }
}

/// Returns when a client makes orders part of the policy. Their author does so first, then the managers in the order of
/// their rank.
pub(super) fn fold_time(is_author: bool, rank: u32, now: Instant) -> Instant {
    now + FOLD_INTERVAL * if is_author { 1 } else { rank.saturating_add(2) }
}

/// Returns the indices in [`KINDS`] of the rights.
fn kinds(rights: Rights) -> impl Iterator<Item = usize> {
    (0..KINDS.len()).filter(move |kind| !(KINDS[*kind] & rights).is_empty())
}
