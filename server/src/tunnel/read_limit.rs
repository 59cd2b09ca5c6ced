//! How fast the messages of a tunnel are read, and in which parts they reach the media thread. Pure: the caller passes the time.

use crate::bucket::Bucket;
use bytes::Bytes;
use std::time::Instant;
use tokio_tungstenite::tungstenite::Message;

/// The bytes that one tunnel may send. A datagram counts for at least [`MIN_DATAGRAM_COST`], because the media thread needs about the
/// same time for each.
#[derive(Debug)]
pub struct ReadLimit {
    bytes: Bucket,
    /// The cost of the message that waits. It may be higher than the burst.
    owed: u32,
}

impl ReadLimit {
    /// Returns the limit of a tunnel that has sent nothing.
    pub fn new(now: Instant) -> Self {
        Self { bytes: Bucket::new(BYTES_PER_SECOND, BYTE_BURST, now), owed: 0 }
    }

    /// Adds the cost of a message.
    pub fn add(&mut self, message: &Message) {
        self.owed = self.owed.saturating_add(cost(message));
    }

    /// Pays for what was added. Returns false if that is not possible yet: the caller calls it again later.
    pub fn pay(&mut self, now: Instant) -> bool {
        while self.owed > 0 {
            let part = self.owed.min(BYTE_BURST);
            if !self.bytes.take(part, now) {
                return false;
            }
            self.owed -= part;
        }
        true
    }
}

/// Returns the cost of a message in bytes. A choice of the path costs as much as a small datagram. A malformed message ends the tunnel.
fn cost(message: &Message) -> u32 {
    let datagrams = match message {
        Message::Binary(bytes) => proto::datagrams(bytes).ok(),
        Message::Text(_) | Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_) => None,
    };
    let cost = |length: usize| length.max(MIN_DATAGRAM_COST);
    let bytes = datagrams.map_or_else(|| cost(message.len()), |all| all.map(|datagram| cost(datagram.len())).sum());
    u32::try_from(bytes).unwrap_or(u32::MAX).saturating_add(MESSAGE_COST)
}

/// Splits a valid message into valid messages of at most [`MAX_DATAGRAMS`], without a copy. The media thread runs its timers and reads
/// its other queues between them.
pub fn parts(message: Bytes) -> impl Iterator<Item = Bytes> {
    let mut rest = message;
    std::iter::from_fn(move || {
        let datagrams = proto::datagrams(&rest).ok()?;
        let length = datagrams.take(MAX_DATAGRAMS).map(|datagram| datagram.len() + LENGTH_BYTES).sum();
        Some(rest.split_to(length))
    })
}

/// The maximum number of datagrams that the media thread handles without running its timers.
pub const MAX_DATAGRAMS: usize = 128;

/// Average bytes per second from one tunnel: camera and screen at their highest bitrates.
const BYTES_PER_SECOND: u32 = 4 << 20;

/// Bytes that a tunnel may send at once after a pause.
const BYTE_BURST: u32 = 1 << 20;

/// The bytes for which a smaller datagram counts. So a tunnel has 8,388 datagrams a second at most. A client sends fewer than 3,500: see
/// the test.
const MIN_DATAGRAM_COST: usize = 500;

/// The bytes for which a message counts in addition.
const MESSAGE_COST: u32 = 64;

/// The bytes of a datagram's length in a message.
const LENGTH_BYTES: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// Returns a message of `count` datagrams of `length` bytes.
    fn message(count: usize, length: u16) -> Bytes {
        let datagram = [&length.to_be_bytes()[..], &vec![7; length.into()]].concat();
        datagram.repeat(count).into()
    }

    /// Returns how many messages are read within `time`, which passes in steps of 5 ms.
    fn read(message: &Bytes, time: Duration) -> usize {
        let (start, mut limit, mut count) = (Instant::now(), ReadLimit::new(Instant::now()), 0);
        let (mut now, message) = (start, Message::Binary(message.clone()));
        limit.add(&message);
        while now <= start + time {
            if limit.pay(now) {
                count += 1;
                limit.add(&message);
            } else {
                now += Duration::from_millis(5);
            }
        }
        count
    }

    #[test]
    fn small_datagrams_of_a_tunnel_cost_more_than_their_bytes() {
        let tiny = message(5_000, 1);
        assert!(proto::datagrams(&tiny).is_ok() && tiny.len() < proto::MAX_TUNNEL_MESSAGE);
        // 8,388 datagrams a second, and 2,097 at once.
        assert_eq!(read(&tiny, Duration::ZERO), 0, "one message is more than the burst");
        assert_eq!(read(&tiny, Duration::from_secs(10)), (83_880 + 2_097) / 5_000);
        let sound = message(1_170, 12);
        assert!(read(&sound, Duration::from_secs(10)) <= (83_880 + 2_097) / 1_170);
        let large = message(10, 1_500);
        assert_eq!(read(&large, Duration::from_secs(10)), (41 << 20) / (15_000 + 64), "large ones cost their bytes");
        for other in [Message::Text("udp".into()), Message::Ping(Bytes::new())] {
            assert_eq!(cost(&other), 564, "{other:?}");
        }
    }

    /// The highest rate of a client in a meeting of 25: pictures of camera and screen, sound with retransmissions and a packet for each
    /// 10 ms, reports and requests about 48 tracks, one every 2 ms, and padding in the smallest packets to measure the uplink. A network
    /// that stops for 200 ms, the age at which the client drops datagrams, delivers everything at once.
    #[test]
    fn what_a_client_sends_through_its_tunnel_is_never_delayed() {
        let (pictures, small, padding) = (8_000_000 / 8 / 1_200, 100 + 500, 4_000_000 / 8 / 255_usize);
        let all = pictures + small + padding;
        assert!(all < 3_500, "{all}");
        let start = Instant::now();
        let (mut limit, mut now) = (ReadLimit::new(start), start);
        for step in 0..3_000 {
            // What comes in 20 ms, and ten times as much after each pause of 200 ms.
            let times = if step % 20 == 0 { 10 } else { usize::from(step % 20 >= 10) };
            for (length, count) in [(1_200, pictures), (100, small), (255, padding)] {
                let in_message = proto::TUNNEL_BATCH / (usize::from(length) + LENGTH_BYTES);
                for _ in 0..(times * count.div_ceil(50)).div_ceil(in_message) {
                    limit.add(&Message::Binary(message(in_message, length)));
                    assert!(limit.pay(now), "step {step}");
                }
            }
            now += Duration::from_millis(20);
        }
    }

    #[test]
    fn a_message_reaches_the_media_thread_in_parts_of_whole_datagrams() {
        let many: Vec<_> = parts(message(5_000, 1)).collect();
        assert!(many.iter().all(|part| proto::datagrams(part).unwrap().count() <= MAX_DATAGRAMS));
        assert_eq!((many.len(), many.concat()), (40, message(5_000, 1).to_vec()));
        let one = message(3, 1_200);
        assert_eq!(parts(one.clone()).collect::<Vec<_>>(), [one]);
        assert_eq!(parts(Bytes::new()).count(), 0);
    }
}
