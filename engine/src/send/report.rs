//! The reports of a picture source's threads to their owner.

use capture::Format;
use codec::encode::Replacement;
use std::sync::Arc;

/// An event of a source or of one of its layers. It is reported on the thread where it happened.
#[derive(Debug)]
pub enum Report {
    /// The source is open. Nothing is sent before [`super::PictureSource::publish`].
    Opened(Format),
    /// The pictures have another format from now on. They are not sent before the next [`super::PictureSource::publish`].
    Changed(Format),
    /// The source could not be opened, or has stopped permanently.
    Failed(capture::Error),
    /// An encoder failed, and another one replaced it.
    EncoderReplaced(Replacement),
    /// A layer has no encoder left, or its thread panicked. The text is the reason. The layer is not sent any more, and
    /// the owner drops the source.
    TrackFailed(String),
}

/// Passes reports to the owner. Clones report to the same owner.
#[derive(Clone)]
pub struct Reporter {
    report: Arc<dyn Fn(Report) + Send + Sync>,
}

impl Reporter {
    /// Returns a reporter that calls `report`, on the thread of the reporting part. `report` may wait a little.
    pub fn new(report: impl Fn(Report) + Send + Sync + 'static) -> Self {
        Self { report: Arc::new(report) }
    }

    /// Passes `report` to the owner.
    pub fn tell(&self, report: Report) {
        (self.report)(report);
    }
}
