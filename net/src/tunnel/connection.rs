//! The task that opens the tunnel when it is wanted, and moves datagrams through it.

use super::shared::Shared;
use crate::signalling::{Error, ServerEndpoint, Socket, open_tunnel};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use proto::MediaPath;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use webrtc::runtime::Runtime;

/// Opens and closes the tunnel as `shared` wants, until it is aborted. `tokens` has the server's newest token.
pub async fn run(
    shared: Arc<Shared>,
    server: ServerEndpoint,
    stack: Arc<dyn Runtime>,
    mut tokens: watch::Receiver<Option<String>>,
) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut pause = MIN_PAUSE;
    loop {
        ticks.tick().await;
        let token = tokens.borrow_and_update().clone();
        let (true, Some(token)) = (shared.handle_timeout(Instant::now()), token) else { continue };
        let opened = timeout(OPEN_TIMEOUT, open_tunnel(&server, &token, &stack)).await;
        let failure = match opened.unwrap_or(Err(Error::Silent)) {
            Ok(socket) => {
                tracing::info!("media tunnel open");
                let opened = Instant::now();
                shared.handle_opened(opened);
                let failure = carry(&shared, socket).await;
                // A proxy may open tunnels and close them at once.
                if opened.elapsed() > MAX_PAUSE {
                    pause = MIN_PAUSE;
                }
                failure
            }
            Err(error) => Some(error.to_string()),
        };
        tracing::info!(failure, "media tunnel closed");
        let failed = failure.is_some();
        shared.handle_closed(failure);
        if failed {
            sleep(pause).await;
            pause = (2 * pause).min(MAX_PAUSE);
        }
    }
}

/// Moves datagrams until the tunnel is lost, and then returns the reason, or until it is not wanted any more.
async fn carry(shared: &Shared, socket: Socket) -> Option<String> {
    let (sink, source) = socket.split();
    tokio::select! {
        reason = write(shared, sink) => Some(reason),
        reason = read(shared, source) => Some(reason),
        () = until_unwanted(shared) => None,
    }
}

async fn until_unwanted(shared: &Shared) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while shared.handle_timeout(Instant::now()) {
        ticks.tick().await;
    }
}

/// Tells the server each new path, and sends the datagrams that wait.
async fn write(shared: &Shared, mut sink: SplitSink<Socket, Message>) -> String {
    let mut told = None;
    loop {
        let mut batch = Vec::new();
        let path = shared.take_batch(&mut batch, Instant::now());
        let message = if told == Some(path) {
            None
        } else {
            told = Some(path);
            tracing::info!(path = path.as_str(), "media path");
            Some(Message::text(path.as_str()))
        };
        if message.is_none() && batch.is_empty() {
            shared.changed().await;
            continue;
        }
        let datagrams = (!batch.is_empty()).then(|| Message::Binary(batch.into()));
        for message in message.into_iter().chain(datagrams) {
            if let Err(error) = sink.send(message).await {
                return error.to_string();
            }
        }
    }
}

/// Passes the datagrams of the server on.
async fn read(shared: &Shared, mut source: SplitStream<Socket>) -> String {
    loop {
        match timeout(SILENCE, source.next()).await {
            Ok(Some(Ok(Message::Binary(message)))) if proto::datagrams(&message).is_ok() => {
                shared.handle_message(&message, Instant::now());
            }
            Ok(Some(Ok(Message::Close(_))) | None) => return "the server closed the media tunnel".into(),
            Ok(Some(Ok(Message::Binary(_) | Message::Text(_) | Message::Frame(_)))) => {
                return "the server sent a malformed message through the media tunnel".into();
            }
            Ok(Some(Err(error))) => return error.to_string(),
            // The stack's checks go through the tunnel, so the server sends at least their answers.
            Err(_) if shared.path() == MediaPath::Tls => return "the media tunnel is silent".into(),
            Ok(Some(Ok(Message::Ping(_) | Message::Pong(_)))) | Err(_) => {}
        }
    }
}

/// The interval at which the task checks whether the tunnel is wanted.
const TICK: Duration = Duration::from_millis(50);

/// How long opening may take.
const OPEN_TIMEOUT: Duration = Duration::from_secs(5);

/// A tunnel that carries media and delivers no message for this time is lost.
const SILENCE: Duration = Duration::from_secs(5);

/// The first and the longest pause after a failure.
const MIN_PAUSE: Duration = Duration::from_millis(200);
const MAX_PAUSE: Duration = Duration::from_secs(5);
