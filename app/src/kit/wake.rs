//! Redraws every window from any thread, without a message, `update` or `view`. [`Pace`] limits the rate.

mod pace;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use iced::Task;
use iced::futures::{Stream, stream};
use iced_runtime::{Action, task, window};
use tokio::sync::Notify;

pub use pace::{MAX_FRAME_RATE, Pace};

/// Requests redraws. Cheap to clone and to call. Requests are merged until the pace allows the next redraw.
#[derive(Clone, Debug, Default)]
pub struct Waker(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// A redraw was requested and was not sent to iced yet.
    pending: AtomicBool,
    /// The user cannot see the window.
    hidden: AtomicBool,
    notify: Notify,
    pace: Mutex<Pace>,
}

impl Waker {
    /// Requests a redraw of every window. Does not block; may be called on any thread. Does nothing while the user cannot see
    /// the window.
    pub fn wake(&self) {
        if !self.0.hidden.load(Ordering::Acquire) && !self.0.pending.swap(true, Ordering::AcqRel) {
            self.0.notify.notify_one();
        }
    }

    /// Sets whether the user can see the window. If it was hidden, it is redrawn.
    pub fn set_window_seen(&self, seen: bool) {
        let was_hidden = self.0.hidden.swap(!seen, Ordering::AcqRel);
        if seen && was_hidden {
            self.wake();
        }
    }

    /// The frames per second of one tile that the windows can show now.
    pub fn frame_rate(&self) -> u8 {
        self.pace().frame_rate()
    }

    /// Records that a window starts to draw.
    pub fn begin(&self) {
        self.pace().begin(Instant::now());
    }

    /// Records that the redraw is on the screen. `software` is true if the CPU drew it, not the GPU.
    pub fn end(&self, software: bool) {
        self.pace().end(Instant::now(), software);
    }

    /// Resolves when a redraw is pending and the pace allows it. Later requests lead to another redraw.
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
        // Cleared before the frames are read, so that a frame that arrives meanwhile leads to another redraw.
        self.0.pending.store(false, Ordering::Release);
        self.pace().requested(Instant::now());
    }

    // Each method leaves a valid `Pace`, so a poisoned lock can be used.
    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.0.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Creates a waker and the task that redraws for it. The boot function of the program must return the task once. The task
/// never ends, so a test must not wait for it.
pub fn channel<M: Send + 'static>() -> (Waker, Task<M>) {
    let waker = Waker::default();
    let redraw = |()| task::effect(Action::Window(window::Action::RedrawAll));
    (waker.clone(), Task::stream(redraws(waker)).then(redraw))
}

/// One item for each redraw; the stream never ends.
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
    async fn requests_are_merged_until_the_next_redraw() {
        let waker = Waker::default();
        let mut redraws = Box::pin(redraws(waker.clone()));
        assert_eq!(redraws.next().now_or_never(), None, "no redraw was requested");
        let start = Instant::now();
        (0..100).for_each(|_| waker.wake());
        assert_eq!(redraws.next().await, Some(()));
        assert_eq!(redraws.next().now_or_never(), None, "a hundred requests lead to one redraw");

        (0..100).for_each(|_| waker.wake());
        assert_eq!(redraws.next().await, Some(()), "a request after a redraw leads to another");
        assert!(start.elapsed() >= std::time::Duration::from_millis(8), "after the minimum interval");
    }

    #[tokio::test]
    async fn a_window_that_is_not_seen_is_redrawn_when_it_is_seen_again() {
        let waker = Waker::default();
        let mut redraws = Box::pin(redraws(waker.clone()));
        waker.set_window_seen(false);
        waker.wake();
        assert_eq!(redraws.next().now_or_never(), None);
        waker.set_window_seen(true);
        assert_eq!(redraws.next().await, Some(()));
    }
}
