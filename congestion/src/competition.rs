//! Competing with flows that fill queues, such as TCP.

use crate::units::PACKET_BITS;
use std::time::{Duration, Instant};

/// Finds out whether others keep the queue full, and then shares the path as TCP does.
///
/// A flow that reacts to delay starves beside one that reacts only to loss. If the queue stays although this flow has
/// lowered its rate, the queue belongs to others. Then only loss lowers the rate, and it grows by half a packet in each round
/// trip, until the queue is gone. Copa (Arun and Balakrishnan, NSDI 2018, section 2.2) and RFC 8698, section 4.2, change
/// their mode for the same reason.
#[derive(Clone, Copy, Debug, Default)]
pub struct Competition {
    /// The period in which the queue has not been empty.
    queued: Option<Queued>,
    active: bool,
    updated: Option<Instant>,
    decreased: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
struct Queued {
    since: Instant,
    /// The highest rate, in bits per second, and the longest queue, in seconds, in this period.
    rate: f64,
    longest: f64,
}

impl Competition {
    /// Applies the length of the standing queue. Returns true if others keep it full.
    pub fn update(&mut self, now: Instant, queue: f64, rate: f64) -> bool {
        if queue < SHORT_QUEUE {
            self.queued = None;
            self.active = false;
            return false;
        }
        let queued = self.queued.get_or_insert(Queued { since: now, rate, longest: queue });
        queued.rate = queued.rate.max(rate);
        queued.longest = queued.longest.max(queue);
        let stays =
            now.saturating_duration_since(queued.since) > MIN_DURATION && queue > MIN_REMAINING * queued.longest;
        if stays && rate < LOWERED * queued.rate {
            self.active = true;
        }
        self.active
    }

    /// Returns the next rate, in bits per second. `lost` is true if a packet was lost.
    pub fn rate(&mut self, now: Instant, rate: f64, round_trip: Duration, lost: bool) -> f64 {
        let elapsed = self.updated.map_or(0.0, |updated| now.saturating_duration_since(updated).as_secs_f64()).min(0.2);
        self.updated = Some(now);
        let pause = round_trip + REACTION;
        if lost && self.decreased.is_none_or(|at| now.saturating_duration_since(at) > pause) {
            self.decreased = Some(now);
            return rate * DECREASE;
        }
        let seconds = round_trip.as_secs_f64().max(MIN_ROUND_TRIP);
        rate + GROWTH * PACKET_BITS / (seconds * seconds) * elapsed
    }
}

/// Seconds: a shorter queue counts as empty.
const SHORT_QUEUE: f64 = 0.04;

/// How long the queue must last before others can be the cause.
const MIN_DURATION: Duration = Duration::from_secs(2);

/// A queue that is shorter than this part of its greatest length is becoming empty.
const MIN_REMAINING: f64 = 0.85;

/// If the queue lasts although the rate was lowered to this part, it belongs to others.
const LOWERED: f64 = 0.6;

/// The factor of a decrease. With [`GROWTH`] it gives about half of the path beside one Reno flow (RFC 5681), in simulation.
const DECREASE: f64 = 0.6;

/// Packets by which the rate grows in each round trip.
const GROWTH: f64 = 0.5;

/// The time between two decreases is the round trip and this.
const REACTION: Duration = Duration::from_millis(100);

/// Seconds: a shorter round trip does not make the rate grow faster.
const MIN_ROUND_TRIP: f64 = 0.05;
