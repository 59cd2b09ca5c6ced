//! The media tunnel: datagrams in a WebSocket over TLS, for a client whose UDP does not reach the server.
//!
//! A binary message holds whole datagrams, each after its length in two bytes (RFC 4571, section 2). A text message of the
//! client holds the [`MediaPath`] by which the server sends from now on. Both ends use this framing and this queue.

use crate::Malformed;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The path of the tunnel's WebSocket on the server.
pub const TUNNEL_PATH: &str = "/v1/media";

/// The largest datagram in bytes.
pub const MAX_DATAGRAM: usize = 1_500;

/// The maximum length of one WebSocket message of a tunnel in bytes.
pub const MAX_TUNNEL_MESSAGE: usize = 16 << 10;

/// The maximum number of bytes that a sender puts into one message. Longer messages would add delay on a slow path.
pub const TUNNEL_BATCH: usize = 4 << 10;

/// The maximum length of a token in characters.
pub const MAX_TUNNEL_TOKEN: usize = 128;

/// The maximum number of bytes that wait to be written into a tunnel.
pub const MAX_TUNNEL_QUEUE: usize = 256 << 10;

/// How long a datagram may wait to be written into a tunnel. Older media are of no use, and they would delay newer ones.
pub const MAX_TUNNEL_AGE: Duration = Duration::from_millis(200);

/// The maximum number of bytes of a tunnel that the kernel holds before it sends them (`TCP_NOTSENT_LOWAT`).
pub const TUNNEL_UNSENT: u32 = 8 << 10;

/// The path of media between client and server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MediaPath {
    /// UDP.
    Udp,
    /// The tunnel: TLS over TCP.
    Tls,
}

impl MediaPath {
    /// Returns the text of a message that chooses this path.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tls => "tls",
        }
    }

    /// Returns the path that a text message chooses.
    ///
    /// # Errors
    /// Returns [`Malformed`] for any other text.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        match text {
            "udp" => Ok(Self::Udp),
            "tls" => Ok(Self::Tls),
            _ => Err(Malformed),
        }
    }
}

/// Returns true if `token` can be a token of the tunnel: characters of a URL, within the limit.
#[must_use]
pub fn is_tunnel_token(token: &str) -> bool {
    (1..=MAX_TUNNEL_TOKEN).contains(&token.len())
        && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Returns the datagrams of a message, in order. Allocates nothing.
///
/// # Errors
/// Returns [`Malformed`] if the message is empty or too long, if a datagram is empty or longer than [`MAX_DATAGRAM`], or if
/// the last one is not complete.
pub fn datagrams(message: &[u8]) -> Result<impl Iterator<Item = &[u8]>, Malformed> {
    if message.is_empty() || message.len() > MAX_TUNNEL_MESSAGE {
        return Err(Malformed);
    }
    let mut rest = message;
    while !rest.is_empty() {
        (_, rest) = split(rest).ok_or(Malformed)?;
    }
    let mut rest = message;
    Ok(std::iter::from_fn(move || {
        let (datagram, after) = split(rest)?;
        rest = after;
        Some(datagram)
    }))
}

/// Splits the first datagram off.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    let length = usize::from(u16::from_be_bytes(*length));
    if !(1..=MAX_DATAGRAM).contains(&length) {
        return None;
    }
    rest.split_at_checked(length)
}

/// A queue of datagrams, oldest first. It drops the oldest ones if they have too many bytes, and each that has waited for too
/// long. After the first datagrams, adding and taking allocates nothing.
#[derive(Debug)]
pub struct DatagramQueue {
    bytes: VecDeque<u8>,
    /// When each datagram was added, and its length.
    waiting: VecDeque<(Instant, usize)>,
    max_bytes: usize,
    max_age: Duration,
    dropped: u64,
}

impl DatagramQueue {
    /// Returns an empty queue of at most `max_bytes`, in which a datagram waits for at most `max_age`.
    #[must_use]
    pub const fn new(max_bytes: usize, max_age: Duration) -> Self {
        Self { bytes: VecDeque::new(), waiting: VecDeque::new(), max_bytes, max_age, dropped: 0 }
    }

    /// Returns true if no datagram waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Returns how many datagrams were dropped.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Adds a datagram. Drops it if it is empty or longer than [`MAX_DATAGRAM`].
    pub fn push(&mut self, datagram: &[u8], now: Instant) {
        if datagram.is_empty() || datagram.len() > MAX_DATAGRAM {
            self.dropped += 1;
            return;
        }
        while !self.waiting.is_empty() && self.bytes.len() + datagram.len() > self.max_bytes {
            self.drop_first();
        }
        self.bytes.extend(datagram);
        self.waiting.push_back((now, datagram.len()));
    }

    /// Moves the oldest datagram into `buffer`, and returns its length. Returns `None` if the queue is empty. A datagram
    /// that is longer than the buffer is dropped.
    pub fn pop(&mut self, buffer: &mut [u8], now: Instant) -> Option<usize> {
        self.drop_old(now);
        while let Some((_, length)) = self.waiting.front().copied() {
            let Some(target) = buffer.get_mut(..length) else {
                self.drop_first();
                continue;
            };
            target.iter_mut().zip(&self.bytes).for_each(|(to, from)| *to = *from);
            self.remove_first();
            return Some(length);
        }
        None
    }

    /// Appends datagrams with their lengths to `message`, until it would be longer than [`TUNNEL_BATCH`].
    pub fn pop_batch(&mut self, message: &mut Vec<u8>, now: Instant) {
        self.drop_old(now);
        while let Some((_, length)) = self.waiting.front().copied() {
            if message.len() + 2 + length > TUNNEL_BATCH {
                return;
            }
            // `push` bounds the length.
            message.extend(u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes());
            message.extend(self.bytes.iter().take(length));
            self.remove_first();
        }
    }

    /// Drops all datagrams that wait.
    pub fn clear(&mut self) {
        self.dropped += self.waiting.len() as u64;
        self.bytes.clear();
        self.waiting.clear();
    }

    fn drop_old(&mut self, now: Instant) {
        while self.waiting.front().is_some_and(|(at, _)| now.saturating_duration_since(*at) > self.max_age) {
            self.drop_first();
        }
    }

    fn drop_first(&mut self) {
        self.dropped += 1;
        self.remove_first();
    }

    fn remove_first(&mut self) {
        if let Some((_, length)) = self.waiting.pop_front() {
            self.bytes.drain(..length);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(datagrams: &[&[u8]]) -> Vec<u8> {
        let frame = |datagram: &&[u8]| [&u16::try_from(datagram.len()).unwrap().to_be_bytes()[..], datagram].concat();
        datagrams.iter().flat_map(frame).collect()
    }

    #[test]
    fn a_message_holds_whole_datagrams_in_order() {
        let all: [&[u8]; 3] = [b"one", b"", b"three"];
        let message = framed(&[all[0], all[2]]);
        assert_eq!(datagrams(&message).unwrap().collect::<Vec<_>>(), [all[0], all[2]]);
        assert!(datagrams(&framed(&all)).is_err(), "an empty datagram");
        for cut in 1..message.len() {
            let whole = cut == framed(&[all[0]]).len();
            assert_eq!(datagrams(&message[..cut]).is_ok(), whole, "the first {cut} bytes");
        }
        assert!(datagrams(b"").is_err(), "an empty message");
    }

    #[test]
    fn lengths_above_the_limit_are_malformed() {
        let longest = vec![7; MAX_DATAGRAM];
        assert_eq!(datagrams(&framed(&[&longest])).unwrap().next().unwrap().len(), MAX_DATAGRAM);
        assert!(datagrams(&framed(&[&vec![7; MAX_DATAGRAM + 1]])).is_err());
        let mut huge = vec![0xff, 0xff];
        huge.resize(MAX_TUNNEL_MESSAGE, 0);
        assert!(datagrams(&huge).is_err());
        let many = vec![&longest[..]; MAX_TUNNEL_MESSAGE / MAX_DATAGRAM + 1];
        assert!(datagrams(&framed(&many)).is_err(), "a message above the limit");
    }

    #[test]
    fn a_slow_reader_loses_the_oldest_datagrams() {
        let now = Instant::now();
        let mut queue = DatagramQueue::new(10, Duration::from_secs(1));
        for datagram in [b"aaaa", b"bbbb", b"cccc"] {
            queue.push(datagram, now);
        }
        let mut buffer = [0; MAX_DATAGRAM];
        assert_eq!((queue.pop(&mut buffer, now), &buffer[..4], queue.dropped()), (Some(4), &b"bbbb"[..], 1));
        assert_eq!((queue.pop(&mut buffer, now), &buffer[..4]), (Some(4), &b"cccc"[..]));
        assert_eq!(queue.pop(&mut buffer, now), None);
        queue.push(&[1; MAX_DATAGRAM + 1], now);
        assert!(queue.is_empty());
    }

    #[test]
    fn a_datagram_that_has_waited_for_too_long_is_dropped() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut queue = DatagramQueue::new(1_000, Duration::from_millis(200));
        queue.push(b"old", start);
        queue.push(b"new", at(150));
        let mut message = Vec::new();
        queue.pop_batch(&mut message, at(201));
        assert_eq!((message, queue.dropped()), (framed(&[b"new"]), 1));
    }

    #[test]
    fn a_batch_is_bounded_and_the_rest_follows() {
        let now = Instant::now();
        let mut queue = DatagramQueue::new(100_000, Duration::from_secs(1));
        (0..10).for_each(|_| queue.push(&[9; 1_200], now));
        let mut lengths = Vec::new();
        while !queue.is_empty() {
            let mut message = Vec::new();
            queue.pop_batch(&mut message, now);
            assert!(message.len() <= TUNNEL_BATCH);
            lengths.push(datagrams(&message).unwrap().count());
        }
        assert_eq!(lengths, [3, 3, 3, 1]);
    }

    #[test]
    fn a_token_has_only_characters_of_a_url() {
        assert!(is_tunnel_token("09afAF-_") && is_tunnel_token(&"a".repeat(MAX_TUNNEL_TOKEN)));
        for token in ["", "a b", "a\r\nb", "é", &"a".repeat(MAX_TUNNEL_TOKEN + 1)] {
            assert!(!is_tunnel_token(token), "{token:?}");
        }
    }
}
