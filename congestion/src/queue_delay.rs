//! How long packets wait in queues on the path.

use std::time::Duration;

/// The one-way delay above its minimum of the last five to ten seconds. The two clocks have unknown origins, so only
/// differences count. RFC 6817 (LEDBAT), section 3.4, measures the base delay in the same way.
///
/// The standing queue is the minimum over 150 ms: jitter and single bursts do not count, a queue that stays does
/// (RFC 8289, section 3.2, controls a queue by the same measure).
#[derive(Clone, Debug, Default)]
pub struct QueueDelay {
    current: f64,
    /// The minima of the last periods of 50 ms, the newest first.
    recent: [f64; 3],
    /// When the newest of these periods began.
    recent_started: f64,
    /// The smoothed absolute difference between the minima of successive periods.
    jitter: f64,
    last: Option<f64>,
    last_sent: f64,
    /// The minimum delay of this period of five seconds, and of the one before.
    minimum: Option<f64>,
    before: Option<f64>,
    base: f64,
    /// When this period began.
    started: f64,
    /// Since when others have filled the queue.
    held: Option<f64>,
}

impl QueueDelay {
    /// Adds a packet.
    pub fn add(&mut self, sent: Duration, arrived: Duration) {
        let (sent, arrived) = (sent.as_secs_f64(), arrived.as_secs_f64());
        let delay = arrived - sent;
        if self.last.is_some_and(|last| (delay - last).abs() > MAX_JUMP) {
            *self = Self { recent: [delay; 3], started: sent, recent_started: sent, ..Self::default() };
        }
        if self.last.is_none() {
            self.recent = [delay; 3];
        }
        self.last = Some(delay);
        self.last_sent = sent;
        let held = self.held.is_some_and(|since| sent - since < MAX_HOLD);
        if sent - self.started > PERIOD && !held {
            self.started = sent;
            self.before = self.minimum.take();
        }
        self.minimum = Some(self.minimum.map_or(delay, |minimum| minimum.min(delay)));
        let base = self.before.into_iter().chain(self.minimum).fold(f64::INFINITY, f64::min);
        self.base = base;
        if sent - self.recent_started > RECENT_PERIOD {
            self.recent_started = sent;
            self.jitter += JITTER_SMOOTHING * ((self.recent[0] - self.recent[1]).abs() - self.jitter);
            self.recent = [delay, self.recent[0], self.recent[1]];
        }
        self.recent[0] = self.recent[0].min(delay);
        self.current += SMOOTHING * ((delay - base).max(0.0) - self.current);
    }

    /// Keeps the base delay while `held` is true: others fill the queue, so it is never empty. Otherwise the delay of their
    /// queue would become the base delay.
    pub fn hold(&mut self, held: bool) {
        let since = self.held.unwrap_or(self.last_sent);
        self.held = held.then_some(since);
    }

    /// Returns the delay of the standing queue, in seconds.
    pub fn standing(&self) -> f64 {
        (self.recent.iter().copied().fold(f64::INFINITY, f64::min) - self.base).max(0.0)
    }

    /// Returns the smoothed delay in queues, in seconds.
    pub fn current(&self) -> f64 {
        self.current
    }

    /// Returns the jitter in seconds: how much the minimum delay changes from one 50 ms to the next. A picture that takes
    /// long to send on a slow link does not count.
    pub fn jitter(&self) -> f64 {
        self.jitter
    }
}

/// Seconds of one period of the minimum.
const PERIOD: f64 = 5.0;

/// Seconds for which the base delay is kept at most: a change of the route may have raised it.
const MAX_HOLD: f64 = 60.0;

/// The weight of a period in the jitter.
const JITTER_SMOOTHING: f64 = 0.05;

/// Seconds of one period of the standing queue.
const RECENT_PERIOD: f64 = 0.05;

/// The weight of a packet in the smoothed delay.
const SMOOTHING: f64 = 0.2;

/// Seconds: if the delay changes by more between two packets, a clock has jumped.
const MAX_JUMP: f64 = 5.0;

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the standing queue after 20 s in which the queue was never empty.
    fn standing(held: bool) -> f64 {
        let mut queue = QueueDelay::default();
        for millis in 0..21_000 {
            let delay = if millis < 1_000 { 10 } else { 110 };
            queue.add(Duration::from_millis(millis), Duration::from_millis(millis + delay));
            if millis == 3_000 {
                queue.hold(held);
            }
        }
        queue.standing()
    }

    #[test]
    fn the_queue_of_others_does_not_become_the_base_delay_while_it_is_held() {
        assert!((standing(true) - 0.1).abs() < 0.001, "{}", standing(true));
        assert!(standing(false) < 0.001);
    }
}
