//! A token bucket that limits the messages or bytes of a connection. Pure: the caller passes the time.

use std::time::Instant;

/// A token bucket.
#[derive(Clone, Debug)]
pub struct Bucket {
    tokens_left: f64,
    /// The maximum of `tokens_left`.
    burst: f64,
    /// Tokens per second.
    rate: f64,
    last_refill: Instant,
}

impl Bucket {
    /// Returns a full bucket that gains `rate` tokens per second and holds at most `burst`.
    pub fn new(rate: u32, burst: u32, now: Instant) -> Self {
        Self { tokens_left: f64::from(burst), burst: f64::from(burst), rate: f64::from(rate), last_refill: now }
    }

    /// Takes `tokens`. Returns false and takes nothing if there are fewer.
    pub fn take(&mut self, tokens: u32, now: Instant) -> bool {
        let enough = self.has(tokens, now);
        if enough {
            self.tokens_left -= f64::from(tokens);
        }
        enough
    }

    /// Returns whether there are `tokens`.
    pub fn has(&mut self, tokens: u32, now: Instant) -> bool {
        self.refill(now);
        self.tokens_left >= f64::from(tokens)
    }

    /// Returns whether the bucket is full, as a new one is.
    pub fn is_full(&mut self, now: Instant) -> bool {
        self.refill(now);
        self.tokens_left >= self.burst
    }

    fn refill(&mut self, now: Instant) {
        let gained = now.saturating_duration_since(self.last_refill).as_secs_f64() * self.rate;
        self.tokens_left = (self.tokens_left + gained).min(self.burst);
        self.last_refill = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_burst_passes_and_then_the_rate_limits() {
        let start = Instant::now();
        let mut bucket = Bucket::new(10, 5, start);
        assert!((0..5).all(|_| bucket.take(1, start)));
        assert!(!bucket.take(1, start));
        let later = start + Duration::from_millis(200);
        assert!(bucket.take(2, later));
        assert!(!bucket.take(1, later));
        assert!(bucket.take(5, later + Duration::from_mins(1)), "the bucket is full");
        assert!(!bucket.take(1, later), "an earlier time adds nothing");
    }
}
