//! The connection to an SFU's own server. It is opened in the background, so that the meeting is not delayed.

use crate::signalling::{Frame, WebSocket};
use crate::task::{self, Task};
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use webrtc::runtime::Runtime;

/// The connection.
pub struct SfuConnection {
    /// Runs its tasks.
    stack: Arc<dyn Runtime>,
    state: State,
}

enum State {
    /// The dialect ordered no connection: signalling goes through our server.
    None,
    /// It is being opened.
    Opening { task: Task, opened: oneshot::Receiver<WebSocket> },
    /// It is open.
    Open(WebSocket),
    /// It was lost, or could not be opened.
    Lost,
}

/// What the connection reports.
pub enum SfuEvent {
    /// It is open.
    Connected,
    /// A frame has arrived.
    Signal(Bytes),
    /// It is lost, or could not be opened.
    Lost,
}

impl SfuConnection {
    /// Returns a connection that is not ordered yet. Its tasks run on `stack`.
    pub fn new(stack: Arc<dyn Runtime>) -> Self {
        Self { stack, state: State::None }
    }

    /// Starts to open a connection, which replaces the one before.
    pub fn open(&mut self, url: String, headers: Vec<(String, String)>) {
        if let State::Opening { task, .. } = &self.state {
            task.abort();
        }
        let (sender, opened) = oneshot::channel();
        let stack = Arc::clone(&self.stack);
        let task = task::spawn(&self.stack, async move {
            match WebSocket::connect_url(&url, headers, &stack).await {
                // The session may be over.
                Ok(socket) => drop(sender.send(socket)),
                Err(error) => tracing::info!(%error, "cannot connect to the SFU's server"),
            }
        });
        self.state = State::Opening { task, opened };
    }

    /// Returns true if the dialect has ordered a connection.
    pub fn is_ordered(&self) -> bool {
        !matches!(self.state, State::None)
    }

    /// Sends a frame. Drops it if the connection is not open.
    pub fn send(&self, frame: Bytes) {
        if let State::Open(socket) = &self.state
            && let Err(error) = socket.send_frame(frame)
        {
            tracing::debug!(%error, "signalling not sent");
        }
    }

    /// Waits for the next event. Never resolves if there is no connection. Cancel-safe.
    pub async fn next(&mut self) -> SfuEvent {
        match &mut self.state {
            State::None | State::Lost => std::future::pending().await,
            State::Opening { opened, .. } => match opened.await {
                Ok(socket) => {
                    self.state = State::Open(socket);
                    SfuEvent::Connected
                }
                Err(_) => self.lose(),
            },
            State::Open(socket) => match socket.next_frame().await {
                Frame::Binary(bytes) | Frame::Text(bytes) => SfuEvent::Signal(bytes),
                Frame::Closed => self.lose(),
            },
        }
    }

    /// Sends what is queued, and closes the connection. Gives up after `limit`.
    pub async fn close(self, limit: Duration) {
        match self.state {
            State::Open(socket) => socket.close(limit).await,
            State::Opening { task, .. } => task.abort(),
            State::None | State::Lost => {}
        }
    }

    fn lose(&mut self) -> SfuEvent {
        self.state = State::Lost;
        SfuEvent::Lost
    }
}
