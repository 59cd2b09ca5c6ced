//! A naive model of rights beside the real meetings: it follows the log, and says what each member may do in each epoch.
//!
//! The model (`crypto/tests/group/rights_model.rs`) is written from docs/security.md. At each new policy, this module takes
//! apart what has changed, and lets the committer try each part in the model. Then each client must list everybody with the
//! model's role and rights. The rights to send sound and pictures may differ only as somebody has ordered who may.

#[path = "../../../crypto/tests/group/rights_model.rs"]
mod rights_model;

use super::{Client, ClientId, Simulation};
use crypto::DeviceKey;
use crypto::group::PolicyContent;
use net::meeting::{Command, FloorOrder, FloorTarget, Member};
use proto::{Epoch, LogEntry, ManagerCommand, MeetingFlags, ParticipantId, Rights, Role};
use rights_model::{Act, Id, Model};
use std::collections::{BTreeMap, BTreeSet};

/// What the model knows, and what the log says.
pub(super) struct Reference {
    model: Model,
    /// The number of each device in the model.
    ids: BTreeMap<DeviceKey, Id>,
    epochs: BTreeMap<Epoch, Snapshot>,
    /// Who has committed each epoch, by the log.
    committers: BTreeMap<Epoch, ParticipantId>,
    /// Who is gone, and the manager whose command removed it.
    gone: BTreeMap<ParticipantId, Option<ParticipantId>>,
    /// The orders about sound and pictures that users have given, the newest of each kind: author, target, and what is allowed.
    orders: BTreeMap<(DeviceKey, FloorTarget, bool), Rights>,
    /// How many changes the model has allowed.
    pub(super) changes: usize,
}

/// What holds in an epoch.
struct Snapshot {
    policy: PolicyContent,
    members: BTreeMap<ParticipantId, Facts>,
}

/// What the model says of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Facts {
    device: DeviceKey,
    role: Role,
    rights: Rights,
}

impl Reference {
    pub(super) fn new(organiser: &Client) -> Self {
        let device = organiser.people.first().expect("it is a member").device;
        let mut reference = Self {
            model: Model::new(0),
            ids: [(device, 0)].into(),
            epochs: BTreeMap::new(),
            committers: BTreeMap::new(),
            gone: BTreeMap::new(),
            orders: BTreeMap::new(),
            changes: 0,
        };
        reference.keep(organiser);
        reference
    }

    /// Notes an entry of the log, before any client gets it.
    pub(super) fn note_entry(&mut self, entry: &LogEntry) {
        match entry {
            LogEntry::Commit { from, epoch, .. } => drop(self.committers.insert(epoch.next(), *from)),
            LogEntry::Managed { signed } => {
                if let Ok(ManagerCommand::Commit { epoch, .. }) = signed.decode() {
                    self.committers.insert(epoch.next(), signed.from);
                }
            }
            LogEntry::Gone { participant, by } => {
                self.gone.entry(*participant).or_insert(*by);
            }
            LogEntry::Told { .. } => {}
        }
    }

    /// Notes what a user orders.
    pub(super) fn note_command(&mut self, by: &Client, command: &Command) {
        let (target, mut rights, allow) = if let Command::Floor(FloorOrder { target, rights, allow }) = *command {
            (target, rights, allow)
        } else if let Command::GrantRights(id, rights) = *command {
            (FloorTarget::Person(id), rights, true)
        } else if let Command::WithdrawRights(id, rights) = *command {
            (FloorTarget::Person(id), rights, false)
        } else {
            return;
        };
        let Some(me) = by.people.iter().find(|person| person.me) else { return };
        if !(rights & Rights::SHARE).is_empty() {
            rights |= Rights::SHARE;
        }
        let known = self.orders.entry((me.device, target, allow)).or_insert(Rights::NONE);
        *known |= rights & Rights::MEDIA;
    }

    /// Compares what a member sees with the model. The first one that is in a new epoch takes the model there.
    pub(super) fn check(&mut self, client: &Client) {
        let (Some(epoch), Some(policy)) = (client.epoch, client.meeting.policy()) else { return };
        if client.ending.is_some() || client.people.is_empty() {
            return;
        }
        if !self.epochs.contains_key(&epoch) {
            self.advance(client, epoch);
        }
        let Snapshot { policy: expected, members } = &self.epochs[&epoch];
        assert!(**policy == *expected, "{}: the policy of epoch {} differs", client.name, epoch.0);
        let seen: Vec<_> = client.people.iter().map(|person| person.id).collect::<BTreeSet<_>>().into_iter().collect();
        assert_eq!(
            seen,
            members.keys().copied().collect::<Vec<_>>(),
            "{}: the members of epoch {}",
            client.name,
            epoch.0
        );
        for person in &client.people {
            let facts = members[&person.id];
            let what = format!("{} sees {} in epoch {}", client.name, person.name, epoch.0);
            assert_eq!((person.device, person.role), (facts.device, facts.role), "{what}: the role");
            let (media, others) = (person.rights & Rights::MEDIA, person.rights.without(Rights::MEDIA));
            assert_eq!(others, facts.rights.without(Rights::MEDIA), "{what}: the rights");
            self.check_media(person, media, facts.rights & Rights::MEDIA, expected, &what);
        }
    }

    /// A difference from the policy is what a manager above the person has ordered.
    fn check_media(&self, person: &Member, shown: Rights, by_policy: Rights, policy: &PolicyContent, what: &str) {
        for (allow, changed) in [(true, shown.without(by_policy)), (false, by_policy.without(shown))] {
            for right in Rights::EACH.into_iter().filter(|right| changed.contains(*right)) {
                let explains = |((author, target, allows), rights): (&(DeviceKey, FloorTarget, bool), &Rights)| {
                    let is_about = match target {
                        FloorTarget::Everyone => !person.role.is_manager(),
                        FloorTarget::Person(id) => *id == person.id,
                    };
                    let role = policy.role_of_device(*author);
                    *allows == allow
                        && is_about
                        && rights.contains(right)
                        && role.is_manager()
                        && role.is_above(person.role)
                };
                assert!(self.orders.iter().any(explains), "{what}: nobody has ordered {right:?} {allow}");
            }
        }
    }

    /// Keeps what holds in the client's epoch.
    fn keep(&mut self, client: &Client) {
        let policy: &PolicyContent = client.meeting.policy().expect("it is a member");
        let facts = |person: &Member| {
            let facts = self.facts(person.device, person.id, policy);
            (person.id, facts)
        };
        let members = client.people.iter().map(facts).collect();
        self.epochs.insert(client.epoch.expect("it is a member"), Snapshot { policy: policy.clone(), members });
    }

    fn facts(&self, device: DeviceKey, participant: ParticipantId, policy: &PolicyContent) -> Facts {
        let id = self.ids[&device];
        let bits = |rights: BTreeSet<u8>| {
            rights.into_iter().fold(Rights::NONE, |all, right| all | Rights::EACH[usize::from(right)])
        };
        let is_second = policy.people().iter().any(|one| one.device == device && one.participant != participant);
        let (role, rights) = if is_second {
            // Another leaf of a listed device: as everybody, without what is withdrawn from its person.
            (self.model.everyone(), self.model.rights_of_second_leaf(id))
        } else {
            (self.model.role(id), self.model.rights(id))
        };
        Facts { device, role: Role::from_number(role).expect("a role"), rights: bits(rights) }
    }

    /// Takes the model to a new epoch, the first of which a client knows.
    fn advance(&mut self, client: &Client, epoch: Epoch) {
        let (last, before) = self.epochs.last_key_value().expect("the first epoch is known");
        assert_eq!(last.next(), epoch, "{}: an epoch is missing", client.name);
        let by = *self.committers.get(&epoch).expect("the log has a commit for each epoch");
        let committer = before.members.get(&by).expect("the committer is a member").device;
        let members: BTreeMap<_, _> = before.members.iter().map(|(id, facts)| (*id, facts.device)).collect();
        let (before, after) = (before.policy.clone(), client.meeting.policy().expect("it is a member"));
        for person in &client.people {
            let next = self.ids.len() as Id;
            self.ids.entry(person.device).or_insert(next);
        }
        let present: BTreeMap<_, _> = client.people.iter().map(|person| (person.id, person.device)).collect();
        let change =
            Change { before: &before, after, members: &members, present: &present, committer: self.ids[&committer] };
        let what = format!("epoch {} by {by:?}", epoch.0);
        self.try_all(&change, &what);
        self.assert_agrees(&change, &what);
        self.keep(client);
    }

    /// Lets the committer try each part of a change in the model.
    fn try_all(&mut self, change: &Change<'_>, what: &str) {
        let before = self.model.clone();
        // Who may remove and add is decided by the policy before.
        for (act, is_checked) in self.comings_and_goings(change) {
            assert!(!is_checked || before.clone().attempt(change.committer, act), "{what}: {act:?} is not allowed");
        }
        if change.before.serial() != change.after.serial() {
            self.try_policy(change, what);
        }
        for (act, _) in self.comings_and_goings(change) {
            if let Act::Add(id) = act {
                self.model.present.insert(id);
            } else if let Act::RemoveForGood(id) = act {
                self.model.bar(id);
            } else if let Act::Remove(id) = act {
                self.model.present.remove(&id);
            }
        }
    }

    /// Lets the committer try what a new policy changes. What is ordered about those who leave counts, so they are still there.
    fn try_policy(&mut self, change: &Change<'_>, what: &str) {
        let mut acts = self.policy_acts(change);
        for _ in 0..MAX_ROUNDS {
            for act in acts.drain(..).rev() {
                assert!(self.model.attempt(change.committer, act), "{what}: {act:?} is not allowed");
                self.changes += 1;
            }
            // A right that was granted and is a part of the role now takes two steps.
            acts = self.rights_acts(change);
        }
        // A grant before a role and a role before a grant leave other exceptions, and the same rights.
        let numbers = |rights: Rights| (0..).zip(Rights::EACH).filter(move |(_, right)| rights.contains(*right));
        for person in change.after.people() {
            let granted = numbers(person.granted).map(|(number, _)| number).collect();
            let withdrawn = numbers(person.withdrawn).map(|(number, _)| number).collect();
            let is_same = self.model.put_exceptions(self.ids[&person.device], granted, withdrawn);
            assert!(is_same, "{what}: the rights of {:?}", person.participant);
        }
    }

    /// Returns who leaves and who comes, and whether the committer needs a right for it.
    fn comings_and_goings(&self, change: &Change<'_>) -> Vec<(Act, bool)> {
        let Change { before, after, members, present, committer } = *change;
        let mut acts = Vec::new();
        let stays = |device: DeviceKey| present.values().any(|other| *other == device);
        let was_here = |device: DeviceKey| members.values().any(|other| *other == device);
        for (participant, device) in members.iter().filter(|(id, _)| !present.contains_key(id)) {
            let id = self.ids[device];
            if after.is_barred(*device) {
                acts.push((Act::RemoveForGood(id), true));
            } else {
                let is_free = self.is_gone(*participant, id, before) || id == committer;
                let act = if stays(*device) { None } else { Some(Act::Remove(id)) };
                acts.extend(act.map(|act| (act, !is_free)));
            }
        }
        let barred = after.barred().iter().filter(|device| !before.is_barred(**device) && !was_here(**device));
        acts.extend(barred.filter_map(|device| self.ids.get(device)).map(|id| (Act::RemoveForGood(*id), true)));
        for (_, device) in present.iter().filter(|(id, _)| !members.contains_key(id)) {
            // A manager that comes back with the authority's signature is added by anybody.
            let is_return = before.role_of_device(*device).is_manager();
            if !was_here(*device) {
                acts.push((Act::Add(self.ids[device]), !is_return));
            }
        }
        acts
    }

    /// Returns true if the participant on the device with the number `id` is gone. Who was removed by a manager's command is, if the
    /// model gives that manager power over it.
    fn is_gone(&self, participant: ParticipantId, id: Id, policy: &PolicyContent) -> bool {
        match self.gone.get(&participant) {
            None => false,
            Some(None) => true,
            Some(Some(by)) => {
                let manager = policy.people().iter().find(|person| person.participant == *by);
                manager.is_some_and(|manager| self.model.has_power(self.ids[&manager.device], id))
            }
        }
    }

    /// Returns what changes in the policy, except rights of single people. The last one comes first.
    fn policy_acts(&self, change: &Change<'_>) -> Vec<Act> {
        let Change { before, after, .. } = *change;
        let mut acts = Vec::new();
        for bit in 0..6 {
            let is_set =
                |policy: &PolicyContent| policy.flags().contains(MeetingFlags::from_bits(1 << bit).expect("a flag"));
            if is_set(before) != is_set(after) {
                acts.push(Act::SetFlag(bit, is_set(after)));
            }
        }
        let organiser = after.people()[0].device;
        if organiser != before.people()[0].device {
            acts.push(Act::HandOver(self.ids[&organiser]));
            return acts;
        }
        for role in Role::ALL {
            let (old, new) = (before.default_rights(role), after.default_rights(role));
            for (number, right) in (0..).zip(Rights::EACH) {
                if old.contains(right) != new.contains(right) {
                    acts.push(Act::SetDefault(role.number(), number, new.contains(right)));
                }
            }
        }
        // In the order of the list, so that who is new in a role follows those who had it.
        let changed = after.people().iter().rev().filter(|person| before.role_of_device(person.device) != person.role);
        acts.extend(changed.map(|person| Act::SetRole(self.ids[&person.device], person.role.number())));
        let unlisted = before.people().iter().filter(|person| {
            let is_listed = after.people().iter().any(|other| other.device == person.device);
            !is_listed && !after.is_barred(person.device) && person.role != after.everyone()
        });
        acts.extend(unlisted.map(|person| Act::SetRole(self.ids[&person.device], after.everyone().number())));
        if before.everyone() != after.everyone() {
            acts.push(Act::SetEveryone(after.everyone().number()));
        }
        acts
    }

    /// Returns how the rights of single people differ from the policy after the change.
    fn rights_acts(&self, change: &Change<'_>) -> Vec<Act> {
        let after = change.after;
        let mut acts = Vec::new();
        let all = change.before.people().iter().chain(after.people());
        for person in all.filter(|person| !after.is_barred(person.device)) {
            let id = self.ids[&person.device];
            let listed = after.people().iter().find(|other| other.device == person.device);
            let (granted, withdrawn) = listed.map_or((Rights::NONE, Rights::NONE), |one| (one.granted, one.withdrawn));
            for (number, right) in (0..).zip(Rights::EACH) {
                let (is_granted, is_withdrawn) = self.model.exceptions(id, number);
                if granted.contains(right) && !is_granted || is_withdrawn && !withdrawn.contains(right) {
                    acts.push(Act::Grant(id, number));
                } else if withdrawn.contains(right) && !is_withdrawn || is_granted && !granted.contains(right) {
                    acts.push(Act::Withdraw(id, number));
                }
            }
        }
        acts
    }

    /// The model and the policy say the same.
    fn assert_agrees(&self, change: &Change<'_>, what: &str) {
        let after = change.after;
        let present: BTreeSet<Id> = change.present.values().map(|device| self.ids[device]).collect();
        assert_eq!(present, self.model.present, "{what}: who is there");
        for (device, id) in &self.ids {
            assert_eq!(after.role_of_device(*device).number(), self.model.role(*id), "{what}: the role of {id}");
        }
        for person in after.people() {
            let rights = after.rights_of(person.device, person.participant);
            let expected = self.facts(person.device, person.participant, after).rights;
            assert_eq!(rights, expected, "{what}: the rights of {:?}", person.participant);
        }
        let listed = after.people().iter().filter(|person| person.role == Role::CoOrganiser);
        let order: Vec<_> = listed.map(|person| self.ids[&person.device]).collect();
        assert_eq!(order, self.model.co_organisers(), "{what}: the order of succession");
        assert_eq!(self.ids[&after.people()[0].device], self.model.organiser(), "{what}: the organiser");
    }
}

/// How often the rights of single people are compared.
const MAX_ROUNDS: usize = 4;

/// What a commit has changed.
#[derive(Clone, Copy)]
struct Change<'a> {
    before: &'a PolicyContent,
    after: &'a PolicyContent,
    /// The members before.
    members: &'a BTreeMap<ParticipantId, DeviceKey>,
    /// The members after.
    present: &'a BTreeMap<ParticipantId, DeviceKey>,
    committer: Id,
}

impl Simulation {
    /// Lets a naive model of rights watch the meeting of `organiser`, who is its only member. From now on, each step of each
    /// client is compared with it.
    pub fn watch_rights(&mut self, organiser: ClientId) {
        self.reference = Some(Reference::new(self.client(organiser)));
    }

    /// Returns how many changes of roles, rights and flags the naive model has allowed.
    pub fn allowed_changes(&self) -> usize {
        self.reference.as_ref().map_or(0, |reference| reference.changes)
    }
}
