//! The reports of a picture source's threads to their owner.

use capture::Format;
use codec::encode::Replacement;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// An event of a source or of one of its layers. It is reported on the thread where it happened.
#[derive(Debug)]
pub enum Report {
    /// The source is open. Nothing is sent before [`super::PictureSource::publish`].
    Opened(Format),
    /// The source could not be opened, or has stopped permanently.
    Failed(capture::Error),
    /// An encoder failed, and another one replaced it.
    EncoderReplaced(Replacement),
    /// A layer has no encoder left, or its thread panicked. The text is the reason. The layer is not sent any more, and
    /// the owner drops the source.
    TrackFailed(String),
    /// This machine is too slow to encode a layer, so its highest temporal layer is omitted. This is reported at most
    /// once.
    Overloaded,
}

/// Passes reports to the owner. Clones report to the same owner.
#[derive(Clone)]
pub struct Reporter {
    report: Arc<dyn Fn(Report) + Send + Sync>,
    overload_reported: Arc<AtomicBool>,
}

impl Reporter {
    /// Returns a reporter that calls `report`, on the thread of the reporting part. `report` may wait a little.
    pub fn new(report: impl Fn(Report) + Send + Sync + 'static) -> Self {
        Self { report: Arc::new(report), overload_reported: Arc::default() }
    }

    /// Passes `report` to the owner.
    pub fn tell(&self, report: Report) {
        (self.report)(report);
    }

    /// Reports [`Report::Overloaded`], the first time only.
    pub fn tell_overloaded(&self) {
        if !self.overload_reported.swap(true, Ordering::AcqRel) {
            self.tell(Report::Overloaded);
        }
    }
}
