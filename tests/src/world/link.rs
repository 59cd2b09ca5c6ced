//! The way between one client and the server.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use std::time::{Duration, Instant};

/// A direction.
#[derive(Clone, Copy)]
pub(super) enum Direction {
    Up = 0,
    Down = 1,
}

/// One connection: in order and without loss in each direction, as late as it likes, until it dies.
pub(super) struct Link {
    /// When the last message of each lane arrives: the next one comes no earlier.
    last: [Instant; 2],
    /// The least that a message takes, in microseconds.
    base: u64,
    /// What a message takes more at most, in microseconds.
    jitter: u64,
    /// How many messages of a thousand wait for a retransmission.
    stalls: u32,
    cut: bool,
}

impl Link {
    /// A link of some quality, from next door to bad radio.
    pub(super) fn new(now: Instant, random: &mut ChaCha8Rng) -> Self {
        let base = random.random_range(500..150_000);
        let jitter = random.random_range(100..120_000);
        Self { last: [now; 2], base, jitter, stalls: random.random_range(0..30), cut: false }
    }

    /// When a message that is sent now arrives.
    pub(super) fn arrival(&mut self, send_stream: Direction, now: Instant, random: &mut ChaCha8Rng) -> Instant {
        let stalled = random.random_range(0..1_000) < self.stalls;
        let stall = if stalled { random.random_range(200_000..1_500_000) } else { 0 };
        let time = self.base + random.random_range(0..self.jitter) + stall;
        let last = &mut self.last[send_stream as usize];
        *last = (now + Duration::from_micros(time)).max(*last);
        *last
    }

    pub(super) fn cut(&mut self) {
        self.cut = true;
    }

    pub(super) fn is_cut(&self) -> bool {
        self.cut
    }
}
