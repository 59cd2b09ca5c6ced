//! A thread that only waits. How late it wakes shows how busy the machine is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub struct Pulse {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Duration>,
}

impl Pulse {
    pub fn start() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let wait = move || {
            let mut worst = Duration::ZERO;
            while !stopped.load(Ordering::Relaxed) {
                let due = Instant::now() + PERIOD;
                std::thread::park_timeout(PERIOD);
                worst = worst.max(due.elapsed());
            }
            worst
        };
        let thread = std::thread::Builder::new().name("pulse".into()).spawn(wait).unwrap();
        Self { stop, thread }
    }

    /// Returns the longest delay of a wake-up.
    pub fn stop(self) -> Duration {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

const PERIOD: Duration = Duration::from_millis(10);
