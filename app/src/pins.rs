//! Which devices this computer has met, and under which names: a small file on this computer only. A device that comes under a known
//! name, and is not one of its known devices, is somebody else, or a person with a new device.
//!
//! The file has keys of devices and hashes of names with a random number of this computer, no names. Nothing of it is sent. The times
//! are days.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use engine::name;
use serde::{Deserialize, Serialize};

use crate::salted_hash::{HASH_BYTES, SALT_BYTES, hash, random_salt};
use crate::{file, networks, recent};

/// The devices that are known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pins {
    /// The random number of this computer, in hexadecimal digits. Empty before the first device.
    salt: String,
    /// The devices. One that was met under two names is listed twice.
    devices: Vec<Pin>,
}

/// A device under one name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pin {
    /// The device's public key, in hexadecimal digits.
    device: String,
    /// The hash of the salt and the name, in hexadecimal digits.
    name: String,
    /// The day on which it was met first, since 1970.
    first: u64,
    /// The day on which it was met last.
    last: u64,
    /// The number of meetings in which it was met.
    meetings: u32,
}

/// How a device and a name are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acquaintance {
    /// Neither the device nor the name is known.
    New,
    /// The device is known under this name.
    Known {
        /// The day on which it was met first, since 1970.
        since: u64,
    },
    /// The device is known, but not under this name. The name is not known.
    OtherName {
        /// The day on which it was met first, since 1970.
        since: u64,
    },
    /// The name is known, with other devices only.
    OtherDevice,
}

/// A device that was met under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// The device's public key, in hexadecimal digits.
    pub device: String,
    /// The name, as the person chose it.
    pub name: String,
    /// The day, since 1970.
    pub day: u64,
}

impl Pins {
    /// Returns how a device and a name are known.
    pub fn lookup(&self, device: &str, name: &str) -> Acquaintance {
        let name = hash(&self.salt, &[shape(name).as_str()]);
        let of_device = || self.devices.iter().filter(|pin| pin.device == device);
        let first = |pins: &mut dyn Iterator<Item = &Pin>| pins.map(|pin| pin.first).min();
        if let Some(since) = first(&mut of_device().filter(|pin| pin.name == name)) {
            Acquaintance::Known { since }
        } else if self.devices.iter().any(|pin| pin.name == name) {
            Acquaintance::OtherDevice
        } else {
            first(&mut of_device()).map_or(Acquaintance::New, |since| Acquaintance::OtherName { since })
        }
    }

    /// Remembers that a device was met. Call it once for each meeting. Forgets devices that were met long ago, or that are too many.
    /// Does nothing if the system has no random numbers.
    pub fn add(&mut self, met: &Sighting) {
        if self.salt.is_empty() {
            let Some(salt) = random_salt() else { return };
            self.salt = salt;
        }
        let name = hash(&self.salt, &[shape(&met.name).as_str()]);
        self.devices.retain(|pin| met.day.saturating_sub(pin.last) <= MAX_AGE_DAYS);
        if let Some(pin) = self.devices.iter_mut().find(|pin| pin.device == met.device && pin.name == name) {
            pin.last = pin.last.max(met.day);
            pin.meetings = pin.meetings.saturating_add(1);
            return;
        }
        // Many strangers in one meeting do not take the place of people who were met often.
        if self.devices.len() >= MAX_DEVICES
            && let Some(oldest) = (0..self.devices.len()).min_by_key(|at| {
                let pin = &self.devices[*at];
                (pin.meetings > 1, pin.last)
            })
        {
            self.devices.swap_remove(oldest);
        }
        self.devices.push(Pin { device: met.device.clone(), name, first: met.day, last: met.day, meetings: 1 });
    }

    /// Returns the number of devices, counting one under two names twice.
    pub fn len(&self) -> usize {
        self.devices.len()
    }

    /// Returns true if no device is known.
    pub fn is_empty(&self) -> bool {
        self.devices.is_empty()
    }

    /// Returns the content of a file.
    ///
    /// # Errors
    /// Returns an error if this program did not write it.
    fn parse(bytes: &[u8]) -> io::Result<Self> {
        let pins: Self = serde_json::from_slice(bytes)?;
        let is_hex =
            |text: &str, length| text.len() == 2 * length && text.bytes().all(|digit| digit.is_ascii_hexdigit());
        let is_valid = |pin: &Pin| is_hex(&pin.device, 32) && is_hex(&pin.name, HASH_BYTES) && pin.first <= pin.last;
        let has_salt = is_hex(&pins.salt, SALT_BYTES) || pins.salt.is_empty() && pins.devices.is_empty();
        if has_salt && pins.devices.len() <= MAX_DEVICES && pins.devices.iter().all(is_valid) {
            Ok(pins)
        } else {
            Err(io::Error::other("an entry is not valid"))
        }
    }
}

/// What was read of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// The devices that are known.
    pub pins: Pins,
    /// The file was damaged, or others could have written it. It has another name now, and no device is known.
    pub damaged: bool,
}

/// The user's file of known devices.
#[derive(Clone, Debug)]
pub struct PinsFile {
    /// Its path. `None` if the environment names no folder.
    path: Option<PathBuf>,
    /// True if it may be written.
    keeps: bool,
}

impl PinsFile {
    /// Returns the user's file.
    pub fn of_user() -> Self {
        let path = recent::path().map(|path| path.with_file_name("devices.json"));
        Self { path, keeps: !networks::keeps_nothing() }
    }

    /// Returns the file at a path.
    pub const fn at(path: PathBuf) -> Self {
        Self { path: Some(path), keeps: true }
    }

    /// Reads the file. If it is damaged, renames it to `devices.damaged` and logs a warning. May block for seconds.
    pub fn load(&self) -> Loaded {
        self.path.as_deref().map(|path| locked(path, || read(path)).unwrap_or_else(|_| read(path))).unwrap_or_default()
    }

    /// Remembers devices. A failure is logged. May block for seconds.
    pub fn add(&self, met: &[Sighting]) {
        let Some(path) = self.path.as_deref().filter(|_| self.keeps && !met.is_empty()) else { return };
        let change = || {
            let mut pins = read(path).pins;
            for sighting in met {
                pins.add(sighting);
            }
            file::write_private(path, &serde_json::to_vec(&pins)?)
        };
        if let Err(error) = locked(path, change).and_then(|written| written) {
            tracing::warn!(%error, "cannot write the file of known devices");
        }
    }
}

/// Calls `work` while no other program changes the file.
fn locked<T>(path: &Path, work: impl FnOnce() -> T) -> io::Result<T> {
    let _lock = file::ChangeLock::take(path)?;
    Ok(work())
}

fn read(path: &Path) -> Loaded {
    let parsed = file::read_bounded(path, MAX_FILE_BYTES).and_then(|bytes| Pins::parse(&bytes));
    match parsed {
        Ok(pins) => Loaded { pins, damaged: false },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Loaded::default(),
        Err(error) => {
            tracing::warn!(%error, "the file of known devices is damaged; it is renamed, and no device is known");
            if let Err(error) = std::fs::rename(path, path.with_extension("damaged")) {
                tracing::warn!(%error, "cannot rename the file of known devices");
            }
            Loaded { pins: Pins::default(), damaged: true }
        }
    }
}

/// Returns this day, since 1970, in UTC.
pub fn today() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() / 86_400)
}

/// Returns what two names have in common that look alike.
pub fn shape(name: &str) -> String {
    name::skeleton(name).to_lowercase()
}

/// The maximum number of devices that are remembered.
const MAX_DEVICES: usize = 4_096;

/// A device that was not met for this time is forgotten: two years.
const MAX_AGE_DAYS: u64 = 730;

/// The maximum size of the file. This program does not write a larger one: a device takes at most 220 bytes.
const MAX_FILE_BYTES: u64 = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u64) -> String {
        format!("{number:064x}")
    }

    fn met(device: u64, name: &str, day: u64) -> Sighting {
        Sighting { device: key(device), name: name.to_owned(), day }
    }

    #[test]
    fn another_device_under_a_name_that_looks_the_same_is_noticed() {
        let mut pins = Pins::default();
        assert_eq!(pins.lookup(&key(1), "Anna"), Acquaintance::New);
        pins.add(&met(1, "Anna", 100));
        pins.add(&met(1, "Anna", 107));
        assert_eq!(pins.lookup(&key(1), "Anna"), Acquaintance::Known { since: 100 });
        for alike in ["Anna", "anna", "\u{410}nna"] {
            assert_eq!(pins.lookup(&key(2), alike), Acquaintance::OtherDevice, "{alike}");
        }
        assert_eq!(pins.lookup(&key(2), "Anne"), Acquaintance::New);
        assert_eq!(pins.lookup(&key(1), "Anna Martin"), Acquaintance::OtherName { since: 100 });
        pins.add(&met(2, "Anna", 108));
        assert_eq!(pins.lookup(&key(2), "Anna"), Acquaintance::Known { since: 108 });
        assert_eq!(pins.lookup(&key(1), "Anna"), Acquaintance::Known { since: 100 }, "the old one is still known");
    }

    #[test]
    fn the_file_has_no_names_and_two_computers_have_other_hashes() {
        let of = || {
            let mut pins = Pins::default();
            pins.add(&met(1, "Anna Martin", 5));
            pins
        };
        let (one, other) = (of(), of());
        let text = serde_json::to_string(&one).unwrap();
        assert!(!text.to_lowercase().contains("anna") && text.contains(&key(1)), "{text}");
        assert_ne!(one.devices[0].name, other.devices[0].name);
    }

    #[test]
    fn strangers_of_one_meeting_do_not_displace_people_who_were_met_often_and_old_ones_are_forgotten() {
        let mut pins = Pins::default();
        pins.add(&met(1, "Anna", 100));
        pins.add(&met(1, "Anna", 101));
        pins.add(&met(2, "Bob", 102));
        let most = MAX_DEVICES as u64;
        for number in 0..most {
            pins.add(&met(10 + number, &format!("Guest {number}"), 103));
        }
        assert_eq!(pins.len(), MAX_DEVICES);
        assert_eq!(pins.lookup(&key(1), "Anna"), Acquaintance::Known { since: 100 });
        assert_eq!(pins.lookup(&key(2), "Bob"), Acquaintance::New, "met once, and longest ago");
        let file = serde_json::to_vec(&pins).unwrap();
        assert!(file.len() as u64 <= MAX_FILE_BYTES && Pins::parse(&file).unwrap() == pins, "{} bytes", file.len());
        pins.add(&met(3, "Carol", 104 + MAX_AGE_DAYS));
        assert_eq!(pins.len(), 1);
    }

    #[test]
    fn what_two_programs_have_met_is_kept_and_only_the_user_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/devices.json");
        let file = PinsFile::at(path.clone());
        assert_eq!(file.load(), Loaded::default());
        file.add(&[met(1, "Anna", 3), met(2, "Bob", 3)]);
        PinsFile::at(path.clone()).add(&[met(3, "Carol", 4)]);
        let Loaded { pins, damaged } = file.load();
        assert_eq!((pins.len(), damaged), (3, false));
        assert_eq!(pins.lookup(&key(3), "Carol"), Acquaintance::Known { since: 4 });
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        PinsFile { keeps: false, ..file.clone() }.add(&[met(4, "Dave", 4)]);
        assert_eq!(file.load().pins.len(), 3);
    }

    #[test]
    fn a_damaged_file_is_set_aside_and_said() {
        let entry = |device: &str, name: &str, first: u64| {
            let salt = "00".repeat(SALT_BYTES);
            format!(
                r#"{{"salt":"{salt}","devices":[{{"device":"{device}","name":"{name}","first":{first},"last":9,"meetings":1}}]}}"#
            )
        };
        let name = "ab".repeat(HASH_BYTES);
        assert!(Pins::parse(entry(&key(1), &name, 9).as_bytes()).is_ok());
        for wrong in [
            "",
            "{",
            "[]",
            r#"{"salt":"","devices":[],"more":1}"#,
            &entry(&key(1), &name, 10),
            &entry("12", &name, 9),
            &entry(&key(1), "zz", 9),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("devices.json");
            file::write_private(&path, wrong.as_bytes()).unwrap();
            let file = PinsFile::at(path.clone());
            assert_eq!(file.load(), Loaded { pins: Pins::default(), damaged: true }, "{wrong}");
            assert_eq!(std::fs::read(path.with_extension("damaged")).unwrap(), wrong.as_bytes());
            assert_eq!(file.load(), Loaded::default(), "it is said once");
            file.add(&[met(1, "Anna", 3)]);
            assert_eq!(file.load().pins.len(), 1);
        }
    }
}
