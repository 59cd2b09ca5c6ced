//! What the parts of a meeting share while they handle one input.

use super::Notice;
use super::entrant::Entrant;
use super::manager::Manager;
use super::outputs::Outputs;
use std::time::{Duration, Instant, SystemTime};

/// The time, the own identity, the keys of a manager, and the outputs.
pub(super) struct Context<'a> {
    pub now: Instant,
    /// This computer's clock. Only a manager that admits a client, and that client, use it.
    pub wall: SystemTime,
    /// How many seconds this computer's clock is ahead of the server's.
    pub clock_ahead: i64,
    pub entrant: &'a mut Entrant,
    /// `None` if this client manages no meeting.
    pub manager: &'a mut Option<Manager>,
    pub outputs: &'a mut Outputs,
}

/// Returns how many seconds `wall` is ahead of `server`, in seconds since 1970.
pub(super) fn clock_ahead(wall: SystemTime, server: u64) -> i64 {
    let mine = wall.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    i64::try_from(i128::from(mine) - i128::from(server)).unwrap_or(i64::MAX)
}

/// Returns the notice that this computer's clock and the server's differ too much. The server may be wrong, or lie.
pub(super) fn clock_notice(ahead: i64) -> Option<Notice> {
    (ahead.unsigned_abs() > MAX_CLOCK_DIFFERENCE.as_secs()).then_some(Notice::Clock { ahead })
}

/// Returns true if this computer's clock is the wrong one of two that differ by more than an hour, as the server's shows.
pub(super) fn is_own_clock_wrong(ahead: i64) -> bool {
    ahead.unsigned_abs() > MAX_CLOCK_DIFFERENCE.as_secs() / 2
}

/// How much this computer's clock and the server's may differ.
const MAX_CLOCK_DIFFERENCE: Duration = Duration::from_hours(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_difference_of_two_clocks_has_a_sign_and_bounds() {
        let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(10_000);
        assert_eq!(clock_ahead(wall, 9_000), 1_000);
        assert_eq!(clock_ahead(wall, 17_201), -7_201);
        assert_eq!(clock_ahead(wall, u64::MAX), i64::MAX);
        assert_eq!(clock_notice(-3_601), Some(Notice::Clock { ahead: -3_601 }));
        assert_eq!(clock_notice(3_600), None);
        assert!(is_own_clock_wrong(-1_801) && !is_own_clock_wrong(1_800));
    }
}
