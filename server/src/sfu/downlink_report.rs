//! Decides why a viewer gets less of a track than it wishes, and when it is told. Pure: the caller passes the time.
//!
//! A viewer sees which layer it gets, but not why: only the SFU knows the budget of the downlink, and whether the sender
//! sends the layer that was requested.

use super::sound_loss::percent;
use super::switch::Target;
use super::transport::Transport;
use proto::{DownlinkReport, LimitCause, LimitedTrack};
use std::time::{Duration, Instant};

/// Returns why a viewer gets less of a track than it wishes, or `None` if it gets all. `sound_only` is true if its downlink has
/// room for no picture at all. `ideal` are the layers that fill its tile, `allocated` those for which its downlink has room, and `available`
/// those of them that the sender sends.
pub fn cause(
    sound_only: bool,
    ideal: Option<Target>,
    allocated: Option<Target>,
    available: Option<Target>,
) -> Option<LimitCause> {
    let ideal = ideal?;
    let Some(allocated) = allocated else {
        return Some(if sound_only { LimitCause::SoundOnly } else { LimitCause::Downlink });
    };
    if allocated.spatial < ideal.spatial || allocated.temporal < ideal.temporal {
        return Some(LimitCause::Downlink);
    }
    let less = available.is_some_and(|available| available.spatial < allocated.spatial);
    less.then_some(LimitCause::Sender)
}

/// Returns the report about a viewer's path, with the tracks that are reduced.
pub fn report(transport: &Transport, limited: &[LimitedTrack]) -> DownlinkReport {
    DownlinkReport {
        bitrate: u32::try_from(transport.downlink.budget()).unwrap_or(u32::MAX),
        lost_down: percent(transport.loss.down),
        lost_up: percent(transport.loss.up),
        round_trip: transport.loss.round_trip.map(|time| u16::try_from(time.as_millis()).unwrap_or(u16::MAX)),
        limited: limited.to_vec(),
    }
}

/// The report that a viewer got last.
#[derive(Debug, Default)]
pub struct LastReport {
    sent: Option<(DownlinkReport, Instant)>,
}

impl LastReport {
    /// Returns true if another report may be sent at `now`.
    pub fn is_due(&self, now: Instant) -> bool {
        self.sent.as_ref().is_none_or(|(_, at)| now.saturating_duration_since(*at) >= MIN_INTERVAL)
    }

    /// Returns true if `report` must be sent, because it differs enough from the last one. Stores it in that case.
    pub fn update(&mut self, report: &DownlinkReport, now: Instant) -> bool {
        let differs = self.sent.as_ref().is_none_or(|(last, _)| differs(last, report));
        if differs {
            self.sent = Some((report.clone(), now));
        }
        differs
    }
}

fn differs(last: &DownlinkReport, new: &DownlinkReport) -> bool {
    let by = |last: u32, new: u32, percent: u32| last.abs_diff(new).saturating_mul(100) > last.saturating_mul(percent);
    let millis = |report: &DownlinkReport| u32::from(report.round_trip.unwrap_or(0));
    last.limited != new.limited
        || by(last.bitrate, new.bitrate, 10)
        || last.lost_down.abs_diff(new.lost_down) > 0
        || last.lost_up.abs_diff(new.lost_up) > 0
        || last.round_trip.is_some() != new.round_trip.is_some()
        || (millis(last).abs_diff(millis(new)) > 5 && by(millis(last), millis(new), 20))
}

/// The minimum interval between two reports to a viewer. A little less than a second, because ticks are 100 ms apart.
const MIN_INTERVAL: Duration = Duration::from_millis(950);

#[cfg(test)]
mod tests {
    use super::*;
    use proto::{ParticipantId, Slot, TrackId};

    const fn target(spatial: u8, temporal: u8) -> Target {
        Target { spatial, temporal }
    }

    #[test]
    fn a_reduction_has_the_cause_that_the_sfu_knows() {
        for (sound_only, ideal, allocated, available, expected, what) in [
            (false, Some(target(2, 2)), Some(target(2, 2)), Some(target(2, 2)), None, "all"),
            (false, None, None, None, None, "a hidden tile"),
            (
                false,
                Some(target(2, 2)),
                Some(target(0, 2)),
                Some(target(0, 2)),
                Some(LimitCause::Downlink),
                "a smaller layer",
            ),
            (
                false,
                Some(target(1, 2)),
                Some(target(1, 1)),
                Some(target(1, 1)),
                Some(LimitCause::Downlink),
                "fewer pictures",
            ),
            (false, Some(target(1, 2)), None, None, Some(LimitCause::Downlink), "no room for this track"),
            (true, Some(target(1, 2)), None, None, Some(LimitCause::SoundOnly), "sound only"),
            (
                false,
                Some(target(2, 2)),
                Some(target(2, 2)),
                Some(target(0, 2)),
                Some(LimitCause::Sender),
                "the sender sends less",
            ),
            (
                false,
                Some(target(2, 2)),
                Some(target(1, 2)),
                Some(target(0, 2)),
                Some(LimitCause::Downlink),
                "both: what the viewer can change",
            ),
        ] {
            assert_eq!(cause(sound_only, ideal, allocated, available), expected, "{what}");
        }
    }

    #[test]
    fn a_viewer_is_told_of_changes_and_at_most_once_a_second() {
        let (mut last, start) = (LastReport::default(), Instant::now());
        let report = DownlinkReport { bitrate: 1_000_000, round_trip: Some(40), ..DownlinkReport::default() };
        assert!(last.is_due(start) && last.update(&report, start), "the first report");
        assert!(!last.is_due(start + Duration::from_millis(900)) && last.is_due(start + Duration::from_secs(1)));
        let near = DownlinkReport { bitrate: 1_050_000, round_trip: Some(44), ..report.clone() };
        assert!(!last.update(&near, start + Duration::from_secs(1)), "small changes");
        let track = TrackId { owner: ParticipantId(3), slot: Slot::Camera };
        let limited = vec![LimitedTrack { track, cause: LimitCause::Sender }];
        let changes = [
            DownlinkReport { limited, ..report.clone() },
            DownlinkReport { bitrate: 800_000, ..report.clone() },
            DownlinkReport { lost_down: 3, ..report.clone() },
            DownlinkReport { lost_up: 1, ..report.clone() },
            DownlinkReport { round_trip: Some(90), ..report.clone() },
        ];
        for (second, change) in (2..).zip(changes) {
            assert!(last.update(&change, start + Duration::from_secs(second)), "{change:?}");
        }
    }
}
