//! Redraws every window from any thread: no message, no `update`, no `view`.

use std::sync::{Arc, Mutex, PoisonError};

use iced::Task;
use iced::futures::channel::mpsc;
use iced_runtime::{Action, task, window};

/// Asks for a redraw. Cheap to clone and to call; wakes that arrive before the event loop ran are merged into one.
#[derive(Clone, Debug)]
pub struct Waker(Arc<Mutex<mpsc::Sender<()>>>);

impl Waker {
    /// Redraws every window soon. Never waits, may be called on any thread.
    pub fn wake(&self) {
        // Full means that a redraw is pending already; closed means that the program has ended.
        let _ = self.0.lock().unwrap_or_else(PoisonError::into_inner).try_send(());
    }
}

/// A waker, and the task that serves it, which the program's boot must return once. The task never ends: a test that
/// waits for the boot's tasks would hang on it.
pub fn channel<M: Send + 'static>() -> (Waker, Task<M>) {
    // One slot for each sender, and there is one sender: behind the lock it is never cloned.
    let (sender, receiver) = mpsc::channel(0);
    let redraw = |()| task::effect(Action::Window(window::Action::RedrawAll));
    (Waker(Arc::new(Mutex::new(sender))), Task::stream(receiver).then(redraw))
}
