//! Requests to end the program: Ctrl+C, and on Unix also SIGTERM, which a service manager sends.

use std::io;

/// Receives the requests. A request that comes while no task waits is kept for the next call.
#[cfg(unix)]
pub struct Stop {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Stop {
    /// Starts to listen.
    ///
    /// # Errors
    /// Returns an error if a signal handler cannot be installed.
    pub fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for the next request.
    pub async fn requested(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Receives the requests. A request that comes while no task waits may be lost.
#[cfg(not(unix))]
pub struct Stop;

#[cfg(not(unix))]
impl Stop {
    /// Starts to listen.
    ///
    /// # Errors
    /// Never fails on this system.
    pub fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    /// Waits for the next request.
    pub async fn requested(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            // The system does not report Ctrl+C, so no request will come.
            std::future::pending::<()>().await;
        }
    }
}
