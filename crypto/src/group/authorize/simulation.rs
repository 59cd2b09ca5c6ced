//! Roles and rights that move all the time: `authorize` and the naive model of `tests/group/rights_model.rs` agree at every
//! step. Without MLS. `CONCLAVE_SEEDS` is the number of runs, `CONCLAVE_SEED` the first one.

#[path = "../../../tests/group/rights_model.rs"]
mod rights_model;

use super::super::policy::{Gone, MeetingPolicy, PolicyChange, PolicyEdit};
use super::*;
use crate::identity::{DeviceKey, Identity, Profile};
use crate::manager_keys::ManagerKeys;
use proto::{MeetingFlags, Role};
use rights_model::{Act, Id, Model, Random, variable};
use std::collections::BTreeSet;
use std::time::UNIX_EPOCH;

const EVERYBODY: Id = 30;
const MAX_PRESENT: usize = 16;

/// Who is gone according to the delivery service, and why.
type Departure = Option<(ParticipantId, Gone)>;

struct World {
    /// The credential of each person's device, with its participant id of now.
    credentials: Vec<LeafCredential>,
    members: Vec<(Leaf, LeafCredential)>,
    policy: MeetingPolicy,
    keys: ManagerKeys,
    next_participant: u64,
}

impl World {
    fn new(credentials: &[LeafCredential]) -> Self {
        let keys = ManagerKeys::new().unwrap();
        let first = credentials[0].clone();
        let policy = MeetingPolicy::new(first.device, first.participant, &keys).unwrap();
        let (members, credentials) = (vec![(Leaf(0), first)], credentials.to_vec());
        Self { credentials, members, policy, keys, next_participant: 1_000 }
    }

    fn leaf_of(&self, id: Id) -> Option<Leaf> {
        let device = self.device(id);
        self.members.iter().find(|(_, member)| member.device == device).map(|(leaf, _)| *leaf)
    }

    fn device(&self, id: Id) -> DeviceKey {
        self.credential(id).device
    }

    fn credential(&self, id: Id) -> &LeafCredential {
        &self.credentials[usize::try_from(id).unwrap()]
    }

    /// Does what `by` tries if `authorize` allows it. Returns whether it does.
    fn attempt(&mut self, by: Id, act: Act) -> bool {
        let committer = self.leaf_of(by).expect("it is a member");
        let Some((proposals, gone)) = self.proposals(act) else { return false };
        let is_gone = |participant| gone.filter(|(who, _)| *who == participant).map(|(_, gone)| gone);
        if authorize(&self.policy, &self.members, committer, &proposals, &is_gone).is_err() {
            return false;
        }
        for proposal in proposals {
            match proposal {
                Proposed::Add(person) => {
                    let free = (0..1_000).find(|leaf| self.members.iter().all(|member| member.0.0 != *leaf)).unwrap();
                    let at = self.credentials.iter().position(|one| one.device == person.device).unwrap();
                    self.credentials[at] = person.clone();
                    self.members.push((Leaf(free), person));
                }
                Proposed::Remove(leaf) => self.members.retain(|member| member.0 != leaf),
                Proposed::Policy(policy) => {
                    assert_eq!(MeetingPolicy::decode(&policy.encode()).as_ref(), Some(&*policy));
                    self.policy = *policy;
                    if self.keys.is_rotation_merged(self.policy.chain()) {
                        self.keys.finish_rotation();
                    }
                }
                Proposed::Update(_) | Proposed::Other => unreachable!(),
            }
        }
        true
    }

    /// Returns the proposals of a commit, and who is gone and why. `None` if no policy can be made.
    fn proposals(&mut self, act: Act) -> Option<(Vec<Proposed>, Departure)> {
        let person = |id| (self.device(id), self.credential(id).participant);
        let remove = |id| self.leaf_of(id).map(Proposed::Remove);
        let mut gone = None;
        let (edit, other) = match act {
            Act::Add(id) if self.leaf_of(id).is_some() => return None,
            Act::Add(id) => {
                let mut person = self.credential(id).clone();
                person.participant = ParticipantId(self.next_participant);
                let listed = self.policy.people().iter().any(|one| one.device == person.device);
                let edit = listed.then_some(PolicyEdit::Return(person.device, person.participant));
                (edit, Some(Proposed::Add(person)))
            }
            Act::Remove(id) => (None, remove(id)),
            Act::RemoveForGood(id) => (Some(PolicyEdit::Bar(self.device(id))), remove(id)),
            Act::RemoveGone(id) => {
                gone = Some((self.credential(id).participant, Gone::Left));
                (None, remove(id))
            }
            Act::RemoveExpelled(id, by) => {
                gone = Some((self.credential(id).participant, Gone::RemovedBy(self.credential(by).participant)));
                (None, remove(id))
            }
            Act::SetRole(id, role) => {
                (Some(PolicyEdit::SetRole(person(id).0, person(id).1, Role::from_number(role)?)), None)
            }
            Act::Grant(id, right) => (Some(PolicyEdit::Grant(person(id).0, person(id).1, self::right(right))), None),
            Act::Withdraw(id, right) => {
                (Some(PolicyEdit::Withdraw(person(id).0, person(id).1, self::right(right))), None)
            }
            Act::HandOver(id) => (Some(PolicyEdit::HandOver(person(id).0, person(id).1)), None),
            Act::SetFlag(flag, set) => {
                let flag = MeetingFlags::from_bits(1 << flag)?;
                (Some(PolicyEdit::SetFlags(self.policy.flags().with(flag, set))), None)
            }
            Act::SetDefault(role, right, on) => {
                let role = Role::from_number(role)?;
                let (rights, right) = (self.policy.default_rights(role), self::right(right));
                let rights = if on { rights | right } else { rights.without(right) };
                (Some(PolicyEdit::SetDefaults(role, rights)), None)
            }
            Act::SetEveryone(role) => (Some(PolicyEdit::SetEveryone(Role::from_number(role)?)), None),
        };
        self.next_participant += 1;
        let policy = edit.map(|edit| self.signed(edit)).transpose().ok()?;
        let policy = policy.map(|policy| Proposed::Policy(Box::new(policy)));
        Some((other.into_iter().chain(policy).collect(), gone))
    }

    /// Signs what anybody tries, as if all held the authority.
    fn signed(&mut self, edit: PolicyEdit) -> Result<MeetingPolicy, ()> {
        let after = self.policy.edited(&[edit]).map_err(|_| ())?;
        let rotate = self.policy.loses_manager(&after) && self.keys.can_rotate();
        if rotate {
            self.keys.prepare_rotation().map_err(|_| ())?;
        }
        self.policy.next(&PolicyChange { edits: vec![edit], rotate }, &self.keys).map_err(|_| ())
    }

    fn assert_agrees(&self, model: &Model, what: &str) {
        let present: BTreeSet<Id> = (0..EVERYBODY).filter(|id| self.leaf_of(*id).is_some()).collect();
        assert_eq!(present, model.present, "{what}");
        for id in 0..EVERYBODY {
            let LeafCredential { device, participant, .. } = *self.credential(id);
            let role = self.policy.role_of(device, participant);
            assert_eq!(role.number(), model.role(id), "{what}: the role of {id}");
            let bits = self.policy.rights_of(device, participant).bits();
            let rights: BTreeSet<u8> = (0..16).filter(|right| bits >> right & 1 == 1).collect();
            assert_eq!(rights, model.rights(id), "{what}: the rights of {id}");
        }
        let listed = self.policy.people().iter().filter(|person| person.role == Role::CoOrganiser);
        let order: Vec<_> = listed.map(|person| person.device).collect();
        let expected: Vec<_> = model.co_organisers().into_iter().map(|id| self.device(id)).collect();
        assert_eq!(order, expected, "{what}: the order of succession");
        assert_eq!(self.policy.people()[0].device, self.device(model.organiser()), "{what}");
    }
}

fn right(number: u8) -> Rights {
    Rights::EACH[usize::from(number)]
}

fn credentials() -> Vec<LeafCredential> {
    let issue = |number: u64| {
        let (identity, profile) = (Identity::generate().unwrap(), Profile::new("N").unwrap());
        let meeting = proto::MeetingId([0; 16]);
        LeafCredential::issue(&identity, profile, ParticipantId(number), meeting, &[0; 32], UNIX_EPOCH)
    };
    (0..EVERYBODY).map(issue).collect()
}

/// Returns how many attempts were allowed and how many were not.
fn run(seed: u64, credentials: &[LeafCredential]) -> (u32, u32) {
    let (mut random, mut model, mut world) = (Random(seed), Model::new(0), World::new(credentials));
    let mut counts = (0, 0);
    for step in 0..200 {
        let (by, act) = random.act(&model, EVERYBODY, MAX_PRESENT);
        let what = format!("CONCLAVE_SEED={seed}, step {step}: {by} tries {act:?}");
        let (expected, actual) = (model.attempt(by, act), world.attempt(by, act));
        assert_eq!(actual, expected, "{what}");
        world.assert_agrees(&model, &what);
        if actual { counts.0 += 1 } else { counts.1 += 1 }
    }
    counts
}

#[test]
fn authorize_and_a_naive_model_of_rights_agree_at_every_step() {
    let (first, count) = (variable("CONCLAVE_SEED").unwrap_or(1), variable("CONCLAVE_SEEDS").unwrap_or(50));
    let credentials = credentials();
    let mut all = (0, 0);
    for seed in first..first + count {
        let (allowed, refused) = run(seed, &credentials);
        all = (all.0 + allowed, all.1 + refused);
    }
    // The runs mean something only if both happen often.
    assert!(all.0 * 5 > all.1 && all.1 * 5 > all.0, "{all:?} attempts were allowed and refused");
}
