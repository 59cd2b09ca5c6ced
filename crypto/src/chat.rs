//! Chat: the signature of a line, and messages that only one member can read.
//!
//! ```text
//! signature = Ed25519(device key, "Conclave 1.0 chat line" | 0 | meeting 16 | counter 8 | content)
//! of a ballot: Ed25519(device key, "Conclave 1.0 chat ballot" | 0 | meeting 16 | device 32 | counter 8 | choice 1 | number 8 | name)
//! sealed    = length of enc 2 | enc | ciphertext, as in `sealed_keys`, with
//! info      = "Conclave 1.0 private chat" | 0 | meeting 16 | sender 8 | receiver 8
//! ```
//! Every application message is signed by a leaf already. The signature of a line lets members who come later check its
//! author, although another member passes it on. That of a ballot does the same in an open vote. A private message has none: it cannot be proved to others.

use crate::admission_key::Error;
use crate::identity::{DeviceKey, Identity};
use crate::provider::is_signed;
use crate::sealed_keys::{self, Envelope, SealingKey};
use proto::MeetingId;
use zeroize::Zeroizing;

/// A line of the chat as its author signs it.
#[derive(Clone, Copy)]
pub struct SignedLine<'a> {
    /// The meeting.
    pub meeting: MeetingId,
    /// The number of the line, unique among those of its author.
    pub counter: u64,
    /// The encoded content.
    pub content: &'a [u8],
}

impl SignedLine<'_> {
    /// Returns the signature of our device.
    #[must_use]
    pub fn sign(&self, identity: &Identity) -> [u8; 64] {
        identity.sign(&self.bytes())
    }

    /// Returns true if `device` has signed this line.
    #[must_use]
    pub fn is_by(&self, device: DeviceKey, signature: &[u8; 64]) -> bool {
        is_signed(&device.0, &self.bytes(), signature)
    }

    /// Returns the bytes to sign. All parts except the last have a fixed length, so the encoding is unambiguous.
    fn bytes(&self) -> Zeroizing<Vec<u8>> {
        let counter = self.counter.to_be_bytes();
        Zeroizing::new([b"Conclave 1.0 chat line\0".as_slice(), &self.meeting.0, &counter, self.content].concat())
    }
}

/// A ballot in an open vote as its voter signs it.
#[derive(Clone, Copy)]
pub struct SignedBallot<'a> {
    /// The meeting.
    pub meeting: MeetingId,
    /// The device of the member that asks.
    pub device: DeviceKey,
    /// The number of the line with the question, unique among those of its author.
    pub counter: u64,
    /// The index of the option.
    pub choice: u8,
    /// Higher than that of each earlier ballot of the voter.
    pub number: u64,
    /// The voter's name.
    pub name: &'a str,
}

impl SignedBallot<'_> {
    /// Returns the signature of our device.
    #[must_use]
    pub fn sign(&self, identity: &Identity) -> [u8; 64] {
        identity.sign(&self.bytes())
    }

    /// Returns true if `voter` has signed this ballot.
    #[must_use]
    pub fn is_by(&self, voter: DeviceKey, signature: &[u8; 64]) -> bool {
        is_signed(&voter.0, &self.bytes(), signature)
    }

    /// Returns the bytes to sign. All parts except the last have a fixed length, so the encoding is unambiguous.
    fn bytes(&self) -> Zeroizing<Vec<u8>> {
        let (counter, number) = (self.counter.to_be_bytes(), self.number.to_be_bytes());
        let head = [b"Conclave 1.0 chat ballot\0".as_slice(), &self.meeting.0, &self.device.0, &counter];
        Zeroizing::new([&head.concat(), &[self.choice][..], &number, self.name.as_bytes()].concat())
    }
}

/// Seals a chat message for the owner of the public key `to`.
///
/// # Errors
/// Returns [`Error::Crypto`] if it is not a public key.
pub fn seal_private(plaintext: &[u8], to: &[u8], envelope: Envelope) -> Result<Vec<u8>, Error> {
    sealed_keys::seal(plaintext, to, &envelope.info(PURPOSE))
}

/// Opens a chat message of at most `max` bytes that another member has sealed for the owner of `key`. `None` if it is not
/// valid.
#[must_use]
pub fn open_private(key: &SealingKey, sealed: &[u8], envelope: Envelope, max: usize) -> Option<Zeroizing<Vec<u8>>> {
    key.open_bytes(sealed, &envelope.info(PURPOSE), max).map(Zeroizing::new)
}

const PURPOSE: &[u8] = b"Conclave 1.0 private chat\0";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ManagerKeys;
    use proto::ParticipantId;

    fn envelope(from: u64, to: u64) -> Envelope {
        Envelope { meeting: MeetingId([1; 16]), from: ParticipantId(from), to: ParticipantId(to) }
    }

    #[test]
    fn a_signature_is_valid_for_one_line_of_one_device_in_one_meeting() {
        let (ada, eve) = (Identity::generate().unwrap(), Identity::generate().unwrap());
        let line = SignedLine { meeting: MeetingId([1; 16]), counter: 7, content: b"hello" };
        let signature = line.sign(&ada);
        assert!(line.is_by(ada.public(), &signature));
        assert!(!line.is_by(eve.public(), &signature));
        for other in [
            SignedLine { meeting: MeetingId([2; 16]), ..line },
            SignedLine { counter: 8, ..line },
            SignedLine { content: b"hellO", ..line },
        ] {
            assert!(!other.is_by(ada.public(), &signature));
        }
    }

    #[test]
    fn a_ballot_is_valid_for_one_choice_in_one_vote_of_one_meeting() {
        let (ada, eve) = (Identity::generate().unwrap(), Identity::generate().unwrap());
        let (meeting, device) = (MeetingId([1; 16]), eve.public());
        let ballot = SignedBallot { meeting, device, counter: 7, choice: 1, number: 9, name: "Ada" };
        let signature = ballot.sign(&ada);
        assert!(ballot.is_by(ada.public(), &signature) && !ballot.is_by(eve.public(), &signature));
        for other in [
            SignedBallot { meeting: MeetingId([2; 16]), ..ballot },
            SignedBallot { device: ada.public(), ..ballot },
            SignedBallot { counter: 8, ..ballot },
            SignedBallot { choice: 0, ..ballot },
            SignedBallot { number: 10, ..ballot },
            SignedBallot { name: "Eve", ..ballot },
        ] {
            assert!(!other.is_by(ada.public(), &signature));
        }
    }

    #[test]
    fn only_the_receiver_opens_a_private_message_and_only_from_its_sender() {
        let (bob, eve) = (SealingKey::generate().unwrap(), SealingKey::generate().unwrap());
        let sealed = seal_private(b"for Bob", bob.public(), envelope(1, 2)).unwrap();
        let open = |key, envelope, max| open_private(key, &sealed, envelope, max).map(|bytes| bytes.to_vec());
        assert_eq!(open(&bob, envelope(1, 2), 7).as_deref(), Some(b"for Bob".as_slice()));
        assert_eq!(open(&bob, envelope(1, 2), 6), None, "it is longer");
        assert_eq!(open(&eve, envelope(1, 2), 7), None);
        for other in [envelope(3, 2), envelope(1, 3), Envelope { meeting: MeetingId([2; 16]), ..envelope(1, 2) }] {
            assert_eq!(open(&bob, other, 7), None);
        }
        assert!(seal_private(b"", b"no key", envelope(1, 2)).is_err());
    }

    #[test]
    fn what_is_sealed_for_one_purpose_is_not_opened_for_another() {
        let bob = SealingKey::generate().unwrap();
        let keys = ManagerKeys::new().unwrap().shared();
        let sealed = keys.seal(bob.public(), envelope(1, 2)).unwrap();
        assert!(bob.open(&sealed, envelope(1, 2)).is_some());
        assert!(open_private(&bob, &sealed, envelope(1, 2), 4_096).is_none());
    }
}
