//! What members announce to each other about the media that they send. It is encrypted in MLS application messages, so
//! the server cannot read it.

use minicbor::{CborLen, Decode, Encode};

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, CborLen)]
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
}

impl Message {
    /// Returns the bytes for `Group::seal_message`.
    pub(super) fn encode(self) -> Vec<u8> {
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

    #[test]
    fn a_state_round_trips_and_other_bytes_are_rejected() {
        let state = MediaState { microphone: Microphone::Muted, camera: true, screen: false };
        let message = Message::State { count: 70_000, state };
        let bytes = message.encode();
        assert_eq!(Message::decode(&bytes), Some(message));
        for length in 0..bytes.len() {
            assert_eq!(Message::decode(&bytes[..length]), None);
        }
        assert_eq!(Message::decode(&[bytes, vec![0]].concat()), None);
        assert_eq!(Message::decode(&[0x82, 0x09, 0x80]), None, "a kind of a later version");
    }
}
