//! A meeting without network: the group of each member, and the organiser's keys.

use crypto::group::edits;
use crypto::{
    Changes, DeviceKey, Gone, Group, Identity, Invitation, Joiner, KnockRequest, Leaf, ManagerKeys, MergedCommit,
    PendingCommit, Profile, Received, admission_key,
};
use proto::ParticipantId;
use std::time::SystemTime;

pub fn nobody_is_gone(_: ParticipantId) -> Option<Gone> {
    None
}

/// Knocks with what the delivery service gives to a joiner.
pub fn knock(
    keys: &ManagerKeys,
    invitation: &Invitation,
    identity: &Identity,
    profile: Profile,
    participant: ParticipantId,
    now: SystemTime,
) -> Result<(Joiner, Vec<u8>), admission_key::Error> {
    let chain = keys.chain().encode();
    crypto::knock(invitation, keys.public_key(), &chain, identity, profile, participant, now)
}

pub fn participant_of(group: &Group) -> ParticipantId {
    group.members().into_iter().find(|member| member.leaf == group.me()).unwrap().participant
}

pub struct Knocker {
    pub participant: ParticipantId,
    pub joiner: Joiner,
}

/// A meeting: the organiser's keys, and the members in the order in which they joined.
pub struct Simulation {
    pub keys: ManagerKeys,
    pub groups: Vec<Group>,
    pub next: u64,
}

impl Simulation {
    pub fn new() -> Self {
        Self::of(&Identity::generate().unwrap())
    }

    pub fn of(identity: &Identity) -> Self {
        let (keys, profile) = (ManagerKeys::new().unwrap(), Profile::new("Organiser").unwrap());
        let organiser = Group::create(identity, profile, ParticipantId(0), &keys, SystemTime::now()).unwrap();
        Self { keys, groups: vec![organiser], next: 1 }
    }

    pub fn with(count: usize) -> Self {
        let mut simulation = Self::new();
        for _ in 1..count {
            simulation.join(1);
        }
        simulation
    }

    pub fn knock(&mut self) -> (Knocker, KnockRequest) {
        self.knock_as(&Identity::generate().unwrap())
    }

    pub fn knock_as(&mut self, identity: &Identity) -> (Knocker, KnockRequest) {
        let invitation = self.keys.invitation("localhost", 1, None);
        self.knock_with(identity, &invitation)
    }

    pub fn knock_with(&mut self, identity: &Identity, invitation: &Invitation) -> (Knocker, KnockRequest) {
        let participant = ParticipantId(self.next);
        self.next += 1;
        let profile = Profile::new(&format!("Person {}", participant.0)).unwrap();
        let (joiner, request) =
            knock(&self.keys, invitation, identity, profile, participant, SystemTime::now()).unwrap();
        let request = self.keys.open(&request, SystemTime::now()).unwrap();
        assert_eq!(request.participant(), participant);
        (Knocker { participant, joiner }, request)
    }

    /// Returns the organiser's changes that remove the owners of `leaves` for good.
    pub fn removal(&mut self, leaves: &[Leaf]) -> Changes {
        let named = self.groups[0].members().into_iter().filter(|member| leaves.contains(&member.leaf));
        let devices: Vec<DeviceKey> = named.map(|member| member.device).collect();
        let mut changes = edits::removal_of_devices(&self.groups[0], &devices, &mut self.keys).unwrap();
        changes.remove.extend_from_slice(leaves);
        changes
    }

    /// Removes members for good, as the organiser. Its keys rotate.
    pub fn expel(&mut self, participants: &[u64]) -> PendingCommit {
        let leaves: Vec<Leaf> = participants.iter().map(|participant| self.leaf_of(*participant)).collect();
        let changes = self.removal(&leaves);
        let pending = self.groups[0].commit(changes).unwrap();
        self.groups.retain(|group| !pending.removed.contains(&participant_of(group)));
        assert!(self.deliver(0, &pending.commit, &nobody_is_gone).policy_changed);
        assert!(self.keys.is_rotation_merged(self.groups[0].policy().chain()));
        self.keys.finish_rotation();
        self.agree();
        pending
    }

    /// Adds `count` joiners with one commit of the organiser.
    pub fn join(&mut self, count: usize) -> MergedCommit {
        let knocks = (0..count).map(|_| self.knock()).collect();
        self.admit(knocks)
    }

    pub fn admit(&mut self, knocks: Vec<(Knocker, KnockRequest)>) -> MergedCommit {
        let (knockers, requests): (Vec<_>, Vec<_>) = knocks.into_iter().unzip();
        let pending = self.groups[0].add(requests).unwrap();
        assert_eq!(pending.added, knockers.iter().map(|knocker| knocker.participant).collect::<Vec<_>>());
        let (welcome, tree) = (pending.welcome.unwrap(), pending.tree.unwrap());
        let change = self.groups[0].merge_pending_commit().unwrap();
        for group in &mut self.groups[1..] {
            let Received::Commit(seen) = group.process(&pending.commit, &nobody_is_gone).unwrap() else { panic!() };
            assert_eq!(seen, change);
        }
        let entered = knockers.into_iter().map(|knocker| knocker.joiner.enter(&welcome, &tree).unwrap());
        self.groups.extend(entered);
        self.agree();
        change
    }

    /// Merges the commit of `committer`, as if the delivery service had accepted it, and lets all others process it. Returns
    /// the merged commit.
    pub fn deliver(
        &mut self,
        committer: usize,
        commit: &[u8],
        gone: &dyn Fn(ParticipantId) -> Option<Gone>,
    ) -> MergedCommit {
        let change = self.groups[committer].merge_pending_commit().unwrap();
        for (index, group) in self.groups.iter_mut().enumerate() {
            if index != committer {
                group.process(commit, gone).unwrap();
            }
        }
        change
    }

    pub fn leaf_of(&self, participant: u64) -> Leaf {
        self.groups[0].members().into_iter().find(|member| member.participant.0 == participant).unwrap().leaf
    }

    pub fn agree(&self) {
        let first = &self.groups[0];
        for group in &self.groups {
            assert_eq!(group.epoch(), first.epoch());
            assert_eq!(group.words(), first.words());
            assert_eq!(group.members(), first.members());
            assert_eq!(group.policy(), first.policy());
            assert_eq!(group.transcript_hash(), first.transcript_hash());
        }
    }
}
