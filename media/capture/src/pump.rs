//! The thread on which a source lives.

use crate::{Error, Format, Source, Stop};
use media::{Frame, Pool};
use std::io;
use std::thread::{Builder, JoinHandle};

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

/// A running source. Dropping it closes the device and joins the thread, at most one picture later.
pub struct Pump {
    stop: Stop,
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
        let thread = Builder::new().name(name.into()).spawn(move || {
            if let Err(error) = run(open, &order, &mut on) {
                on(Report::Failed(error));
            }
        })?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        self.stop.give();
        if let Some(thread) = self.thread.take() {
            // A source that panicked has been logged by the panic hook; there is nothing left to close.
            let _ = thread.join();
        }
    }
}

fn run(open: Open, stop: &Stop, on: &mut dyn FnMut(Report)) -> Result<(), Error> {
    let mut source = open()?;
    let pool = Pool::new(BUFFERS);
    on(Report::Opened { name: source.name().to_owned(), format: source.format() });
    while !stop.is_given() {
        if let Some(frame) = source.next(&pool, stop)? {
            on(Report::Frame(frame));
        }
    }
    Ok(())
}

/// One being written, one for each layer's encoder and mailbox, one for the self-view, and one to spare.
const BUFFERS: usize = 9;

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

    #[test]
    fn a_source_that_does_not_open_is_told() {
        let (sender, reports) = sync_channel(1);
        let open: Open = Box::new(|| Err(Error::NotFound(None)));
        let _pump = Pump::start("none", open, Box::new(move |report| sender.send(report).unwrap())).unwrap();
        assert!(matches!(reports.recv(), Ok(Report::Failed(Error::NotFound(None)))));
    }
}
