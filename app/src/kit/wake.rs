//! Redraws every window from any thread: no message, no `update`, no `view`; as often as it is worth, see [`Pace`].

mod pace;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use iced::Task;
use iced::futures::{Stream, stream};
use iced_runtime::{Action, task, window};
use tokio::sync::Notify;

pub use pace::Pace;

/// Asks for a redraw. Cheap to clone and to call; wakes that arrive before the next redraw may be are merged into one.
#[derive(Clone, Debug, Default)]
pub struct Waker(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    pending: AtomicBool,
    notify: Notify,
    pace: Mutex<Pace>,
}

impl Waker {
    /// Redraws every window soon. Never waits, may be called on any thread.
    pub fn wake(&self) {
        if !self.0.pending.swap(true, Ordering::AcqRel) {
            self.0.notify.notify_one();
        }
    }

    /// A window begins to draw itself.
    pub fn begin(&self) {
        self.pace().begin(Instant::now());
    }

    /// It is on the screen; `processor` where no graphics card has drawn it.
    pub fn end(&self, software: bool) {
        self.pace().end(Instant::now(), software);
    }

    /// Returns when a redraw is pending and may be; what is pending from here on is another one.
    async fn redraw(&self) {
        self.0.notify.notified().await;
        loop {
            let now = Instant::now();
            let due = self.pace().due(now);
            if due <= now {
                break;
            }
            tokio::time::sleep_until(due.into()).await;
        }
        // Before the pictures are read, so that one that comes meanwhile is not forgotten.
        self.0.pending.store(false, Ordering::Release);
        self.pace().requested(Instant::now());
    }

    // Whole whenever the lock is free: a thread that panicked elsewhere poisons nothing.
    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.0.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A waker, and the task that serves it, which the program's boot must return once. The task never ends: a test that
/// waits for the boot's tasks would hang on it.
pub fn channel<M: Send + 'static>() -> (Waker, Task<M>) {
    let waker = Waker::default();
    let redraw = |()| task::effect(Action::Window(window::Action::RedrawAll));
    (waker.clone(), Task::stream(redraws(waker)).then(redraw))
}

/// The moments to redraw at, without end.
fn redraws(waker: Waker) -> impl Stream<Item = ()> {
    stream::unfold(waker, |waker| async move {
        waker.redraw().await;
        Some(((), waker))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use iced::futures::{FutureExt, StreamExt};

    #[tokio::test]
    async fn wakes_are_merged_until_the_next_redraw_may_be() {
        let waker = Waker::default();
        let mut redraws = Box::pin(redraws(waker.clone()));
        assert_eq!(redraws.next().now_or_never(), None, "nobody has pending");
        let start = Instant::now();
        (0..100).for_each(|_| waker.wake());
        assert_eq!(redraws.next().await, Some(()));
        assert_eq!(redraws.next().now_or_never(), None, "a hundred wakes were one wish");

        (0..100).for_each(|_| waker.wake());
        assert_eq!(redraws.next().await, Some(()), "what comes after a redraw is another wish");
        assert!(start.elapsed() >= std::time::Duration::from_millis(8), "but it waits for its turn");
    }
}
