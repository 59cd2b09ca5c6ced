//! The loss controller: tells loss by congestion from random loss.

use std::time::{Duration, Instant};

/// Lowers the rate on loss that congestion causes, and only then.
///
/// A path can lose packets for two reasons. A full queue drops what exceeds the capacity; a radio link drops packets
/// at any rate. Like `goog_cc` (`LossBasedBweV2`), this controller estimates the inherent loss of the path. Loss
/// above it with a long queue is congestion. Loss above it without a queue is tested: the rate is lowered for a moment.
/// If the loss falls with the rate, something drops what exceeds a capacity, and the rate stays low. If not, the loss is
/// inherent, and the rate returns to its former value.
#[derive(Clone, Debug)]
pub struct LossController {
    packets: u32,
    lost: u32,
    /// The number of runs of successive lost packets.
    runs: u32,
    /// True if the last packet was lost.
    losing: bool,
    /// The smoothed length of a run, in packets.
    burst: f64,
    /// When the window began.
    started: Option<Instant>,
    /// True if the path had a long queue in this window.
    congested: bool,
    inherent: f64,
    recent: f64,
    limit: Option<f64>,
    trial: Option<Trial>,
}

/// A test whether the loss falls with the rate.
#[derive(Clone, Copy, Debug)]
struct Trial {
    /// The loss before it, 0..1.
    loss: f64,
    /// The bits per second that were sent before it.
    rate: f64,
}

impl LossController {
    pub fn new() -> Self {
        Self {
            packets: 0,
            lost: 0,
            runs: 0,
            losing: false,
            burst: 1.0,
            started: None,
            congested: false,
            inherent: 0.0,
            recent: 0.0,
            limit: None,
            trial: None,
        }
    }

    /// Returns the upper bound of the rate, in bits per second.
    pub fn limit(&self) -> Option<f64> {
        self.limit
    }

    /// Returns the part of the packets that is lost at any rate, 0..1.
    pub fn inherent(&self) -> f64 {
        self.inherent
    }

    /// Returns the part of the packets that was lost in the last window, 0..1.
    pub fn recent(&self) -> f64 {
        self.recent
    }

    /// Raises the upper bound to the rate that a probe has found. During a trial it stays.
    pub fn raise(&mut self, rate: f64) {
        if self.trial.is_none() {
            self.limit = self.limit.map(|limit| limit.max(rate));
        }
    }

    /// Counts a packet.
    pub fn add(&mut self, lost: bool) {
        self.packets = self.packets.saturating_add(1);
        self.lost = self.lost.saturating_add(u32::from(lost));
        self.runs = self.runs.saturating_add(u32::from(lost && !self.losing));
        self.losing = lost;
    }

    /// Evaluates the window if it is long enough. `congested` is true if the path has a long queue, `rate` is the
    /// bits per second that are sent now, and `acknowledged` those that arrive. If there is congestion, returns the new,
    /// lower rate.
    pub fn update(&mut self, now: Instant, congested: bool, rate: f64, acknowledged: Option<f64>) -> Option<f64> {
        let started = *self.started.get_or_insert(now);
        self.congested |= congested;
        let age = now.saturating_duration_since(started);
        let enough = if self.trial.is_some() { TRIAL_PACKETS } else { PACKETS };
        let full = age >= MIN_WINDOW && self.packets >= enough;
        if age < SETTLE && self.trial.is_some() {
            // These packets were sent before the trial.
            (self.packets, self.lost, self.runs) = (0, 0, 0);
        }
        if !full && (age < MAX_WINDOW || self.packets < MIN_PACKETS) {
            return None;
        }
        let loss = f64::from(self.lost) / f64::from(self.packets.max(1));
        let margin = self.margin();
        self.recent = loss;
        let congested = std::mem::take(&mut self.congested);
        (self.packets, self.lost, self.runs, self.started) = (0, 0, 0, Some(now));
        match self.trial.take() {
            Some(trial) => self.conclude(trial, loss),
            None if loss <= self.inherent + margin => {
                // Less loss lowers the inherent loss, but only a trial raises it: otherwise it would follow slowly growing
                // congestion.
                self.inherent -= INHERENT_WEIGHT * (self.inherent - loss).max(0.0);
                self.limit = self.limit.map(|limit| limit * RELEASE).filter(|limit| *limit < 2.0 * rate);
                None
            }
            None if congested => {
                let target = acknowledged.map_or(rate * DECREASE, |acknowledged| acknowledged * DELIVERED).min(rate);
                self.limit = Some(target);
                Some(target)
            }
            None => {
                self.trial = Some(Trial { loss, rate });
                self.limit = Some(rate * TRIAL_RATE);
                None
            }
        }
    }

    /// Returns by how much the loss of this window may exceed the inherent loss by chance: a fixed margin and two standard
    /// deviations. Loss in bursts varies as if there were fewer packets.
    fn margin(&mut self) -> f64 {
        if self.runs > 0 {
            let burst = f64::from(self.lost) / f64::from(self.runs);
            self.burst += BURST_WEIGHT * (burst.min(MAX_BURST) - self.burst);
        }
        let packets = f64::from(self.packets.max(1)) / (2.0 * self.burst - 1.0).max(1.0);
        MARGIN + 2.0 * (self.inherent * (1.0 - self.inherent) / packets).sqrt()
    }

    fn conclude(&mut self, trial: Trial, loss: f64) -> Option<f64> {
        let if_congestion = (1.0 - (1.0 - trial.loss) / TRIAL_RATE).max(0.0);
        if loss < f64::midpoint(trial.loss, if_congestion) {
            return Some(trial.rate * TRIAL_RATE);
        }
        self.inherent = f64::midpoint(trial.loss, loss).min(MAX_INHERENT);
        self.limit = None;
        None
    }
}

/// The bounds of a window's duration.
const MIN_WINDOW: Duration = Duration::from_millis(300);
const MAX_WINDOW: Duration = Duration::from_millis(1_500);

/// The number of packets that fill a window.
const PACKETS: u32 = 60;

/// The number of packets that fill the window of a trial.
const TRIAL_PACKETS: u32 = 200;

/// The minimum number of packets of any window.
const MIN_PACKETS: u32 = 10;

/// After the start of a trial, feedback is about packets that were sent before it for this time.
const SETTLE: Duration = Duration::from_millis(150);

/// Loss that exceeds the inherent loss by less than this needs no reaction.
const MARGIN: f64 = 0.03;

/// The weight of a window in the smoothed length of a run, and the longest run that counts, in packets.
const BURST_WEIGHT: f64 = 0.1;
const MAX_BURST: f64 = 8.0;

/// The part of the rate that is sent in a trial.
const TRIAL_RATE: f64 = 0.85;

/// The weight in the inherent loss of a window with less loss.
const INHERENT_WEIGHT: f64 = 0.15;

/// More loss than this is never inherent.
const MAX_INHERENT: f64 = 0.6;

/// The factor by which the limit grows in each window without congestion.
const RELEASE: f64 = 1.2;

/// The part of the acknowledged rate that is sent after congestion.
const DELIVERED: f64 = 0.95;

/// The factor of a decrease if the acknowledged rate is not known.
const DECREASE: f64 = 0.85;

#[cfg(test)]
mod tests {
    use super::*;

    fn window(controller: &mut LossController, now: Instant, lost: u32, congested: bool) {
        (0..PACKETS).for_each(|packet| controller.add(packet < lost));
        controller.update(now, congested, 60_000.0, Some(45_000.0));
    }

    #[test]
    fn a_limit_by_congestion_is_released_within_eight_windows_without_loss() {
        let (mut controller, start) = (LossController::new(), Instant::now());
        let at = |window: u32| start + MIN_WINDOW * window;
        controller.update(start, false, 60_000.0, None);
        window(&mut controller, at(1), 20, true);
        assert!(controller.limit().is_some_and(|limit| limit < 60_000.0));
        (2..10).for_each(|number| window(&mut controller, at(number), 0, false));
        assert_eq!(controller.limit(), None);
    }

    #[test]
    fn loss_in_bursts_may_vary_more_than_single_losses() {
        let margin = |burst: u32| {
            let mut controller = LossController { inherent: 0.05, ..LossController::new() };
            for _ in 0..20 {
                (0..600).for_each(|packet| controller.add(packet % (20 * burst) < burst));
                controller.margin();
                (controller.packets, controller.lost, controller.runs) = (60, 0, 0);
            }
            controller.margin()
        };
        assert!(margin(1) < 0.09 && margin(5) > 0.15, "{} {}", margin(1), margin(5));
    }
}
