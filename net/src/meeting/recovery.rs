//! The way back of a member that lost its connection or its group: when to connect, and what to say.
//!
//! For 20 s it resumes: the same member, on a new connection, which gets the entries that it missed. After that, or if this
//! client cannot follow the group, it joins again. So does an organiser whose first attempt to come back was answered with
//! a false Welcome.

use super::joining::Joining;
use super::problems::Awaited;
use super::timing::{
    FIRST_RETRY, MAX_FALSE_WELCOME_RETRY, MAX_FALSE_WELCOMES, MAX_RETRY, REJOIN_TIMEOUT, RESUME_TIMEOUT,
};
use std::time::{Duration, Instant};

/// The state of the way back.
pub(super) struct Recovery {
    /// When the connection was lost, or later if a member has answered since.
    since: Instant,
    route: Route,
    stage: Stage,
    /// How many attempts have failed.
    failures: u32,
    /// How many attempts a member has answered with a false Welcome. They do not count as failed: the connection works.
    false_welcomes: u32,
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
    /// The answer to `Approach`: the authorities that the server knows. A manager then repeats a lost rotation.
    Checking,
    /// The answer to `Resume`.
    Resuming,
    /// A member's decision.
    Joining(Joining),
}

impl Recovery {
    /// Starts after the connection was lost.
    pub(super) fn resume(now: Instant) -> Self {
        Self {
            since: now,
            route: Route::Resume,
            stage: Stage::Waiting(now + FIRST_RETRY),
            failures: 0,
            false_welcomes: 0,
        }
    }

    /// Starts because this client is not a member of the others' group. The first attempt is after `delay`.
    pub(super) fn rejoin(now: Instant, delay: Duration) -> Self {
        Self { since: now, route: Route::Rejoin, stage: Stage::Waiting(now + delay), failures: 0, false_welcomes: 0 }
    }

    /// Starts because a member has answered an organiser, which has not entered yet, with a false Welcome.
    pub(super) fn after_false_welcome(now: Instant) -> Self {
        let mut recovery = Self::rejoin(now, Duration::ZERO);
        recovery.handle_false_welcome(now);
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

    /// Handles a failed attempt. Returns false if it was the last one.
    pub(super) fn fail(&mut self, now: Instant) -> bool {
        if self.route == Route::Resume && now >= self.since + RESUME_TIMEOUT {
            self.route = Route::Rejoin;
        }
        let delay = FIRST_RETRY * 2u32.saturating_pow(self.failures.min(8) + 1);
        self.failures += 1;
        self.stage = Stage::Waiting(now + delay.min(MAX_RETRY));
        now < self.since + RESUME_TIMEOUT + REJOIN_TIMEOUT
    }

    /// Handles a false Welcome. The time to join again starts again. Returns false if it was the last one.
    pub(super) fn handle_false_welcome(&mut self, now: Instant) -> bool {
        self.since = now.checked_sub(RESUME_TIMEOUT).unwrap_or(now);
        self.failures = 0;
        let delay = FIRST_RETRY * 2u32.saturating_pow(self.false_welcomes.min(8));
        self.false_welcomes += 1;
        self.stage = Stage::Waiting(now + delay.min(MAX_FALSE_WELCOME_RETRY));
        self.false_welcomes < MAX_FALSE_WELCOMES
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
            Stage::Connecting | Stage::Greeting | Stage::Checking | Stage::Resuming => None,
        }
    }

    /// Returns the answer that this client awaits.
    pub(super) const fn awaited(&self) -> Awaited {
        match &self.stage {
            Stage::Waiting(_) | Stage::Connecting => Awaited::Nothing,
            Stage::Greeting => Awaited::Greeting,
            Stage::Checking => Awaited::Admission,
            Stage::Resuming => Awaited::Resumption,
            Stage::Joining(joining) => joining.awaited(),
        }
    }

    /// Returns true while the server is expected to say something.
    pub(super) const fn expects_answer(&self) -> bool {
        !matches!(self.stage, Stage::Waiting(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_come_later_and_later_and_then_join_again() {
        let start = Instant::now();
        let mut recovery = Recovery::resume(start);
        let (mut now, mut delays, mut joined_after) = (start, Vec::new(), None);
        loop {
            let next = recovery.poll_timeout().unwrap();
            delays.push((next - now).as_millis());
            now = next;
            assert!(recovery.take_attempt(now) && !recovery.take_attempt(now));
            if recovery.route() == Route::Rejoin {
                joined_after.get_or_insert(now - start);
            }
            if !recovery.fail(now) {
                break;
            }
        }
        assert_eq!(delays[..6], [500, 1_000, 2_000, 4_000, 8_000, 8_000]);
        let joined_after = joined_after.unwrap();
        assert!(joined_after >= RESUME_TIMEOUT && joined_after < RESUME_TIMEOUT + MAX_RETRY + MAX_RETRY);
        assert!(now >= start + RESUME_TIMEOUT + REJOIN_TIMEOUT);
    }
}
