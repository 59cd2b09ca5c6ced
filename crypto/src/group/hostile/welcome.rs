//! Welcomes with any content, as a member with the right to admit can make them: everything that the key of its leaf and the key
//! package of the joiner allow is valid.

use super::super::tree::{self, TreeKey};
use super::super::{Error, Group};
use crate::knock_request::KnockRequest;
use crate::provider::{Crypto, SUITE, hpke_config};
use openmls::group::GroupContext;
use openmls::prelude::tls_codec::{Deserialize as _, Serialize as _, VLBytes};
use openmls::prelude::{KeyPackage, OpenMlsCrypto};
use openmls::treesync::RatchetTree;
use openmls_traits::types::{AeadType, HashType};
use zeroize::Zeroizing;

/// The parts of a Welcome that its sender chooses, serialised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WelcomeParts {
    /// The `GroupContext`, with the policy.
    pub context: Vec<u8>,
    /// The extensions of the `GroupInfo`, with the key of the tree.
    pub extensions: Vec<u8>,
    /// The `GroupSecrets` after the joiner secret: a path secret, and keys that were shared before.
    pub secrets: Vec<u8>,
    /// The ratchet tree.
    pub tree: Vec<u8>,
}

/// A joiner whom a group is about to admit.
pub struct ForgedAdmission {
    package: KeyPackage,
    key: TreeKey,
    /// The parts of the valid Welcome.
    pub parts: WelcomeParts,
}

impl ForgedAdmission {
    /// Prepares the admission of a joiner. The group does not change.
    ///
    /// # Errors
    /// Returns [`Error`] if the group does not admit it.
    pub fn new(group: &mut Group, request: &KnockRequest) -> Result<Self, Error> {
        group.add(vec![request.clone()])?;
        let key = Zeroizing::new([7; 32]);
        let parts = parts(group, &key);
        group.clear_pending_commit();
        Ok(Self { package: request.clone().into_key_package(), key, parts: parts? })
    }

    /// Returns a Welcome with these parts, and the sealed tree. The member has signed it, and its confirmation tag is valid if
    /// there can be one.
    #[must_use]
    pub fn seal(&self, group: &Group, parts: &WelcomeParts) -> Option<(Vec<u8>, Vec<u8>)> {
        let context = GroupContext::tls_deserialize_exact(&parts.context).ok();
        let transcript = context.as_ref().map_or(&[][..], |context| context.confirmed_transcript_hash());
        let serialised = context.as_ref().and_then(|context| context.tls_serialize_detached().ok());
        let secret = Crypto.hkdf_extract(HASH, &JOINER_SECRET, &[0; JOINER_SECRET.len()]).ok()?;
        let epoch =
            expand(secret.as_slice(), b"epoch", serialised.as_deref().unwrap_or_default(), JOINER_SECRET.len())?;
        let confirmation = expand(&epoch, b"confirm", b"", JOINER_SECRET.len())?;
        let tag = Crypto.hmac(HASH, &confirmation, transcript).ok()?;
        let signer = group.me().0.to_be_bytes();
        let info = [&parts.context[..], &vector(&parts.extensions)?, &vector(tag.as_slice())?, &signer].concat();
        let signature = group.key.signature(&[vector(b"MLS 1.0 GroupInfoTBS")?, vector(&info)?].concat());
        let info = [info, vector(&signature)?].concat();
        let welcome = expand(secret.as_slice(), b"welcome", b"", JOINER_SECRET.len())?;
        let (key, nonce) = (expand(&welcome, b"key", b"", 32)?, expand(&welcome, b"nonce", b"", 12)?);
        let info = Crypto.aead_encrypt(AeadType::Aes256Gcm, &key, &info, &nonce, b"").ok()?;
        let label = [vector(b"MLS 1.0 Welcome")?, vector(&info)?].concat();
        let secrets = [&vector(&JOINER_SECRET)?[..], &parts.secrets].concat();
        let init = self.package.hpke_init_key();
        let secrets = Crypto.hpke_seal(hpke_config(), init.as_slice(), &label, b"", &secrets).ok()?;
        let joiner = self.package.hash_ref(&Crypto).ok()?;
        let secrets = [secrets.kem_output.as_slice(), secrets.ciphertext.as_slice()].map(vector);
        let [enc, ciphertext] = secrets;
        let entry = [vector(joiner.as_slice())?, enc?, ciphertext?].concat();
        let head = [&MLS_10_WELCOME[..], &u16::from(SUITE).to_be_bytes()].concat();
        let sealed = tree::seal_bytes(&parts.tree, &self.key, group.meeting).ok()?;
        Some(([head, vector(&entry)?, vector(&info)?].concat(), sealed))
    }
}

/// Returns the parts of the Welcome that belongs to the pending commit.
fn parts(group: &Group, key: &TreeKey) -> Result<WelcomeParts, Error> {
    let staged = group.mls.pending_commit().ok_or(Error::NoPendingCommit)?;
    let tree = staged.export_ratchet_tree(&Crypto, group.mls.export_ratchet_tree()).map_err(|_| Error::Malformed)?;
    let tree: RatchetTree = tree.ok_or(Error::NoPendingCommit)?;
    Ok(WelcomeParts {
        context: staged.group_context().tls_serialize_detached().map_err(|_| Error::Malformed)?,
        extensions: tree::extension(key).tls_serialize_detached().map_err(|_| Error::Malformed)?,
        // No path secret, and an empty list of keys.
        secrets: vec![0, 0],
        tree: tree.tls_serialize_detached().map_err(|_| Error::Malformed)?,
    })
}

/// Returns a vector of RFC 9420, section 2.1.2.
fn vector(bytes: &[u8]) -> Option<Vec<u8>> {
    VLBytes::new(bytes.to_vec()).tls_serialize_detached().ok()
}

/// Returns `ExpandWithLabel` of RFC 9420, section 8.
fn expand(secret: &[u8], label: &[u8], context: &[u8], length: usize) -> Option<Vec<u8>> {
    let label = vector(&[b"MLS 1.0 ", label].concat())?;
    let info = [&u16::try_from(length).ok()?.to_be_bytes()[..], &label, &vector(context)?].concat();
    Some(Crypto.hkdf_expand(HASH, secret, &info, length).ok()?.as_slice().to_vec())
}

const HASH: HashType = HashType::Sha2_384;
/// Any secret will do: the joiner learns it from the Welcome.
const JOINER_SECRET: [u8; 48] = [9; 48];
/// The version of MLS, and the wire format of a Welcome.
const MLS_10_WELCOME: [u8; 4] = [0, 1, 0, 3];

#[cfg(test)]
mod tests {
    use super::super::super::tests::{request, with_three_members};
    use super::*;
    use crate::Joiner;

    /// Enters by a Welcome with changed parts.
    fn enter(change: impl FnOnce(&mut WelcomeParts)) -> Result<Group, Error> {
        let (mut keys, mut groups) = with_three_members();
        let (joiner, request): (Joiner, KnockRequest) = request(&mut keys, 7);
        let admission = ForgedAdmission::new(&mut groups[0], &request).unwrap();
        let mut parts = admission.parts.clone();
        change(&mut parts);
        let (welcome, tree) = admission.seal(&groups[0], &parts).unwrap();
        joiner.enter(&welcome, &tree)
    }

    #[test]
    fn everything_but_the_content_of_a_forged_welcome_is_valid() {
        assert_eq!(enter(|_| ()).unwrap().members().len(), 4);
        // The last byte of the context is one of the signature of the policy.
        let forged = enter(|parts| *parts.context.last_mut().unwrap() ^= 1);
        assert!(matches!(forged, Err(Error::Forged | Error::Malformed)), "{:?}", forged.err());
        assert!(enter(|parts| parts.context.truncate(40)).is_err());
        assert!(enter(|parts| parts.extensions.truncate(20)).is_err());
        assert!(enter(|parts| parts.secrets = vec![2, 0]).is_err());
        assert!(enter(|parts| parts.tree.truncate(900)).is_err());
    }
}
