//! The history of a meeting, one row a second for each track, in little memory. It is exported as CSV (RFC 4180).

use super::second::{ReceivedRtpStreamStats, Second};
use crate::limitation::{Limitation, ResponsibleParty};
use std::collections::VecDeque;
use std::fmt::Write as _;

/// The last rows of a meeting.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// The tracks that rows name by their index.
    tracks: Vec<TrackLabel>,
    rows: VecDeque<Row>,
}

/// What a row names of its track, received or sent.
#[derive(Clone, Debug, PartialEq, Eq)]
struct TrackLabel {
    received: bool,
    /// The sender's name. Empty for ours.
    from: String,
    /// `microphone`, `camera` or `screen`.
    track: String,
}

/// One second of a track. The largest value of a field stands for all larger ones.
#[derive(Clone, Copy, Debug, Default)]
struct Row {
    at_s: u32,
    track_index: u16,
    kbps: u16,
    link_kbps: u16,
    wished: (u16, u16),
    size: (u16, u16),
    received: u8,
    decoded: u8,
    shown: u8,
    lost_permille: u16,
    jitter_ms: u16,
    round_trip_ms: u16,
    codec_ms: u16,
    limited_by: Option<Limitation>,
}

impl History {
    /// Adds the tracks of a second. The oldest rows are dropped beyond [`MAX_ROWS`].
    pub fn push(&mut self, second: &Second) {
        let common = Row {
            at_s: u32::try_from(second.at_ms / 1_000).unwrap_or(u32::MAX),
            round_trip_ms: second.link.round_trip_ms.map_or(0, short),
            ..Row::default()
        };
        let down = Row { link_kbps: second.link.downlink_kbps.map_or(0, short), ..common };
        for video in &second.video {
            let row = Row {
                kbps: short(second.kbps(video.bytes)),
                wished: video.wished.unwrap_or_default(),
                size: video.size.unwrap_or_default(),
                received: tiny(second.per_second(video.received)),
                decoded: tiny(second.per_second(video.decoded)),
                shown: tiny(second.per_second(video.shown)),
                codec_ms: short(video.decode_ms),
                limited_by: video.limited_by,
                ..with_packets(down, &video.packets)
            };
            self.add(true, &video.from, &video.track, row);
        }
        for audio in &second.audio {
            let kbps = short(second.kbps(audio.bytes));
            let received = tiny(second.per_second(audio.received));
            self.add(true, &audio.from, "microphone", Row { kbps, received, ..with_packets(down, &audio.packets) });
        }
        let lost_permille = second.link.lost_up_percent.map_or(0, |percent| u16::from(percent) * 10);
        for sent in second.sent.iter().filter(|sent| sent.frames > 0) {
            let row = Row {
                kbps: short(second.kbps(sent.bytes)),
                link_kbps: second.link.uplink_kbps.map_or(0, short),
                size: sent.size.unwrap_or_default(),
                received: tiny(second.per_second(sent.frames)),
                lost_permille,
                codec_ms: short(sent.encode_ms),
                limited_by: match sent.track.as_str() {
                    "camera" => second.camera_limit,
                    "screen" => second.screen_limit,
                    _ => None,
                },
                ..common
            };
            self.add(false, "", &format!("{} {}", sent.track, sent.spatial), row);
        }
    }

    fn add(&mut self, received: bool, from: &str, track: &str, row: Row) {
        let is_it = |label: &TrackLabel| label.received == received && label.from == from && label.track == track;
        let index = self.tracks.iter().position(is_it).unwrap_or(self.tracks.len());
        let Some(track_index) = u16::try_from(index).ok().filter(|_| index < MAX_TRACKS) else { return };
        if index == self.tracks.len() {
            self.tracks.push(TrackLabel { received, from: from.to_owned(), track: track.to_owned() });
        }
        if self.rows.len() == MAX_ROWS {
            self.rows.pop_front();
        }
        self.rows.push_back(Row { track_index, ..row });
    }

    /// Returns the number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Returns true if there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Returns the rows as CSV with a header.
    #[must_use]
    pub fn csv(&self) -> String {
        let mut csv = String::with_capacity((self.rows.len() + 1) * LINE_BYTES);
        csv.push_str(HEADER);
        for row in &self.rows {
            let Some(label) = self.tracks.get(usize::from(row.track_index)) else { continue };
            let direction = if label.received { "received" } else { "sent" };
            let (limited_by, owner) = row.limited_by.map_or(("", ""), |limited| (limited.name(), owner(limited)));
            let lost = format!("{}.{}", row.lost_permille / 10, row.lost_permille % 10);
            // Writing to a string does not fail.
            let _ = write!(
                csv,
                "{},{direction},{},{},{},{},{},{},{},{},{},{},{},{lost},{},{},{},{limited_by},{owner}\r\n",
                row.at_s,
                cell(&label.from),
                label.track,
                row.wished.0,
                row.wished.1,
                row.size.0,
                row.size.1,
                row.received,
                row.decoded,
                row.shown,
                row.kbps,
                row.link_kbps,
                row.jitter_ms,
                row.round_trip_ms,
                row.codec_ms,
            );
        }
        csv
    }
}

fn with_packets(row: Row, packets: &ReceivedRtpStreamStats) -> Row {
    Row { lost_permille: short(packets.lost_permille()), jitter_ms: short(packets.jitter_ms), ..row }
}

const fn owner(limitation: Limitation) -> &'static str {
    match limitation.responsible_party() {
        ResponsibleParty::Computer | ResponsibleParty::You => "you",
        ResponsibleParty::Organisation => "organisation",
        ResponsibleParty::Sender => "sender",
        ResponsibleParty::Server => "server",
        ResponsibleParty::Network => "path",
    }
}

/// Returns a name as a quoted cell. A spreadsheet would compute a name that begins like a formula, so such a name gets an
/// apostrophe.
fn cell(name: &str) -> String {
    let is_formula = name.trim_start().starts_with(['=', '+', '-', '@']) || name.starts_with(['\t', '\r', '\n']);
    format!("\"{}{}\"", if is_formula { "'" } else { "" }, name.replace('"', "\"\""))
}

fn short(value: u64) -> u16 {
    u16::try_from(value).unwrap_or(u16::MAX)
}

fn tiny(value: u64) -> u8 {
    u8::try_from(value).unwrap_or(u8::MAX)
}

/// The columns. Those that do not apply to a track are 0 or empty.
const HEADER: &str = "second,direction,from,track,wished_width,wished_height,width,height,frames_per_second,\
                      decoded_per_second,shown_per_second,kbps,link_kbps,lost_percent,jitter_ms,round_trip_ms,codec_ms,\
                      limited_by,owner\r\n";

/// The length of a usual line.
const LINE_BYTES: usize = 96;

/// The maximum number of tracks. People may join and leave all the time.
const MAX_TRACKS: usize = 4_096;

/// The maximum number of rows: an hour of 27 tracks. They take 4 MB.
pub const MAX_ROWS: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::super::second::{AudioStats, LinkStats, SentLayerStats, VideoStats};
    use super::*;

    fn second(at_ms: u64, from: &str) -> Second {
        let packets = ReceivedRtpStreamStats { packets: 200, packets_lost: 7, jitter_ms: 4 };
        let video = VideoStats {
            from: from.into(),
            track: "camera".into(),
            wished: Some((1280, 720)),
            size: Some((640, 360)),
            received: 30,
            decoded: 29,
            shown: 28,
            bytes: 50_000,
            packets,
            decode_ms: 90,
            limited_by: Some(Limitation::DownlinkLoss),
            ..VideoStats::default()
        };
        let audio = AudioStats { from: from.into(), received: 50, bytes: 4_000, packets, ..AudioStats::default() };
        let sent = SentLayerStats {
            track: "camera".into(),
            spatial: 1,
            frames: 30,
            bytes: 60_000,
            ..SentLayerStats::default()
        };
        let path = LinkStats {
            uplink_kbps: Some(900),
            downlink_kbps: Some(500),
            round_trip_ms: Some(41),
            lost_up_percent: Some(2),
            lost_down_percent: Some(3),
            ..LinkStats::default()
        };
        Second {
            at_ms,
            length_ms: 1_000,
            link: path,
            video: vec![video],
            audio: vec![audio],
            sent: vec![sent],
            ..Second::default()
        }
    }

    #[test]
    fn each_track_has_a_line_a_second() {
        let mut history = History::default();
        history.push(&second(1_000, "Anne"));
        history.push(&second(2_000, "Anne"));
        let csv = history.csv();
        let lines: Vec<&str> = csv.split("\r\n").collect();
        assert_eq!(lines.len(), 1 + 6 + 1, "a header, and a line break at the end");
        let columns = lines[0].split(',').count();
        assert!(lines[1..7].iter().all(|line| line.split(',').count() == columns), "{csv}");
        assert_eq!(
            lines[1],
            "1,received,\"Anne\",camera,1280,720,640,360,30,29,28,400,500,3.5,4,41,90,downlink_loss,path"
        );
        assert_eq!(lines[2], "1,received,\"Anne\",microphone,0,0,0,0,50,0,0,32,500,3.5,4,41,0,,");
        assert_eq!(lines[6], "2,sent,\"\",camera 1,0,0,0,0,30,0,0,480,900,2.0,0,41,0,,");
    }

    #[test]
    fn a_name_is_never_a_formula_and_never_ends_its_cell() {
        for (name, expected) in [
            ("=HYPERLINK(\"http://a.example\",\"x\")", "\"'=HYPERLINK(\"\"http://a.example\"\",\"\"x\"\")\""),
            (" @sum", "\"' @sum\""),
            ("Anne, \"Bob\"", "\"Anne, \"\"Bob\"\"\""),
        ] {
            assert_eq!(cell(name), expected);
        }
    }

    #[test]
    fn an_hour_of_many_tracks_takes_little_memory() {
        assert!(MAX_ROWS * size_of::<Row>() <= 4 << 20, "{} bytes a row", size_of::<Row>());
        let (mut history, one) = (History::default(), second(1_000, "Anne"));
        for _ in 0..=MAX_ROWS / 3 {
            history.push(&one);
        }
        assert_eq!((history.len(), history.tracks.len()), (MAX_ROWS, 3));
    }
}
