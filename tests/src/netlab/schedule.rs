//! Applies the changes of a link at their times, on a thread.

use super::{Error, LinkChange};
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};
use std::time::Instant;

/// A running schedule. Drop stops it.
pub struct LinkSchedule {
    /// The thread ends when it is dropped.
    stop: Option<SyncSender<()>>,
    thread: Option<JoinHandle<Result<(), Error>>>,
}

impl LinkSchedule {
    /// Starts to apply `changes`, which are in the order of their times. The times count from now.
    ///
    /// # Errors
    /// Returns the system's error if the thread cannot be started.
    pub fn start(
        changes: Vec<LinkChange>,
        apply: impl Fn(&LinkChange) -> Result<(), Error> + Send + 'static,
    ) -> io::Result<Self> {
        let (stop, stopped) = sync_channel(1);
        let run = move || run(&changes, Instant::now(), &stopped, &apply);
        let thread = Builder::new().name("schedule".into()).spawn(run)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }

    /// Stops. Later changes are not applied.
    ///
    /// # Errors
    /// Returns the error of the first change that failed.
    pub fn stop(mut self) -> Result<(), Error> {
        self.stop = None;
        let joined = self.thread.take().map(JoinHandle::join);
        joined.unwrap_or(Ok(Ok(()))).unwrap_or_else(|_| Err(io::Error::other("the schedule panicked").into()))
    }
}

impl Drop for LinkSchedule {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // The caller drops the schedule because it does not need the result.
            let _ = thread.join();
        }
    }
}

fn run(
    changes: &[LinkChange],
    start: Instant,
    stopped: &Receiver<()>,
    apply: &impl Fn(&LinkChange) -> Result<(), Error>,
) -> Result<(), Error> {
    for change in changes {
        match stopped.recv_timeout((start + change.at).saturating_duration_since(Instant::now())) {
            Err(RecvTimeoutError::Timeout) => apply(change)?,
            Ok(()) | Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlab::NetworkSpec;

    fn changes(text: &str) -> Vec<LinkChange> {
        text.parse::<NetworkSpec>().expect("a specification").changes
    }

    #[test]
    fn changes_are_applied_at_their_times_and_not_after_the_stop() {
        let (applied, times) = sync_channel(4);
        let start = Instant::now();
        let apply = move |change: &LinkChange| {
            applied.send((change.at, start.elapsed())).expect("a reader");
            Ok(())
        };
        let schedule = LinkSchedule::start(changes("down=1M@10ms,2M@60ms,3M@999s"), apply).expect("a thread");
        for ms in [10, 60] {
            let (at, elapsed) = times.recv().expect("a change");
            assert_eq!(at.as_millis(), ms);
            assert!(elapsed >= at, "{elapsed:?}");
        }
        schedule.stop().expect("no change failed");
        assert!(times.recv().is_err());
    }

    #[test]
    fn a_change_that_fails_is_reported() {
        let (failing, failed) = sync_channel(4);
        let apply = move |_: &LinkChange| {
            failing.send(()).expect("a reader");
            Err(Error::NotPermitted("no".into()))
        };
        let schedule = LinkSchedule::start(changes("down=1M@1ms,2M@2ms"), apply).expect("a thread");
        failed.recv().expect("the first change");
        assert!(matches!(schedule.stop(), Err(Error::NotPermitted(_))));
        assert!(failed.recv().is_err(), "nothing is applied after a failure");
    }
}
