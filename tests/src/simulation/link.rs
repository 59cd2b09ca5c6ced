//! The simulated network link between one client and the server.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use std::time::{Duration, Instant};

/// The direction of a message: up to the server, down to the client.
#[derive(Clone, Copy)]
pub(super) enum Direction {
    Up = 0,
    Down = 1,
}

/// One connection: in order and without loss in each direction, with random delays, until it is cut.
pub(super) struct Link {
    /// When the last message of each direction arrives. The next one arrives no earlier.
    last: [Instant; 2],
    /// The minimum delay, in microseconds.
    base: u64,
    /// The maximum additional delay, in microseconds.
    jitter: u64,
    /// How many of a thousand messages wait for a retransmission.
    stalls: u32,
    cut: bool,
}

impl Link {
    /// Returns a link of random quality, from a local network to bad radio.
    pub(super) fn new(now: Instant, random: &mut ChaCha8Rng) -> Self {
        let base = random.random_range(500..150_000);
        let jitter = random.random_range(100..120_000);
        Self { last: [now; 2], base, jitter, stalls: random.random_range(0..30), cut: false }
    }

    /// Returns when a message that is sent now arrives.
    pub(super) fn arrival(&mut self, direction: Direction, now: Instant, random: &mut ChaCha8Rng) -> Instant {
        let stalled = random.random_range(0..1_000) < self.stalls;
        let stall = if stalled { random.random_range(200_000..1_500_000) } else { 0 };
        let time = self.base + random.random_range(0..self.jitter) + stall;
        let last = &mut self.last[direction as usize];
        *last = (now + Duration::from_micros(time)).max(*last);
        *last
    }

    pub(super) fn set_cut(&mut self, cut: bool) {
        self.cut = cut;
    }

    pub(super) fn is_cut(&self) -> bool {
        self.cut
    }
}
