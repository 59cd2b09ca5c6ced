//! What the threads of a picture source report to their owner.

use capture::Format;
use codec::encode::Replacement;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What happened to a source or to one of its layers. Comes on the thread that it happened on.
#[derive(Debug)]
pub enum Report {
    /// The source is open. Nothing is sent before [`super::Pictures::publish`].
    Opened(Format),
    /// The source could not be opened, or has stopped for good.
    Failed(capture::Error),
    /// An encoder failed, and another one took over.
    EncoderReplaced(Replacement),
    /// A layer has no encoder left, or its thread panicked; the text is the reason. The layer is not sent any more: the owner
    /// drops the source.
    TrackFailed(String),
    /// This machine is too slow to encode a layer, which has lost its highest temporal layer. Comes at most once.
    Overloaded,
}

/// Passes reports on. Clones report to the same owner.
#[derive(Clone)]
pub struct Reporter {
    report: Arc<dyn Fn(Report) + Send + Sync>,
    overload_told: Arc<AtomicBool>,
}

impl Reporter {
    /// A reporter that calls `report`, on the thread of the reporting part. `report` may wait a little.
    pub fn new(report: impl Fn(Report) + Send + Sync + 'static) -> Self {
        Self { report: Arc::new(report), overload_told: Arc::default() }
    }

    /// Passes `report` on.
    pub fn tell(&self, report: Report) {
        (self.report)(report);
    }

    /// Reports [`Report::Overloaded`], the first time only.
    pub fn tell_overloaded(&self) {
        if !self.overload_told.swap(true, Ordering::AcqRel) {
            self.tell(Report::Overloaded);
        }
    }
}
