//! One connection: TLS, WebSocket, then messages in both directions until it ends.

use crate::Limits;
use crate::bucket::Bucket;
use crate::delivery::ConnectionId;
use crate::delivery_task::{self, Client};
use crate::media_threads::MediaThreads;
use crate::metered::{MeteredStream, READ_AHEAD, Socket};
use crate::outbox::{Item, Outgoing, outbox};
use crate::path_test::{self, PathTests};
use crate::quota::{ConnectionPermit, HeldTree, Meter, OriginQuota};
use crate::tunnel::{self, TunnelKey};
use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use proto::{ClientMessage, Down, MAX_MESSAGE, ParticipantId, Problem, Up};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout, timeout_at};
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Callback, ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{StatusCode, header};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

/// What all connections share.
#[derive(Clone)]
pub struct Context {
    pub acceptor: TlsAcceptor,
    pub limits: Limits,
    pub delivery: mpsc::Sender<delivery_task::Message>,
    /// For signed commands, which are handled first.
    pub commands: mpsc::Sender<delivery_task::Message>,
    /// Checks the tokens of media tunnels.
    pub tunnel_key: Arc<TunnelKey>,
    pub media: MediaThreads,
    pub path_tests: Arc<PathTests>,
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    /// Messages of meetings.
    Messages,
    /// Media of this participant, whose token was valid.
    Media(ParticipantId),
    /// A test of the path, by a client in no meeting.
    PathTest,
}

/// Serves one connection until it ends. One deadline covers everything up to the first message.
pub async fn serve(
    stream: TcpStream,
    id: ConnectionId,
    participant: ParticipantId,
    permit: ConnectionPermit,
    context: Context,
) {
    // A socket for both families names IPv4 addresses as IPv6 ones.
    let local = stream.local_addr().ok();
    let arrived_at = local.map(|address| address.ip().to_canonical());
    let limits = &context.limits;
    let deadline = tokio::time::Instant::now() + limits.greeting;
    let allowed = limits.stranger_message + READ_AHEAD;
    let meter = Arc::new(Meter::new(allowed, permit.shared.held_bytes.clone(), limits.address_held_bytes));
    let opened = timeout_at(deadline, async {
        sleep(permit.wait).await;
        open(stream, &context, meter.clone()).await
    });
    let Ok(Some((socket, purpose))) = opened.await else {
        tracing::debug!(%participant, "handshake failed");
        return;
    };
    meter.finish();
    match purpose {
        Purpose::Media(owner) => {
            tunnel::configure(socket.get_ref().get_ref().get_ref().0);
            // A participant stays on its thread: it has another number in another meeting.
            let Some(events) = context.media.tunnel_events(owner) else {
                return tracing::debug!(participant = %owner, "a tunnel of no member was refused");
            };
            return tunnel::serve(socket, id.0, owner, meter, (&events, limits)).await;
        }
        Purpose::PathTest => {
            tunnel::configure(socket.get_ref().get_ref().get_ref().0);
            let client = (permit.origin(), local);
            return path_test::serve(socket, client, meter, (&context.path_tests, limits)).await;
        }
        Purpose::Messages => {}
    }
    let (mut outbox, outgoing) = outbox(limits.outgoing_messages, limits.outgoing_bytes);
    outbox.arrived_at = arrived_at;
    outbox.origin = Some(permit.origin());
    let client = Client { participant, origin: permit.origin(), outbox, meter: meter.clone() };
    if context.delivery.send(delivery_task::Message::Connected(id, client)).await.is_err() {
        return;
    }
    let (sink, source) = socket.split();
    let reader = Reader::new(id, source, (meter, permit.shared.clone()), &context);
    let (overflow, disconnected) = (outgoing.overflow(), outgoing.disconnected());
    tokio::select! {
        () = write(sink, outgoing, id, &context) => {}
        () = reader.run(deadline) => {}
        () = overflow => tracing::info!("connection dropped: the client does not read"),
        () = disconnected => tracing::debug!("connection dropped: the media of its meeting have failed"),
    }
    // The send fails only if the server stops.
    let _ = context.delivery.send(delivery_task::Message::Disconnected(id)).await;
}

async fn open(stream: TcpStream, context: &Context, meter: Arc<Meter>) -> Option<(Socket, Purpose)> {
    stream.set_nodelay(true).ok()?;
    let tls = context.acceptor.accept(stream).await.ok()?;
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_AHEAD)
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE));
    let (stream, mut purpose) = (MeteredStream::new(tls, meter), None);
    let check = HandshakeCallback { key: &context.tunnel_key, purpose: &mut purpose };
    let socket = tokio_tungstenite::accept_hdr_async_with_config(stream, check, Some(config)).await.ok()?;
    Some((socket, purpose?))
}

/// Accepts or refuses the request of a WebSocket, and stores the purpose of the connection.
struct HandshakeCallback<'c> {
    key: &'c TunnelKey,
    purpose: &'c mut Option<Purpose>,
}

impl Callback for HandshakeCallback<'_> {
    fn on_request(self, request: &Request, response: Response) -> Result<Response, ErrorResponse> {
        match purpose_of(request, self.key) {
            Ok(purpose) => {
                *self.purpose = Some(purpose);
                Ok(response)
            }
            Err(status) => {
                let mut refusal = ErrorResponse::new(None);
                *refusal.status_mut() = status;
                Err(refusal)
            }
        }
    }
}

/// Returns the purpose that the request of a WebSocket names by its path, or the HTTP status with which it is refused.
fn purpose_of(request: &Request, key: &TunnelKey) -> Result<Purpose, StatusCode> {
    match request.uri().path() {
        PATH => Ok(Purpose::Messages),
        proto::PATH_TEST_PATH => Ok(Purpose::PathTest),
        proto::TUNNEL_PATH => {
            let value = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
            let token = value.and_then(|value| value.strip_prefix("Bearer "));
            let owner = token.and_then(|token| key.participant(token, Instant::now()));
            owner.map(Purpose::Media).ok_or(StatusCode::UNAUTHORIZED)
        }
        _ => Err(StatusCode::NOT_FOUND),
    }
}

/// Writes the outgoing messages and the pings until the outbox closes the connection or a write fails.
async fn write(mut sink: SplitSink<Socket, Message>, mut outgoing: Outgoing, id: ConnectionId, context: &Context) {
    let limits = &context.limits;
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
    // The media thread closes connections, too. The send fails only if the server stops.
    let _ = context.delivery.send(delivery_task::Message::Closed(id)).await;
    // The client may be gone. It has one ping interval to receive the close frame.
    let _ = timeout(limits.ping, sink.close()).await;
}

/// Reads messages, enforces the rate limits, and passes the messages to the delivery task.
struct Reader<'c> {
    id: ConnectionId,
    source: SplitStream<Socket>,
    meter: Arc<Meter>,
    origin: OriginQuota,
    context: &'c Context,
    messages: Bucket,
    bytes: Bucket,
    /// The parts of a tree that the service keeps.
    tree: HeldTree,
}

impl<'c> Reader<'c> {
    fn new(
        id: ConnectionId,
        source: SplitStream<Socket>,
        (meter, origin): (Arc<Meter>, OriginQuota),
        context: &'c Context,
    ) -> Self {
        let (limits, now) = (&context.limits, Instant::now());
        let messages = Bucket::new(limits.messages_per_second, limits.message_burst, now);
        let bytes = Bucket::new(limits.bytes_per_second, limits.byte_burst, now);
        let tree = HeldTree::new(origin.held_bytes.clone(), limits.address_held_bytes);
        Self { id, source, meter, origin, context, messages, bytes, tree }
    }

    /// Runs until the connection is dead or closed. The first message is complete by `deadline`. After a violation it
    /// waits until the writer closes the connection.
    async fn run(mut self, mut deadline: tokio::time::Instant) {
        loop {
            let Ok(Some(Ok(message))) = timeout_at(deadline, self.source.next()).await else { return };
            let message = match self.check(message) {
                Ok(None) => continue,
                Ok(Some(message)) => message,
                Err(problem) => {
                    let violation = delivery_task::Message::Violation(self.id, problem);
                    if self.context.delivery.send(violation).await.is_err() {
                        return;
                    }
                    return self.discard().await;
                }
            };
            self.meter.finish();
            let (is_command, is_part) = match &message {
                ClientMessage::Meeting(Up::Manage { .. }) => (true, false),
                // The parts of a tree come before the command that they belong to.
                ClientMessage::Meeting(Up::Tree { .. }) => (false, true),
                ClientMessage::Meeting(_) | ClientMessage::Sfu(_) => (false, false),
            };
            while is_command && !self.origin.take_command(Instant::now()) {
                sleep(COMMAND_PAUSE).await;
            }
            deadline = tokio::time::Instant::now() + self.context.limits.silence;
            let inbox = if is_command || is_part { &self.context.commands } else { &self.context.delivery };
            if inbox.send(delivery_task::Message::Received(self.id, message)).await.is_err() {
                return;
            }
        }
    }

    /// Checks the limits and decodes a message. Returns `None` for a control frame.
    fn check(&mut self, message: Message) -> Result<Option<ClientMessage>, Problem> {
        let (length, now) = (u32::try_from(message.len()).unwrap_or(u32::MAX), Instant::now());
        if !self.messages.take(1, now) || !self.bytes.take(length, now) || !self.origin.take(length, now) {
            return Err(Problem::TooFast);
        }
        let max_length = self.meter.allowed().saturating_sub(READ_AHEAD);
        match message {
            Message::Binary(bytes) if bytes.len() <= max_length => {
                let message = proto::decode(&bytes).map_err(|proto::Malformed| Problem::Malformed)?;
                let is_signal = matches!(message, ClientMessage::Sfu(_));
                // Only managers may send messages of the maximum length.
                let is_manager = max_length >= MAX_MESSAGE;
                if !is_signal && !is_manager && bytes.len() > self.context.limits.longest_member_message() {
                    return Err(Problem::Malformed);
                }
                if self.holds_tree(&message) { Ok(Some(message)) } else { Err(Problem::TooFast) }
            }
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) => Ok(None),
            Message::Binary(_) | Message::Text(_) | Message::Frame(_) => Err(Problem::Malformed),
        }
    }

    /// Counts the parts of a tree until the message that uses them. Returns false if the origin has too many bytes.
    fn holds_tree(&mut self, message: &ClientMessage) -> bool {
        match message {
            ClientMessage::Meeting(Up::Tree { first, part }) => {
                return self.tree.add(*first, part.0.len(), Instant::now());
            }
            ClientMessage::Meeting(Up::Commit { welcome: Some(_), .. }) => self.tree.release(),
            ClientMessage::Meeting(Up::Manage { welcomes, .. }) if !welcomes.is_empty() => self.tree.release(),
            // A client that sends nothing is disconnected.
            ClientMessage::Meeting(_) | ClientMessage::Sfu(_) => self.tree.expire(Instant::now()),
        }
        true
    }

    /// Discards what arrives. If the socket closed with unread bytes, TCP would reset the connection, and the client
    /// might not receive the reason.
    async fn discard(mut self) {
        let silence = self.context.limits.silence;
        let drain = async { while let Some(Ok(_)) = self.source.next().await {} };
        let _ = timeout(silence, drain).await;
    }
}

/// The pause of a connection whose address has sent too many signed commands.
const COMMAND_PAUSE: Duration = Duration::from_millis(10);

/// The path for messages of meetings.
const PATH: &str = "/v1";
