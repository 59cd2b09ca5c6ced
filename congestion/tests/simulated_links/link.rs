//! A simulated link: a rate with a bounded queue, propagation delay, jitter, loss, and a greedy flow beside ours.

use super::random::SplitMix64;
use std::collections::VecDeque;

/// How a link behaves. Times are in seconds, rates in bits per second.
#[derive(Clone, Debug)]
pub struct LinkSpec {
    /// The rate from each time on.
    pub rates: Vec<(f64, f64)>,
    /// Seconds that a full queue takes at the current rate.
    pub queue: f64,
    /// The propagation delay in each direction.
    pub delay: f64,
    /// The standard deviation of the delay. Packets keep their order.
    pub jitter: f64,
    /// The part of the packets that is lost.
    pub loss: f64,
    /// The mean number of packets that are lost together.
    pub burst: f64,
    /// True if a greedy flow like TCP shares the link.
    pub greedy: bool,
}

impl LinkSpec {
    pub fn new(rate: f64) -> Self {
        Self { rates: vec![(0.0, rate)], queue: 0.3, delay: 0.01, jitter: 0.0, loss: 0.0, burst: 1.0, greedy: false }
    }

    pub fn rate(&self, at: f64) -> f64 {
        self.rates.iter().rev().find(|(from, _)| *from <= at).map_or(0.0, |(_, rate)| *rate)
    }
}

/// The flow of a packet: ours, with the number of the packet, or the greedy one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    Ours(u64),
    Greedy,
}

/// A packet that left the link.
pub struct ArrivedPacket {
    pub flow: Flow,
    pub at: f64,
}

pub struct SimulatedLink {
    pub spec: LinkSpec,
    /// The packets with their bits, and the bits that are not sent yet.
    queue: VecDeque<(Flow, f64, f64)>,
    /// The bits in the queue.
    queued: f64,
    /// True while packets are lost in a burst.
    losing: bool,
    last_arrival: f64,
    random: SplitMix64,
    greedy: Greedy,
    /// The bits of our packets that arrived, and of those of the greedy flow.
    pub carried: f64,
    pub carried_greedy: f64,
}

/// A window-based flow that halves its window on loss (Reno, without slow start).
struct Greedy {
    window: f64,
    flying: f64,
    halved: f64,
    /// When acknowledgements come back.
    acknowledgements: VecDeque<f64>,
}

impl SimulatedLink {
    pub fn new(spec: LinkSpec, seed: u64) -> Self {
        let greedy = Greedy { window: 4.0, flying: 0.0, halved: 0.0, acknowledgements: VecDeque::new() };
        Self {
            spec,
            queue: VecDeque::new(),
            queued: 0.0,
            losing: false,
            last_arrival: 0.0,
            random: SplitMix64::new(seed),
            greedy,
            carried: 0.0,
            carried_greedy: 0.0,
        }
    }

    /// Returns the seconds that a packet waits if it is sent now.
    pub fn wait(&self, now: f64) -> f64 {
        self.queued / self.spec.rate(now)
    }

    pub fn send(&mut self, now: f64, flow: Flow, bytes: usize) -> bool {
        let bits = bytes as f64 * 8.0;
        if matches!(flow, Flow::Ours(_)) && self.is_lost() {
            return false;
        }
        let room = (self.spec.queue * self.spec.rate(now)).max(24_000.0);
        if self.queued + bits > room {
            return false;
        }
        self.queued += bits;
        self.queue.push_back((flow, bits, bits));
        true
    }

    /// Moves packets for `step` seconds from `now`.
    pub fn advance(&mut self, now: f64, step: f64, arrivals: &mut Vec<ArrivedPacket>) {
        if self.spec.greedy {
            self.pump(now);
        }
        let rate = self.spec.rate(now);
        let mut budget = rate * step;
        while let Some((flow, bits, left)) = self.queue.front_mut() {
            let served = left.min(budget);
            *left -= served;
            budget -= served;
            self.queued -= served;
            if *left > 0.0 {
                break;
            }
            let (flow, bits) = (*flow, *bits);
            self.queue.pop_front();
            let done = now + step - budget / rate + self.spec.delay;
            match flow {
                Flow::Ours(_) => {
                    self.carried += bits;
                    let late = if self.spec.jitter > 0.0 { self.random.normal(self.spec.jitter).abs() } else { 0.0 };
                    self.last_arrival = self.last_arrival.max(done + late);
                    arrivals.push(ArrivedPacket { flow, at: self.last_arrival });
                }
                Flow::Greedy => {
                    self.carried_greedy += bits;
                    self.greedy.acknowledgements.push_back(done + self.spec.delay);
                }
            }
        }
        self.queued = self.queued.max(0.0);
    }

    fn pump(&mut self, now: f64) {
        while self.greedy.acknowledgements.front().is_some_and(|at| *at <= now) {
            self.greedy.acknowledgements.pop_front();
            self.greedy.flying -= 1.0;
            self.greedy.window += 1.0 / self.greedy.window;
        }
        while self.greedy.flying + 1.0 <= self.greedy.window {
            if self.send(now, Flow::Greedy, 1_448) {
                self.greedy.flying += 1.0;
            } else {
                if now - self.greedy.halved > 2.0 * self.spec.delay + self.wait(now) {
                    self.greedy.halved = now;
                    self.greedy.window = (self.greedy.window / 2.0).max(2.0);
                }
                break;
            }
        }
    }

    /// Decides by a model of two states (Gilbert-Elliott): bursts have the mean length `burst`.
    fn is_lost(&mut self) -> bool {
        let LinkSpec { loss, burst, .. } = self.spec;
        if loss <= 0.0 {
            return false;
        }
        let leave = 1.0 / burst.max(1.0);
        let enter = leave * loss / (1.0 - loss);
        let chance = if self.losing { 1.0 - leave } else { enter };
        if burst <= 1.0 {
            return self.random.unit() < loss;
        }
        self.losing = self.random.unit() < chance;
        self.losing
    }
}
