//! A naive model of roles and rights, written from docs/security.md and not from the code: sets of numbers, no bits, no
//! encodings. Two simulations compare it with the real one at every step.
#![allow(dead_code, reason = "each of two test programs uses a part")]

use std::collections::{BTreeMap, BTreeSet};

/// A person is the number of its device.
pub type Id = u64;

/// 0 organiser, 1 co-organiser, 2 presenter, 3 participant, 4 guest.
pub type Role = u8;

/// 0 microphone, 1 camera, 2 screen, 3 application, 4 chat, 5 file, 6 react, 7 annotate, 8 give control, 9 take control,
/// 10 record, 11 invite, 12 admit, 13 remove, 14 set role, 15 delegate.
pub type Right = u8;

pub const ADMIT: Right = 12;
pub const REMOVE: Right = 13;
pub const SET_ROLE: Right = 14;
pub const DELEGATE: Right = 15;

/// What somebody tries.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    Add(Id),
    Remove(Id),
    RemoveForGood(Id),
    /// Removes a member that has left.
    RemoveGone(Id),
    /// Removes a member whose connection the delivery service has closed by a command of somebody: the second one.
    RemoveExpelled(Id, Id),
    SetRole(Id, Role),
    Grant(Id, Right),
    Withdraw(Id, Right),
    HandOver(Id),
    SetFlag(u8, bool),
    SetDefault(Role, Right, bool),
    SetEveryone(Role),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Entry {
    role: Role,
    granted: BTreeSet<Right>,
    withdrawn: BTreeSet<Right>,
    /// Smaller is earlier in the order of succession.
    order: i64,
}

#[derive(Clone, Debug)]
pub struct Model {
    pub present: BTreeSet<Id>,
    entries: BTreeMap<Id, Entry>,
    barred: BTreeSet<Id>,
    flags: BTreeSet<u8>,
    defaults: Vec<BTreeSet<Right>>,
    everyone: Role,
    last: i64,
    first: i64,
}

fn is_management(right: Right) -> bool {
    right >= ADMIT
}

fn is_manager(role: Role) -> bool {
    role <= 1
}

fn is_possible(role: Role, right: Right) -> bool {
    is_manager(role) || !is_management(right)
}

impl Model {
    pub fn new(organiser: Id) -> Self {
        let all: BTreeSet<Right> = (0..16).collect();
        let presenter: BTreeSet<Right> = (0..12).collect();
        let participant = presenter.iter().copied().filter(|right| ![9, 10].contains(right)).collect();
        let entry = Entry::default();
        Self {
            present: [organiser].into(),
            entries: [(organiser, entry)].into(),
            barred: BTreeSet::new(),
            flags: [2, 3, 4].into(),
            defaults: vec![all.clone(), all, presenter, participant, [0, 1, 4, 6].into()],
            everyone: 3,
            last: 0,
            first: 0,
        }
    }

    pub fn role(&self, id: Id) -> Role {
        self.entries.get(&id).map_or(self.everyone, |entry| entry.role)
    }

    pub fn rights(&self, id: Id) -> BTreeSet<Right> {
        let entry = self.entries.get(&id).cloned().unwrap_or(Entry { role: self.everyone, ..Entry::default() });
        let mut rights = self.defaults[usize::from(entry.role)].clone();
        rights.extend(entry.granted.iter().copied());
        rights.retain(|right| !entry.withdrawn.contains(right) && is_possible(entry.role, *right));
        rights
    }

    /// The rights of a second leaf of a device: those of everybody, without what is withdrawn from the device's person.
    pub fn rights_of_second_leaf(&self, id: Id) -> BTreeSet<Right> {
        let withdrawn = self.entry(id).withdrawn;
        self.defaults[usize::from(self.everyone)].difference(&withdrawn).copied().collect()
    }

    pub fn everyone(&self) -> Role {
        self.everyone
    }

    /// Whether a right is granted to a person, or withdrawn.
    pub fn exceptions(&self, id: Id, right: Right) -> (bool, bool) {
        let entry = self.entry(id);
        (entry.granted.contains(&right), entry.withdrawn.contains(&right))
    }

    /// Replaces the exceptions of a listed person by others that give the same rights. Returns false if they do not.
    pub fn put_exceptions(&mut self, id: Id, granted: BTreeSet<Right>, withdrawn: BTreeSet<Right>) -> bool {
        let before = self.rights(id);
        if let Some(entry) = self.entries.get_mut(&id) {
            (entry.granted, entry.withdrawn) = (granted, withdrawn);
        }
        self.rights(id) == before
    }

    /// Lets somebody go for good, whoever wants it.
    pub fn bar(&mut self, id: Id) {
        self.present.remove(&id);
        self.entries.remove(&id);
        self.barred.insert(id);
    }

    pub fn organiser(&self) -> Id {
        *self.entries.iter().find(|(_, entry)| entry.role == 0).expect("there is one").0
    }

    pub fn is_listed(&self, id: Id) -> bool {
        self.entries.contains_key(&id)
    }

    /// The co-organisers in the order of succession.
    pub fn co_organisers(&self) -> Vec<Id> {
        let mut all: Vec<_> = self.entries.iter().filter(|(_, entry)| entry.role == 1).collect();
        all.sort_by_key(|(_, entry)| entry.order);
        all.into_iter().map(|(id, _)| *id).collect()
    }

    /// Does what `by` tries if it may. Returns whether it may.
    pub fn attempt(&mut self, by: Id, act: Act) -> bool {
        let Some(after) = self.after(by, act) else { return false };
        *self = after;
        true
    }

    fn has(&self, by: Id, right: Right) -> bool {
        self.rights(by).contains(&right)
    }

    fn is_above(&self, by: Id, role: Role) -> bool {
        self.role(by) < role
    }

    /// Whether somebody may remove a person.
    pub fn has_power(&self, by: Id, id: Id) -> bool {
        self.has(by, REMOVE) && self.is_above(by, self.role(id))
    }

    fn after(&self, by: Id, act: Act) -> Option<Self> {
        let mut next = self.clone();
        match act {
            Act::Add(id) => {
                let may = self.has(by, ADMIT) && !self.present.contains(&id) && !self.barred.contains(&id);
                next.present.insert(id);
                may.then_some(next)
            }
            Act::Remove(id) => {
                next.present.remove(&id);
                (self.has(by, REMOVE) && self.is_above(by, self.role(id))).then_some(next)
            }
            Act::RemoveForGood(id) => {
                next.present.remove(&id);
                next.entries.remove(&id);
                next.barred.insert(id);
                (self.has(by, REMOVE) && self.is_above(by, self.role(id))).then_some(next)
            }
            Act::RemoveGone(id) => {
                next.present.remove(&id);
                Some(next)
            }
            Act::RemoveExpelled(id, expelled_by) => {
                next.present.remove(&id);
                (self.has_power(by, id) || self.has_power(expelled_by, id)).then_some(next)
            }
            Act::SetRole(id, role) => self.with_role(by, id, role),
            Act::Grant(id, right) => self.with_right(by, id, right, true),
            Act::Withdraw(id, right) => self.with_right(by, id, right, false),
            Act::HandOver(id) => self.handed_over(by, id),
            Act::SetFlag(flag, set) => {
                let changes = if set { next.flags.insert(flag) } else { next.flags.remove(&flag) };
                let needed = [ADMIT, ADMIT, ADMIT, 10, 5, 4][usize::from(flag)];
                let may = is_manager(self.role(by)) && (!changes || self.has(by, needed));
                may.then_some(next)
            }
            Act::SetDefault(role, right, on) => self.with_default(by, role, right, on),
            Act::SetEveryone(role) => {
                if is_manager(role) || !is_manager(self.role(by)) {
                    return None;
                }
                next.everyone = role;
                let (old, new) = (&self.defaults[usize::from(self.everyone)], &self.defaults[usize::from(role)]);
                let gains = new.difference(old).all(|right| self.has(by, *right));
                (role == self.everyone || (self.has(by, SET_ROLE) && gains)).then_some(next)
            }
        }
    }

    fn with_default(&self, by: Id, role: Role, right: Right, on: bool) -> Option<Self> {
        if role == 0 || (on && !is_possible(role, right)) || !is_manager(self.role(by)) {
            return None;
        }
        let mut next = self.clone();
        let rights = &mut next.defaults[usize::from(role)];
        let changes = if on { rights.insert(right) } else { rights.remove(&right) };
        let may = self.has(by, SET_ROLE) && self.is_above(by, role) && (!on || self.has(by, right));
        (!changes || may).then_some(next)
    }

    fn entry(&self, id: Id) -> Entry {
        let unlisted = Entry { role: self.everyone, ..Entry::default() };
        self.entries.get(&id).cloned().unwrap_or(unlisted)
    }

    /// Puts the entry in, or leaves it out if the person is as everybody.
    fn put(&mut self, id: Id, mut entry: Entry) {
        let before = self.entries.get(&id);
        if entry.role == self.everyone && entry.granted.is_empty() && entry.withdrawn.is_empty() {
            self.entries.remove(&id);
            return;
        }
        if before.is_none_or(|before| before.role != entry.role) {
            self.last += 1;
            entry.order = self.last;
        }
        self.entries.insert(id, entry);
    }

    fn with_role(&self, by: Id, id: Id, role: Role) -> Option<Self> {
        let mut entry = self.entry(id);
        let old = entry.role;
        if role == 0 || old == 0 || !is_manager(self.role(by)) {
            return None;
        }
        entry.role = role;
        entry.granted.retain(|right| is_possible(role, *right));
        entry.withdrawn.retain(|right| is_possible(role, *right));
        let mut next = self.clone();
        next.put(id, entry);
        if old == role {
            return Some(next);
        }
        let may = self.has(by, SET_ROLE) && self.is_above(by, old) && self.is_above(by, role);
        (may && self.gives_only_own(by, id, &next) && next.lists_no_ghost(self, id)).then_some(next)
    }

    fn with_right(&self, by: Id, id: Id, right: Right, grant: bool) -> Option<Self> {
        let mut entry = self.entry(id);
        if entry.role == 0 || (grant && !is_possible(entry.role, right)) || !is_manager(self.role(by)) {
            return None;
        }
        let before = entry.clone();
        if grant {
            entry.withdrawn.remove(&right);
            if !self.defaults[usize::from(entry.role)].contains(&right) {
                entry.granted.insert(right);
            }
        } else {
            entry.granted.remove(&right);
            if is_possible(entry.role, right) {
                entry.withdrawn.insert(right);
            }
        }
        let (same, role) = (entry == before, entry.role);
        let mut next = self.clone();
        next.put(id, entry);
        let may = same || (self.has(by, DELEGATE) && self.is_above(by, role));
        (may && self.gives_only_own(by, id, &next) && next.lists_no_ghost(self, id)).then_some(next)
    }

    fn gives_only_own(&self, by: Id, id: Id, next: &Self) -> bool {
        next.rights(id).difference(&self.rights(id)).all(|right| self.has(by, *right))
    }

    /// Nobody is listed anew who is not there.
    fn lists_no_ghost(&self, before: &Self, id: Id) -> bool {
        before.entries.contains_key(&id) || !self.entries.contains_key(&id) || self.present.contains(&id)
    }

    fn handed_over(&self, by: Id, id: Id) -> Option<Self> {
        let old = self.organiser();
        if id == old {
            return is_manager(self.role(by)).then(|| self.clone());
        }
        let mut higher: Vec<Id> = self.co_organisers().into_iter().take_while(|other| *other != by).collect();
        higher.push(old);
        let succeeds = by == id && self.role(by) == 1 && higher.iter().all(|other| !self.present.contains(other));
        if !(self.role(by) == 0 || succeeds) || !self.present.contains(&id) {
            return None;
        }
        let mut next = self.clone();
        next.first -= 1;
        next.entries.insert(id, Entry::default());
        next.entries.insert(old, Entry { role: 1, order: next.first, ..Entry::default() });
        Some(next)
    }
}

/// Pseudo-random numbers (`SplitMix64`), so that a seed repeats its run.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }

    fn small(&mut self, limit: u8) -> u8 {
        u8::try_from(self.below(limit.into())).expect("it is below a byte")
    }

    /// Chooses one of `ids`.
    pub fn one_of(&mut self, ids: &BTreeSet<Id>) -> Option<Id> {
        let at = usize::try_from(self.below(ids.len().max(1) as u64)).ok()?;
        ids.iter().nth(at).copied()
    }

    /// Returns who tries what. The people have the numbers below `everybody`. Managers act more often than others.
    pub fn act(&mut self, model: &Model, everybody: Id, max_members: usize) -> (Id, Act) {
        let managers: BTreeSet<Id> = model.present.iter().copied().filter(|id| is_manager(model.role(*id))).collect();
        let acting = if self.below(4) > 0 && !managers.is_empty() { &managers } else { &model.present };
        let by = self.one_of(acting).expect("somebody is there");
        let others: BTreeSet<Id> = model.present.iter().copied().filter(|id| *id != by).collect();
        let stranger = self.below(everybody);
        let other = self.one_of(&others);
        let somebody = if self.below(12) == 0 { stranger } else { other.unwrap_or(by) };
        let is_empty = model.present.len() < 4;
        let expelled_by = if self.below(2) == 0 { by } else { self.one_of(acting).unwrap_or(by) };
        let act = match (self.below(21), other) {
            (0..4, _) if model.present.len() < max_members => Act::Add(stranger),
            (4, Some(other)) if !is_empty => Act::Remove(other),
            (5, Some(other)) if !is_empty => Act::RemoveForGood(other),
            (6, Some(other)) if !is_empty => Act::RemoveGone(other),
            (20, Some(other)) if !is_empty && other != expelled_by => Act::RemoveExpelled(other, expelled_by),
            (7..11, _) => Act::SetRole(somebody, self.small(5)),
            (11..13, _) => Act::Grant(somebody, self.small(16)),
            (13..16, _) => Act::Withdraw(somebody, self.small(16)),
            (16, _) => Act::HandOver(if self.below(3) == 0 { by } else { somebody }),
            (17, _) => Act::SetFlag(self.small(6), self.below(2) == 0),
            (18, _) => Act::SetDefault(self.small(5), self.small(16), self.below(3) > 0),
            (19, _) => Act::SetEveryone(self.small(5)),
            (_, _) => Act::Add(stranger),
        };
        (by, act)
    }
}

/// Returns a number of the environment.
pub fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}
