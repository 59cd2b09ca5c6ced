//! Requests to end the program: Ctrl+C, and the signal that a service manager sends.

use std::io;

/// Receives them from its creation on, also while no task waits.
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
    /// Returns an error if the system gives no signals.
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

/// Receives them only while a task waits.
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
            // The system cannot tell us, so no request comes.
            std::future::pending::<()>().await;
        }
    }
}
