//! Commits that some members can merge and others cannot: the path secret for some is garbage, everything else is valid.

use super::super::error::mls_error;
use super::super::filling::{below, field};
use super::super::{Error, Group, ready};
use crate::Leaf;
use crate::provider::Crypto;
use openmls::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Stages an update of this member's keys that the owners of `victims` cannot read, nor those who get their secrets by the same keys of
/// the tree. Returns the commit, which is pending.
///
/// # Errors
/// Returns [`Error`] if the commit cannot be made.
pub fn half_valid(group: &mut Group, victims: &[Leaf]) -> Result<Vec<u8>, Error> {
    ready(&group.mls)?;
    let is_victim = |member: &openmls::prelude::Member| victims.contains(&Leaf(member.index.u32()));
    let leaves = group.mls.members().filter(is_victim).map(|member| member.encryption_key);
    let is_above = |node: usize| victims.iter().any(|leaf| below(node).contains(&(leaf.0 as usize)));
    let parents = group.mls.treesync().full_parents().filter(|(index, _)| is_above(index.u32() as usize));
    let keys = leaves.chain(parents.filter_map(|(_, node)| field(node, 0))).collect();
    let crypto = HalfValid { crypto: Crypto, keys, spoiled: AtomicUsize::new(0) };
    let Group { mls, provider, key: signer, .. } = group;
    let bundle = mls
        .commit_builder()
        .consume_proposal_store(false)
        .force_self_update(true)
        .load_psks(provider.storage())
        .map_err(mls_error)?
        .build(provider.rand(), &crypto, &**signer, |_| true)
        .map_err(mls_error)?
        .stage_commit(provider)
        .map_err(mls_error)?;
    if crypto.spoiled.into_inner() == 0 {
        group.clear_pending_commit();
        return Err(Error::Malformed);
    }
    bundle.into_commit().to_bytes().map_err(mls_error)
}

/// The suite's primitives, except that what is encrypted to some keys cannot be decrypted.
struct HalfValid {
    crypto: Crypto,
    /// The public keys of the victims.
    keys: Vec<Vec<u8>>,
    /// How many ciphertexts were spoiled.
    spoiled: AtomicUsize,
}

impl OpenMlsCrypto for HalfValid {
    fn supports(&self, suite: Ciphersuite) -> Result<(), CryptoError> {
        self.crypto.supports(suite)
    }

    fn supported_ciphersuites(&self) -> Vec<Ciphersuite> {
        self.crypto.supported_ciphersuites()
    }

    fn hkdf_extract(&self, hash: HashType, salt: &[u8], secret: &[u8]) -> Result<SecretVLBytes, CryptoError> {
        self.crypto.hkdf_extract(hash, salt, secret)
    }

    fn hmac(&self, hash: HashType, key: &[u8], message: &[u8]) -> Result<SecretVLBytes, CryptoError> {
        self.crypto.hmac(hash, key, message)
    }

    fn hkdf_expand(
        &self,
        hash: HashType,
        prk: &[u8],
        info: &[u8],
        length: usize,
    ) -> Result<SecretVLBytes, CryptoError> {
        self.crypto.hkdf_expand(hash, prk, info, length)
    }

    fn hash(&self, hash: HashType, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.crypto.hash(hash, data)
    }

    fn aead_encrypt(
        &self,
        cipher: AeadType,
        key: &[u8],
        data: &[u8],
        nonce: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        self.crypto.aead_encrypt(cipher, key, data, nonce, aad)
    }

    fn aead_decrypt(
        &self,
        cipher: AeadType,
        key: &[u8],
        sealed: &[u8],
        nonce: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        self.crypto.aead_decrypt(cipher, key, sealed, nonce, aad)
    }

    fn signature_key_gen(&self, scheme: SignatureScheme) -> Result<(Vec<u8>, Vec<u8>), CryptoError> {
        self.crypto.signature_key_gen(scheme)
    }

    fn verify_signature(
        &self,
        scheme: SignatureScheme,
        data: &[u8],
        public: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        self.crypto.verify_signature(scheme, data, public, signature)
    }

    fn sign(&self, scheme: SignatureScheme, data: &[u8], key: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.crypto.sign(scheme, data, key)
    }

    fn hpke_seal(
        &self,
        config: HpkeConfig,
        public: &[u8],
        info: &[u8],
        aad: &[u8],
        plain: &[u8],
    ) -> Result<HpkeCiphertext, CryptoError> {
        let mut sealed = self.crypto.hpke_seal(config, public, info, aad, plain)?;
        if self.keys.iter().any(|key| key == public) {
            let mut bytes = sealed.ciphertext.as_slice().to_vec();
            for byte in &mut bytes {
                *byte ^= 1;
            }
            sealed.ciphertext = bytes.into();
            self.spoiled.fetch_add(1, Ordering::Relaxed);
        }
        Ok(sealed)
    }

    fn hpke_open(
        &self,
        config: HpkeConfig,
        sealed: &HpkeCiphertext,
        private: &[u8],
        info: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        self.crypto.hpke_open(config, sealed, private, info, aad)
    }

    fn hpke_setup_sender_and_export(
        &self,
        config: HpkeConfig,
        public: &[u8],
        info: &[u8],
        context: &[u8],
        length: usize,
    ) -> Result<(KemOutput, ExporterSecret), CryptoError> {
        self.crypto.hpke_setup_sender_and_export(config, public, info, context, length)
    }

    fn hpke_setup_receiver_and_export(
        &self,
        config: HpkeConfig,
        enc: &[u8],
        private: &[u8],
        info: &[u8],
        context: &[u8],
        length: usize,
    ) -> Result<ExporterSecret, CryptoError> {
        self.crypto.hpke_setup_receiver_and_export(config, enc, private, info, context, length)
    }

    fn derive_hpke_keypair(&self, config: HpkeConfig, secret: &[u8]) -> Result<HpkeKeyPair, CryptoError> {
        self.crypto.derive_hpke_keypair(config, secret)
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "these tests are about it")]
mod tests {
    use super::super::super::Reject;
    use super::super::super::tests::with_three_members;
    use super::*;

    #[test]
    fn only_the_victim_of_a_half_valid_commit_rejects_it_and_knows_that_others_may_have_merged_it() {
        for (victim, other) in [(0, 2), (2, 0)] {
            let (_, mut groups) = with_three_members();
            let leaf = groups[victim].me();
            let commit = half_valid(&mut groups[1], &[leaf]).unwrap();
            let before = (groups[victim].epoch(), groups[victim].words());
            let error = groups[victim].process(&commit, &|_| None).unwrap_err();
            assert!(matches!(error, Error::Rejected(Reject::UnreadablePath)), "{error:?}");
            assert_eq!((groups[victim].epoch(), groups[victim].words()), before);
            groups[other].process(&commit, &|_| None).unwrap();
            groups[1].merge_pending_commit().unwrap();
            assert_eq!(groups[other].words(), groups[1].words());
        }
    }

    #[test]
    fn a_commit_that_nobody_can_read_is_told_from_one_that_is_only_unreadable_for_this_member() {
        let (_, mut groups) = with_three_members();
        let mut commit = groups[1].refresh().unwrap().commit;
        *commit.last_mut().unwrap() ^= 1;
        let error = groups[0].process(&commit, &|_| None).unwrap_err();
        assert!(matches!(error, Error::Malformed), "{error:?}");
    }
}
