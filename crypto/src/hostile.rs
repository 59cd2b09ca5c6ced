//! What a member, or a stranger with the link, can put behind the encryption with a changed program: valid keys around any content.
//! Fuzz targets use it; no program does.

mod flaws;
mod frames;
mod requests;

pub use flaws::Flaw;
pub(crate) use flaws::{FlawedCrypto, FlawedProvider};
pub use frames::{PlainFrame, recoded_digests, seal_frame};
pub(crate) use requests::key_package;
pub use requests::{flawed_request, package, request_plaintext, seal_request};

use crate::credential::LeafCredential;
use crate::lobby_key::LobbyKey;
use crate::sealed_keys::{Envelope, SharedKeys, seal_plain};
use proto::ParticipantId;

/// Decodes the credential of a leaf, and encodes it again. `None` if it is not one.
#[must_use]
pub fn recoded_credential(bytes: &[u8]) -> Option<Vec<u8>> {
    LeafCredential::decode(bytes).map(|credential| credential.encode())
}

/// Returns the plaintext of keys that a manager shares.
#[must_use]
pub fn shared_plaintext(keys: &SharedKeys) -> Vec<u8> {
    keys.expose().to_vec()
}

/// Seals any plaintext as keys of a manager for the owner of the public key `to`. `None` if it is no key.
#[must_use]
pub fn seal_shared(plaintext: &[u8], to: &[u8], envelope: Envelope) -> Option<Vec<u8>> {
    seal_plain(plaintext, to, envelope).ok()
}

/// Seals any plaintext as a message of a lobby chat.
#[must_use]
pub fn seal_lobby(key: &LobbyKey, from: ParticipantId, plaintext: &[u8]) -> Option<Vec<u8>> {
    key.seal_plain(from, plaintext).ok()
}
