//! The authority key of a meeting. It signs the managers' commands to the delivery service, and the group's policy.

use crate::memory::Secret;
use crate::provider::{NoRandomness, SigningKey, is_signed, sha256};
use proto::{MeetingId, ParticipantId, signed};

/// The public half of a meeting's authority key (Ed25519). The delivery service verifies commands with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Authority(pub [u8; 32]);

impl Authority {
    /// Returns true if this authority signed `command` for `sender` and `counter`.
    #[must_use]
    pub fn signed_command(
        &self,
        meeting: MeetingId,
        sender: ParticipantId,
        counter: u64,
        command: &[u8],
        signature: &[u8],
    ) -> bool {
        self.signed(&signed::command(meeting, sender, counter, command), signature)
    }

    /// Returns true if this authority signed the request of an organiser to come back.
    #[must_use]
    pub fn signed_return(
        &self,
        meeting: MeetingId,
        participant: ParticipantId,
        request: &[u8],
        signature: &[u8],
    ) -> bool {
        self.signed(&signed::return_request(meeting, participant, request), signature)
    }

    pub(crate) fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        is_signed(&self.0, message, signature)
    }
}

/// The private half of an authority key, in locked memory. Has no `Debug`; overwritten on drop.
pub(crate) struct AuthorityKey(SigningKey);

impl AuthorityKey {
    pub(crate) fn generate() -> Result<Self, NoRandomness> {
        SigningKey::generate().map(Self)
    }

    /// Returns the key of a seed, or `None` if it is not 32 bytes long.
    pub(crate) fn from_seed(seed: Secret) -> Option<Self> {
        SigningKey::from_seed(seed).map(Self)
    }

    pub(crate) fn seed(&self) -> &Secret {
        self.0.seed()
    }

    pub(crate) fn public(&self) -> Authority {
        Authority(self.0.public())
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.signature(message)
    }
}

/// An authority with the SHA-256 of the admission key that belongs to it. Both change together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pair {
    /// The public authority key.
    pub authority: Authority,
    /// SHA-256 of the public admission key.
    pub admission_hash: [u8; 32],
}

impl Pair {
    /// Returns the pair of `authority` and the public key `admission_key`.
    #[must_use]
    pub fn new(authority: Authority, admission_key: &[u8]) -> Self {
        Self { authority, admission_hash: sha256(admission_key) }
    }

    /// Returns what a link holds of this pair.
    #[must_use]
    pub fn binding(&self) -> Binding {
        let message = [b"Conclave 1.0 binding\0".as_slice(), &self.authority.0, &self.admission_hash].concat();
        Binding(first_half(sha256(&message)))
    }
}

/// The hash that a link holds of an authority and its admission key: the first 16 bytes of `SHA-256("Conclave 1.0
/// binding", 0, authority, SHA-256(admission key))`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Binding(pub [u8; 16]);

impl Binding {
    /// Returns the id of the meeting that begins with the pair of this binding: the first 16 bytes of
    /// `SHA-256("Conclave 1.0 meeting", 0, binding)`. It does not change when the keys rotate.
    #[must_use]
    pub fn meeting(&self) -> MeetingId {
        MeetingId(first_half(sha256(&[b"Conclave 1.0 meeting\0".as_slice(), &self.0].concat())))
    }
}

pub(crate) fn first_half(hash: [u8; 32]) -> [u8; 16] {
    std::array::from_fn(|at| hash[at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_valid_for_one_command_of_one_sender() {
        let key = AuthorityKey::generate().unwrap();
        let (meeting, sender) = (MeetingId([1; 16]), ParticipantId(7));
        let signature = key.sign(&signed::command(meeting, sender, 3, b"end"));
        let authority = key.public();
        assert!(authority.signed_command(meeting, sender, 3, b"end", &signature));
        assert!(!authority.signed_command(meeting, sender, 4, b"end", &signature));
        assert!(!authority.signed_command(meeting, ParticipantId(8), 3, b"end", &signature));
        assert!(!authority.signed_command(MeetingId([2; 16]), sender, 3, b"end", &signature));
        assert!(!authority.signed_command(meeting, sender, 3, b"lock", &signature));
        assert!(!authority.signed_return(meeting, sender, b"end", &signature));
        let other = AuthorityKey::generate().unwrap().public();
        assert!(!other.signed_command(meeting, sender, 3, b"end", &signature));
        assert!(!authority.signed_command(meeting, sender, 3, b"end", &signature[..63]));
    }

    #[test]
    fn the_binding_depends_on_both_keys() {
        let pair = Pair::new(Authority([1; 32]), b"admission key");
        assert_eq!(pair.binding(), Pair::new(Authority([1; 32]), b"admission key").binding());
        assert_ne!(pair.binding(), Pair::new(Authority([2; 32]), b"admission key").binding());
        assert_ne!(pair.binding(), Pair::new(Authority([1; 32]), b"another").binding());
        assert_ne!(pair.binding().meeting().0, pair.binding().0);
    }
}
