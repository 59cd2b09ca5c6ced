//! Checks by signed digests whether a member has sealed the frames of its track. Pure: its caller checks the signatures.
//!
//! A frame is shown at once, and its digest follows within 250 ms. So a forged frame may be shown, but not many.

use crate::frame::{DigestRange, FrameDigest, Kid};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Whether the owner of a track has sealed its frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Authorship {
    /// No signed digests have arrived yet.
    #[default]
    Unchecked,
    /// The frames are those that the owner has signed.
    Proven,
    /// Too many frames came without signed digests. They are dropped until digests arrive again.
    Unproven,
    /// A frame is not the one that the owner has signed: another member has sealed it. Frames are dropped for five seconds
    /// after the last one.
    Forged,
}

/// What is known about the newest frames of one track.
#[derive(Default)]
pub(crate) struct DigestCheck {
    /// Frames whose digests have not arrived, in the order of arrival.
    pending: VecDeque<Pending>,
    /// The digests that arrived last, for frames that arrive after them.
    recent: VecDeque<(Kid, DigestRange)>,
    /// How long frames have arrived since the last signed digests.
    unproven_for: Duration,
    /// Frames that digests have passed over, less those that they prove.
    passed_over: usize,
    /// When the newest frame arrived.
    newest: Option<Instant>,
    is_checked: bool,
    /// When the last forged frame was found.
    forged: Option<Instant>,
    is_unproven: bool,
    /// True if the owner has no right to send the frames that arrive.
    is_outside_rights: bool,
    /// Frames outside the rights of the owner that it has signed, since [`Self::take_outside_rights`].
    outside_rights: u64,
}

struct Pending {
    kid: Kid,
    counter: u64,
    digest: FrameDigest,
    received: Instant,
    /// True if no frames have come for a while after it.
    is_before_pause: bool,
    /// True if the owner had no right to send it.
    is_outside_rights: bool,
}

impl DigestCheck {
    /// Handles an authenticated frame, before its digest is known.
    pub(crate) fn handle_frame(&mut self, kid: Kid, counter: u64, digest: FrameDigest, received: Instant) {
        if let Some(before) = self.newest {
            // Nothing is missing while nothing is sent.
            let pause = received.saturating_duration_since(before);
            self.unproven_for += pause.min(MAX_GAP);
            if pause > PAUSE {
                // The digests of the frames before the pause may have been for others: the server forwards a voice only while
                // it is one of those who speak.
                self.pending.iter_mut().for_each(|frame| frame.is_before_pause = true);
            }
        }
        self.newest = self.newest.max(Some(received));
        let of_frame = |(of, range): &(Kid, DigestRange)| range.get(counter).filter(|_| *of == kid);
        if let Some(expected) = self.recent.iter().find_map(of_frame) {
            let is_same = expected == digest;
            self.outside_rights += u64::from(is_same && self.is_outside_rights);
            return self.compare((usize::from(is_same), usize::from(!is_same)), received);
        }
        if self.pending.len() == MAX_PENDING
            && let Some(oldest) = self.pending.pop_front()
        {
            pass_over(&oldest, &mut self.passed_over);
        }
        let is_outside_rights = self.is_outside_rights;
        self.pending.push_back(Pending { kid, counter, digest, received, is_before_pause: false, is_outside_rights });
    }

    /// Sets whether the owner has the right to send the frames that follow.
    pub(crate) fn set_allowed(&mut self, allowed: bool) {
        self.is_outside_rights = !allowed;
    }

    /// Returns how many frames outside its rights the owner has signed since the last call.
    pub(crate) fn take_outside_rights(&mut self) -> u64 {
        std::mem::take(&mut self.outside_rights)
    }

    /// Handles digests with a valid signature of the owner, which arrived at `now`.
    pub(crate) fn handle_digests(&mut self, kid: Kid, digests: &DigestRange, now: Instant) {
        self.is_checked = true;
        // Whoever repeats digests of the owner proves nothing about newer frames.
        if self.recent.iter().all(|(of, range)| *of != kid || range.end() < digests.end()) {
            self.unproven_for = Duration::ZERO;
        }
        let (mut proven, mut forged, passed_over) = (0, 0, &mut self.passed_over);
        let outside_rights = &mut self.outside_rights;
        self.pending.retain(|frame| {
            let expected = digests.get(frame.counter).filter(|_| frame.kid == kid);
            if expected == Some(frame.digest) {
                proven += 1;
                *outside_rights += u64::from(frame.is_outside_rights);
            } else if expected.is_some() {
                forged += 1;
            } else if is_passed_over(frame, kid, digests, now) {
                pass_over(frame, passed_over);
            } else {
                return true;
            }
            false
        });
        self.compare((proven, forged), now);
        if self.recent.len() == MAX_RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back((kid, *digests));
    }

    /// Handles frames of which the owner has signed the digests: how many have their digest, and how many another one.
    fn compare(&mut self, (proven, forged): (usize, usize), now: Instant) {
        self.passed_over = self.passed_over.saturating_sub(proven);
        if forged > 0 {
            self.forged = Some(now);
        }
    }

    /// Returns the state of the track when a frame has arrived at `now`.
    pub(crate) fn authorship(&mut self, now: Instant) -> Authorship {
        let limit = if self.is_unproven { MAX_PASSED_OVER / 2 } else { MAX_PASSED_OVER };
        self.is_unproven = self.unproven_for > MAX_UNPROVEN || self.passed_over >= limit;
        if self.forged.is_some_and(|forged| now.saturating_duration_since(forged) < FORGERY_HOLD) {
            Authorship::Forged
        } else if self.is_unproven {
            Authorship::Unproven
        } else if self.is_checked {
            Authorship::Proven
        } else {
            Authorship::Unchecked
        }
    }
}

/// Counts a frame that no digests will name, up to a bound, so that the owner is believed again soon after a forgery.
fn pass_over(frame: &Pending, passed_over: &mut usize) {
    *passed_over = (*passed_over + usize::from(!frame.is_before_pause)).min(MAX_PENDING);
}

/// Returns true if no later digests will name a frame. Digests name all frames of their layer up to the one that brings them.
fn is_passed_over(frame: &Pending, kid: Kid, digests: &DigestRange, now: Instant) -> bool {
    if frame.kid == kid {
        frame.counter < digests.first || frame.counter >= digests.end().saturating_add(MAX_AHEAD)
    } else {
        // The layer or the epoch is another one now, and the last digests of the one before are lost.
        now.saturating_duration_since(frame.received) > MAX_AGE
    }
}

/// How long frames are taken without digests. Digests come every 250 ms, so three of four may be lost.
const MAX_UNPROVEN: Duration = Duration::from_millis(900);

/// What a pause between two frames adds to that time at most, so that slow pictures are not dropped.
const MAX_GAP: Duration = Duration::from_millis(100);

/// A time without frames after which digests may be missing.
const PAUSE: Duration = Duration::from_millis(400);

/// How far the counter of a frame may be beyond the digests that arrive: frames overtake the one that brings the digests if it
/// is retransmitted.
const MAX_AHEAD: u64 = 64;

/// How long frames of a layer that is not received any more wait for digests.
const MAX_AGE: Duration = Duration::from_secs(1);

/// How many more frames may be passed over than proven. An honest sender of sound stays below it at a loss of 20 %.
const MAX_PASSED_OVER: usize = 33;

/// How long frames are dropped after a forged one.
const FORGERY_HOLD: Duration = Duration::from_secs(5);

/// How many frames wait for their digests: those of more than a second.
const MAX_PENDING: usize = 128;

/// How many lists of digests are kept: those of two layers in a second.
const MAX_RECENT: usize = 8;

#[cfg(test)]
mod tests {
    mod simulation;

    use super::*;
    use crate::Leaf;
    use proto::{Epoch, Slot};

    /// A track of sound with 50 frames per second, and signed digests every 250 ms.
    struct Track {
        check: DigestCheck,
        now: Instant,
        counter: u64,
        range: DigestRange,
    }

    fn kid(epoch: u64) -> Kid {
        Kid::new(Slot::Microphone, 0, Leaf(1), Epoch(epoch)).unwrap()
    }

    fn digest(counter: u64, by: &str) -> FrameDigest {
        FrameDigest::of(format!("{counter} {by}").as_bytes())
    }

    impl Track {
        fn new() -> Self {
            Self { check: DigestCheck::default(), now: Instant::now(), counter: 0, range: DigestRange::starting_at(0) }
        }

        /// Lets 20 ms pass, in which the owner seals a frame. `by` sealed the one that arrives, if one does. `digests` is true
        /// if digests of the owner that are due arrive.
        fn frame(&mut self, by: Option<&str>, digests: bool) -> Authorship {
            self.now += Duration::from_millis(20);
            if self.range.len() == 13 {
                if digests {
                    self.check.handle_digests(kid(1), &self.range, self.now);
                }
                self.range = DigestRange::starting_at(self.counter);
            }
            self.range.push(digest(self.counter, "owner"));
            if let Some(by) = by {
                self.check.handle_frame(kid(1), self.counter, digest(self.counter, by), self.now);
            }
            self.counter += 1;
            self.check.authorship(self.now)
        }

        fn frames(&mut self, count: usize, by: Option<&str>, digests: bool) -> Authorship {
            (0..count).map(|_| self.frame(by, digests)).last().unwrap()
        }

        /// Returns after how many frames of `by` the state is `wanted`.
        fn until(&mut self, wanted: Authorship, by: &str, digests: bool) -> usize {
            (1..500).find(|_| self.frame(Some(by), digests) == wanted).expect("it is found")
        }
    }

    #[test]
    fn frames_of_the_owner_are_proven() {
        let mut track = Track::new();
        assert_eq!(track.frame(Some("owner"), true), Authorship::Unchecked);
        assert_eq!(track.frames(500, Some("owner"), true), Authorship::Proven);
        assert!(track.check.pending.len() <= 14, "nothing is kept longer than needed");
    }

    #[test]
    fn a_forged_frame_is_found_with_the_next_digests_and_the_track_is_taken_again_after_five_seconds() {
        let mut track = Track::new();
        track.frames(100, Some("owner"), true);
        let frames = track.until(Authorship::Forged, "insider", true);
        assert!(frames <= 13, "{frames} frames");
        assert_eq!(track.frames(300, Some("insider"), true), Authorship::Forged);
        assert_eq!(track.frames(200, Some("owner"), true), Authorship::Forged);
        assert_eq!(track.frames(100, Some("owner"), true), Authorship::Proven);
    }

    #[test]
    fn frames_without_digests_are_dropped_within_a_second() {
        let mut track = Track::new();
        track.frames(100, Some("owner"), true);
        let frames = track.until(Authorship::Unproven, "insider", false);
        assert!(frames <= 50, "{frames} frames of 20 ms");
        assert_eq!(track.frames(13, Some("owner"), true), Authorship::Forged, "digests that come later show it");
        let mut unknown = Track::new();
        assert!(unknown.until(Authorship::Unproven, "insider", false) <= 50, "also from the start");
    }

    #[test]
    fn forged_frames_with_other_counters_are_found_although_the_digests_arrive() {
        let mut track = Track::new();
        track.frames(100, Some("owner"), true);
        let frames = (1..500).find(|_| {
            // One frame of the owner in 13 arrives, the one with the digests.
            let by = (track.range.len() == 13).then_some("owner");
            let state = track.frame(by, true);
            if by.is_none() {
                track.check.handle_frame(kid(1), track.counter + 1_000_000, digest(0, "insider"), track.now);
            }
            state == Authorship::Unproven
        });
        let frames = frames.expect("it is found");
        assert!(frames <= 90, "{frames} frames of 20 ms");
    }

    #[test]
    fn forged_frames_between_withheld_digests_are_found() {
        let mut track = Track::new();
        track.frames(104, Some("owner"), true);
        let found = (0..40).any(|_| {
            (0..3).any(|_| track.frames(13, Some("insider"), false) == Authorship::Unproven)
                || track.frames(13, Some("owner"), true) == Authorship::Unproven
        });
        assert!(found);
    }

    #[test]
    fn digests_of_the_owner_that_come_again_prove_no_newer_frames() {
        let mut track = Track::new();
        track.frames(100, Some("owner"), true);
        let old = track.check.recent.back().expect("digests have come").1;
        let frames = (1..500).find(|_| {
            track.frame(Some("insider"), false);
            track.check.handle_digests(kid(1), &old, track.now);
            track.check.authorship(track.now) == Authorship::Unproven
        });
        let frames = frames.expect("it is found");
        assert!(frames <= 50, "{frames} frames of 20 ms");
    }

    #[test]
    fn one_loss_in_ten_frames_and_pauses_change_nothing() {
        let mut random = 7_u64;
        let mut is_lost = |one_in: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33).is_multiple_of(one_in)
        };
        let mut track = Track::new();
        track.frames(26, Some("owner"), true);
        let mut dropped = 0;
        for _ in 0..30_000 {
            let lost = is_lost(10);
            dropped += usize::from(track.frame((!lost).then_some("owner"), !lost) != Authorship::Proven);
        }
        assert!(dropped < 60, "{dropped} of 30,000 frames");
        track.now += Duration::from_secs(30);
        assert_eq!(track.frames(13, Some("owner"), true), Authorship::Proven);
    }

    /// The server forwards only those who speak.
    #[test]
    fn a_voice_that_is_forwarded_for_short_times_is_proven() {
        let mut track = Track::new();
        track.frames(50, Some("owner"), true);
        for _ in 0..50 {
            track.frames(101, None, false);
            for _ in 0..10 {
                let state = track.frame(Some("owner"), true);
                assert!(matches!(state, Authorship::Proven), "{state:?}");
            }
        }
    }

    #[test]
    fn a_picture_every_five_seconds_is_enough() {
        let (mut check, start) = (DigestCheck::default(), Instant::now());
        for number in 0..20_u64 {
            let now = start + Duration::from_secs(5 * number);
            if let Some(before) = number.checked_sub(1) {
                let mut range = DigestRange::starting_at(before);
                range.push(digest(before, "owner"));
                // Every third frame, with its digest, is lost.
                if !number.is_multiple_of(3) {
                    check.handle_digests(kid(1), &range, now);
                }
            }
            if !number.is_multiple_of(3) {
                check.handle_frame(kid(1), number, digest(number, "owner"), now);
            }
            assert!(matches!(check.authorship(now), Authorship::Proven | Authorship::Unchecked), "picture {number}");
        }
    }

    /// At 25 pictures per second, the pictures of the lowest temporal layer come every 160 ms, and their digests after 320 ms or
    /// more. Here each third one comes 300 ms late.
    #[test]
    fn late_pictures_of_the_lowest_temporal_layer_are_proven() {
        let (mut check, start) = (DigestCheck::default(), Instant::now());
        let mut range = DigestRange::starting_at(0);
        for number in 0..400_u64 {
            let late = if number.is_multiple_of(3) { 300 } else { 0 };
            let now = start + Duration::from_millis(160 * number + late);
            check.handle_frame(kid(1), 4 * number, digest(4 * number, "owner"), now);
            if range.len() == 8 {
                check.handle_digests(kid(1), &range, now);
                range = DigestRange::starting_at(4 * number);
            }
            (0..4).for_each(|frame| assert!(range.push(digest(4 * number + frame, "owner"))));
            assert!(matches!(check.authorship(now), Authorship::Proven | Authorship::Unchecked), "picture {number}");
        }
    }

    #[test]
    fn forged_frames_of_another_layer_are_found() {
        let mut track = Track::new();
        track.frames(100, Some("owner"), true);
        let found = (0..300).any(|number| {
            let by = (track.range.len() == 13).then_some("owner");
            let state = track.frame(by, true);
            if by.is_none() {
                track.check.handle_frame(kid(3), number, digest(number, "insider"), track.now);
            }
            state == Authorship::Unproven
        });
        assert!(found);
    }

    #[test]
    fn frames_of_another_epoch_have_counters_of_their_own() {
        let mut track = Track::new();
        track.frames(100, Some("owner"), true);
        track.check.handle_frame(kid(2), 100, digest(0, "next epoch"), track.now);
        assert_eq!(track.frames(13, Some("owner"), true), Authorship::Proven);
    }

    #[test]
    fn digests_without_which_frames_were_dropped_bring_them_back() {
        let mut track = Track::new();
        track.frames(104, Some("owner"), true);
        assert_eq!(track.frames(60, Some("owner"), false), Authorship::Unproven);
        assert_eq!(track.frames(60, Some("owner"), true), Authorship::Proven);
    }

    #[test]
    fn a_frame_that_arrives_after_its_digests_is_compared_with_them() {
        for (by, state) in [("owner", Authorship::Proven), ("insider", Authorship::Forged)] {
            let mut track = Track::new();
            track.frames(50, Some("owner"), true);
            let late = track.counter;
            track.frames(1, None, true);
            track.frames(20, Some("owner"), true);
            track.check.handle_frame(kid(1), late, digest(late, by), track.now);
            assert_eq!(track.check.authorship(track.now), state);
        }
    }

    #[test]
    fn what_waits_for_digests_is_bounded_and_so_is_the_time_until_the_owner_is_believed_again() {
        let mut track = Track::new();
        track.frames(20_000, Some("insider"), false);
        assert_eq!(track.check.pending.len(), MAX_PENDING);
        assert_eq!(track.frames(600, Some("owner"), true), Authorship::Proven, "after twelve seconds");
    }
}
