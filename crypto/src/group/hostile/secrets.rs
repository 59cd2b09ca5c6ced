//! The secrets of an epoch that all its members share: for a search for them in the memory of another process.

use super::super::error::mls_error;
use super::super::{Error, staged_welcome};
use crate::joiner::Joiner;
use crate::provider::{Crypto, Random, Storage, StorageError, Unread};
use openmls::prelude::*;
use serde::Serialize;
use serde_json::Value;
use std::sync::{Mutex, PoisonError};

/// A secret and its name.
#[derive(Clone, PartialEq, Eq)]
pub struct Named {
    /// Its name in RFC 9420 or in docs/protocol.md.
    pub name: String,
    /// A copy, which nothing overwrites.
    pub bytes: Vec<u8>,
}

/// Returns the secrets of the key schedule (RFC 9420, section 8), of the secret tree, and what this program exports, in the epoch that
/// a Welcome begins. The joiner enters as before.
///
/// # Errors
/// Returns [`Error`] if the Welcome is not for this joiner.
pub fn epoch_secrets(joiner: &Joiner, welcome: &[u8], sealed_tree: &[u8]) -> Result<Vec<Named>, Error> {
    let newcomer = joiner.newcomer();
    let (crypto, random, seen) = (Crypto, Random, newcomer.provider.storage().copied(Seen::default()));
    let spy = Spy { crypto, random, storage: seen };
    let (staged, _) = staged_welcome(welcome, sealed_tree, newcomer.meeting, &spy)?;
    let group = staged.into_group(&spy).map_err(mls_error)?;
    let mut secrets = Vec::new();
    for value in spy.storage.unread().0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        collect("", value, &mut secrets);
    }
    for (name, label) in EXPORTED {
        let bytes = group.export_secret(&spy.crypto, label, b"", 32).map_err(mls_error)?;
        secrets.push(Named { name: name.into(), bytes });
    }
    secrets.sort_by(|one, other| one.name.cmp(&other.name));
    secrets.dedup();
    Ok(secrets)
}

/// Adds the byte strings in a serialised value, with the names of the fields around them.
fn collect(name: &str, value: &Value, secrets: &mut Vec<Named>) {
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                // Public, and known to the server or to each member by name.
                if PUBLIC.contains(&field.as_str()) {
                    continue;
                }
                // The fields around the bytes themselves.
                let is_wrapper = ["secret", "value", "vec"].contains(&field.as_str());
                collect(if is_wrapper { name } else { field }, value, secrets);
            }
        }
        Value::Array(items) => {
            let bytes: Option<Vec<u8>> = items.iter().map(|item| u8::try_from(item.as_u64()?).ok()).collect();
            match bytes.filter(|bytes| bytes.len() >= MIN_SECRET) {
                Some(bytes) => secrets.push(Named { name: name.into(), bytes }),
                None => items.iter().for_each(|item| collect(name, item, secrets)),
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The secrets that openmls has written.
#[derive(Default)]
struct Seen(Mutex<Vec<Value>>);

impl Unread for Seen {
    fn write(&self, value: &impl Serialize) -> Result<(), StorageError> {
        let value = serde_json::to_value(value)?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(value);
        Ok(())
    }
}

struct Spy {
    crypto: Crypto,
    random: Random,
    storage: Storage<Seen>,
}

impl OpenMlsProvider for Spy {
    type CryptoProvider = Crypto;
    type RandProvider = Random;
    type StorageProvider = Storage<Seen>;

    fn storage(&self) -> &Storage<Seen> {
        &self.storage
    }

    fn crypto(&self) -> &Crypto {
        &self.crypto
    }

    fn rand(&self) -> &Random {
        &self.random
    }
}

/// What this program exports: the names, and the labels.
const EXPORTED: [(&str, &str); 2] = [("base_key", "SFrame 1.0 Base Key"), ("typing_secret", "Conclave 1.0 typing")];

/// Fields of the stored values that are no secrets.
const PUBLIC: [&str; 3] = ["serialized_context", "past_epoch_trees", "leaves"];

/// Every secret of the suite has at least 32 bytes.
const MIN_SECRET: usize = 32;

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "these tests are about it")]
mod tests {
    use super::super::super::tests::{request, with_three_members};
    use super::*;

    #[test]
    fn the_secrets_of_an_epoch_have_names_and_are_those_of_its_members() {
        let (mut keys, mut groups) = with_three_members();
        let (joiner, request) = request(&mut keys, 9);
        let pending = groups[0].add(vec![request]).unwrap();
        groups[0].merge_pending_commit().unwrap();
        let (welcome, tree) = (pending.welcome.unwrap(), pending.tree.unwrap());
        let secrets = epoch_secrets(&joiner, &welcome, &tree).unwrap();
        let names: Vec<&str> = secrets.iter().map(|secret| secret.name.as_str()).collect();
        for name in [
            "base_key",
            "confirmation_key",
            "epoch_authenticator",
            "exporter_secret",
            "external_secret",
            "init_secret",
            "membership_key",
            "resumption_psk",
            "sender_data_secret",
            "typing_secret",
        ] {
            assert!(names.contains(&name), "{name}: {names:?}");
        }
        let of = |name: &str| &secrets.iter().find(|secret| secret.name == name).unwrap().bytes;
        assert_eq!(of("epoch_authenticator"), groups[0].authenticator());
        assert_eq!(of("resumption_psk"), groups[0].mls.resumption_psk_secret().as_slice());
        assert_eq!(of("base_key"), &crate::vectors::base_key(&groups[0].media_keys().unwrap()));
        // The joiner enters nevertheless.
        assert_eq!(joiner.enter(&welcome, &tree).unwrap().words(), groups[0].words());
    }
}
