//! The test of the connection to the server of a link, before the meeting. It runs on its own thread.

mod verdict;

pub use verdict::{ConnectionCause, ConnectionQuality, ConnectionVerdict};

use crypto::Invitation;
use net::{MediaPath, PathReport, PathTestError, PathTestTarget, ProxySettings};
use std::io;
use tokio::sync::oneshot;

/// A running test. Dropping it cancels the test and does not wait.
#[derive(Debug)]
pub struct ConnectionTest {
    _cancel: oneshot::Sender<()>,
}

/// An event of a test.
#[derive(Clone, Debug, PartialEq)]
pub enum ConnectionTestEvent {
    /// The test has made progress.
    Progress {
        /// The path that is tried. `None` while the client connects.
        path: Option<MediaPath>,
        /// How much of the test of this path is done, in percent.
        percent: u8,
    },
    /// The test has ended. This is the last event.
    Ended(Result<PathReport, PathTestError>),
}

impl ConnectionTest {
    /// Starts a test of the server that `invitation` names. `proxy` finds the proxy on the way, and may block. It and `on_event` are
    /// called on the thread of the test.
    ///
    /// # Errors
    /// Returns the system's error if no thread can be started.
    pub fn start(
        invitation: &Invitation,
        proxy: impl FnOnce(&str) -> ProxySettings + Send + 'static,
        mut on_event: impl FnMut(ConnectionTestEvent) + Send + 'static,
    ) -> io::Result<Self> {
        let (host, port, fingerprint) = (invitation.host.clone(), invitation.port, invitation.fingerprint);
        let (cancel, cancelled) = oneshot::channel();
        let run = move || {
            let config = PathTestTarget { proxy: proxy(&host), host, port, fingerprint };
            let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => {
                    tracing::error!(%error, "the connection test did not start");
                    let reason = proto::Reason::Here(error.to_string());
                    return on_event(ConnectionTestEvent::Ended(Err(PathTestError::Unreachable(reason))));
                }
            };
            let result = runtime.block_on(async {
                let mut last = None;
                let progress = |path, done: f32| {
                    let event = ConnectionTestEvent::Progress { path, percent: steps(done) };
                    if last.as_ref() != Some(&event) {
                        on_event(event.clone());
                        last = Some(event);
                    }
                };
                tokio::select! {
                    result = net::test_path(config, progress) => Some(result),
                    // The sender was dropped.
                    _ = cancelled => None,
                }
            });
            if let Some(result) = result {
                tracing::debug!(?result, "connection test");
                on_event(ConnectionTestEvent::Ended(result));
            }
            // A cancelled DNS lookup may still run.
            runtime.shutdown_background();
        };
        std::thread::Builder::new().name("connection-test".into()).spawn(run)?;
        Ok(Self { _cancel: cancel })
    }
}

/// Returns how much is done, in steps of five percent: each one redraws the window.
fn steps(done: f32) -> u8 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is between 0 and 20")]
    let steps = (done.clamp(0.0, 1.0) * 20.0) as u8;
    steps * 5
}
