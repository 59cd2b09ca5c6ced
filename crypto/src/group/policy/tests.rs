use super::rules::{MAX_BARRED, MAX_PEOPLE};
use super::*;
use proto::Rights;

const ME: (DeviceKey, ParticipantId) = (DeviceKey([1; 32]), ParticipantId(1));

fn first() -> (ManagerKeys, MeetingPolicy) {
    let keys = ManagerKeys::new().unwrap();
    let policy = MeetingPolicy::new(ME.0, ME.1, &keys).unwrap();
    (keys, policy)
}

/// Returns the policy with other content and the same signature.
fn content(policy: &MeetingPolicy, change: impl FnOnce(&mut PolicyContent)) -> MeetingPolicy {
    let mut changed = policy.clone();
    change(&mut changed.content);
    changed
}

fn bar(device: u8) -> PolicyChange {
    PolicyChange { edits: vec![PolicyEdit::Bar(DeviceKey([device; 32]))], rotate: false }
}

#[test]
fn a_policy_is_valid_for_its_meeting_and_its_links() {
    let (keys, policy) = first();
    let link = keys.chain().current().binding();
    assert!(policy.is_valid_for(keys.meeting(), link));
    assert!(!policy.is_valid_for(MeetingId([0; 16]), link));
    assert!(!policy.is_valid_for(keys.meeting(), Binding([0; 16])));
    let (_, other) = first();
    assert!(!other.is_valid_for(keys.meeting(), link));
}

#[test]
fn every_changed_field_invalidates_the_signature() {
    let (keys, policy) = first();
    let policy = policy.next(&bar(9), &keys).unwrap();
    assert!(policy.has_signature());
    let mut other = policy.people.clone();
    other.hand_over(DeviceKey([2; 32]), ParticipantId(2));
    let rules = |change: fn(&mut Rules)| {
        let mut rules = policy.rules;
        change(&mut rules);
        rules
    };
    for changed in [
        content(&policy, |content| content.people = other),
        content(&policy, |content| content.barred = Vec::new()),
        content(&policy, |content| content.serial = 7),
        content(&policy, |content| content.chain = first().1.chain.clone()),
        content(&policy, |content| content.rules = rules(|rules| rules.flags = MeetingFlags::NONE)),
        content(&policy, |content| content.rules = rules(|rules| rules.everyone = Role::Guest)),
        content(&policy, |content| content.rules = rules(|rules| rules.defaults[3] = Rights::NONE)),
    ] {
        assert!(!changed.has_signature());
    }
}

#[test]
fn a_policy_follows_a_lower_one_of_the_same_authority() {
    let (mut keys, before) = first();
    let after = before.next(&bar(9), &keys).unwrap();
    assert!(after.may_follow(&before));
    assert!(!before.may_follow(&after) && !after.may_follow(&after));
    assert!(before.next(&PolicyChange::default(), &keys).unwrap().may_follow(&before));
    // The same serial without the barred device, and a higher one.
    let empty = before.next(&PolicyChange::default(), &keys).unwrap();
    assert!(!empty.may_follow(&after));
    assert!(!empty.next(&PolicyChange::default(), &keys).unwrap().may_follow(&after));
    keys.prepare_rotation().unwrap();
    let rotated = after.next(&PolicyChange { rotate: true, ..bar(8) }, &keys).unwrap();
    assert!(rotated.may_follow(&after) && rotated.may_follow(&before));
    assert!(rotated.is_valid_for(keys.meeting(), keys.chain().current().binding()), "the old link still leads here");
    assert_eq!(rotated.barred().len(), 2);
    // Once more with the same rotation: it is not appended twice.
    let again = rotated.next(&PolicyChange { rotate: true, ..bar(7) }, &keys).unwrap();
    assert_eq!(again.chain(), rotated.chain());
    // The old authority cannot sign a policy of the new one, nor leave the rotation out.
    let (stranger, _) = first();
    assert_eq!(rotated.next(&bar(6), &stranger), Err(PolicyError::NotAuthority));
    let shorter = after.next(&bar(8), &keys).unwrap().next(&bar(7), &keys).unwrap();
    assert!(!shorter.may_follow(&rotated));
}

#[test]
fn a_full_list_is_refused_and_nothing_is_dropped() {
    let (keys, policy) = first();
    let device = |number: usize| DeviceKey(std::array::from_fn(|at| number.to_be_bytes()[at % 8]));
    let bars = (1..=MAX_BARRED).map(|number| PolicyEdit::Bar(device(number))).collect();
    let full = policy.next(&PolicyChange { edits: bars, rotate: false }, &keys).unwrap();
    assert_eq!(full.barred().len(), MAX_BARRED);
    assert_eq!(MeetingPolicy::of(&full.extensions()), Some(full.clone()));
    assert_eq!(full.next(&bar(0xee), &keys), Err(PolicyError::Full));
    let again = PolicyChange { edits: vec![PolicyEdit::Bar(device(1))], rotate: false };
    assert!(full.next(&again, &keys).is_ok(), "a device is barred once");
    let presents = |count: usize| {
        let edit = |at: usize| PolicyEdit::SetRole(device(at), ParticipantId(at as u64 + 1), Role::Presenter);
        PolicyChange { edits: (1..=count).map(edit).collect(), rotate: false }
    };
    let full = policy.next(&presents(MAX_PEOPLE - 1), &keys).unwrap();
    assert_eq!(full.people().len(), MAX_PEOPLE);
    assert_eq!(MeetingPolicy::decode(&full.encode()), Some(full));
    assert_eq!(policy.next(&presents(MAX_PEOPLE), &keys), Err(PolicyError::Full));
    let rotate = PolicyChange { rotate: true, ..PolicyChange::default() };
    assert_eq!(policy.next(&rotate, &keys), Err(PolicyError::NoRotation));
}

#[test]
fn impossible_edits_are_refused() {
    let (keys, policy) = first();
    let (device, bob) = (DeviceKey([2; 32]), ParticipantId(2));
    let next = |edits: &[PolicyEdit]| policy.next(&PolicyChange { edits: edits.to_vec(), rotate: false }, &keys);
    assert_eq!(next(&[PolicyEdit::Bar(ME.0)]), Err(PolicyError::Organiser));
    assert_eq!(next(&[PolicyEdit::SetRole(ME.0, ME.1, Role::Guest)]), Err(PolicyError::Organiser));
    assert_eq!(next(&[PolicyEdit::SetRole(device, bob, Role::Organiser)]), Err(PolicyError::Organiser));
    for edit in [
        PolicyEdit::Withdraw(ME.0, ME.1, Rights::CHAT),
        PolicyEdit::Grant(device, bob, Rights::ADMIT),
        PolicyEdit::SetDefaults(Role::Presenter, Rights::REMOVE),
        PolicyEdit::SetDefaults(Role::Organiser, Rights::NONE),
        PolicyEdit::SetEveryone(Role::CoOrganiser),
        // The participant id of somebody else.
        PolicyEdit::SetRole(device, ME.1, Role::Presenter),
    ] {
        assert_eq!(next(&[edit]), Err(PolicyError::Impossible), "{edit:?}");
    }
    let barred = [PolicyEdit::Bar(device), PolicyEdit::SetRole(device, bob, Role::Guest)];
    assert_eq!(next(&barred), Err(PolicyError::Impossible), "a barred device has no role");
}

#[test]
fn rights_are_those_of_the_role_with_the_exceptions_of_the_person() {
    let (keys, policy) = first();
    let (device, bob) = (DeviceKey([2; 32]), ParticipantId(2));
    let next = |policy: &MeetingPolicy, edits: &[PolicyEdit]| {
        policy.next(&PolicyChange { edits: edits.to_vec(), rotate: false }, &keys).unwrap()
    };
    assert_eq!(policy.rights_of(ME.0, ME.1), Rights::ALL);
    assert_eq!(policy.rights_of(device, bob), Role::Participant.default_rights());
    let muted = next(&policy, &[PolicyEdit::Withdraw(device, bob, Rights::MICROPHONE)]);
    assert!(!muted.rights_of(device, bob).contains(Rights::MICROPHONE));
    assert!(!muted.rights_of(device, ParticipantId(9)).contains(Rights::MICROPHONE), "nor has a second leaf");
    let granted = next(&muted, &[PolicyEdit::Grant(device, bob, Rights::MICROPHONE | Rights::RECORD)]);
    assert!(granted.rights_of(device, bob).contains(Rights::MICROPHONE | Rights::RECORD));
    assert_eq!(granted.rights_of(device, ParticipantId(9)), Role::Participant.default_rights());
    assert_eq!((granted.people()[1].granted, granted.people()[1].withdrawn), (Rights::RECORD, Rights::NONE));
    let plain = next(
        &granted,
        &[PolicyEdit::Withdraw(device, bob, Rights::RECORD), PolicyEdit::Grant(device, bob, Rights::RECORD)],
    );
    assert_eq!(plain.people()[1].granted, Rights::RECORD);
    let guest = next(&muted, &[PolicyEdit::SetRole(device, bob, Role::Guest)]);
    assert!(!guest.rights_of(device, bob).contains(Rights::MICROPHONE), "another role is no way around it");
    assert_eq!(guest.role_of(device, bob), Role::Guest);
    assert_eq!(guest.role_of(device, ParticipantId(9)), Role::Participant, "the role is not the device's");
    // Somebody as everybody else is not listed.
    let free = next(&muted, &[PolicyEdit::Grant(device, bob, Rights::MICROPHONE)]);
    assert_eq!(free.people().len(), 1);
}

#[test]
fn the_order_is_that_of_appointment_and_a_hand_over_puts_the_old_organiser_second() {
    let (keys, policy) = first();
    let person = |number: u8| (DeviceKey([number; 32]), ParticipantId(number.into()));
    let set = |number: u8, role: Role| PolicyEdit::SetRole(person(number).0, person(number).1, role);
    let next = |policy: &MeetingPolicy, edits: &[PolicyEdit]| {
        policy.next(&PolicyChange { edits: edits.to_vec(), rotate: false }, &keys).unwrap()
    };
    let order = |policy: &MeetingPolicy| policy.people().iter().map(|p| (p.participant.0, p.role)).collect::<Vec<_>>();
    let co = Role::CoOrganiser;
    let policy = next(&policy, &[set(3, co), set(4, Role::Presenter), set(2, co), set(3, co)]);
    assert_eq!(order(&policy), [(1, Role::Organiser), (3, co), (2, co), (4, Role::Presenter)]);
    assert!(policy.rank_of(person(3).0, person(3).1) < policy.rank_of(person(2).0, person(2).1));
    assert!(policy.rank_of(person(4).0, person(4).1) < policy.rank_of(person(9).0, person(9).1));
    let policy = next(&policy, &[PolicyEdit::HandOver(person(2).0, person(2).1)]);
    assert_eq!(order(&policy), [(2, Role::Organiser), (1, co), (3, co), (4, Role::Presenter)]);
    assert!(policy.loses_manager(&next(&policy, &[set(3, Role::Guest)])));
    assert!(policy.loses_manager(&next(&policy, &[PolicyEdit::Bar(person(1).0)])));
    assert!(!policy.loses_manager(&next(&policy, &[set(4, Role::Guest)])));
    assert!(!policy.loses_manager(&next(&policy, &[PolicyEdit::HandOver(person(4).0, person(4).1)])));
}

/// Each of these bytes would be a second encoding of a policy, or one that no client makes.
#[test]
fn only_the_canonical_encoding_is_decoded() {
    let (keys, policy) = first();
    let (device, bob) = (DeviceKey([2; 32]), ParticipantId(2));
    let edits = vec![
        PolicyEdit::SetRole(device, bob, Role::CoOrganiser),
        PolicyEdit::Withdraw(device, bob, Rights::RECORD),
        PolicyEdit::Bar(DeviceKey([8; 32])),
        PolicyEdit::Bar(DeviceKey([9; 32])),
    ];
    let policy = policy.next(&PolicyChange { edits, rotate: false }, &keys).unwrap();
    let bytes = policy.encode();
    // Version, serial, rotations, chain: 75 bytes. Flags 2, everyone 1, defaults 16, number of people 2.
    let (flags, everyone, people, person) = (75, 77, 96, 49);
    let barred = people + 2 * person;
    assert_eq!(bytes.len(), barred + 2 + 2 * 32 + 64);
    let changed = |at: usize, value: u8| {
        let mut changed = bytes.clone();
        changed[at] = value;
        MeetingPolicy::decode(&changed)
    };
    assert!(changed(8, 7).is_some(), "another serial is another policy");
    for (at, value, why) in [
        (0, 3, "version"),
        (flags, 0x80, "an unknown flag"),
        (everyone, 1, "everybody is a co-organiser"),
        (everyone, 5, "an unknown role"),
        (everyone + 1, 1, "an unknown right of a role"),
        (everyone + 7, 0x10, "a presenter who may admit"),
        (people + 40, 1, "no organiser"),
        (people + person + 40, 0, "two organisers"),
        (people + person + 40, 3, "a participant with the exceptions of a manager is possible, unless"),
        (people + 43, 1, "an organiser with exceptions"),
        (people + person + 43, 4, "granted and withdrawn"),
        (barred + 1, 3, "fewer devices than their number"),
        (barred + 2, 8, ""),
    ] {
        let is_same = bytes[at] == value || why.ends_with("unless");
        assert!(is_same || changed(at, value).is_none(), "{why}");
    }
    let mut twice = bytes.clone();
    twice.copy_within(barred + 2..barred + 34, barred + 34);
    assert_eq!(MeetingPolicy::decode(&twice), None, "a device that is barred twice");
    let mut listed = bytes.clone();
    listed[barred + 2..barred + 34].fill(2);
    assert_eq!(MeetingPolicy::decode(&listed), None, "a barred device with a role");
    let mut same = bytes.clone();
    same[people + person..people + person + 32].fill(1);
    assert_eq!(MeetingPolicy::decode(&same), None, "one device for two people");
    same = bytes.clone();
    same[people + person + 39] = 1;
    assert_eq!(MeetingPolicy::decode(&same), None, "one participant for two people");
}

#[test]
fn the_policy_round_trips_and_other_extensions_are_rejected() {
    let (mut keys, policy) = first();
    keys.prepare_rotation().unwrap();
    let policy = policy.next(&PolicyChange { rotate: true, ..bar(9) }, &keys).unwrap();
    assert_eq!(MeetingPolicy::of(&policy.extensions()), Some(policy.clone()));
    let bytes = policy.encode();
    for length in 0..bytes.len() {
        assert_eq!(MeetingPolicy::decode(&bytes[..length]), None);
    }
    assert_eq!(MeetingPolicy::decode(&[bytes, vec![0]].concat()), None);
    let mut more = policy.extensions();
    more.add(Extension::Unknown(0xf5c2, UnknownExtension(vec![]))).unwrap();
    assert_eq!(MeetingPolicy::of(&more), None);
    assert_eq!(MeetingPolicy::of(&Extensions::empty()), None);
}
