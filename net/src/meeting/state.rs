//! What members tell each other: sealed by MLS as application messages, so the server reads none of it.

use minicbor::{CborLen, Decode, Encode};

/// What somebody says that they send. Who is let in is taken to send nothing until they say otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
pub struct MediaState {
    /// The voice.
    #[n(0)]
    pub microphone: Microphone,
    /// The face.
    #[n(1)]
    pub camera: bool,
    /// A shared screen.
    #[n(2)]
    pub screen: bool,
}

/// Whether somebody can be heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
#[cbor(index_only)]
pub enum Microphone {
    /// There is none.
    #[default]
    #[n(0)]
    Off,
    /// It is there and silent.
    #[n(1)]
    Muted,
    /// It is heard.
    #[n(2)]
    On,
}

/// An application message, before sealing. Members skip the kinds that they do not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, CborLen)]
pub(super) enum Message {
    /// What the sender sends from now on.
    #[n(0)]
    State {
        /// Counts up: the server may hold a message back, and an older one must not win.
        #[n(0)]
        count: u32,
        /// The state.
        #[n(1)]
        state: MediaState,
    },
}

impl Message {
    /// Its bytes in clear, for `Group::seal_message`.
    pub(super) fn encode(self) -> Vec<u8> {
        minicbor::to_vec(self).expect("writing to memory does not fail")
    }

    /// The message in `bytes`; `None` where this client does not understand it.
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
    fn a_state_comes_back_as_it_went_and_nothing_else_does() {
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
