//! The thread on which a source lives.

use crate::{Error, Format, Source, Stop};
use media::{Frame, Mailbox, Pool, catch_panic};
use std::io;
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

/// What a pump tells, on its own thread.
pub enum Report {
    /// The source is open; pictures follow.
    Opened {
        /// What people call it.
        name: String,
        /// What it delivers.
        format: Format,
    },
    /// The next picture.
    Frame(Frame),
    /// It could not be opened, or will never deliver again. Nothing follows.
    Failed(Error),
}

/// Opens a source; runs on the pump's thread.
pub type Open = Box<dyn FnOnce() -> Result<Box<dyn Source>, Error> + Send>;

/// A running source. Dropping it closes the device and joins the thread, one picture later. A device that gives no picture
/// for two seconds is left behind with its thread, which closes it and ends whenever it answers: nobody waits for a driver.
pub struct Pump {
    stop: Stop,
    /// Closed when the thread has ended; nothing is ever put in.
    ended: Mailbox<()>,
    thread: Option<JoinHandle<()>>,
}

impl Pump {
    /// Starts a thread called `name`, opens a source there, and passes on what comes of it. `on` must not wait for long:
    /// the next picture waits behind it.
    ///
    /// # Errors
    /// Where the system has no thread left. A source that does not open is a [`Report::Failed`].
    pub fn start(name: &str, open: Open, mut on: Box<dyn FnMut(Report) + Send>) -> io::Result<Self> {
        let stop = Stop::new();
        let order = stop.clone();
        let ended = Mailbox::new();
        let end = End(ended.clone());
        let device = name.to_owned();
        let thread = Builder::new().name(name.into()).spawn(move || {
            let _end = end;
            let result = catch_panic(|| run(open, &order, &mut on));
            let result = result.unwrap_or_else(|panicked| Err(Error::Failed { name: device, source: panicked.into() }));
            if let Err(error) = result
                && !order.is_given()
            {
                on(Report::Failed(error));
            }
        })?;
        Ok(Self { stop, ended, thread: Some(thread) })
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        self.stop.give();
        let Some(thread) = self.thread.take() else { return };
        let _ = self.ended.take_until(Instant::now() + PATIENCE);
        if self.ended.is_closed() {
            // The thread catches the panics of its source. A panic of `on` is logged by the panic hook.
            let _ = thread.join();
        } else {
            tracing::warn!("a device does not answer: its thread is left behind");
        }
    }
}

/// Tells that a thread ends, also where it panics.
struct End(Mailbox<()>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.close();
    }
}

fn run(open: Open, stop: &Stop, on: &mut dyn FnMut(Report)) -> Result<(), Error> {
    let mut source = open()?;
    let pool = Pool::new(BUFFERS);
    on(Report::Opened { name: source.name().to_owned(), format: source.format() });
    while !stop.is_given() {
        if let Some(frame) = source.next(&pool, stop)?
            && !stop.is_given()
        {
            on(Report::Frame(frame));
        }
    }
    Ok(())
}

/// One being written, one for each layer's encoder and mailbox, one for the self-view, and one to spare.
const BUFFERS: usize = 9;
/// Twice what a camera takes for a picture in the dark.
const PATIENCE: Duration = Duration::from_secs(2);

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
        let pump = Pump::start("probe", open, Box::new(move |report| sender.send(report).unwrap())).unwrap();
        let frames = reports.iter().filter(|report| matches!(report, Report::Frame(_))).count();
        drop(pump);
        assert_eq!(frames, 3);
        let log = log.lock().unwrap();
        assert!(log.iter().all(|(_, thread)| thread.as_deref() == Some("probe")), "{log:?}");
        assert_eq!(log.first().map(|(what, _)| *what), Some("open"));
        assert_eq!(log.last().map(|(what, _)| *what), Some("drop"));
    }

    /// A device that has stopped without a word, until `answers` is closed. `asked` is closed once it is asked.
    struct Silent {
        asked: Mailbox<()>,
        answers: Mailbox<()>,
        closed: Mailbox<()>,
    }

    impl Source for Silent {
        fn name(&self) -> &'static str {
            "silent"
        }

        fn format(&self) -> Format {
            Format { size: media::Size::new(32, 32), rate: media::FrameRate::THIRTY }
        }

        fn next(&mut self, _: &Pool, _: &Stop) -> Result<Option<Frame>, Error> {
            self.asked.close();
            let _ = self.answers.take();
            Err(Error::Lost { name: self.name().into() })
        }
    }

    impl Drop for Silent {
        fn drop(&mut self) {
            self.closed.close();
        }
    }

    #[test]
    fn a_device_that_never_answers_holds_nobody_up_and_is_closed_when_it_does() {
        let (asked, answers, closed) = (Mailbox::new(), Mailbox::new(), Mailbox::new());
        let silent = Silent { asked: asked.clone(), answers: answers.clone(), closed: closed.clone() };
        let (sender, reports) = sync_channel(4);
        let open: Open = Box::new(move || Ok(Box::new(silent)));
        let pump = Pump::start("silent", open, Box::new(move |report| sender.send(report).unwrap())).unwrap();
        assert!(matches!(reports.recv(), Ok(Report::Opened { .. })));
        let _ = asked.take();
        drop(pump);
        assert!(!closed.is_closed(), "the device is still asleep");
        answers.close();
        let _ = closed.take();
        assert!(reports.recv().is_err(), "what comes after the end is told to nobody");
    }

    /// A source that panics when it is asked for a picture.
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
        let _pump = Pump::start("broken", open, Box::new(move |report| sender.send(report).unwrap())).unwrap();
        assert!(matches!(reports.recv(), Ok(Report::Opened { .. })));
        let Ok(Report::Failed(error)) = reports.recv() else { panic!("not told") };
        assert_eq!(error.to_string(), "broken failed: panicked: out of range");
    }

    #[test]
    fn a_source_that_does_not_open_is_told() {
        let (sender, reports) = sync_channel(1);
        let open: Open = Box::new(|| Err(Error::NotFound(None)));
        let _pump = Pump::start("none", open, Box::new(move |report| sender.send(report).unwrap())).unwrap();
        assert!(matches!(reports.recv(), Ok(Report::Failed(Error::NotFound(None)))));
    }
}
