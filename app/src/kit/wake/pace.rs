//! Decides when the windows may be drawn again. Pure: every moment comes from the caller.

use std::time::{Duration, Instant};

/// How often windows are drawn for new pictures: not more often than the screen shows them, and where the processor draws,
/// for no more than a third of the time.
#[derive(Debug, Default)]
pub struct Pace {
    last_request: Option<Instant>,
    started: Option<Instant>,
    rested_until: Option<Instant>,
    // Of one redraw, smoothed.
    cost: Duration,
    software: bool,
}

impl Pace {
    /// When the next redraw may be asked for; at or before `now` means at once. Ask again when that moment has come.
    pub fn due(&self, now: Instant) -> Instant {
        let shortest = if self.software { SOFTWARE_INTERVAL } else { GPU_INTERVAL };
        let paced = self.last_request.map_or(now, |last| last + shortest);
        let rested = match (self.started, self.rested_until) {
            // Not ended yet: as long as they took lately, and a look later if it takes longer.
            (Some(since), _) => (since + self.cost + self.rest()).max(now + POLL_INTERVAL).min(since + MAX_INTERVAL),
            (None, rested) => rested.unwrap_or(now),
        };
        paced.max(rested)
    }

    /// A redraw was asked for.
    pub fn requested(&mut self, now: Instant) {
        self.last_request = Some(now);
    }

    /// A window begins to draw itself, whoever asked for it. Calls until [`Pace::end`] are the same redraw.
    pub fn begin(&mut self, now: Instant) {
        let stuck = self.started.is_some_and(|since| now > since + MAX_INTERVAL);
        if self.started.is_none() || stuck {
            self.started = Some(now);
            // It shows what was wished for meanwhile, as if we had asked.
            self.last_request = Some(now);
        }
    }

    /// It is on the screen; `processor` where no graphics card has drawn it.
    pub fn end(&mut self, now: Instant, software: bool) {
        self.software = software;
        let Some(since) = self.started.take() else { return };
        // A card waits for the screen, not for us, so its time says nothing.
        let cost = if software { now.saturating_duration_since(since) } else { Duration::ZERO };
        self.cost = (self.cost * 3 + cost) / 4;
        self.rested_until = Some(now + self.rest());
    }

    fn rest(&self) -> Duration {
        (self.cost * REST_FACTOR).min(MAX_REST)
    }
}

/// Between redraws by a card: it waits for the screen by itself.
const GPU_INTERVAL: Duration = Duration::from_millis(8);
/// Between redraws by the processor: faces come thirty times a second.
const SOFTWARE_INTERVAL: Duration = Duration::from_millis(33);
/// A redraw is followed by so many times what it took: decoders need the processor too.
const REST_FACTOR: u32 = 2;
/// However slow, ten pictures a second or so are shown.
const MAX_REST: Duration = Duration::from_millis(80);
/// When to look again for a redraw that takes longer than those before.
const POLL_INTERVAL: Duration = Duration::from_millis(4);
/// A redraw that has not ended by then was given up, as when its window closed.
const MAX_INTERVAL: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    /// Draws for `cost` at each moment that the pace allows; returns the moments within a second.
    fn second(cost: Duration, software: bool) -> Vec<Duration> {
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
    fn a_processor_draws_thirty_times_a_second_at_most() {
        assert!((30..=31).contains(&second(ms(1), true).len()));
        assert!((30..=31).contains(&second(ms(10), true).len()));
    }

    #[test]
    fn a_processor_draws_for_a_third_of_the_time_at_most() {
        for cost in [15, 20, 40] {
            let drawn = second(ms(cost), true).len() as u64;
            assert!((280..=360).contains(&(drawn * cost)), "{drawn} of {cost} ms");
        }
    }

    #[test]
    fn the_slowest_processor_still_shows_movement() {
        assert!(second(ms(60), true).len() >= 7);
    }

    #[test]
    fn a_card_rests_for_nothing_but_its_screen() {
        assert!(second(ms(16), false).len() >= 60);
    }

    #[test]
    fn a_redraw_under_way_is_waited_for() {
        let now = Instant::now();
        let mut pace = Pace::default();
        pace.end(now, true);
        pace.requested(now);
        pace.begin(now);
        assert!(pace.due(now + ms(50)) > now + ms(50), "it is still being drawn");
        pace.end(now + ms(60), true);
        assert!(pace.due(now + ms(60)) > now + ms(60), "it took its share and more");
        assert!(pace.due(now + ms(60)) <= now + ms(60) + MAX_REST);
    }

    #[test]
    fn a_redraw_that_never_ends_stops_nothing() {
        let now = Instant::now();
        let mut pace = Pace::default();
        pace.requested(now);
        pace.begin(now);
        assert!(pace.due(now + ms(1_001)) <= now + ms(1_001));
        pace.begin(now + ms(1_100));
        pace.end(now + ms(1_110), true);
        assert!(pace.cost < ms(20), "the lost one is not counted");
    }
}
