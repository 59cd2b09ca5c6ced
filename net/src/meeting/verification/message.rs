//! The application messages of pictures and phrases.

use minicbor::{CborLen, Decode, Encode};
use proto::ParticipantId;

/// An application message about a comparison of pictures, or about a phrase. Each counts only in the epoch in which it was
/// sealed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, CborLen)]
pub enum VerificationMessage {
    /// The author begins a comparison of pictures.
    #[n(0)]
    Begin {
        /// A random number of the comparison.
        #[n(0)]
        round: u64,
        /// Who takes part, the author included.
        #[n(1)]
        participants: Vec<ParticipantId>,
        /// The author's commitment.
        #[cbor(n(2), with = "minicbor::bytes")]
        commitment: [u8; 32],
    },
    /// The author takes part.
    #[n(1)]
    Commit {
        /// The comparison.
        #[n(0)]
        round: u64,
        /// The author's commitment.
        #[cbor(n(1), with = "minicbor::bytes")]
        commitment: [u8; 32],
    },
    /// The author has the commitments of all participants.
    #[n(2)]
    Reveal {
        /// The comparison.
        #[n(0)]
        round: u64,
        /// The author's nonce.
        #[cbor(n(1), with = "minicbor::bytes")]
        nonce: [u8; 32],
    },
    /// The author asks a member to read a phrase aloud.
    #[n(3)]
    Ask {
        /// The member.
        #[n(0)]
        to: ParticipantId,
        /// A random number of the challenge.
        #[n(1)]
        round: u64,
        /// The author's commitment.
        #[cbor(n(2), with = "minicbor::bytes")]
        commitment: [u8; 32],
    },
    /// The answer to [`Self::Ask`].
    #[n(4)]
    Answer {
        /// Who asks.
        #[n(0)]
        to: ParticipantId,
        /// The challenge.
        #[n(1)]
        round: u64,
        /// The nonce of the member who is asked.
        #[cbor(n(2), with = "minicbor::bytes")]
        nonce: [u8; 32],
    },
    /// The nonce of the member who asks, after the answer.
    #[n(5)]
    Open {
        /// The member who is asked.
        #[n(0)]
        to: ParticipantId,
        /// The challenge.
        #[n(1)]
        round: u64,
        /// The nonce.
        #[cbor(n(2), with = "minicbor::bytes")]
        nonce: [u8; 32],
    },
}
