//! Requests to join a meeting: encrypted to the organiser's admission key and authenticated by the link's secret.
//!
//! ```text
//! request = version 1 B | key id 8 | length of enc 2 | enc | ciphertext | HMAC-SHA-384 (48 B) over all before it
//! key id  = the first 8 bytes of SHA-256(admission key)
//! HPKE(X-Wing, HKDF-SHA-384, AES-256-GCM), base mode, info = "Conclave 1.0 knock" | 0 | meeting, sealed = nonce 16 B | lobby secret 32 B |
//! MLS key package | nothing, or a complaint 40 B
//! ```
//! The lobby secret is the key of the chat with the managers while the joiner waits. The key package's leaf holds name, participant and device certificate.

use crate::authority_chain;
use crate::complaint::Complaint;
use crate::credential::LeafCredential;
use crate::knock_request::KnockRequest;
use crate::leaf_node;
use crate::lobby_key::{self, LobbyKey};
use crate::memory::Secret;
use crate::provider::{Crypto, NoRandomness, SEED, hpke_config, hpke_pair, is_tagged, sha256, tag};
use openmls::prelude::tls_codec::Deserialize as _;
use openmls::prelude::{KeyPackageIn, OpenMlsCrypto, ProtocolVersion};
use openmls_traits::types::HpkeCiphertext;
use proto::MeetingId;
use std::collections::VecDeque;
use std::time::SystemTime;
use zeroize::Zeroizing;

/// The organiser's key pairs for requests to join, and the links' secrets.
pub(crate) struct AdmissionKey {
    current: LinkKeys,
    /// Those of earlier links, newest first. A request that was made with one of them is opened, but the organiser
    /// decides.
    old: VecDeque<LinkKeys>,
    /// The nonces of the last opened requests.
    seen: VecDeque<[u8; NONCE]>,
}

/// What one link leads to: a key pair, and the link's secret.
pub(crate) struct LinkKeys {
    /// The seed of the key pair.
    seed: Secret,
    pub(crate) public: Vec<u8>,
    pub(crate) secret: Secret,
}

/// The reason why a request was not made or opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The admission key is not the current one of the chain: it may have been replaced on the way.
    #[error("the admission key is not the one in the link")]
    WrongAdmissionKey,
    /// The chain of authorities does not lead from the link to the admission key.
    #[error(transparent)]
    Chain(#[from] authority_chain::Error),
    /// The bytes are not a request, or were made without the link's secret.
    #[error("the request is invalid or was made without the link")]
    Malformed,
    /// The request was opened before.
    #[error("the request was opened before")]
    Replayed,
    /// The device did not sign the key package, or the key package is not valid: for example, nobody can encrypt to its keys.
    #[error("the key package is not valid")]
    KeyPackage,
    /// The clocks of the joiner and of this client differ too much.
    #[error("the joiner's clock is {ahead} s ahead of this one")]
    Clock {
        /// How many seconds the joiner's clock is ahead of this client's; negative if it is behind.
        ahead: i64,
    },
    /// The system returned no random bytes.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// A cryptographic operation failed unexpectedly.
    #[error("encryption failed")]
    Crypto,
}

impl LinkKeys {
    pub(crate) fn generate() -> Result<Self, Error> {
        let seed = Secret::random(SEED).ok_or(NoRandomness)?;
        Self::new(seed, Secret::random(SECRET).ok_or(NoRandomness)?)
    }

    /// Returns the keys of a seed and a link's secret.
    pub(crate) fn new(seed: Secret, secret: Secret) -> Result<Self, Error> {
        let (_, public) = hpke_pair(&seed).map_err(|_| Error::Crypto)?;
        Ok(Self { seed, public, secret })
    }

    /// Returns the seed of the key pair.
    pub(crate) fn seed(&self) -> &Secret {
        &self.seed
    }
}

impl AdmissionKey {
    pub(crate) fn new(current: LinkKeys) -> Self {
        Self { current, old: VecDeque::new(), seen: VecDeque::new() }
    }

    pub(crate) fn current(&self) -> &LinkKeys {
        &self.current
    }

    /// Returns all keys, the current ones first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &LinkKeys> {
        std::iter::once(&self.current).chain(&self.old)
    }

    /// Replaces all keys by those that another manager shared, the current ones first. Opened requests stay opened.
    pub(crate) fn replace(&mut self, current: LinkKeys, old: Vec<LinkKeys>) {
        self.current = current;
        self.old = old.into();
        self.old.truncate(MAX_OLD_LINKS);
    }

    /// Replaces the current keys. Requests that were made with the old ones can still be opened.
    pub(crate) fn rotate(&mut self, next: LinkKeys) {
        self.old.push_front(std::mem::replace(&mut self.current, next));
        self.old.truncate(MAX_OLD_LINKS);
    }

    /// Opens and verifies a request. The caller checks whether the device is barred.
    pub(crate) fn open(&mut self, request: &[u8], meeting: MeetingId, now: SystemTime) -> Result<KnockRequest, Error> {
        let (plain, via_old_link) = self.decrypt(request, meeting)?;
        let (nonce, rest) = plain.split_first_chunk::<NONCE>().ok_or(Error::Malformed)?;
        let (lobby, package) = rest.split_at_checked(lobby_key::SECRET).ok_or(Error::Malformed)?;
        if self.seen.contains(nonce) {
            return Err(Error::Replayed);
        }
        let mut rest = package;
        let package = KeyPackageIn::tls_deserialize(&mut rest).map_err(|_| Error::Malformed)?;
        let complaint = Complaint::decode(rest).ok_or(Error::Malformed)?;
        // Before the lifetimes of MLS: they are not valid either if a clock is wrong by months.
        let claimed = package.unverified_credential();
        LeafCredential::verified_with(&claimed.credential, claimed.signature_key.as_slice(), meeting)
            .map_err(|_| Error::KeyPackage)?
            .wrong_clock(now)
            .map_or(Ok(()), |ahead| Err(Error::Clock { ahead }))?;
        let package = package.validate(&Crypto, ProtocolVersion::Mls10).map_err(|_| Error::KeyPackage)?;
        let credential = LeafCredential::of_package(&package, meeting).map_err(|_| Error::KeyPackage)?;
        leaf_node::check_package(&package).map_err(|_| Error::KeyPackage)?;
        if self.seen.len() >= MAX_SEEN {
            self.seen.pop_front();
        }
        self.seen.push_back(*nonce);
        let lobby = LobbyKey::new(Secret::copy_of(lobby), meeting, credential.participant);
        Ok(KnockRequest::new(package, credential, via_old_link).with_lobby(lobby).with_complaint(complaint))
    }

    /// Returns the plaintext of a request, and whether it was made with an old link. The tag is checked before the
    /// expensive decryption.
    pub(crate) fn decrypt(&self, request: &[u8], meeting: MeetingId) -> Result<(Zeroizing<Vec<u8>>, bool), Error> {
        let request = Request::parse(request).ok_or(Error::Malformed)?;
        let via_old_link = if request.is_tagged(&self.current) {
            false
        } else if self.old.iter().any(|keys| request.is_tagged(keys)) {
            true
        } else {
            return Err(Error::Malformed);
        };
        let keys = self.all().find(|keys| key_id(&keys.public) == request.key_id).ok_or(Error::Malformed)?;
        let (private, _) = hpke_pair(&keys.seed).map_err(|_| Error::Crypto)?;
        let plain = Crypto.hpke_open(hpke_config(), &request.sealed, private.expose(), &info(meeting), &[]);
        Ok((Zeroizing::new(plain.map_err(|_| Error::Malformed)?), via_old_link))
    }
}

/// Encrypts a nonce, the secret of a lobby chat, a key package and a complaint to `admission_key`, authenticated with the link's `secret`.
pub(crate) fn seal(
    (nonce, lobby, package, complaint): ([u8; NONCE], &LobbyKey, &[u8], Option<Complaint>),
    meeting: MeetingId,
    admission_key: &[u8],
    secret: &[u8],
) -> Result<Vec<u8>, Error> {
    let complaint = complaint.map(Complaint::encode);
    let complaint = complaint.as_ref().map_or(&[][..], |complaint| complaint);
    let plain = Zeroizing::new([nonce.as_slice(), lobby.secret().expose(), package, complaint].concat());
    seal_plain(&plain, meeting, admission_key, secret)
}

/// Encrypts the plaintext of a request.
pub(crate) fn seal_plain(
    plain: &[u8],
    meeting: MeetingId,
    admission_key: &[u8],
    secret: &[u8],
) -> Result<Vec<u8>, Error> {
    let sealed = Crypto
        .hpke_seal(hpke_config(), admission_key, &info(meeting), &[], plain)
        .map_err(|_| Error::WrongAdmissionKey)?;
    let length = u16::try_from(sealed.kem_output.as_slice().len()).map_err(|_| Error::Crypto)?.to_be_bytes();
    let (enc, ciphertext) = (sealed.kem_output.as_slice(), sealed.ciphertext.as_slice());
    let mut request = [&[VERSION], key_id(admission_key).as_slice(), &length, enc, ciphertext].concat();
    let tag = tag(secret, PURPOSE, &request);
    request.extend_from_slice(tag.as_ref());
    Ok(request)
}

/// A request that was not decrypted yet.
struct Request<'a> {
    signed: &'a [u8],
    tag: &'a [u8],
    key_id: [u8; KEY_ID],
    sealed: HpkeCiphertext,
}

impl<'a> Request<'a> {
    fn parse(request: &'a [u8]) -> Option<Self> {
        let signed = request.len().checked_sub(TAG).filter(|_| request.len() <= MAX_REQUEST)?;
        let (signed, tag) = request.split_at(signed);
        let (&version, rest) = signed.split_first()?;
        let (key_id, rest) = rest.split_first_chunk::<KEY_ID>()?;
        let (length, rest) = rest.split_first_chunk::<2>()?;
        let (kem_output, ciphertext) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        let sealed = HpkeCiphertext { kem_output: kem_output.into(), ciphertext: ciphertext.into() };
        (version == VERSION).then_some(Self { signed, tag, key_id: *key_id, sealed })
    }

    fn is_tagged(&self, keys: &LinkKeys) -> bool {
        is_tagged(keys.secret.expose(), PURPOSE, self.signed, self.tag)
    }
}

fn key_id(public: &[u8]) -> [u8; KEY_ID] {
    let hash = sha256(public);
    std::array::from_fn(|at| hash[at])
}

fn info(meeting: MeetingId) -> Vec<u8> {
    [b"Conclave 1.0 knock\0".as_slice(), &meeting.0].concat()
}

const VERSION: u8 = 3;
const PURPOSE: &[u8] = b"Conclave 1.0 knock";
pub(crate) const NONCE: usize = 16;
/// Bytes of a link's secret: 128 bits.
pub(crate) const SECRET: usize = 16;
const TAG: usize = 48;
const KEY_ID: usize = 8;
/// Remembered nonces: far more than a meeting has waiting joiners.
const MAX_SEEN: usize = 4_096;
/// The longest accepted request in bytes. A valid one has about 4 kB.
const MAX_REQUEST: usize = 16 << 10;
/// Old links whose requests are opened: one for each rotation.
const MAX_OLD_LINKS: usize = proto::MAX_ROTATIONS;
