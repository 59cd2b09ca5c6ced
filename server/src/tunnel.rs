//! One media tunnel: a WebSocket of a participant from whom no UDP reaches this server. Datagrams go through it to the media
//! thread and back. [`proto::datagrams`] describes the messages.
//!
//! A slow reader loses datagrams; a fast sender is read more slowly, so that TCP slows it down.

mod key;
mod queue;
mod read_limit;
mod table;

pub use key::TunnelKey;
pub use queue::TunnelQueue;
pub use read_limit::MAX_DATAGRAMS;
pub use table::{ArrivalPath, Endpoints, SendPath, Tunnels, is_virtual};

use crate::Limits;
use crate::metered::Socket;
use crate::quota::Meter;
use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use proto::{MediaPath, ParticipantId};
use read_limit::{ReadLimit, parts};
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
    /// Datagrams have arrived.
    Datagrams {
        /// The participant.
        participant: ParticipantId,
        /// The number of the tunnel.
        tunnel: u64,
        /// A valid message of at most [`MAX_DATAGRAMS`].
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
        let mut limit = ReadLimit::new(Instant::now());
        let mut deadline = tokio::time::Instant::now() + self.idle;
        loop {
            let Ok(Some(Ok(message))) = timeout_at(deadline, self.source.next()).await else { return };
            self.meter.finish();
            limit.add(&message);
            while !limit.pay(Instant::now()) {
                sleep(BUCKET_PAUSE).await;
            }
            let (participant, tunnel) = (self.participant, self.tunnel);
            match message {
                Message::Binary(message) if proto::datagrams(&message).is_ok() => {
                    // Waits for the media thread. Until then nothing is read, so one tunnel holds one message in memory.
                    for event in datagrams(participant, tunnel, message) {
                        if self.events.send(event).await.is_err() {
                            return;
                        }
                    }
                }
                Message::Text(text) => {
                    let Ok(path) = MediaPath::parse(&text) else { return self.refuse() };
                    if self.events.send(Event::Path { participant, tunnel, path }).await.is_err() {
                        return;
                    }
                }
                // They do not keep an unused tunnel open.
                Message::Ping(_) | Message::Pong(_) => continue,
                Message::Binary(_) | Message::Frame(_) => return self.refuse(),
                Message::Close(_) => return,
            }
            deadline = tokio::time::Instant::now() + self.idle;
        }
    }

    fn refuse(&self) {
        tracing::debug!(participant = %self.participant, "a tunnel was closed: malformed message");
    }
}

/// Returns the events of a valid message.
pub fn datagrams(participant: ParticipantId, tunnel: u64, message: Bytes) -> impl Iterator<Item = Event> {
    parts(message).map(move |message| Event::Datagrams { participant, tunnel, message })
}

/// The pause of a tunnel that has sent too many bytes.
const BUCKET_PAUSE: Duration = Duration::from_millis(5);

/// How long the closing handshake may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Bytes that the kernel holds until they are acknowledged, if the unsent ones cannot be limited.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const SEND_BUFFER: usize = 64 << 10;
