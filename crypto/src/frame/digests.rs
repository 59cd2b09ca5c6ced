//! Signed digests of a sender's frames. Every member can derive the keys of every other member, so only a signature shows
//! who has sealed a frame. docs/frames.md describes the format.
//!
//! `first counter 64 bits | epoch 8 | digests, 64 each | signature 512 | number of digests 8`, at the end of the plaintext of
//! a later frame of the same layer.

use super::kid::Kid;
use crate::provider::sha256;
use proto::Epoch;

/// The first 8 bytes of the SHA-256 of a frame's bytes, as they are sent. A tag would not do: whoever has the key can make
/// two frames with one tag. A forger has two seconds to find a frame with the digest of another one, which takes 2^64 tries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FrameDigest([u8; DIGEST]);

impl FrameDigest {
    pub(crate) fn of(frame: &[u8]) -> Self {
        let hash = sha256(frame);
        Self(std::array::from_fn(|index| hash[index]))
    }
}

/// The digests of consecutive frames of one layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DigestRange {
    /// The counter of the first frame.
    pub(crate) first: u64,
    digests: [FrameDigest; MAX_DIGESTS],
    count: usize,
}

impl DigestRange {
    pub(crate) const fn starting_at(first: u64) -> Self {
        Self { first, digests: [FrameDigest([0; DIGEST]); MAX_DIGESTS], count: 0 }
    }

    pub(crate) const fn len(&self) -> usize {
        self.count
    }

    /// Returns the counter of the frame after the last one.
    pub(crate) const fn end(&self) -> u64 {
        self.first.saturating_add(self.count as u64)
    }

    /// Adds the digest of the next frame. Returns false if there is no room.
    pub(crate) fn push(&mut self, digest: FrameDigest) -> bool {
        let Some(place) = self.digests.get_mut(self.count) else { return false };
        (*place, self.count) = (digest, self.count + 1);
        true
    }

    /// Removes the first `count` digests.
    pub(crate) fn skip(&mut self, count: usize) {
        let count = count.min(self.count);
        self.digests.copy_within(count..self.count, 0);
        self.first += count as u64;
        self.count -= count;
    }

    /// Returns the digest of the frame with this counter, if it is in the range.
    pub(crate) fn get(&self, counter: u64) -> Option<FrameDigest> {
        let index = usize::try_from(counter.checked_sub(self.first)?).ok()?;
        self.digests[..self.count].get(index).copied()
    }

    /// Returns the message that the sender signs: `label | epoch | key id | first counter | digests`.
    fn message(&self, kid: Kid, epoch: Epoch) -> Bytes<MAX_MESSAGE> {
        let mut message = Bytes::new();
        for part in [LABEL, &epoch.0.to_be_bytes(), &kid.number().to_be_bytes(), &self.first.to_be_bytes()] {
            message.push(part);
        }
        for digest in &self.digests[..self.count] {
            message.push(&digest.0);
        }
        message
    }

    /// Returns the encoded range, signed by `sign`.
    pub(crate) fn signed(&self, kid: Kid, epoch: Epoch, sign: impl FnOnce(&[u8]) -> [u8; SIGNATURE]) -> Trailer {
        self.with_signature(super::low_bits(epoch), &sign(self.message(kid, epoch).as_slice()))
    }

    fn with_signature(&self, epoch: u8, signature: &[u8; SIGNATURE]) -> Trailer {
        let mut trailer = Bytes::new();
        trailer.push(&self.first.to_be_bytes());
        trailer.push(&[epoch]);
        for digest in &self.digests[..self.count] {
            trailer.push(&digest.0);
        }
        trailer.push(signature);
        trailer.push(&[u8::try_from(self.count).unwrap_or(u8::MAX)]);
        trailer
    }
}

/// A range with its signature, as it was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SignedDigests {
    pub(crate) range: DigestRange,
    /// The low 8 bits of the epoch of the frames.
    pub(crate) epoch: u8,
    signature: [u8; SIGNATURE],
}

impl SignedDigests {
    /// Reads the end of a plaintext. Returns the digests and how many bytes they take, or `None` if they are too short, too
    /// many, or none.
    pub(crate) fn read(plain: &[u8]) -> Option<(Self, usize)> {
        let (&count, rest) = plain.split_last()?;
        let count = usize::from(count);
        if !(1..=MAX_DIGESTS).contains(&count) {
            return None;
        }
        let (rest, signature) = rest.split_last_chunk::<SIGNATURE>()?;
        let (rest, digests) = rest.split_at_checked(rest.len().checked_sub(count * DIGEST)?)?;
        let (rest, &epoch) = rest.split_last().map(|(epoch, rest)| (rest, epoch))?;
        let (_, first) = rest.split_last_chunk::<COUNTER>()?;
        let first = u64::from_be_bytes(*first);
        first.checked_add(count as u64)?;
        let mut range = DigestRange::starting_at(first);
        for digest in digests.chunks_exact(DIGEST) {
            range.push(FrameDigest(digest.try_into().ok()?));
        }
        Some((Self { range, epoch, signature: *signature }, Self::length(count)))
    }

    /// Returns the bytes that were read.
    pub(crate) fn encode(&self) -> Trailer {
        self.range.with_signature(self.epoch, &self.signature)
    }

    /// Returns the bytes of `count` digests with their signature.
    pub(crate) const fn length(count: usize) -> usize {
        COUNTER + 1 + count * DIGEST + SIGNATURE + 1
    }

    /// Returns true if the signature is valid by `is_signed`.
    pub(crate) fn is_valid(&self, kid: Kid, epoch: Epoch, is_signed: impl FnOnce(&[u8], &[u8]) -> bool) -> bool {
        is_signed(self.range.message(kid, epoch).as_slice(), &self.signature)
    }
}

/// Signed digests as bytes, stored without allocation.
pub(crate) type Trailer = Bytes<{ SignedDigests::length(MAX_DIGESTS) }>;

/// Up to `N` bytes.
pub(crate) struct Bytes<const N: usize> {
    bytes: [u8; N],
    length: usize,
}

impl<const N: usize> Bytes<N> {
    const fn new() -> Self {
        Self { bytes: [0; N], length: 0 }
    }

    fn push(&mut self, part: &[u8]) {
        let end = self.length + part.len();
        self.bytes[self.length..end].copy_from_slice(part);
        self.length = end;
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// The maximum number of digests with one signature.
pub(crate) const MAX_DIGESTS: usize = 32;

const LABEL: &[u8] = b"Conclave 1.0 frame digests\0";
const DIGEST: usize = 8;
const COUNTER: usize = 8;
const SIGNATURE: usize = 64;
const MAX_MESSAGE: usize = LABEL.len() + 3 * 8 + MAX_DIGESTS * DIGEST;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Leaf;
    use crate::provider::{SigningKey, is_signed};
    use proto::Slot;

    fn range(first: u64, count: u8) -> DigestRange {
        let mut range = DigestRange::starting_at(first);
        (0..count).for_each(|frame| assert!(range.push(FrameDigest::of(&[frame]))));
        range
    }

    fn kid(leaf: u32) -> Kid {
        Kid::new(Slot::Camera, 1, Leaf(leaf), Epoch(0x107)).unwrap()
    }

    #[test]
    fn signed_digests_round_trip_at_the_end_of_a_plaintext() {
        let key = SigningKey::generate().unwrap();
        for count in [1, 13, 32] {
            let range = range(1 << 40, count);
            let trailer = range.signed(kid(3), Epoch(0x107), |message| key.signature(message));
            let plain = [b"a picture", trailer.as_slice()].concat();
            let (read, length) = SignedDigests::read(&plain).unwrap();
            assert_eq!(read.encode().as_slice(), trailer.as_slice());
            assert_eq!((read.range, read.epoch, length), (range, 7, trailer.as_slice().len()));
            let by = |public: [u8; 32], kid, epoch| {
                read.is_valid(kid, epoch, |message, signature| is_signed(&public, message, signature))
            };
            assert!(by(key.public(), kid(3), Epoch(0x107)));
            assert!(!by(key.public(), kid(2), Epoch(0x107)), "another member's key id");
            assert!(!by(key.public(), kid(3), Epoch(0x207)), "another epoch with the same low bits");
            assert!(!by(SigningKey::generate().unwrap().public(), kid(3), Epoch(0x107)));
            for short in 0..trailer.as_slice().len() {
                assert_eq!(SignedDigests::read(&trailer.as_slice()[trailer.as_slice().len() - short..]), None);
            }
        }
    }

    #[test]
    fn any_flipped_bit_makes_the_signature_invalid_or_the_bytes_unreadable() {
        let key = SigningKey::generate().unwrap();
        let trailer = range(5, 3).signed(kid(3), Epoch(7), |message| key.signature(message));
        for index in 0..trailer.as_slice().len() {
            let mut changed = trailer.as_slice().to_vec();
            changed[index] ^= 1;
            let valid = SignedDigests::read(&changed).is_some_and(|(read, _)| {
                let same_epoch = read.epoch == 7;
                same_epoch && read.is_valid(kid(3), Epoch(7), |message, by| is_signed(&key.public(), message, by))
            });
            assert!(!valid, "byte {index}");
        }
    }

    #[test]
    fn none_and_too_many_digests_and_counters_that_overflow_are_refused() {
        assert_eq!(SignedDigests::read(&[0; 400]), None);
        assert_eq!(SignedDigests::read(&[33; 400]), None);
        assert_eq!(SignedDigests::read(&[0xff; 400]), None);
        let mut last = range(u64::MAX - 2, 2).signed(kid(0), Epoch(0), |_| [0; 64]).as_slice().to_vec();
        assert!(SignedDigests::read(&last).is_some());
        last[7] = 0xff;
        assert_eq!(SignedDigests::read(&last), None);
    }

    #[test]
    fn a_range_finds_its_digests_and_forgets_the_first_ones() {
        let mut range = range(10, 4);
        assert_eq!((range.len(), range.end()), (4, 14));
        assert_eq!(range.get(12), Some(FrameDigest::of(&[2])));
        assert_eq!((range.get(9), range.get(14)), (None, None));
        range.skip(3);
        assert_eq!((range.first, range.len(), range.get(13)), (13, 1, Some(FrameDigest::of(&[3]))));
        range.skip(9);
        assert_eq!((range.first, range.len()), (14, 0));
    }
}
