//! What changed in each second of a meeting, for `report.json`. The last [`MAX_SECONDS`] seconds are kept.

use super::track_stats::{Counters, Sent};
use media::{Bitrate, Timestamp};
use proto::{MediaPath, ParticipantId, Slot, TileWish, TrackId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// One second of a meeting. A client that is busy may end it late: use the difference of two `at_ms`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Second {
    /// Time from being admitted to the end of this second.
    pub at_ms: u64,
    /// The estimated capacity of the uplink, in kbit/s. `None` before the first estimate.
    pub uplink_kbps: Option<u64>,
    /// The path by which media go at the end of this second: `udp` or `tls`. `None` before media are connected.
    pub path: Option<String>,
    /// One entry for each picture track that we wish or that delivered something in this second.
    pub video: Vec<VideoSecond>,
    /// One entry for each voice that delivered or played something in this second.
    pub audio: Vec<AudioSecond>,
    /// One entry for each layer that was sent.
    pub sent: Vec<SentSecond>,
}

/// One second of a received picture track.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VideoSecond {
    /// The sender's name.
    pub from: String,
    /// `camera` or `screen`.
    pub track: String,
    /// Width and height of the tile that we wish. `None` if we wish no picture.
    pub wished: Option<(u16, u16)>,
    /// Complete frames that the network delivered.
    pub received: u64,
    /// Bytes of these frames, without packet headers and retransmissions.
    pub bytes: u64,
    /// Pictures that were decoded.
    pub decoded: u64,
    /// Pictures that were shown.
    pub shown: u64,
    /// The layer of the newest shown picture, 0 is the smallest. `None` before the first one.
    pub spatial: Option<u8>,
    /// Width and height of the newest shown picture.
    pub size: Option<(u16, u16)>,
    /// The longest gap between two shown pictures that ended in this second. If the gap at the end of the second is longer, the
    /// length of that gap so far.
    pub longest_gap_ms: u64,
}

/// One second of a received voice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudioSecond {
    /// The sender's name.
    pub from: String,
    /// Packets that the network delivered.
    pub received: u64,
    /// Bytes of these packets, without headers.
    pub bytes: u64,
    /// Packets that were played.
    pub played: u64,
    /// Speech that was played, in milliseconds.
    pub talk_ms: u64,
    /// The part of `talk_ms` that was concealed.
    pub concealed_ms: u64,
    /// The part of `talk_ms` that was restored by in-band FEC.
    pub recovered_ms: u64,
    /// The delay of the jitter buffer at the end of the second.
    pub delay_ms: u64,
}

/// One second of a layer that we send.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentSecond {
    /// `microphone`, `camera` or `screen`.
    pub track: String,
    /// The layer, 0 is the smallest.
    pub spatial: u8,
    /// Frames queued for the network.
    pub frames: u64,
    /// Frames dropped because the queue was full.
    pub dropped: u64,
    /// Bytes of the queued frames.
    pub bytes: u64,
}

/// The counters at the end of a second.
#[derive(Default)]
pub struct Sample {
    /// The received tracks.
    pub tracks: BTreeMap<TrackId, Counters>,
    /// The played voices.
    pub sound: BTreeMap<ParticipantId, audio::Statistics>,
    /// The sent layers.
    pub sent: BTreeMap<(Slot, u8), Sent>,
    /// The names of the participants.
    pub names: BTreeMap<ParticipantId, String>,
}

/// Compares the counters of each second with those of the second before.
#[derive(Default)]
pub struct Timeline {
    seconds: VecDeque<Second>,
    wishes: BTreeMap<TrackId, (u16, u16)>,
    uplink: Option<Bitrate>,
    path: Option<MediaPath>,
    /// The counters at the end of the last second.
    last: Sample,
}

impl Timeline {
    /// Returns true if the current second ends at `now`. `entered` is the time of being admitted.
    #[must_use]
    pub fn is_due(&self, entered: Timestamp, now: Timestamp) -> bool {
        let ended = self.seconds.back().map_or(0, |last| last.at_ms / 1_000);
        now.since(entered) >= Duration::from_secs(ended.saturating_add(1))
    }

    /// Ends a second `since` after being admitted. After a stall, the seconds that have passed are one entry.
    pub fn end_second(&mut self, since: Duration, sample: Sample) {
        let mut second = Second {
            at_ms: millis(since),
            uplink_kbps: self.uplink.map(|rate| rate.as_bps() / 1_000),
            path: self.path.map(|path| path.as_str().to_owned()),
            ..Second::default()
        };
        let name = |owner: ParticipantId| sample.names.get(&owner).cloned().unwrap_or_default();
        for (&track, now) in &sample.tracks {
            let last = self.last.tracks.get(&track).copied().unwrap_or_default();
            if track.slot == Slot::Microphone {
                let sound = |all: &BTreeMap<_, audio::Statistics>| all.get(&track.owner).copied().unwrap_or_default();
                let (played_before, played) = (sound(&self.last.sound), sound(&sample.sound));
                if now.received != last.received || played != played_before {
                    second.audio.push(audio(name(track.owner), (&last, now), (played_before, played)));
                }
            } else {
                let wished = self.wishes.get(&track).copied();
                if wished.is_some() || now.received != last.received || now.decoded != last.decoded {
                    second.video.push(video(name(track.owner), track.slot, wished, &last, now));
                }
            }
        }
        for (&(slot, spatial), now) in &sample.sent {
            let last = self.last.sent.get(&(slot, spatial)).copied().unwrap_or_default();
            second.sent.push(sent(slot, spatial, last, *now));
        }
        self.last = sample;
        if self.seconds.len() == MAX_SECONDS {
            self.seconds.pop_front();
        }
        self.seconds.push_back(second);
    }

    /// Records the tiles that we wish.
    pub fn set_wishes(&mut self, tiles: &[TileWish]) {
        let visible = tiles.iter().filter(|tile| !tile.hidden);
        self.wishes = visible.map(|tile| (tile.track, (tile.width, tile.height))).collect();
    }

    /// Sets the path by which media go from now on.
    pub fn set_media_path(&mut self, path: MediaPath) {
        self.path = Some(path);
    }

    /// Records the estimated capacity of the uplink.
    pub fn set_uplink(&mut self, estimate: Bitrate) {
        self.uplink = Some(estimate);
    }

    /// Returns the kept seconds, the oldest first.
    #[must_use]
    pub fn seconds(&self) -> Vec<Second> {
        self.seconds.iter().cloned().collect()
    }
}

fn video(from: String, slot: Slot, wished: Option<(u16, u16)>, last: &Counters, now: &Counters) -> VideoSecond {
    let layer = (now.shown > 0).then_some(now.layer);
    VideoSecond {
        from,
        track: name_of(slot),
        wished,
        received: now.received - last.received,
        bytes: now.bytes - last.bytes,
        decoded: now.decoded - last.decoded,
        shown: now.shown - last.shown,
        spatial: layer.map(|(layer, _)| layer.spatial),
        size: layer.map(|(_, size)| (size.width, size.height)),
        longest_gap_ms: millis(now.recent_gap),
    }
}

fn audio(
    from: String,
    (last, now): (&Counters, &Counters),
    (played_before, played): (audio::Statistics, audio::Statistics),
) -> AudioSecond {
    // The statistics of a voice start again if its track does.
    let since = |last: u64, now: u64| now.saturating_sub(last);
    AudioSecond {
        from,
        received: now.received - last.received,
        bytes: now.bytes - last.bytes,
        played: since(played_before.packets_played, played.packets_played),
        talk_ms: since(played_before.talk_ms, played.talk_ms),
        concealed_ms: since(played_before.concealed_ms, played.concealed_ms),
        recovered_ms: since(played_before.recovered_ms, played.recovered_ms),
        delay_ms: millis(played.delay),
    }
}

fn sent(slot: Slot, spatial: u8, last: Sent, now: Sent) -> SentSecond {
    SentSecond {
        track: name_of(slot),
        spatial,
        frames: now.frames - last.frames,
        dropped: now.dropped - last.dropped,
        bytes: now.bytes - last.bytes,
    }
}

fn name_of(slot: Slot) -> String {
    format!("{slot:?}").to_lowercase()
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The number of seconds that are kept: ten minutes.
pub const MAX_SECONDS: usize = 600;

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const CAMERA: TrackId = TrackId { owner: ParticipantId(7), slot: Slot::Camera };

    fn sample(shown: u64) -> Sample {
        let counters = Counters { received: shown, decoded: shown, shown, ..Counters::default() };
        let voice = TrackId { slot: Slot::Microphone, ..CAMERA };
        Sample {
            tracks: BTreeMap::from([(CAMERA, counters), (voice, counters)]),
            sound: BTreeMap::new(),
            sent: BTreeMap::from([((Slot::Camera, 1), Sent { frames: shown, bytes: 10 * shown, ..Sent::default() })]),
            names: BTreeMap::from([(CAMERA.owner, "Anne".to_owned())]),
        }
    }

    #[test]
    fn a_second_has_what_changed_since_the_last_one() {
        let mut timeline = Timeline::default();
        let tile =
            TileWish { track: CAMERA, width: 640, height: 360, frames_per_second: 30, priority: 1, hidden: false };
        timeline.set_wishes(&[tile]);
        timeline.set_uplink(Bitrate::kbps(800));
        timeline.end_second(SECOND, sample(20));
        timeline.end_second(2 * SECOND, sample(50));
        let [first, second] = timeline.seconds().try_into().expect("two seconds");
        assert_eq!((first.at_ms, second.at_ms, second.uplink_kbps), (1_000, 2_000, Some(800)));
        let shown = |second: &Second| (second.video[0].shown, second.sent[0].frames, second.sent[0].bytes);
        assert_eq!((shown(&first), shown(&second)), ((20, 20, 200), (30, 30, 300)));
        assert_eq!((second.video[0].from.as_str(), second.video[0].wished), ("Anne", Some((640, 360))));
    }

    #[test]
    fn a_track_that_has_ended_is_in_no_later_second() {
        let mut timeline = Timeline::default();
        for (number, shown) in (1..).zip([20, 20]) {
            timeline.end_second(number * SECOND, sample(shown));
        }
        let tile =
            TileWish { track: CAMERA, width: 640, height: 360, frames_per_second: 30, priority: 1, hidden: false };
        timeline.set_wishes(&[tile]);
        timeline.end_second(3 * SECOND, sample(20));
        let entries: Vec<_> =
            timeline.seconds().iter().map(|second| (second.video.len(), second.audio.len())).collect();
        assert_eq!(entries, [(1, 1), (0, 0), (1, 0)], "a wished track that delivers nothing is a stall");
    }

    #[test]
    fn the_oldest_seconds_are_forgotten() {
        let mut timeline = Timeline::default();
        for number in 1..=700 {
            timeline.end_second(number * SECOND, sample(u64::from(number)));
        }
        let seconds = timeline.seconds();
        assert_eq!((seconds.len(), seconds[0].at_ms), (MAX_SECONDS, 101_000));
    }

    #[test]
    fn seconds_end_at_whole_seconds_and_a_stall_is_one_second() {
        let entered = Timestamp::from_micros(500_000);
        let after = |ms: u64| Timestamp::from_micros(500_000 + 1_000 * ms);
        let mut timeline = Timeline::default();
        assert!(!timeline.is_due(entered, after(999)) && timeline.is_due(entered, after(1_000)));
        timeline.end_second(Duration::from_millis(1_050), sample(1));
        assert!(!timeline.is_due(entered, after(1_999)) && timeline.is_due(entered, after(2_000)));
        timeline.end_second(Duration::from_millis(5_200), sample(1));
        assert!(!timeline.is_due(entered, after(5_999)) && timeline.is_due(entered, after(6_000)));
    }
}
