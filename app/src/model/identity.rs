//! What this device knows of who the people of a meeting are, beyond the names that they chose.

use std::collections::{BTreeSet, HashMap};
use std::time::SystemTime;

use engine::certificate::{CertificateChain, Refusal, Roots, Subject};
use engine::{DeviceKey, ParticipantId, Person};

use super::chat::date;
use super::notice::{Notice, NoticeKind};
use crate::locale::Language;
use crate::pins::{self, Acquaintance, Pins, Sighting};

/// What is known of who a person is, in one word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Badge {
    /// A trusted organisation says who it is.
    Verified {
        /// Whom the certificate names, and which organisation says so.
        subject: Subject,
        /// The person uses that name.
        same_name: bool,
    },
    /// The device was met under this name in an earlier meeting.
    Known {
        /// The day on which it was met first, since 1970.
        since: u64,
    },
    /// The device was met in an earlier meeting, under another name.
    OtherName {
        /// The day on which it was met first, since 1970.
        since: u64,
    },
    /// The device was never met before this meeting, and the name neither.
    New,
    /// The name is known, with another device.
    OtherDevice,
}

impl Badge {
    /// The sentence about the person, who has this name.
    pub fn sentence(&self, name: &str, language: Language) -> String {
        let since = |id, since| language.with(id, &[("date", day(since, language).into())]);
        match self {
            Self::Verified { subject, same_name } => {
                let (organisation, person) = (subject.organisation.as_str(), subject.name.as_str());
                let id = if *same_name { "identity-verified" } else { "identity-verified-as" };
                language.with(id, &[("organisation", organisation.into()), ("person", person.into())])
            }
            Self::Known { since: day } => since("identity-known", *day),
            Self::OtherName { since: day } => since("identity-other-name", *day),
            Self::New => language.text("identity-new"),
            Self::OtherDevice => language.with("identity-other-device", &[("name", name.into())]),
        }
    }

    /// Whether the person may be another one than the name says.
    pub const fn is_alarm(&self) -> bool {
        matches!(self, Self::OtherDevice)
    }

    /// The badge before the name on a tile.
    pub const fn mark(&self) -> render::Mark {
        match self {
            Self::Verified { .. } => render::Mark::Verified,
            Self::Known { .. } | Self::OtherName { .. } => render::Mark::Known,
            Self::New => render::Mark::New,
            Self::OtherDevice => render::Mark::Warning,
        }
    }

    /// The word for programs.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Verified { .. } => "verified",
            Self::Known { .. } => "known-device",
            Self::OtherName { .. } => "other-name",
            Self::New => "new-device",
            Self::OtherDevice => "other-device",
        }
    }
}

/// A day since 1970 in words, such as "3 March 2026".
fn day(days: u64, language: Language) -> String {
    let (year, month, day) = date(days);
    language.with("identity-date", &[("day", day.into()), ("month", month.into()), ("year", year.to_string().into())])
}

/// What a person shows: a device key, in hexadecimal digits, and perhaps a certificate of it.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// The device key.
    pub device: &'a str,
    /// The certificate.
    pub certificate: Option<&'a CertificateChain>,
}

/// The text id of why a certificate does not count.
pub const fn refusal_text(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Untrusted => "identity-untrusted",
        Refusal::Expired => "identity-expired",
        Refusal::NotYetValid => "identity-not-yet-valid",
        Refusal::OtherKey => "identity-other-key",
        Refusal::Malformed | Refusal::TooLong | Refusal::WrongUsage | Refusal::NoName | Refusal::Invalid => {
            "identity-invalid"
        }
    }
}

/// Who the people of one meeting are.
#[derive(Clone, Debug, Default)]
pub struct Identities {
    /// What was known when the meeting began. `None` until the file was read: then nobody has a badge.
    known: Option<Pins>,
    /// This day.
    day: u64,
    /// The organisations that this computer trusts.
    roots: Roots,
    /// Why the certificates of participants do not count.
    refusals: HashMap<ParticipantId, Refusal>,
    /// The devices of this meeting, by the shape of the name.
    met: HashMap<String, BTreeSet<String>>,
    badges: HashMap<ParticipantId, Badge>,
    /// What is not in the file yet.
    unsaved: Vec<Sighting>,
    /// The names of people with another device, about whom the user was not told.
    alarms: Vec<String>,
}

impl Identities {
    /// Sets what was known when the meeting began on this day, and whom this computer trusts. The badges of `people` follow. Does nothing
    /// the second time.
    pub fn begin(&mut self, known: Pins, day: u64, roots: Roots, people: &[Person]) -> Vec<String> {
        if self.known.is_some() {
            return Vec::new();
        }
        (self.known, self.day, self.roots) = (Some(known), day, roots);
        self.update(people)
    }

    /// The badge of a participant; `None` for ourselves, and until the file was read.
    pub fn badge(&self, id: ParticipantId) -> Option<&Badge> {
        self.badges.get(&id)
    }

    /// Gives badges to new participants. Returns the names of those who come with another device.
    pub fn update(&mut self, people: &[Person]) -> Vec<String> {
        let others = || people.iter().filter(|person| !person.me);
        // The list of people changes with each microphone.
        if self.badges.len() == others().count() && others().all(|person| self.badges.contains_key(&person.id)) {
            return Vec::new();
        }
        let is_here = |id: &ParticipantId| people.iter().any(|person| person.id == *id);
        self.badges.retain(|id, _| is_here(id));
        self.refusals.retain(|id, _| is_here(id));
        let mut alarms = Vec::new();
        for person in others() {
            if self.badges.contains_key(&person.id) {
                continue;
            }
            let device = key_of(&person.device);
            let certificate = Evidence { device: &device, certificate: person.certificate.as_ref() };
            let Some((badge, refusal)) = self.judge(&certificate, &person.name) else { continue };
            self.refusals.extend(refusal.map(|refusal| (person.id, refusal)));
            if badge.is_alarm() {
                alarms.push(person.name.clone());
            } else if self.met.values().map(BTreeSet::len).sum::<usize>() < MAX_MET {
                self.remember(device, &person.name);
            }
            self.badges.insert(person.id, badge);
        }
        self.alarms.extend(alarms.iter().cloned());
        self.alarms.truncate(MAX_ALARMS);
        alarms
    }

    /// Why the certificate of a participant does not count; `None` if it counts, or if there is none.
    pub fn refusal(&self, id: ParticipantId) -> Option<Refusal> {
        self.refusals.get(&id).copied()
    }

    /// Returns the badge of somebody with this name, and why the certificate does not count, if there is one that does not. Remembers
    /// nothing. `None` until the file was read.
    ///
    /// A certificate of a trusted organisation says that another device is that of the same person, if it names that person.
    pub fn judge(&self, evidence: &Evidence<'_>, name: &str) -> Option<(Badge, Option<Refusal>)> {
        let badge = self.acquaintance(evidence.device, name)?;
        let Some(certificate) = evidence.certificate else { return Some((badge, None)) };
        let verified = device_key(evidence.device).ok_or(Refusal::OtherKey);
        match verified.and_then(|device| certificate.verify(device, &self.roots, SystemTime::now())) {
            Ok(subject) => {
                let same_name = pins::shape(&subject.name) == pins::shape(name);
                let counts = same_name || !badge.is_alarm();
                Some((if counts { Badge::Verified { subject, same_name } } else { badge }, None))
            }
            Err(refusal) => Some((badge, Some(refusal))),
        }
    }

    /// Returns the badge of a device with this name.
    fn acquaintance(&self, device: &str, name: &str) -> Option<Badge> {
        let known = self.known.as_ref().filter(|_| !device.is_empty())?;
        let met = self.met.get(&pins::shape(name));
        let is_met = met.is_some_and(|devices| devices.contains(device));
        let others = met.is_some_and(|devices| !devices.is_empty());
        Some(match known.lookup(device, name) {
            Acquaintance::Known { since } => Badge::Known { since },
            Acquaintance::OtherDevice if !is_met => Badge::OtherDevice,
            Acquaintance::New | Acquaintance::OtherName { .. } if !is_met && others => Badge::OtherDevice,
            Acquaintance::New | Acquaintance::OtherDevice => Badge::New,
            Acquaintance::OtherName { since } => Badge::OtherName { since },
        })
    }

    /// Like [`Identities::judge`], for somebody who asks to join.
    pub fn judge_asker(&self, evidence: &engine::Evidence, name: &str) -> (Option<Badge>, Option<Refusal>) {
        let device = key_of(&evidence.device.to_string());
        let shown = Evidence { device: &device, certificate: evidence.certificate.as_ref() };
        self.judge(&shown, name).map_or((None, None), |(badge, refusal)| (Some(badge), refusal))
    }

    /// Accepts the device of a participant, or of somebody who asks, as another device of the person with this name.
    pub fn accept(&mut self, device: &str, name: &str, people: &[Person]) {
        self.remember(key_of(device), name);
        let same = |person: &&Person| key_of(&person.device) == key_of(device);
        for person in people.iter().filter(same) {
            self.badges.remove(&person.id);
        }
        self.update(people);
    }

    /// Takes what is to be saved.
    pub fn take_unsaved(&mut self) -> Vec<Sighting> {
        std::mem::take(&mut self.unsaved)
    }

    /// Takes the notices about people who come with another device.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        let notice = |name| Notice { kind: NoticeKind::OtherDevice, file: Some(name), detail: String::new() };
        std::mem::take(&mut self.alarms).into_iter().map(notice).collect()
    }

    fn remember(&mut self, device: String, name: &str) {
        if self.met.entry(pins::shape(name)).or_default().insert(device.clone()) {
            self.unsaved.push(Sighting { device, name: name.to_owned(), day: self.day });
        }
    }
}

/// Returns a fingerprint without spaces.
pub fn key_of(fingerprint: &str) -> String {
    fingerprint.replace(' ', "")
}

/// Returns the device key with these hexadecimal digits.
fn device_key(digits: &str) -> Option<DeviceKey> {
    let mut key = [0; 32];
    let pairs = digits.as_bytes().chunks_exact(2);
    if digits.len() != 64 {
        return None;
    }
    for (byte, pair) in key.iter_mut().zip(pairs) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(DeviceKey(key))
}

/// The maximum number of devices of one meeting that are remembered: a stranger can come again with many keys.
const MAX_MET: usize = 1_024;

/// The maximum number of alarms that wait to be shown.
const MAX_ALARMS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use engine::Microphone;
    use rcgen::{
        BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, PKCS_ED25519,
        PublicKeyData, SignatureAlgorithm,
    };

    fn person(id: u64, name: &str, device: u64) -> Person {
        Person {
            id: ParticipantId(id),
            name: name.to_owned(),
            me: id == 1,
            role: engine::Role::Participant,
            rights: engine::Rights::ALL,
            device: format!("{device:064x}"),
            certificate: None,
            microphone: Microphone::On,
            camera: false,
            screen: false,
            connected: true,
        }
    }

    /// An authority called ACME.
    struct Ca(Issuer<'static, KeyPair>, Roots);

    struct Key([u8; 32]);

    impl PublicKeyData for Key {
        fn der_bytes(&self) -> &[u8] {
            &self.0
        }

        fn algorithm(&self) -> &'static SignatureAlgorithm {
            &PKCS_ED25519
        }
    }

    fn named(name: &str) -> CertificateParams {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params
    }

    impl Ca {
        fn new() -> Self {
            let (mut params, key) = (named("ACME"), KeyPair::generate().unwrap());
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            let mut roots = Roots::default();
            roots.add_pem(params.self_signed(&key).unwrap().pem().as_bytes()).unwrap();
            Self(Issuer::new(params, key), roots)
        }

        fn issue(&self, name: &str, device: [u8; 32]) -> CertificateChain {
            let certificate = named(name).signed_by(&Key(device), &self.0).unwrap();
            CertificateChain::new(&[certificate.der()]).unwrap()
        }
    }

    fn known() -> Pins {
        let mut known = Pins::default();
        known.add(&Sighting { device: format!("{:064x}", 7), name: "Anna".into(), day: 20_515 });
        known
    }

    #[test]
    fn the_first_device_under_a_name_is_new_and_another_one_is_an_alarm() {
        let mut identities = Identities::default();
        let people = [person(1, "Me", 1), person(2, "Bob", 2)];
        assert!(identities.update(&people).is_empty() && identities.badge(ParticipantId(2)).is_none());
        assert!(identities.begin(known(), 20_600, Roots::default(), &people).is_empty());
        assert_eq!(identities.badge(ParticipantId(2)), Some(&Badge::New));
        assert_eq!(identities.badge(ParticipantId(1)), None, "ourselves");
        let people =
            [people.to_vec(), vec![person(3, "Anna", 7), person(4, "B\u{3bf}b", 5), person(5, "Anna", 8)]].concat();
        assert_eq!(identities.update(&people), ["B\u{3bf}b", "Anna"]);
        assert_eq!(identities.badge(ParticipantId(3)), Some(&Badge::Known { since: 20_515 }));
        assert_eq!(identities.badge(ParticipantId(4)), Some(&Badge::OtherDevice), "Bob was met a moment ago");
        assert_eq!(identities.take_notices().len(), 2);
        assert!(identities.update(&people).is_empty(), "each is told once");
        let saved: Vec<_> = identities.take_unsaved().into_iter().map(|met| met.name).collect();
        assert_eq!(saved, ["Bob", "Anna"], "no stranger is remembered");
    }

    #[test]
    fn a_new_device_that_the_user_accepts_is_remembered() {
        let mut identities = Identities::default();
        let people = [person(2, "Anna", 8)];
        assert_eq!(identities.begin(known(), 20_600, Roots::default(), &people), ["Anna"]);
        assert!(identities.take_unsaved().is_empty());
        identities.accept(&people[0].device, "Anna", &people);
        assert_eq!(identities.badge(ParticipantId(2)), Some(&Badge::New));
        let saved = identities.take_unsaved();
        assert_eq!((saved.len(), saved[0].device.as_str()), (1, people[0].device.as_str()));
        assert!(identities.update(&[person(3, "Anna", 8)]).is_empty(), "also if she comes again");
        assert_eq!(identities.update(&[person(4, "Anna", 9)]), ["Anna"]);
    }

    #[test]
    fn a_known_device_with_another_name_says_so() {
        let mut identities = Identities::default();
        identities.begin(known(), 20_600, Roots::default(), &[person(2, "Director", 7)]);
        let badge = identities.badge(ParticipantId(2)).unwrap();
        assert_eq!(badge, &Badge::OtherName { since: 20_515 });
        let said = badge.sentence("Director", Language::English);
        assert_eq!(said, "Known device since 3 March 2026, under another name");
        let french = Badge::Known { since: 20_513 }.sentence("Anna", Language::French);
        assert_eq!(french, "Appareil connu depuis le 1er mars 2026");
    }

    fn certified(id: u64, name: &str, device: u8, certificate: CertificateChain) -> Person {
        let device = DeviceKey([device; 32]).to_string();
        Person { device, certificate: Some(certificate), ..person(id, name, 0) }
    }

    #[test]
    fn a_certificate_of_a_trusted_organisation_is_a_badge_and_explains_a_new_device() {
        let acme = Ca::new();
        let certificate = acme.issue("Anna", [9; 32]);
        let people = [certified(2, "Anna", 9, certificate.clone())];
        let badge = |roots: &Roots, known: Pins| {
            let mut identities = Identities::default();
            let alarms = identities.begin(known, 20_600, roots.clone(), &people);
            let (badge, refusal) =
                (identities.badge(ParticipantId(2)).cloned().unwrap(), identities.refusal(ParticipantId(2)));
            (badge, refusal, alarms.len(), identities.take_unsaved().len())
        };
        let subject = certificate.verify(DeviceKey([9; 32]), &acme.1, SystemTime::now()).unwrap();
        let verified = Badge::Verified { subject, same_name: true };
        assert_eq!(badge(&acme.1, Pins::default()), (verified.clone(), None, 0, 1));
        assert_eq!(badge(&acme.1, known()), (verified.clone(), None, 0, 1), "ACME says that it is Anna's");
        let untrusted = Some(Refusal::Untrusted);
        assert_eq!(badge(&Roots::default(), Pins::default()), (Badge::New, untrusted, 0, 1));
        assert_eq!(badge(&Roots::default(), known()), (Badge::OtherDevice, untrusted, 1, 0));
        assert_eq!(verified.sentence("Anna", Language::English), "Verified by ACME");
    }

    #[test]
    fn a_certificate_for_another_name_shows_that_name_and_silences_no_alarm() {
        let acme = Ca::new();
        let mut identities = Identities::default();
        let people = [
            certified(2, "Director", 9, acme.issue("Bob Martin", [9; 32])),
            certified(3, "Anna", 8, acme.issue("Bob Martin", [8; 32])),
            certified(4, "Carol", 7, acme.issue("Carol", [6; 32])),
        ];
        assert_eq!(identities.begin(known(), 20_600, acme.1.clone(), &people), ["Anna"]);
        let badge = identities.badge(ParticipantId(2)).unwrap();
        assert_eq!(badge.sentence("Director", Language::English), "Verified by ACME as Bob Martin");
        assert_eq!(identities.badge(ParticipantId(3)), Some(&Badge::OtherDevice));
        assert_eq!(identities.badge(ParticipantId(4)), Some(&Badge::New));
        assert_eq!(identities.refusal(ParticipantId(4)), Some(Refusal::OtherKey));
    }

    #[test]
    fn a_flood_of_devices_is_bounded() {
        let mut identities = Identities::default();
        identities.begin(Pins::default(), 1, Roots::default(), &[]);
        for id in 2..3_000 {
            identities.update(&[person(id, &format!("Guest {id}"), id)]);
        }
        assert_eq!(identities.take_unsaved().len(), MAX_MET);
        for id in 3_000..3_020 {
            identities.update(&[person(id, "Guest 2", id)]);
        }
        assert_eq!(identities.take_notices().len(), MAX_ALARMS);
    }
}
