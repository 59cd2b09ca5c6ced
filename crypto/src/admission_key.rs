//! Requests to join a meeting: encrypted to the organiser's admission key and authenticated by the link's secret.
//!
//! ```text
//! request = version 1 B | length of enc 2 B | enc | ciphertext | HMAC-SHA-384 (48 B) over all before it
//! HPKE(X-Wing, HKDF-SHA-384, AES-256-GCM), base mode, info = "Conclave 1.0 knock" | 0 | meeting, sealed = nonce 16 B | MLS key package
//! ```
//! The key package's leaf holds name, participant and device certificate.

use crate::group::credential::LeafCredential;
use crate::group::{self, Group, LEAF_LIFETIME, capabilities, verified_package};
use crate::identity::{Identity, Profile};
use crate::knock_request::KnockRequest;
use crate::link::Invitation;
use crate::memory::Secret;
use crate::provider::{
    Crypto, NoRandomness, Provider, SUITE, SigningKey, hpke_config, hpke_pair, is_tagged, sha256, tag,
};
use openmls::prelude::tls_codec::{Deserialize as _, Serialize as _};
use openmls::prelude::{
    KeyPackage, KeyPackageIn, Lifetime, OpenMlsCrypto, OpenMlsProvider, OpenMlsRand, ProtocolVersion,
};
use openmls_traits::types::HpkeCiphertext;
use proto::{MeetingId, ParticipantId};
use std::collections::VecDeque;

/// The organiser's key pair for requests to join, and the link's secret.
pub struct AdmissionKey {
    meeting: MeetingId,
    private: Secret,
    public: Vec<u8>,
    secret: Secret,
    /// The nonces of the last opened requests.
    seen: VecDeque<[u8; NONCE]>,
}

/// The reason why a request was not created or opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The admission key does not match the hash in the link. Somebody may have replaced it.
    #[error("the admission key is not the one in the link")]
    WrongAdmissionKey,
    /// The bytes are not a request, or were created without the link's secret.
    #[error("the request is invalid or was created without the link")]
    Malformed,
    /// The request was opened before.
    #[error("the request was opened before")]
    Replayed,
    /// The device did not sign the key package, or the key package is not valid now.
    #[error("the key package is not valid")]
    KeyPackage,
    /// The system returned no random bytes.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// A cryptographic operation failed unexpectedly.
    #[error("encryption failed")]
    Crypto,
}

impl AdmissionKey {
    /// Returns a new admission key and link secret for `meeting`.
    ///
    /// # Errors
    /// Returns [`Error::NoRandomness`] if the system returns no random bytes, and [`Error::Crypto`] if key generation
    /// fails.
    pub fn new(meeting: MeetingId) -> Result<Self, Error> {
        let (private, public) = hpke_pair().map_err(|_| Error::Crypto)?;
        let secret = Secret::random(SECRET).ok_or(NoRandomness)?;
        Ok(Self { meeting, private, public, secret, seen: VecDeque::new() })
    }

    /// Returns the public key, which the delivery service gives to joiners.
    pub fn public_key(&self) -> &[u8] {
        &self.public
    }

    /// Returns the SHA-256 of the admission key, for the link.
    pub fn hash(&self) -> [u8; 32] {
        sha256(&self.public)
    }

    /// Returns the invitation for this key on a server.
    pub fn invitation(&self, host: &str, port: u16, fingerprint: Option<[u8; 32]>) -> Invitation {
        let (meeting, admission_hash, secret) = (self.meeting, self.hash(), self.secret.clone());
        Invitation { host: host.to_owned(), port, meeting, admission_hash, secret, fingerprint }
    }

    /// Opens and verifies a request.
    ///
    /// # Errors
    /// Returns [`Error`] if the caller must drop the request.
    pub fn open(&mut self, request: &[u8]) -> Result<KnockRequest, Error> {
        let sealed = parse(request, self.secret.expose()).ok_or(Error::Malformed)?;
        let plain = Crypto
            .hpke_open(hpke_config(), &sealed, self.private.expose(), &info(self.meeting), &[])
            .map_err(|_| Error::Malformed)?;
        let (nonce, package) = plain.split_first_chunk::<NONCE>().ok_or(Error::Malformed)?;
        if self.seen.contains(nonce) {
            return Err(Error::Replayed);
        }
        let package = KeyPackageIn::tls_deserialize_exact(package)
            .map_err(|_| Error::Malformed)?
            .validate(&Crypto, ProtocolVersion::Mls10)
            .map_err(|_| Error::KeyPackage)?;
        let credential = verified_package(&package, self.meeting).map_err(|_| Error::KeyPackage)?;
        if self.seen.len() >= MAX_SEEN {
            self.seen.pop_front();
        }
        self.seen.push_back(*nonce);
        Ok(KnockRequest::new(package, credential))
    }
}

/// Returns a request to join, and the [`Joiner`] that turns the Welcome into a [`Group`].
///
/// # Errors
/// Returns [`Error::WrongAdmissionKey`] if `admission_key` does not match the invitation.
pub fn knock(
    invitation: &Invitation,
    admission_key: &[u8],
    identity: &Identity,
    profile: Profile,
    participant: ParticipantId,
) -> Result<(Joiner, Vec<u8>), Error> {
    if sha256(admission_key) != invitation.admission_hash {
        return Err(Error::WrongAdmissionKey);
    }
    let meeting = invitation.meeting;
    let (provider, key) = (Provider::default(), SigningKey::generate()?);
    let lifetime = Lifetime::new(LEAF_LIFETIME);
    let me = LeafCredential::issue(identity, profile, participant, meeting, &key.public(), lifetime);
    let bundle = KeyPackage::builder()
        .leaf_node_capabilities(capabilities())
        .key_package_lifetime(lifetime)
        .build(SUITE, &provider, &key, me.credential(&key.public()))
        .map_err(|_| Error::Crypto)?;
    let nonce: [u8; NONCE] = provider.rand().random_array()?;
    let package = bundle.key_package().tls_serialize_detached().map_err(|_| Error::Crypto)?;
    let plain = [nonce.as_slice(), &package].concat();
    let sealed = Crypto
        .hpke_seal(hpke_config(), admission_key, &info(meeting), &[], &plain)
        .map_err(|_| Error::WrongAdmissionKey)?;
    let request = write(&sealed, invitation.secret.expose()).ok_or(Error::Crypto)?;
    Ok((Joiner { provider, key, meeting, me }, request))
}

/// The state of a joiner until the Welcome arrives.
pub struct Joiner {
    provider: Provider,
    key: SigningKey,
    meeting: MeetingId,
    me: LeafCredential,
}

impl Joiner {
    /// Joins the group of the Welcome.
    ///
    /// # Errors
    /// Returns [`group::Error`] if the Welcome is for another meeting or was not made by its organiser.
    pub fn enter(self, welcome: &[u8]) -> Result<Group, group::Error> {
        Group::enter(welcome, self.provider, self.key, self.meeting, &self.me)
    }
}

fn write(sealed: &HpkeCiphertext, secret: &[u8]) -> Option<Vec<u8>> {
    let length = u16::try_from(sealed.kem_output.as_slice().len()).ok()?.to_be_bytes();
    let parts = [&[VERSION], length.as_slice(), sealed.kem_output.as_slice(), sealed.ciphertext.as_slice()];
    let mut request = parts.concat();
    let tag = tag(secret, PURPOSE, &request);
    request.extend_from_slice(tag.as_ref());
    Some(request)
}

/// Returns the encrypted part if the tag matches `secret`. Checked before the expensive decryption.
fn parse(request: &[u8], secret: &[u8]) -> Option<HpkeCiphertext> {
    let signed = request.len().checked_sub(TAG).filter(|_| request.len() <= MAX_REQUEST)?;
    let (signed, tag) = request.split_at(signed);
    if !is_tagged(secret, PURPOSE, signed, tag) {
        return None;
    }
    let (&[version, high, low], rest) = signed.split_first_chunk::<3>()?;
    let (kem_output, ciphertext) = rest.split_at_checked(usize::from(u16::from_be_bytes([high, low])))?;
    (version == VERSION).then(|| HpkeCiphertext { kem_output: kem_output.into(), ciphertext: ciphertext.into() })
}

fn info(meeting: MeetingId) -> Vec<u8> {
    [b"Conclave 1.0 knock\0".as_slice(), &meeting.0].concat()
}

const VERSION: u8 = 1;
const PURPOSE: &[u8] = b"Conclave 1.0 knock";
const NONCE: usize = 16;
const SECRET: usize = 32;
const TAG: usize = 48;
/// The maximum number of stored nonces: far more than joiners wait in a meeting.
const MAX_SEEN: usize = 4_096;
/// The longest accepted request in bytes. A valid one has about 4 kB.
const MAX_REQUEST: usize = 16 << 10;
