//! The figures of one call, from the receiver's report.

use crate::netlab::LinkChange;
use engine::report::{Report, Video};
use engine::timeline::{AudioStats, Second, VideoStats};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// What the receiver showed and played of the sender. Times count from being admitted.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CallFigures {
    /// Why the call could not be held. The other figures mean nothing then.
    pub failed: Option<String>,
    /// From the command to being admitted.
    pub join_ms: Option<u64>,
    /// The path of the receiver's media at the end: `udp`, `tls` (the media tunnel) or `relay` (a TURN server).
    pub media_path: Option<String>,
    /// When the first picture was shown.
    pub first_picture_ms: Option<u64>,
    /// Seconds in which at least twelve pictures were shown.
    pub moving: u64,
    /// All seconds of the call.
    pub seconds: u64,
    /// Shown pictures a second, over the whole call.
    pub frames_per_second: f64,
    /// Freezes as in W3C webrtc-stats: gaps longer than max(3 d, d + 150 ms), where d is the mean gap so far.
    pub freezes: u64,
    /// The longest time without a new picture after the first one.
    pub longest_gap_ms: u64,
    /// The seconds at whose end pictures of a size were shown.
    pub sizes: BTreeMap<String, u64>,
    /// When the first picture of at least so many lines was shown.
    pub lines_after_ms: BTreeMap<u16, u64>,
    /// The median of the lines of the newest picture of each second. A second without a new picture counts as 0 lines.
    pub median_height: Option<u16>,
    /// Concealed speech in percent of played speech. Silence does not count.
    pub concealed_percent: Option<f64>,
    /// Time from capture to showing, median.
    pub latency_p50_ms: Option<u64>,
    /// The 95th percentile of the same.
    pub latency_p95_ms: Option<u64>,
    /// Time between a shown picture and the sound of the same moment, median.
    pub sound_skew_p50_ms: Option<u64>,
    /// The 95th percentile of the same.
    pub sound_skew_p95_ms: Option<u64>,
    /// All bytes that arrived at the receiver, headers and retransmissions included.
    pub received_kbps: u64,
    /// The bytes of complete frames of the sender's camera.
    pub video_kbps: u64,
    /// The processor time of the whole machine during the call, in percent of all cores.
    pub processor_percent: Option<f64>,
    /// A drop of the rate and the rise after it, if the path has them.
    pub change: Option<RateChangeFigures>,
    /// Each second.
    pub timeline: Vec<SecondFigures>,
}

/// The effects of a drop of the rate, and of the rise after it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RateChangeFigures {
    /// The longest time without a new picture after the drop.
    pub still_ms: u64,
    /// From the drop to the first moving second after one that was not. `None` if all seconds moved.
    pub moving_again_s: Option<f64>,
    /// The most speech that was concealed in one second after the drop.
    pub concealed_ms: u64,
    /// From the rise to the end of the first second with 80 % of the pixels that were shown a second before the drop. `None`
    /// if there was none.
    pub regained_s: Option<f64>,
}

/// One second of the call.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct SecondFigures {
    /// The end of the second.
    pub at_ms: u64,
    /// Shown pictures a second.
    pub frames_per_second: f64,
    /// Width and height of the newest picture.
    pub size: Option<(u16, u16)>,
    /// The bytes of complete frames of the sender's camera.
    pub video_kbps: u64,
    /// The longest time without a new picture that ended in this second, or lasts at its end.
    pub longest_gap_ms: u64,
    /// Concealed speech.
    pub concealed_ms: u64,
}

/// What the bench knows of a call besides the receiver's report.
#[derive(Clone, Copy, Debug)]
pub struct ExternalMeasurements<'a> {
    /// The length of the call.
    pub length: Duration,
    /// The bytes that arrived at the receiver.
    pub received_bytes: u64,
    /// The share of processor time that was used, from 0 to 1.
    pub processor: Option<f64>,
    /// The changes of the links.
    pub changes: &'a [LinkChange],
}

impl CallFigures {
    /// Returns what the receiver showed and played of the participant named `sender`, according to its `report`.
    pub fn new(report: &Report, sender: &str, measured: &ExternalMeasurements<'_>) -> Self {
        let video = report.video.iter().find(|video| video.from == sender && video.track == "camera");
        let voice = report.audio.iter().find(|audio| audio.from == sender);
        let seconds = measured.length.as_secs();
        let timeline = report.participants.first().map_or(&[][..], |participant| &participant.timeline);
        let timeline = timeline.iter().take(usize::try_from(seconds).unwrap_or(usize::MAX));
        let timeline = per_second(timeline, sender);
        let mut heights: Vec<u16> = timeline.iter().map(SecondFigures::new_lines).collect();
        heights.resize(usize::try_from(seconds).unwrap_or(heights.len()), 0);
        heights.sort_unstable();
        let mut sizes = BTreeMap::new();
        for (width, height) in
            timeline.iter().filter(|second| second.frames_per_second > 0.0).filter_map(|second| second.size)
        {
            *sizes.entry(format!("{width}x{height}")).or_default() += 1;
        }
        let video_bytes: u64 = timeline.iter().map(|second| second.video_kbps).sum();
        Self {
            failed: None,
            join_ms: report.participants.first().and_then(|participant| participant.join_ms),
            media_path: report.participants.first().and_then(|participant| participant.media_path.clone()),
            first_picture_ms: video.and_then(|video| video.sizes.iter().filter_map(|size| size.first_ms).min()),
            moving: timeline.iter().filter(|second| second.is_moving()).count() as u64,
            seconds,
            frames_per_second: round(
                timeline.iter().map(|second| second.frames_per_second).sum::<f64>() / to_f64(seconds.max(1)),
            ),
            freezes: video.map_or(0, |video| video.freezes),
            longest_gap_ms: timeline.iter().map(|second| second.longest_gap_ms).max().unwrap_or(0),
            sizes,
            lines_after_ms: video.map(lines_after).unwrap_or_default(),
            median_height: heights.get(heights.len() / 2).copied(),
            concealed_percent: voice
                .filter(|voice| voice.talk_ms > 0)
                .map(|voice| round(100.0 * to_f64(voice.concealed_ms) / to_f64(voice.talk_ms))),
            latency_p50_ms: video.and_then(|video| video.latency_ms.p50),
            latency_p95_ms: video.and_then(|video| video.latency_ms.p95),
            sound_skew_p50_ms: video.and_then(|video| video.sound_skew_ms.p50),
            sound_skew_p95_ms: video.and_then(|video| video.sound_skew_ms.p95),
            received_kbps: kbps(measured.received_bytes, measured.length),
            video_kbps: video_bytes / seconds.max(1),
            processor_percent: measured.processor.map(|share| round(100.0 * share)),
            change: change(&timeline, measured.changes),
            timeline,
        }
    }

    /// Returns when the first picture of at least `lines` was shown.
    pub fn height_after_ms(&self, lines: u16) -> Option<u64> {
        self.lines_after_ms.range(lines..).map(|(_, after)| *after).min()
    }
}

impl SecondFigures {
    fn is_moving(&self) -> bool {
        self.frames_per_second >= MOVING
    }

    /// Returns the lines of the newest picture, or 0 if none was shown in this second.
    fn new_lines(&self) -> u16 {
        self.size.filter(|_| self.frames_per_second > 0.0).map_or(0, |(_, lines)| lines)
    }

    fn pixels_a_second(&self) -> f64 {
        let (width, height) = self.size.unwrap_or_default();
        f64::from(width) * f64::from(height) * self.frames_per_second
    }
}

fn per_second<'a>(seconds: impl Iterator<Item = &'a Second>, sender: &str) -> Vec<SecondFigures> {
    let mut last = 0;
    let figures = seconds.map(|second| {
        let time = Duration::from_millis(second.at_ms - std::mem::replace(&mut last, second.at_ms));
        let of = |video: &&VideoStats| video.from == sender && video.track == "camera";
        let empty = VideoStats::default();
        let video = second.video.iter().find(of).unwrap_or(&empty);
        let of = |audio: &&AudioStats| audio.from == sender;
        SecondFigures {
            at_ms: second.at_ms,
            frames_per_second: round(to_f64(video.shown) / time.as_secs_f64().max(0.001)),
            size: video.size,
            video_kbps: kbps(video.bytes, time),
            longest_gap_ms: video.longest_gap_ms,
            concealed_ms: second.audio.iter().find(of).map_or(0, |audio| audio.concealed_ms),
        }
    });
    figures.collect()
}

fn lines_after(video: &Video) -> BTreeMap<u16, u64> {
    video.sizes.iter().filter_map(|size| Some((size.height, size.first_ms?))).collect()
}

/// Returns `None` if the links do not change at least twice.
fn change(timeline: &[SecondFigures], changes: &[LinkChange]) -> Option<RateChangeFigures> {
    let mut times = changes.iter().map(|change| change.at).filter(|at| !at.is_zero());
    let (drop, rise) = (times.next()?, times.next()?);
    let begins = |second: &SecondFigures| Duration::from_millis(second.at_ms).saturating_sub(SECOND);
    let after = |at: Duration| timeline.iter().filter(move |second| begins(second) + TOLERANCE >= at);
    let before: Vec<f64> = timeline
        .iter()
        .filter(|second| begins(second) + 3 * SECOND >= drop && begins(second) + SECOND <= drop + TOLERANCE)
        .map(SecondFigures::pixels_a_second)
        .collect();
    let reference = before.iter().sum::<f64>() / to_f64(before.len().max(1) as u64);
    let since = |second: &SecondFigures, at: Duration| round(to_f64(second.at_ms) / 1_000.0 - at.as_secs_f64());
    let mut seconds = after(drop).skip_while(|second| second.is_moving());
    Some(RateChangeFigures {
        still_ms: after(drop).map(|second| second.longest_gap_ms).max().unwrap_or(0),
        moving_again_s: seconds.find(|second| second.is_moving()).map(|second| since(second, drop + SECOND)),
        concealed_ms: after(drop).map(|second| second.concealed_ms).max().unwrap_or(0),
        regained_s: after(rise)
            .find(|second| reference > 0.0 && second.pixels_a_second() >= 0.8 * reference)
            .map(|second| since(second, rise)),
    })
}

impl fmt::Display for CallFigures {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(why) = &self.failed {
            return write!(to, "FAILED: {why}");
        }
        let text = |value: Option<u64>| value.map_or_else(|| "-".to_owned(), |value| value.to_string());
        let mut sizes: Vec<_> = self.sizes.iter().collect();
        sizes.sort_by_key(|(_, seconds)| std::cmp::Reverse(**seconds));
        let sizes: Vec<String> = sizes.iter().map(|(size, seconds)| format!("{size} {seconds} s")).collect();
        write!(
            to,
            "over {}, moving {}/{}, {} fps, [{}], joined after {} ms, first {} ms, 720 lines after {} ms, {} freezes, gap {} ms, \
             sound concealed {} %, \
             latency {}/{} ms, lips {}/{} ms, {} kbit/s, video {}, cpu {} %",
            self.media_path.as_deref().unwrap_or("-"),
            self.moving,
            self.seconds,
            self.frames_per_second,
            sizes.join(", "),
            text(self.join_ms),
            text(self.first_picture_ms),
            text(self.height_after_ms(720)),
            self.freezes,
            self.longest_gap_ms,
            self.concealed_percent.map_or_else(|| "-".to_owned(), |percent| percent.to_string()),
            text(self.latency_p50_ms),
            text(self.latency_p95_ms),
            text(self.sound_skew_p50_ms),
            text(self.sound_skew_p95_ms),
            self.received_kbps,
            self.video_kbps,
            self.processor_percent.map_or_else(|| "-".to_owned(), |percent| percent.to_string()),
        )?;
        if let Some(change) = &self.change {
            let seconds = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| value.to_string());
            write!(
                to,
                "; after the drop still {} ms, moving again after {} s, 80 % regained {} s after the rise",
                change.still_ms,
                seconds(change.moving_again_s),
                seconds(change.regained_s),
            )?;
        }
        Ok(())
    }
}

/// Returns a rate in kbit/s.
pub fn kbps(bytes: u64, time: Duration) -> u64 {
    u64::try_from(u128::from(bytes) * 8 / time.as_millis().max(1)).unwrap_or(u64::MAX)
}

/// Rounds to two digits.
pub fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// Converts a count. The counts of a call are small enough for an exact result.
#[expect(clippy::cast_precision_loss, reason = "counts of one call are small")]
pub fn to_f64(count: u64) -> f64 {
    count as f64
}

/// A second with so many shown pictures moves.
const MOVING: f64 = 12.0;

const SECOND: Duration = Duration::from_secs(1);

/// The tolerance if a second is compared with the time of a change. Seconds end some milliseconds late.
const TOLERANCE: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlab::NetworkSpec;
    use engine::report::{Audio, Participant, Percentiles, ShownSize};

    fn second(number: u64, shown: u64, height: u16, gap: u64) -> Second {
        let video = VideoStats {
            from: "Anne".into(),
            track: "camera".into(),
            shown,
            bytes: 12_500,
            size: Some((height / 9 * 16, height)),
            longest_gap_ms: gap,
            ..VideoStats::default()
        };
        Second { at_ms: 1_000 * number, video: vec![video], ..Second::default() }
    }

    fn report(timeline: Vec<Second>) -> Report {
        let size = |height, first_ms| ShownSize { width: height / 9 * 16, height, first_ms: Some(first_ms), shown: 1 };
        let video = Video {
            from: "Anne".into(),
            track: "camera".into(),
            frames_shown: 100,
            sizes: vec![size(180, 200), size(720, 900), size(360, 500)],
            latency_ms: Percentiles { p50: Some(20), p95: Some(30) },
            ..Video::default()
        };
        let audio = Audio { from: "Anne".into(), concealed_ms: 20, talk_ms: 2_000, ..Audio::default() };
        let participants = vec![Participant { timeline, ..Participant::default() }];
        Report { participants, video: vec![video], audio: vec![audio], ..Report::default() }
    }

    fn figures(timeline: Vec<Second>, spec: &str) -> CallFigures {
        let changes = spec.parse::<NetworkSpec>().expect("a specification").changes;
        let length = Duration::from_secs(timeline.len() as u64);
        let measured =
            ExternalMeasurements { length, received_bytes: 125_000, processor: Some(0.5), changes: &changes };
        CallFigures::new(&report(timeline), "Anne", &measured)
    }

    #[test]
    fn figures_count_moving_seconds_sizes_and_times() {
        let figures = figures(vec![second(1, 11, 180, 90), second(2, 12, 720, 700), second(3, 30, 720, 40)], "free");
        assert_eq!((figures.moving, figures.seconds, figures.longest_gap_ms), (2, 3, 700));
        assert_eq!(figures.sizes, BTreeMap::from([("320x180".into(), 1), ("1280x720".into(), 2)]));
        assert_eq!((figures.first_picture_ms, figures.median_height), (Some(200), Some(720)));
        let after = [200, 360, 540, 720, 721].map(|lines| figures.height_after_ms(lines));
        assert_eq!(after, [Some(500), Some(500), Some(900), Some(900), None]);
        assert_eq!((figures.concealed_percent, figures.received_kbps, figures.video_kbps), (Some(1.0), 333, 100));
        assert_eq!(figures.change, None);
    }

    #[test]
    fn seconds_without_a_new_picture_have_no_lines() {
        let still = |number| second(number, 0, 720, 2_000);
        let figures = figures(vec![second(1, 30, 720, 40), still(2), still(3)], "free");
        assert_eq!((figures.median_height, figures.sizes.len()), (Some(0), 1));
    }

    #[test]
    fn a_drop_and_a_rise_are_measured_from_their_times() {
        let mut timeline: Vec<Second> = (1..=4).map(|number| second(number, 30, 720, 40)).collect();
        timeline.extend([second(5, 3, 720, 300), second(6, 2, 180, 1_700), second(7, 25, 180, 90)]);
        timeline.extend([second(8, 30, 180, 90), second(9, 30, 360, 90), second(10, 25, 720, 90)]);
        let change = figures(timeline, "down=10M,300k@4s,10M@8s").change.expect("two changes");
        assert_eq!((change.still_ms, change.moving_again_s, change.regained_s), (1_700, Some(2.0), Some(2.0)));
    }

    #[test]
    fn a_rate_that_never_comes_back_is_not_regained() {
        let timeline = (1..=9).map(|number| second(number, 30, if number < 4 { 720 } else { 180 }, 40)).collect();
        let change = figures(timeline, "down=10M,300k@3s,10M@5s").change.expect("two changes");
        assert_eq!((change.regained_s, change.moving_again_s), (None, None));
    }
}
