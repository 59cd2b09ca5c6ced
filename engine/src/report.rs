//! The report of one client, or of a whole demo, written as `report.json`.

use crate::stats::Stats;
use crate::stats::histogram::Histogram;
use crate::stats::open_failures::OpenFailures;
use crate::stats::timeline::Second;
use crate::stats::track_stats::ReceiveStats;
use crate::stats::usage::Usage;
use media::Timestamp;
use proto::{Slot, TrackId};
use serde::{Deserialize, Serialize};

/// The root of the file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// One entry for each client that reports.
    pub participants: Vec<Participant>,
    /// One entry for each received picture track.
    pub video: Vec<Video>,
    /// One entry for each received voice.
    pub audio: Vec<Audio>,
    /// End-to-end encryption.
    pub e2ee: E2ee,
    /// One entry for each participant that has sent messages that could not be read.
    #[serde(default)]
    pub malformed: Vec<Malformed>,
    /// The server's totals of this meeting.
    pub sfu: Sfu,
}

/// Messages of one participant that one client could not read: malformed ones, and those of later versions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Malformed {
    /// The sender's name. Empty if it has not been a member.
    pub from: String,
    /// The receiver's name.
    pub to: String,
    /// How many messages.
    pub messages: u64,
}

/// One client.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Participant {
    /// The participant's name.
    pub name: String,
    /// Time from the command to being admitted.
    pub join_ms: Option<u64>,
    /// Time from being admitted to the first picture of each remote camera.
    pub first_frame_ms: Percentiles,
    /// Processor time of the process for each shown picture.
    pub cpu_ms_per_shown_frame: Option<f64>,
    /// Resident memory of the process at the end, in MiB.
    pub rss_mb: Option<u64>,
    /// The path by which media went at the end: `udp` or `tls`. `None` if they were not connected.
    #[serde(default)]
    pub media_path: Option<String>,
    /// What changed in each of the last 600 seconds.
    pub timeline: Vec<Second>,
}

/// Median and 95th percentile of a distribution, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Percentiles {
    /// The median.
    pub p50: Option<u64>,
    /// The 95th percentile.
    pub p95: Option<u64>,
}

/// One received picture track.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Video {
    /// The sender's name.
    pub from: String,
    /// The receiver's name.
    pub to: String,
    /// `camera` or `screen`.
    pub track: String,
    /// The layer received at the end.
    pub layer: Layer,
    /// Frames that the sender sent on the received layers, while they were received.
    pub frames_sent: u64,
    /// Frames that were shown.
    pub frames_shown: u64,
    /// The freezes, as the W3C counts them.
    pub freezes: u64,
    /// The longest time between two shown pictures.
    pub longest_gap_ms: u64,
    /// The sizes of the shown pictures, in the order of their first pictures.
    pub sizes: Vec<ShownSize>,
    /// Time from capture to the screen. It is valid only if both ends run on one machine.
    pub latency_ms: Percentiles,
    /// Time between a shown picture and the sound of the same moment, whichever is first.
    #[serde(default)]
    pub sound_skew_ms: Percentiles,
}

/// A layer by number and size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// 0 is the smallest.
    pub spatial: u8,
    /// Width in pixels.
    pub width: u16,
    /// Height in pixels.
    pub height: u16,
}

/// The pictures of one size that were shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownSize {
    /// Width in pixels.
    pub width: u16,
    /// Height in pixels.
    pub height: u16,
    /// Time from being admitted to the first picture of this size.
    pub first_ms: Option<u64>,
    /// The number of shown pictures of this size.
    pub shown: u64,
}

/// One received voice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audio {
    /// The sender's name.
    pub from: String,
    /// The receiver's name.
    pub to: String,
    /// Packets that the sender sent while the track was received. It sends none during silence.
    pub packets_sent: u64,
    /// Packets that were played.
    pub packets_played: u64,
    /// Audio that the decoder concealed because a packet was missing.
    pub concealed_ms: u64,
    /// Milliseconds of played speech, including `concealed_ms`.
    pub talk_ms: u64,
    /// Milliseconds by which received audio was made longer. They are not concealed.
    pub inserted_ms: u64,
    /// Milliseconds by which received audio was made shorter.
    pub removed_ms: u64,
}

/// End-to-end encryption.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct E2ee {
    /// The cipher suites of the group and of the frames.
    pub suite: String,
    /// The number of epochs whose keys a client had. In a merged report, the largest of these numbers.
    pub epochs: u64,
    /// Frames that were opened.
    pub opened: u64,
    /// Frames that should have opened and did not.
    pub failed_to_open: u64,
    /// All frames that were not opened, by cause.
    #[serde(flatten)]
    pub open_failures: OpenFailures,
}

/// The server's totals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sfu {
    /// RTP packets received.
    pub packets_in: u64,
    /// RTP packets sent.
    pub packets_out: u64,
    /// How often the SFU requested a sender to stop a layer.
    pub layers_stopped: u64,
}

impl Report {
    /// Returns the report of one client called `name`, from its statistics so far. `usage` is that of its process.
    #[must_use]
    pub fn of(stats: &Stats, name: &str, usage: Option<Usage>) -> Self {
        let (facts, received) = (stats.facts(), stats.received());
        let called = |track: TrackId| facts.names.get(&track.owner).cloned().unwrap_or_default();
        let pictures = received.iter().filter(|(track, _)| track.slot != Slot::Microphone);
        let video: Vec<Video> = pictures
            .clone()
            .map(|(track, counts)| video((called(*track), name), *track, counts, facts.entered))
            .collect();
        let voices = received.iter().filter(|(track, _)| track.slot == Slot::Microphone);
        let audio = voices
            .map(|(track, counts)| {
                let played = facts.sound.get(&track.owner).copied().unwrap_or_default();
                Audio {
                    from: called(*track),
                    to: name.into(),
                    packets_sent: counts.sent,
                    packets_played: played.packets_played,
                    concealed_ms: played.concealed_ms,
                    talk_ms: played.talk_ms,
                    inserted_ms: played.inserted_ms,
                    removed_ms: played.removed_ms,
                }
            })
            .collect();
        let first: Vec<u64> =
            pictures.filter_map(|(_, counts)| Some(millis(counts.first_shown()?.since(facts.entered?)))).collect();
        let shown: u64 = video.iter().map(|video| video.frames_shown).sum();
        let participant = Participant {
            name: name.into(),
            join_ms: facts.entered.map(|entered| millis(entered.since(facts.started))),
            first_frame_ms: percentiles(first),
            cpu_ms_per_shown_frame: usage.and_then(|usage| per_frame(usage, shown)),
            rss_mb: usage.map(|usage| usage.resident >> 20),
            media_path: facts.media_path.map(|path| path.as_str().to_owned()),
            timeline: stats.timeline(),
        };
        let totals = facts.totals.unwrap_or_default();
        let sfu = Sfu {
            packets_in: totals.packets_in,
            packets_out: totals.packets_out,
            layers_stopped: totals.layers_stopped,
        };
        let malformed = facts.malformed.iter().map(|(from, messages)| {
            let from = facts.names.get(from).cloned().unwrap_or_default();
            Malformed { from, to: name.into(), messages: *messages }
        });
        let (malformed, e2ee) = (malformed.collect(), e2ee(facts.epochs, &received));
        Self { participants: vec![participant], video, audio, e2ee, malformed, sfu }
    }

    /// Merges the reports of one meeting's clients.
    #[must_use]
    pub fn merge(reports: impl IntoIterator<Item = Self>) -> Self {
        reports.into_iter().fold(Self::default(), |mut all, one| {
            all.participants.extend(one.participants);
            all.video.extend(one.video);
            all.audio.extend(one.audio);
            all.malformed.extend(one.malformed);
            all.e2ee.suite = one.e2ee.suite;
            all.e2ee.epochs = all.e2ee.epochs.max(one.e2ee.epochs);
            all.e2ee.opened += one.e2ee.opened;
            all.e2ee.failed_to_open += one.e2ee.failed_to_open;
            all.e2ee.open_failures += one.e2ee.open_failures;
            // All clients have the totals of the same server, whose counters only increase.
            all.sfu.packets_in = all.sfu.packets_in.max(one.sfu.packets_in);
            all.sfu.packets_out = all.sfu.packets_out.max(one.sfu.packets_out);
            all.sfu.layers_stopped = all.sfu.layers_stopped.max(one.sfu.layers_stopped);
            all
        })
    }
}

fn video((from, to): (String, &str), track: TrackId, counts: &ReceiveStats, entered: Option<Timestamp>) -> Video {
    let sizes = counts.sizes.iter().map(|shown| ShownSize {
        width: shown.size.width,
        height: shown.size.height,
        first_ms: entered.map(|entered| millis(shown.first_shown.since(entered))),
        shown: shown.shown,
    });
    let (layer, size) = counts.layer;
    Video {
        from,
        to: to.into(),
        track: format!("{:?}", track.slot).to_lowercase(),
        layer: Layer { spatial: layer.spatial, width: size.width, height: size.height },
        frames_sent: counts.sent,
        frames_shown: counts.shown,
        freezes: counts.freezes,
        longest_gap_ms: millis(counts.longest_gap),
        sizes: sizes.collect(),
        latency_ms: percentiles_of(&counts.latency),
        sound_skew_ms: percentiles_of(&counts.sound_skew),
    }
}

fn percentiles_of(times: &Histogram) -> Percentiles {
    Percentiles { p50: times.percentile(50).map(u64::from), p95: times.percentile(95).map(u64::from) }
}

fn e2ee(epochs: u64, received: &[(TrackId, ReceiveStats)]) -> E2ee {
    let mut open_failures = OpenFailures::default();
    for (_, counts) in received {
        open_failures += counts.open_failures;
    }
    E2ee {
        suite: SUITES.into(),
        epochs,
        opened: received.iter().map(|(_, counts)| counts.opened).sum(),
        failed_to_open: open_failures.failed(),
        open_failures,
    }
}

fn percentiles(mut values: Vec<u64>) -> Percentiles {
    values.sort_unstable();
    let at = |percent: usize| {
        let rank = (values.len() * percent).div_ceil(100);
        values.get(rank.saturating_sub(1)).copied()
    };
    Percentiles { p50: at(50), p95: at(95) }
}

fn per_frame(usage: Usage, shown: u64) -> Option<f64> {
    let shown = u32::try_from(shown).ok().filter(|shown| *shown > 0)?;
    Some((usage.cpu.as_secs_f64() * 100_000.0 / f64::from(shown)).round() / 100.0)
}

fn millis(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

const SUITES: &str = "MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519 + SFrame AES_256_GCM_SHA512_128";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_of_few_values_are_values() {
        assert_eq!(percentiles(vec![]), Percentiles::default());
        assert_eq!(percentiles(vec![30, 10, 20]), Percentiles { p50: Some(20), p95: Some(30) });
    }

    #[test]
    fn merging_adds_clients_and_keeps_the_servers_largest_totals() {
        let one = |packets_in, opened| Report {
            participants: vec![Participant::default()],
            e2ee: E2ee { suite: SUITES.into(), epochs: opened, opened, ..E2ee::default() },
            sfu: Sfu { packets_in, ..Sfu::default() },
            ..Report::default()
        };
        let all = Report::merge([one(5, 1), one(9, 2)]);
        assert_eq!((all.participants.len(), all.e2ee.opened, all.e2ee.epochs, all.sfu.packets_in), (2, 3, 2, 9));
    }
}
