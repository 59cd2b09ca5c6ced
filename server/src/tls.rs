//! The server's certificate: from PEM files, or self-signed and stored in the data folder.

use crate::Error;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

/// The server's TLS identity.
pub struct Identity {
    /// The configuration for the acceptor.
    pub config: Arc<ServerConfig>,
    /// SHA-256 of the DER encoding of the leaf certificate. A link carries it if the certificate is self-signed.
    pub fingerprint: [u8; 32],
}

/// Returns the certificate in `files`, else the one in the folder `data` (created if it does not exist), else a new
/// one.
///
/// # Errors
/// Returns [`Error::Certificate`] if a file cannot be read or written, or is not a certificate or key.
pub fn identity(files: Option<(&Path, &Path)>, data: Option<&Path>) -> Result<Identity, Error> {
    match (files, data) {
        (Some((chain, key)), _) => read(chain, key),
        (None, Some(folder)) => {
            let (chain, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
            if !chain.exists() || !key.exists() {
                create_files(folder, &chain, &key)?;
            }
            read(&chain, &key)
        }
        (None, None) => {
            let (chain, key) = create()?;
            let chain = CertificateDer::from_pem_slice(chain.as_bytes()).map_err(unreadable)?;
            build(vec![chain], PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(unreadable)?)
        }
    }
}

fn read(chain: &Path, key: &Path) -> Result<Identity, Error> {
    let with_path =
        |path: &Path, error: rustls::pki_types::pem::Error| Error::Certificate(format!("{}: {error}", path.display()));
    let certificates = CertificateDer::pem_file_iter(chain)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| with_path(chain, error))?;
    if certificates.is_empty() {
        return Err(Error::Certificate(format!("{}: no certificate found", chain.display())));
    }
    let key = PrivateKeyDer::from_pem_file(key).map_err(|error| with_path(key, error))?;
    build(certificates, key)
}

fn build(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Identity, Error> {
    let leaf = chain.first().ok_or_else(|| Error::Certificate("no certificate found".into()))?;
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

/// Returns a new self-signed certificate and its key as PEM. Clients check its fingerprint, not its names.
fn create() -> Result<(String, String), Error> {
    let failed = |error: rcgen::Error| Error::Certificate(error.to_string());
    let key = KeyPair::generate().map_err(failed)?;
    let mut params = CertificateParams::new(vec!["conclave".to_owned(), "localhost".to_owned()]).map_err(failed)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "conclave");
    let certificate = params.self_signed(&key).map_err(failed)?;
    Ok((certificate.pem(), key.serialize_pem()))
}

fn create_files(folder: &Path, chain: &Path, key: &Path) -> Result<(), Error> {
    let (certificate, private) = create()?;
    let written = fs::create_dir_all(folder)
        .and_then(|()| write_private(key, private.as_bytes()))
        .and_then(|()| fs::write(chain, certificate));
    written.map_err(|error| Error::Certificate(format!("{}: {error}", folder.display())))?;
    tracing::info!("self-signed certificate created");
    Ok(())
}

/// Writes a file that only its owner may read. Sets the mode before the first byte is written.
#[cfg(unix)]
fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    // `mode` has no effect on a file that existed before.
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    file.write_all(bytes)
}

/// Writes a file. The access control list of the user's folder protects it.
#[cfg(not(unix))]
fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    fs::File::create(path)?.write_all(bytes)
}

#[expect(clippy::needless_pass_by_value, reason = "map_err takes this signature")]
fn unreadable(error: rustls::pki_types::pem::Error) -> Error {
    Error::Certificate(error.to_string())
}

#[expect(clippy::needless_pass_by_value, reason = "map_err takes this signature")]
fn unusable(error: rustls::Error) -> Error {
    Error::Certificate(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_created_certificate_is_stored_and_its_key_is_private() {
        let temporary = tempfile::tempdir().expect("a folder");
        let folder = temporary.path().join("data");
        let first = identity(None, Some(&folder)).expect("created").fingerprint;
        let second = identity(None, Some(&folder)).expect("read").fingerprint;
        assert_eq!(first, second);
        assert_ne!(identity(None, None).expect("created").fingerprint, first);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(folder.join("key.pem")).expect("written").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_file_that_is_not_a_certificate_is_named_in_the_error() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("wrong.pem");
        fs::write(&path, b"not PEM").expect("written");
        let error = identity(Some((&path, &path)), None).err().expect("refused").to_string();
        assert!(error.contains("no certificate"), "{error}");
        let missing = folder.path().join("missing.pem");
        let error = identity(Some((&missing, &missing)), None).err().expect("refused").to_string();
        assert!(error.contains("missing.pem"), "{error}");
    }
}
