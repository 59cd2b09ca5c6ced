//! Group operations through the public interface, with commits ordered as by the delivery service.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use crypto::group::{Error, Reject};
use crypto::{AdmissionKey, Group, Identity, Joiner, KnockRequest, Language, Leaf, MergedCommit, Profile, Received};
use proto::{MeetingId, ParticipantId};
use std::collections::HashSet;

const MEETING: MeetingId = MeetingId([0x42; 16]);

fn nobody_is_gone(_: ParticipantId) -> bool {
    false
}

struct Knocker {
    participant: ParticipantId,
    joiner: Joiner,
}

/// A meeting: its admission key, and its members in the order in which they joined.
struct Simulation {
    admission_key: AdmissionKey,
    groups: Vec<Group>,
    next: u64,
}

impl Simulation {
    fn new() -> Self {
        Self::of(&Identity::generate().unwrap())
    }

    fn of(identity: &Identity) -> Self {
        let organiser = Group::create(identity, Profile::new("Organiser").unwrap(), ParticipantId(0), MEETING).unwrap();
        Self { admission_key: AdmissionKey::new(MEETING).unwrap(), groups: vec![organiser], next: 1 }
    }

    fn with(count: usize) -> Self {
        let mut simulation = Self::new();
        for _ in 1..count {
            simulation.join(1);
        }
        simulation
    }

    fn knock(&mut self) -> (Knocker, KnockRequest) {
        self.knock_as(&Identity::generate().unwrap())
    }

    fn knock_as(&mut self, identity: &Identity) -> (Knocker, KnockRequest) {
        let participant = ParticipantId(self.next);
        self.next += 1;
        let invitation = self.admission_key.invitation("localhost", 1, None);
        let profile = Profile::new(&format!("Person {}", participant.0)).unwrap();
        let (joiner, request) =
            crypto::knock(&invitation, self.admission_key.public_key(), identity, profile, participant).unwrap();
        let request = self.admission_key.open(&request).unwrap();
        assert_eq!(request.participant(), participant);
        (Knocker { participant, joiner }, request)
    }

    /// The organiser adds `count` joiners with one commit. Returns the merged commit.
    fn join(&mut self, count: usize) -> MergedCommit {
        let knocks = (0..count).map(|_| self.knock()).collect();
        self.admit(knocks)
    }

    fn admit(&mut self, knocks: Vec<(Knocker, KnockRequest)>) -> MergedCommit {
        let (knockers, requests): (Vec<_>, Vec<_>) = knocks.into_iter().unzip();
        let pending = self.groups[0].add(requests).unwrap();
        assert_eq!(pending.added, knockers.iter().map(|knocker| knocker.participant).collect::<Vec<_>>());
        let welcome = pending.welcome.unwrap();
        let change = self.groups[0].merge_pending_commit().unwrap();
        for group in &mut self.groups[1..] {
            let Received::Commit(seen) = group.process(&pending.commit, &nobody_is_gone).unwrap() else { panic!() };
            assert_eq!(seen, change);
        }
        let entered = knockers.into_iter().map(|knocker| knocker.joiner.enter(&welcome).unwrap());
        self.groups.extend(entered);
        self.agree();
        change
    }

    /// The delivery service accepts the commit of `committer`, and all others process it. Returns the merged commit.
    fn deliver(&mut self, committer: usize, commit: &[u8], gone: &dyn Fn(ParticipantId) -> bool) -> MergedCommit {
        let change = self.groups[committer].merge_pending_commit().unwrap();
        for (index, group) in self.groups.iter_mut().enumerate() {
            if index != committer {
                group.process(commit, gone).unwrap();
            }
        }
        change
    }

    fn leaf_of(&self, participant: u64) -> Leaf {
        self.groups[0].members().into_iter().find(|member| member.participant.0 == participant).unwrap().leaf
    }

    fn agree(&self) {
        let first = &self.groups[0];
        for group in &self.groups {
            assert_eq!(group.epoch(), first.epoch());
            assert_eq!(group.words(), first.words());
            assert_eq!(group.members(), first.members());
            assert_eq!(group.policy(), first.policy());
        }
    }
}

#[test]
fn joiners_and_members_agree_on_the_group() {
    let mut simulation = Simulation::new();
    let mut words = HashSet::from([simulation.groups[0].words()]);
    for joined in 1..=5u64 {
        let change = simulation.join(1);
        assert_eq!(change.added.len(), 1);
        assert_eq!(change.added[0].name, format!("Person {joined}"));
        assert!(!change.added[0].organiser && change.removed.is_empty() && !change.removed_me);
        assert!(words.insert(simulation.groups[0].words()), "each epoch has its own words");
    }
    let members = simulation.groups[5].members();
    assert_eq!(members.len(), 6);
    assert!(members[0].organiser && members[1..].iter().all(|member| !member.organiser));
    assert_eq!(
        simulation.groups[5].words().in_language(Language::French),
        simulation.groups[0].words().in_language(Language::French)
    );
}

#[test]
fn a_second_leaf_of_the_organisers_device_is_a_guest() {
    let identity = Identity::generate().unwrap();
    let mut simulation = Simulation::of(&identity);
    let again = simulation.knock_as(&identity);
    simulation.admit(vec![again]);
    simulation.join(1);
    let members = simulation.groups[2].members();
    assert_eq!(members[0].device, members[1].device);
    assert_eq!(members.iter().map(|member| member.organiser).collect::<Vec<_>>(), [true, false, false]);
    let guest = simulation.leaf_of(2);
    let pending = simulation.groups[1].remove(&[guest]).unwrap();
    let verdict = simulation.groups[0].process(&pending.commit, &nobody_is_gone);
    assert!(matches!(verdict, Err(Error::Rejected(Reject::NotOrganiser))), "{verdict:?}");
    simulation.groups[1].clear_pending_commit();
    let (_, request) = simulation.knock();
    assert!(matches!(simulation.groups[1].add(vec![request]), Err(Error::Rejected(Reject::NotOrganiser))));
}

#[test]
fn one_commit_adds_many_members() {
    let mut simulation = Simulation::new();
    assert_eq!(simulation.join(20).added.len(), 20);
    assert_eq!(simulation.groups.len(), 21);
}

#[test]
fn messages_of_the_previous_epoch_are_decrypted_by_its_members_only() {
    let mut simulation = Simulation::with(3);
    let late = simulation.groups[1].seal_message(b"late").unwrap();
    simulation.join(1);
    let now = simulation.groups[1].seal_message(b"now").unwrap();
    for listener in [0, 2] {
        for (message, text) in [(&late, b"late".as_slice()), (&now, b"now")] {
            let Received::Message { participant, bytes, .. } =
                simulation.groups[listener].process(message, &nobody_is_gone).unwrap()
            else {
                panic!()
            };
            assert_eq!((participant, bytes.as_slice()), (ParticipantId(1), text));
        }
    }
    assert!(matches!(simulation.groups[1].process(&now, &nobody_is_gone), Err(Error::OwnMessage)));
    assert!(
        simulation.groups[3].process(&late, &nobody_is_gone).is_err(),
        "a later joiner cannot decrypt earlier messages"
    );
    assert!(simulation.groups[3].process(&now, &nobody_is_gone).is_ok());
}

#[test]
fn a_message_of_three_epochs_ago_is_rejected() {
    let mut simulation = Simulation::with(2);
    let old = simulation.groups[1].seal_message(b"old").unwrap();
    for _ in 0..3 {
        simulation.join(1);
    }
    assert!(matches!(simulation.groups[0].process(&old, &nobody_is_gone), Err(Error::Malformed)));
}

#[test]
fn a_commit_that_was_not_accepted_is_cleared_and_created_again() {
    let mut simulation = Simulation::with(4);
    let target = simulation.leaf_of(3);
    let (knocker, request) = simulation.knock();
    let losing = simulation.groups[0].add(vec![request.clone()]).unwrap();
    let winning = simulation.groups[1].refresh().unwrap();
    simulation.groups[0].clear_pending_commit();
    assert!(matches!(simulation.groups[0].merge_pending_commit(), Err(Error::NoPendingCommit)));
    simulation.deliver(1, &winning.commit, &nobody_is_gone);
    simulation.agree();
    // The other members reject the commit of the old epoch.
    assert!(simulation.groups[2].process(&losing.commit, &nobody_is_gone).is_err());
    let again = simulation.groups[0].add(vec![request]).unwrap();
    simulation.deliver(0, &again.commit, &nobody_is_gone);
    simulation.groups.push(knocker.joiner.enter(&again.welcome.unwrap()).unwrap());
    simulation.agree();
    assert_eq!(simulation.leaf_of(3), target);
}

#[test]
fn another_commit_is_processed_while_our_own_is_pending() {
    let mut simulation = Simulation::with(3);
    simulation.groups[0].refresh().unwrap();
    assert!(matches!(simulation.groups[0].seal_message(b"x"), Err(Error::CommitPending)));
    assert!(matches!(simulation.groups[0].refresh(), Err(Error::CommitPending)));
    let winning = simulation.groups[1].refresh().unwrap();
    simulation.deliver(1, &winning.commit, &nobody_is_gone);
    simulation.agree();
    assert!(matches!(simulation.groups[0].merge_pending_commit(), Err(Error::NoPendingCommit)));
    assert!(simulation.groups[0].seal_message(b"x").is_ok());
}

#[test]
fn a_removed_member_cannot_decrypt_later_messages() {
    let mut simulation = Simulation::with(4);
    let leaf = simulation.leaf_of(2);
    let pending = simulation.groups[0].remove(&[leaf]).unwrap();
    assert_eq!(pending.removed, [ParticipantId(2)]);
    assert!(pending.welcome.is_none());
    let mut out = simulation.groups.remove(2);
    let change = simulation.deliver(0, &pending.commit, &nobody_is_gone);
    assert_eq!(change.removed.len(), 1);
    assert_eq!((change.removed[0].leaf, change.removed[0].participant), (leaf, ParticipantId(2)));
    simulation.agree();
    let Received::Commit(seen) = out.process(&pending.commit, &nobody_is_gone).unwrap() else { panic!() };
    assert!(seen.removed_me);
    assert!(matches!(out.media_keys(), Err(Error::Removed)));
    assert!(matches!(out.seal_message(b"x"), Err(Error::Removed)));
    assert_ne!(out.words(), simulation.groups[0].words());
    let said = simulation.groups[0].seal_message(b"secret").unwrap();
    assert!(out.process(&said, &nobody_is_gone).is_err());
    let next = simulation.groups[1].refresh().unwrap();
    assert!(out.process(&next.commit, &nobody_is_gone).is_err());
}

#[test]
fn a_member_that_missed_its_removal_cannot_decrypt_later_messages() {
    let mut simulation = Simulation::with(3);
    let leaf = simulation.leaf_of(2);
    let pending = simulation.groups[0].remove(&[leaf]).unwrap();
    let mut out = simulation.groups.remove(2);
    simulation.deliver(0, &pending.commit, &nobody_is_gone);
    let said = simulation.groups[0].seal_message(b"secret").unwrap();
    assert!(out.process(&said, &nobody_is_gone).is_err());
    // A message of its old epoch is decrypted, but its sender is not a member any more.
    let message = out.seal_message(b"still here").unwrap();
    let Received::Message { participant, .. } = simulation.groups[0].process(&message, &nobody_is_gone).unwrap() else {
        panic!()
    };
    assert!(simulation.groups[0].members().iter().all(|member| member.participant != participant));
}

#[test]
fn a_guest_can_remove_only_members_that_are_gone() {
    let mut simulation = Simulation::with(4);
    let leaf = simulation.leaf_of(3);
    let pending = simulation.groups[1].remove(&[leaf]).unwrap();
    let refused = simulation.groups[2].process(&pending.commit, &nobody_is_gone);
    assert!(matches!(refused, Err(Error::Rejected(Reject::NotOrganiser))));
    simulation.groups[1].clear_pending_commit();
    simulation.groups.truncate(3);
    let pending = simulation.groups[1].remove(&[leaf]).unwrap();
    simulation.deliver(1, &pending.commit, &|participant| participant.0 == 3);
    simulation.agree();
    assert_eq!(simulation.groups[0].members().len(), 3);
}

#[test]
fn a_guest_cannot_admit() {
    let mut simulation = Simulation::with(3);
    let (_, request) = simulation.knock();
    assert!(matches!(simulation.groups[1].add(vec![request]), Err(Error::Rejected(Reject::NotOrganiser))));
    assert!(simulation.groups[1].refresh().is_ok(), "a rejected add leaves no pending commit");
}

#[test]
fn the_group_continues_without_the_organiser() {
    let mut simulation = Simulation::with(3);
    let leaf = simulation.leaf_of(0);
    simulation.groups.remove(0);
    let pending = simulation.groups[0].remove(&[leaf]).unwrap();
    let change = simulation.deliver(0, &pending.commit, &|participant| participant.0 == 0);
    assert_eq!(change.removed[0].participant, ParticipantId(0));
    simulation.agree();
}

#[test]
fn a_leaf_is_reused_by_another_participant() {
    let mut simulation = Simulation::with(3);
    let leaf = simulation.leaf_of(1);
    let pending = simulation.groups[0].remove(&[leaf]).unwrap();
    simulation.groups.remove(1);
    simulation.deliver(0, &pending.commit, &nobody_is_gone);
    let change = simulation.join(1);
    assert_eq!((change.added[0].leaf, change.added[0].participant), (leaf, ParticipantId(3)));
    assert!(change.removed.is_empty());
}

#[test]
fn a_request_is_admitted_once() {
    let mut simulation = Simulation::with(2);
    let (knocker, request) = simulation.knock();
    let pending = simulation.groups[0].add(vec![request.clone()]).unwrap();
    simulation.deliver(0, &pending.commit, &nobody_is_gone);
    assert!(matches!(simulation.groups[0].add(vec![request]), Err(Error::Rejected(Reject::AlreadyMember))));
    knocker.joiner.enter(&pending.welcome.unwrap()).unwrap();
}

#[test]
fn the_admission_key_opens_requests_with_the_link_once() {
    let mut admission_key = AdmissionKey::new(MEETING).unwrap();
    let mut other = AdmissionKey::new(MEETING).unwrap();
    let identity = Identity::generate().unwrap();
    let knock = |admission_key: &AdmissionKey, key: &[u8]| {
        let profile = Profile::new("Ada").unwrap();
        crypto::knock(&admission_key.invitation("h", 1, None), key, &identity, profile, ParticipantId(1))
    };
    // Another admission key than the link's.
    assert!(matches!(knock(&admission_key, other.public_key()), Err(crypto::admission_key::Error::WrongAdmissionKey)));
    let (_, request) = knock(&admission_key, admission_key.public_key()).unwrap();
    // Without the link's secret.
    let mut stranger = admission_key.invitation("h", 1, None);
    stranger.secret = crypto::Secret::copy_of(&[0; 32]);
    let profile = Profile::new("Eve").unwrap();
    let (_, forged) =
        crypto::knock(&stranger, admission_key.public_key(), &identity, profile, ParticipantId(2)).unwrap();
    assert!(matches!(admission_key.open(&forged), Err(crypto::admission_key::Error::Malformed)));
    assert!(matches!(other.open(&request), Err(crypto::admission_key::Error::Malformed)));
    assert_eq!(admission_key.open(&request).unwrap().name(), "Ada");
    assert!(matches!(admission_key.open(&request), Err(crypto::admission_key::Error::Replayed)));
    for at in (0..request.len()).step_by(37) {
        let mut broken = request.clone();
        broken[at] ^= 1;
        assert!(admission_key.open(&broken).is_err());
        assert!(admission_key.open(&request[..at]).is_err());
    }
}

#[test]
fn a_request_is_valid_for_one_meeting_only() {
    // Another meeting cannot add the joiner: the credential in the key package names its meeting.
    let mut simulation = Simulation::with(2);
    let (knocker, request) = simulation.knock();
    let elsewhere = Identity::generate().unwrap();
    let profile = Profile::new("Mallory").unwrap();
    let mut other = Group::create(&elsewhere, profile, ParticipantId(9), MeetingId([1; 16])).unwrap();
    assert!(other.add(vec![request.clone()]).is_err(), "its certificate names its meeting");
    let pending = simulation.groups[0].add(vec![request]).unwrap();
    let welcome = pending.welcome.unwrap();
    for at in (0..welcome.len()).step_by(211) {
        let mut broken = welcome.clone();
        broken[at] ^= 1;
        let (other, _) = simulation.knock();
        assert!(other.joiner.enter(&broken[..at]).is_err());
    }
    assert!(knocker.joiner.enter(&welcome).is_ok());
}

#[test]
fn malformed_and_truncated_messages_change_nothing() {
    let mut simulation = Simulation::with(3);
    let pending = simulation.groups[0].refresh().unwrap();
    let words = simulation.groups[1].words();
    for at in (0..pending.commit.len()).step_by(29) {
        assert!(simulation.groups[1].process(&pending.commit[..at], &nobody_is_gone).is_err());
        let mut broken = pending.commit.clone();
        broken[at] ^= 0x10;
        assert!(simulation.groups[1].process(&broken, &nobody_is_gone).is_err());
        assert_eq!(simulation.groups[1].words(), words);
    }
    simulation.deliver(0, &pending.commit, &nobody_is_gone);
    simulation.agree();
}
