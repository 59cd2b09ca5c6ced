//! The identifiers in messages. All are random numbers or counters, so none identifies a person.

use minicbor::{CborLen, Decode, Encode};
use std::fmt;
use std::str::FromStr;

/// A meeting: 128 random bits, written as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, CborLen)]
#[cbor(transparent)]
pub struct MeetingId(#[cbor(with = "minicbor::bytes")] pub [u8; 16]);

/// A participant of one meeting: random, chosen by the server for one connection.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, CborLen)]
#[cbor(transparent)]
pub struct ParticipantId(pub u64);

/// The MLS epoch (RFC 9420, section 4) that a message belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, CborLen)]
#[cbor(transparent)]
pub struct Epoch(pub u64);

impl Epoch {
    /// Returns the epoch after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// The position of an entry in a meeting's log. The first is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, CborLen)]
#[cbor(transparent)]
pub struct Position(pub u64);

/// Proves on a new connection that the client is a member whose connection was lost. Secret: only the server and that
/// member know it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
#[cbor(transparent)]
pub struct ResumeToken(#[cbor(with = "minicbor::bytes")] pub [u8; 32]);

/// The kind of a participant's track: each slot has at most one. The number is also the stream kind of the `SFrame` key
/// id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, CborLen)]
#[cbor(index_only)]
pub enum Slot {
    /// The microphone.
    #[n(0)]
    Microphone,
    /// The camera.
    #[n(1)]
    Camera,
    /// A shared screen.
    #[n(2)]
    Screen,
}

/// A track: its owner and slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, CborLen)]
pub struct TrackId {
    /// The sender.
    #[n(0)]
    pub owner: ParticipantId,
    /// The sender's slot.
    #[n(1)]
    pub slot: Slot,
}

impl fmt::Debug for ResumeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResumeToken")
    }
}

impl fmt::Display for MeetingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for MeetingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MeetingId({self})")
    }
}

impl fmt::Display for ParticipantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for ParticipantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ParticipantId({self})")
    }
}

/// The error that a text is not 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a meeting's id has 32 hexadecimal digits")]
pub struct UnknownId;

impl FromStr for MeetingId {
    type Err = UnknownId;
    fn from_str(text: &str) -> Result<Self, UnknownId> {
        if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(UnknownId);
        }
        let number = u128::from_str_radix(text, 16).map_err(|_| UnknownId)?;
        Ok(Self(number.to_be_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_meeting_is_written_as_it_is_read() {
        let id = MeetingId([0xab; 16]);
        assert_eq!(id.to_string().parse(), Ok(id));
        for wrong in ["", "abc", &"g".repeat(32), &"a".repeat(33), "+0000000000000000000000000000000"] {
            assert_eq!(wrong.parse::<MeetingId>(), Err(UnknownId));
        }
    }
}
