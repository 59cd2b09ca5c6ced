//! The unencrypted header of an MLS message. It is read before MLS processes the message.
//!
//! ```text
//! MLSMessage (RFC 9420, sections 6 and 6.3.1) = version 2 B | wire format 2 B | group id <V> | epoch 8 B | content type 1 B | ...
//! ```
//! The header is not authenticated when it is read here. MLS uses the same content type, so a commit with another
//! content type in its header is not processed as a commit.

/// The unencrypted header of a `PrivateMessage`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Envelope {
    /// The MLS epoch in its header.
    pub epoch: u64,
    /// The content type in its header.
    pub content: Content,
}

/// The content type of a message (RFC 9420, section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Application,
    Proposal,
    Commit,
}

impl Envelope {
    /// Reads the header of `bytes`. Returns `None` if they are not a `PrivateMessage` of MLS 1.0.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(&[MLS_1_0, PRIVATE_MESSAGE].concat()[..])?;
        let (length, rest) = read_length(rest)?;
        let (epoch, rest) = rest.get(length..)?.split_first_chunk::<8>()?;
        let content = match rest.first()? {
            1 => Content::Application,
            2 => Content::Proposal,
            3 => Content::Commit,
            _ => return None,
        };
        Some(Self { epoch: u64::from_be_bytes(*epoch), content })
    }
}

/// Reads a variable-size length (RFC 9420, section 2.1.2): its first two bits say whether it takes 1, 2 or 4 bytes.
/// Returns it and the remaining bytes.
fn read_length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let first = *bytes.first()?;
    let size = match first >> 6 {
        0 => 1,
        1 => 2,
        2 => 4,
        _ => return None,
    };
    let (head, rest) = bytes.split_at_checked(size)?;
    let length = head[1..].iter().fold(usize::from(first & 0x3f), |sum, byte| sum << 8 | usize::from(*byte));
    Some((length, rest))
}

const MLS_1_0: [u8; 2] = [0, 1];
const PRIVATE_MESSAGE: [u8; 2] = [0, 2];

#[cfg(test)]
mod tests {
    use super::*;

    fn message(group: &[u8], content: u8) -> Vec<u8> {
        let length = u8::try_from(group.len()).unwrap();
        [&[0, 1, 0, 2, length], group, &7u64.to_be_bytes(), &[content, 0xaa]].concat()
    }

    #[test]
    fn the_header_of_a_private_message_is_read() {
        assert_eq!(Envelope::read(&message(&[9; 16], 3)), Some(Envelope { epoch: 7, content: Content::Commit }));
        assert_eq!(Envelope::read(&message(&[], 1)), Some(Envelope { epoch: 7, content: Content::Application }));
    }

    #[test]
    fn other_bytes_are_not_a_private_message() {
        let whole = message(&[9; 16], 1);
        for length in 0..whole.len() - 1 {
            assert_eq!(Envelope::read(&whole[..length]), None);
        }
        assert_eq!(Envelope::read(&message(&[9; 16], 4)), None);
        assert_eq!(Envelope::read(&[&[0, 2], &whole[2..]].concat()), None, "another version");
        assert_eq!(Envelope::read(&[&[0, 1, 0, 1], &whole[4..]].concat()), None, "a public message");
        assert_eq!(Envelope::read(&[0, 1, 0, 2, 0xbf, 0xff, 0xff, 0xff, 0]), None, "a length beyond the end");
    }
}
