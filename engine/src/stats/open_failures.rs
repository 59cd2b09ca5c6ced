//! Why frames were not opened, counted by cause: what fails is told apart from what was never for us.

use crypto::open;
use serde::{Deserialize, Serialize};
use std::ops::AddAssign;

/// Frames that were not opened. The first four are refused by rule, the others should have opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenFailures {
    /// They came a second time.
    pub replayed: u64,
    /// They were sealed in an epoch before the one in which we came in, by who had not heard of us yet.
    pub before_us: u64,
    /// They were opened when we were out already: left, or put out.
    pub after_us: u64,
    /// Their sender has no part in their epoch, or was removed since.
    pub not_a_member: u64,
    /// They came when the time of their epoch was over, or their thread was so slow that the keys were gone.
    pub too_late: u64,
    /// The keys of their epoch did not come in time, or never.
    pub unknown_key: u64,
    /// Outside and inside of the seal, or frame and track, do not agree.
    pub contradiction: u64,
    /// The seal is broken.
    pub not_authentic: u64,
    /// They are no frames.
    pub malformed: u64,
}

impl OpenFailures {
    /// Counts a frame.
    pub fn count(&mut self, why: open::Error) {
        use open::Error;
        *match why {
            Error::Replayed => &mut self.replayed,
            Error::BeforeUs => &mut self.before_us,
            Error::AfterUs => &mut self.after_us,
            Error::NotAMember => &mut self.not_a_member,
            Error::TooLate => &mut self.too_late,
            Error::UnknownKey => &mut self.unknown_key,
            Error::Contradiction => &mut self.contradiction,
            Error::NotAuthentic => &mut self.not_authentic,
            Error::Malformed => &mut self.malformed,
        } += 1;
    }

    /// Frames that were for us and did not open.
    #[must_use]
    pub const fn failed(&self) -> u64 {
        self.too_late + self.unknown_key + self.contradiction + self.not_authentic + self.malformed
    }
}

impl AddAssign for OpenFailures {
    fn add_assign(&mut self, other: Self) {
        self.replayed += other.replayed;
        self.before_us += other.before_us;
        self.after_us += other.after_us;
        self.not_a_member += other.not_a_member;
        self.too_late += other.too_late;
        self.unknown_key += other.unknown_key;
        self.contradiction += other.contradiction;
        self.not_authentic += other.not_authentic;
        self.malformed += other.malformed;
    }
}

/// True where the frame was for us, or might have been: what comes behind it on its track may build on it.
#[must_use]
pub const fn leaves_a_hole(why: open::Error) -> bool {
    use open::Error;
    match why {
        Error::Replayed | Error::AfterUs | Error::NotAMember => false,
        Error::BeforeUs
        | Error::TooLate
        | Error::UnknownKey
        | Error::Contradiction
        | Error::NotAuthentic
        | Error::Malformed => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use open::Error;

    #[test]
    fn what_was_never_for_us_is_no_failure_and_everything_else_is() {
        let (mut all, mut ruled_out) = (OpenFailures::default(), OpenFailures::default());
        for why in [Error::Replayed, Error::BeforeUs, Error::AfterUs, Error::NotAMember] {
            ruled_out.count(why);
        }
        assert_eq!(ruled_out.failed(), 0);
        for why in [Error::TooLate, Error::UnknownKey, Error::Contradiction, Error::NotAuthentic, Error::Malformed] {
            all.count(why);
        }
        all += ruled_out;
        assert_eq!(all.failed(), 5);
        let counts = serde_json::to_value(all).expect("numbers");
        assert!(counts.as_object().expect("fields").values().all(|count| *count == 1), "{counts}");
    }
}
