//! The chain from a meeting's first authority to the current one. Each authority signs its successor.
//!
//! ```text
//! chain    = first authority 32 B | first admission hash 32 | rotations
//! rotation = authority 32 | admission hash 32 | signature 64 of the authority before it (proto::signed::rotation)
//! ```
//! There is no count: appending a rotation to the bytes of a chain gives the bytes of the longer chain.

use crate::authority::{Authority, AuthorityKey, Binding, Pair};
use proto::{MAX_ROTATIONS, MeetingId, signed};

/// A new authority and admission key, signed by the authority before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// The new pair.
    pub to: Pair,
    /// The signature of the authority before it.
    pub signature: [u8; 64],
}

impl Rotation {
    /// The encoded length, in bytes.
    pub const LENGTH: usize = proto::ROTATION_BYTES;

    /// Signs `to` with `key` as the element `index` of the chain.
    pub(crate) fn sign(key: &AuthorityKey, meeting: MeetingId, index: u32, to: Pair) -> Self {
        Self { to, signature: key.sign(&signed::rotation(meeting, index, &to.authority.0, &to.admission_hash)) }
    }

    /// Returns true if `by` signed this rotation as element `index` of the chain.
    fn is_by(&self, by: Authority, meeting: MeetingId, index: u32) -> bool {
        let message = signed::rotation(meeting, index, &self.to.authority.0, &self.to.admission_hash);
        by.signed(&message, &self.signature)
    }

    /// Returns the 128 bytes of this rotation.
    #[must_use]
    pub fn encode(&self) -> [u8; Self::LENGTH] {
        let mut bytes = [0; Self::LENGTH];
        bytes[..32].copy_from_slice(&self.to.authority.0);
        bytes[32..64].copy_from_slice(&self.to.admission_hash);
        bytes[64..].copy_from_slice(&self.signature);
        bytes
    }

    /// Decodes a rotation. Does not verify it.
    #[must_use]
    pub fn decode(bytes: &[u8; Self::LENGTH]) -> Self {
        let (pair, signature) = bytes.split_at(64);
        let mut rotation = Self { to: decode_pair(pair), signature: [0; 64] };
        rotation.signature.copy_from_slice(signature);
        rotation
    }
}

/// All pairs of a meeting, oldest first. At most [`MAX_ROTATIONS`] follow the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorityChain {
    first: Pair,
    rotations: Vec<Rotation>,
}

/// The reason why a chain is not valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are not a chain.
    #[error("not a chain of authorities")]
    Malformed,
    /// The chain has [`MAX_ROTATIONS`] rotations.
    #[error("the keys of this meeting cannot change any more")]
    Full,
    /// The chain belongs to another meeting.
    #[error("the chain of authorities belongs to another meeting")]
    OtherMeeting,
    /// No pair is the one that the link names.
    #[error("the chain of authorities does not contain the link's")]
    OtherLink,
    /// An authority did not sign its successor.
    #[error("the chain of authorities has a wrong signature")]
    Signature,
}

impl AuthorityChain {
    /// Returns a chain without rotations.
    #[must_use]
    pub fn new(first: Pair) -> Self {
        Self { first, rotations: Vec::new() }
    }

    /// Returns the id of the meeting, which the first pair determines.
    #[must_use]
    pub fn meeting(&self) -> MeetingId {
        self.first.binding().meeting()
    }

    /// Returns the newest pair.
    #[must_use]
    pub fn current(&self) -> Pair {
        self.rotations.last().map_or(self.first, |rotation| rotation.to)
    }

    /// Returns the newest authority, and the one before it if there is one.
    #[must_use]
    pub fn newest_authorities(&self) -> Vec<Authority> {
        let from = self.rotations.len().saturating_sub(1);
        self.pairs().skip(from).map(|pair| pair.authority).collect()
    }

    /// Returns how often the keys have changed.
    #[must_use]
    pub fn rotations(&self) -> usize {
        self.rotations.len()
    }

    /// Verifies that the chain begins with the first authority of `meeting`, that each authority signed its successor,
    /// and that one of its pairs is the link's. Returns the current pair.
    ///
    /// # Errors
    /// Returns [`Error`] if the chain is not valid.
    pub fn verify(&self, meeting: MeetingId, link: Binding) -> Result<Pair, Error> {
        self.verify_signatures(meeting)?;
        if self.pairs().any(|pair| pair.binding() == link) { Ok(self.current()) } else { Err(Error::OtherLink) }
    }

    /// Verifies the chain without a link.
    pub(crate) fn verify_signatures(&self, meeting: MeetingId) -> Result<(), Error> {
        if self.meeting() == meeting { self.verify_from(0) } else { Err(Error::OtherMeeting) }
    }

    /// Verifies that this chain is `before`, which was verified, and zero or more rotations.
    pub(crate) fn verify_extends(&self, before: &Self) -> Result<(), Error> {
        if self.first != before.first || !self.rotations.starts_with(&before.rotations) {
            return Err(Error::OtherMeeting);
        }
        self.verify_from(before.rotations.len())
    }

    /// Appends a rotation.
    ///
    /// # Errors
    /// Returns [`Error::Full`], or [`Error::Signature`] if the current authority did not sign it.
    pub fn push(&mut self, rotation: Rotation) -> Result<(), Error> {
        if self.rotations.len() >= MAX_ROTATIONS {
            return Err(Error::Full);
        }
        if !rotation.is_by(self.current().authority, self.meeting(), self.next_index()) {
            return Err(Error::Signature);
        }
        self.rotations.push(rotation);
        Ok(())
    }

    /// Returns the index of the next rotation; 1 for the first.
    pub(crate) fn next_index(&self) -> u32 {
        index(self.rotations.len())
    }

    /// Returns the encoded chain.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(PAIR + self.rotations.len() * Rotation::LENGTH);
        bytes.extend_from_slice(&self.first.authority.0);
        bytes.extend_from_slice(&self.first.admission_hash);
        for rotation in &self.rotations {
            bytes.extend_from_slice(&rotation.encode());
        }
        bytes
    }

    /// Decodes a chain. Does not verify it.
    ///
    /// # Errors
    /// Returns [`Error::Malformed`] if the length is wrong, or [`Error::Full`] if the chain is too long.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let (first, rest) = bytes.split_at_checked(PAIR).ok_or(Error::Malformed)?;
        let (rotations, rest) = rest.as_chunks::<{ Rotation::LENGTH }>();
        match (rest.is_empty(), rotations.len() <= MAX_ROTATIONS) {
            (false, _) => Err(Error::Malformed),
            (true, false) => Err(Error::Full),
            (true, true) => {
                Ok(Self { first: decode_pair(first), rotations: rotations.iter().map(Rotation::decode).collect() })
            }
        }
    }

    fn pairs(&self) -> impl Iterator<Item = Pair> + '_ {
        std::iter::once(self.first).chain(self.rotations.iter().map(|rotation| rotation.to))
    }

    /// Verifies the rotations from position `begin` of the list on.
    fn verify_from(&self, begin: usize) -> Result<(), Error> {
        let meeting = self.meeting();
        let signed = self.pairs().zip(&self.rotations).enumerate().skip(begin);
        for (at, (before, rotation)) in signed {
            if !rotation.is_by(before.authority, meeting, index(at)) {
                return Err(Error::Signature);
            }
        }
        Ok(())
    }
}

/// Returns the index that is signed for the rotation at `position` of the list.
fn index(position: usize) -> u32 {
    // The list has at most `MAX_ROTATIONS` elements.
    u32::try_from(position).unwrap_or(u32::MAX).saturating_add(1)
}

/// Returns the pair of 64 bytes. The caller passes exactly 64.
fn decode_pair(bytes: &[u8]) -> Pair {
    let (authority, hash) = bytes.split_at(32);
    let mut pair = Pair { authority: Authority([0; 32]), admission_hash: [0; 32] };
    pair.authority.0.copy_from_slice(authority);
    pair.admission_hash.copy_from_slice(hash);
    pair
}

/// The encoded length of a pair, in bytes.
pub(crate) const PAIR: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a chain with `count` rotations, and the current key.
    fn chain(count: usize) -> (AuthorityChain, AuthorityKey) {
        let mut key = AuthorityKey::generate().unwrap();
        let mut chain = AuthorityChain::new(Pair::new(key.public(), b"0"));
        for number in 0..count {
            let next = AuthorityKey::generate().unwrap();
            let to = Pair::new(next.public(), &number.to_be_bytes());
            let rotation = Rotation::sign(&key, chain.meeting(), chain.next_index(), to);
            chain.push(rotation).unwrap();
            key = next;
        }
        (chain, key)
    }

    #[test]
    fn links_of_every_age_verify_the_chain() {
        let (chain, key) = chain(3);
        let meeting = chain.meeting();
        for pair in chain.pairs() {
            assert_eq!(chain.verify(meeting, pair.binding()), Ok(chain.current()));
        }
        assert_eq!(chain.current().authority, key.public());
        assert_eq!(chain.verify(meeting, Binding([0; 16])), Err(Error::OtherLink));
        assert_eq!(chain.verify(MeetingId([0; 16]), chain.first.binding()), Err(Error::OtherMeeting));
    }

    #[test]
    fn a_successor_that_was_not_signed_is_rejected() {
        let (mut chain, _) = chain(2);
        let (meeting, link) = (chain.meeting(), chain.first.binding());
        let stranger = AuthorityKey::generate().unwrap();
        let to = Pair::new(stranger.public(), b"x");
        let forged = Rotation::sign(&stranger, meeting, chain.next_index(), to);
        assert_eq!(chain.push(forged.clone()), Err(Error::Signature));
        let good = chain.clone();
        chain.rotations.push(forged);
        assert_eq!(chain.verify(meeting, link), Err(Error::Signature));
        // A rotation at another position, in another order, or left out.
        let mut swapped = good.clone();
        swapped.rotations.swap(0, 1);
        assert_eq!(swapped.verify(meeting, link), Err(Error::Signature));
        let mut shorter = good;
        shorter.rotations.remove(0);
        assert_eq!(shorter.verify(meeting, link), Err(Error::Signature));
    }

    #[test]
    fn a_chain_extends_its_beginning_only() {
        let (long, _) = chain(3);
        let mut short = long.clone();
        short.rotations.truncate(1);
        assert_eq!(long.verify_extends(&short), Ok(()));
        assert_eq!(long.verify_extends(&long), Ok(()));
        assert_eq!(short.verify_extends(&long), Err(Error::OtherMeeting));
        assert_eq!(chain(3).0.verify_extends(&short), Err(Error::OtherMeeting));
    }

    #[test]
    fn chains_round_trip_and_are_bounded() {
        let (chain, key) = chain(2);
        let bytes = chain.encode();
        assert_eq!(AuthorityChain::decode(&bytes), Ok(chain.clone()));
        for length in 0..bytes.len() {
            let whole = length >= PAIR && (length - PAIR).is_multiple_of(Rotation::LENGTH);
            assert_eq!(AuthorityChain::decode(&bytes[..length]).is_ok(), whole, "{length}");
        }
        let too_long = vec![0; PAIR + (MAX_ROTATIONS + 1) * Rotation::LENGTH];
        assert_eq!(AuthorityChain::decode(&too_long), Err(Error::Full));
        let mut full = chain;
        full.rotations.resize(MAX_ROTATIONS, full.rotations[0].clone());
        let rotation = Rotation::sign(&key, full.meeting(), full.next_index(), full.first);
        assert_eq!(full.push(rotation), Err(Error::Full));
    }
}
