//! Decides which datagrams a path test sends, and computes the figures of the path from their echoes. Pure: the caller passes the time.
//!
//! It begins with few small datagrams, which measure round trip, jitter and loss. Each step sends at a higher rate, until the path
//! carries no more, or [`MAX_RATE`] is reached.

use super::figures::PathFigures;
use media::Bitrate;
use proto::{Probe, ProbeKind};
use std::ops::Range;
use std::time::{Duration, Instant};

/// The state of one test on one path.
#[derive(Debug)]
pub struct Prober {
    key: [u8; proto::PATH_TEST_KEY_BYTES],
    cookie: u64,
    start: Instant,
    /// The current step, as an index of [`STEPS`].
    step: usize,
    step_started: Instant,
    /// When the test ends. `Some` after the last datagram was sent: until then, the last echoes are awaited.
    ends_at: Option<Instant>,
    sent: Vec<SentProbe>,
}

/// A datagram of the test. Its index is its sequence number.
#[derive(Clone, Copy, Debug)]
struct SentProbe {
    at: Instant,
    step: usize,
    echo: Option<Echo>,
}

#[derive(Clone, Copy, Debug)]
struct Echo {
    at: Instant,
    received: u32,
    received_at: u32,
}

/// The rate and the datagrams of a step.
#[derive(Debug)]
struct Step {
    /// Bits per second.
    rate: u64,
    /// Bytes of each datagram.
    length: u64,
    duration: Duration,
}

const STEPS: [Step; 6] = [
    Step { rate: 80_000, length: 200, duration: Duration::from_millis(1_500) },
    Step { rate: 300_000, length: 600, duration: Duration::from_secs(1) },
    Step { rate: 600_000, length: 1_000, duration: Duration::from_secs(1) },
    Step { rate: 1_200_000, length: 1_200, duration: Duration::from_secs(1) },
    Step { rate: 2_000_000, length: 1_200, duration: Duration::from_millis(1_200) },
    Step { rate: MAX_RATE, length: 1_200, duration: Duration::from_millis(1_200) },
];

/// The highest rate that is tried, in bits per second: a camera in all sizes, a shared screen, and sound.
pub const MAX_RATE: u64 = 3_000_000;

impl Prober {
    /// Begins a test with the key and the cookie of the server.
    pub fn new(key: [u8; proto::PATH_TEST_KEY_BYTES], cookie: u64, now: Instant) -> Self {
        Self { key, cookie, start: now, step: 0, step_started: now, ends_at: None, sent: Vec::new() }
    }

    /// Returns when the next datagram is due, or the test ends.
    pub fn timeout(&self) -> Instant {
        self.ends_at.unwrap_or_else(|| self.due(self.sent_in_step()))
    }

    /// Returns whether the test has ended.
    pub fn has_ended(&self, now: Instant) -> bool {
        self.ends_at.is_some_and(|at| at <= now)
    }

    /// Returns how much of the test is done, 0.0 to 1.0.
    pub fn progress(&self, now: Instant) -> f32 {
        let all: Duration = STEPS.iter().map(|step| step.duration).sum::<Duration>() + LAST_ECHOES;
        (now.saturating_duration_since(self.start).as_secs_f32() / all.as_secs_f32()).min(1.0)
    }

    /// Returns the datagrams that are due. If the caller is late, it gets those of the last 50 ms: a longer burst would look like a
    /// path that is full.
    pub fn poll_transmit(&mut self, now: Instant) -> Vec<Vec<u8>> {
        let mut datagrams = Vec::new();
        while self.ends_at.is_none() {
            if now >= self.start + MAX_DURATION {
                self.ends_at = Some(now + LAST_ECHOES);
                break;
            }
            let due = self.due(self.sent_in_step());
            if due >= self.step_started + STEPS[self.step].duration {
                if due > now {
                    break;
                }
                self.end_step(now);
                continue;
            }
            if due > now {
                break;
            }
            // Delay the step by the time that the caller was late, so that all its datagrams are sent.
            self.step_started += (now - due).saturating_sub(MAX_LATE);
            datagrams.push(self.datagram(now));
        }
        datagrams
    }

    fn datagram(&mut self, now: Instant) -> Vec<u8> {
        let sequence = u32::try_from(self.sent.len()).unwrap_or(u32::MAX);
        self.sent.push(SentProbe { at: now, step: self.step, echo: None });
        let sent_at = u32::try_from(now.saturating_duration_since(self.start).as_micros()).unwrap_or(u32::MAX);
        let (kind, received, received_at) = (ProbeKind::Probe, 0, 0);
        Probe { key: self.key, kind, sequence, sent_at, cookie: self.cookie, received, received_at }
            .datagram(usize::try_from(STEPS[self.step].length).unwrap_or(usize::MAX))
    }

    /// Begins the next step, or ends the test if the path carries no more.
    fn end_step(&mut self, now: Instant) {
        let nothing_arrives = self.echoes(self.step).count() == 0;
        if self.step + 1 == STEPS.len() || nothing_arrives || self.is_full(self.step, now) {
            self.ends_at = Some(now + LAST_ECHOES);
        } else {
            (self.step, self.step_started) = (self.step + 1, now);
        }
    }

    /// Handles a datagram of the server.
    pub fn handle_echo(&mut self, datagram: &[u8], now: Instant) {
        let Ok(probe) = Probe::parse(datagram) else { return };
        let index = usize::try_from(probe.sequence).unwrap_or(usize::MAX);
        if probe.key != self.key || probe.kind != ProbeKind::Echo {
            return;
        }
        // A datagram that the network has duplicated counts once.
        if let Some(sent) = self.sent.get_mut(index)
            && sent.echo.is_none()
        {
            sent.echo = Some(Echo { at: now, received: probe.received, received_at: probe.received_at });
        }
    }

    /// Returns the figures, or `None` if there are too few echoes.
    pub fn figures(&self) -> Option<PathFigures> {
        let base = self.round_trips(0);
        if base.len() < MIN_ECHOES {
            return None;
        }
        let last = self.sent.last()?;
        let reached = (0..=last.step).rev().find(|step| !self.is_full(*step, last.at + LAST_ECHOES));
        // Losses of the steps that filled the path do not count.
        let quiet = reached.unwrap_or(0);
        let losses = (0..=quiet).map(|step| self.losses(step));
        let (sent, arrived, returned) =
            losses.fold((0, 0, 0), |sum, step| (sum.0 + step.0, sum.1 + step.1, sum.2 + step.2));
        let rates = (0..=last.step).map(|step| self.rates(step));
        let (up, down) = rates.fold((0, 0), |best, rates| (best.0.max(rates.0), best.1.max(rates.1)));
        Some(PathFigures {
            round_trip: median(&base),
            jitter: jitter(&base),
            lost_up: percent(sent, arrived),
            lost_down: percent(arrived, returned),
            up: Bitrate::bps(up),
            down: Bitrate::bps(down),
            is_full: reached != Some(STEPS.len() - 1),
        })
    }

    fn in_step(&self, step: usize) -> impl Iterator<Item = &SentProbe> + Clone {
        self.sent.iter().filter(move |sent| sent.step == step)
    }

    fn echoes(&self, step: usize) -> impl Iterator<Item = &Echo> + Clone {
        self.in_step(step).filter_map(|sent| sent.echo.as_ref())
    }

    fn round_trips(&self, step: usize) -> Vec<Duration> {
        self.in_step(step).filter_map(|sent| Some(sent.echo?.at.saturating_duration_since(sent.at))).collect()
    }

    /// Returns whether the path carries less than a step sends: its loss at `now` is much higher than in the steps before, or the
    /// last third of its echoes is late.
    fn is_full(&self, step: usize, now: Instant) -> bool {
        let base = self.round_trips(0).into_iter().min().unwrap_or_default();
        let round_trips = self.round_trips(step);
        let late = round_trips.get(round_trips.len() * 2 / 3..).map(median).unwrap_or_default();
        // A path that loses datagrams at any rate is not full. A step may lose more than the others by chance.
        let usual = self.missing(0..step.max(1), base, now);
        late > base + MAX_QUEUE || self.missing(step..step + 1, base, now) > 1.5 * usual + FULL_PERCENT
    }

    /// Returns the percentage of the datagrams of these steps that should be back at `now` and are not.
    fn missing(&self, steps: Range<usize>, base: Duration, now: Instant) -> f32 {
        let should_be = |sent: &SentProbe| now.saturating_duration_since(sent.at) > base + MAX_QUEUE;
        let due = || self.sent.iter().filter(|sent| steps.contains(&sent.step) && should_be(sent));
        percent(due().count(), due().filter(|sent| sent.echo.is_some()).count())
    }

    /// Returns how many datagrams of a step were sent, have arrived at the server, and have come back.
    fn losses(&self, step: usize) -> (usize, usize, usize) {
        // Datagrams after the last echo do not count, because no echo reports how many of them have arrived.
        let echoes = || self.echoes(step).map(|echo| echo.received);
        let (Some(first), Some(last)) = (echoes().min(), echoes().max()) else {
            return (self.in_step(step).count(), 0, 0);
        };
        let is_back = |sent: &SentProbe| sent.echo.is_some();
        let of_step: Vec<&SentProbe> = self.in_step(step).collect();
        let begin = of_step.iter().position(|sent| is_back(sent)).unwrap_or(0);
        let end = of_step.iter().rposition(|sent| is_back(sent)).unwrap_or(0);
        let sent = end + 1 - begin;
        let arrived = usize::try_from(last - first).map_or(sent, |count| count.saturating_add(1)).min(sent);
        (sent, arrived, echoes().count().min(arrived))
    }

    /// Returns the bits per second that have arrived at the server and come back in a step.
    fn rates(&self, step: usize) -> (u64, u64) {
        let bits = STEPS[step].length * 8;
        let micros = self.echoes(step).map(|echo| u64::from(echo.received_at));
        let (first, last) = (micros.clone().min().unwrap_or(0), micros.max().unwrap_or(0));
        let received = self.echoes(step).map(|echo| u64::from(echo.received));
        let arrived = received.clone().max().unwrap_or(0) - received.min().unwrap_or(0);
        let up = per_second(arrived * bits, last - first);
        let times = self.echoes(step).map(|echo| echo.at);
        let back = times.clone().max().zip(times.min());
        let span = back.map_or(Duration::ZERO, |(last, first)| last - first);
        let returned = (self.echoes(step).count() as u64).saturating_sub(1);
        let down = per_second(returned * bits, u64::try_from(span.as_micros()).unwrap_or(u64::MAX));
        // Datagrams that arrive in a burst after a pause would give a rate above that of the sender.
        (up.min(STEPS[step].rate), down.min(STEPS[step].rate))
    }

    fn sent_in_step(&self) -> u64 {
        self.in_step(self.step).count() as u64
    }

    /// Returns when a datagram of the step is due.
    fn due(&self, index: u64) -> Instant {
        let Step { rate, length, .. } = STEPS[self.step];
        self.step_started + Duration::from_micros(index * length * 8 * 1_000_000 / rate)
    }
}

fn per_second(bits: u64, micros: u64) -> u64 {
    if micros < MIN_SPAN { 0 } else { bits.saturating_mul(1_000_000) / micros }
}

fn median(all: &[Duration]) -> Duration {
    let mut sorted = all.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// Returns the mean difference of the round trips of two datagrams in a row.
fn jitter(round_trips: &[Duration]) -> Duration {
    let differences: Duration = round_trips.windows(2).map(|pair| pair[0].abs_diff(pair[1])).sum();
    differences / u32::try_from(round_trips.len().saturating_sub(1).max(1)).unwrap_or(u32::MAX)
}

/// Returns the part of `all` that is missing in `some`, in percent.
fn percent(all: usize, some: usize) -> f32 {
    let lost = all.saturating_sub(some);
    if all == 0 { 0.0 } else { 100.0 * count(lost) / count(all) }
}

/// A test has less than 2,000 datagrams.
fn count(datagrams: usize) -> f32 {
    f32::from(u16::try_from(datagrams).unwrap_or(u16::MAX))
}

/// How long the last echoes are awaited.
const LAST_ECHOES: Duration = Duration::from_millis(700);

/// A path whose round trip grows by more than this is full.
const MAX_QUEUE: Duration = Duration::from_millis(150);

/// A step that loses so many more of a hundred than one and a half times what is usual fills the path.
const FULL_PERCENT: f32 = 15.0;

/// A caller that is later than this sends the rest later.
const MAX_LATE: Duration = Duration::from_millis(50);

/// How long datagrams are sent. A caller that is never late needs 6.9 s.
const MAX_DURATION: Duration = Duration::from_millis(8_500);

/// Fewer echoes of the first step say nothing of the path.
const MIN_ECHOES: usize = 5;

/// A rate is not computed from less time, in microseconds.
const MIN_SPAN: u64 = 200_000;

#[cfg(test)]
#[path = "prober_tests.rs"]
mod tests;
