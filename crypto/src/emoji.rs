//! Five pictures and spoken phrases that nobody can choose: the members commit to random nonces before anybody reveals one.
//!
//! The twelve words are a truncation of the epoch authenticator. A truncation to 30 bits could be ground: a server that
//! works with a member could make groups until the pictures of two of them are equal. Here each nonce was fixed before the
//! others were known, so each try of an attacker succeeds with a probability of 2^-30, and each failure is seen.

use crate::group::Group;
use crate::provider::sha256;
use crate::words::Language;
use crate::{Leaf, NoRandomness};
use proto::{Epoch, MeetingId};
use std::collections::BTreeMap;

/// A random number of one member.
pub type Nonce = [u8; 32];

/// The SHA-256 of a nonce and of what it is for.
pub type Commitment = [u8; 32];

/// Five of 64 pictures, by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Emoji(pub [u8; 5]);

/// What a member reads aloud: five words of a list of 2,048, by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Phrase(pub [u16; 5]);

impl Phrase {
    /// Returns the words, in order.
    pub fn in_language(&self, language: Language) -> [&'static str; 5] {
        self.0.map(|index| language.word(index))
    }
}

/// Returns a new nonce.
///
/// # Errors
/// Returns [`NoRandomness`] if the system returns no random bytes.
pub fn nonce() -> Result<Nonce, NoRandomness> {
    use openmls::prelude::OpenMlsRand;
    crate::provider::Random.random_array()
}

/// Returns the number of a new round.
///
/// # Errors
/// Returns [`NoRandomness`] if the system returns no random bytes.
pub fn round_number() -> Result<u64, NoRandomness> {
    use openmls::prelude::OpenMlsRand;
    Ok(u64::from_be_bytes(crate::provider::Random.random_array()?))
}

/// The two things that nonces are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The pictures.
    Emoji,
    /// The phrase.
    Phrase,
}

impl Purpose {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Emoji => b"Conclave 1.0 emoji commit\0",
            Self::Phrase => b"Conclave 1.0 phrase commit\0",
        }
    }
}

/// Returns the commitment of the member at `leaf` to its nonce, in the round with this number in this epoch.
pub fn nonce_commitment(group: &Group, purpose: Purpose, round: u64, leaf: Leaf, nonce: &Nonce) -> Commitment {
    commitment((group.meeting(), group.epoch()), purpose, round, leaf, nonce)
}

/// Returns the commitment of the member at `leaf` in an epoch of a meeting.
pub(crate) fn commitment(
    (meeting, epoch): (MeetingId, Epoch),
    purpose: Purpose,
    round: u64,
    leaf: Leaf,
    nonce: &Nonce,
) -> Commitment {
    let (epoch, round, leaf) = (epoch.0.to_be_bytes(), round.to_be_bytes(), leaf.0.to_be_bytes());
    sha256(&[purpose.label(), &meeting.0, &epoch, &round, &leaf, nonce].concat())
}

/// Returns the pictures of a round. Equal for all members of the epoch who have the same nonces.
pub fn pictures(group: &Group, round: u64, nonces: &BTreeMap<Leaf, Nonce>) -> Emoji {
    pictures_of(group.authenticator(), round, nonces)
}

/// Returns the pictures of a round in the epoch with this authenticator.
pub(crate) fn pictures_of(authenticator: &[u8], round: u64, nonces: &BTreeMap<Leaf, Nonce>) -> Emoji {
    let mut message = [b"Conclave 1.0 emoji\0".as_slice(), authenticator, &round.to_be_bytes()].concat();
    for (leaf, nonce) in nonces {
        message.extend(leaf.0.to_be_bytes());
        message.extend(nonce);
    }
    let hash = sha256(&message);
    Emoji(std::array::from_fn(|index| {
        (0..6).fold(0, |sum, bit| sum << 1 | u8::try_from(bit_of(&hash, index * 6 + bit)).unwrap_or(0))
    }))
}

/// Returns the phrase of a challenge between two members. `from` has asked `to`: their leaves and nonces.
pub fn phrase(group: &Group, round: u64, from: (Leaf, &Nonce), to: (Leaf, &Nonce)) -> Phrase {
    phrase_of(group.authenticator(), round, from, to)
}

/// Returns the phrase of a challenge in the epoch with this authenticator.
pub(crate) fn phrase_of(authenticator: &[u8], round: u64, from: (Leaf, &Nonce), to: (Leaf, &Nonce)) -> Phrase {
    let (first, second) = (from.0.0.to_be_bytes(), to.0.0.to_be_bytes());
    let label = b"Conclave 1.0 phrase\0".as_slice();
    let round = round.to_be_bytes();
    let hash = sha256(&[label, authenticator, &round, &first, &second, from.1, to.1].concat());
    Phrase(std::array::from_fn(|index| (0..11).fold(0, |sum, bit| sum << 1 | bit_of(&hash, index * 11 + bit))))
}

fn bit_of(bytes: &[u8; 32], at: usize) -> u16 {
    u16::from(bytes[at / 8] >> (7 - at % 8) & 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::group::tests::with_three_members;

    #[test]
    fn the_members_of_an_epoch_get_the_same_pictures_and_others_get_others() {
        let (_, mut groups) = with_three_members();
        let nonces = BTreeMap::from([(Leaf(0), [1; 32]), (Leaf(1), [2; 32])]);
        let emoji = pictures(&groups[0], 7, &nonces);
        assert_eq!(emoji, pictures(&groups[2], 7, &nonces));
        assert!(emoji.0.iter().all(|number| *number < 64));
        assert_ne!(emoji, pictures(&groups[0], 8, &nonces), "another round");
        let other = BTreeMap::from([(Leaf(0), [1; 32]), (Leaf(1), [3; 32])]);
        assert_ne!(emoji, pictures(&groups[0], 7, &other), "another nonce");
        let moved = BTreeMap::from([(Leaf(0), [1; 32]), (Leaf(2), [2; 32])]);
        assert_ne!(emoji, pictures(&groups[0], 7, &moved), "another member");
        // A fork: the second member merges a commit of its own.
        groups[1].refresh().unwrap();
        groups[1].merge_pending_commit().unwrap();
        groups[0].refresh().unwrap();
        groups[0].merge_pending_commit().unwrap();
        assert_eq!(groups[0].epoch(), groups[1].epoch());
        assert_ne!(pictures(&groups[0], 7, &nonces), pictures(&groups[1], 7, &nonces));
    }

    #[test]
    fn a_commitment_is_bound_to_purpose_epoch_round_leaf_and_nonce() {
        let (_, mut groups) = with_three_members();
        let group = &mut groups[0];
        let commitment = nonce_commitment(group, Purpose::Emoji, 1, Leaf(0), &[1; 32]);
        let others = [
            nonce_commitment(group, Purpose::Phrase, 1, Leaf(0), &[1; 32]),
            nonce_commitment(group, Purpose::Emoji, 2, Leaf(0), &[1; 32]),
            nonce_commitment(group, Purpose::Emoji, 1, Leaf(1), &[1; 32]),
            nonce_commitment(group, Purpose::Emoji, 1, Leaf(0), &[2; 32]),
        ];
        assert!(!others.contains(&commitment));
        group.refresh().unwrap();
        group.merge_pending_commit().unwrap();
        assert_ne!(commitment, nonce_commitment(group, Purpose::Emoji, 1, Leaf(0), &[1; 32]), "another epoch");
    }

    #[test]
    fn both_sides_of_a_challenge_get_one_phrase_that_each_of_them_changes() {
        let (_, groups) = with_three_members();
        let phrase =
            |group: &Group, one: u8, two: u8| super::phrase(group, 3, (Leaf(0), &[one; 32]), (Leaf(1), &[two; 32]));
        assert_eq!(phrase(&groups[0], 1, 2), phrase(&groups[1], 1, 2));
        for other in [phrase(&groups[0], 3, 2), phrase(&groups[0], 1, 3), phrase(&groups[0], 2, 1)] {
            assert_ne!(phrase(&groups[0], 1, 2), other);
        }
        assert!(phrase(&groups[0], 1, 2).in_language(Language::French).iter().all(|word| !word.is_empty()));
    }

    #[test]
    fn all_pictures_occur_about_equally_often() {
        let (_, groups) = with_three_members();
        let mut counts = [0u32; 64];
        for round in 0..2_000 {
            let emoji = pictures(&groups[0], round, &BTreeMap::from([(Leaf(0), [1; 32])]));
            emoji.0.iter().for_each(|number| counts[usize::from(*number)] += 1);
        }
        assert!(counts.iter().all(|count| (90..240).contains(count)), "{counts:?}");
    }
}
