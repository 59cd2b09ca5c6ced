//! Runs blocking work on other threads than the UI thread.

use iced::Task;

/// Runs `work` on a thread that may block. If it panics, the task ends without a message.
pub fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Task<T> {
    let done = Task::future(async move { tokio::task::spawn_blocking(work).await });
    done.then(|result| result.map_or_else(|_panicked| Task::none(), Task::done))
}

/// Like [`run`], but if `work` panics, the message is `fallback`.
pub fn run_or<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static, fallback: T) -> Task<T> {
    Task::future(async move { tokio::task::spawn_blocking(work).await.unwrap_or(fallback) })
}
