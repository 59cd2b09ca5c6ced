//! A call between two Chromium without a window, over the same limits (`--chromium`).
//!
//! Both are peer to peer; the server's namespace forwards their packets. Cameras and microphones are the files of our calls. The
//! receiver's page measures what it shows (`requestVideoFrameCallback`) and plays (`getStats`).

pub mod signalling;

use super::call::assets;
use super::figures::{CallFigures, SecondFigures, processor_time, round, to_f64, used};
use super::picture_quality::{Reference, mean};
use super::running::{OutputFolder, RunningProgram};
use crate::bench::draw::browser::HEADLESS_FLAGS;
use crate::bench::row::percentile;
use crate::bench::wait;
use crate::netlab::{Namespace, Netlab, NetworkSpec, Participant};
use anyhow::{Context, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use media::{PlaneRef, Size};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, Instant};

/// A call to hold.
#[derive(Debug)]
pub struct ChromiumCall {
    /// What the links do.
    pub spec: NetworkSpec,
    /// How long the receiver is in the call.
    pub length: Duration,
    /// The Y4M file that both cameras play.
    pub clip: PathBuf,
    /// The video codec.
    pub codec: ChromiumCodec,
    /// True if the quality of the pictures is measured.
    pub records_pictures: bool,
    /// The folder for results and logs.
    pub out: PathBuf,
}

/// The video codec of a call between two Chromium.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChromiumCodec {
    /// VP8, Chromium's own choice.
    Vp8,
    /// H.264.
    H264,
}

impl ChromiumCodec {
    /// Returns its name in session descriptions.
    fn name(self) -> &'static str {
        match self {
            Self::Vp8 => "VP8",
            Self::H264 => "H264",
        }
    }
}

impl FromStr for ChromiumCodec {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        [Self::Vp8, Self::H264].into_iter().find(|codec| codec.name() == text).context("the codec is VP8 or H264")
    }
}

/// What the receiver's page measured.
#[derive(Debug, Default, Deserialize)]
struct Measured {
    /// The shown pictures: milliseconds since the start, width, height, and the time since capture if it is known.
    frames: Vec<(f64, u16, u16, Option<f64>)>,
    /// The statistics of the received streams, once a second.
    stats: Vec<InboundRtp>,
    /// Shown pictures, one a second, if they are wanted.
    #[serde(default)]
    pictures: Vec<ShownPicture>,
}

/// A picture that the page showed.
#[derive(Debug, Deserialize)]
struct ShownPicture {
    width: u16,
    height: u16,
    /// The samples of its luma, row by row, in base64.
    luma: String,
}

/// The used fields of `RTCInboundRtpStreamStats` (W3C webrtc-stats).
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct InboundRtp {
    kind: String,
    freeze_count: u64,
    concealed_samples: u64,
    total_samples_received: u64,
    bytes_received: u64,
}

impl ChromiumCall {
    /// Holds the call, and returns what the receiver measured.
    ///
    /// # Errors
    /// Returns a [`crate::netlab::Error`] if there is no network, or another error if a browser does not start or fails.
    pub fn hold(&self, program: &Path) -> Result<CallFigures> {
        let folder = OutputFolder::new(Some(&self.out))?;
        let lab = Netlab::new(&self.spec)?;
        lab.forward_packets()?;
        let address = format!("{}:{PORT}", Netlab::server_address(Participant::Sender));
        let mut server = lab.command(Namespace::Server, &std::env::current_exe()?);
        server.args([signalling::COMMAND, &address]).arg(folder.path());
        let server = RunningProgram::start("signalling", server, &folder)?;
        server.first_line()?;
        let sender =
            self.start(program, &lab, &folder, &address, (signalling::SENDER, Namespace::Sender, "anne.wav"))?;
        read_when_written(&folder, "ready-sender", START_TIMEOUT)?;
        wait(SETTLING_TIME);
        let viewer =
            self.start(program, &lab, &folder, &address, (signalling::RECEIVER, Namespace::Receiver, "bob.wav"))?;
        read_when_written(&folder, "ready-receiver", START_TIMEOUT)?;
        let (bytes, processor) = (lab.received_bytes(Participant::Receiver)?, processor_time());
        let schedule = lab.start_schedule(&self.spec)?;
        wait(self.length);
        let received = lab.received_bytes(Participant::Receiver)? - bytes;
        let processor = used(processor, processor_time());
        let result = read_when_written(&folder, "result-receiver", END_TIMEOUT)?;
        schedule.stop()?;
        drop((viewer, sender));
        for end in [signalling::SENDER, signalling::RECEIVER] {
            // If a process of the browser still writes, the profile stays.
            let _ = fs::remove_dir_all(folder.file(&profile(end)));
        }
        let measured: Measured = serde_json::from_str(&result).context("the result of the page cannot be read")?;
        let figures = measured.figures(self.length);
        let psnr_db = if self.records_pictures { measured.psnr(&Reference::read(&self.clip)?) } else { None };
        Ok(CallFigures {
            received_kbps: super::figures::kbps(received, self.length),
            processor_percent: processor.map(|share| round(100.0 * share)),
            psnr_db,
            ..figures
        })
    }

    /// Starts a browser whose page is one end of the call.
    fn start(
        &self,
        program: &Path,
        lab: &Netlab,
        folder: &OutputFolder,
        address: &str,
        (role, namespace, voice): (&str, Namespace, &str),
    ) -> Result<RunningProgram> {
        let mut command = lab.command(namespace, program);
        command.args(HEADLESS_FLAGS).args(FLAGS);
        command.arg(format!("--unsafely-treat-insecure-origin-as-secure=http://{address}"));
        command.arg(format!("--use-file-for-fake-video-capture={}", self.clip.display()));
        command.arg(format!("--use-file-for-fake-audio-capture={}", assets().join("voices").join(voice).display()));
        command.arg(format!("--user-data-dir={}", folder.file(&profile(role)).display()));
        let pictures = if self.records_pictures { "&pictures=1" } else { "" };
        let (codec, seconds) = (self.codec.name(), self.length.as_secs());
        command.arg(format!("http://{address}/?role={role}&codec={codec}&seconds={seconds}{pictures}"));
        RunningProgram::start(&format!("browser-{role}"), command, folder)
    }
}

impl Measured {
    fn figures(&self, length: Duration) -> CallFigures {
        let seconds = length.as_secs();
        let timeline: Vec<SecondFigures> = (0..seconds).map(|second| self.second(second)).collect();
        let mut sizes = BTreeMap::new();
        for (width, height) in timeline.iter().filter_map(|second| second.size) {
            *sizes.entry(format!("{width}x{height}")).or_default() += 1;
        }
        let mut lines_after_ms = BTreeMap::new();
        for (at, _, height, _) in &self.frames {
            lines_after_ms.entry(*height).or_insert_with(|| whole(*at));
        }
        let mut latencies: Vec<u64> = self.frames.iter().filter_map(|frame| frame.3).map(whole).collect();
        latencies.sort_unstable();
        let newest = |kind: &str| self.stats.iter().rev().find(|stats| stats.kind == kind);
        let concealed = newest("audio").filter(|voice| voice.total_samples_received > 0);
        let video_bytes = newest("video").map_or(0, |video| video.bytes_received);
        CallFigures {
            media_path: Some("peer to peer".into()),
            first_picture_ms: self.frames.first().map(|frame| whole(frame.0)),
            moving: timeline.iter().filter(|second| second.is_moving()).count() as u64,
            seconds,
            frames_per_second: round(
                timeline.iter().map(|second| second.frames_per_second).sum::<f64>() / to_f64(seconds.max(1)),
            ),
            freezes: newest("video").map_or(0, |video| video.freeze_count),
            longest_gap_ms: timeline.iter().map(|second| second.longest_gap_ms).max().unwrap_or(0),
            sizes,
            lines_after_ms,
            concealed_percent: concealed
                .map(|voice| round(100.0 * to_f64(voice.concealed_samples) / to_f64(voice.total_samples_received))),
            latency_p50_ms: percentile(&latencies, 50),
            latency_p95_ms: percentile(&latencies, 95),
            video_kbps: super::figures::kbps(video_bytes, length),
            timeline,
            ..CallFigures::default()
        }
    }

    /// Returns the mean PSNR of the pictures.
    fn psnr(&self, reference: &Reference) -> Option<f64> {
        let ratios = self.pictures.iter().filter_map(|picture| {
            let (samples, size) = (STANDARD.decode(&picture.luma).ok()?, Size::new(picture.width, picture.height));
            let complete = samples.len() == usize::from(size.width) * usize::from(size.height);
            let luma = PlaneRef { data: &samples, stride: size.width.into(), size };
            // Only the luma is compared.
            complete.then(|| reference.psnr([luma; 3]))?
        });
        mean(&ratios.collect::<Vec<_>>())
    }

    /// Returns what was shown in a second from 0.
    fn second(&self, second: u64) -> SecondFigures {
        let (start, end) = (1_000.0 * to_f64(second), 1_000.0 * to_f64(second + 1));
        let inside = || self.frames.iter().filter(|frame| (start..end).contains(&frame.0));
        let before = self.frames.iter().map(|frame| frame.0).rfind(|at| *at < start);
        // A gap that lasts at the end of the second counts, too, as in our calls.
        let times: Vec<f64> = before.into_iter().chain(inside().map(|frame| frame.0)).collect();
        let ends = times.iter().skip(1).copied().chain([end]);
        let gap = times.iter().zip(ends).map(|(from, to)| to - from).fold(0.0, f64::max);
        SecondFigures {
            at_ms: 1_000 * (second + 1),
            frames_per_second: to_f64(inside().count() as u64),
            size: inside().next_back().map(|frame| (frame.1, frame.2)),
            longest_gap_ms: whole(gap),
            ..SecondFigures::default()
        }
    }
}

/// Waits for a file of the web server, and returns its content.
fn read_when_written(folder: &OutputFolder, name: &str, limit: Duration) -> Result<String> {
    let start = Instant::now();
    loop {
        if let Ok(text) = fs::read_to_string(folder.file(name)) {
            return Ok(text);
        }
        for end in [signalling::SENDER, signalling::RECEIVER] {
            if let Ok(error) = fs::read_to_string(folder.file(&format!("failed-{end}"))) {
                bail!("the page of the {end} failed: {error}");
            }
        }
        if start.elapsed() > limit {
            bail!("the browsers wrote no {name} within {} s", limit.as_secs());
        }
        wait(POLL_INTERVAL);
    }
}

/// Returns the name of the folder of a browser's profile.
fn profile(role: &str) -> String {
    format!("profile-{role}")
}

/// Rounds milliseconds.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "times of a call are small")]
fn whole(milliseconds: f64) -> u64 {
    milliseconds.max(0.0).round() as u64
}

const FLAGS: &[&str] =
    &["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", "--window-size=1280,800"];

const PORT: u16 = 8_080;

/// How long a browser may take to be ready, and to pass its result after the call.
const START_TIMEOUT: Duration = Duration::from_secs(40);
const END_TIMEOUT: Duration = Duration::from_secs(20);

const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// How long the sender is ready before the receiver starts.
const SETTLING_TIME: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shown_pictures_make_the_same_figures_as_those_of_our_calls() {
        let shown = |from: u32, count: u32, lines| {
            (0..count).map(move |number| (f64::from(from + 40 * number), lines / 9 * 16, lines, Some(80.0)))
        };
        let frames = shown(300, 17, 180).chain(shown(2_500, 12, 360)).collect();
        let stats = |kind: &str, concealed_samples| InboundRtp {
            kind: kind.into(),
            freeze_count: 1,
            concealed_samples,
            total_samples_received: 48_000,
            bytes_received: 37_500,
        };
        let stats = vec![stats("audio", 480), stats("video", 0), stats("audio", 960)];
        let figures = Measured { frames, stats, pictures: Vec::new() }.figures(Duration::from_secs(3));
        assert_eq!((figures.moving, figures.seconds, figures.first_picture_ms), (2, 3, Some(300)));
        assert_eq!((figures.freezes, figures.longest_gap_ms, figures.video_kbps), (1, 1_560, 100));
        assert_eq!((figures.concealed_percent, figures.height_after_ms(360)), (Some(2.0), Some(2_500)));
        assert_eq!((figures.latency_p50_ms, figures.sizes.len()), (Some(80), 2));
    }

    #[test]
    fn the_statistics_of_a_page_are_read() {
        let json =
            r#"{"frames": [[300.5, 320, 180, null]], "stats": [{"kind": "video", "freezeCount": 2, "other": "x"}]}"#;
        let measured: Measured = serde_json::from_str(json).expect("a result");
        assert_eq!((measured.frames[0].3, measured.stats[0].freeze_count), (None, 2));
    }
}
