//! One media tunnel: a WebSocket of a participant from whom no UDP reaches this server. Datagrams go through it to the media
//! thread and back. [`proto::datagrams`] describes the messages.
//!
//! A slow reader loses datagrams; a fast sender is read more slowly, so that TCP slows it down.

mod key;
mod queue;
mod table;

pub use key::TunnelKey;
pub use queue::TunnelQueue;
pub use table::{ArrivalPath, Endpoints, SendPath, Tunnels, is_virtual};

use crate::Limits;
use crate::bucket::Bucket;
use crate::metered::Socket;
use crate::quota::Meter;
use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use proto::{MediaPath, ParticipantId};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout, timeout_at};
use tokio_tungstenite::tungstenite::Message;

/// What a tunnel tells the media thread of its participant.
#[derive(Debug)]
pub enum Event {
    /// A participant has opened a tunnel. It replaces the participant's tunnel before.
    Opened {
        /// The participant.
        participant: ParticipantId,
        /// The number of the tunnel.
        tunnel: u64,
        /// The datagrams to the participant.
        queue: Arc<TunnelQueue>,
        /// Answered with false if the participant is in no meeting.
        accepted: oneshot::Sender<bool>,
    },
    /// A message with datagrams has arrived.
    Datagrams {
        /// The participant.
        participant: ParticipantId,
        /// The number of the tunnel.
        tunnel: u64,
        /// A valid message.
        message: Bytes,
    },
    /// The participant has chosen the path to it.
    Path {
        /// The participant.
        participant: ParticipantId,
        /// The number of the tunnel.
        tunnel: u64,
        /// The path.
        path: MediaPath,
    },
    /// The tunnel is closed.
    Closed {
        /// The participant.
        participant: ParticipantId,
        /// The number of the tunnel.
        tunnel: u64,
    },
}

/// Keeps the delay in the kernel low: datagrams wait in our queue instead, which drops old ones.
pub fn configure(stream: &TcpStream) {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let set = socket2::SockRef::from(stream).set_tcp_notsent_lowat(proto::TUNNEL_UNSENT);
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let set = socket2::SockRef::from(stream).set_send_buffer_size(SEND_BUFFER);
    if let Err(error) = set {
        tracing::debug!(%error, "the send buffer of a tunnel was not limited");
    }
}

/// Serves a tunnel of `participant` until it ends. `number` identifies it. `events` leads to the thread of the participant.
pub async fn serve(
    socket: Socket,
    number: u64,
    participant: ParticipantId,
    meter: Arc<Meter>,
    (events, limits): (&mpsc::Sender<Event>, &Limits),
) {
    let queue = Arc::new(TunnelQueue::default());
    let (accepted, answer) = oneshot::channel();
    let opened = Event::Opened { participant, tunnel: number, queue: Arc::clone(&queue), accepted };
    if events.send(opened).await.is_err() || !answer.await.unwrap_or(false) {
        tracing::debug!(%participant, "a tunnel of no member was refused");
        return;
    }
    let (sink, source) = socket.split();
    let reader = Reader { participant, tunnel: number, source, meter, events, idle: limits.tunnel_idle };
    tokio::select! {
        () = write(sink, &queue, limits.write) => {}
        () = reader.run() => {}
    }
    queue.close();
    // The send fails only if the server stops.
    let _ = events.send(Event::Closed { participant, tunnel: number }).await;
}

/// Writes the datagrams of `queue` until it is closed or a write fails.
pub async fn write(mut sink: SplitSink<Socket, Message>, queue: &TunnelQueue, write_timeout: Duration) {
    while let Some(batch) = queue.next_batch().await {
        let sent = timeout(write_timeout, sink.send(Message::Binary(batch.into()))).await;
        if !matches!(sent, Ok(Ok(()))) {
            return;
        }
    }
    // A newer tunnel has replaced this one. It does not matter if the closing handshake fails.
    let _ = timeout(CLOSE_TIMEOUT, sink.close()).await;
}

/// Reads the messages of a tunnel.
struct Reader<'s> {
    participant: ParticipantId,
    tunnel: u64,
    source: SplitStream<Socket>,
    meter: Arc<Meter>,
    events: &'s mpsc::Sender<Event>,
    /// How long the tunnel may be idle.
    idle: Duration,
}

impl Reader<'_> {
    /// Runs until the tunnel ends, breaks a rule, or is not used.
    async fn run(mut self) {
        let mut bytes = Bucket::new(BYTES_PER_SECOND, BYTE_BURST, Instant::now());
        let mut deadline = tokio::time::Instant::now() + self.idle;
        loop {
            let Ok(Some(Ok(message))) = timeout_at(deadline, self.source.next()).await else { return };
            self.meter.finish();
            // An unused tunnel does not stay open by control frames, and these are not free.
            let length = u32::try_from(message.len()).unwrap_or(u32::MAX).saturating_add(MESSAGE_COST);
            while !bytes.take(length.min(BYTE_BURST), Instant::now()) {
                sleep(BUCKET_PAUSE).await;
            }
            let (participant, tunnel) = (self.participant, self.tunnel);
            let event = match message {
                Message::Binary(message) if proto::datagrams(&message).is_ok() => {
                    Event::Datagrams { participant, tunnel, message }
                }
                Message::Text(text) => match MediaPath::parse(&text) {
                    Ok(path) => Event::Path { participant, tunnel, path },
                    Err(proto::Malformed) => return self.refuse(),
                },
                Message::Ping(_) | Message::Pong(_) => continue,
                Message::Binary(_) | Message::Frame(_) => return self.refuse(),
                Message::Close(_) => return,
            };
            deadline = tokio::time::Instant::now() + self.idle;
            // Waits for the media thread. Until then nothing is read, so one tunnel holds one message in memory.
            if self.events.send(event).await.is_err() {
                return;
            }
        }
    }

    fn refuse(&self) {
        tracing::debug!(participant = %self.participant, "a tunnel was closed: malformed message");
    }
}

/// Average bytes per second from one tunnel: camera and screen at their highest bitrates.
const BYTES_PER_SECOND: u32 = 4 << 20;

/// Bytes that a tunnel may send at once after a pause.
const BYTE_BURST: u32 = 1 << 20;

/// The bytes for which an empty message counts.
const MESSAGE_COST: u32 = 64;

/// The pause of a tunnel that has sent too many bytes.
const BUCKET_PAUSE: Duration = Duration::from_millis(5);

/// How long the closing handshake may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Bytes that the kernel holds until they are acknowledged, if the unsent ones cannot be limited.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const SEND_BUFFER: usize = 64 << 10;
