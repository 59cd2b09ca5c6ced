//! The server's certificate: given as PEM files, or its own, self-signed, kept in the data folder.

use crate::Error;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

/// What TLS needs of a server, and how clients know it again.
pub struct Identity {
    /// For the acceptor.
    pub config: Arc<ServerConfig>,
    /// SHA-256 of the leaf certificate's DER: what a link carries when nobody else vouches for the server.
    pub fingerprint: [u8; 32],
}

/// The certificate of `files`, else the one in `data` (made if there is none), else a new one.
///
/// # Errors
/// [`Error::Certificate`] for files that cannot be read or written or that are no certificate and key.
pub fn identity(files: Option<(&Path, &Path)>, data: Option<&Path>) -> Result<Identity, Error> {
    match (files, data) {
        (Some((chain, key)), _) => read(chain, key),
        (None, Some(folder)) => {
            let (chain, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
            if !chain.exists() || !key.exists() {
                make_files(folder, &chain, &key)?;
            }
            read(&chain, &key)
        }
        (None, None) => {
            let (chain, key) = make()?;
            let chain = CertificateDer::from_pem_slice(chain.as_bytes()).map_err(unreadable)?;
            build(vec![chain], PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(unreadable)?)
        }
    }
}

fn read(chain: &Path, key: &Path) -> Result<Identity, Error> {
    let named =
        |path: &Path, error: rustls::pki_types::pem::Error| Error::Certificate(format!("{}: {error}", path.display()));
    let certificates = CertificateDer::pem_file_iter(chain)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| named(chain, error))?;
    if certificates.is_empty() {
        return Err(Error::Certificate(format!("{}: there is no certificate in it", chain.display())));
    }
    let key = PrivateKeyDer::from_pem_file(key).map_err(|error| named(key, error))?;
    build(certificates, key)
}

fn build(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Identity, Error> {
    let leaf = chain.first().ok_or_else(|| Error::Certificate("there is none".into()))?;
    let mut fingerprint = [0; 32];
    fingerprint.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, leaf).as_ref());
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(unusable)?;
    Ok(Identity { config: Arc::new(config), fingerprint })
}

/// A new self-signed certificate and its key, as PEM. It names no machine: clients know it by its fingerprint.
fn make() -> Result<(String, String), Error> {
    let refused = |error: rcgen::Error| Error::Certificate(error.to_string());
    let key = KeyPair::generate().map_err(refused)?;
    let mut params = CertificateParams::new(vec!["conclave".to_owned(), "localhost".to_owned()]).map_err(refused)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "conclave");
    let certificate = params.self_signed(&key).map_err(refused)?;
    Ok((certificate.pem(), key.serialize_pem()))
}

fn make_files(folder: &Path, chain: &Path, key: &Path) -> Result<(), Error> {
    let (certificate, private) = make()?;
    let written = fs::create_dir_all(folder)
        .and_then(|()| write_private(key, private.as_bytes()))
        .and_then(|()| fs::write(chain, certificate));
    written.map_err(|error| Error::Certificate(format!("{}: {error}", folder.display())))?;
    tracing::info!("made a certificate of its own");
    Ok(())
}

/// Writes a file that only its owner may read, from its first byte on.
#[cfg(unix)]
fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    // A file that was there before keeps its mode: set it too.
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    file.write_all(bytes)
}

/// Writes a file in a folder whose access list the system's user profile gives.
#[cfg(not(unix))]
fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    fs::File::create(path)?.write_all(bytes)
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err takes")]
fn unreadable(error: rustls::pki_types::pem::Error) -> Error {
    Error::Certificate(error.to_string())
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err takes")]
fn unusable(error: rustls::Error) -> Error {
    Error::Certificate(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> std::path::PathBuf {
        let folder = std::env::temp_dir().join(format!("conclave-tls-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        folder
    }

    #[test]
    fn a_certificate_of_its_own_is_kept_and_its_key_is_private() {
        let folder = folder("kept");
        let first = identity(None, Some(&folder)).expect("made").fingerprint;
        let second = identity(None, Some(&folder)).expect("read").fingerprint;
        assert_eq!(first, second);
        assert_ne!(identity(None, None).expect("made").fingerprint, first);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(folder.join("key.pem")).expect("written").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        fs::remove_dir_all(&folder).expect("removed");
    }

    #[test]
    fn a_file_that_is_no_certificate_is_named() {
        let folder = folder("wrong");
        fs::create_dir_all(&folder).expect("made");
        let path = folder.join("wrong.pem");
        fs::write(&path, b"not PEM").expect("written");
        let error = identity(Some((&path, &path)), None).err().expect("refused").to_string();
        assert!(error.contains("no certificate"), "{error}");
        let missing = folder.join("missing.pem");
        let error = identity(Some((&missing, &missing)), None).err().expect("refused").to_string();
        assert!(error.contains("missing.pem"), "{error}");
        fs::remove_dir_all(&folder).expect("removed");
    }
}
