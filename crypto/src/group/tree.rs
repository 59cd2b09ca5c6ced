//! The ratchet tree of a group outside its Welcomes: sealed once for all joiners of a commit.
//!
//! A Welcome with the tree has more than 1 MB in a group of a thousand members, for each joiner. So the committer sends the tree
//! once, and the delivery service passes it on. The leaves contain names, so the tree is encrypted: AES-256-GCM with a new key for
//! each commit, which only the joiners get, as extension 0xF5C2 of the encrypted `GroupInfo` in the Welcome. The nonce is zero, and
//! the associated data `"Conclave 1.0 tree\0" | meeting 16`. The plaintext is the `ratchet_tree` of RFC 9420, section 12.4.3.3. Its
//! tree hash is in the signed `GroupInfo`, so a wrong tree is rejected.

use super::error::{Error, mls_error};
use crate::provider::Crypto;
use openmls::prelude::group_info::VerifiableGroupInfo;
use openmls::prelude::tls_codec::{Deserialize as _, Serialize as _};
use openmls::prelude::*;
use openmls::treesync::{RatchetTree, RatchetTreeIn};
use openmls_traits::types::AeadType;
use proto::MeetingId;
use zeroize::Zeroizing;

/// The key of one tree. It is overwritten when it is dropped.
pub(crate) type TreeKey = Zeroizing<[u8; 32]>;

/// Returns the extension of the `GroupInfo` that tells the joiners the key.
pub(super) fn extension(key: &TreeKey) -> Extension {
    Extension::Unknown(TREE_KEY, UnknownExtension(key.to_vec()))
}

/// Returns the key of the tree that belongs to a Welcome, or `None` if the Welcome contains the tree.
pub(super) fn key(info: &VerifiableGroupInfo) -> Result<Option<TreeKey>, Error> {
    let key =
        info.extensions().unknown(TREE_KEY).map(|extension| extension.0.as_slice().try_into().map(Zeroizing::new));
    key.transpose().map_err(|_| Error::Malformed)
}

/// Returns the tree after the pending commit, sealed.
pub(super) fn seal(mls: &MlsGroup, key: &TreeKey, meeting: MeetingId) -> Result<Vec<u8>, Error> {
    let staged = mls.pending_commit().ok_or(Error::NoPendingCommit)?;
    let tree = staged.export_ratchet_tree(&Crypto, mls.export_ratchet_tree()).map_err(mls_error)?;
    let tree: RatchetTree = tree.ok_or(Error::NoPendingCommit)?;
    seal_bytes(&tree.tls_serialize_detached().map_err(mls_error)?, key, meeting)
}

/// Seals the bytes of a tree.
pub(super) fn seal_bytes(plain: &[u8], key: &TreeKey, meeting: MeetingId) -> Result<Vec<u8>, Error> {
    Crypto.aead_encrypt(AeadType::Aes256Gcm, &**key, plain, &NONCE, &associated(meeting)).map_err(mls_error)
}

/// Opens a sealed tree. Its hash is not verified here.
pub(super) fn open(sealed: &[u8], key: &TreeKey, meeting: MeetingId) -> Result<RatchetTreeIn, Error> {
    let opened = Crypto.aead_decrypt(AeadType::Aes256Gcm, &**key, sealed, &NONCE, &associated(meeting));
    // The key authenticates the committer, who may still have sealed anything.
    RatchetTreeIn::tls_deserialize_exact(opened.map_err(|_| Error::Tree)?).map_err(|_| Error::Malformed)
}

fn associated(meeting: MeetingId) -> Vec<u8> {
    [b"Conclave 1.0 tree\0".as_slice(), &meeting.0].concat()
}

/// The extension type of the key, from the range that RFC 9420, section 17.3 leaves to private use.
const TREE_KEY: u16 = 0xf5c2;

/// Each key seals one tree.
const NONCE: [u8; 12] = [0; 12];

#[cfg(test)]
mod tests;
