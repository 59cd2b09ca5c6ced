//! Test vectors of our formats, for implementations in other languages: bytes beside what they say, and the keys that open and
//! verify them. `cargo xtask vectors --out DIR` writes them; `tests/vectors/reader` reads them with nothing but docs/protocol.md
//! and docs/frames.md.
//!
//! What they say is written here by hand, not taken from the decoders. All keys follow from the seeds below, so most bytes are
//! the same each time. What an encryption needs to be random differs: HPKE, nonces of lobby chats, key packages. So do the authorities
//! of an organisation.

mod formats;
mod frames;
mod members;
mod messages;
mod rounds;
mod sealed;
mod signals;

use anyhow::{Context, Result};
use crypto::store::{Error as StoreError, Store};
use crypto::vectors::ManagerSeeds;
use crypto::{Identity, ManagerKeys, Secret};
use proto::{MeetingId, ParticipantId};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A file of vectors: its name without `.json`, and its list.
pub type Vectors = (&'static str, Vec<Value>);

/// Makes all vectors.
///
/// # Errors
/// Returns an error if the system returns no random bytes.
pub fn all() -> Result<Vec<Vectors>> {
    let common = Common::new()?;
    let messages = [messages::of_clients(), messages::of_servers(), messages::commands(), signals::all()].concat();
    Ok(vec![
        ("messages", messages),
        ("members", members::all(&common)?),
        ("datagrams", signals::datagrams()),
        ("links", formats::links(&common)?),
        ("authority", formats::authority(&common)?),
        ("policies", formats::policies(&common)?),
        ("credentials", formats::credentials(&common)?),
        ("beacons", rounds::beacons(&common)?),
        ("rounds", rounds::all(&common)),
        ("typing", rounds::typing(&common)?),
        ("words", formats::words()?),
        ("requests", sealed::requests(&common)?),
        ("sealed", sealed::for_one_member(&common)?),
        ("trees", sealed::trees(&common)?),
        ("welcomes", sealed::welcomes(&common)?),
        ("lobby", sealed::lobby(&common)?),
        ("frames", frames::all()?),
    ])
}

/// Writes all vectors as JSON files into `folder`, which it makes.
///
/// # Errors
/// As [`all`], or if the files cannot be written.
pub fn write(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for (name, vectors) in all()? {
        let path = folder.join(format!("{name}.json"));
        let text = serde_json::to_string_pretty(&json!({ "vectors": vectors }))?;
        fs::write(&path, text + "\n").with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// What several files share.
struct Common {
    keys: ManagerKeys,
    ada: Identity,
}

impl Common {
    fn new() -> Result<Self> {
        Ok(Self { keys: SEEDS.keys().context("the seeds are keys")?, ada: identity(ADA)? })
    }

    fn meeting(&self) -> MeetingId {
        self.keys.meeting()
    }
}

/// A store whose only secret is the seed of a device's key.
struct OneSeed([u8; 32]);

impl Store for OneSeed {
    fn get(&self, _: &str) -> Result<Option<Secret>, StoreError> {
        Ok(Some(Secret::copy_of(&self.0)))
    }

    fn put(&self, _: &str, _: &Secret) -> Result<(), StoreError> {
        Ok(())
    }

    fn delete(&self, _: &str) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Returns the device whose key has this seed.
fn identity(seed: [u8; 32]) -> Result<Identity> {
    Ok(Identity::load_or_create(&OneSeed(seed))?)
}

/// Returns the public Ed25519 key of a seed.
fn public(seed: [u8; 32]) -> Result<[u8; 32]> {
    crypto::vectors::public_key(&seed).context("32 bytes are a seed")
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for byte in bytes.as_ref() {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

/// A vector of one message: its type in docs/protocol.md, its bytes, and what it says.
fn message(kind: &str, bytes: impl AsRef<[u8]>, says: &Value) -> Value {
    json!({ "type": kind, "bytes": hex(bytes), "says": says })
}

/// The first keys of the meeting.
const SEEDS: ManagerSeeds = ManagerSeeds { authority: [0xa1; 32], admission: [0xa2; 32], link: [0xa3; 16] };
/// Those after a rotation.
const NEXT_SEEDS: ManagerSeeds = ManagerSeeds { authority: [0xb1; 32], admission: [0xb2; 32], link: [0xb3; 16] };
/// The devices of three people.
const ADA: [u8; 32] = [0xc1; 32];
const BOB: [u8; 32] = [0xc2; 32];
const EVE: [u8; 32] = [0xc3; 32];
/// Their participants.
const ADA_ID: ParticipantId = ParticipantId(0x0102_0304_0506_0708);
const BOB_ID: ParticipantId = ParticipantId(u64::MAX);
/// When everything happens: 2027-01-15.
const NOW: u64 = 1_800_000_000;
