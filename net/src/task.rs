//! Tasks of a session. All are spawned on the session's runtime, so that a test can measure each of their polls.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::timeout;
use webrtc::runtime::{JoinHandle, Runtime};

/// A running task. It continues if this handle is dropped.
pub struct Task {
    handle: Box<dyn JoinHandle>,
    finished: oneshot::Receiver<()>,
}

/// Spawns `future` on `runtime`.
pub fn spawn(runtime: &Arc<dyn Runtime>, future: impl Future<Output = ()> + Send + 'static) -> Task {
    let (done, finished) = oneshot::channel();
    let handle = runtime.spawn(Box::pin(async move {
        future.await;
        // The handle may have been dropped.
        let _ = done.send(());
    }));
    Task { handle, finished }
}

impl Task {
    /// Cancels the task at its next await point.
    pub fn abort(&self) {
        self.handle.abort();
    }

    /// Waits until the task has finished. Cancels it after `limit`.
    pub async fn finish(self, limit: Duration) {
        if timeout(limit, self.finished).await.is_err() {
            self.handle.abort();
        }
    }
}
