//! The records of one second of a meeting, as `report.json` and the statistics panel have them.

use crate::limitation::Limitation;
use crate::quality::Quality;
use proto::{ParticipantId, Slot, TrackId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One second of a meeting. A client that is busy may end it late: use `length_ms`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Second {
    /// Time from being admitted to the end of this second.
    pub at_ms: u64,
    /// The time that it lasted.
    pub length_ms: u64,
    /// The path by which media go at the end of this second: `udp` or `tls`. `None` before media are connected.
    pub path: Option<String>,
    /// What is measured of the link to the server.
    #[serde(flatten)]
    pub link: LinkStats,
    /// One entry for each picture track that we wish or that delivered something in this second.
    pub video: Vec<VideoStats>,
    /// One entry for each voice that delivered or played something in this second.
    pub audio: Vec<AudioStats>,
    /// One entry for each layer that was sent.
    pub sent: Vec<SentLayerStats>,
    /// Why our camera is sent smaller or slower than the others wish. It changes only if that lasts.
    pub camera_limit: Option<Limitation>,
    /// Why our screen is sent smaller or slower than the others wish. It changes only if that lasts.
    pub screen_limit: Option<Limitation>,
    /// The quality of each participant's connection, as far as it is known.
    #[serde(skip)]
    pub quality: BTreeMap<ParticipantId, Quality>,
}

impl Second {
    /// Returns true if nothing but the time differs from `other`.
    pub(crate) fn has_same_figures(&self, other: &Self) -> bool {
        let Self { at_ms: _, length_ms: _, path, link, video, audio, sent, camera_limit, screen_limit, quality } = self;
        (path, link, video, audio) == (&other.path, &other.link, &other.video, &other.audio)
            && (sent, camera_limit, screen_limit) == (&other.sent, &other.camera_limit, &other.screen_limit)
            && *quality == other.quality
    }
}

/// The link between this client and the server at the end of a second. A value is `None` before its first measurement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LinkStats {
    /// The estimated capacity of the uplink, in kbit/s.
    pub uplink_kbps: Option<u64>,
    /// What the server may send to us, in kbit/s.
    pub downlink_kbps: Option<u64>,
    /// The round-trip time.
    pub round_trip_ms: Option<u64>,
    /// Packets that are lost on the way to the server, in percent.
    pub lost_up_percent: Option<u8>,
    /// Packets that are lost on the way from the server although the link is not full, in percent.
    pub lost_down_percent: Option<u8>,
    /// What may be sent at most, by the user's choice or the organisation's policy, in kbit/s.
    pub send_limit_kbps: Option<u64>,
    /// What may be received at most, in the same way.
    pub receive_limit_kbps: Option<u64>,
}

/// One second of a received picture track.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct VideoStats {
    /// The track.
    #[serde(skip)]
    pub id: Option<TrackId>,
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
    /// The key frames among them.
    pub key_frames: u64,
    /// The bytes of these key frames.
    pub key_frame_bytes: u64,
    /// Pictures that were shown.
    pub shown: u64,
    /// The layer of the newest shown picture, 0 is the smallest. `None` before the first one.
    pub spatial: Option<u8>,
    /// Width and height of the newest shown picture.
    pub size: Option<(u16, u16)>,
    /// The longest gap between two shown pictures that ended in this second. If the gap at the end of the second is longer, the
    /// length of that gap so far.
    pub longest_gap_ms: u64,
    /// The mean time from a picture to the sound of the same moment; negative if the sound was heard before. `None` without sound.
    pub sound_skew_ms: Option<i64>,
    /// The arrival of its packets.
    #[serde(flatten)]
    pub packets: ReceivedRtpStreamStats,
    /// The time that decoding took.
    pub decode_ms: u64,
    /// Why it was smaller or slower than its tile wishes in this second. `None` if it was not.
    pub limited_by: Option<Limitation>,
    /// The limit that the tile shows: `limited_by`, if it lasts.
    #[serde(skip)]
    pub tile_limit: Option<Limitation>,
}

/// The arrival of the packets of a received track in one second, as in `RTCReceivedRtpStreamStats` of WebRTC. Retransmissions do not
/// count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReceivedRtpStreamStats {
    /// Packets that the server sent.
    pub packets: u64,
    /// Those of them that did not arrive.
    pub packets_lost: u64,
    /// The interarrival jitter at the end of the second (RFC 3550).
    pub jitter_ms: u64,
}

/// One second of a received voice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AudioStats {
    /// The owner of the track.
    #[serde(skip)]
    pub id: Option<ParticipantId>,
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
    /// By how much received sound was made longer because packets were late or pictures are.
    pub inserted_ms: u64,
    /// By how much received sound was made shorter because the delay was too long.
    pub removed_ms: u64,
    /// The delay of the jitter buffer at the end of the second.
    pub delay_ms: u64,
    /// The arrival of its packets.
    #[serde(flatten)]
    pub packets: ReceivedRtpStreamStats,
}

/// One second of a layer that we send.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SentLayerStats {
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
    /// Width and height of its pictures. `None` for sound.
    pub size: Option<(u16, u16)>,
    /// The time that encoding took.
    pub encode_ms: u64,
}

impl Second {
    /// Returns the entry of a received picture track.
    #[must_use]
    pub fn video_of(&self, track: TrackId) -> Option<&VideoStats> {
        self.video.iter().find(|video| video.id == Some(track))
    }

    /// Returns how many of `count` there were in each second, rounded.
    #[must_use]
    pub fn per_second(&self, count: u64) -> u64 {
        let length = self.length_ms.max(1);
        (count.saturating_mul(1_000) + length / 2) / length
    }

    /// Returns the bitrate of `bytes`, in kbit/s.
    #[must_use]
    pub fn kbps(&self, bytes: u64) -> u64 {
        bytes.saturating_mul(8) / self.length_ms.max(1)
    }

    /// Returns what limits our own pictures of `slot`.
    #[must_use]
    pub const fn own_limit(&self, slot: Slot) -> Option<Limitation> {
        match slot {
            Slot::Camera => self.camera_limit,
            Slot::Screen => self.screen_limit,
            Slot::Microphone => None,
        }
    }
}

impl ReceivedRtpStreamStats {
    /// Returns the lost packets in thousandths.
    #[must_use]
    pub fn lost_permille(&self) -> u64 {
        (self.packets_lost * 1_000).checked_div(self.packets).unwrap_or(0)
    }
}
