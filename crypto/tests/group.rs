//! Group operations through the public interface, with commits ordered as by the delivery service.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "group/rights_model.rs"]
mod rights_model;
#[path = "group/roles.rs"]
mod roles;
#[path = "group/simulation.rs"]
mod simulation;

use crypto::group::{Error, Reject};
use crypto::hostile::{Flaw, flawed_request};
use crypto::{
    Changes, DeviceKey, Gone, Group, Identity, Invitation, Language, ManagerKeys, PolicyChange, PolicyEdit, Profile,
    Received, admission_key,
};
use proto::{ParticipantId, Role};
use simulation::{Knocker, Simulation, knock, nobody_is_gone};
use std::collections::HashSet;
use std::time::{Duration, SystemTime};

#[test]
fn joiners_and_members_agree_on_the_group() {
    let mut simulation = Simulation::new();
    let mut words = HashSet::from([simulation.groups[0].words()]);
    for joined in 1..=5u64 {
        let change = simulation.join(1);
        assert_eq!(change.added.len(), 1);
        assert_eq!(change.added[0].name, format!("Person {joined}"));
        assert!(!change.added[0].role.is_manager() && change.removed.is_empty() && !change.removed_me);
        assert!(words.insert(simulation.groups[0].words()), "each epoch has its own words");
    }
    let members = simulation.groups[5].members();
    assert_eq!(members.len(), 6);
    assert!(members[0].role == Role::Organiser && members[1..].iter().all(|member| member.role == Role::Participant));
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
    assert_eq!(members.iter().map(|member| member.role.is_manager()).collect::<Vec<_>>(), [true, false, false]);
    let guest = simulation.leaf_of(2);
    let pending = simulation.groups[1].remove(&[guest]).unwrap();
    let verdict = simulation.groups[0].process(&pending.commit, &nobody_is_gone);
    assert!(matches!(verdict, Err(Error::Rejected(Reject::NotAllowed))), "{verdict:?}");
    simulation.groups[1].clear_pending_commit();
    let (_, request) = simulation.knock();
    assert!(matches!(simulation.groups[1].add(vec![request]), Err(Error::Rejected(Reject::NotAllowed))));
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
    simulation.groups.push(knocker.joiner.enter(&again.welcome.unwrap(), &again.tree.unwrap()).unwrap());
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
    assert!(matches!(refused, Err(Error::Rejected(Reject::NotAllowed))));
    simulation.groups[1].clear_pending_commit();
    simulation.groups.truncate(3);
    let pending = simulation.groups[1].remove(&[leaf]).unwrap();
    simulation.deliver(1, &pending.commit, &|participant| (participant.0 == 3).then_some(Gone::Left));
    simulation.agree();
    assert_eq!(simulation.groups[0].members().len(), 3);
}

#[test]
fn a_guest_cannot_admit() {
    let mut simulation = Simulation::with(3);
    let (_, request) = simulation.knock();
    assert!(matches!(simulation.groups[1].add(vec![request]), Err(Error::Rejected(Reject::NotAllowed))));
    assert!(simulation.groups[1].refresh().is_ok(), "a rejected add leaves no pending commit");
}

#[test]
fn the_group_continues_without_the_organiser() {
    let mut simulation = Simulation::with(3);
    let leaf = simulation.leaf_of(0);
    simulation.groups.remove(0);
    let pending = simulation.groups[0].remove(&[leaf]).unwrap();
    let change = simulation.deliver(0, &pending.commit, &|participant| (participant.0 == 0).then_some(Gone::Left));
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
    knocker.joiner.enter(&pending.welcome.unwrap(), &pending.tree.unwrap()).unwrap();
}

#[test]
fn the_admission_key_opens_requests_with_the_link_once() {
    let mut keys = ManagerKeys::new().unwrap();
    let mut other = ManagerKeys::new().unwrap();
    let (identity, now) = (Identity::generate().unwrap(), SystemTime::now());
    let invitation = keys.invitation("h", 1, None);
    let profile = |name: &str| Profile::new(name).unwrap();
    let (_, request) = knock(&keys, &invitation, &identity, profile("Ada"), ParticipantId(1), now).unwrap();
    // Without the link's secret.
    let stranger = Invitation { secret: crypto::Secret::copy_of(&[0; 16]), ..invitation };
    let (_, forged) = knock(&keys, &stranger, &identity, profile("Eve"), ParticipantId(2), now).unwrap();
    assert!(matches!(keys.open(&forged, now), Err(admission_key::Error::Malformed)));
    assert!(matches!(other.open(&request, now), Err(admission_key::Error::Malformed)));
    assert_eq!(keys.open(&request, now).unwrap().name(), "Ada");
    assert!(matches!(keys.open(&request, now), Err(admission_key::Error::Replayed)));
    for at in (0..request.len()).step_by(37) {
        let mut broken = request.clone();
        broken[at] ^= 1;
        assert!(keys.open(&broken, now).is_err());
        assert!(keys.open(&request[..at], now).is_err());
    }
}

/// Keys that nobody can encrypt to, and leaves that are longer than they need be. All have valid signatures.
fn flaws() -> [Flaw; 8] {
    let [short, invalid, long] = [vec![1; 7], vec![0xff; 1_216], vec![0; 1_217]];
    [
        Flaw::LeafKey(short.clone()),
        Flaw::LeafKey(invalid.clone()),
        Flaw::LeafKey(long),
        Flaw::LeafKey(Vec::new()),
        Flaw::InitKey(short),
        Flaw::InitKey(invalid),
        Flaw::Capabilities(2_000),
        Flaw::Extension(4_000),
    ]
}

#[test]
fn a_request_with_an_unusable_key_or_a_long_leaf_is_refused() {
    let mut keys = ManagerKeys::new().unwrap();
    let (identity, now) = (Identity::generate().unwrap(), SystemTime::now());
    let profile = || Profile::new("Mallory").unwrap();
    for flaw in flaws() {
        let request = flawed_request(&keys, (&identity, profile(), ParticipantId(1)), now, &flaw).unwrap();
        let opened = keys.open(&request, now).map(|request| request.participant());
        assert!(matches!(opened, Err(admission_key::Error::KeyPackage)), "{flaw:?}: {opened:?}");
    }
    let invitation = keys.invitation("h", 1, None);
    let (_, request) = knock(&keys, &invitation, &identity, profile(), ParticipantId(1), now).unwrap();
    assert_eq!(keys.open(&request, now).unwrap().name(), "Mallory", "the same device with a valid key package");
}

#[test]
fn the_server_cannot_replace_the_admission_key_or_the_authority() {
    let keys = ManagerKeys::new().unwrap();
    let other = ManagerKeys::new().unwrap();
    let identity = Identity::generate().unwrap();
    let knock = |key: &ManagerKeys, chain: &ManagerKeys| {
        let (invitation, profile) = (keys.invitation("h", 1, None), Profile::new("Ada").unwrap());
        let chain = chain.chain().encode();
        let now = SystemTime::now();
        crypto::knock(&invitation, key.public_key(), &chain, &identity, profile, ParticipantId(1), now).err()
    };
    assert!(knock(&keys, &keys).is_none());
    assert!(matches!(knock(&other, &keys), Some(admission_key::Error::WrongAdmissionKey)));
    assert!(matches!(knock(&keys, &other), Some(admission_key::Error::Chain(_))));
    assert!(matches!(knock(&other, &other), Some(admission_key::Error::Chain(_))));
}

#[test]
fn a_request_is_valid_for_one_meeting_only() {
    // Another meeting cannot add the joiner: the credential in the key package names its meeting.
    let mut simulation = Simulation::with(2);
    let (knocker, request) = simulation.knock();
    let mut other = Simulation::new();
    assert!(other.groups[0].add(vec![request.clone()]).is_err(), "its certificate names its meeting");
    let pending = simulation.groups[0].add(vec![request]).unwrap();
    let (welcome, tree) = (pending.welcome.unwrap(), pending.tree.unwrap());
    for at in (0..welcome.len()).step_by(211) {
        let mut broken = welcome.clone();
        broken[at] ^= 1;
        let (other, _) = simulation.knock();
        assert!(other.joiner.enter(&broken[..at], &tree).is_err());
    }
    assert!(knocker.joiner.enter(&welcome, &tree).is_ok());
}

#[test]
fn two_groups_have_different_words() {
    let (one, two) = (Simulation::with(2), Simulation::with(2));
    assert_ne!(one.groups[0].words(), two.groups[0].words());
    assert_ne!(one.groups[0].transcript_hash(), two.groups[0].transcript_hash());
    // Two groups of the same organiser with the same keys, at the same epoch.
    let (keys, identity) = (ManagerKeys::new().unwrap(), Identity::generate().unwrap());
    let create = || {
        let profile = Profile::new("O").unwrap();
        Group::create(&identity, profile, ParticipantId(0), &keys, SystemTime::UNIX_EPOCH).unwrap()
    };
    assert_ne!(create().words(), create().words());
}

#[test]
fn a_removed_device_does_not_come_back_by_the_same_link() {
    let mut simulation = Simulation::with(2);
    let (identity, old_link) = (Identity::generate().unwrap(), simulation.keys.invitation("localhost", 1, None));
    let knock = simulation.knock_as(&identity);
    simulation.admit(vec![knock]);
    simulation.expel(&[2]);
    assert!(simulation.groups[1].policy().is_barred(identity.public()));
    // With the old link.
    let (_, request) = simulation.knock_with(&identity, &old_link);
    assert!(request.via_old_link());
    assert!(matches!(simulation.groups[0].add(vec![request.clone()]), Err(Error::Rejected(Reject::Barred))));
    // With the new link, which somebody gave to it.
    let new_link = simulation.keys.invitation("localhost", 1, None);
    let (_, request) = simulation.knock_with(&identity, &new_link);
    assert!(!request.via_old_link());
    assert!(matches!(simulation.groups[0].add(vec![request]), Err(Error::Rejected(Reject::Barred))));
    // On another device with the old link: the organiser decides, and sees why it is asked.
    let (_, request) = simulation.knock_with(&Identity::generate().unwrap(), &old_link);
    assert!(request.via_old_link());
}

#[test]
fn old_and_new_links_lead_to_the_same_meeting_after_rotations() {
    let mut simulation = Simulation::with(4);
    let mut links = vec![simulation.keys.invitation("localhost", 1, None)];
    for participant in [3, 2] {
        simulation.expel(&[participant]);
        links.push(simulation.keys.invitation("localhost", 1, None));
    }
    let texts: HashSet<String> = links.iter().map(|link| link.to_text().to_string()).collect();
    assert_eq!(texts.len(), 3);
    for (index, link) in links.iter().enumerate() {
        let link: Invitation = link.to_text().parse().unwrap();
        assert_eq!(link.meeting, simulation.keys.meeting());
        let (knocker, request) = simulation.knock_with(&Identity::generate().unwrap(), &link);
        assert_eq!(request.via_old_link(), index < 2);
        simulation.admit(vec![(knocker, request)]);
    }
    assert_eq!(simulation.groups[0].policy().barred().len(), 2);
}

#[test]
fn a_request_that_was_on_its_way_when_the_keys_rotated_is_opened() {
    let mut simulation = Simulation::with(2);
    let (invitation, now) = (simulation.keys.invitation("localhost", 1, None), SystemTime::now());
    let (identity, profile) = (Identity::generate().unwrap(), Profile::new("Late").unwrap());
    let (_, request) = knock(&simulation.keys, &invitation, &identity, profile, ParticipantId(9), now).unwrap();
    simulation.expel(&[1]);
    assert!(simulation.keys.open(&request, now).unwrap().via_old_link());
    assert!(matches!(simulation.keys.open(&request, now), Err(admission_key::Error::Replayed)));
}

#[test]
fn a_removal_takes_all_leaves_of_the_device() {
    let mut simulation = Simulation::with(2);
    let identity = Identity::generate().unwrap();
    let twice = vec![simulation.knock_as(&identity), simulation.knock_as(&identity)];
    simulation.admit(twice);
    assert_eq!(simulation.groups[0].leaves_of(identity.public()).len(), 2);
    let pending = simulation.expel(&[2]);
    assert_eq!(pending.removed, [ParticipantId(2), ParticipantId(3)]);
    assert!(simulation.groups[0].leaves_of(identity.public()).is_empty());
}

#[test]
fn a_second_leaf_of_the_organiser_is_removed_without_barring_it() {
    let identity = Identity::generate().unwrap();
    let mut simulation = Simulation::of(&identity);
    let again = simulation.knock_as(&identity);
    simulation.admit(vec![again]);
    let leaf = simulation.leaf_of(1);
    let changes = simulation.removal(&[leaf]);
    assert!(changes.policy.is_none());
    let pending = simulation.groups[0].commit(changes).unwrap();
    simulation.groups.truncate(1);
    simulation.deliver(0, &pending.commit, &nobody_is_gone);
    assert!(!simulation.groups[0].policy().is_barred(identity.public()));
}

#[test]
fn a_member_that_was_cut_off_is_added_again_with_one_commit() {
    let mut simulation = Simulation::with(3);
    let identity = Identity::generate().unwrap();
    let knock = simulation.knock_as(&identity);
    simulation.admit(vec![knock]);
    let stuck = simulation.groups.remove(3);
    let (knocker, request) = simulation.knock_as(&identity);
    let remove = simulation.groups[0].leaves_of(request.device());
    assert_eq!(remove, [stuck.me()]);
    let pending = simulation.groups[0].commit(Changes { add: vec![request], remove, policy: None }).unwrap();
    let change = simulation.deliver(0, &pending.commit, &nobody_is_gone);
    assert_eq!((change.added.len(), change.removed.len(), change.policy_changed), (1, 1, false));
    simulation.groups.push(knocker.joiner.enter(&pending.welcome.unwrap(), &pending.tree.unwrap()).unwrap());
    simulation.agree();
}

#[test]
fn a_removal_that_lost_is_created_again_with_other_keys() {
    let mut simulation = Simulation::with(3);
    let leaf = simulation.leaf_of(2);
    let changes = simulation.removal(&[leaf]);
    simulation.groups[0].commit(changes).unwrap();
    let rotation = simulation.keys.next_rotation().unwrap().0.clone();
    let winning = simulation.groups[1].refresh().unwrap();
    simulation.groups[0].clear_pending_commit();
    simulation.deliver(1, &winning.commit, &nobody_is_gone);
    assert!(!simulation.keys.is_rotation_merged(simulation.groups[0].policy().chain()));
    simulation.expel(&[2]);
    // Those of the lost commit may have been sent to a manager who is none any more.
    assert_ne!(simulation.groups[0].policy().chain().current(), rotation.to);
    assert_ne!(simulation.keys.authority(), rotation.to.authority);
}

#[test]
fn a_lost_removal_is_of_no_use_to_a_guest() {
    // The server gives a guest the organiser's lost commit, so it knows a policy that the authority signed.
    let mut simulation = Simulation::with(4);
    let leaf = simulation.leaf_of(3);
    let changes = simulation.removal(&[leaf]);
    simulation.groups.truncate(3);
    let verdict = simulation.groups[1].commit(changes.clone());
    assert!(matches!(verdict, Err(Error::Rejected(Reject::NotAllowed))), "{verdict:?}");
    // The organiser goes on from there.
    simulation.groups[0].commit(changes).unwrap();
    simulation.groups[0].clear_pending_commit();
    simulation.expel(&[2]);
}

#[test]
fn the_delivery_service_follows_the_rotations() {
    let mut simulation = Simulation::with(3);
    let (first, meeting) = (simulation.keys.authority(), simulation.keys.meeting());
    let chain = simulation.keys.chain().encode();
    let leaf = simulation.leaf_of(2);
    let changes = simulation.removal(&[leaf]);
    simulation.groups[0].commit(changes).unwrap();
    simulation.groups[0].merge_pending_commit().unwrap();
    let (rotation, admission_key) = simulation.keys.next_rotation().unwrap();
    // It appends the bytes of a rotation, and then gives this chain to joiners.
    let chain = [chain, rotation.encode().to_vec()].concat();
    let (next, admission_key) = (rotation.to.authority, admission_key.to_vec());
    let signature = simulation.keys.sign_command(ParticipantId(0), 1, b"rotate");
    assert!(first.signed_command(meeting, ParticipantId(0), 1, b"rotate", &signature));
    simulation.keys.finish_rotation();
    assert_eq!((chain, admission_key.as_slice()), (simulation.keys.chain().encode(), simulation.keys.public_key()));
    let signature = simulation.keys.sign_command(ParticipantId(0), 2, b"lock");
    assert!(next.signed_command(meeting, ParticipantId(0), 2, b"lock", &signature));
    assert!(!first.signed_command(meeting, ParticipantId(0), 2, b"lock", &signature));
}

#[test]
fn a_wrong_clock_of_a_joiner_is_reported_with_the_difference() {
    let mut simulation = Simulation::with(2);
    let now = SystemTime::now();
    let hour = Duration::from_hours(1);
    let opened = |simulation: &mut Simulation, clock: SystemTime| {
        let (invitation, profile) = (simulation.keys.invitation("h", 1, None), Profile::new("Ada").unwrap());
        let identity = Identity::generate().unwrap();
        let (_, request) = knock(&simulation.keys, &invitation, &identity, profile, ParticipantId(9), clock).unwrap();
        simulation.keys.open(&request, now)
    };
    for fine in [now, now + Duration::from_secs(5), now - Duration::from_secs(5), now + hour, now - 24 * hour] {
        assert!(opened(&mut simulation, fine).is_ok());
    }
    for (clock, seconds) in [(now + 2 * hour, 7_200), (now - 48 * hour, -172_800), (now + 2_000 * hour, 7_200_000)] {
        let verdict = opened(&mut simulation, clock);
        assert!(matches!(verdict, Err(admission_key::Error::Clock { ahead }) if ahead == seconds), "{verdict:?}");
    }
}

#[test]
fn members_whose_clocks_differ_accept_the_same_commits() {
    // Members do not compare the time of a leaf with their clocks: leaves of joiners who are a day ahead or behind are
    // merged by all.
    let mut simulation = Simulation::with(3);
    let day = Duration::from_hours(24);
    for (number, clock) in [(10, SystemTime::now() + day), (11, SystemTime::now() - day)] {
        let (invitation, profile) = (simulation.keys.invitation("h", 1, None), Profile::new("Ada").unwrap());
        let (identity, participant) = (Identity::generate().unwrap(), ParticipantId(number));
        let (joiner, request) = knock(&simulation.keys, &invitation, &identity, profile, participant, clock).unwrap();
        let request = simulation.keys.open(&request, clock).unwrap();
        simulation.admit(vec![(Knocker { participant, joiner }, request)]);
    }
    assert_eq!(simulation.groups.len(), 5);
}

#[test]
fn a_guest_cannot_unbar_or_become_an_organiser() {
    let mut simulation = Simulation::with(3);
    simulation.expel(&[2]);
    let guest = simulation.groups[1].members().remove(1);
    let become_organiser = PolicyEdit::HandOver(guest.device, guest.participant);
    let change = PolicyChange { edits: vec![become_organiser], rotate: false };
    let mine = ManagerKeys::new().unwrap();
    assert!(simulation.groups[1].policy().next(&change, &mine).is_err(), "it has no key of the authority");
    let change = PolicyChange { edits: vec![PolicyEdit::Bar(DeviceKey([1; 32]))], rotate: false };
    assert!(simulation.groups[1].policy().next(&change, &mine).is_err());
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
