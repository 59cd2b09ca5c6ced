//! One connection: TLS, WebSocket, then messages in both directions until it ends.

use crate::Limits;
use crate::bucket::Bucket;
use crate::delivery_task;
use crate::outbox::{Item, Outgoing, outbox};
use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use proto::{ClientMessage, Down, MAX_MESSAGE, ParticipantId, Problem, Up};
use std::time::Instant;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Message, http::StatusCode};

type Socket = WebSocketStream<TlsStream<TcpStream>>;

/// What all connections share.
#[derive(Clone)]
pub struct Context {
    pub acceptor: TlsAcceptor,
    pub limits: Limits,
    pub delivery: mpsc::Sender<delivery_task::Message>,
}

/// Serves one connection until it ends.
pub async fn serve(stream: TcpStream, participant: ParticipantId, context: Context) {
    let opened = timeout(context.limits.greeting, open(stream, &context.acceptor)).await;
    let Ok(Some(socket)) = opened else {
        tracing::debug!(%participant, "handshake failed");
        return;
    };
    let (outbox, outgoing) = outbox(context.limits.outgoing_messages, context.limits.outgoing_bytes);
    if context.delivery.send(delivery_task::Message::Connected(participant, outbox)).await.is_err() {
        return;
    }
    let (sink, source) = socket.split();
    let reader = Reader::new(participant, source, &context);
    let overflow = outgoing.overflow();
    tokio::select! {
        () = write(sink, outgoing, &context.limits) => {}
        () = reader.run() => {}
        () = overflow => tracing::warn!(%participant, "connection dropped: the client does not read"),
    }
    // The send fails only if the server stops.
    let _ = context.delivery.send(delivery_task::Message::Disconnected(participant)).await;
}

async fn open(stream: TcpStream, acceptor: &TlsAcceptor) -> Option<Socket> {
    stream.set_nodelay(true).ok()?;
    let tls = acceptor.accept(stream).await.ok()?;
    let config = WebSocketConfig::default().max_message_size(Some(MAX_MESSAGE)).max_frame_size(Some(MAX_MESSAGE));
    tokio_tungstenite::accept_hdr_async_with_config(tls, check_path, Some(config)).await.ok()
}

#[expect(clippy::result_large_err, reason = "the WebSocket library's signature")]
fn check_path(request: &Request, response: Response) -> Result<Response, ErrorResponse> {
    if request.uri().path() == PATH {
        return Ok(response);
    }
    let mut refusal = ErrorResponse::new(None);
    *refusal.status_mut() = StatusCode::NOT_FOUND;
    Err(refusal)
}

/// Writes the outgoing messages and the pings until the outbox closes the connection or a write fails.
async fn write(mut sink: SplitSink<Socket, Message>, mut outgoing: Outgoing, limits: &Limits) {
    let ping = Bytes::from(proto::encode(&Down::Ping));
    let mut pings = interval(limits.ping);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pings.reset();
    loop {
        let message = tokio::select! {
            _ = pings.tick() => ping.clone(),
            item = outgoing.next() => match item {
                Some(Item::Message(bytes)) => bytes,
                Some(Item::Close) | None => break,
            },
        };
        let sent = timeout(limits.write, sink.send(Message::Binary(message))).await;
        if !matches!(sent, Ok(Ok(()))) {
            return;
        }
    }
    // The client may be gone. It has one ping interval to receive the close frame.
    let _ = timeout(limits.ping, sink.close()).await;
}

/// Reads messages, enforces the rate limits, and passes the messages to the delivery task.
struct Reader<'c> {
    participant: ParticipantId,
    source: SplitStream<Socket>,
    context: &'c Context,
    messages: Bucket,
    bytes: Bucket,
    /// True after the first valid message.
    greeted: bool,
}

impl<'c> Reader<'c> {
    fn new(participant: ParticipantId, source: SplitStream<Socket>, context: &'c Context) -> Self {
        let (limits, now) = (&context.limits, Instant::now());
        let messages = Bucket::new(limits.messages_per_second, limits.message_burst, now);
        let bytes = Bucket::new(limits.bytes_per_second, limits.byte_burst, now);
        Self { participant, source, context, messages, bytes, greeted: false }
    }

    /// Runs until the connection is dead or closed. After a violation it waits until the writer closes the connection.
    async fn run(mut self) {
        loop {
            let limit = if self.greeted { self.context.limits.silence } else { self.context.limits.greeting };
            let Ok(Some(Ok(message))) = timeout(limit, self.source.next()).await else { return };
            let message = match self.check(message) {
                Ok(None) => continue,
                Ok(Some(message)) => delivery_task::Message::Received(self.participant, message),
                Err(problem) => delivery_task::Message::Violation(self.participant, problem),
            };
            let violation = matches!(message, delivery_task::Message::Violation(..));
            if self.context.delivery.send(message).await.is_err() {
                return;
            }
            if violation {
                return self.discard().await;
            }
        }
    }

    /// Checks the rate limits and decodes a message. Returns `None` for a message that only shows that the client is
    /// alive.
    fn check(&mut self, message: Message) -> Result<Option<ClientMessage>, Problem> {
        let (length, now) = (u32::try_from(message.len()).unwrap_or(u32::MAX), Instant::now());
        if !self.messages.take(1, now) || !self.bytes.take(length, now) {
            return Err(Problem::TooFast);
        }
        match message {
            Message::Binary(bytes) if self.greeted || bytes.len() <= self.context.limits.stranger_message => {
                let message = proto::decode(&bytes).map_err(|proto::Malformed| Problem::Malformed)?;
                self.greeted = true;
                Ok(Some(message).filter(|message| *message != ClientMessage::Meeting(Up::Pong)))
            }
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) => Ok(None),
            Message::Binary(_) | Message::Text(_) | Message::Frame(_) => Err(Problem::Malformed),
        }
    }

    /// Discards what arrives. If the socket closed with unread bytes, TCP would reset the connection, and the client
    /// might not receive the reason.
    async fn discard(mut self) {
        let silence = self.context.limits.silence;
        let drain = async { while let Some(Ok(_)) = self.source.next().await {} };
        let _ = timeout(silence, drain).await;
    }
}

/// The only path that is served.
const PATH: &str = "/v1";
