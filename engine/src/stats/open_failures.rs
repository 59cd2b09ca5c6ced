//! Counts frames that were not opened, by cause. Frames that we must not open are not failures.

use crypto::open;
use serde::{Deserialize, Serialize};
use std::ops::AddAssign;

/// Frames that were not opened. The first six causes are rules of the protocol. Frames of the other causes should have
/// opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenFailures {
    /// The frame was received before.
    pub replayed: u64,
    /// The frame was sealed in an epoch before we joined, by a sender that did not know of us yet.
    pub before_us: u64,
    /// We had left, or been removed, already.
    pub after_us: u64,
    /// The sender is not a member in the frame's epoch, or was removed since.
    pub not_a_member: u64,
    /// The sender has no right to send this, and has signed it: it sends although an organiser has muted it, say.
    pub not_allowed: u64,
    /// The sender has no right to send this, and it is not proven that it has sent it: another member can have forged it.
    #[serde(default)]
    pub not_allowed_unproven: u64,
    /// The keys of the frame's epoch had expired.
    pub too_late: u64,
    /// The keys of the frame's epoch did not arrive in time.
    pub unknown_key: u64,
    /// The header does not match the sealed metadata, or the frame does not match its track.
    pub contradiction: u64,
    /// The authentication tag is wrong.
    pub not_authentic: u64,
    /// The bytes are not an SFrame frame.
    pub malformed: u64,
    /// The sender has not signed its last frames.
    #[serde(default)]
    pub unproven: u64,
    /// Another member has forged frames of the track.
    #[serde(default)]
    pub forged: u64,
}

impl OpenFailures {
    /// Counts a frame that was not opened.
    pub fn count(&mut self, why: open::Error) {
        use open::Error;
        *match why {
            Error::Replayed => &mut self.replayed,
            Error::BeforeUs => &mut self.before_us,
            Error::AfterUs => &mut self.after_us,
            Error::NotAMember => &mut self.not_a_member,
            Error::NotAllowed => &mut self.not_allowed_unproven,
            Error::TooLate => &mut self.too_late,
            Error::UnknownKey => &mut self.unknown_key,
            Error::Contradiction => &mut self.contradiction,
            Error::NotAuthentic => &mut self.not_authentic,
            Error::Malformed => &mut self.malformed,
            Error::Unproven => &mut self.unproven,
            Error::Forged => &mut self.forged,
        } += 1;
    }

    /// Counts `frames` that were not allowed against their sender, who has signed them.
    pub const fn prove_not_allowed(&mut self, frames: u64) {
        self.not_allowed += frames;
        self.not_allowed_unproven = self.not_allowed_unproven.saturating_sub(frames);
    }

    /// Returns the number of frames that should have opened and did not.
    #[must_use]
    pub const fn failed(&self) -> u64 {
        self.too_late
            + self.unknown_key
            + self.contradiction
            + self.not_authentic
            + self.malformed
            + self.unproven
            + self.forged
    }
}

impl AddAssign for OpenFailures {
    fn add_assign(&mut self, other: Self) {
        self.replayed += other.replayed;
        self.before_us += other.before_us;
        self.after_us += other.after_us;
        self.not_a_member += other.not_a_member;
        self.not_allowed += other.not_allowed;
        self.not_allowed_unproven += other.not_allowed_unproven;
        self.too_late += other.too_late;
        self.unknown_key += other.unknown_key;
        self.contradiction += other.contradiction;
        self.not_authentic += other.not_authentic;
        self.malformed += other.malformed;
        self.unproven += other.unproven;
        self.forged += other.forged;
    }
}

/// Returns true if later frames of the track may depend on the lost frame.
#[must_use]
pub const fn leaves_a_hole(why: open::Error) -> bool {
    use open::Error;
    match why {
        Error::Replayed | Error::AfterUs | Error::NotAMember | Error::NotAllowed => false,
        Error::BeforeUs
        | Error::TooLate
        | Error::UnknownKey
        | Error::Contradiction
        | Error::NotAuthentic
        | Error::Malformed
        | Error::Unproven
        | Error::Forged => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use open::Error;

    #[test]
    fn a_frame_that_we_must_not_open_is_not_a_failure() {
        let (mut all, mut ruled_out) = (OpenFailures::default(), OpenFailures::default());
        for why in [Error::Replayed, Error::BeforeUs, Error::AfterUs, Error::NotAMember, Error::NotAllowed] {
            ruled_out.count(why);
        }
        ruled_out.count(Error::NotAllowed);
        ruled_out.prove_not_allowed(1);
        assert_eq!(ruled_out.failed(), 0);
        let failures = [Error::TooLate, Error::UnknownKey, Error::Contradiction, Error::NotAuthentic, Error::Malformed];
        for why in failures.into_iter().chain([Error::Unproven, Error::Forged]) {
            all.count(why);
        }
        all += ruled_out;
        assert_eq!(all.failed(), 7);
        let counts = serde_json::to_value(all).expect("numbers");
        assert!(counts.as_object().expect("fields").values().all(|count| *count == 1), "{counts}");
    }
}
