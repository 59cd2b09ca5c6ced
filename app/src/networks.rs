//! What is remembered of networks, in a small file on this computer only: the rates that they carried in the last meeting, and whether
//! the user calls them metered. A network is named by a hash with a random number of this computer, so the file names no gateway.
//!
//! Nothing of the file is sent, except that the client tells the server with which rate to begin.

use std::path::{Path, PathBuf};
use std::sync::{LazyLock, OnceLock};
use std::{fs, io};

use engine::{Bitrate, LastRates, Second};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::network::Gateway;
use crate::salted_hash::{HASH_BYTES, SALT_BYTES, hash, random_salt};
use crate::{file, recent};

/// The content of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Networks {
    /// The random number of this computer, in hexadecimal digits. Empty before the first network.
    salt: String,
    /// The networks, the last one that was used first.
    networks: Vec<Entry>,
}

/// What is remembered of one network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Entry {
    /// The hash of its gateway and the salt, in hexadecimal digits.
    key: String,
    /// When it was used last, in seconds since 1970.
    used: u64,
    /// What it carried to the server, in kbit/s.
    send_kbps: Option<u64>,
    /// What it carried from the server, in kbit/s.
    receive_kbps: Option<u64>,
    /// Whether the user calls it metered. `None` if the system decides.
    metered: Option<bool>,
}

impl Networks {
    /// Returns the rates that a network carried. `now` is in seconds since 1970.
    pub fn rates(&self, gateway: &Gateway, now: u64) -> LastRates {
        let Some(entry) = self.find(gateway).filter(|entry| is_fresh(entry, now)) else { return LastRates::default() };
        let rate = |kbps: Option<u64>| kbps.map(|kbps| Bitrate::kbps(kbps.min(MAX_KBPS)));
        LastRates { send: rate(entry.send_kbps), receive: rate(entry.receive_kbps) }
    }

    /// Returns whether the user calls a network metered. `None` if the user has not said.
    pub fn metered(&self, gateway: &Gateway, now: u64) -> Option<bool> {
        self.find(gateway).filter(|entry| is_fresh(entry, now))?.metered
    }

    /// Records the rates that a network carried. A direction without a rate keeps the one from before. Does nothing if the system has
    /// no random numbers.
    pub fn set_rates(&mut self, gateway: &Gateway, rates: LastRates, now: u64) {
        let kbps = |rate: Option<Bitrate>| rate.map(|rate| rate.as_bps() / 1_000);
        let Some(entry) = self.enter(gateway, now, random_salt) else { return };
        entry.send_kbps = kbps(rates.send).or(entry.send_kbps);
        entry.receive_kbps = kbps(rates.receive).or(entry.receive_kbps);
    }

    /// Records whether the user calls a network metered. Does nothing if the system has no random numbers.
    pub fn set_metered(&mut self, gateway: &Gateway, metered: bool, now: u64) {
        if let Some(entry) = self.enter(gateway, now, random_salt) {
            entry.metered = Some(metered);
        }
    }

    /// Returns true if nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.networks.is_empty()
    }

    /// Returns the entry of a network, as the first one. Removes those that are too old or too many. Returns `None` if there is no
    /// random number: without one, everybody could compute which gateway a key names.
    fn enter(&mut self, gateway: &Gateway, now: u64, new_salt: impl FnOnce() -> Option<String>) -> Option<&mut Entry> {
        if self.salt.len() != 2 * SALT_BYTES {
            // There is no salt, or it is damaged: no entry can match.
            *self = Self { salt: new_salt()?, networks: Vec::new() };
        }
        let key = key(&self.salt, gateway);
        let before = self.networks.iter().position(|entry| entry.key == key).map(|at| self.networks.remove(at));
        // A damaged file can contain keys of another length.
        self.networks.retain(|entry| is_fresh(entry, now) && entry.key.len() == 2 * HASH_BYTES);
        let entry = before.filter(|entry| is_fresh(entry, now)).unwrap_or_default();
        self.networks.truncate(MAX_NETWORKS - 1);
        self.networks.insert(0, Entry { key, used: now, ..entry });
        self.networks.first_mut()
    }

    fn find(&self, gateway: &Gateway) -> Option<&Entry> {
        let key = key(&self.salt, gateway);
        self.networks.iter().find(|entry| entry.key == key)
    }

    /// Reads the file. Returns the default if there is no file; if it is damaged, also logs a warning.
    pub fn load(path: &Path) -> Self {
        let read = || -> io::Result<Self> { Ok(serde_json::from_slice(&file::read_bounded(path, MAX_FILE_BYTES)?)?) };
        read().unwrap_or_else(|error| {
            if error.kind() != io::ErrorKind::NotFound {
                tracing::warn!(%error, "cannot read the file of known networks");
            }
            Self::default()
        })
    }

    fn save(&self, path: &Path) -> io::Result<()> {
        file::write_private(path, &serde_json::to_vec_pretty(self)?)
    }
}

/// The user's file of known networks.
#[derive(Clone, Debug)]
pub struct NetworksFile {
    /// Its path. `None` if the environment names no folder.
    path: Option<PathBuf>,
    /// True if it may be written.
    keeps: bool,
}

impl NetworksFile {
    /// Returns the user's file.
    pub fn of_user() -> Self {
        Self { path: path(), keeps: !keeps_nothing() }
    }

    /// Returns a value without a file.
    #[cfg(test)]
    pub const fn keeping_nothing() -> Self {
        Self { path: None, keeps: false }
    }

    /// Returns true if something can be remembered.
    pub const fn keeps(&self) -> bool {
        self.keeps && self.path.is_some()
    }

    /// Reads the file.
    pub fn load(&self) -> Networks {
        self.path.as_deref().map(Networks::load).unwrap_or_default()
    }

    /// Changes the file, if it may be written. A failure is logged.
    pub fn change(&self, change: impl FnOnce(&mut Networks)) {
        let Some(path) = self.path.as_deref().filter(|_| self.keeps) else { return };
        if let Err(error) = update(path, change) {
            tracing::warn!(%error, "cannot write the file of known networks");
        }
    }

    /// Deletes the file. A failure is logged.
    pub fn forget(&self) {
        let Some(path) = &self.path else { return };
        // Without the lock, a change that another thread or program has begun could bring it back.
        let deleted = file::ChangeLock::take(path).and_then(|_lock| fs::remove_file(path));
        CHANGES.send_replace(());
        if let Err(error) = deleted
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "cannot delete the file of known networks");
        }
    }
}

/// Stops writing the file until the program ends (`--no-recent`). What it already contains is still read, and can be forgotten.
pub fn keep_nothing() {
    KEEPS_NOTHING.get_or_init(|| ());
}

/// Returns true after [`keep_nothing`].
pub fn keeps_nothing() -> bool {
    KEEPS_NOTHING.get().is_some()
}

/// Returns a receiver that is notified if this process changes a file of networks.
pub fn changes() -> watch::Receiver<()> {
    CHANGES.subscribe()
}

/// Changes the file at `path`: reads it, calls `change`, and writes it if something has changed. Until then, no other thread and no
/// other program changes it.
///
/// # Errors
/// Returns an error if the folder or the file cannot be written.
fn update(path: &Path, change: impl FnOnce(&mut Networks)) -> io::Result<()> {
    let _lock = file::ChangeLock::take(path)?;
    let mut networks = Networks::load(path);
    let before = networks.clone();
    change(&mut networks);
    if networks != before {
        networks.save(path)?;
        CHANGES.send_replace(());
    }
    Ok(())
}

fn path() -> Option<PathBuf> {
    Some(recent::path()?.with_file_name("networks.json"))
}

/// Returns the rates that the network carried well at the end of a meeting. `None` for a direction that was not measured for
/// long. The lower quartile counts: a rate that was there for a moment only is no good start.
pub fn rates_of(seconds: &[Second]) -> LastRates {
    let last = &seconds[seconds.len().saturating_sub(MAX_SECONDS)..];
    // A limit that the user or the organisation has set says nothing about the network.
    let rate = |of: &dyn Fn(&Second) -> Option<u64>| {
        let mut rates: Vec<u64> = last.iter().filter(|second| second.at_ms > MIN_AGE_MS).filter_map(of).collect();
        rates.sort_unstable();
        let lower = rates.get(rates.len() / 4).filter(|_| rates.len() >= MIN_SECONDS)?;
        Some(Bitrate::kbps(*lower))
    };
    LastRates {
        send: rate(&|second| second.link.uplink_kbps.filter(|_| second.link.send_limit_kbps.is_none())),
        receive: rate(&|second| second.link.downlink_kbps.filter(|_| second.link.receive_limit_kbps.is_none())),
    }
}

fn key(salt: &str, gateway: &Gateway) -> String {
    hash(salt, &[gateway.kind.name(), gateway.address.as_str()])
}

const fn is_fresh(entry: &Entry, now: u64) -> bool {
    // A clock that was wrong must not keep an entry for years.
    entry.used <= now && now - entry.used <= MAX_AGE_SECONDS
}

/// Notifies of each change of a file of networks.
static CHANGES: LazyLock<watch::Sender<()>> = LazyLock::new(|| watch::Sender::new(()));

/// Set if this program remembers nothing.
static KEEPS_NOTHING: OnceLock<()> = OnceLock::new();

/// The maximum number of networks. If there are more, the one that was used longest ago is removed.
const MAX_NETWORKS: usize = 32;

/// A network that was not used for this time is forgotten: 30 days.
const MAX_AGE_SECONDS: u64 = 30 * 24 * 3_600;

/// The highest rate that is used, in kbit/s.
const MAX_KBPS: u64 = 100_000;

/// The maximum size of the file. This program does not write a larger one.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// The seconds of a meeting that count: its last ones, and none of its first, in which the rates are still sought.
const MAX_SECONDS: usize = 30;
const MIN_AGE_MS: u64 = 5_000;
/// The minimum number of seconds that must have been measured.
const MIN_SECONDS: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Interface;

    const DAY: u64 = 24 * 3_600;

    fn gateway(address: &str) -> Gateway {
        Gateway { address: address.to_owned(), kind: Interface::Wireless }
    }

    fn rates(send: u64, receive: u64) -> LastRates {
        LastRates { send: Some(Bitrate::kbps(send)), receive: Some(Bitrate::kbps(receive)) }
    }

    #[test]
    fn a_network_is_recognised_until_it_was_not_used_for_thirty_days() {
        let (mut networks, home) = (Networks::default(), gateway("aa:bb:cc:00:11:22"));
        networks.set_rates(&home, rates(800, 3_000), 100 * DAY);
        assert_eq!(networks.rates(&home, 130 * DAY), rates(800, 3_000));
        assert_eq!(networks.rates(&home, 131 * DAY), LastRates::default(), "too old");
        assert_eq!(networks.rates(&home, 99 * DAY), LastRates::default(), "the clock was wrong");
        let cable = Gateway { kind: Interface::Wired, ..home.clone() };
        assert_eq!(networks.rates(&cable, 101 * DAY), LastRates::default(), "another interface");
        networks.set_rates(&home, LastRates { send: None, ..rates(0, 2_000) }, 120 * DAY);
        assert_eq!(networks.rates(&home, 149 * DAY), rates(800, 2_000), "a direction that was not measured stays");
        networks.set_rates(&gateway("other"), rates(1, 1), 200 * DAY);
        assert_eq!(networks.networks.len(), 1, "the old one is removed");
    }

    #[test]
    fn a_choice_for_a_network_is_kept_beside_its_rates() {
        let (mut networks, phone) = (Networks::default(), gateway("phone"));
        networks.set_metered(&phone, true, DAY);
        networks.set_rates(&phone, rates(500, 900), 2 * DAY);
        assert_eq!((networks.metered(&phone, 3 * DAY), networks.rates(&phone, 3 * DAY)), (Some(true), rates(500, 900)));
        assert_eq!(networks.metered(&gateway("home"), 3 * DAY), None);
    }

    #[test]
    fn the_file_names_no_gateway_and_two_computers_have_other_keys() {
        let home = gateway("aa:bb:cc:00:11:22");
        let known = || {
            let mut networks = Networks::default();
            networks.set_rates(&home, rates(800, 3_000), DAY);
            networks
        };
        let (one, other) = (known(), known());
        let file = serde_json::to_string(&one).unwrap();
        assert!(!file.contains("aa:bb") && !file.contains("aabbcc") && file.contains("3000"), "{file}");
        assert_ne!(one.networks[0].key, other.networks[0].key);
    }

    #[test]
    fn at_most_32_networks_are_kept_the_last_ones() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/networks.json");
        for number in 0..40 {
            update(&path, |networks| networks.set_rates(&gateway(&number.to_string()), rates(number, 1), DAY + number))
                .unwrap();
        }
        let networks = Networks::load(&path);
        assert_eq!(networks.networks.len(), MAX_NETWORKS);
        assert_eq!(networks.rates(&gateway("39"), 2 * DAY), rates(39, 1));
        assert_eq!(networks.rates(&gateway("7"), 2 * DAY), LastRates::default());
        for damaged in [&b"[]"[..], b"{\"salt\": 7}", b"\xff"] {
            file::write_private(&path, damaged).unwrap();
            assert!(Networks::load(&path).is_empty());
        }
    }

    #[test]
    fn without_random_numbers_nothing_is_written() {
        let mut networks = Networks::default();
        assert!(networks.enter(&gateway("home"), DAY, || None).is_none());
        assert_eq!(networks, Networks::default());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("networks.json");
        update(&path, |networks| assert!(networks.enter(&gateway("home"), DAY, || None).is_none())).unwrap();
        assert!(!path.exists());
    }

    /// What `--no-recent` leads to: the program still reads what was remembered before, and can forget it.
    #[test]
    fn a_store_that_keeps_nothing_is_read_and_deleted_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("networks.json");
        let store = |keeps| NetworksFile { path: Some(path.clone()), keeps };
        store(false).change(|networks| networks.set_metered(&gateway("phone"), true, DAY));
        assert!(!path.exists());
        let mut changes = changes();
        store(true).change(|networks| networks.set_metered(&gateway("phone"), true, DAY));
        assert!(changes.has_changed().unwrap(), "the menu offers to forget networks at once");
        changes.mark_unchanged();
        assert_eq!(store(false).load().metered(&gateway("phone"), DAY), Some(true));
        store(false).forget();
        assert!(!path.exists() && changes.has_changed().unwrap());
    }

    #[test]
    fn a_file_is_not_deleted_while_it_is_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("networks.json");
        let store = NetworksFile { path: Some(path.clone()), keeps: true };
        store.change(|networks| networks.set_metered(&gateway("phone"), true, DAY));
        let (sender, receiver) = std::sync::mpsc::sync_channel(2);
        let deleted = update(&path, |networks| {
            networks.set_metered(&gateway("home"), true, DAY);
            let store = store.clone();
            let forget = move || {
                sender.send(()).unwrap();
                store.forget();
                sender.send(()).unwrap();
            };
            std::thread::Builder::new().name("forget".into()).spawn(forget).unwrap();
            receiver.recv().unwrap();
            // It waits for the lock, so a change that is written later does not bring the networks back.
            assert!(receiver.recv_timeout(std::time::Duration::from_millis(200)).is_err());
        });
        deleted.unwrap();
        receiver.recv().unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn no_other_program_changes_the_file_between_reading_and_writing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("networks.json");
        update(&path, |_| {
            let other = file::ChangeLock::take_within(std::time::Duration::ZERO, &path);
            assert_eq!(other.unwrap_err().kind(), io::ErrorKind::TimedOut);
        })
        .unwrap();
    }

    #[test]
    fn the_rate_of_a_meeting_is_one_that_held() {
        let second = |at: u64, uplink, downlink| {
            let mut second = Second { at_ms: at * 1_000, ..Second::default() };
            (second.link.uplink_kbps, second.link.downlink_kbps) = (Some(uplink), Some(downlink));
            second
        };
        let steady: Vec<_> = (1..=12).map(|at| second(at, if at % 4 == 0 { 9_000 } else { 700 }, 100 * at)).collect();
        let found = rates_of(&steady);
        assert_eq!(found.send, Some(Bitrate::kbps(700)), "not what it was for a moment");
        assert_eq!(found.receive, Some(Bitrate::kbps(700)), "of the seconds 6 to 12");
        assert_eq!(rates_of(&steady[..8]), LastRates::default(), "too short");
        let mut limited = steady;
        for second in &mut limited {
            second.link.send_limit_kbps = Some(300);
        }
        assert_eq!(
            (rates_of(&limited).send, rates_of(&limited).receive),
            (None, found.receive),
            "a limit is no measurement"
        );
    }
}
