//! When each peer is due. Pure: the caller passes the time.
//!
//! A server has up to thousands of peers, and is woken for each datagram. So it does not look at all of them each time.

use super::peer::IdHasher;
use proto::ParticipantId;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::hash::BuildHasherDefault;
use std::time::Instant;

/// One timer for each peer.
///
/// Most changes make a timer later, because a packet was sent. The queue keeps the earlier time then, and the timer is queued
/// again when that has passed. So a change costs no search in the queue, and allocates nothing.
#[derive(Debug, Default)]
pub struct Timers {
    queue: BinaryHeap<Reverse<(Instant, ParticipantId)>>,
    timers: HashMap<ParticipantId, Timer, BuildHasherDefault<IdHasher>>,
}

#[derive(Debug)]
struct Timer {
    due: Instant,
    /// The earliest time of the peer in the queue.
    queued: Instant,
}

impl Timers {
    /// Sets when a peer is due.
    pub fn set(&mut self, participant: ParticipantId, due: Instant) {
        if let Some(timer) = self.timers.get_mut(&participant) {
            timer.due = due;
            if timer.queued <= due {
                return;
            }
            timer.queued = due;
        } else {
            self.timers.insert(participant, Timer { due, queued: due });
        }
        self.queue.push(Reverse((due, participant)));
    }

    /// Removes the timer of a peer.
    pub fn remove(&mut self, participant: ParticipantId) {
        self.timers.remove(&participant);
    }

    /// Returns a peer that is due. Its timer is not set any more.
    pub fn pop(&mut self, now: Instant) -> Option<ParticipantId> {
        while let Some(Reverse((at, participant))) = self.queue.peek().copied().filter(|Reverse((at, _))| *at <= now) {
            self.queue.pop();
            let Some(timer) = self.timers.get_mut(&participant).filter(|timer| timer.queued == at) else { continue };
            if timer.due <= now {
                self.timers.remove(&participant);
                return Some(participant);
            }
            timer.queued = timer.due;
            self.queue.push(Reverse((timer.due, participant)));
        }
        None
    }

    /// Returns a time before which no peer is due. `None` if there is no timer.
    pub fn next(&self) -> Option<Instant> {
        self.queue.peek().map(|Reverse((at, _))| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn due(timers: &mut Timers, now: Instant) -> Vec<u64> {
        std::iter::from_fn(|| timers.pop(now)).map(|participant| participant.0).collect()
    }

    #[test]
    fn peers_are_due_in_order_and_once() {
        let (mut timers, start) = (Timers::default(), Instant::now());
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        for (participant, milliseconds) in [(1, 30), (2, 10), (3, 20)] {
            timers.set(ParticipantId(participant), at(milliseconds));
        }
        assert_eq!(timers.next(), Some(at(10)));
        assert_eq!(due(&mut timers, at(9)), []);
        assert_eq!(due(&mut timers, at(20)), [2, 3]);
        assert_eq!(due(&mut timers, at(40)), [1]);
        assert_eq!((timers.next(), timers.timers.len()), (None, 0));
    }

    #[test]
    fn a_timer_that_is_changed_is_due_at_the_last_time_that_was_set() {
        let (mut timers, start) = (Timers::default(), Instant::now());
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let (anna, ben) = (ParticipantId(1), ParticipantId(2));
        timers.set(anna, at(10));
        timers.set(anna, at(50));
        assert_eq!(due(&mut timers, at(49)), []);
        timers.set(anna, at(20));
        assert_eq!(due(&mut timers, at(20)), [1], "earlier than before");
        assert_eq!(due(&mut timers, at(60)), []);
        timers.set(ben, at(70));
        timers.remove(ben);
        timers.set(ben, at(90));
        assert_eq!(due(&mut timers, at(80)), []);
        assert_eq!(due(&mut timers, at(90)), [2]);
    }

    #[test]
    fn the_queue_does_not_grow_while_timers_move_on() {
        let (mut timers, start) = (Timers::default(), Instant::now());
        for step in 0..10_000 {
            let now = start + Duration::from_micros(step * 100);
            while let Some(participant) = timers.pop(now) {
                timers.set(participant, now + Duration::from_millis(25));
            }
            timers.set(ParticipantId(step % 10), now + Duration::from_millis(5));
        }
        assert!(timers.queue.len() <= 100, "{} entries for ten peers", timers.queue.len());
    }
}
