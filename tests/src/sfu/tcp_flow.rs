//! A TCP connection that sends as much as it can: CUBIC with its Reno-friendly region (RFC 9438), selective acknowledgements, and no
//! pacing. Pure: the caller passes the time and carries the segments.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The sender of a TCP connection.
#[derive(Debug)]
pub struct TcpFlow {
    /// The segments that are on their way, oldest first, and when each was sent.
    flying: VecDeque<(u64, Instant)>,
    /// The number of the next segment.
    next: u64,
    /// The congestion window, in segments.
    window: f64,
    slow_start: bool,
    /// The window before the last decrease, and the time of that decrease.
    before: (f64, Instant),
    /// The window that Reno would have.
    friendly: f64,
    /// Losses of segments before this one belong to the last decrease.
    recovered_at: u64,
    round_trip: Duration,
    acknowledged: Instant,
    /// The bytes that arrived, with headers.
    pub carried: u64,
}

impl TcpFlow {
    /// Returns a connection that begins to send.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self {
            flying: VecDeque::new(),
            next: 0,
            window: INITIAL_WINDOW,
            slow_start: true,
            before: (0.0, now),
            friendly: 0.0,
            recovered_at: 0,
            round_trip: Duration::from_millis(10),
            acknowledged: now,
            carried: 0,
        }
    }

    /// Returns the next segment if the window has room for it.
    #[expect(clippy::cast_precision_loss, reason = "a window of a few hundred segments")]
    pub fn poll_segment(&mut self, now: Instant) -> Option<u64> {
        if now.saturating_duration_since(self.acknowledged) > TIMEOUT {
            self.flying.clear();
            (self.window, self.acknowledged) = (2.0, now);
        }
        if self.flying.len() as f64 + 1.0 > self.window {
            return None;
        }
        let number = self.next;
        self.next += 1;
        self.flying.push_back((number, now));
        Some(number)
    }

    /// Handles the acknowledgement of a segment. Older segments that were not acknowledged are lost.
    pub fn handle_acknowledgement(&mut self, number: u64, now: Instant) {
        self.acknowledged = now;
        self.carried += SEGMENT_BYTES as u64;
        let Some(index) = self.flying.iter().position(|(flying, _)| *flying == number) else { return };
        if let Some((_, sent)) = self.flying.remove(index) {
            self.round_trip = now.saturating_duration_since(sent).max(Duration::from_millis(1));
        }
        let mut lost = false;
        while let Some((oldest, _)) = self.flying.front().filter(|(oldest, _)| oldest + REORDERING < number) {
            lost |= *oldest >= self.recovered_at;
            self.flying.pop_front();
        }
        if lost { self.decrease(now) } else { self.increase(now) }
    }

    fn decrease(&mut self, now: Instant) {
        self.before = (self.window, now);
        self.window = (self.window * DECREASE).max(2.0);
        (self.friendly, self.slow_start, self.recovered_at) = (self.window, false, self.next);
    }

    fn increase(&mut self, now: Instant) {
        if self.slow_start {
            self.window += 1.0;
            return;
        }
        let (max, at) = self.before;
        let since = (now.saturating_duration_since(at) + self.round_trip).as_secs_f64();
        let target = CUBIC * (since - (max * (1.0 - DECREASE) / CUBIC).cbrt()).powi(3) + max;
        self.friendly += FRIENDLY / self.friendly.max(1.0);
        let step = ((target - self.window) / self.window).clamp(0.01 / self.window, 0.5);
        self.window = (self.window + step).max(self.friendly);
    }
}

/// The bytes of a segment, with headers.
pub const SEGMENT_BYTES: usize = 1_500;

const INITIAL_WINDOW: f64 = 10.0;

/// The factor of a decrease, and the constant of the cubic function.
const DECREASE: f64 = 0.7;
const CUBIC: f64 = 0.4;

/// Segments by which Reno with this decrease must grow in each round trip: 3 (1 - 0.7) / (1 + 0.7).
const FRIENDLY: f64 = 0.53;

/// A segment is lost if one that is this much later was acknowledged.
const REORDERING: u64 = 3;

/// The time without an acknowledgement after which all segments are lost.
const TIMEOUT: Duration = Duration::from_secs(1);
