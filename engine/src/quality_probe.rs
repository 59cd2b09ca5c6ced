//! A screen that keeps evidence: what a client showed, when, and how near it came to the source.
//!
//! Wraps another screen, or stands alone where there is no window.

mod dump;
mod sample;

pub use sample::Quality;

use crate::video_output::{Meta, VideoOutput, VideoSink};
use codec::decode::Picture;
use dump::{Dump, Names};
use media::{Clock, Frame, FrameRate};
use proto::{Slot, TrackId};
use sample::Sampler;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// What is kept.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// A folder for every shown picture: `NAME.y4m` and `NAME.csv` for each remote camera. Whoever comes later under the
    /// same name, or comes back, has `NAME-2.y4m`, and so on.
    pub dump: Option<PathBuf>,
    /// The file that somebody's camera plays, by name: some pictures are kept and compared with it at the end.
    pub sources: BTreeMap<String, PathBuf>,
}

/// See the module.
pub struct QualityProbe {
    inner: Option<Arc<dyn VideoOutput>>,
    evidence: Evidence,
    clock: Clock,
    samples: Samples,
    names: Names,
}

type Samples = Arc<Mutex<BTreeMap<TrackId, (PathBuf, Sampler)>>>;

impl QualityProbe {
    /// Keeps `evidence` of all that goes to `inner`. Times are those of `clock`.
    #[must_use]
    pub fn new(inner: Option<Arc<dyn VideoOutput>>, evidence: Evidence, clock: Clock) -> Self {
        Self { inner, evidence, clock, samples: Arc::default(), names: Names::default() }
    }

    /// How near the kept pictures came to their sources. Reads the source files once: takes seconds, to be called when
    /// the meeting is over.
    #[must_use]
    pub fn qualities(&self) -> BTreeMap<TrackId, Quality> {
        let samples = std::mem::take(&mut *self.samples.lock().unwrap_or_else(PoisonError::into_inner));
        let judge = |(track, (path, sampler)): (TrackId, (PathBuf, Sampler))| match sampler.judge(&path) {
            Ok(quality) => Some((track, quality?)),
            Err(error) => {
                tracing::warn!(%error, "source not compared");
                None
            }
        };
        samples.into_iter().filter_map(judge).collect()
    }
}

impl VideoOutput for QualityProbe {
    fn open(&self, track: TrackId, name: &str) -> Box<dyn VideoSink> {
        let source = self.evidence.sources.get(name).filter(|_| track.slot == Slot::Camera);
        let samples = source.map(|path| {
            let mut samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
            samples.entry(track).or_insert_with(|| (path.clone(), Sampler::default()));
            Arc::clone(&self.samples)
        });
        let suffix = if track.slot == Slot::Screen { "-screen" } else { "" };
        let name_it = |folder: &PathBuf| Dump::new(folder, &format!("{name}{suffix}"), self.names.clone(), DUMP_RATE);
        let dump = self.evidence.dump.as_ref().map(name_it);
        let inner = self.inner.as_ref().map(|inner| inner.open(track, name));
        Box::new(Watched { inner, dump, samples, track, clock: self.clock })
    }

    fn own(&self, frame: Frame) {
        if let Some(inner) = &self.inner {
            inner.own(frame);
        }
    }
}

struct Watched {
    inner: Option<Box<dyn VideoSink>>,
    dump: Option<Dump>,
    samples: Option<Samples>,
    track: TrackId,
    clock: Clock,
}

impl VideoSink for Watched {
    fn show(&mut self, picture: &Picture<'_>, meta: Meta) {
        if let Some(inner) = &mut self.inner {
            inner.show(picture, meta);
        }
        let shown = self.clock.now();
        if let Some(dump) = &mut self.dump {
            dump.add(picture, meta, shown);
        }
        if let Some(samples) = &self.samples {
            let mut samples = samples.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((_, sampler)) = samples.get_mut(&self.track) {
                sampler.look(picture, meta, shown);
            }
        }
    }
}

/// The rate that a dump's header names: pictures stand as they were shown, and the side file has their times.
const DUMP_RATE: FrameRate = FrameRate::THIRTY;
