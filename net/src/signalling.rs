//! Messages to and from the server: CBOR in a WebSocket (RFC 6455) over TLS 1.3, through a proxy if there is one.

mod connect;
mod endpoint;
mod error;
pub mod proxy;
mod socket;
mod tls;
mod tunnel;
mod web_page;

pub use endpoint::ServerEndpoint;
pub use error::Error;
pub use socket::{ByteStream, Socket};
pub use tunnel::{open_path_test, open_tunnel};
pub use web_page::read_page;

use error::{TIMEOUT, websocket_error};
use proxy::ProxySettings;
use socket::authority;

use crate::task::{self, Task};
use bytes::Bytes;
use futures_util::stream::SplitStream;
use futures_util::{SinkExt, StreamExt};
use proto::{ClientMessage, MAX_MESSAGE, ServerMessage};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_tungstenite::client_async_with_config;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use webrtc::runtime::Runtime;

/// An event from our server.
#[derive(Debug)]
pub enum WebSocketEvent {
    /// A message.
    Message(ServerMessage),
    /// Bytes that are not a message.
    Malformed,
    /// The end.
    Closed,
}

/// An event from any server.
#[derive(Debug)]
pub enum Frame {
    /// A binary frame.
    Binary(Bytes),
    /// A text frame.
    Text(Bytes),
    /// The end.
    Closed,
}

/// A WebSocket connection to a server.
pub struct WebSocket {
    incoming: SplitStream<Socket>,
    outgoing: mpsc::Sender<Message>,
    writer: Task,
    /// The local and the remote address ([`ServerEndpoint::connect`]).
    path: (SocketAddr, SocketAddr),
}

impl WebSocket {
    /// Connects to `server`, and verifies its certificate.
    ///
    /// # Errors
    /// Returns the [`Error`] of the step that failed.
    pub async fn connect(server: &ServerEndpoint, stack: &Arc<dyn Runtime>) -> Result<Self, Error> {
        timeout(TIMEOUT, Self::connect_without_timeout(server, stack)).await.map_err(|_| Error::Silent)?
    }

    async fn connect_without_timeout(server: &ServerEndpoint, stack: &Arc<dyn Runtime>) -> Result<Self, Error> {
        let (stream, path) = server.connect(stack).await?;
        let url = format!("wss://{}/v1", authority(server.bare_host(), server.port));
        let request = url.into_client_request().map_err(websocket_error)?;
        let limits = WebSocketConfig::default().max_message_size(Some(MAX_MESSAGE)).max_frame_size(Some(MAX_MESSAGE));
        let (socket, _) = client_async_with_config(request, Box::new(stream) as Box<dyn ByteStream>, Some(limits))
            .await
            .map_err(websocket_error)?;
        Ok(Self::run(socket, path, stack))
    }

    /// Connects to the server of an SFU. `url` is a `wss` URL; a `ws` URL only works for a loopback address.
    ///
    /// # Errors
    /// Returns the [`Error`] of the step that failed.
    pub async fn connect_url(
        url: &str,
        headers: Vec<(String, String)>,
        stack: &Arc<dyn Runtime>,
    ) -> Result<Self, Error> {
        let connect = Self::connect_url_without_timeout(url, headers, stack);
        timeout(TIMEOUT, connect).await.map_err(|_| Error::Silent)?
    }

    async fn connect_url_without_timeout(
        url: &str,
        headers: Vec<(String, String)>,
        stack: &Arc<dyn Runtime>,
    ) -> Result<Self, Error> {
        let mut request = url.into_client_request().map_err(websocket_error)?;
        for (name, value) in headers {
            let name = HeaderName::try_from(name).map_err(|_| Error::Name(url.to_owned()))?;
            let value = HeaderValue::try_from(value).map_err(|_| Error::Name(url.to_owned()))?;
            request.headers_mut().insert(name, value);
        }
        let secure = request.uri().scheme_str() == Some("wss");
        let host = request.uri().host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let port = request.uri().port_u16().unwrap_or(if secure { 443 } else { 80 });
        let endpoint = ServerEndpoint { host, port, fingerprint: None, proxy: ProxySettings::default() };
        let (stream, path): (Box<dyn ByteStream>, _) = if secure {
            let (stream, path) = endpoint.connect(stack).await?;
            (Box::new(stream), path)
        } else {
            let (stream, path) = endpoint.connect_tcp(stack).await?;
            if !path.1.ip().is_loopback() {
                return Err(Error::Name(url.to_owned()));
            }
            (Box::new(stream), path)
        };
        let limits = WebSocketConfig::default().max_message_size(Some(MAX_MESSAGE)).max_frame_size(Some(MAX_MESSAGE));
        let (socket, _) = client_async_with_config(request, stream, Some(limits)).await.map_err(websocket_error)?;
        Ok(Self::run(socket, path, stack))
    }

    fn run(socket: Socket, path: (SocketAddr, SocketAddr), stack: &Arc<dyn Runtime>) -> Self {
        let (mut sink, incoming) = socket.split();
        let (outgoing, mut queue) = mpsc::channel::<Message>(MAX_WAITING);
        // Writing is a separate task, so that a server that does not read cannot stop this client from reading.
        let writer = task::spawn(stack, async move {
            while let Some(message) = queue.recv().await {
                if let Err(error) = sink.send(message).await {
                    tracing::debug!(%error, "cannot write to the server");
                    return;
                }
            }
            // All messages are sent. It does not matter if the closing handshake fails.
            let _ = sink.close().await;
        });
        Self { incoming, outgoing, writer, path }
    }

    /// Returns the local address of the connection.
    pub fn local(&self) -> SocketAddr {
        self.path.0
    }

    /// Returns the server's address.
    pub fn remote(&self) -> SocketAddr {
        self.path.1
    }

    /// Queues a message.
    ///
    /// # Errors
    /// Returns [`Error::Stuck`] if the queue is full because the server does not read, and [`Error::Lost`] if the
    /// connection is lost.
    pub fn send(&self, message: &ClientMessage) -> Result<(), Error> {
        self.queue(Message::Binary(proto::encode(message).into()))
    }

    /// Queues a frame: as text if it is UTF-8, because servers of other dialects expect text, else as binary.
    ///
    /// # Errors
    /// Returns the errors of [`Self::send`].
    pub fn send_frame(&self, frame: Bytes) -> Result<(), Error> {
        self.queue(Utf8Bytes::try_from(frame.clone()).map_or(Message::Binary(frame), Message::Text))
    }

    fn queue(&self, message: Message) -> Result<(), Error> {
        self.outgoing.try_send(message).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Error::Stuck,
            mpsc::error::TrySendError::Closed(_) => Error::Lost,
        })
    }

    /// Waits for the next message. Cancel-safe.
    pub async fn next(&mut self) -> WebSocketEvent {
        match self.next_frame().await {
            Frame::Binary(bytes) => proto::decode(&bytes).map_or(WebSocketEvent::Malformed, WebSocketEvent::Message),
            Frame::Text(_) => WebSocketEvent::Malformed,
            Frame::Closed => WebSocketEvent::Closed,
        }
    }

    /// Waits for the next frame. Cancel-safe.
    pub async fn next_frame(&mut self) -> Frame {
        loop {
            match self.incoming.next().await {
                Some(Ok(Message::Binary(bytes))) => return Frame::Binary(bytes),
                Some(Ok(Message::Text(text))) => return Frame::Text(text.into()),
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Close(_))) | None => return Frame::Closed,
                Some(Err(error)) => {
                    tracing::debug!(%error, "cannot read from the server");
                    return Frame::Closed;
                }
            }
        }
    }

    /// Sends what is queued, and closes the connection. Gives up after `limit`.
    pub async fn close(self, limit: Duration) {
        let Self { outgoing, writer, incoming, .. } = self;
        drop(outgoing);
        writer.finish(limit).await;
        drop(incoming);
    }
}

/// The maximum number of messages that wait to be sent.
const MAX_WAITING: usize = 256;

#[cfg(test)]
#[path = "signalling_tests.rs"]
mod tests;
