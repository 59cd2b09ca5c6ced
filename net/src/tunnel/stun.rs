//! What a datagram of the WebRTC stack is (RFC 7983, section 7; RFC 8489, section 5).

/// The id of a STUN transaction.
pub type TransactionId = [u8; 12];

/// The kind of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A connectivity check: a STUN binding request.
    Check(TransactionId),
    /// The answer to a check.
    CheckAnswer(TransactionId),
    /// Another STUN message.
    OtherStun,
    /// A part of the DTLS handshake or its end.
    Dtls,
    /// RTP, RTCP, or something else.
    Media,
}

impl Kind {
    /// Returns the kind of a datagram.
    pub fn of(datagram: &[u8]) -> Self {
        match datagram {
            [first, second, _, _, 0x21, 0x12, 0xa4, 0x42, rest @ ..] if *first < 4 => match rest.first_chunk::<12>() {
                Some(id) if [*first, *second] == [0, 1] => Self::Check(*id),
                Some(id) if [*first, *second] == [1, 1] => Self::CheckAnswer(*id),
                Some(_) | None => Self::OtherStun,
            },
            [20..=63, ..] => Self::Dtls,
            _ => Self::Media,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datagrams_are_told_apart_by_their_first_bytes() {
        let stun = |kind: [u8; 2]| [&kind[..], &[0, 0, 0x21, 0x12, 0xa4, 0x42], &[7; 12]].concat();
        assert_eq!(Kind::of(&stun([0, 1])), Kind::Check([7; 12]));
        assert_eq!(Kind::of(&stun([1, 1])), Kind::CheckAnswer([7; 12]));
        assert_eq!(Kind::of(&stun([1, 0x11])), Kind::OtherStun);
        assert_eq!(Kind::of(&stun([0, 1])[..19]), Kind::OtherStun, "too short");
        assert_eq!(Kind::of(&[22, 254, 253]), Kind::Dtls);
        assert_eq!((Kind::of(&[0x80, 111]), Kind::of(&[])), (Kind::Media, Kind::Media));
    }
}
