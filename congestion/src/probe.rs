//! Probes: short clusters of packets that are sent faster than the estimate, to find out whether the path carries more.

use crate::packet_feedback::{ClusterId, PacketFeedback};
use crate::units::{bitrate, bps, float};
use media::Bitrate;
use std::time::{Duration, Instant};

/// A cluster of packets to send: media first, then padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Its number, which the feedback on its packets names.
    pub id: ClusterId,
    /// The rate at which it is sent.
    pub rate: Bitrate,
    /// The minimum number of bytes.
    pub bytes: usize,
    /// The minimum number of packets.
    pub packets: usize,
    /// The first bytes, which are not measured, because they may pass through the burst of a token bucket.
    pub unmeasured: usize,
}

/// What decides about the next probe.
#[derive(Clone, Copy, Debug)]
pub struct ProbeInput {
    /// The estimate, in bits per second.
    pub estimate: f64,
    /// What the application could use, in bits per second.
    pub wanted: f64,
    /// The highest rate of a probe, in bits per second.
    pub max: f64,
    /// True if the application sends less than the estimate, and a probe has to prove the estimate again.
    pub unproved: bool,
    /// True if the path may be probed: without recent overuse, without a standing queue, and with feedback.
    pub allowed: bool,
    /// The jitter of the path, in seconds.
    pub jitter: f64,
}

/// What a probe found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// The rate that the path carried, in bits per second.
    pub rate: f64,
    /// True if the path carried the whole probe.
    pub carried: bool,
}

/// Decides when to probe, and measures the result (`goog_cc`: `ProbeController`, `ProbeBitrateEstimator`). One probe is
/// on the path at a time.
#[derive(Clone, Debug)]
pub struct Prober {
    last_id: u32,
    /// When the last probe was sent.
    last: Option<Instant>,
    /// The rate of the next probe, which follows a successful one at once.
    follow: Option<f64>,
    interval: Duration,
    /// How many more probes are sent at the short interval. Zero after the path has carried one.
    early_left: u32,
    /// What the path carried in an earlier call, in bits per second.
    last_rate: Option<f64>,
    pending: Option<PendingProbe>,
}

#[derive(Clone, Debug)]
struct PendingProbe {
    probe: Probe,
    started: Instant,
    meter: Meter,
}

impl Prober {
    pub fn new() -> Self {
        Self {
            last_id: 0,
            last: None,
            follow: None,
            interval: INTERVAL,
            early_left: MAX_EARLY,
            last_rate: None,
            pending: None,
        }
    }

    /// Sets what the path carried in an earlier call, in bits per second.
    pub fn set_last_rate(&mut self, rate: f64) {
        self.last_rate = Some(rate);
    }

    /// Lengthens the interval: the rate of the last probe did not hold.
    pub fn back_off(&mut self) {
        self.interval = (self.interval * 2).min(MAX_INTERVAL);
        self.follow = None;
    }

    /// Restores the interval: the rate of the last probe held.
    pub fn succeed(&mut self) {
        self.interval = INTERVAL;
    }

    /// Cancels the probe that would follow at once, because the path is congested.
    pub fn cancel(&mut self) {
        self.follow = None;
    }

    /// Returns the start probe, if no probe was sent yet and the path may carry more than `estimate`. It is longer than the burst of a
    /// token bucket. Rates are in bits per second, `max` is the highest one.
    pub fn plan_start(&mut self, now: Instant, estimate: f64, max: f64) -> Option<Probe> {
        if self.last.is_some() || max <= estimate {
            return None;
        }
        let id = self.next_id();
        // More than the path carried before, so that the probe shows if it carries more now.
        let rate = self.last_rate.map_or(START_RATE, |last| (last * OVER_LAST_RATE).min(START_RATE)).min(max);
        // At most what such a path carries in a moment, after the burst.
        let measured = bytes(self.last_rate.unwrap_or(START_RATE) * MAX_START_WAIT).max(MIN_MEASURED);
        let (size, packets) = ((START_BURST + measured).min(START_BYTES), MIN_PACKETS);
        Some(self.start(now, Probe { id, rate: bitrate(rate), bytes: size, packets, unmeasured: START_BURST }))
    }

    /// Returns the probe to send at `now`, if any.
    pub fn plan(&mut self, now: Instant, input: &ProbeInput) -> Option<Probe> {
        if let Some(pending) = &self.pending {
            if now.saturating_duration_since(pending.started) < TIMEOUT {
                return None;
            }
            self.pending = None;
            self.follow = None;
        }
        let rate = self.rate(now, input)?;
        let limited = rate.min(input.wanted.max(input.estimate) * MAX_OVER_WANTED).min(MAX_RATE).min(input.max);
        let duration = (input.jitter * JITTERS).clamp(MIN_DURATION, MAX_DURATION);
        self.early_left = self.early_left.saturating_sub(1);
        let (id, bytes) = (self.next_id(), bytes(limited * duration).max(MIN_BYTES));
        Some(self.start(now, Probe { id, rate: bitrate(limited), bytes, packets: MIN_PACKETS, unmeasured: 0 }))
    }

    fn next_id(&mut self) -> ClusterId {
        self.last_id = self.last_id.wrapping_add(1);
        ClusterId(self.last_id)
    }

    /// Records that a probe is sent now, and expects feedback on it. Returns the probe.
    fn start(&mut self, now: Instant, probe: Probe) -> Probe {
        self.last = Some(now);
        self.follow = None;
        self.pending = Some(PendingProbe { probe, started: now, meter: Meter::new(probe.unmeasured) });
        probe
    }

    fn rate(&mut self, now: Instant, input: &ProbeInput) -> Option<f64> {
        let interval = if self.early_left > 0 { EARLY_INTERVAL } else { self.interval };
        let due = self.last.is_none_or(|last| now.saturating_duration_since(last) >= interval);
        let sufficient = input.estimate >= input.wanted * SUFFICIENT;
        if !input.allowed {
            return None;
        }
        if input.unproved && sufficient {
            return due.then_some(input.estimate);
        }
        if sufficient {
            return None;
        }
        match (self.last, self.follow) {
            (None, _) => Some(input.estimate * FIRST),
            (Some(_), Some(follow)) => Some(follow),
            (Some(_), None) => due.then_some(input.estimate * LATER),
        }
    }

    /// Counts a packet of a probe.
    pub fn add(&mut self, sent: Duration, feedback: &PacketFeedback) {
        if let Some(pending) = &mut self.pending
            && feedback.cluster == Some(pending.probe.id)
        {
            pending.meter.add(sent, feedback.arrived, feedback.bits());
        }
    }

    /// Returns what the probe found, if enough of its packets are known. `inherent` is the part of the packets that is
    /// lost at any rate, 0..1, and `estimate` the estimate in bits per second.
    pub fn poll(&mut self, inherent: f64, estimate: f64) -> Option<Outcome> {
        let pending = self.pending.as_ref()?;
        if !pending.meter.covers(&pending.probe) {
            return None;
        }
        let probe = pending.probe;
        let measured = pending.meter.rates();
        let kept = pending.meter.kept(inherent);
        self.pending = None;
        let (sent, received) = measured?;
        let received = received * kept;
        let carried = received >= CARRIED * sent;
        if carried {
            self.early_left = 0;
        }
        let rate = if carried { sent.min(received) } else { received * UTILISATION };
        let rate = rate.min(bps(probe.rate) * MAX_RESULT);
        if rate >= FOLLOW * bps(probe.rate) && rate > PROGRESS * estimate {
            self.follow = Some(rate * LATER);
        }
        Some(Outcome { rate, carried })
    }
}

/// Measures the rates at which the packets of one cluster were sent and arrived.
#[derive(Clone, Debug, Default)]
struct Meter {
    packets: u32,
    arrived: u32,
    bits: f64,
    /// The first bits, whose times are not measured.
    unmeasured: f64,
    /// The packets that are measured and arrived.
    measured: u32,
    first_sent: Option<f64>,
    last_sent: f64,
    last_bits: f64,
    /// The arrival of the first packet.
    origin: f64,
    /// The sums of x, x * x, y, x * y, z and x * z; x in bits, y the arrival and z the departure in seconds.
    sums: [f64; 6],
}

impl Meter {
    fn new(unmeasured: usize) -> Self {
        Self { unmeasured: float(unmeasured) * 8.0, ..Self::default() }
    }

    fn add(&mut self, sent: Duration, arrived: Option<Duration>, bits: f64) {
        self.packets = self.packets.saturating_add(1);
        let begun = self.bits >= self.unmeasured;
        self.bits += bits;
        self.arrived = self.arrived.saturating_add(u32::from(arrived.is_some()));
        if !begun {
            if self.bits >= self.unmeasured {
                self.unmeasured = self.bits;
            }
            return;
        }
        let sent = sent.as_secs_f64();
        self.first_sent.get_or_insert(sent);
        self.last_sent = sent;
        self.last_bits = bits;
        let Some(arrived) = arrived.map(|arrived| arrived.as_secs_f64()) else { return };
        if self.measured == 0 {
            self.origin = arrived;
        }
        self.measured = self.measured.saturating_add(1);
        // Lost bits count too, so that random loss does not look like a lower rate.
        let (x, y, z) = (self.bits - self.unmeasured, arrived - self.origin, sent - self.first_sent.unwrap_or(sent));
        for (sum, value) in self.sums.iter_mut().zip([x, x * x, y, x * y, z, x * z]) {
            *sum += value;
        }
    }

    /// Returns the part of the probe that the path carried, 0..1. It is below 1 only if the loss is far above the inherent
    /// loss, which means that the path drops what exceeds its capacity.
    fn kept(&self, inherent: f64) -> f64 {
        let arrived = f64::from(self.arrived) / f64::from(self.packets.max(1));
        let lost = self.packets.saturating_sub(self.arrived);
        if lost >= MIN_LOST && arrived < 1.0 - inherent - SUSPICIOUS_LOSS {
            arrived / (1.0 - inherent).max(0.1)
        } else {
            1.0
        }
    }

    fn covers(&self, probe: &Probe) -> bool {
        let (packets, size) = (f64::from(self.packets), float(probe.bytes) * 8.0);
        packets >= COVERED * float(probe.packets) && self.bits >= COVERED * size
    }

    /// Returns the rates of sending and of arrival, or `None` if they cannot be measured. The rate of arrival is the
    /// slope of time over bits by least squares, because jitter moves single packets. The rate of sending is multiplied by
    /// the ratio of both slopes if the path is faster, because the slope over packets of different sizes is not exact.
    fn rates(&self) -> Option<(f64, f64)> {
        let span = self.last_sent - self.first_sent?;
        let count = f64::from(self.measured);
        let [x, xx, y, xy, z, xz] = self.sums;
        let divisor = count * xx - x * x;
        let (arrival, departure) = ((count * xy - x * y) / divisor, (count * xz - x * z) / divisor);
        let measurable = arrival.is_finite() && arrival >= MIN_SLOPE && departure.is_finite();
        if self.measured < MIN_ARRIVED || !measurable || span < MIN_SPAN {
            return None;
        }
        let sent = (self.bits - self.unmeasured - self.last_bits) / span;
        let ratio = departure / arrival;
        let received = if ratio >= CARRIED { sent * ratio } else { 1.0 / arrival };
        (received <= MAX_RATIO * sent).then_some((sent, received))
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most MAX_RATE * MAX_DURATION")]
fn bytes(bits: f64) -> usize {
    (bits.max(0.0) / 8.0) as usize
}

/// The rate of the start probe in bits per second, its bytes, and how many of them are not measured: more than the burst of
/// usual token buckets. At 300 kbit/s it fills the queue for a third of a second, before any medium is sent.
const START_RATE: f64 = 5e6;
const START_BYTES: usize = 13_000;
const START_BURST: usize = 5_000;

/// If it is known what the path carried before: the rate of the start probe over that, how many seconds it may fill the queue of such
/// a path, and the minimum number of bytes that are measured.
const OVER_LAST_RATE: f64 = 2.5;
const MAX_START_WAIT: f64 = 0.1;
const MIN_MEASURED: usize = 2_500;

/// The first probe's rate over the initial estimate, and that of later probes over the estimate.
const FIRST: f64 = 3.0;
const LATER: f64 = 2.0;

/// The rate of a probe is at most this factor over what the application could use.
const MAX_OVER_WANTED: f64 = 1.15;

/// Bits per second: the maximum rate of a probe.
const MAX_RATE: f64 = 50e6;

/// The interval between probes, and its maximum if their results do not hold.
const INTERVAL: Duration = Duration::from_millis(2_500);
const MAX_INTERVAL: Duration = Duration::from_secs(10);

/// The interval until the path has carried a probe, and for how many probes at most. The feedback on the first ones is
/// often incomplete, and the next one at the usual interval would come late.
const EARLY_INTERVAL: Duration = Duration::from_millis(500);
const MAX_EARLY: u32 = 4;

/// How long the feedback on a probe may take.
const TIMEOUT: Duration = Duration::from_millis(1_500);

/// The bounds of a probe's duration, in seconds. On a path with jitter it is longer.
const MIN_DURATION: f64 = 0.025;
const MAX_DURATION: f64 = 0.2;
const JITTERS: f64 = 8.0;

/// The minimum size of a probe. With less, the resolution of the feedback is too coarse.
const MIN_PACKETS: usize = 5;
const MIN_BYTES: usize = 1_000;

/// An estimate of this part of what the application could use is sufficient.
const SUFFICIENT: f64 = 0.95;

/// The part of a probe for which feedback must have come before the probe is measured.
const COVERED: f64 = 0.8;

/// A path that receives this part of the sent rate carries the probe.
const CARRIED: f64 = 0.9;

/// The part of the measured rate that is used if the path did not carry the whole probe.
const UTILISATION: f64 = 0.92;

/// A result of this part of the probe's rate leads to the next probe at once.
const FOLLOW: f64 = 0.7;

/// A result that raises the estimate by less than this factor does not lead to another probe.
const PROGRESS: f64 = 1.1;

/// A result is at most this factor over the probe's rate.
const MAX_RESULT: f64 = 1.25;

/// The minimum number of packets that must have arrived.
const MIN_ARRIVED: u32 = 3;

/// Loss is congestion if at least this many packets are lost, and the loss exceeds the inherent loss by more than this part.
const MIN_LOST: u32 = 3;
const SUSPICIOUS_LOSS: f64 = 0.3;

/// Seconds for each bit: 1 Gbit/s. A faster arrival is not measurable.
const MIN_SLOPE: f64 = 1e-9;

/// Seconds: a shorter cluster is not measurable.
const MIN_SPAN: f64 = 0.001;

/// If packets arrive this much faster than they were sent, the path held them and released them at once.
const MAX_RATIO: f64 = 2.0;

#[cfg(test)]
mod tests {
    use super::*;

    const INPUT: ProbeInput =
        ProbeInput { estimate: 300_000.0, wanted: 2_500_000.0, max: 20e6, unproved: false, allowed: true, jitter: 0.0 };

    /// Probes for ten seconds, one check every 10 ms. Each probe's feedback comes 100 ms later, and `carries` decides
    /// by the number of the probe whether its packets arrive. Returns when probes were sent, in milliseconds.
    fn probe_times(carries: impl Fn(usize) -> bool) -> Vec<u64> {
        let (mut prober, start, mut times) = (Prober::new(), Instant::now(), Vec::new());
        let mut waiting: Option<(u64, Probe)> = None;
        for millis in (0..10_000).step_by(10) {
            if let Some((sent, probe)) = waiting.take_if(|(sent, _)| millis == *sent + 100) {
                for packet in 0..10 {
                    let after = Duration::from_millis(sent + packet * 2);
                    let arrived = carries(times.len()).then_some(after);
                    let cluster = Some(probe.id);
                    prober
                        .add(after, &PacketFeedback { sent: start + after, size: probe.bytes / 10, arrived, cluster });
                }
                // A high estimate before, so that no probe follows at once.
                let outcome = prober.poll(0.0, 10.0 * INPUT.wanted);
                assert_eq!(outcome.is_some_and(|outcome| outcome.carried), carries(times.len()));
            }
            if let Some(probe) = prober.plan(start + Duration::from_millis(millis), &INPUT) {
                times.push(millis);
                waiting = Some((millis, probe));
            }
        }
        times
    }

    /// Returns the outcome of a start probe over a token bucket of `burst` bytes and `rate` bits per second.
    fn start_outcome(burst: f64, rate: f64) -> Outcome {
        let (mut prober, start) = (Prober::new(), Instant::now());
        let probe = prober.plan_start(start, INPUT.estimate, INPUT.max).expect("none was sent");
        assert!(
            prober.plan_start(start, INPUT.estimate, INPUT.max).is_none() && prober.plan(start, &INPUT).is_none(),
            "one at a time"
        );
        let (size, step) = (500, 500.0 * 8.0 / bps(probe.rate));
        let (mut tokens, mut free_at) = (burst, 0.0_f64);
        for packet in 0..probe.bytes.div_ceil(size) {
            let sent = float(packet) * step;
            tokens -= float(size);
            // Without tokens, each packet takes the time of its bits.
            free_at = if tokens >= 0.0 { sent } else { free_at.max(sent) + float(size) * 8.0 / rate };
            let (sent, arrived) = (Duration::from_secs_f64(sent), Some(Duration::from_secs_f64(free_at)));
            prober.add(sent, &PacketFeedback { sent: start + sent, size, arrived, cluster: Some(probe.id) });
        }
        prober.poll(0.0, INPUT.estimate).expect("all packets arrived")
    }

    #[test]
    fn a_start_probe_measures_what_a_link_carries_after_its_burst() {
        let wide = start_outcome(4_000.0, 50e6);
        assert!(wide.carried && wide.rate > 0.9 * START_RATE, "{wide:?}");
        for rate in [150e3, 300e3, 800e3] {
            let narrow = start_outcome(4_000.0, rate);
            assert!(!narrow.carried && (0.85 * rate..rate).contains(&narrow.rate), "{rate}: {narrow:?}");
        }
    }

    #[test]
    fn the_start_probe_of_a_known_narrow_path_is_slower_and_shorter_and_that_of_a_wide_one_as_usual() {
        let start = |last: Option<f64>| {
            let mut prober = Prober::new();
            if let Some(last) = last {
                prober.set_last_rate(last);
            }
            let probe = prober.plan_start(Instant::now(), 1e5, 2e7).unwrap();
            (probe.rate, probe.bytes)
        };
        assert_eq!(start(Some(150e3)), (Bitrate::kbps(375), START_BURST + MIN_MEASURED));
        assert_eq!(start(None), (Bitrate::kbps(5_000), START_BYTES));
        assert_eq!(start(Some(8e6)), start(None));
    }

    #[test]
    fn the_first_probes_are_repeated_soon_until_one_was_carried() {
        assert_eq!(probe_times(|_| false), [0, 500, 1_000, 1_500, 4_000, 6_500, 9_000]);
        assert_eq!(probe_times(|number| number >= 2), [0, 500, 3_000, 5_500, 8_000]);
        assert_eq!(probe_times(|_| true), [0, 2_500, 5_000, 7_500]);
    }
}
