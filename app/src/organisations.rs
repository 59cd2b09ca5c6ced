//! The organisations whose certificates this computer trusts, and the certificate of its own device key.

use std::io;
use std::path::{Path, PathBuf};

use engine::Identity;
use engine::certificate::{CertificateChain, MAX_CHAIN, Refusal, Roots};

use crate::policy::{OrganisationFiles, Policy};
use crate::{file, recent};

/// Why a file of certificates is not used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read or written.
    #[error("the file {} cannot be read or written: {error}", path.display())]
    File {
        /// Its path.
        path: PathBuf,
        /// The cause.
        error: io::Error,
    },
    /// Its content does not count.
    #[error("the certificate does not count: {0}")]
    Certificate(Refusal),
    /// The environment names no folder for the state of programs.
    #[error("the environment names no folder for the state of this program")]
    NoFolder,
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Certificate(refusal)
    }
}

/// Returns the organisations that this computer trusts: those of the administrator's mandatory policy, else those that the user has
/// chosen, else those of the recommended policy. What cannot be read is reported in the log, and nobody is trusted. Blocks.
pub fn trusted() -> Roots {
    choose(&Policy::organisations(), own_file())
}

fn choose(policy: &OrganisationFiles, own: Option<PathBuf>) -> Roots {
    let own = own.filter(|path| path.exists());
    let chosen = policy.mandatory.clone().or(own).or_else(|| policy.recommended.clone());
    chosen.map_or_else(Roots::default, |path| {
        read_roots(&path).unwrap_or_else(|error| {
            tracing::warn!(%error, "no organisation is trusted");
            Roots::default()
        })
    })
}

/// Trusts the organisations whose certificates are in a PEM file, instead of those that the user has chosen before. Returns their
/// names.
///
/// # Errors
/// Returns an error if the file cannot be read, or is no list of certificates. Nothing is changed then.
pub fn trust(path: &Path) -> Result<Vec<String>, Error> {
    let (bytes, target) = (read(path, MAX_ROOTS_FILE)?, own_file().ok_or(Error::NoFolder)?);
    let mut roots = Roots::default();
    roots.add_pem(&bytes)?;
    file::write_private(&target, &bytes).map_err(|error| Error::File { path: target, error })?;
    Ok(roots.organisations().map(str::to_owned).collect())
}

/// Installs the certificate of a device key, with those of the authorities between it and the root, in the file at `target`.
///
/// # Errors
/// Returns an error if the file cannot be read, is no certificate, or is for another key. Nothing is changed then.
pub fn install(path: &Path, mut identity: Identity, target: &Path) -> Result<(), Error> {
    let bytes = read(path, MAX_CERTIFICATE_FILE)?;
    identity.set_certificate(CertificateChain::from_pem(&bytes)?)?;
    file::write_private(target, &bytes).map_err(|error| Error::File { path: target.to_owned(), error })
}

/// Adds the certificate in a file to a device key. Returns the key alone if there is no file, and also if the certificate does not
/// count: then the log says why.
pub fn certified(mut identity: Identity, path: Option<&Path>) -> Identity {
    let Some(path) = path.filter(|path| path.exists()) else { return identity };
    let chain = read(path, MAX_CERTIFICATE_FILE).and_then(|bytes| Ok(CertificateChain::from_pem(&bytes)?));
    if let Err(error) = chain.and_then(|chain| identity.set_certificate(chain).map_err(Error::from)) {
        tracing::warn!(%error, "the certificate of this device is not used");
    }
    identity
}

/// The file with the certificate of the key in the system's keychain.
pub fn own_certificate() -> Option<PathBuf> {
    Some(recent::path()?.with_file_name("certificate.pem"))
}

fn own_file() -> Option<PathBuf> {
    Some(recent::path()?.with_file_name("organisations.pem"))
}

fn read_roots(path: &Path) -> Result<Roots, Error> {
    let mut roots = Roots::default();
    roots.add_pem(&read(path, MAX_ROOTS_FILE)?)?;
    Ok(roots)
}

fn read(path: &Path, max: u64) -> Result<Vec<u8>, Error> {
    file::read_bounded(path, max).map_err(|error| Error::File { path: path.to_owned(), error })
}

/// The maximum sizes of the files, with comments.
const MAX_ROOTS_FILE: u64 = 256 * 1024;
const MAX_CERTIFICATE_FILE: u64 = 8 * MAX_CHAIN as u64;

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, KeyPair};
    use std::fs;

    fn root(organisation: &str) -> String {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, organisation);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem()
    }

    #[test]
    fn the_administrators_choice_of_organisations_comes_first() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| {
            let path = folder.path().join(name);
            fs::write(&path, root(name)).unwrap();
            path
        };
        let (fixed, own, offered) = (file("fixed"), file("own"), file("offered"));
        let chosen = |mandatory: Option<&PathBuf>, own: Option<&PathBuf>, recommended: Option<&PathBuf>| {
            let (mandatory, recommended) = (mandatory.cloned(), recommended.cloned());
            let roots = choose(&OrganisationFiles { mandatory, recommended }, own.cloned());
            roots.organisations().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(chosen(Some(&fixed), Some(&own), Some(&offered)), ["fixed"]);
        assert_eq!(chosen(None, Some(&own), Some(&offered)), ["own"]);
        assert_eq!(chosen(None, None, Some(&offered)), ["offered"]);
        assert!(chosen(None, None, None).is_empty());
        let missing = folder.path().join("missing");
        assert!(chosen(Some(&missing), Some(&own), None).is_empty(), "nobody, although the user trusts somebody");
        assert_eq!(chosen(None, Some(&missing), Some(&offered)), ["offered"], "the user has chosen nobody");
        fs::write(&fixed, "damaged").unwrap();
        assert!(chosen(Some(&fixed), Some(&own), None).is_empty());
    }
}
