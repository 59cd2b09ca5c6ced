//! A token bucket: how many messages, or bytes, a connection may still say.
//! Pure: the caller brings the clock.

use std::time::Instant;

/// Fills at a steady rate up to a burst, and empties by what is taken.
#[derive(Debug)]
pub struct Bucket {
    level: f64,
    burst: f64,
    rate: f64,
    filled: Instant,
}

impl Bucket {
    /// A full bucket that gains `rate` tokens a second and holds `burst` at most.
    pub fn new(rate: u32, burst: u32, now: Instant) -> Self {
        Self { level: f64::from(burst), burst: f64::from(burst), rate: f64::from(rate), filled: now }
    }

    /// Takes `tokens`. False where there are not as many; nothing is taken then.
    pub fn take(&mut self, tokens: u32, now: Instant) -> bool {
        let gained = now.saturating_duration_since(self.filled).as_secs_f64() * self.rate;
        self.level = (self.level + gained).min(self.burst);
        self.filled = now;
        let enough = self.level >= f64::from(tokens);
        if enough {
            self.level -= f64::from(tokens);
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_burst_passes_then_the_rate_holds() {
        let start = Instant::now();
        let mut bucket = Bucket::new(10, 5, start);
        assert!((0..5).all(|_| bucket.take(1, start)));
        assert!(!bucket.take(1, start));
        let later = start + Duration::from_millis(200);
        assert!(bucket.take(2, later));
        assert!(!bucket.take(1, later));
        assert!(bucket.take(5, later + Duration::from_mins(1)), "never more than the burst, but that");
        assert!(!bucket.take(1, later), "a clock that goes back gives nothing");
    }
}
