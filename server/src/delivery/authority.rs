//! The authority of a meeting: verifies the commands of its managers. Pure: the server holds only public keys.

use proto::{
    Blob, MAX_ROTATIONS, MeetingId, ParticipantId, PublicKey, ROTATION_BYTES, SIGNATURE_BYTES, Signature, signed,
};
use ring::digest::{SHA256, digest};
use ring::signature::{ED25519, UnparsedPublicKey};

/// The current authority of a meeting, with the rotations that led to it.
#[derive(Debug)]
pub struct Authority {
    meeting: MeetingId,
    key: PublicKey,
    /// The key before the last rotation.
    previous: Option<PublicKey>,
    admission_key: Blob,
    /// The first authority 32 | SHA-256 of the first admission key 32 | 128 bytes for each rotation.
    chain: Vec<u8>,
}

impl Authority {
    /// Returns the first authority of a meeting.
    pub fn new(meeting: MeetingId, key: PublicKey, admission_key: Blob) -> Self {
        let chain = [key.as_slice(), digest(&SHA256, &admission_key.0).as_ref()].concat();
        Self { meeting, key, previous: None, admission_key, chain }
    }

    /// Returns the authority at the end of `chain`, which [`Self::chain`] returned. Returns `None` if the bytes are damaged, or
    /// do not name `admission_key`. The signatures in the chain were verified when it was made.
    pub fn restore(meeting: MeetingId, chain: Vec<u8>, admission_key: Blob) -> Option<Self> {
        let (first, rotations) = chain.split_at_checked(PAIR)?;
        let (rotations, rest) = rotations.as_chunks::<ROTATION_BYTES>();
        if !rest.is_empty() || rotations.len() > MAX_ROTATIONS {
            return None;
        }
        let mut pairs = rotations.iter().rev().map(|rotation| &rotation[..PAIR]).chain([first]);
        let (key, hash) = pairs.next()?.split_at(32);
        if digest(&SHA256, &admission_key.0).as_ref() != hash {
            return None;
        }
        let key = key.try_into().ok()?;
        let previous = pairs.next().and_then(|pair| pair[..32].try_into().ok());
        drop(pairs);
        Some(Self { meeting, key, previous, admission_key, chain })
    }

    /// Returns the public key that requests to be admitted are encrypted to.
    pub fn admission_key(&self) -> &Blob {
        &self.admission_key
    }

    /// Returns the chain as clients verify it.
    pub fn chain(&self) -> Blob {
        Blob(self.chain.clone())
    }

    /// Returns how often the keys have changed.
    pub fn rotations(&self) -> usize {
        (self.chain.len() - PAIR) / ROTATION_BYTES
    }

    /// Returns whether the authority signed a command of `sender`.
    pub fn has_signed(&self, sender: ParticipantId, counter: u64, command: &[u8], signature: &Signature) -> bool {
        verify(&self.key, &signed::command(self.meeting, sender, counter, command), signature)
    }

    /// Returns whether the authority before the last rotation signed a command of `sender`. Another manager may have sent
    /// it before it learned of the rotation.
    pub fn had_signed(&self, sender: ParticipantId, counter: u64, command: &[u8], signature: &Signature) -> bool {
        let message = signed::command(self.meeting, sender, counter, command);
        self.previous.is_some_and(|key| verify(&key, &message, signature))
    }

    /// Returns whether the authority signed a request to come back.
    pub fn has_signed_return(&self, participant: ParticipantId, request: &[u8], signature: &Signature) -> bool {
        verify(&self.key, &signed::return_request(self.meeting, participant, request), signature)
    }

    /// Replaces the authority and the admission key. Returns false and changes nothing if the current authority did not
    /// sign the rotation, if it names another admission key, or if there were [`MAX_ROTATIONS`] already.
    pub fn rotate(&mut self, rotation: &[u8; ROTATION_BYTES], admission_key: Blob) -> bool {
        let (pair, signature) = rotation.split_at(ROTATION_BYTES - SIGNATURE_BYTES);
        let (key, hash) = pair.split_at(32);
        let (Ok(key), Ok(hash)) = (PublicKey::try_from(key), <[u8; 32]>::try_from(hash)) else { return false };
        let Ok(index) = u32::try_from((self.chain.len() - PAIR) / ROTATION_BYTES + 1) else { return false };
        let is_signed = verify(&self.key, &signed::rotation(self.meeting, index, &key, &hash), signature);
        if !is_signed || digest(&SHA256, &admission_key.0).as_ref() != hash || index as usize > MAX_ROTATIONS {
            return false;
        }
        self.previous = Some(std::mem::replace(&mut self.key, key));
        self.admission_key = admission_key;
        self.chain.extend_from_slice(rotation);
        true
    }
}

fn verify(key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ED25519, key).verify(message, signature).is_ok()
}

/// Bytes of the first pair in a chain.
const PAIR: usize = 64;

#[cfg(test)]
mod tests {
    use super::super::tests::service::{ANNA, MEETING, public, rotation, sign};
    use super::*;

    #[test]
    fn a_signature_is_valid_for_one_sender_counter_and_command() {
        let authority = Authority::new(MEETING, public(1), Blob(vec![9]));
        let signature = sign(1, &signed::command(MEETING, ANNA, 5, b"end"));
        assert!(authority.has_signed(ANNA, 5, b"end", &signature));
        assert!(!authority.has_signed(ParticipantId(2), 5, b"end", &signature));
        assert!(!authority.has_signed(ANNA, 6, b"end", &signature));
        assert!(!authority.has_signed(ANNA, 5, b"End", &signature));
        assert!(!authority.has_signed_return(ANNA, b"end", &signature));
        let other = sign(2, &signed::command(MEETING, ANNA, 5, b"end"));
        assert!(!authority.has_signed(ANNA, 5, b"end", &other));
        let elsewhere = sign(1, &signed::command(MeetingId([2; 16]), ANNA, 5, b"end"));
        assert!(!authority.has_signed(ANNA, 5, b"end", &elsewhere));
    }

    #[test]
    fn a_restored_authority_is_the_same_and_damaged_bytes_are_none() {
        let mut authority = Authority::new(MEETING, public(1), Blob(vec![9]));
        for rotations in 0..3_u8 {
            if rotations > 0 {
                let next = rotation(rotations, rotations.into(), rotations + 1, &[rotations]);
                assert!(authority.rotate(&next, Blob(vec![rotations])));
            }
            let (chain, key) = (authority.chain().0, authority.admission_key().clone());
            let restored = Authority::restore(MEETING, chain.clone(), key.clone()).expect("the same");
            assert_eq!(format!("{restored:?}"), format!("{authority:?}"));
            assert!(Authority::restore(MEETING, chain[1..].to_vec(), key).is_none());
            assert!(Authority::restore(MEETING, chain, Blob(vec![77])).is_none());
        }
        assert!(Authority::restore(MEETING, Vec::new(), Blob(vec![9])).is_none());
    }

    #[test]
    fn rotations_are_bounded() {
        let mut authority = Authority::new(MEETING, public(1), Blob(vec![9]));
        for index in 1..=MAX_ROTATIONS {
            let next = rotation(1, u32::try_from(index).expect("few"), 1, b"new");
            assert!(authority.rotate(&next, Blob(b"new".to_vec())), "rotation {index}");
        }
        let last = rotation(1, u32::try_from(MAX_ROTATIONS + 1).expect("few"), 1, b"new");
        assert!(!authority.rotate(&last, Blob(b"new".to_vec())));
        assert!(authority.chain().0.len() <= proto::MAX_CHAIN);
    }

    #[test]
    fn only_the_authority_before_rotates_and_its_key_is_worthless_afterwards() {
        let mut authority = Authority::new(MEETING, public(1), Blob(vec![9]));
        let first = rotation(1, 1, 2, b"new");
        assert!(!authority.rotate(&rotation(3, 1, 2, b"new"), Blob(b"new".to_vec())), "wrong authority");
        assert!(!authority.rotate(&rotation(1, 2, 2, b"new"), Blob(b"new".to_vec())), "wrong index");
        assert!(!authority.rotate(&first, Blob(b"other".to_vec())), "another admission key");
        assert_eq!(authority.chain().0.len(), PAIR);
        assert!(authority.rotate(&first, Blob(b"new".to_vec())));
        assert_eq!((authority.admission_key(), authority.chain().0.len()), (&Blob(b"new".to_vec()), PAIR + 128));
        assert_eq!(authority.chain().0[PAIR..], first);
        let signature = |seed| sign(seed, &signed::command(MEETING, ANNA, 1, b"x"));
        assert!(!authority.has_signed(ANNA, 1, b"x", &signature(1)));
        assert!(authority.has_signed(ANNA, 1, b"x", &signature(2)));
        assert!(!authority.rotate(&first, Blob(b"new".to_vec())), "not twice");
        assert!(authority.rotate(&rotation(2, 2, 1, b"third"), Blob(b"third".to_vec())));
    }
}
