//! Writes everything that a client shows into files (`--dump`).

mod track_files;

use crate::video_output::{Meta, VideoOutput, VideoSink};
use codec::decode::Picture;
use media::{Clock, Frame};
use proto::{Slot, TrackId};
use std::path::PathBuf;
use std::sync::Arc;
use track_files::{Names, TrackFiles};

/// Writes each picture into a folder after another output has shown it.
///
/// For each remote camera there are `NAME.y4m` and `NAME.csv`, for each shared screen `NAME-screen.y4m` and
/// `NAME-screen.csv`. If two participants have the same name, or one joins again, the later files are `NAME-2.y4m` and
/// so on.
pub struct Dump {
    output: Arc<dyn VideoOutput>,
    folder: PathBuf,
    clock: Clock,
    names: Names,
}

impl Dump {
    /// Writes into `folder` what `output` shows. Times are those of `clock`.
    #[must_use]
    pub fn new(output: Arc<dyn VideoOutput>, folder: PathBuf, clock: Clock) -> Self {
        Self { output, folder, clock, names: Names::default() }
    }
}

impl VideoOutput for Dump {
    fn open(&self, track: TrackId, name: &str) -> Box<dyn VideoSink> {
        let suffix = if track.slot == Slot::Screen { "-screen" } else { "" };
        let files = TrackFiles::new(&self.folder, name, suffix, self.names.clone());
        Box::new(DumpSink { sink: self.output.open(track, name), files, clock: self.clock })
    }

    fn own(&self, frame: Frame) {
        self.output.own(frame);
    }
}

struct DumpSink {
    sink: Box<dyn VideoSink>,
    files: TrackFiles,
    clock: Clock,
}

impl VideoSink for DumpSink {
    fn show(&mut self, picture: &Picture<'_>, meta: Meta) {
        self.sink.show(picture, meta);
        self.files.add(picture, meta, self.clock.now());
    }
}
