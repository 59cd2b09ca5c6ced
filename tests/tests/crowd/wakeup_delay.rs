//! Measures how late a waiting thread wakes up, which shows how busy the machine is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A thread that only waits.
pub struct WakeupDelay {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Duration>,
}

impl WakeupDelay {
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
        let thread = std::thread::Builder::new().name("wakeup delay".into()).spawn(wait).unwrap();
        Self { stop, thread }
    }

    /// Returns the longest delay of a wake-up.
    pub fn stop(self) -> Duration {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

const PERIOD: Duration = Duration::from_millis(10);
