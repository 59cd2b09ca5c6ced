//! The connection to our server. If it is lost, the meeting orders another one, which is opened in the background.

use crate::signalling::{self, Endpoint, Error, Received, Wire};
use crate::task::{self, Task};
use proto::ClientMessage;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use webrtc::runtime::Runtime;

/// The connection.
pub struct ServerConnection {
    /// Where the server is.
    server: Endpoint,
    /// Runs its tasks.
    stack: Arc<dyn Runtime>,
    state: State,
}

enum State {
    Open(Wire),
    Opening { task: Task, opened: oneshot::Receiver<Wire> },
    Closed,
}

/// What the connection reports.
pub enum ServerEvent {
    /// A message, or the end. The end also comes if a connection cannot be opened.
    Received(Received),
    /// The ordered connection is open, from this local address.
    Connected(SocketAddr),
}

impl ServerConnection {
    /// Returns the open connection `wire`.
    pub fn new(wire: Wire, server: Endpoint, stack: Arc<dyn Runtime>) -> Self {
        Self { server, stack, state: State::Open(wire) }
    }

    /// Returns true if the connection is open.
    pub const fn is_open(&self) -> bool {
        matches!(self.state, State::Open(_))
    }

    /// Closes the connection after its messages were sent, for at most `limit`, and starts to open another one.
    pub fn reconnect(&mut self, limit: Duration) {
        let server = self.server.clone();
        let (sender, opened) = oneshot::channel();
        let stack = Arc::clone(&self.stack);
        let task = task::spawn(&self.stack, async move {
            match Wire::connect(&server, &stack).await {
                // The session may be over, or another connection was ordered.
                Ok(wire) => drop(sender.send(wire)),
                Err(error) => tracing::info!(%error, "cannot connect to the server again"),
            }
        });
        match std::mem::replace(&mut self.state, State::Opening { task, opened }) {
            State::Open(wire) => drop(task::spawn(&self.stack, wire.close(limit))),
            State::Opening { task, .. } => task.abort(),
            State::Closed => {}
        }
    }

    /// Queues a message. Drops it if the connection is not open.
    ///
    /// # Errors
    /// Returns the errors of [`Wire::send`].
    pub fn send(&self, message: &ClientMessage) -> Result<(), signalling::Error> {
        match &self.state {
            State::Open(wire) => wire.send(message),
            State::Opening { .. } | State::Closed => Err(Error::Lost),
        }
    }

    /// Waits for the next event. Never resolves if there is no connection and none is ordered. Cancel-safe.
    pub async fn next(&mut self) -> ServerEvent {
        match &mut self.state {
            State::Closed => std::future::pending().await,
            State::Opening { opened, .. } => {
                if let Ok(wire) = opened.await {
                    let local = wire.local();
                    self.state = State::Open(wire);
                    return ServerEvent::Connected(local);
                }
                self.state = State::Closed;
                ServerEvent::Received(Received::Closed)
            }
            State::Open(wire) => {
                let received = wire.next().await;
                if matches!(received, Received::Closed) {
                    self.state = State::Closed;
                }
                ServerEvent::Received(received)
            }
        }
    }

    /// Sends what is queued, and closes the connection. Gives up after `limit`.
    pub async fn close(self, limit: Duration) {
        match self.state {
            State::Open(wire) => wire.close(limit).await,
            State::Opening { task, .. } => task.abort(),
            State::Closed => {}
        }
    }
}
