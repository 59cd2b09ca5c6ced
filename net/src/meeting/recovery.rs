//! The recovery of a member that lost its connection or its group: when to connect, and what to send first.
//!
//! It resumes: the same member, on a new connection, gets the entries that it missed. If the server refuses that, or if this
//! client cannot follow the group, it joins again. So does a manager that comes back and gets a false Welcome, or no answer.

use super::joining::Joining;
use super::problems::Awaited;
use super::timing::{
    FALSE_WELCOME_RETRY, FIRST_RETRY, MAX_FALSE_WELCOME_RETRY, MAX_FALSE_WELCOMES, MAX_RETRY, MAX_RETURN_TIMEOUT,
    MIN_FAILURES_WITH_JITTER, RECOVERY_TIMEOUT, RETURN_TIMEOUT,
};
use proto::ParticipantId;
use std::time::{Duration, Instant};

/// The state of a recovery.
pub(super) struct Recovery {
    /// When the connection was lost, or later if a member has answered since.
    since: Instant,
    route: Route,
    stage: Stage,
    /// How many attempts have failed.
    failures: u32,
    /// The id of this participant, so that the delays of two clients differ.
    seed: u64,
    /// How many attempts a member has answered with a false Welcome. They do not count as failed: the connection works.
    false_welcomes: u32,
    /// How many requests of a manager to come back nobody has answered.
    unanswered: u32,
}

/// How the client comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// As the same member.
    Resume,
    /// As a new member.
    Rejoin,
}

/// What one attempt waits for.
pub(super) enum Stage {
    /// The time of the attempt.
    Waiting(Instant),
    /// The connection.
    Connecting,
    /// The answer to `Hello`.
    Greeting,
    /// The answer to `Resume`.
    Resuming,
    /// A member's decision.
    Joining(Joining),
}

impl Recovery {
    /// Starts after the connection of `me` was lost. The first attempt is immediate.
    pub(super) fn resume(me: ParticipantId, now: Instant) -> Self {
        Self {
            since: now,
            route: Route::Resume,
            stage: Stage::Waiting(now),
            failures: 0,
            seed: me.0,
            false_welcomes: 0,
            unanswered: 0,
        }
    }

    /// Starts because this client is not a member of the others' group. The first attempt is after `delay`.
    pub(super) fn rejoin(me: ParticipantId, now: Instant, delay: Duration) -> Self {
        Self { route: Route::Rejoin, stage: Stage::Waiting(now + delay), ..Self::resume(me, now) }
    }

    /// Starts because a member has answered an organiser, which has not entered yet, with a false Welcome.
    pub(super) fn after_false_welcome(me: ParticipantId, now: Instant) -> Self {
        let mut recovery = Self::rejoin(me, now, Duration::ZERO);
        recovery.handle_false_welcome(now);
        recovery
    }

    /// Starts because nobody has answered a manager, which has not entered yet.
    pub(super) fn after_silence(me: ParticipantId, now: Instant) -> Self {
        let mut recovery = Self::rejoin(me, now, Duration::ZERO);
        recovery.handle_silence(now);
        recovery
    }

    pub(super) const fn route(&self) -> Route {
        self.route
    }

    pub(super) fn stage(&mut self) -> &mut Stage {
        &mut self.stage
    }

    /// Gives up to resume. The next attempt joins again, at once.
    pub(super) fn give_up_resuming(&mut self, now: Instant) {
        self.route = Route::Rejoin;
        self.stage = Stage::Waiting(now);
    }

    /// Handles another network, or the end of a sleep: the next attempt is due immediately. An attempt that has begun is given
    /// up.
    pub(super) fn restart(&mut self, now: Instant) {
        self.failures = 0;
        self.stage = Stage::Waiting(now);
    }

    /// Handles a failed attempt. Returns false if it was the last one.
    pub(super) fn fail(&mut self, now: Instant) -> bool {
        self.failures = self.failures.saturating_add(1);
        self.stage = Stage::Waiting(now + retry_delay(self.failures, self.seed));
        now < self.since + RECOVERY_TIMEOUT
    }

    /// Handles a false Welcome. The time to come back starts again. Returns false if it was the last one.
    pub(super) fn handle_false_welcome(&mut self, now: Instant) -> bool {
        self.since = now;
        self.failures = 0;
        let delay = FALSE_WELCOME_RETRY * 2u32.saturating_pow(self.false_welcomes.min(8));
        self.false_welcomes += 1;
        self.stage = Stage::Waiting(now + delay.min(MAX_FALSE_WELCOME_RETRY));
        self.false_welcomes < MAX_FALSE_WELCOMES
    }

    /// Handles a request to come back that nobody has answered in [`Self::patience`]. The time to come back starts again, as after
    /// a false Welcome: the connection works. There is no last one.
    pub(super) fn handle_silence(&mut self, now: Instant) {
        self.since = now;
        self.failures = 0;
        let delay = FALSE_WELCOME_RETRY * 2u32.saturating_pow(self.unanswered.min(8));
        self.unanswered = self.unanswered.saturating_add(1);
        self.stage = Stage::Waiting(now + delay.min(MAX_FALSE_WELCOME_RETRY));
    }

    /// Returns how long a manager waits for an answer to its next request to come back.
    pub(super) fn patience(&self) -> Duration {
        (RETURN_TIMEOUT * 2u32.saturating_pow(self.unanswered.min(8))).min(MAX_RETURN_TIMEOUT)
    }

    /// Returns true, once, if it is time for the next attempt.
    pub(super) fn take_attempt(&mut self, now: Instant) -> bool {
        let due = matches!(self.stage, Stage::Waiting(at) if at <= now);
        if due {
            self.stage = Stage::Connecting;
        }
        due
    }

    /// Returns when the next attempt or the next notice is due.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        match &self.stage {
            Stage::Waiting(at) => Some(*at),
            Stage::Joining(joining) => joining.poll_timeout(),
            Stage::Connecting | Stage::Greeting | Stage::Resuming => None,
        }
    }

    /// Returns the answer that this client awaits.
    pub(super) const fn awaited(&self) -> Awaited {
        match &self.stage {
            Stage::Waiting(_) | Stage::Connecting => Awaited::Nothing,
            Stage::Greeting => Awaited::Greeting,
            Stage::Resuming => Awaited::Resumption,
            Stage::Joining(joining) => joining.awaited(),
        }
    }

    /// Returns true while the server is expected to say something.
    pub(super) const fn expects_answer(&self) -> bool {
        !matches!(self.stage, Stage::Waiting(_))
    }
}

/// Returns how long to wait after the last of `failures` attempts.
fn retry_delay(failures: u32, seed: u64) -> Duration {
    let delay = (FIRST_RETRY * 2u32.saturating_pow(failures.saturating_sub(1).min(8))).min(MAX_RETRY);
    if failures < MIN_FAILURES_WITH_JITTER {
        return delay;
    }
    // SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
    let mut mixed = seed.wrapping_add(u64::from(failures).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let part = u32::try_from(mixed >> 55).unwrap_or(0);
    // From 3/4 to 5/4 of the delay.
    delay * (768 + part) / 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lets all attempts fail at once. Returns the times of the attempts since the loss.
    fn attempts(me: u64) -> Vec<Duration> {
        let start = Instant::now();
        let mut recovery = Recovery::resume(ParticipantId(me), start);
        let mut times = Vec::new();
        loop {
            let now = recovery.poll_timeout().unwrap();
            times.push(now - start);
            assert!(recovery.take_attempt(now) && !recovery.take_attempt(now));
            assert_eq!(recovery.route(), Route::Resume, "only the server knows that the place is lost");
            if !recovery.fail(now) {
                return times;
            }
        }
    }

    #[test]
    fn the_first_attempts_come_at_once_and_the_later_ones_every_four_seconds() {
        let times = attempts(1);
        assert_eq!(times[..3].iter().map(Duration::as_millis).collect::<Vec<_>>(), [0, 250, 750]);
        let delays: Vec<_> = times.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
        for (index, expected) in [(2, 1_000), (3, 2_000), (4, 4_000), (5, 4_000), (20, 4_000)] {
            let expected = Duration::from_millis(expected);
            assert!(delays[index] >= expected * 3 / 4 && delays[index] <= expected * 5 / 4, "{index}: {delays:?}");
        }
        assert!(times.last().is_some_and(|last| *last >= RECOVERY_TIMEOUT));
        assert!(times.len() < 60);
    }

    #[test]
    fn two_clients_do_not_come_back_at_the_same_moments() {
        assert_ne!(attempts(1)[3..], attempts(2)[3..]);
    }

    #[test]
    fn another_network_ends_the_wait() {
        let mut now = Instant::now();
        let mut recovery = Recovery::resume(ParticipantId(1), now);
        for _ in 0..10 {
            now = recovery.poll_timeout().unwrap();
            recovery.take_attempt(now);
            recovery.fail(now);
        }
        assert!(recovery.poll_timeout().unwrap() > now);
        recovery.restart(now);
        assert!(recovery.take_attempt(now));
        recovery.restart(now);
        assert!(recovery.take_attempt(now), "an attempt on the old network is given up");
    }
}
