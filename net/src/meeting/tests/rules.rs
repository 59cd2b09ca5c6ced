//! What holds for everybody: guests, and the role of those who come later.

use super::lobby::{again, asked};
use super::roles::{BOB, Pair, refusals, role};
use super::room::Room;
use super::*;
use crypto::{CertificateChain, DeviceKey};
use proto::{MeetingFlags, Rights, Role};
use rcgen::{CertificateParams, Issuer, KeyPair, PKCS_ED25519, PublicKeyData, SignatureAlgorithm};

const CARL: ParticipantId = ParticipantId(3);

/// The public key of a device, for a certificate.
struct Certified(DeviceKey);

impl PublicKeyData for Certified {
    fn der_bytes(&self) -> &[u8] {
        &self.0.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ED25519
    }
}

/// Returns a certificate by an organisation that nobody trusts.
fn certificate(device: DeviceKey) -> CertificateChain {
    let issuer = Issuer::new(CertificateParams::default(), KeyPair::generate().unwrap());
    let certificate = CertificateParams::default().signed_by(&Certified(device), &issuer).unwrap();
    CertificateChain::new(&[certificate.der()]).unwrap()
}

fn set(flags: MeetingFlags, set: bool) -> Command {
    Command::SetFlags { flags, set }
}

#[test]
fn a_meeting_without_guests_refuses_who_shows_neither_a_certificate_nor_a_known_device() {
    for waiting_room in [false, true] {
        let mut pair = Pair::new();
        pair.organiser.command(set(MeetingFlags::GUESTS, false));
        pair.organiser.command(set(MeetingFlags::WAITING_ROOM, waiting_room));
        pair.exchange();
        pair.organiser.events();
        let (mut guest, request) = Client::knocking(&pair.organiser, 3);
        pair.organiser.receive(Down::Knocked { participant: CARL, request });
        let why = Refusal::NoGuests;
        assert_eq!(pair.organiser.commands(), [ManagerCommand::Refuse { participant: CARL, why }]);
        assert!(asked(&mut pair.organiser).is_empty(), "nobody is asked");
        guest.receive(Down::Refused { why });
        assert_eq!(guest.reason(), Some(Reason::NoGuests));
    }
}

/// Who verifies a certificate trusts other organisations than the next one, so no rule counts it.
#[test]
fn a_person_decides_on_a_certificate_if_the_meeting_has_no_guests() {
    let mut pair = Pair::new();
    pair.organiser.command(set(MeetingFlags::GUESTS, false));
    pair.exchange();
    pair.organiser.events();
    let Entry::Join { invitation, mut identity, profile } = join(&pair.organiser) else { panic!("it joins") };
    identity.set_certificate(certificate(identity.public())).unwrap();
    let mut client = Client::new(Entry::Join { invitation, identity, profile });
    let request = client.knock(&pair.organiser, 3);
    pair.organiser.receive(Down::Knocked { participant: CARL, request });
    let commands = pair.organiser.commands();
    assert!(!commands.iter().any(|command| matches!(command, ManagerCommand::Refuse { .. })), "{commands:?}");
    assert_eq!(asked(&mut pair.organiser).len(), 1);
    pair.organiser.command(Command::Admit(CARL));
    assert_eq!(pair.organiser.committed().welcomes[0].to, [CARL]);
}

#[test]
fn a_member_that_has_left_comes_back_to_a_meeting_without_guests() {
    let mut pair = Pair::new();
    pair.organiser.command(set(MeetingFlags::GUESTS, false));
    pair.exchange();
    pair.organiser.log(pair.next, LogEntry::Gone { participant: BOB, by: None });
    let removal = pair.organiser.committed();
    pair.organiser.log(pair.next + 1, removal.entry);
    pair.organiser.events();
    let mut guest = pair.guest;
    guest.meeting = Meeting::new(again(guest.meeting), wall_clock(guest.now, 0), guest.now);
    let request = guest.knock(&pair.organiser, 4);
    pair.organiser.receive(Down::Knocked { participant: ParticipantId(4), request });
    assert_eq!(pair.organiser.committed().welcomes[0].to, [ParticipantId(4)]);
}

#[test]
fn those_who_come_later_get_the_role_that_a_manager_has_set() {
    let mut room = Room::new(2);
    let carl = room.id(2);
    room.command(0, Command::SetRole(carl, Role::Presenter));
    room.forget();
    room.command(0, Command::SetDefaultRole(Role::Guest));
    let late = room.join();
    let id = room.id(late);
    for number in 0..=late {
        let client = room.at(number);
        let of = |event| if let Event::Policy(policy) = event { Some((policy.everyone, policy.rights)) } else { None };
        let policies = client.events().into_iter().filter_map(of);
        assert_eq!(policies.last(), Some((Role::Guest, Role::ALL.map(Role::default_rights))), "{number}");
        assert_eq!(
            (role(client, id), role(client, BOB), role(client, carl)),
            (Role::Guest, Role::Guest, Role::Presenter)
        );
    }
    // The rights are in force, and the newcomer knows them.
    let Phase::Member(joined) = &room.at(late).meeting.phase else { panic!("it is a member") };
    assert_eq!(joined.roster.own(), (Role::Guest, Role::Guest.default_rights()));
    room.command(
        late,
        Command::Floor(FloorOrder { target: FloorTarget::Everyone, rights: Rights::CAMERA, allow: false }),
    );
    assert_eq!(refusals(room.at(late)).len(), 1);
    // Participants again, also those who came as guests.
    room.command(0, Command::SetDefaultRole(Role::Participant));
    assert_eq!(role(room.at(1), id), Role::Participant);
}

#[test]
fn only_a_manager_sets_the_role_of_those_who_come_later_and_never_to_that_of_a_manager() {
    let mut pair = Pair::new();
    pair.guest.command(Command::SetDefaultRole(Role::Guest));
    assert_eq!(refusals(&mut pair.guest), [Notice::PolicyRefused(PolicyRefusal::NotAllowed)]);
    for role in [Role::Organiser, Role::CoOrganiser] {
        pair.organiser.command(Command::SetDefaultRole(role));
        assert_eq!(refusals(&mut pair.organiser), [Notice::PolicyRefused(PolicyRefusal::Impossible)], "{role:?}");
    }
    // A co-organiser without a right does not give it to everybody.
    pair.promote();
    pair.organiser.command(Command::WithdrawRights(BOB, Rights::TAKE_CONTROL));
    pair.exchange();
    pair.guest.events();
    pair.guest.command(Command::SetDefaultRole(Role::Presenter));
    assert_eq!(refusals(&mut pair.guest), [Notice::PolicyRefused(PolicyRefusal::NotAllowed)]);
    // Of two wishes that wait, the newer one counts.
    pair.guest.command(Command::SetDefaultRole(Role::Guest));
    pair.guest.command(Command::SetDefaultRole(Role::Participant));
    pair.guest.command(Command::SetDefaultRole(Role::Guest));
    pair.exchange();
    assert_eq!(pair.organiser.meeting.policy().unwrap().everyone(), Role::Guest);
}
