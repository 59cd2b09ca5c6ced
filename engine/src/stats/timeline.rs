//! What changed in each second of a meeting, for `report.json` and the statistics panel. The last [`MAX_SECONDS`] seconds are
//! kept.

use super::history::History;
use super::known::Known;
pub use super::second::{AudioStats, LinkStats, ReceivedRtpStreamStats, Second, SentLayerStats, VideoStats};
use super::track_stats::{Counters, SendStats};
use crate::limitation::{self, Limitation, Steady, TrackFigures};
use crate::quality::{ConnectionFigures, Quality};
use media::Timestamp;
use net::InboundRtpStats;
use proto::{ParticipantId, Slot, TrackId};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// The counters at the end of a second.
#[derive(Default)]
pub struct Sample {
    /// The received tracks.
    pub tracks: BTreeMap<TrackId, Counters>,
    /// The played voices.
    pub sound: BTreeMap<ParticipantId, audio::Statistics>,
    /// The sent layers.
    pub sent: BTreeMap<(Slot, u8), SendStats>,
    /// The names of the participants.
    pub names: BTreeMap<ParticipantId, String>,
    /// Our own id.
    pub me: Option<ParticipantId>,
}

/// Compares the counters of each second with those of the second before.
#[derive(Default)]
pub struct Timeline {
    seconds: VecDeque<Second>,
    history: History,
    known: Known,
    /// The counters at the end of the last second.
    last: Sample,
    last_inbound_stats: BTreeMap<TrackId, InboundRtpStats>,
    /// The limit that the tile of each track shows.
    tile_limits: BTreeMap<TrackId, Steady<Limitation>>,
    /// What limits our own pictures.
    own: BTreeMap<Slot, Steady<Limitation>>,
    /// The newest second that [`Timeline::is_changed`] returned true for.
    reported: Option<Arc<Second>>,
}

impl Timeline {
    /// Returns true if `second` differs from the last one for which this returned true, and not only in its time.
    pub fn is_changed(&mut self, second: &Arc<Second>) -> bool {
        let changed = self.reported.as_ref().is_none_or(|reported| !second.has_same_figures(reported));
        if changed {
            self.reported = Some(Arc::clone(second));
        }
        changed
    }

    /// Returns true if the current second ends at `now`. `entered` is the time of being admitted.
    #[must_use]
    pub fn is_due(&self, entered: Timestamp, now: Timestamp) -> bool {
        let ended = self.seconds.back().map_or(0, |last| last.at_ms / 1_000);
        now.since(entered) >= Duration::from_secs(ended.saturating_add(1))
    }

    /// Ends a second `since` after being admitted, and returns it. After a stall, the seconds that have passed are one entry.
    /// The returned second has an entry for each received picture track, also for those without a visible tile.
    pub fn end_second(&mut self, since: Duration, sample: Sample) -> Arc<Second> {
        let at_ms = millis(since);
        let length_ms = at_ms - self.seconds.back().map_or(0, |last| last.at_ms);
        let mut second = Second {
            at_ms,
            length_ms,
            path: self.known.media_path.map(|path| path.as_str().to_owned()),
            link: self.link(),
            ..Second::default()
        };
        for (&track, now) in &sample.tracks {
            if track.slot == Slot::Microphone {
                second.audio.extend(self.audio(track, now, &sample));
            } else {
                let video = self.video(track, now, &sample, &second);
                second.video.extend(video);
            }
        }
        for (&(slot, spatial), now) in &sample.sent {
            let last = self.last.sent.get(&(slot, spatial)).copied().unwrap_or_default();
            second.sent.push(sent(slot, spatial, last, *now));
        }
        second.camera_limit = self.own_limit(Slot::Camera, since, &sample);
        second.screen_limit = self.own_limit(Slot::Screen, since, &sample);
        second.quality = self.quality(&second, sample.me);
        self.tile_limits.retain(|track, _| sample.tracks.contains_key(track));
        (self.last, self.last_inbound_stats) = (sample, self.known.inbound_stats.clone());
        self.keep(&second);
        Arc::new(second)
    }

    /// Keeps the second without the tracks that have no visible tile and delivered nothing, because there may be many.
    fn keep(&mut self, second: &Second) {
        let mut kept = second.clone();
        kept.video.retain(|video| video.wished.is_some() || video.received + video.decoded > 0);
        self.history.push(&kept);
        if self.seconds.len() == MAX_SECONDS {
            self.seconds.pop_front();
        }
        self.seconds.push_back(kept);
    }

    fn link(&self) -> LinkStats {
        let report = self.known.downlink.as_ref();
        LinkStats {
            uplink_kbps: self.known.uplink.map(|rate| rate.as_bps() / 1_000),
            downlink_kbps: report.map(|report| u64::from(report.bitrate) / 1_000),
            round_trip_ms: report.and_then(|report| report.round_trip).map(u64::from),
            lost_up_percent: report.map(|report| report.lost_up.min(100)),
            lost_down_percent: report.map(|report| report.lost_down.min(100)),
            send_limit_kbps: self.known.bandwidth.send.map(|limit| limit.bitrate.as_bps() / 1_000),
            receive_limit_kbps: self.known.bandwidth.receive.map(|limit| limit.bitrate.as_bps() / 1_000),
        }
    }

    /// Returns the entry of a picture track. `None` if it has ended and delivered nothing.
    fn video(&mut self, track: TrackId, now: &Counters, sample: &Sample, second: &Second) -> Option<VideoStats> {
        let last = self.last.tracks.get(&track).copied().unwrap_or_default();
        let wished = self.known.wishes.get(&track).copied();
        let is_received = self.known.layers.contains_key(&track);
        if wished.is_none() && !is_received && now.received == last.received && now.decoded == last.decoded {
            return None;
        }
        let layer = (now.shown > 0).then_some(now.layer);
        let mut video = VideoStats {
            id: Some(track),
            from: name(sample, track.owner),
            track: name_of(track.slot),
            wished,
            received: now.received - last.received,
            bytes: now.bytes - last.bytes,
            decoded: now.decoded - last.decoded,
            key_frames: now.key_frames - last.key_frames,
            key_frame_bytes: now.key_frame_bytes - last.key_frame_bytes,
            shown: now.shown - last.shown,
            spatial: layer.map(|(layer, _)| layer.spatial),
            size: layer.map(|(_, size)| (size.width, size.height)),
            longest_gap_ms: millis(now.recent_gap),
            sound_skew_ms: now.sound_skew_ms,
            packets: self.packets(track),
            decode_ms: millis(now.decode_time.saturating_sub(last.decode_time)),
            ..VideoStats::default()
        };
        video.limited_by = self.judge(track, &video, now.skipped - last.skipped, second);
        let steady = self.tile_limits.entry(track).or_insert(Steady::new(SHOW_AFTER, SHOW_AFTER));
        video.tile_limit = steady.update(video.limited_by, Duration::from_millis(second.at_ms));
        Some(video)
    }

    fn judge(&self, track: TrackId, video: &VideoStats, skipped: u64, second: &Second) -> Option<Limitation> {
        let Known { downlink, layers, senders, computer_limits, bandwidth, reconnecting, .. } = &self.known;
        let sender = senders.get(&track.owner);
        limitation::judge(&TrackFigures {
            connected: !reconnecting,
            sender_connected: sender.is_none_or(|sender| sender.connected),
            wished: video.wished,
            layers: layers.get(&track).map_or(&[], Vec::as_slice),
            size: video.size,
            received: video.received,
            skipped,
            decode_limit: computer_limits.received.get(&track).copied().unwrap_or_default(),
            shown_rate: second.per_second(video.shown),
            cause: downlink.as_ref().and_then(|report| report.cause(track)),
            downlink_kbps: second.link.downlink_kbps,
            lost_down: second.link.lost_down_percent.unwrap_or(0),
            receive_limit: second
                .link
                .downlink_kbps
                .and_then(|rate| bandwidth.receive.filter(|limit| limit.is_reached(rate))),
            incoming_video_off: bandwidth.incoming_video_off,
            announced_limit: sender.and_then(|sender| sender.limit(track.slot)),
        })
    }

    fn audio(&self, track: TrackId, now: &Counters, sample: &Sample) -> Option<AudioStats> {
        let last = self.last.tracks.get(&track).copied().unwrap_or_default();
        let sound = |all: &BTreeMap<_, audio::Statistics>| all.get(&track.owner).copied().unwrap_or_default();
        let (before, played) = (sound(&self.last.sound), sound(&sample.sound));
        if now.received == last.received && played == before {
            return None;
        }
        // The statistics of a voice start again if its track does.
        let since = |last: u64, now: u64| now.saturating_sub(last);
        Some(AudioStats {
            id: Some(track.owner),
            from: name(sample, track.owner),
            received: now.received - last.received,
            bytes: now.bytes - last.bytes,
            played: since(before.packets_played, played.packets_played),
            talk_ms: since(before.talk_ms, played.talk_ms),
            concealed_ms: since(before.concealed_ms, played.concealed_ms),
            recovered_ms: since(before.recovered_ms, played.recovered_ms),
            inserted_ms: since(before.inserted_ms, played.inserted_ms),
            removed_ms: since(before.removed_ms, played.removed_ms),
            delay_ms: millis(played.delay),
            packets: self.packets(track),
        })
    }

    /// Returns how the packets of a track arrived since the last second. The counts start again if the transport does.
    fn packets(&self, track: TrackId) -> ReceivedRtpStreamStats {
        let Some(now) = self.known.inbound_stats.get(&track).copied() else { return ReceivedRtpStreamStats::default() };
        let last = self
            .last_inbound_stats
            .get(&track)
            .copied()
            .filter(|last| last.expected <= now.expected)
            .unwrap_or_default();
        let packets = now.expected - last.expected;
        // A packet that was late counts in the second in which it arrives.
        let arrived = now.arrived.saturating_sub(last.arrived).min(packets);
        ReceivedRtpStreamStats { packets, packets_lost: packets - arrived, jitter_ms: millis(now.jitter) }
    }

    /// Returns what limits our own pictures of `slot`, if that lasts.
    fn own_limit(&mut self, slot: Slot, since: Duration, sample: &Sample) -> Option<Limitation> {
        let is_sent = |(layer, now): (&(Slot, u8), &SendStats)| {
            let last = self.last.sent.get(layer).copied().unwrap_or_default();
            layer.0 == slot && now.frames > last.frames
        };
        let computer = self.known.computer_limits.sent.get(&slot).filter(|_| sample.sent.iter().any(is_sent));
        let limit = match computer {
            Some(reason) => Some(Limitation::of_own_computer(*reason)),
            None => self.known.uplink_limits.contains(&slot).then(|| self.uplink_limitation()),
        };
        let steady = self.own.entry(slot).or_insert(Steady::new(ANNOUNCE_AFTER, ANNOUNCE_HOLD));
        steady.update(limit, since)
    }

    /// Returns why the uplink has no room for more.
    fn uplink_limitation(&self) -> Limitation {
        let rate = self.known.uplink.map_or(0, |rate| rate.as_bps() / 1_000);
        match self.known.bandwidth.send.filter(|limit| limit.is_reached(rate)) {
            Some(limit) => Limitation::of_send_limit(limit.owner),
            None => Limitation::OwnUplink,
        }
    }

    fn quality(&self, second: &Second, me: Option<ParticipantId>) -> BTreeMap<ParticipantId, Quality> {
        let lost_down = second.link.lost_down_percent.unwrap_or(0);
        let others = self.known.senders.iter().map(|(id, sender)| {
            let of_this = |video: &&VideoStats| video.id.is_some_and(|track| track.owner == *id);
            let limits = [sender.camera_limit, sender.screen_limit].into_iter().flatten().map(Limitation::of_sender);
            let shown = second.video.iter().filter(of_this).filter_map(|video| video.tile_limit);
            let voice = second.audio.iter().find(|audio| audio.id == Some(*id));
            let figures = ConnectionFigures {
                lost: !sender.connected,
                limitation: limits.chain(shown).find(|limitation| *limitation != Limitation::SenderComputer),
                loss_percent: lost_down,
                concealed_percent: voice.map_or(0, concealed_percent),
            };
            (*id, Quality::of_sender(figures))
        });
        let mut all: BTreeMap<_, _> = others.collect();
        if let (Some(me), Some(_)) = (me, &self.known.downlink) {
            let path =
                |limitation: &Limitation| limitation.responsible_party() == limitation::ResponsibleParty::Network;
            let shown = second.video.iter().filter_map(|video| video.tile_limit);
            let own = second.camera_limit.into_iter().chain(second.screen_limit);
            let figures = ConnectionFigures {
                lost: self.known.reconnecting,
                limitation: shown.chain(own).find(path),
                loss_percent: lost_down.max(second.link.lost_up_percent.unwrap_or(0)),
                concealed_percent: 0,
            };
            all.insert(me, Quality::of_own(figures));
        }
        all
    }

    /// Returns what the timeline knows besides counters, to change it.
    pub fn known(&mut self) -> &mut Known {
        &mut self.known
    }

    /// Returns the kept seconds, the oldest first.
    #[must_use]
    pub fn seconds(&self) -> Vec<Second> {
        self.seconds.iter().cloned().collect()
    }

    /// Returns the history of each flow.
    #[must_use]
    pub fn history(&self) -> History {
        self.history.clone()
    }
}

fn concealed_percent(audio: &AudioStats) -> u8 {
    let percent = (audio.concealed_ms * 100).checked_div(audio.talk_ms).unwrap_or(0);
    u8::try_from(percent).unwrap_or(u8::MAX)
}

fn sent(slot: Slot, spatial: u8, last: SendStats, now: SendStats) -> SentLayerStats {
    SentLayerStats {
        track: name_of(slot),
        spatial,
        frames: now.frames - last.frames,
        dropped: now.dropped - last.dropped,
        bytes: now.bytes - last.bytes,
        size: now.size.map(|size| (size.width, size.height)),
        encode_ms: millis(now.encode_time.saturating_sub(last.encode_time)),
    }
}

fn name(sample: &Sample, owner: ParticipantId) -> String {
    sample.names.get(&owner).cloned().unwrap_or_default()
}

fn name_of(slot: Slot) -> String {
    format!("{slot:?}").to_lowercase()
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The number of seconds that are kept: ten minutes.
pub const MAX_SECONDS: usize = 600;

/// How long a limit must last before its tile shows it, and how long it must be over before the tile shows it no longer.
const SHOW_AFTER: Duration = Duration::from_secs(3);

/// How long our pictures must be limited before that is announced, and how long they must be unlimited before that is announced.
/// Each change is a message to all members.
const ANNOUNCE_AFTER: Duration = Duration::from_secs(2);
const ANNOUNCE_HOLD: Duration = Duration::from_secs(10);

#[cfg(test)]
#[path = "timeline_tests.rs"]
mod tests;
