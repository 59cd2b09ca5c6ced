//! Roles and rights that move all the time in real MLS groups: the members and a naive model agree at every step.

use crate::rights_model::{Act, Id, Model, Random, variable};
use crypto::group::edits;
use crypto::{
    Changes, Gone, Group, Identity, Joiner, KnockRequest, ManagerKeys, Member, PendingCommit, PolicyEdit, Profile,
    Received,
};
use proto::{MeetingFlags, ParticipantId, Rights, Role};
use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

const EVERYBODY: Id = 20;
const MAX_PRESENT: usize = 16;

struct World {
    identities: Vec<Identity>,
    /// The newest participant id of each person.
    participants: Vec<ParticipantId>,
    groups: BTreeMap<Id, Group>,
    keys: ManagerKeys,
    next: u64,
}

impl World {
    fn new() -> Self {
        let identities: Vec<_> = (0..EVERYBODY).map(|_| Identity::generate().unwrap()).collect();
        let (keys, profile) = (ManagerKeys::new().unwrap(), Profile::new("P").unwrap());
        let first = Group::create(&identities[0], profile, ParticipantId(0), &keys, SystemTime::now()).unwrap();
        let participants = (0..EVERYBODY).map(ParticipantId).collect();
        Self { identities, participants, groups: [(0, first)].into(), keys, next: 1_000 }
    }

    fn participant(&self, id: Id) -> ParticipantId {
        self.participants[usize::try_from(id).unwrap()]
    }

    fn edit(&self, act: Act, policy: &crypto::MeetingPolicy) -> Option<PolicyEdit> {
        let device = |id: Id| self.identities[usize::try_from(id).unwrap()].public();
        let right = |number: u8| Rights::EACH[usize::from(number)];
        Some(match act {
            Act::Add(_) | Act::Remove(_) | Act::RemoveGone(_) | Act::RemoveExpelled(..) => return None,
            Act::RemoveForGood(id) => PolicyEdit::Bar(device(id)),
            Act::SetRole(id, role) => PolicyEdit::SetRole(device(id), self.participant(id), Role::from_number(role)?),
            Act::Grant(id, number) => PolicyEdit::Grant(device(id), self.participant(id), right(number)),
            Act::Withdraw(id, number) => PolicyEdit::Withdraw(device(id), self.participant(id), right(number)),
            Act::HandOver(id) => PolicyEdit::HandOver(device(id), self.participant(id)),
            Act::SetFlag(flag, set) => {
                PolicyEdit::SetFlags(policy.flags().with(MeetingFlags::from_bits(1 << flag)?, set))
            }
            Act::SetDefault(role, number, on) => {
                let (role, right) = (Role::from_number(role)?, right(number));
                let rights = policy.default_rights(role);
                PolicyEdit::SetDefaults(role, if on { rights | right } else { rights.without(right) })
            }
            Act::SetEveryone(role) => PolicyEdit::SetEveryone(Role::from_number(role)?),
        })
    }

    fn knock(&mut self, id: Id) -> (Joiner, KnockRequest) {
        let (invitation, now) = (self.keys.invitation("h", 1, None), SystemTime::now());
        let participant = ParticipantId(self.next);
        self.next += 1;
        let identity = &self.identities[usize::try_from(id).unwrap()];
        let (chain, profile) = (self.keys.chain().encode(), Profile::new("P").unwrap());
        let (joiner, request) =
            crypto::knock(&invitation, self.keys.public_key(), &chain, identity, profile, participant, now).unwrap();
        (joiner, self.keys.open(&request, now).unwrap())
    }

    /// Returns the commit by which `by` tries it, or `None` if its own client makes none.
    fn commit(&mut self, by: Id, act: Act, request: Option<KnockRequest>) -> Option<PendingCommit> {
        let leaf = |id: Id| self.groups.get(&id).map(Group::me);
        let mut changes = Changes::default();
        if let Act::Remove(id) | Act::RemoveForGood(id) | Act::RemoveGone(id) | Act::RemoveExpelled(id, _) = act {
            changes.remove.extend(leaf(id));
        }
        let group = &self.groups[&by];
        let mut wanted: Vec<_> = self.edit(act, group.policy()).into_iter().collect();
        wanted.extend(request.as_ref().and_then(|request| edits::return_of(group, request, &[])));
        changes.add.extend(request);
        if !wanted.is_empty() {
            changes.policy = Some(edits::edited_policy(group.policy(), &wanted, false, &mut self.keys).ok()?);
        }
        let is_allowed = wanted.is_empty() || matches!(act, Act::Add(_) | Act::RemoveForGood(_));
        let may_edit = edits::may_edit(group, &wanted).is_ok();
        let pending = self.groups.get_mut(&by)?.commit(changes).ok();
        assert!(is_allowed || may_edit == pending.is_some(), "{act:?}: the client knows what it may do");
        pending
    }

    fn attempt(&mut self, by: Id, act: Act) -> bool {
        let (joiner, request) = match act {
            Act::Add(id) if self.groups.contains_key(&id) => return false,
            Act::Add(id) => {
                let (joiner, request) = self.knock(id);
                (Some((id, joiner, request.participant())), Some(request))
            }
            Act::Remove(_)
            | Act::RemoveForGood(_)
            | Act::RemoveGone(_)
            | Act::RemoveExpelled(..)
            | Act::SetRole(..)
            | Act::Grant(..)
            | Act::Withdraw(..)
            | Act::HandOver(_)
            | Act::SetFlag(..)
            | Act::SetDefault(..)
            | Act::SetEveryone(_) => (None, None),
        };
        let Some(pending) = self.commit(by, act, request) else { return false };
        let gone = if let Act::RemoveGone(id) = act {
            Some((self.participant(id), Gone::Left))
        } else if let Act::RemoveExpelled(id, by) = act {
            Some((self.participant(id), Gone::RemovedBy(self.participant(by))))
        } else {
            None
        };
        let is_gone = |participant| gone.filter(|(who, _)| *who == participant).map(|(_, gone)| gone);
        let removed: Vec<_> =
            self.groups.keys().copied().filter(|id| pending.removed.contains(&self.participant(*id))).collect();
        let verdicts: Vec<bool> = self
            .groups
            .iter_mut()
            .filter(|(id, _)| **id != by && !removed.contains(id))
            .map(|(_, group)| matches!(group.process(&pending.commit, &is_gone), Ok(Received::Commit(_))))
            .collect();
        let allowed = verdicts.iter().all(|verdict| *verdict);
        assert!(allowed || verdicts.iter().all(|verdict| !verdict), "{act:?}: the members do not agree");
        let group = self.groups.get_mut(&by).unwrap();
        if !allowed {
            group.clear_pending_commit();
            return false;
        }
        group.merge_pending_commit().unwrap();
        let chain = group.policy().chain().clone();
        if self.keys.is_rotation_merged(&chain) {
            self.keys.finish_rotation();
        }
        self.groups.retain(|id, _| !removed.contains(id));
        if let Some((id, joiner, participant)) = joiner {
            self.participants[usize::try_from(id).unwrap()] = participant;
            self.groups.insert(id, joiner.enter(&pending.welcome.unwrap(), &pending.tree.unwrap()).unwrap());
        }
        true
    }

    fn assert_agrees(&self, model: &Model, what: &str) {
        assert_eq!(self.groups.keys().copied().collect::<BTreeSet<_>>(), model.present, "{what}");
        let first = self.groups.values().next().unwrap();
        for (id, group) in &self.groups {
            assert_eq!(group.words(), first.words(), "{what}");
            assert_eq!(group.policy(), first.policy(), "{what}");
            let Member { role, rights, .. } =
                first.members().into_iter().find(|member| member.participant == self.participant(*id)).unwrap();
            let rights: BTreeSet<u8> = (0..16).filter(|right| rights.bits() >> right & 1 == 1).collect();
            assert_eq!((role.number(), rights), (model.role(*id), model.rights(*id)), "{what}: {id}");
        }
    }
}

/// `CONCLAVE_SEEDS` is the number of runs of the simulation without MLS; one of twenty is run here, with 200 steps.
#[test]
fn real_groups_and_a_naive_model_of_rights_agree_at_every_step() {
    let first = variable("CONCLAVE_SEED").unwrap_or(1);
    let (count, steps) = variable("CONCLAVE_SEEDS").map_or((5, 30), |seeds| (seeds.div_ceil(20), 200));
    for seed in first..first + count {
        let (mut random, mut model, mut world) = (Random(seed), Model::new(0), World::new());
        for step in 0..steps {
            let (by, act) = random.act(&model, EVERYBODY, MAX_PRESENT);
            let what = format!("CONCLAVE_SEED={seed}, step {step}: {by} tries {act:?}");
            let (expected, actual) = (model.attempt(by, act), world.attempt(by, act));
            assert_eq!(actual, expected, "{what}");
            world.assert_agrees(&model, &what);
        }
    }
}
