//! A simulated sender and receiver on a [`SimulatedLink`]: sound, an encoder that follows the estimate, the pacer, and feedback
//! every 50 ms.

use super::link::{ArrivedPacket, Flow, LinkSpec, SimulatedLink};
use super::random::SplitMix64;
use congestion::{ClusterId, Config, Estimator, Pacer, PacketFeedback, Priority};
use media::Bitrate;
use std::collections::VecDeque;
use std::ops::AddAssign as _;
use std::time::{Duration, Instant};

/// What the encoders can use at most.
pub const WANTED: Bitrate = Bitrate::kbps(2_500);

pub struct Call {
    pub link: SimulatedLink,
    pub estimator: Estimator,
    pacer: Pacer<usize>,
    origin: Instant,
    random: SplitMix64,
    sent: VecDeque<Sent>,
    /// The number of the first packet in `sent`.
    first: u64,
    /// The highest number of a packet that arrived.
    highest: Option<u64>,
    /// The number of the first packet without feedback.
    reported: u64,
    arrivals: Vec<ArrivedPacket>,
    feedback: VecDeque<(f64, Vec<PacketFeedback>)>,
    /// The part of the rate that the encoder uses: 1 if it fills its rate, less for a picture that hardly moves.
    pub activity: f64,
    /// The estimate every 10 ms.
    pub estimates: Vec<f64>,
    /// The estimate without the limit by loss, every 10 ms.
    pub delay_based: Vec<f64>,
    /// The one-way delay of each packet of sound, and when it was sent.
    pub sound: Vec<(f64, f64)>,
    pub longest_queue: Duration,
    /// The bits of padding that were sent.
    pub padding: f64,
    /// The bits that were sent in each tenth of a second.
    pub sent_bits: Vec<f64>,
}

#[derive(Clone, Copy)]
struct Sent {
    at: f64,
    size: usize,
    cluster: Option<ClusterId>,
    arrived: Option<f64>,
    sound: bool,
}

impl Call {
    pub fn new(spec: LinkSpec, seed: u64) -> Self {
        let start = Bitrate::kbps(300);
        let config = Config { start, min: Bitrate::kbps(40), max: Bitrate::kbps(20_000) };
        let mut estimator = Estimator::new(config);
        estimator.set_wanted(WANTED);
        Self {
            link: SimulatedLink::new(spec, seed),
            estimator,
            pacer: Pacer::new(start),
            origin: Instant::now(),
            random: SplitMix64::new(seed ^ 0xabcd),
            sent: VecDeque::new(),
            first: 0,
            highest: None,
            reported: 0,
            arrivals: Vec::new(),
            feedback: VecDeque::new(),
            activity: 1.0,
            estimates: Vec::new(),
            delay_based: Vec::new(),
            sound: Vec::new(),
            longest_queue: Duration::ZERO,
            padding: 0.0,
            sent_bits: Vec::new(),
        }
    }

    /// Limits what is sent to `rate`, from now on.
    pub fn limit(&mut self, rate: Bitrate) {
        self.estimator.set_max(rate);
        self.pacer.set_limit(Some(rate), 0);
    }

    /// Sends the start probe first.
    pub fn start_probe(&mut self) {
        if let Some(probe) = self.estimator.poll_start_probe(self.origin) {
            self.pacer.start_probe(&probe);
        }
    }

    /// Returns the most bits that were sent in a second between two times.
    pub fn largest_second(&self, from: f64, to: f64) -> f64 {
        let slice = &self.sent_bits[(from * 10.0) as usize..(to * 10.0) as usize];
        slice.windows(10).map(|second| second.iter().sum()).fold(0.0, f64::max)
    }

    /// Runs from the start for `seconds`.
    pub fn run(&mut self, seconds: f64) {
        let ticks = (seconds * 1_000.0) as u64;
        for tick in 0..ticks {
            self.tick(tick);
        }
    }

    fn tick(&mut self, tick: u64) {
        let now = tick as f64 / 1_000.0;
        let instant = self.instant(now);
        if tick.is_multiple_of(20) {
            let _ = self.pacer.push(Priority::Audio, SOUND, SOUND);
        }
        if tick % 100 % 33 == 1 && tick % 100 < 99 {
            self.encode(tick);
        }
        while self.feedback.front().is_some_and(|(at, _)| *at <= now) {
            let (_, packets) = self.feedback.pop_front().unwrap();
            self.estimator.handle_feedback(instant, packets);
        }
        self.estimator.handle_timeout(instant);
        self.pacer.set_target(self.estimator.estimate());
        if let Some(probe) = self.estimator.poll_probe(instant) {
            self.pacer.start_probe(&probe);
        }
        self.release(now, instant);
        let mut arrivals = std::mem::take(&mut self.arrivals);
        self.link.advance(now, 0.001, &mut arrivals);
        self.arrivals = arrivals;
        if tick % 50 == 49 {
            self.report(now);
        }
        self.longest_queue = self.longest_queue.max(self.pacer.queue_time());
        if tick.is_multiple_of(10) {
            self.estimates.push(self.estimator.estimate().as_bps() as f64);
            self.delay_based.push(self.estimator.delay_based().as_bps() as f64);
        }
    }

    /// Encodes a picture. The encoder's rate varies, and a key frame takes four times as much.
    fn encode(&mut self, tick: u64) {
        if self.pacer.is_congested() {
            return;
        }
        let estimate = self.estimator.estimate().min(WANTED).as_bps() as f64;
        let rate = (estimate * 0.95 - 48_000.0).max(20_000.0) * self.activity;
        let key = if tick % 10_000 < 33 { 4.0 } else { 1.0 };
        let mut left = (rate / 30.0 / 8.0 * key * self.random.between(0.7, 1.3)) as usize;
        while left > 0 {
            let size = left.clamp(100, 1_200);
            let _ = self.pacer.push(Priority::Base, size, size);
            left = left.saturating_sub(1_200);
        }
    }

    fn release(&mut self, now: f64, instant: Instant) {
        while let Some(released) = self.pacer.poll(instant) {
            self.estimator.handle_sent(instant, released.packet);
            self.send(now, released.packet, released.cluster);
        }
        while let Some((size, cluster)) = self.pacer.poll_padding(instant) {
            self.pacer.handle_padding(size);
            self.padding += size as f64 * 8.0;
            self.send(now, size, Some(cluster));
        }
    }

    fn send(&mut self, now: f64, size: usize, cluster: Option<ClusterId>) {
        let id = self.first + self.sent.len() as u64;
        self.sent_bits.resize((now * 10.0) as usize + 1, 0.0);
        self.sent_bits.last_mut().unwrap().add_assign(size as f64 * 8.0);
        self.sent.push_back(Sent { at: now, size, cluster, arrived: None, sound: size == SOUND });
        self.link.send(now, Flow::Ours(id), size);
    }

    /// Sends feedback on what has arrived.
    fn report(&mut self, now: f64) {
        for ArrivedPacket { flow, at } in self.arrivals.extract_if(.., |arrival| arrival.at <= now) {
            let Flow::Ours(id) = flow else { continue };
            let sent = &mut self.sent[(id - self.first) as usize];
            sent.arrived = Some(at);
            if sent.sound {
                self.sound.push((sent.at, at - sent.at));
            }
            self.highest = self.highest.max(Some(id));
        }
        let Some(highest) = self.highest.filter(|highest| *highest >= self.reported) else { return };
        let (origin, mut packets) = (self.origin, Vec::new());
        for id in self.reported..=highest {
            let sent = self.sent[(id - self.first) as usize];
            packets.push(PacketFeedback {
                sent: origin + Duration::from_secs_f64(sent.at),
                size: sent.size,
                // The receiver's clock is another one, with a resolution of 250 us.
                arrived: sent.arrived.map(|at| Duration::from_micros((at * 4_000.0) as u64 * 250 + 7_000_000)),
                cluster: sent.cluster,
            });
        }
        self.reported = highest + 1;
        while self.first < self.reported {
            self.sent.pop_front();
            self.first += 1;
        }
        self.feedback.push_back((now + self.link.spec.delay, packets));
    }

    fn instant(&self, at: f64) -> Instant {
        self.origin + Duration::from_secs_f64(at)
    }

    /// Returns the mean estimate between two times.
    pub fn mean(&self, from: f64, to: f64) -> f64 {
        let slice = &self.estimates[(from * 100.0) as usize..(to * 100.0) as usize];
        slice.iter().sum::<f64>() / slice.len() as f64
    }

    /// Returns the seconds after `from` at which the estimate is at least `rate` for the first time.
    pub fn reaches(&self, from: f64, rate: f64) -> Option<f64> {
        let start = (from * 100.0) as usize;
        self.estimates[start..].iter().position(|estimate| *estimate >= rate).map(|at| at as f64 / 100.0)
    }

    /// Returns the seconds after `from` at which the estimate is at most `rate` for the first time.
    pub fn falls(&self, from: f64, rate: f64) -> Option<f64> {
        let start = (from * 100.0) as usize;
        self.estimates[start..].iter().position(|estimate| *estimate <= rate).map(|at| at as f64 / 100.0)
    }

    /// Returns the quantile `part` of the delays of sound that was sent between two times.
    pub fn sound_delay(&self, from: f64, to: f64, part: f64) -> f64 {
        let mut delays: Vec<f64> =
            self.sound.iter().filter(|(at, _)| (from..to).contains(at)).map(|(_, delay)| *delay).collect();
        delays.sort_by(f64::total_cmp);
        delays.get((delays.len() as f64 * part) as usize).copied().unwrap_or(f64::INFINITY)
    }
}

/// Bytes of a packet of sound: 48 kbit/s.
const SOUND: usize = 120;
