//! Who the people are, as far as this device knows: on the tiles, in the list of participants, and in the waiting room.

use accesskit::Role;
use app::announce::Announcement;
use app::kit::Element;
use app::locale::Language;
use app::pins::{Pins, Sighting};
use app::screen::meeting::{self, waiting_room};
use app::screen::{Context, asking};
use engine::certificate::{CertificateChain, Roots};
use engine::{DeviceKey, Event, ParticipantId, Person};
use iced::keyboard::key::Named;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, PKCS_ED25519, PublicKeyData,
    SignatureAlgorithm, date_time_ymd,
};
use std::time::Instant;

use crate::common::{self, Ui, context, meeting_of, tree};

const BOB: ParticipantId = ParticipantId(2);
const PAUL: ParticipantId = ParticipantId(70);
/// 3 March 2026.
const THEN: u64 = 20_515;
const TODAY: u64 = 20_787;

fn key(number: u8) -> String {
    DeviceKey([number; 32]).to_string()
}

fn met(number: u8, name: &str) -> Sighting {
    Sighting { device: key(number).replace(' ', ""), name: name.to_owned(), day: THEN }
}

struct Key([u8; 32]);

impl PublicKeyData for Key {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ED25519
    }
}

fn certificate_of(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

/// The authority of ACME, and its root.
fn acme() -> (Issuer<'static, KeyPair>, Roots) {
    let (mut params, key) = (certificate_of("ACME"), KeyPair::generate().expect("a key"));
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let mut roots = Roots::default();
    let root = params.self_signed(&key).expect("a root");
    roots.add_pem(root.pem().as_bytes()).expect("it is a root");
    (Issuer::new(params, key), roots)
}

/// A meeting of eight: Bob has another device than in March, Carol the same, David was called otherwise, Élise is new. ACME has certified
/// Farid, Greta under another name, and Hugo until 2020.
fn people(acme: &Issuer<'static, KeyPair>) -> Vec<Person> {
    let mut people = meeting_of(8).model.people;
    for (number, person) in (1..).zip(&mut people) {
        person.device = key(number);
    }
    let mut expired = certificate_of("Hugo da Silva");
    expired.not_after = date_time_ymd(2020, 1, 1);
    let certificates = [certificate_of("Farid Benali"), certificate_of("Greta Lindqvist-Roth"), expired];
    for (number, (person, params)) in (6..).zip(people[5..].iter_mut().zip(certificates)) {
        let certificate = params.signed_by(&Key([number; 32]), acme).expect("a certificate");
        person.certificate = Some(CertificateChain::new(&[certificate.der()]).expect("a chain"));
    }
    people
}

fn known() -> Pins {
    let mut known = Pins::default();
    for one in [met(99, "Bob"), met(3, "Carol Lefèvre"), met(4, "Dave"), met(98, "Paul Lambert")] {
        known.add(&one);
    }
    known
}

fn screen() -> meeting::Meeting {
    let ((acme, roots), mut screen) = (acme(), meeting_of(8));
    screen.handle_event(&Event::People(people(&acme)), Instant::now());
    screen.model.set_known_devices(known(), TODAY, roots);
    screen
}

/// The meeting, with somebody who asks to join with another device than in March.
fn asked() -> (meeting::Meeting, Vec<Announcement>) {
    let mut screen = screen();
    let asks = Event::AsksToJoin { id: PAUL, name: "Paul Lambert".into(), evidence: common::evidence() };
    let said = screen.handle_event(&asks, Instant::now());
    (screen, said)
}

/// Calls `visit` with each state and the name of its picture.
pub fn every_state(context: &Context, visit: &mut impl FnMut(&str, Element<'_, ()>)) {
    let pictures = common::pictures(9);
    let mut screen = screen();
    visit("identity-tiles", screen.view(context, &pictures, &[]).map(drop));
    screen.open(meeting::Panel::People);
    visit("identity-people", screen.view(context, &pictures, &[]).map(drop));
    screen.update(meeting::Message::DeviceAccepted(BOB));
    visit("identity-accepted", screen.view(context, &pictures, &[]).map(drop));
    let (mut screen, _) = asked();
    visit("identity-asks", screen.view(context, &pictures, &[]).map(drop));
    screen.open(meeting::Panel::People);
    visit("identity-waiting-room", screen.view(context, &pictures, &[]).map(drop));
}

fn labels(screen: &meeting::Meeting, language: Language) -> Vec<String> {
    let update = tree(screen.view(&context(language), &common::pictures(9), &[]));
    let items = update.nodes.iter().filter(|(_, node)| node.role() == Role::ListItem);
    items.filter_map(|(_, node)| node.label().map(str::to_owned)).collect()
}

/// The number of labels that begin with the name and the badge.
fn count(labels: &[String], name: &str, badge: &str) -> usize {
    let start = format!("{name}, {badge}");
    let rest = labels.iter().filter_map(|label| label.strip_prefix(&start));
    rest.filter(|rest| rest.is_empty() || rest.starts_with(", ")).count()
}

#[test]
fn tiles_and_list_say_who_is_known_to_the_eyes_and_to_assistive_tools() {
    for (language, since, other, alarm) in [
        (
            Language::English,
            "Known device since 3 March 2026",
            "Known device since 3 March 2026, under another name",
            "This is not the device that you know as Bob",
        ),
        (
            Language::French,
            "Appareil connu depuis le 3 mars 2026",
            "Appareil connu depuis le 3 mars 2026, sous un autre nom",
            "Ce n’est pas l’appareil habituel de Bob",
        ),
    ] {
        let mut screen = screen();
        screen.open(meeting::Panel::People);
        let labels = labels(&screen, language);
        let new = language.text("identity-new");
        for (name, badge) in
            [("Bob", alarm), ("Carol Lefèvre", since), ("David Okafor", other), ("Élise Nguyen-Fontaine", new.as_str())]
        {
            assert_eq!(count(&labels, name, badge), 2, "{name}, {badge} on the tile and in the list: {labels:#?}");
        }
        assert!(!labels.iter().any(|label| label.starts_with("Anne Martin") && label.contains(&new)), "ourselves");
        let of = |id, person: &str| language.with(id, &[("organisation", "ACME".into()), ("person", person.into())]);
        for (name, badge) in [
            ("Farid Benali", of("identity-verified", "")),
            ("Greta Lindqvist", of("identity-verified-as", "Greta Lindqvist-Roth")),
            ("Hugo da Silva", format!("{new}, {}", language.text("identity-expired"))),
        ] {
            assert_eq!(count(&labels, name, &badge), 2, "{name}, {badge}: {labels:#?}");
        }
        let mut ui = Ui::new(screen.view(&context(language), &common::pictures(9), &[]));
        ui.find(alarm);
        ui.find(&language.with("identity-advice", &[("name", "Bob".into())]));
    }
}

#[test]
fn the_alarm_leads_to_the_words_and_a_new_device_is_accepted_with_the_keyboard() {
    let mut screen = screen();
    screen.open(meeting::Panel::People);
    let press = |screen: &meeting::Meeting, id: &str| {
        let pictures = common::pictures(0);
        let mut ui = Ui::new(screen.view(&context(Language::English), &pictures, &[]));
        while ui.focused().is_none_or(|focused| focused != id) {
            ui.tap(Named::Tab);
            assert!(ui.focused().is_some(), "Tab does not reach {id}");
        }
        ui.tap(Named::Enter);
        ui.messages().into_iter().last().expect("a message")
    };
    let compare = press(&screen, "compare-0000000000000002");
    assert!(matches!(compare, meeting::Message::PanelPressed(meeting::Panel::Lock)), "{compare:?}");
    assert!(screen.model.identities.take_unsaved().iter().all(|met| met.name != "Bob"));
    let accept = press(&screen, "accept-0000000000000002");
    assert_eq!(screen.update(accept), meeting::Action::None);
    let saved = screen.model.identities.take_unsaved();
    assert_eq!((saved.len(), saved[0].name.as_str()), (1, "Bob"));
    assert!(!labels(&screen, Language::English).iter().any(|label| label.contains("not the device")));
}

#[test]
fn somebody_who_asks_with_another_device_is_an_alarm_until_the_organiser_accepts_it() {
    let (mut screen, said) = asked();
    assert!(said.contains(&Announcement::OtherDevice("Paul Lambert".into())), "{said:?}");
    let alarm = "This is not the device that you know as Paul Lambert";
    assert!(labels(&screen, Language::English).iter().any(|label| label.contains(alarm)), "in the banner");
    screen.open(meeting::Panel::People);
    let pictures = common::pictures(0);
    let mut ui = Ui::new(screen.view(&context(Language::English), &pictures, &[]));
    ui.find(alarm);
    ui.find("Before you admit this person, check with Paul Lambert another way, by phone for example.");
    ui.click_id("accept-0000000000000046");
    let message = ui.messages().into_iter().last().expect("a message");
    assert!(
        matches!(message, meeting::Message::WaitingRoom(waiting_room::Message::DeviceAccepted(PAUL))),
        "{message:?}"
    );
    screen.update(message);
    assert!(!labels(&screen, Language::English).iter().any(|label| label.contains(alarm)));
    assert_eq!(screen.model.asking.len(), 1, "the person still waits");
    let answer = meeting::Message::Answered(asking::Answer { id: PAUL, admit: true });
    screen.update(answer);
    assert!(screen.model.asking.is_empty());
}
