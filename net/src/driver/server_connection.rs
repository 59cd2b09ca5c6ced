//! The connection to our server. If it is lost, the meeting orders another one, which is opened in the background.

use crate::signalling::{self, Error, ServerEndpoint, WebSocket, WebSocketEvent};
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
    server: ServerEndpoint,
    /// The address of the server, or of the proxy on the way, at the last connection.
    remote: SocketAddr,
    /// Runs its tasks.
    stack: Arc<dyn Runtime>,
    state: State,
}

enum State {
    Open(WebSocket),
    Opening { task: Task, opened: oneshot::Receiver<WebSocket> },
    Closed,
}

/// What the connection reports.
pub enum ServerEvent {
    /// A message, or the end. The end also comes if a connection cannot be opened.
    Received(WebSocketEvent),
    /// The ordered connection is open, from this local address.
    Connected(SocketAddr),
}

impl ServerConnection {
    /// Returns the open connection `socket`.
    pub fn new(socket: WebSocket, server: ServerEndpoint, stack: Arc<dyn Runtime>) -> Self {
        Self { server, remote: socket.remote(), stack, state: State::Open(socket) }
    }

    /// Returns the local address of the open connection, and the address that it leads to.
    pub fn path(&self) -> (Option<SocketAddr>, SocketAddr) {
        let local = match &self.state {
            State::Open(socket) => Some(socket.local()),
            State::Opening { .. } | State::Closed => None,
        };
        (local, self.remote)
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
            match WebSocket::connect(&server, &stack).await {
                // The session may be over, or another connection was ordered.
                Ok(socket) => drop(sender.send(socket)),
                Err(error) => tracing::info!(%error, "cannot connect to the server again"),
            }
        });
        match std::mem::replace(&mut self.state, State::Opening { task, opened }) {
            State::Open(socket) => drop(task::spawn(&self.stack, socket.close(limit))),
            State::Opening { task, .. } => task.abort(),
            State::Closed => {}
        }
    }

    /// Queues a message. Drops it if the connection is not open.
    ///
    /// # Errors
    /// Returns the errors of [`WebSocket::send`].
    pub fn send(&self, message: &ClientMessage) -> Result<(), signalling::Error> {
        match &self.state {
            State::Open(socket) => socket.send(message),
            State::Opening { .. } | State::Closed => Err(Error::Lost),
        }
    }

    /// Waits for the next event. Never resolves if there is no connection and none is ordered. Cancel-safe.
    pub async fn next(&mut self) -> ServerEvent {
        match &mut self.state {
            State::Closed => std::future::pending().await,
            State::Opening { opened, .. } => {
                if let Ok(socket) = opened.await {
                    let local = socket.local();
                    self.remote = socket.remote();
                    self.state = State::Open(socket);
                    return ServerEvent::Connected(local);
                }
                self.state = State::Closed;
                ServerEvent::Received(WebSocketEvent::Closed)
            }
            State::Open(socket) => {
                let received = socket.next().await;
                if matches!(received, WebSocketEvent::Closed) {
                    self.state = State::Closed;
                }
                ServerEvent::Received(received)
            }
        }
    }

    /// Sends what is queued, and closes the connection. Gives up after `limit`.
    pub async fn close(self, limit: Duration) {
        match self.state {
            State::Open(socket) => socket.close(limit).await,
            State::Opening { task, .. } => task.abort(),
            State::Closed => {}
        }
    }
}
