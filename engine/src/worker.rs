//! A thread that serves several tracks in turn. A track whose work panics is dropped; the others go on.

use media::{Notify, Panicked, catch_panic};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

/// Work that arrives over time and is done on one thread.
pub trait Job: Send {
    /// Notifies `notify` whenever there is something to do, from now on.
    fn notify_on(&mut self, notify: Notify);
    /// Does the next piece of work.
    fn step(&mut self) -> Progress;
    /// Reports that a step has panicked. The job is dropped after it.
    fn failed(&mut self, panicked: &Panicked);
}

/// The result of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Something was done; there may be more.
    Worked,
    /// There is nothing to do until the next notification.
    Idle,
    /// There will never be anything to do again: the job is dropped.
    Ended,
}

/// A named thread with its jobs. Dropping it stops the thread after the step it is in.
pub struct Worker {
    inbox: Arc<Mutex<Vec<Box<dyn Job>>>>,
    notify: Notify,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    jobs: usize,
}

impl Worker {
    /// Starts a thread called `name`.
    ///
    /// # Errors
    /// Returns the system's error if there is no thread left.
    pub fn start(name: &str) -> io::Result<Self> {
        let (inbox, notify, stop) = (Arc::default(), Notify::new(), Arc::new(AtomicBool::new(false)));
        let run = Run { inbox: Arc::clone(&inbox), notify: notify.clone(), stop: Arc::clone(&stop), jobs: Vec::new() };
        let thread = Builder::new().name(name.into()).spawn(move || run.run())?;
        Ok(Self { inbox, notify, stop, thread: Some(thread), jobs: 0 })
    }

    /// Gives the thread one more job.
    pub fn add(&mut self, job: Box<dyn Job>) {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner).push(job);
        self.jobs += 1;
        self.notify.notify();
    }

    /// How many jobs it was given so far.
    pub fn load(&self) -> usize {
        self.jobs
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        self.notify.notify();
        if let Some(thread) = self.thread.take() {
            // The thread catches the panics of its jobs; only a panic while one reports its failure ends it.
            let _ = thread.join();
        }
    }
}

struct Run {
    inbox: Arc<Mutex<Vec<Box<dyn Job>>>>,
    notify: Notify,
    stop: Arc<AtomicBool>,
    jobs: Vec<Box<dyn Job>>,
}

impl Run {
    fn run(mut self) {
        while !self.stop.load(Ordering::Acquire) {
            self.take_new_jobs();
            let mut worked = false;
            self.jobs.retain_mut(|job| {
                let progress = step(job.as_mut());
                worked |= progress == Progress::Worked;
                progress != Progress::Ended
            });
            if !worked {
                self.notify.wait();
            }
        }
    }

    fn take_new_jobs(&mut self) {
        let mut inbox = self.inbox.lock().unwrap_or_else(PoisonError::into_inner);
        for mut job in inbox.drain(..) {
            job.notify_on(self.notify.clone());
            self.jobs.push(job);
        }
    }
}

/// Lets a job work, and ends it if it panics.
fn step(job: &mut dyn Job) -> Progress {
    catch_panic(|| job.step()).unwrap_or_else(|panicked| {
        job.failed(&panicked);
        Progress::Ended
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    struct Count {
        left: u32,
        done: mpsc::SyncSender<u32>,
    }

    impl Job for Count {
        fn notify_on(&mut self, notify: Notify) {
            notify.notify();
        }
        fn step(&mut self) -> Progress {
            if self.left == 0 {
                return Progress::Ended;
            }
            self.left -= 1;
            self.done.send(self.left).unwrap();
            Progress::Worked
        }
        fn failed(&mut self, panicked: &Panicked) {
            panic!("{panicked}");
        }
    }

    /// Panics at its first step, and says so.
    struct Broken(mpsc::SyncSender<String>);

    impl Job for Broken {
        fn notify_on(&mut self, _: Notify) {}
        fn step(&mut self) -> Progress {
            panic!("out of range")
        }
        fn failed(&mut self, panicked: &Panicked) {
            self.0.send(panicked.to_string()).unwrap();
        }
    }

    #[test]
    fn a_job_that_panics_is_reported_once_and_the_others_go_on() {
        let ((done, steps), (failures, failed)) = (mpsc::sync_channel(100), mpsc::sync_channel(100));
        let mut worker = Worker::start("test").unwrap();
        worker.add(Box::new(Broken(failures)));
        assert_eq!(failed.recv().unwrap(), "panicked: out of range");
        worker.add(Box::new(Count { left: 3, done }));
        assert_eq!(steps.iter().collect::<Vec<_>>(), [2, 1, 0]);
        assert!(failed.recv().is_err(), "the job is dropped");
    }

    #[test]
    fn jobs_take_turns_and_end() {
        let (done, steps) = mpsc::sync_channel(100);
        let mut worker = Worker::start("test").unwrap();
        for left in [3, 2] {
            worker.add(Box::new(Count { left, done: done.clone() }));
        }
        drop(done);
        let mut seen: Vec<u32> = steps.iter().collect();
        seen.sort_unstable();
        assert_eq!(seen, [0, 0, 1, 1, 2]);
    }
}
