//! Decides when the windows may be redrawn. Pure: the caller passes the time.

use std::time::{Duration, Instant};

/// Limits how often windows are redrawn for new frames. With a GPU, the limit is the refresh rate of the screen. With
/// software rendering, it is thirty times a second and a third of the time.
#[derive(Debug, Default)]
pub struct Pace {
    last_request: Option<Instant>,
    /// When the redraw in progress started.
    started: Option<Instant>,
    /// No redraw starts before this time.
    paused_until: Option<Instant>,
    /// The duration of a redraw, smoothed.
    cost: Duration,
    software: bool,
    /// The windows are drawn too slowly for tiles at the full frame rate.
    slow: bool,
}

impl Pace {
    /// When the next redraw may be requested. `now` or earlier means at once. At that time, the caller must ask again.
    pub fn due(&self, now: Instant) -> Instant {
        let interval = if self.software { SOFTWARE_INTERVAL } else { GPU_INTERVAL };
        let after_interval = self.last_request.map_or(now, |last| last + interval);
        let after_pause = match (self.started, self.paused_until) {
            // A redraw is in progress. It probably takes as long as the ones before. If it takes longer, poll.
            (Some(since), _) => (since + self.cost + self.pause()).max(now + POLL_INTERVAL).min(since + MAX_INTERVAL),
            (None, until) => until.unwrap_or(now),
        };
        after_interval.max(after_pause)
    }

    /// Records that a redraw was requested.
    pub fn requested(&mut self, now: Instant) {
        self.last_request = Some(now);
    }

    /// Records that a window starts to draw, for any reason. Calls until [`Pace::end`] belong to the same redraw.
    pub fn begin(&mut self, now: Instant) {
        let stuck = self.started.is_some_and(|since| now > since + MAX_INTERVAL);
        if self.started.is_none() || stuck {
            self.started = Some(now);
            // This redraw shows the newest frames too, so it counts as a requested one.
            self.last_request = Some(now);
        }
    }

    /// Records that the redraw is on the screen. `software` is true if the CPU drew it, not the GPU.
    pub fn end(&mut self, now: Instant, software: bool) {
        self.software = software;
        let Some(since) = self.started.take() else { return };
        // With a GPU, the duration includes the wait for the screen, so it says nothing about the cost.
        let cost = if software { now.saturating_duration_since(since) } else { Duration::ZERO };
        self.cost = (self.cost * 3 + cost) / 4;
        self.paused_until = Some(now + self.pause());
        // Two bounds, so that a cost near one of them does not change the rate again and again.
        let interval = self.cost + self.pause();
        self.slow = interval > if self.slow { FAST_INTERVAL } else { SLOW_INTERVAL };
    }

    /// The frames per second of one tile that the windows can show. Further pictures would be decoded but not shown.
    pub fn frame_rate(&self) -> u8 {
        if self.slow { SLOW_FRAME_RATE } else { MAX_FRAME_RATE }
    }

    fn pause(&self) -> Duration {
        (self.cost * PAUSE_FACTOR).min(MAX_PAUSE)
    }
}

/// The minimum interval with a GPU, which also waits for the screen.
const GPU_INTERVAL: Duration = Duration::from_millis(8);
/// The minimum interval with software rendering: 30 frames per second.
const SOFTWARE_INTERVAL: Duration = Duration::from_millis(33);
/// The pause after a redraw, as a multiple of its duration: decoders need the CPU too.
const PAUSE_FACTOR: u32 = 2;
/// The longest pause, so that a slow machine still shows about ten frames per second.
const MAX_PAUSE: Duration = Duration::from_millis(80);
/// If redraws begin at longer intervals than this, tiles get [`SLOW_FRAME_RATE`].
const SLOW_INTERVAL: Duration = Duration::from_millis(70);
/// If redraws begin at shorter intervals than this, tiles get [`MAX_FRAME_RATE`] again.
const FAST_INTERVAL: Duration = Duration::from_millis(45);
/// Half the frame rate of a camera: without the highest temporal layer.
const SLOW_FRAME_RATE: u8 = 15;
/// The frame rate that tiles request, in frames per second.
pub const MAX_FRAME_RATE: u8 = 60;
/// How often a redraw that takes longer than expected is polled.
const POLL_INTERVAL: Duration = Duration::from_millis(4);
/// A redraw that has not ended after this time was abandoned, for example because its window closed.
const MAX_INTERVAL: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    /// Simulates a redraw that takes `cost` whenever the pace allows one. Returns the start times within one second.
    fn redraws_in_a_second(cost: Duration, software: bool) -> Vec<Duration> {
        let start = Instant::now();
        let (mut pace, mut now, mut drawn) = (Pace::default(), start, Vec::new());
        while now < start + ms(3_000) {
            let due = pace.due(now);
            if due > now {
                now = due;
                continue;
            }
            pace.requested(now);
            pace.begin(now);
            drawn.push(now - start);
            now += cost;
            pace.end(now, software);
        }
        drawn.retain(|moment| (ms(1_000)..ms(2_000)).contains(moment));
        drawn
    }

    #[test]
    fn software_draws_at_most_thirty_times_a_second() {
        assert!((30..=31).contains(&redraws_in_a_second(ms(1), true).len()));
        assert!((30..=31).contains(&redraws_in_a_second(ms(10), true).len()));
    }

    #[test]
    fn software_draws_for_at_most_a_third_of_the_time() {
        for cost in [15, 20, 40] {
            let drawn = redraws_in_a_second(ms(cost), true).len() as u64;
            assert!((280..=360).contains(&(drawn * cost)), "{drawn} of {cost} ms");
        }
    }

    #[test]
    fn a_slow_machine_still_shows_movement() {
        assert!(redraws_in_a_second(ms(60), true).len() >= 7);
    }

    #[test]
    fn a_gpu_draws_at_the_rate_of_the_screen() {
        assert!(redraws_in_a_second(ms(16), false).len() >= 60);
    }

    #[test]
    fn tiles_get_half_the_frame_rate_while_redraws_take_too_long() {
        let (mut pace, mut now) = (Pace::default(), Instant::now());
        let mut rates = |cost: u64, count| -> Vec<u8> {
            let mut draw = |_| {
                pace.begin(now);
                now += ms(cost);
                pace.end(now, true);
                now += ms(100);
                pace.frame_rate()
            };
            (0..count).map(&mut draw).collect()
        };
        assert!(rates(15, 60).iter().all(|rate| *rate == 60));
        assert_eq!(rates(30, 60).last(), Some(&15));
        assert!(rates(20, 60).iter().all(|rate| *rate == 15), "20 redraws a second are between the bounds");
        assert_eq!(rates(10, 60).last(), Some(&60));
    }

    #[test]
    fn a_redraw_in_progress_delays_the_next() {
        let now = Instant::now();
        let mut pace = Pace::default();
        pace.end(now, true);
        pace.requested(now);
        pace.begin(now);
        assert!(pace.due(now + ms(50)) > now + ms(50), "the redraw is in progress");
        pace.end(now + ms(60), true);
        assert!(pace.due(now + ms(60)) > now + ms(60), "a pause follows");
        assert!(pace.due(now + ms(60)) <= now + ms(60) + MAX_PAUSE);
    }

    #[test]
    fn a_redraw_that_never_ends_does_not_block_the_next() {
        let now = Instant::now();
        let mut pace = Pace::default();
        pace.requested(now);
        pace.begin(now);
        assert!(pace.due(now + ms(1_001)) <= now + ms(1_001));
        pace.begin(now + ms(1_100));
        pace.end(now + ms(1_110), true);
        assert!(pace.cost < ms(20), "the abandoned redraw is not counted");
    }
}
