//! The estimate of a path's capacity.

use crate::aimd::{Aimd, RateControlInput};
use crate::competition::Competition;
use crate::inter_arrival::InterArrival;
use crate::loss::LossController;
use crate::packet_feedback::{ClusterId, PacketFeedback, bits};
use crate::probe::{Outcome, Probe, ProbeInput, Prober};
use crate::proven_rate::ProvenRate;
use crate::queue_delay::QueueDelay;
use crate::rate_window::RateWindow;
use crate::trendline::{Trendline, Usage};
use crate::units::{bitrate, bps};
use media::Bitrate;
use std::time::{Duration, Instant};

/// The bounds of an estimate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// The first estimate.
    pub start: Bitrate,
    /// The lowest estimate.
    pub min: Bitrate,
    /// The highest estimate.
    pub max: Bitrate,
}

/// The estimate, and what was measured on the path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PathStats {
    /// The estimate.
    pub estimate: Bitrate,
    /// The rate that arrived in the last half second.
    pub acknowledged: Bitrate,
    /// The part of the packets that was lost recently, 0..1.
    pub loss: f64,
    /// The part of the packets that is lost at any rate, 0..1.
    pub inherent_loss: f64,
    /// The smoothed round trip.
    pub round_trip: Duration,
    /// The smoothed time that packets wait in queues on the path.
    pub queue_delay: Duration,
    /// The state of the delay detector.
    pub usage: Usage,
}

/// Estimates how much a path can carry. The estimate always lies between `min` and `max` of its [`Config`].
#[derive(Clone, Debug)]
pub struct Estimator {
    /// The origin of the sender's times.
    origin: Option<Instant>,
    wanted: f64,
    sent: RateWindow,
    acknowledged: RateWindow,
    delay: DelayDetector,
    aimd: Aimd,
    competition: Competition,
    loss: LossController,
    prober: Prober,
    proven: ProvenRate,
    /// The rate to which a probe raised the estimate, and when. `None` after that rate has held or failed.
    raised: Option<(f64, Instant)>,
    overused: Option<Instant>,
    round_trip: Duration,
    feedback_timeout: FeedbackTimeout,
}

/// The delay detector with its filters.
#[derive(Clone, Debug)]
struct DelayDetector {
    groups: InterArrival,
    trendline: Trendline,
    queue: QueueDelay,
    /// The last probe, if no packet of media has arrived since. Its packets are not used.
    skipped: Option<ClusterId>,
}

/// Decides whether feedback is missing: the times of the last feedback, of the last packet sent after it, and of the last
/// decrease because feedback was missing.
#[derive(Clone, Copy, Debug, Default)]
struct FeedbackTimeout {
    feedback: Option<Instant>,
    sent: Option<Instant>,
    lowered: Option<Instant>,
}

impl Estimator {
    /// Returns an estimator that starts with the first estimate of `config`.
    pub fn new(config: Config) -> Self {
        Self {
            origin: None,
            wanted: bps(config.max),
            sent: RateWindow::new(),
            acknowledged: RateWindow::new(),
            delay: DelayDetector {
                groups: InterArrival::default(),
                trendline: Trendline::new(),
                queue: QueueDelay::default(),
                skipped: None,
            },
            aimd: Aimd::new(bps(config.start), bps(config.min), bps(config.max)),
            competition: Competition::default(),
            loss: LossController::new(),
            prober: Prober::new(),
            proven: ProvenRate::new(bps(config.start)),
            raised: None,
            overused: None,
            round_trip: INITIAL_ROUND_TRIP,
            feedback_timeout: FeedbackTimeout::default(),
        }
    }

    /// Sets the rate that the application could use. Probes are sent while the estimate is lower.
    pub fn set_wanted(&mut self, wanted: Bitrate) {
        self.wanted = bps(wanted);
    }

    /// Sets the highest estimate, which is at least the lowest one. Probes have no higher rate.
    pub fn set_max(&mut self, max: Bitrate) {
        self.aimd.set_max(bps(max));
    }

    /// Sets what the path carried in an earlier call. Before the first packet, the estimate becomes a part of it, if that is less than
    /// the first estimate of the [`Config`]; never more, because the path may carry less today. The start probe is then as gentle as such
    /// a path needs. Later it has no effect.
    pub fn set_last_rate(&mut self, rate: Bitrate) {
        if self.origin.is_none() {
            self.aimd.set(self.aimd.rate().min(bps(rate) * LAST_RATE_PART));
            self.prober.set_last_rate(bps(rate));
        }
    }

    /// Returns the estimate.
    pub fn estimate(&self) -> Bitrate {
        let rate = self.aimd.rate();
        bitrate(self.loss.limit().map_or(rate, |limit| limit.min(rate)).max(self.aimd.min()))
    }

    /// Returns the estimate without the limit of the loss controller, which tests whether loss falls with the rate (`goog_cc`:
    /// delay-based estimate). If the estimate is lower, the path may carry more.
    pub fn delay_based(&self) -> Bitrate {
        bitrate(self.aimd.rate())
    }

    /// Returns the estimate, and what was measured on the path.
    pub fn stats(&self) -> PathStats {
        PathStats {
            estimate: self.estimate(),
            acknowledged: bitrate(self.acknowledged.rate(LONG).unwrap_or(0.0)),
            loss: self.loss.recent(),
            inherent_loss: self.loss.inherent(),
            round_trip: self.round_trip,
            queue_delay: Duration::from_secs_f64(self.delay.queue.current().clamp(0.0, 60.0)),
            usage: self.delay.usage(),
        }
    }

    /// Counts a packet of `size` bytes that was sent. Padding is not counted.
    pub fn handle_sent(&mut self, now: Instant, size: usize) {
        let at = self.since_origin(now);
        self.sent.add(at, bits(size));
        self.feedback_timeout.sent = Some(now);
        self.feedback_timeout.feedback.get_or_insert(now);
    }

    /// Applies the feedback on packets, in the order in which they were sent.
    pub fn handle_feedback(&mut self, now: Instant, packets: impl IntoIterator<Item = PacketFeedback>) {
        let (mut newest, mut lost) = (None, false);
        for packet in packets {
            let sent = self.since_origin(packet.sent);
            lost |= packet.arrived.is_none();
            if packet.cluster.is_none() {
                self.loss.add(packet.arrived.is_none());
            }
            self.prober.add(sent, &packet);
            if let Some(arrived) = packet.arrived {
                self.acknowledged.add(arrived, packet.bits());
                self.delay.add(sent, arrived, packet.cluster);
                newest = Some(packet.sent);
            }
        }
        let Some(newest) = newest else { return };
        let round_trip = now.saturating_duration_since(newest).min(MAX_ROUND_TRIP);
        self.round_trip = (self.round_trip * 7 + round_trip) / 8;
        self.feedback_timeout = FeedbackTimeout { feedback: Some(now), sent: None, lowered: None };
        self.update(now, lost);
    }

    /// Lowers the estimate if feedback is missing (RFC 8083, section 4.2). Call it every 50 ms or more often.
    pub fn handle_timeout(&mut self, now: Instant) {
        let silence = self.feedback_timeout;
        let (Some(feedback), Some(_)) = (silence.feedback, silence.sent) else { return };
        let since = silence.lowered.map_or(feedback + MAX_SILENCE.max(self.round_trip * 3), |last| last + SILENCE_STEP);
        if now >= since {
            self.feedback_timeout.lowered = Some(now);
            self.aimd.set(self.aimd.rate() * SILENCE_FACTOR);
            self.prober.cancel();
        }
    }

    /// Returns the start probe, if no probe was sent yet. It consists of padding, so it needs no media and no wanted
    /// rate. There is none if the highest estimate is not above the first one: there is nothing to find out. If it is sent before the first media packet, it delays none.
    pub fn poll_start_probe(&mut self, now: Instant) -> Option<Probe> {
        self.prober.plan_start(now, bps(self.estimate()), self.aimd.max())
    }

    /// Returns the probe to send now, if one is due. Call it every 50 ms or more often.
    pub fn poll_probe(&mut self, now: Instant) -> Option<Probe> {
        self.feedback_timeout.sent.or(self.feedback_timeout.feedback)?;
        let input = self.probe_input(now);
        self.prober.plan(now, &input)
    }

    fn probe_input(&mut self, now: Instant) -> ProbeInput {
        let recently = |at: Option<Instant>| at.is_some_and(|at| now.saturating_duration_since(at) < CALM);
        let calm_queue = self.delay.queue.standing() < MAX_PROBE_QUEUE;
        ProbeInput {
            estimate: bps(self.estimate()),
            wanted: self.wanted.min(self.aimd.max()),
            max: self.aimd.max(),
            unproved: self.is_application_limited(now) && self.proven.is_old(now),
            allowed: !recently(self.overused) && calm_queue && self.feedback_timeout.lowered.is_none(),
            jitter: self.delay.queue.jitter(),
        }
    }

    /// Returns true if the application sends clearly less than the estimate (`goog_cc`: application limited region).
    fn is_application_limited(&mut self, now: Instant) -> bool {
        let at = self.since_origin(now);
        self.sent.rate_until(at) < APPLICATION_LIMITED * bps(self.estimate())
    }

    fn update(&mut self, now: Instant, lost: bool) {
        let (usage, queue_delay) = (self.delay.usage(), self.delay.queue.standing());
        let long = self.acknowledged.rate(LONG);
        let acknowledged = self.acknowledged.rate(SHORT).map(|short| long.map_or(short, |long| short.min(long)));
        if let Some(rate) = long {
            self.proven.record(rate, now);
        }
        if usage == Usage::Over {
            self.overused = Some(now);
        }
        let cap = long.map_or(self.aimd.rate(), |rate| self.proven.cap(rate, now));
        let competing = self.competition.update(now, queue_delay, self.aimd.rate());
        self.delay.queue.hold(competing);
        if competing {
            let rate = self.competition.rate(now, self.aimd.rate(), self.round_trip, lost);
            self.aimd.set(rate.min(cap.max(self.aimd.rate())));
            self.overused = Some(now);
            return;
        }
        let input = RateControlInput { usage, acknowledged, round_trip: self.round_trip, queue_delay, cap };
        // A trial starts from the sent rate, because the application may send less than the estimate.
        let at = self.since_origin(now);
        let sent = self.sent.rate_until(at).min(bps(self.estimate()));
        let mut lowered = self.aimd.update(now, &input);
        let congested = usage == Usage::Over || queue_delay > MAX_PROBE_QUEUE;
        if let Some(rate) = self.loss.update(now, congested, sent, long) {
            self.aimd.set(rate);
            lowered = true;
        }
        if lowered {
            self.handle_decrease(now);
        }
        if let Some(outcome) = self.prober.poll(self.loss.inherent(), self.aimd.rate()) {
            self.handle_outcome(now, outcome, long.unwrap_or(0.0));
        }
        if self.raised.is_some_and(|(_, at)| now.saturating_duration_since(at) > HOLD) {
            self.raised = None;
            self.prober.succeed();
        }
        if self.is_application_limited(now) && long.is_some() && self.aimd.rate() > cap {
            self.aimd.set(cap);
        }
    }

    fn handle_decrease(&mut self, now: Instant) {
        let rate = self.aimd.rate();
        self.overused = Some(now);
        self.proven.refute(rate);
        self.prober.cancel();
        if self.raised.take_if(|(raised, _)| rate < *raised * HELD).is_some() {
            self.prober.back_off();
        }
    }

    fn handle_outcome(&mut self, now: Instant, outcome: Outcome, acknowledged: f64) {
        let rate = self.aimd.rate();
        if outcome.carried || outcome.rate > rate {
            self.proven.record(outcome.rate, now);
        }
        let certain = self.delay.queue.jitter() < MAX_CERTAIN_JITTER;
        // A failed probe lowers the estimate only if the application sends less: otherwise the delay detector is more exact.
        let lowers = outcome.rate < rate && !outcome.carried && certain && acknowledged < APPLICATION_LIMITED * rate;
        if outcome.rate > bps(self.estimate()) {
            self.loss.raise(outcome.rate);
        }
        if outcome.rate > rate {
            self.aimd.set(outcome.rate);
            if outcome.rate > JUDGED * rate {
                self.raised = Some((outcome.rate, now));
            }
        } else if lowers {
            self.aimd.set(outcome.rate.max(acknowledged));
            self.proven.refute(self.aimd.rate());
        }
    }

    fn since_origin(&mut self, at: Instant) -> Duration {
        let origin = *self.origin.get_or_insert(at);
        at.saturating_duration_since(origin)
    }
}

impl DelayDetector {
    /// Returns the state of the trendline. Overuse without a queue is jitter.
    fn usage(&self) -> Usage {
        let queued = self.queue.standing() > MIN_QUEUE + self.queue.jitter() * QUEUE_JITTERS
            || self.queue.current() > SUDDEN_QUEUE + JITTERS * self.queue.jitter();
        match self.trendline.usage() {
            Usage::Over if !queued => Usage::Normal,
            usage @ (Usage::Over | Usage::Normal | Usage::Under) => usage,
        }
    }

    /// Adds a packet. Packets of a probe are left out, because they fill a queue on purpose.
    fn add(&mut self, sent: Duration, arrived: Duration, cluster: Option<ClusterId>) {
        if cluster.is_some() {
            self.skipped = cluster;
            return;
        }
        if self.skipped.take().is_some() {
            self.groups.reset();
        }
        self.queue.add(sent, arrived);
        if let Some(delta) = self.groups.add(sent, arrived) {
            self.trendline.update(delta);
        }
    }
}

/// The round trip before the first feedback.
const INITIAL_ROUND_TRIP: Duration = Duration::from_millis(100);

/// The longest round trip that counts. More is a wrong clock.
const MAX_ROUND_TRIP: Duration = Duration::from_secs(5);

/// The windows of the acknowledged rate. A decrease takes the lower of both, so that it follows a sudden drop.
const LONG: Duration = Duration::from_millis(480);
const SHORT: Duration = Duration::from_millis(200);

/// The application is the limit if it sends less than this part of the estimate.
const APPLICATION_LIMITED: f64 = 0.8;

/// The part of the rate of an earlier call with which the next one begins.
const LAST_RATE_PART: f64 = 0.8;

/// The time after overuse in which no probe is sent.
const CALM: Duration = Duration::from_secs(1);

/// Seconds: with a longer standing queue no probe is sent, and loss is congestion.
const MAX_PROBE_QUEUE: f64 = 0.05;

/// Growing delay is overuse only if the standing queue has these seconds and this multiple of the jitter. A smoothed delay
/// of `SUDDEN_QUEUE` seconds and `JITTERS` times the jitter is overuse at once, because the standing queue shows a collapse
/// of the capacity too late.
const MIN_QUEUE: f64 = 0.006;
const QUEUE_JITTERS: f64 = 1.5;
const SUDDEN_QUEUE: f64 = 0.05;
const JITTERS: f64 = 4.0;

/// If a probe raises the estimate by less than this factor, it is not checked whether the rate holds.
const JUDGED: f64 = 1.3;

/// Seconds: with more jitter, a failed probe does not lower the estimate.
const MAX_CERTAIN_JITTER: f64 = 0.008;

/// The rate of a probe has held if the estimate was not lowered below this part of it in this time.
const HELD: f64 = 0.8;
const HOLD: Duration = Duration::from_secs(3);

/// After this time without feedback the estimate falls, by this factor in each step.
const MAX_SILENCE: Duration = Duration::from_secs(1);
const SILENCE_STEP: Duration = Duration::from_millis(500);
const SILENCE_FACTOR: f64 = 0.7;
