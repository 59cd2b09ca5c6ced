//! Replays the corpus of the files that the client reads, and seeded mutations of it: the policies of the administrator, the known
//! networks, the recent meetings.
//!
//! A damaged file never keeps the program from starting, and what is read from it is within its bounds. These targets are not in the table
//! that `cargo xtask fuzz` runs, because that one does not build the window.

#![expect(clippy::unwrap_used, reason = "tests")]

use app::model::bandwidth::Choice;
use app::network::{Gateway, Interface};
use app::networks::Networks;
use app::pins::{Acquaintance, Pins, PinsFile, Sighting};
use app::policy::{Policies, Policy, RANGE};
use app::recent::{MAX_PEOPLE, Meeting, Memory};
use engine::{Bitrate, LastRates};
use fuzz::Target;
use fuzz::replay::FuzzTargets;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const TARGETS: &[Target] = &[
    Target { name: "policy", run: policy, seeds: Vec::new, mutations: 100 },
    Target { name: "networks", run: networks, seeds: known_networks, mutations: 100 },
    Target { name: "devices", run: devices, seeds: known_devices, mutations: 100 },
    Target { name: "recent", run: recent, seeds: recent_meetings, mutations: 100 },
];

/// A file with these bytes in a folder of its own.
struct Scratch(TempDir);

impl Scratch {
    fn new(bytes: &[u8]) -> Self {
        let scratch = Self(tempfile::tempdir().unwrap());
        fs::write(scratch.path(), bytes).unwrap();
        scratch
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("file.json")
    }
}

/// Reads the policies of the administrator.
fn policy(bytes: &[u8]) {
    let Policy { mandatory, recommended } = Policy::load(&Scratch::new(bytes).path());
    for Policies { max_send, max_receive } in [mandatory, recommended] {
        let mut rates = [max_send, max_receive].into_iter().flatten();
        assert!(rates.all(|rate| RANGE.contains(&(rate.as_bps() / 1_000))), "out of range");
    }
}

fn gateway() -> Gateway {
    Gateway { address: "aa:bb:cc:00:11:22".into(), kind: Interface::Wired }
}

fn rates() -> LastRates {
    LastRates { send: Some(Bitrate::kbps(800)), receive: Some(Bitrate::kbps(3_000)) }
}

/// Reads the known networks, remembers another one, and reads the file again.
fn networks(bytes: &[u8]) {
    let scratch = Scratch::new(bytes);
    let mut networks = Networks::load(&scratch.path());
    let known = networks.rates(&gateway(), NOW);
    let max = Bitrate::kbps(100_000);
    assert!([known.send, known.receive].into_iter().flatten().all(|rate| rate <= max), "{known:?}");
    networks.set_rates(&gateway(), rates(), NOW);
    networks.set_metered(&gateway(), true, NOW);
    let written = serde_json::to_vec_pretty(&networks).unwrap();
    assert!(written.len() < 64 * 1024, "{} bytes", written.len());
    fs::write(scratch.path(), written).unwrap();
    let read = Networks::load(&scratch.path());
    assert_eq!((read.rates(&gateway(), NOW), read.metered(&gateway(), NOW)), (rates(), Some(true)));
}

fn known_networks() -> Vec<Vec<u8>> {
    let mut networks = Networks::default();
    networks.set_rates(&gateway(), rates(), NOW - 5);
    vec![serde_json::to_vec_pretty(&networks).unwrap()]
}

fn met(device: u64, name: &str, day: u64) -> Sighting {
    Sighting { device: format!("{device:064x}"), name: name.to_owned(), day }
}

/// Reads the known devices, remembers another one, and reads the file again.
fn devices(bytes: &[u8]) {
    let scratch = Scratch::new(bytes);
    let file = PinsFile::at(scratch.path());
    let before = file.load();
    assert!(before.pins.len() <= 4_096 && (before.damaged || scratch.path().exists()));
    assert_eq!(scratch.path().with_extension("damaged").exists(), before.damaged);
    file.add(&[met(9, "Dave", DAY)]);
    let after = file.load();
    assert!(!after.damaged, "what this program writes can be read");
    assert!(matches!(after.pins.lookup(&met(9, "", DAY).device, "Dave"), Acquaintance::Known { .. }));
    assert!(after.pins.len() <= 4_096);
}

fn known_devices() -> Vec<Vec<u8>> {
    let mut pins = Pins::default();
    pins.add(&met(1, "Anna", DAY - 5));
    pins.add(&met(2, "Bob", DAY - 4));
    vec![serde_json::to_vec(&pins).unwrap()]
}

/// Reads the recent meetings, enters one, and reads the file again.
fn recent(bytes: &[u8]) {
    let scratch = Scratch::new(bytes);
    let mut memory = Memory::load(&scratch.path());
    memory.tidy();
    let link = "conclave://b.example:443/#c2VjcmV0".into();
    memory.enter(Meeting { link, host: "b.example".into(), ..Meeting::default() });
    let link = memory.meetings[0].link.clone();
    memory.meet(&link, &["Dave".into()]);
    assert!(memory.meetings.len() <= 8 && memory.meetings[0].people.len() <= MAX_PEOPLE.max(bytes.len() / 3));
    memory.save(&scratch.path()).unwrap();
    assert_eq!(Memory::load(&scratch.path()), memory);
    memory.end(&link);
    memory.forget(&link);
    assert!(memory.meetings.iter().all(|meeting| meeting.link != link));
}

fn recent_meetings() -> Vec<Vec<u8>> {
    let mut memory = Memory { name: "Anne".into(), language: Some("fr".into()), ..Memory::default() };
    memory.bandwidth.send = Choice::Kbps(300);
    let link = "conclave://a.example:443/#c2VjcmV0".into();
    let people = vec!["Bob".into(), "Carol".into()];
    memory.enter(Meeting { link, host: "a.example".into(), entered: 5, people, ..Meeting::default() });
    vec![serde_json::to_vec_pretty(&memory).unwrap()]
}

fn targets() -> FuzzTargets {
    FuzzTargets { targets: TARGETS, corpus: Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus") }
}

#[test]
fn every_file_has_a_corpus() {
    targets().check_folders();
}

#[test]
fn no_damaged_file_fails_and_none_is_read_beyond_its_bounds() {
    targets().run_corpus();
    targets().run_seeds();
    targets().run_mutations(10);
}

/// A larger file than the program writes is not read at all.
#[test]
fn huge_files_are_not_read() {
    let padded = |seed: &[u8]| Scratch::new(&[seed, &vec![b' '; 300_000]].concat());
    let policies = br#"{"mandatory": {"MaxSendKbps": 500}}"#;
    for (file, is_read) in [(Scratch::new(policies), true), (padded(policies), false)] {
        assert_eq!(Policy::load(&file.path()) != Policy::default(), is_read);
    }
    for (file, is_read) in [(Scratch::new(&known_networks()[0]), true), (padded(&known_networks()[0]), false)] {
        assert_eq!(!Networks::load(&file.path()).is_empty(), is_read);
    }
    let spacious = |bytes: &[u8]| Scratch::new(&[bytes, &vec![b' '; 1 << 20]].concat());
    for (file, is_read) in [(Scratch::new(&known_devices()[0]), true), (spacious(&known_devices()[0]), false)] {
        assert_eq!(!PinsFile::at(file.path()).load().pins.is_empty(), is_read);
    }
    for (file, is_read) in [(Scratch::new(&recent_meetings()[0]), true), (padded(&recent_meetings()[0]), false)] {
        assert_eq!(Memory::load(&file.path()) != Memory::default(), is_read);
    }
}

/// Days since 1970.
const DAY: u64 = 20_787;

/// Seconds since 1970.
const NOW: u64 = 8_640_100;
