//! Requests to end a program: Ctrl+C, and on Unix also SIGTERM, which a service manager sends, and SIGHUP, which the
//! system sends if the terminal is closed. Both programs use it.

use std::io;

/// Receives the requests. A request that comes while no task waits is kept for the next call.
#[cfg(unix)]
pub struct Stop {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    /// `None` if the program was started to ignore SIGHUP, as by `nohup`.
    hang_up: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Stop {
    /// Starts to listen. The caller is in a tokio runtime.
    ///
    /// # Errors
    /// Returns an error if a signal handler cannot be installed.
    pub fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let hang_up = if ignores_hang_up() { None } else { Some(signal(SignalKind::hangup())?) };
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())?, hang_up })
    }

    /// Waits for the next request. Cancel-safe.
    pub async fn requested(&mut self) {
        let hang_up = async {
            match &mut self.hang_up {
                Some(signal) => drop(signal.recv().await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            () = hang_up => {}
        }
    }
}

/// Whether this program was started to ignore SIGHUP. Only Linux can say that without unsafe code.
#[cfg(unix)]
fn ignores_hang_up() -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| ignored_signals(&status) & 1 != 0)
}

/// Returns the ignored signals in the text of `/proc/PID/status` (proc(5)): bit 0 is signal 1, which is SIGHUP.
#[cfg(unix)]
fn ignored_signals(status: &str) -> u64 {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
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

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn ignored_signals_are_read_from_the_status() {
        assert_eq!(ignored_signals("Name:\tx\nSigIgn:\t0000000000001001\nSigCgt:\t0000000000000001\n"), 0x1001);
        assert_eq!(ignored_signals("SigIgn:\tnonsense\n"), 0);
        assert_eq!(ignored_signals(""), 0);
    }
}
