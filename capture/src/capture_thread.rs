//! The thread that opens and reads a source.

use crate::{Error, Format, Source, Stop};
use media::{Frame, Mailbox, Pool, catch_panic};
use std::io;
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

/// An event of a [`CaptureThread`], delivered on its thread.
pub enum Report {
    /// The source is open; frames follow.
    Opened {
        /// The name shown to users.
        name: String,
        /// The format of its frames.
        format: Format,
    },
    /// The frames have another format from now on.
    Changed(Format),
    /// The next frame.
    Frame(Frame),
    /// The source could not be opened, ended, or panicked. No event follows.
    Failed(Error),
}

/// Opens a source. Called on the thread of the [`CaptureThread`].
pub type Open = Box<dyn FnOnce() -> Result<Box<dyn Source>, Error> + Send>;

/// A running source. Drop requests the stop and joins the thread, which closes the device after its current frame. If
/// the device delivers nothing for two seconds, drop returns and leaves the thread running; the thread closes the
/// device and ends when the driver returns.
pub struct CaptureThread {
    stop: Stop,
    /// Closed when the thread ends. It never holds a value.
    ended: Mailbox<()>,
    thread: Option<JoinHandle<()>>,
}

impl CaptureThread {
    /// Starts a thread called `name`, opens a source on it and calls `on_report` for each event. `on_report` must
    /// return quickly, because it delays the next frame.
    ///
    /// # Errors
    /// Returns an error if the thread cannot be started. A source that does not open is a [`Report::Failed`].
    pub fn start(name: &str, open: Open, mut on_report: Box<dyn FnMut(Report) + Send>) -> io::Result<Self> {
        let stop = Stop::new();
        let stop_request = stop.clone();
        let ended = Mailbox::new();
        let guard = CloseOnDrop(ended.clone());
        let device = name.to_owned();
        let thread = Builder::new().name(name.into()).spawn(move || {
            let _guard = guard;
            let result = catch_panic(|| run(open, &stop_request, &mut on_report));
            let result = result.unwrap_or_else(|panicked| Err(Error::Failed { name: device, source: panicked.into() }));
            if let Err(error) = result
                && !stop_request.is_requested()
            {
                on_report(Report::Failed(error));
            }
        })?;
        Ok(Self { stop, ended, thread: Some(thread) })
    }
}

impl Drop for CaptureThread {
    fn drop(&mut self) {
        self.stop.request();
        let Some(thread) = self.thread.take() else { return };
        let _ = self.ended.take_until(Instant::now() + CLOSE_TIMEOUT);
        if self.ended.is_closed() {
            // The thread catches the panics of its source. The panic hook logs a panic of `on_report`.
            let _ = thread.join();
        } else {
            tracing::warn!("the device does not respond; its thread keeps running");
        }
    }
}

/// Closes the mailbox when the thread ends, also after a panic.
struct CloseOnDrop(Mailbox<()>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.close();
    }
}

fn run(open: Open, stop: &Stop, on_report: &mut dyn FnMut(Report)) -> Result<(), Error> {
    let mut source = open()?;
    let pool = Pool::new(BUFFERS);
    let mut format = source.format();
    on_report(Report::Opened { name: source.name().to_owned(), format });
    while !stop.is_requested() {
        if let Some(frame) = source.next(&pool, stop)?
            && !stop.is_requested()
        {
            if frame.size() != format.size {
                format = Format { size: frame.size(), ..source.format() };
                on_report(Report::Changed(format));
            }
            on_report(Report::Frame(frame));
        }
    }
    Ok(())
}

/// Frame buffers: one being written, one for the encoder and one for the mailbox of each of three layers, one for the self-view, one
/// that a source keeps to deliver it again, and a spare.
const BUFFERS: usize = 10;
/// Twice the longest frame interval of a camera in the dark.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe;
    use std::sync::mpsc::sync_channel;

    #[test]
    fn a_source_is_opened_read_and_dropped_on_its_own_thread() {
        let (probe, log) = probe::open(3);
        let (sender, reports) = sync_channel(16);
        let open: Open = Box::new(move || Ok(probe()));
        let thread = CaptureThread::start("probe", open, Box::new(move |report| sender.send(report).unwrap())).unwrap();
        let frames = reports.iter().filter(|report| matches!(report, Report::Frame(_))).count();
        drop(thread);
        assert_eq!(frames, 3);
        let log = log.lock().unwrap();
        assert!(log.iter().all(|(_, thread)| thread.as_deref() == Some("probe")), "{log:?}");
        assert_eq!(log.first().map(|(what, _)| *what), Some("open"));
        assert_eq!(log.last().map(|(what, _)| *what), Some("drop"));
    }

    /// A device whose `next` blocks until `unblock` is closed. It closes `called` when `next` is called.
    struct Blocked {
        called: Mailbox<()>,
        unblock: Mailbox<()>,
        closed: Mailbox<()>,
    }

    impl Source for Blocked {
        fn name(&self) -> &'static str {
            "blocked"
        }

        fn format(&self) -> Format {
            Format { size: media::Size::new(32, 32), rate: media::FrameRate::THIRTY }
        }

        fn next(&mut self, _: &Pool, _: &Stop) -> Result<Option<Frame>, Error> {
            self.called.close();
            let _ = self.unblock.take();
            Err(Error::Lost { name: self.name().into() })
        }
    }

    impl Drop for Blocked {
        fn drop(&mut self) {
            self.closed.close();
        }
    }

    #[test]
    fn a_blocked_device_does_not_delay_drop_and_is_closed_later() {
        let (called, unblock, closed) = (Mailbox::new(), Mailbox::new(), Mailbox::new());
        let blocked = Blocked { called: called.clone(), unblock: unblock.clone(), closed: closed.clone() };
        let (sender, reports) = sync_channel(4);
        let open: Open = Box::new(move || Ok(Box::new(blocked)));
        let thread =
            CaptureThread::start("blocked", open, Box::new(move |report| sender.send(report).unwrap())).unwrap();
        assert!(matches!(reports.recv(), Ok(Report::Opened { .. })));
        let _ = called.take();
        drop(thread);
        assert!(!closed.is_closed(), "the device is still blocked");
        unblock.close();
        let _ = closed.take();
        assert!(reports.recv().is_err(), "no event follows the drop");
    }

    /// A source that panics when a frame is requested.
    struct Panics;

    impl Source for Panics {
        fn name(&self) -> &'static str {
            "panics"
        }

        fn format(&self) -> Format {
            Format { size: media::Size::new(32, 32), rate: media::FrameRate::THIRTY }
        }

        fn next(&mut self, _: &Pool, _: &Stop) -> Result<Option<Frame>, Error> {
            panic!("out of range")
        }
    }

    #[test]
    fn a_source_that_panics_ends_in_a_report() {
        let (sender, reports) = sync_channel(2);
        let open: Open = Box::new(|| Ok(Box::new(Panics)));
        let report = Box::new(move |report| sender.send(report).unwrap());
        let _thread = CaptureThread::start("broken", open, report).unwrap();
        assert!(matches!(reports.recv(), Ok(Report::Opened { .. })));
        let Ok(Report::Failed(error)) = reports.recv() else { panic!("no report") };
        assert_eq!(error.to_string(), "broken failed: panicked: out of range");
    }

    /// A source whose second frame has another size.
    struct Turned(u64);

    impl Source for Turned {
        fn name(&self) -> &'static str {
            "turned"
        }

        fn format(&self) -> Format {
            Format { size: media::Size::new(32, 16), rate: media::FrameRate::THIRTY }
        }

        fn next(&mut self, pool: &Pool, _: &Stop) -> Result<Option<Frame>, Error> {
            self.0 += 1;
            let size = match self.0 {
                1 => media::Size::new(32, 16),
                2 | 3 => media::Size::new(16, 32),
                _ => return Err(Error::Lost { name: self.name().into() }),
            };
            let frame = pool.take(size).expect("a free buffer");
            Ok(Some(frame.freeze(self.0, media::Timestamp::default(), media::Colour::default())))
        }
    }

    #[test]
    fn another_size_is_reported_before_its_first_frame() {
        let (sender, reports) = sync_channel(8);
        let open: Open = Box::new(|| Ok(Box::new(Turned(0))));
        let _thread =
            CaptureThread::start("turned", open, Box::new(move |report| sender.send(report).unwrap())).unwrap();
        let sizes: Vec<_> = reports
            .iter()
            .filter_map(|report| match report {
                Report::Opened { format, .. } => Some(("opened", format.size.width)),
                Report::Changed(format) => Some(("changed", format.size.width)),
                Report::Frame(frame) => Some(("frame", frame.size().width)),
                Report::Failed(_) => None,
            })
            .collect();
        assert_eq!(sizes, [("opened", 32), ("frame", 32), ("changed", 16), ("frame", 16), ("frame", 16)]);
    }

    #[test]
    fn a_source_that_does_not_open_is_reported() {
        let (sender, reports) = sync_channel(1);
        let open: Open = Box::new(|| Err(Error::NotFound(None)));
        let _thread = CaptureThread::start("none", open, Box::new(move |report| sender.send(report).unwrap())).unwrap();
        assert!(matches!(reports.recv(), Ok(Report::Failed(Error::NotFound(None)))));
    }
}
