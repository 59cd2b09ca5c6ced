//! Stores for secrets: the system's keychain, or memory.

use crate::memory::Secret;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use zeroize::Zeroize;

/// Stores named secrets. Calls may block on the system, so call them on a background thread.
pub trait Store: Send {
    /// Returns the secret `name`, or `None` if there is none.
    ///
    /// # Errors
    /// Returns [`Error`] if the store cannot be read.
    fn get(&self, name: &str) -> Result<Option<Secret>, Error>;

    /// Stores `secret` as `name`, replacing an existing one.
    ///
    /// # Errors
    /// Returns [`Error`] if the store cannot be written.
    fn put(&self, name: &str, secret: &Secret) -> Result<(), Error>;

    /// Deletes the secret `name`, if it exists.
    ///
    /// # Errors
    /// Returns [`Error`] if the store cannot be written.
    fn delete(&self, name: &str) -> Result<(), Error>;
}

/// The reason why a store failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no keychain on this system, or it is locked.
    #[error("the system's keychain cannot be used")]
    Unavailable(#[source] keyring::Error),
    /// The keychain failed.
    #[error("the system's keychain failed")]
    Failed(#[source] keyring::Error),
    /// A file cannot be read or written.
    #[error("the file of the secret cannot be used: {0}")]
    File(#[source] std::io::Error),
}

/// Keeps secrets in memory: for tests, guests, and systems without a keychain.
#[derive(Default)]
pub struct Memory {
    secrets: Mutex<HashMap<String, Secret>>,
}

impl Memory {
    /// Returns an empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Secret>> {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for Memory {
    fn get(&self, name: &str) -> Result<Option<Secret>, Error> {
        Ok(self.lock().get(name).cloned())
    }

    fn put(&self, name: &str, secret: &Secret) -> Result<(), Error> {
        self.lock().insert(name.to_owned(), secret.clone());
        Ok(())
    }

    fn delete(&self, name: &str) -> Result<(), Error> {
        self.lock().remove(name);
        Ok(())
    }
}

/// The system's keychain: Secret Service on Linux, Keychain on macOS, Credential Manager on Windows.
pub struct Keychain {
    service: String,
}

impl Keychain {
    /// Returns the keychain entries of `service`. Does not access the system yet.
    #[must_use]
    pub fn new(service: &str) -> Self {
        Self { service: service.to_owned() }
    }

    fn entry(&self, name: &str) -> Result<keyring::Entry, Error> {
        keyring::Entry::new(&self.service, name).map_err(classify)
    }
}

impl Store for Keychain {
    fn get(&self, name: &str) -> Result<Option<Secret>, Error> {
        match self.entry(name)?.get_secret() {
            Ok(mut bytes) => {
                let secret = Secret::copy_of(&bytes);
                bytes.zeroize();
                Ok(Some(secret))
            }
            Err(keyring::Error::NoEntry) => Ok(None),
            Err(error) => Err(classify(error)),
        }
    }

    fn put(&self, name: &str, secret: &Secret) -> Result<(), Error> {
        self.entry(name)?.set_secret(secret.expose()).map_err(classify)
    }

    fn delete(&self, name: &str) -> Result<(), Error> {
        match self.entry(name)?.delete_credential() {
            Ok(()) | Err(keyring::Error::NoEntry) => Ok(()),
            Err(error) => Err(classify(error)),
        }
    }
}

/// Distinguishes an unavailable keychain from a failing one.
fn classify(error: keyring::Error) -> Error {
    let absent = matches!(error, keyring::Error::NoStorageAccess(_) | keyring::Error::NoDefaultStore);
    if absent { Error::Unavailable(error) } else { Error::Failed(error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_stores_replaces_and_deletes() {
        let store = Memory::new();
        assert!(store.get("a").unwrap().is_none());
        store.put("a", &Secret::copy_of(b"1")).unwrap();
        store.put("a", &Secret::copy_of(b"2")).unwrap();
        assert_eq!(store.get("a").unwrap().unwrap().expose(), b"2");
        store.delete("a").unwrap();
        store.delete("a").unwrap();
        assert!(store.get("a").unwrap().is_none());
    }
}
