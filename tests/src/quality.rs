//! Compares shown pictures with the clips that the senders' cameras play.
//!
//! [`QualityProbe`] keeps some of the pictures that pass it. They are compared by frame number, after the meeting:
//! decoding the clips takes seconds.

use crate::psnr;
use anyhow::{Context, Result};
use capture::file::Clip;
use codec::decode::Picture;
use codec::scale::Scaler;
use engine::{Meta, Slot, TrackId, VideoOutput, VideoSink};
use media::{Colour, Frame, Plane, PlaneRef, Pool, Size, Timestamp};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How similar shown pictures are to their source.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quality {
    /// Mean peak signal-to-noise ratio of luma in decibels, against the source scaled to the shown size.
    pub mean_db: f64,
    /// The lowest ratio of a picture.
    pub worst_db: f64,
    /// The number of compared pictures.
    pub pictures: usize,
}

/// A shown picture.
pub struct Sample {
    /// The source's number of the picture.
    pub number: u64,
    /// Width and height.
    pub size: Size,
    /// The luma plane, without padding.
    pub luma: Vec<u8>,
}

/// Keeps some of the pictures that another output shows.
#[derive(Clone)]
pub struct QualityProbe {
    output: Arc<dyn VideoOutput>,
    /// The clip that each participant's camera plays, by name.
    clips: BTreeMap<String, PathBuf>,
    samples: Arc<Mutex<BTreeMap<String, Vec<Sample>>>>,
}

impl QualityProbe {
    /// Keeps pictures that `output` shows. `clips` are the files that the cameras play, by the participants' names.
    #[must_use]
    pub fn new(output: Arc<dyn VideoOutput>, clips: BTreeMap<String, PathBuf>) -> Self {
        Self { output, clips, samples: Arc::default() }
    }

    /// The quality of each participant's pictures so far, by name. Decodes the clips.
    ///
    /// # Errors
    /// Returns an error if a clip cannot be read, or if no picture of a participant was kept.
    pub fn qualities(&self) -> Result<BTreeMap<String, Quality>> {
        let mut samples = std::mem::take(&mut *self.samples.lock().unwrap_or_else(PoisonError::into_inner));
        let compare_all = |(name, path): (&String, &PathBuf)| {
            let quality = compare(path, samples.remove(name).unwrap_or_default())?;
            Ok((name.clone(), quality.with_context(|| format!("no picture of {name} was kept"))?))
        };
        self.clips.iter().map(compare_all).collect()
    }
}

impl VideoOutput for QualityProbe {
    fn open(&self, track: TrackId, name: &str) -> Box<dyn VideoSink> {
        let sink = self.output.open(track, name);
        if track.slot != Slot::Camera || !self.clips.contains_key(name) {
            return sink;
        }
        Box::new(Sampler { sink, name: name.into(), samples: Arc::clone(&self.samples), last: None })
    }

    fn own(&self, frame: Frame) {
        self.output.own(frame);
    }
}

struct Sampler {
    sink: Box<dyn VideoSink>,
    name: String,
    samples: Arc<Mutex<BTreeMap<String, Vec<Sample>>>>,
    last: Option<Instant>,
}

impl VideoSink for Sampler {
    fn show(&mut self, picture: &Picture<'_>, meta: Meta) {
        self.sink.show(picture, meta);
        if self.last.is_some_and(|last| last.elapsed() < INTERVAL) {
            return;
        }
        self.last = Some(Instant::now());
        let luma = picture.planes[0].rows().flatten().copied().collect();
        let sample = Sample { number: meta.number, size: picture.size, luma };
        let mut samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        samples.entry(self.name.clone()).or_default().push(sample);
    }
}

/// Compares pictures with the clip at `path`, which a file camera plays in a loop. Returns `None` without pictures.
///
/// # Errors
/// Returns an error if the clip cannot be read.
pub fn compare(path: &Path, samples: Vec<Sample>) -> Result<Option<Quality>, capture::Error> {
    let mut clip = Clip::open(path)?;
    let length = clip.len().max(1);
    let mut by_frame: BTreeMap<u64, Vec<Sample>> = BTreeMap::new();
    for sample in samples {
        by_frame.entry(sample.number % length).or_default().push(sample);
    }
    let (mut ratios, mut scaler) = (Vec::new(), Scaler::new());
    clip.frames(&mut |index, frame| {
        for sample in by_frame.remove(&index).into_iter().flatten() {
            ratios.extend(ratio(&mut scaler, frame, &sample));
        }
        if by_frame.is_empty() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    Ok(quality(&ratios))
}

fn ratio(scaler: &mut Scaler, source: &Frame, sample: &Sample) -> Option<f64> {
    let mut target = Pool::new(1).take(sample.size)?;
    scaler.scale(source, &mut target);
    let truth = target.freeze(0, Timestamp::default(), Colour::default());
    let shown = PlaneRef { data: &sample.luma, stride: usize::from(sample.size.width), size: sample.size };
    psnr::of(truth.plane(Plane::Y), shown)
}

fn quality(ratios: &[f64]) -> Option<Quality> {
    let worst_db = ratios.iter().copied().reduce(f64::min)?;
    #[expect(clippy::cast_precision_loss, reason = "a few hundred pictures")]
    let mean_db = ratios.iter().sum::<f64>() / ratios.len() as f64;
    Some(Quality { mean_db, worst_db, pictures: ratios.len() })
}

/// The time between two kept pictures of a track.
const INTERVAL: Duration = Duration::from_millis(500);
