//! Tells senders how much of their sound is lost, so that they protect it, and whether a receiver is on a narrow path. Pure: the
//! caller passes the time.
//!
//! A sender sees the loss of its own path to the server, but not that of the receivers behind it, and receivers that
//! are muted send no sound that could carry a report to it. The server sees all of it in the transport-wide feedback
//! that it gets in any case. A server that lies gains nothing: it can drop sound as well. A receiver that lies makes its
//! senders protect their sound, or reduce its bitrate, for all receivers. A sender never sends more than three copies of a
//! packet, and never less than the lowest bitrate of `audio::Protection`.

use std::time::{Duration, Instant};

/// The loss and the round trip of one participant's path to the server and from it, as fractions, 0.0..=1.0. It rises with the first
/// report of a higher loss, and falls slowly.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PathLoss {
    /// From the participant to the server.
    pub up: f32,
    /// From the server to the participant.
    pub down: f32,
    /// The last measured round-trip time.
    pub round_trip: Option<Duration>,
}

impl PathLoss {
    /// Records the fractions that were lost in the last second. `None` if nothing was sent, or if congestion may explain the
    /// loss: copies of sound make congestion worse.
    pub fn handle_report(&mut self, up: Option<f32>, down: Option<f32>, round_trip: Option<Duration>) {
        self.round_trip = round_trip.or(self.round_trip);
        smooth(&mut self.up, up);
        smooth(&mut self.down, down);
    }
}

fn smooth(loss: &mut f32, last: Option<f32>) {
    let Some(last) = last.filter(|last| last.is_finite()) else { return };
    let weight = if last > *loss { RISE } else { FALL };
    *loss += (last.clamp(0.0, 1.0) - *loss) * weight;
}

/// The reports to a sender about the loss of its sound.
#[derive(Debug, Default)]
pub struct SoundLoss {
    /// The last report, and its time. The first report is made at once: a sender may still protect its sound by the report
    /// of another server.
    reported: Option<(SoundReport, Instant)>,
    /// Since when the path is better than reported.
    better_since: Option<Instant>,
}

/// A report to a sender about the paths of its sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SoundReport {
    /// The lost packets in percent.
    pub percent: u8,
    /// The bits per second, with all headers, for which the narrowest downlink has room. `None` if none is narrow.
    pub max_bitrate: Option<u32>,
}

impl SoundLoss {
    /// Returns the report for a sender, or `None` if none is due. `up` is the loss of its own path, `down` that of the
    /// worst path to a receiver, and `max_bitrate` the limit of the narrowest one.
    pub fn update(&mut self, up: f32, down: f32, max_bitrate: Option<u32>, now: Instant) -> Option<SoundReport> {
        let report = SoundReport { percent: percent(1.0 - (1.0 - up) * (1.0 - down)), max_bitrate };
        if let Some((reported, at)) = self.reported {
            let worse = report.percent > reported.percent || report.limit() < reported.limit();
            if worse || report == reported {
                self.better_since = None;
            }
            let better_since = (!worse && report != reported).then(|| *self.better_since.get_or_insert(now));
            let better = better_since.is_some_and(|since| now.saturating_duration_since(since) >= HOLD);
            let early = now.saturating_duration_since(at) < MIN_INTERVAL;
            if early || !worse && !better {
                return None;
            }
        }
        (self.reported, self.better_since) = (Some((report, now)), None);
        Some(report)
    }
}

impl SoundReport {
    fn limit(self) -> u32 {
        self.max_bitrate.unwrap_or(u32::MAX)
    }
}

/// Returns a fraction in percent, rounded.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 100")]
pub fn percent(fraction: f32) -> u8 {
    (fraction.clamp(0.0, 1.0) * 100.0).round() as u8
}

/// The weight of a report of a higher loss, and of a lower one.
const RISE: f32 = 0.5;
const FALL: f32 = 0.15;

/// How long a lower loss or a higher limit lasts before it is reported.
const HOLD: Duration = Duration::from_secs(5);

/// The minimum interval between two reports.
const MIN_INTERVAL: Duration = Duration::from_millis(900);

#[cfg(test)]
mod tests {
    use super::*;

    fn report(sound: &mut SoundLoss, up: f32, down: f32, now: Instant) -> Option<u8> {
        Some(sound.update(up, down, None, now)?.percent)
    }

    #[test]
    fn a_lower_limit_is_reported_at_once_and_a_higher_one_after_a_while() {
        let (mut sound, start) = (SoundLoss::default(), Instant::now());
        let mut limit = |limit, seconds| {
            let report = sound.update(0.0, 0.0, limit, start + Duration::from_secs(seconds));
            report.map(|report| report.max_bitrate)
        };
        assert_eq!(limit(None, 0), Some(None));
        assert_eq!(limit(Some(40_000), 1), Some(Some(40_000)));
        assert_eq!([limit(None, 2), limit(Some(40_000), 3), limit(None, 4), limit(None, 8)], [None; 4]);
        assert_eq!(limit(None, 9), Some(None));
    }

    #[test]
    fn a_higher_loss_is_reported_at_once_and_a_lower_one_after_a_while() {
        let (mut sound, start) = (SoundLoss::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(report(&mut sound, 0.0, 0.0, start), Some(0), "the first report");
        let start = at(5);
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(report(&mut sound, 0.0, 0.1, at(0)), Some(10));
        assert_eq!(report(&mut sound, 0.1, 0.1, at(0)), None, "too early");
        assert_eq!(report(&mut sound, 0.1, 0.1, at(1)), Some(19), "the loss of both paths");
        assert_eq!(report(&mut sound, 0.1, 0.1, at(9)), None);
        for seconds in 10..15 {
            assert_eq!(report(&mut sound, 0.02, 0.0, at(seconds)), None, "after {seconds} s");
        }
        assert_eq!(report(&mut sound, 0.02, 0.0, at(15)), Some(2));
    }

    #[test]
    fn the_loss_of_a_path_rises_faster_than_it_falls() {
        let mut path = PathLoss::default();
        (0..3).for_each(|_| path.handle_report(None, Some(0.1), None));
        assert!(path.down > 0.08 && path.up == 0.0, "{path:?}");
        (0..3).for_each(|_| path.handle_report(Some(7.0), Some(0.0), None));
        assert!(path.down > 0.05 && path.up < 1.0, "{path:?}");
        path.handle_report(Some(f32::NAN), Some(-1.0), None);
        assert!(path.up.is_finite() && path.down >= 0.0);
    }
}
