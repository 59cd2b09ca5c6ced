//! Messages of TURN in a stream (RFC 8656, sections 12.4 and 12.5; RFC 8489, section 6.2.2). A STUN message has its length in its
//! header, and `ChannelData` as well; `ChannelData` is padded to a multiple of four bytes. Pure.

use proto::Malformed;

/// Splits a stream into messages. Keeps the bytes of a message that is not complete yet.
#[derive(Debug, Default)]
pub struct MessageDecoder {
    bytes: Vec<u8>,
}

impl MessageDecoder {
    /// Handles the next bytes of the stream. Calls `each` with each complete message, without padding.
    ///
    /// # Errors
    /// Returns [`Malformed`] if the bytes are not a message, or if a message is longer than [`MAX_FRAME`]. The stream cannot be
    /// used after that.
    pub fn push(&mut self, bytes: &[u8], mut each: impl FnMut(&[u8])) -> Result<(), Malformed> {
        self.bytes.extend(bytes);
        let mut rest = self.bytes.as_slice();
        while let Some((length, padded)) = frame_length(rest)? {
            let Some((frame, after)) = rest.split_at_checked(padded) else { break };
            each(&frame[..length]);
            rest = after;
        }
        let used = self.bytes.len() - rest.len();
        self.bytes.drain(..used);
        Ok(())
    }
}

/// Appends a message of the WebRTC stack to `stream`, with the padding that a stream needs. Appends nothing if it is not a
/// message of TURN.
pub fn encode_message(message: &[u8], stream: &mut Vec<u8>) {
    if let Ok(Some((length, padded))) = frame_length(message)
        && message.len() >= length
    {
        stream.extend(&message[..length]);
        stream.extend(&[0; 3][..padded - length]);
    }
}

/// Returns the length of the first message without and with padding, or `None` if its header is not complete.
fn frame_length(bytes: &[u8]) -> Result<Option<(usize, usize)>, Malformed> {
    let [first, _, high, low, ..] = bytes else { return Ok(None) };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    let (length, padded) = match first {
        0..=3 if length.is_multiple_of(4) => (STUN_HEADER + length, STUN_HEADER + length),
        0x40..=0x7f => (CHANNEL_HEADER + length, (CHANNEL_HEADER + length).next_multiple_of(4)),
        _ => return Err(Malformed),
    };
    if length > MAX_FRAME { Err(Malformed) } else { Ok(Some((length, padded))) }
}

/// The longest message in bytes: the largest datagram in a Data indication.
const MAX_FRAME: usize = 2_048;

const STUN_HEADER: usize = 20;
const CHANNEL_HEADER: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn stun(length: u8) -> Vec<u8> {
        let mut message = vec![0, 3, 0, length];
        message.resize(STUN_HEADER + usize::from(length), 7);
        message
    }

    fn channel_data(length: u8) -> Vec<u8> {
        let mut message = vec![0x40, 1, 0, length];
        message.resize(CHANNEL_HEADER + usize::from(length), 9);
        message
    }

    #[test]
    fn messages_are_the_same_at_the_other_end_however_the_stream_is_cut() {
        let messages = [stun(0), channel_data(5), stun(8), channel_data(8), channel_data(0), channel_data(3)];
        let mut stream = Vec::new();
        for message in &messages {
            encode_message(message, &mut stream);
        }
        assert!(stream.len().is_multiple_of(4));
        for size in 1..stream.len() {
            let (mut frames, mut received) = (MessageDecoder::default(), Vec::new());
            for part in stream.chunks(size) {
                frames.push(part, |frame| received.push(frame.to_vec())).unwrap();
            }
            assert_eq!(received, messages, "parts of {size} bytes");
            assert!(frames.bytes.is_empty());
        }
    }

    #[test]
    fn padding_of_the_stack_is_not_counted() {
        let mut padded = channel_data(5);
        padded.extend([0; 3]);
        let mut stream = Vec::new();
        encode_message(&padded, &mut stream);
        assert_eq!(stream, padded);
        encode_message(&[0x80; 40], &mut stream);
        encode_message(&[], &mut stream);
        assert_eq!(stream, padded, "no messages of TURN");
    }

    #[test]
    fn garbage_and_huge_lengths_end_the_stream() {
        for wrong in [&[0x80, 0, 0, 0][..], &[0, 1, 0, 3], &[0x16, 3, 1, 0], &[0x40, 0, 0xff, 0xff], b"HTTP"] {
            assert_eq!(MessageDecoder::default().push(wrong, |_| panic!("a message")), Err(Malformed), "{wrong:?}");
        }
    }
}
