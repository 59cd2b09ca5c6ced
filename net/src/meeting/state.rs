//! What members announce to each other about the media that they send. It is encrypted in MLS application messages, so
//! the server cannot read it.

use super::moderation_message::{FloorMessage, HandMessage};
use super::verification::VerificationMessage;
use minicbor::bytes::ByteVec;
use minicbor::{CborLen, Decode, Encode};
use proto::ParticipantId;

/// The media that a member sends. A new member is assumed to send nothing until it announces something else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
pub struct MediaState {
    /// The microphone.
    #[n(0)]
    pub microphone: Microphone,
    /// True while the camera is sent.
    #[n(1)]
    pub camera: bool,
    /// True while a screen is shared.
    #[n(2)]
    pub screen: bool,
    /// Why the camera is sent smaller or slower than viewers request. `None` if it is not.
    #[n(3)]
    pub camera_limit: Option<SendLimit>,
    /// The same of the screen.
    #[n(4)]
    pub screen_limit: Option<SendLimit>,
}

/// Why a member sends less of its pictures than viewers request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
#[cbor(index_only)]
pub enum SendLimit {
    /// Its uplink has no room for more.
    #[n(0)]
    Uplink,
    /// Its computer cannot encode more.
    #[n(1)]
    Computer,
}

/// The state of a microphone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
#[cbor(index_only)]
pub enum Microphone {
    /// There is none.
    #[default]
    #[n(0)]
    Off,
    /// It is muted.
    #[n(1)]
    Muted,
    /// Its sound is sent.
    #[n(2)]
    On,
}

/// An application message before encryption. Members skip kinds that they do not know.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, CborLen)]
pub(super) enum Message {
    /// What the author sends from now on.
    #[n(0)]
    State {
        /// Grows with each message, so that an older message, which the server may delay, does not replace a newer one.
        #[n(0)]
        count: u32,
        /// The state.
        #[n(1)]
        state: MediaState,
    },
    /// The key to which other managers seal for the author, who is a manager.
    #[n(1)]
    SealingKey {
        /// The public key of HPKE.
        #[n(0)]
        public: ByteVec,
    },
    /// Keys of the meeting for one manager (`crypto::SharedKeys`).
    #[n(2)]
    ManagerKeys {
        /// The receiver.
        #[n(0)]
        to: ParticipantId,
        /// The keys, which only the receiver can open.
        #[n(1)]
        sealed: ByteVec,
    },
    /// A message of the chat.
    #[n(5)]
    Chat {
        /// The padded message (`chat::message`).
        #[n(0)]
        body: ByteVec,
    },
    /// Floor control: who may send sound and pictures.
    #[n(3)]
    Floor(#[n(0)] FloorMessage),
    /// Raised hands.
    #[n(4)]
    Hands(#[n(0)] HandMessage),
    /// Pictures to compare, and phrases to read aloud.
    #[n(8)]
    Verification(#[n(0)] VerificationMessage),
    /// Devices that only a person lets in. Managers tell it a new manager.
    #[n(16)]
    SentBack {
        /// The keys of the devices, one after the other.
        #[n(0)]
        devices: ByteVec,
    },
}

impl Message {
    /// Returns the bytes for `Group::seal_message`.
    pub(super) fn encode(&self) -> Vec<u8> {
        minicbor::to_vec(self).expect("writing to memory does not fail")
    }

    /// Returns the message in `bytes`. Returns `None` if they are malformed or this client does not know the kind.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut decoder = minicbor::Decoder::new(bytes);
        let message = decoder.decode().ok()?;
        (decoder.position() == bytes.len()).then_some(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::Position;

    #[test]
    fn a_state_round_trips_and_other_bytes_are_rejected() {
        let state = MediaState { microphone: Microphone::Muted, camera: true, ..MediaState::default() };
        let message = Message::State { count: 70_000, state };
        let bytes = message.encode();
        assert_eq!(Message::decode(&bytes), Some(message));
        for length in 0..bytes.len() {
            assert_eq!(Message::decode(&bytes[..length]), None);
        }
        assert_eq!(Message::decode(&[bytes.clone(), vec![0]].concat()), None);
        assert_eq!(Message::decode(&[0x82, 0x09, 0x80]), None, "a kind of a later version");
        let state =
            MediaState { camera_limit: Some(SendLimit::Uplink), screen_limit: Some(SendLimit::Computer), ..state };
        let limited = Message::State { count: 70_000, state };
        assert!(limited.encode().len() > bytes.len(), "a member without a limit sends no field for it");
        assert_eq!(Message::decode(&limited.encode()), Some(limited));
        for message in [
            Message::SealingKey { public: vec![1; 1_216].into() },
            Message::ManagerKeys { to: ParticipantId(7), sealed: vec![2; 1_300].into() },
            Message::Chat { body: vec![3; 64].into() },
            Message::Floor(FloorMessage::Set { lamport: u64::MAX, target: None, rights: 1, allow: false }),
            Message::Floor(FloorMessage::Set { lamport: 1, target: Some(ParticipantId(7)), rights: 12, allow: true }),
            Message::Hands(HandMessage::Raise { since: None }),
            Message::Hands(HandMessage::Raise { since: Some(Position(70_000)) }),
            Message::Hands(HandMessage::Lower),
            Message::Hands(HandMessage::LowerOf { participant: ParticipantId(7) }),
            Message::Hands(HandMessage::LowerAll),
            Message::Verification(VerificationMessage::Begin {
                round: u64::MAX,
                participants: vec![ParticipantId(7), ParticipantId(8)],
                commitment: [1; 32],
            }),
            Message::Verification(VerificationMessage::Commit { round: 1, commitment: [2; 32] }),
            Message::Verification(VerificationMessage::Reveal { round: 1, nonce: [3; 32] }),
            Message::Verification(VerificationMessage::Ask { to: ParticipantId(7), round: 1, commitment: [4; 32] }),
            Message::Verification(VerificationMessage::Answer { to: ParticipantId(7), round: 1, nonce: [5; 32] }),
            Message::Verification(VerificationMessage::Open { to: ParticipantId(7), round: 1, nonce: [6; 32] }),
            Message::SentBack { devices: vec![4; 64].into() },
        ] {
            assert_eq!(Message::decode(&message.encode()), Some(message));
        }
    }
}
