//! A thread that works for several tracks in turn. A track whose work panics is dropped, and the others continue.

use media::{Notify, Panicked, catch_panic};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Instant;

/// Work that arrives over time and is done on one thread.
pub trait Job: Send {
    /// From now on, notifies `notify` whenever there is work.
    fn notify_on(&mut self, notify: Notify);
    /// Does the next piece of work.
    fn step(&mut self) -> Progress;
    /// Reports that a step has panicked. The job is dropped after it.
    fn failed(&mut self, panicked: &Panicked);
}

/// The result of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Some work was done. There may be more.
    Worked,
    /// There is no work until the next notification.
    Idle,
    /// There is no work until the next notification or this time.
    WaitUntil(Instant),
    /// There will never be more work, so the job is dropped.
    Ended,
}

/// A named thread with its jobs. Dropping it stops the thread after the current step.
pub struct Worker {
    inbox: Arc<Mutex<Vec<Counted>>>,
    notify: Notify,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    load: Arc<AtomicUsize>,
}

/// A job that is counted in the load of its worker until it is dropped.
struct Counted {
    job: Box<dyn Job>,
    load: Arc<AtomicUsize>,
}

impl Counted {
    fn new(job: Box<dyn Job>, load: Arc<AtomicUsize>) -> Self {
        load.fetch_add(1, Ordering::AcqRel);
        Self { job, load }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.load.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Worker {
    /// Starts a thread called `name`.
    ///
    /// # Errors
    /// Returns the system's error if the thread cannot be started.
    pub fn start(name: &str) -> io::Result<Self> {
        let (inbox, notify, stop) = (Arc::default(), Notify::new(), Arc::new(AtomicBool::new(false)));
        let run =
            WorkerLoop { inbox: Arc::clone(&inbox), notify: notify.clone(), stop: Arc::clone(&stop), jobs: Vec::new() };
        let thread = Builder::new().name(name.into()).spawn(move || run.run())?;
        Ok(Self { inbox, notify, stop, thread: Some(thread), load: Arc::default() })
    }

    /// Adds a job to the thread.
    pub fn add(&mut self, job: Box<dyn Job>) {
        let job = Counted::new(job, Arc::clone(&self.load));
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner).push(job);
        self.notify.notify();
    }

    /// Returns the number of jobs that have not ended.
    pub fn load(&self) -> usize {
        self.load.load(Ordering::Acquire)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        self.notify.notify();
        if let Some(thread) = self.thread.take() {
            // The thread catches the panics of its jobs. Only a panic while a job reports its failure ends it.
            let _ = thread.join();
        }
    }
}

struct WorkerLoop {
    inbox: Arc<Mutex<Vec<Counted>>>,
    notify: Notify,
    stop: Arc<AtomicBool>,
    jobs: Vec<Counted>,
}

impl WorkerLoop {
    fn run(mut self) {
        while !self.stop.load(Ordering::Acquire) {
            self.take_new_jobs();
            let (mut worked, mut deadline) = (false, None::<Instant>);
            self.jobs.retain_mut(|counted| {
                let progress = step(counted.job.as_mut());
                match progress {
                    Progress::Worked => worked = true,
                    Progress::WaitUntil(time) => deadline = Some(deadline.map_or(time, |other| other.min(time))),
                    Progress::Idle | Progress::Ended => {}
                }
                progress != Progress::Ended
            });
            match deadline {
                _ if worked => {}
                // At the deadline there is work.
                Some(deadline) => _ = self.notify.wait_until(deadline),
                None => self.notify.wait(),
            }
        }
    }

    fn take_new_jobs(&mut self) {
        let mut inbox = self.inbox.lock().unwrap_or_else(PoisonError::into_inner);
        for mut counted in inbox.drain(..) {
            counted.job.notify_on(self.notify.clone());
            self.jobs.push(counted);
        }
    }
}

/// Does a step of a job, and ends the job if it panics.
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

    /// A job that ends at its first step, after a message.
    struct Waits(mpsc::Receiver<()>);

    impl Job for Waits {
        fn notify_on(&mut self, _: Notify) {}
        fn step(&mut self) -> Progress {
            self.0.recv().unwrap();
            Progress::Ended
        }
        fn failed(&mut self, panicked: &Panicked) {
            panic!("{panicked}");
        }
    }

    /// A job that waits for a time, and then ends.
    struct WaitsUntil(Instant, mpsc::SyncSender<Instant>);

    impl Job for WaitsUntil {
        fn notify_on(&mut self, _: Notify) {}
        fn step(&mut self) -> Progress {
            let now = Instant::now();
            if now < self.0 {
                return Progress::WaitUntil(self.0);
            }
            self.1.send(now).unwrap();
            Progress::Ended
        }
        fn failed(&mut self, panicked: &Panicked) {
            panic!("{panicked}");
        }
    }

    /// A job that panics at its first step, and reports it.
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
    fn a_job_that_panics_is_reported_once_and_the_others_continue() {
        let ((done, steps), (failures, failed)) = (mpsc::sync_channel(100), mpsc::sync_channel(100));
        let mut worker = Worker::start("test").unwrap();
        worker.add(Box::new(Broken(failures)));
        assert_eq!(failed.recv().unwrap(), "panicked: out of range");
        worker.add(Box::new(Count { left: 3, done }));
        assert_eq!(steps.iter().collect::<Vec<_>>(), [2, 1, 0]);
        assert!(failed.recv().is_err(), "the job is dropped");
    }

    #[test]
    fn a_job_runs_again_at_the_time_for_which_it_waits() {
        let (done, ended) = mpsc::sync_channel(2);
        let mut worker = Worker::start("test").unwrap();
        let now = Instant::now();
        let [first, second] = [10, 30].map(|ms| now + std::time::Duration::from_millis(ms));
        worker.add(Box::new(WaitsUntil(second, done.clone())));
        worker.add(Box::new(WaitsUntil(first, done)));
        assert!(ended.recv().unwrap() >= first && ended.recv().unwrap() >= second);
    }

    #[test]
    fn jobs_run_in_turn_and_end() {
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

    #[test]
    fn a_job_that_has_ended_is_not_in_the_load() {
        let ((done, steps), (failures, failed)) = (mpsc::sync_channel(100), mpsc::sync_channel(100));
        let mut worker = Worker::start("test").unwrap();
        let (go, wait) = mpsc::sync_channel(1);
        worker.add(Box::new(Waits(wait)));
        worker.add(Box::new(Count { left: 1, done }));
        worker.add(Box::new(Broken(failures)));
        assert_eq!(worker.load(), 3, "the first job has not ended");
        go.send(()).unwrap();
        // Both ends are closed when the jobs are dropped.
        assert_eq!((steps.iter().count(), failed.iter().count()), (1, 1));
        assert_eq!(worker.load(), 0);
    }
}
