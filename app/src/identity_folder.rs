//! A device key in a folder that only its owner can read, for rooms and other computers without a keychain.

use std::path::{Path, PathBuf};
use std::{fs, io};

use engine::{Identity, Secret, Store, identity, store};

use crate::{file, organisations};

/// A folder with a device key, and perhaps its certificate.
#[derive(Clone, Debug)]
pub struct IdentityFolder(PathBuf);

impl IdentityFolder {
    /// Names a folder. Does not access it yet.
    pub fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Loads the device key, or makes one, and adds its certificate if there is one. Blocks.
    ///
    /// # Errors
    /// Returns an error if the key cannot be read or written, is damaged, or if others than the owner can read it.
    pub fn load_or_create(&self) -> Result<Identity, identity::Error> {
        let identity = Identity::load_or_create(self)?;
        Ok(organisations::certified(identity, Some(&self.certificate())))
    }

    /// The file with the certificate of the key.
    pub fn certificate(&self) -> PathBuf {
        self.0.join("certificate.pem")
    }
}

impl Store for IdentityFolder {
    fn get(&self, name: &str) -> Result<Option<Secret>, store::Error> {
        match file::read_secret(&self.0.join(name), MAX_SECRET) {
            Ok(bytes) => Ok(Some(Secret::copy_of(&engine::Zeroizing::new(bytes)))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(store::Error::File(error)),
        }
    }

    fn put(&self, name: &str, secret: &Secret) -> Result<(), store::Error> {
        file::write_private(&self.0.join(name), secret.expose()).map_err(store::Error::File)
    }

    fn delete(&self, name: &str) -> Result<(), store::Error> {
        match fs::remove_file(self.0.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(store::Error::File(error)),
            _ => Ok(()),
        }
    }
}

/// The maximum size of a secret, in bytes.
const MAX_SECRET: u64 = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_key_persists_in_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let store = IdentityFolder::new(&folder.path().join("deep"));
        let key = store.load_or_create().unwrap().public();
        assert_eq!(store.load_or_create().unwrap().public(), key);
        store.delete("device-key").unwrap();
        store.delete("device-key").unwrap();
        assert_ne!(store.load_or_create().unwrap().public(), key);
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_can_read_is_refused_and_not_replaced() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let store = IdentityFolder::new(folder.path());
        store.load_or_create().unwrap();
        let path = folder.path().join("device-key");
        let before = fs::read(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let error = store.load_or_create().map(drop).unwrap_err();
        assert!(matches!(error, identity::Error::Store(store::Error::File(_))), "{error}");
        assert_eq!(fs::read(&path).unwrap(), before);
    }

    #[test]
    fn a_damaged_certificate_leaves_the_key_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let store = IdentityFolder::new(folder.path());
        let key = store.load_or_create().unwrap().public();
        for damaged in ["", "nothing", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            fs::write(store.certificate(), damaged).unwrap();
            assert_eq!(store.load_or_create().unwrap().public(), key);
        }
    }
}
