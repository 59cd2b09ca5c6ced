//! The main task of a session. It owns the SFU's dialect, the connections to servers and the transports of media, and
//! moves messages between them and the keys thread, which owns the meeting. It makes no decisions and computes no
//! cryptography.

mod event_queue;
mod media;
mod path_watch;
mod published_tracks;
mod server_connection;
mod sfu_connection;
mod totals_requests;
mod transports;

use crate::backends::Backends;
use crate::config::Config;
use crate::error::Error;
use crate::event::Event;
use crate::keys_thread::{Address, Inbox, Input as KeysInput, KeysThread, Output as KeysOutput, Setup, Shared};
use crate::media_requests::{self, Pending, Publication};
use crate::meeting::{self, LobbyEvent};
use crate::peer;
use crate::sfu::{Input, Output, Sfu, TrackSpec, TransportId, kind_of};
use crate::signalling::{self, ServerEndpoint, WebSocket, WebSocketEvent};
use bytes::Bytes;
use crypto::KeyRing;
use event_queue::EventQueue;
use media::{Local, Media};
use path_watch::PathWatch;
use proto::{
    Blob, ClientMessage, DemandedLayer, FromSfu, ParticipantId, ServerMessage, Slot, SpatialLayer, TileWish, ToSfu,
    TrackDemand,
};
use server_connection::{ServerConnection, ServerEvent};
use sfu_connection::{SfuConnection, SfuEvent};
use std::net::IpAddr;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use totals_requests::TotalsRequests;
use transports::Report;

/// The driver's ends of the queues that it shares with [`crate::Session`], and the back-ends.
pub struct Ends {
    pub commands: mpsc::Receiver<meeting::Command>,
    pub requests: media_requests::Receiver,
    pub wishes: watch::Receiver<Vec<TileWish>>,
    pub events: mpsc::Sender<Event>,
    pub shared: Shared,
    pub backends: Backends,
}

/// Runs a session until it ends.
pub async fn run(config: Config, ends: Ends) {
    let ring = config.ring.clone();
    let events = ends.events.clone();
    let end = connect_and_run(config, ends).await;
    ring.clear();
    if let Err(error) = end {
        tracing::info!(%error, fault = ?error.fault(), "session failed");
        // The program may have stopped reading.
        let _ = events.send_timeout(Event::Failed(error), CLOSE_TIMEOUT).await;
    }
}

async fn connect_and_run(config: Config, ends: Ends) -> Result<(), Error> {
    let Config { host, port, fingerprint, .. } = &config;
    let proxy = ends.backends.proxy.clone();
    let server = ServerEndpoint { host: host.clone(), port: *port, fingerprint: *fingerprint, proxy };
    let socket = tokio::select! {
        socket = WebSocket::connect(&server, &ends.backends.stack) => socket?,
        // The program does not read events any more.
        () = ends.events.closed() => return Ok(()),
    };
    Driver::open(config, server, ends, socket).await?.run().await
}

struct Driver {
    keys: KeysThread,
    sfu: Box<dyn Sfu>,
    /// The connection to the SFU's own server, if the dialect ordered one.
    sfu_connection: SfuConnection,
    server: ServerConnection,
    path_watch: PathWatch,
    media: Media,
    /// This participant in the meeting. `None` before it has entered, and after it was sent back to the waiting room.
    me: Option<ParticipantId>,
    /// True if media go on although the last connection to the server was lost.
    keeps_media: bool,
    requests: media_requests::Receiver,
    wishes: watch::Receiver<Vec<TileWish>>,
    event_queue: EventQueue,
    totals_requests: TotalsRequests,
    ring: KeyRing,
    /// When the estimate and old keys are checked next.
    tick: Instant,
    /// True after the meeting's last event.
    over: bool,
}

/// The reason why [`Driver::wait`] returns.
enum Wake {
    Server(ServerEvent),
    Keys(Option<KeysOutput>),
    Requests,
    Wishes,
    Media(TransportId, Report),
    Sfu(SfuEvent),
    EventRoom,
    Time,
}

impl Driver {
    async fn open(config: Config, endpoint: ServerEndpoint, ends: Ends, socket: WebSocket) -> Result<Self, Error> {
        let Config { entry, host, port, fingerprint, ring, pool } = config;
        let Ends { commands, requests, wishes, events, shared, backends } = ends;
        let Backends { stack, sfu, route, .. } = backends;
        // Media use the network interface that signalling uses.
        let transports = sfu.caps().topology.transport_ids();
        let system = (Arc::clone(&stack), route);
        let media = Media::open(transports, socket.local().ip(), pool, endpoint.clone(), system).await?;
        let server = ServerConnection::new(socket, endpoint, Arc::clone(&stack));
        let address = Address { host, port, fingerprint };
        let setup = Setup { commands, ring: ring.clone(), address, shared };
        Ok(Self {
            keys: KeysThread::spawn(entry, setup)?,
            sfu,
            sfu_connection: SfuConnection::new(stack),
            server,
            path_watch: PathWatch::new(),
            media,
            me: None,
            keeps_media: false,
            requests,
            wishes,
            event_queue: EventQueue::new(events),
            totals_requests: TotalsRequests::default(),
            ring,
            tick: Instant::now() + TICK,
            over: false,
        })
    }

    async fn run(mut self) -> Result<(), Error> {
        let result = self.work().await;
        self.leave_sfu();
        let Self { keys, server, media, event_queue, sfu_connection, .. } = self;
        // These are the last messages, including `Leave`. If the connection is lost, they are lost, too.
        let closed = keys.close(|message| drop(server.send(&ClientMessage::Meeting(message)))).await;
        sfu_connection.close(CLOSE_TIMEOUT).await;
        media.close().await;
        server.close(CLOSE_TIMEOUT).await;
        event_queue.flush(CLOSE_TIMEOUT).await;
        // If the thread panicked, `result` only says that its outputs ended, so the panic is reported first.
        closed.and(result)
    }

    async fn work(&mut self) -> Result<(), Error> {
        loop {
            self.execute_all().await?;
            if self.over {
                return Ok(());
            }
            let wake = self.wait().await;
            if self.handle(wake, Instant::now()).await?.is_break() {
                return Ok(());
            }
        }
    }

    /// Waits for the next input. Each branch is cancel-safe.
    async fn wait(&mut self) -> Wake {
        let deadline = tokio::time::Instant::from_std(self.deadline());
        let waiting = self.event_queue.is_waiting();
        tokio::select! {
            event = next_event(&self.keys.inbox, &mut self.server) => Wake::Server(event),
            output = self.keys.outputs.recv() => Wake::Keys(output),
            () = self.requests.changed() => Wake::Requests,
            Ok(()) = self.wishes.changed() => Wake::Wishes,
            (transport, report) = self.media.next() => Wake::Media(transport, report),
            event = self.sfu_connection.next() => Wake::Sfu(event),
            () = self.event_queue.room(), if waiting => Wake::EventRoom,
            () = tokio::time::sleep_until(deadline) => Wake::Time,
        }
    }

    fn deadline(&self) -> Instant {
        self.sfu.poll_timeout().map_or(self.tick, |due| due.min(self.tick))
    }

    async fn handle(&mut self, wake: Wake, now: Instant) -> Result<ControlFlow<()>, Error> {
        match wake {
            Wake::Server(event) => self.handle_server(event, now).await?,
            Wake::Keys(Some(KeysOutput::Send(message))) => self.send(&ClientMessage::Meeting(message))?,
            Wake::Keys(Some(KeysOutput::Reconnect)) => {
                // Media flow on while the connection to the server is opened.
                self.server.reconnect(CLOSE_TIMEOUT);
                self.suspend_sfu(now);
            }
            Wake::Keys(Some(KeysOutput::Event(event))) => self.handle_event(event, now).await?,
            // The thread ended without `Ended`, so it panicked.
            Wake::Keys(None) => return Err(Error::KeysThread),
            Wake::Requests => self.handle_requests(now)?,
            Wake::Wishes => {
                let tiles = self.wishes.borrow_and_update().clone();
                self.sfu.handle(Input::Wishes(tiles), now);
            }
            Wake::Media(transport, report) => self.handle_report(transport, report, now)?,
            Wake::Sfu(SfuEvent::Connected) => self.sfu.handle(Input::Connected, now),
            Wake::Sfu(SfuEvent::Signal(bytes)) => self.sfu.handle(Input::Signal(bytes), now),
            Wake::Sfu(SfuEvent::Lost) => self.sfu.handle(Input::SignalLost, now),
            Wake::EventRoom => {}
            Wake::Time => {
                self.tick = now + TICK;
                self.sfu.handle(Input::Timeout, now);
                self.ring.expire(now);
                match self.media.handle_timeout(&mut self.event_queue, now) {
                    Err(Error::NoMedia(_)) => self.replace_transports(now)?,
                    result => result?,
                }
                for transport in self.media.transports.use_turn_servers(now).await? {
                    self.sfu.handle(Input::Renegotiate { transport }, now);
                }
                self.check_path(now);
            }
        }
        Ok(if self.event_queue.is_closed() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }

    async fn handle_server(&mut self, event: ServerEvent, now: Instant) -> Result<(), Error> {
        match event {
            ServerEvent::Received(WebSocketEvent::Message(message)) => self.handle_message(message, now)?,
            ServerEvent::Received(WebSocketEvent::Malformed) => self.keys.inbox.send(KeysInput::Malformed),
            ServerEvent::Received(WebSocketEvent::Closed) => {
                self.suspend_sfu(now);
                self.keys.inbox.send(KeysInput::Disconnected);
            }
            ServerEvent::Connected(local) => {
                // Before the restart of media, so that the meeting greets the server while the sockets are opened.
                self.keys.inbox.send(KeysInput::Connected);
                self.keeps_media = self.me.is_some() && self.media.transports.are_alive(now);
                if !self.keeps_media {
                    self.restart_media(local.ip(), now).await?;
                }
            }
        }
        Ok(())
    }

    /// Requests a new connection to the server, and new transports with it, because the transports of media have failed.
    ///
    /// # Errors
    /// Returns [`Error::NoMedia`] if new transports would not help.
    fn replace_transports(&mut self, now: Instant) -> Result<(), Error> {
        if !self.server.is_open() {
            // They are replaced when the connection is open again.
            return Ok(());
        }
        if self.sfu_connection.is_ordered() || !self.media.may_connect_again(now) {
            return Err(self.media.transports.no_media());
        }
        self.path_watch.request();
        Ok(())
    }

    /// Tells the meeting to connect to the server again if the network path has changed.
    fn check_path(&mut self, now: Instant) {
        let (local, server) = self.server.path();
        // If the queue to the meeting is full, the next check tries again.
        if self.path_watch.check(local, server, now) && self.keys.inbox.try_send(KeysInput::NetworkChanged) {
            tracing::info!("connecting to the server again: the network has changed, or this computer was asleep");
            self.path_watch.take();
        }
    }

    /// Suspends the negotiation with our server's SFU. The answer to the last offer is lost with the connection.
    fn suspend_sfu(&mut self, now: Instant) {
        if !self.sfu_connection.is_ordered() {
            self.sfu.handle(Input::Suspended, now);
        }
    }

    /// Restarts media with our server's SFU, on new transports.
    async fn restart_media(&mut self, local: IpAddr, now: Instant) -> Result<(), Error> {
        self.keeps_media = false;
        if self.sfu_connection.is_ordered() {
            return Ok(());
        }
        self.sfu.handle(Input::Restart, now);
        self.media.restart(local).await
    }

    /// Restarts media if an answer shows that the server has forgotten the transports that this client has kept. Returns whether the
    /// answer does.
    async fn restart_if_forgotten(&mut self, transport: TransportId, sdp: &str, now: Instant) -> Result<bool, Error> {
        // An SFU with its own connection may restart ICE.
        if self.media.is_session(transport, sdp)? || self.sfu_connection.is_ordered() {
            return Ok(false);
        }
        tracing::info!("media restart: the server has forgotten their transports");
        if let (Some(local), Some(me)) = (self.server.path().0, self.me) {
            self.restart_media(local.ip(), now).await?;
            self.sfu.handle(Input::Entered(me), now);
        }
        Ok(true)
    }

    /// Routes a message to the keys thread or to the SFU's dialect.
    fn handle_message(&mut self, message: ServerMessage, now: Instant) -> Result<(), Error> {
        match message {
            ServerMessage::Meeting(message) => self.keys.inbox.send(KeysInput::Message(message)),
            ServerMessage::Sfu(FromSfu::Signal(blob)) => self.sfu.handle(Input::Signal(blob.0.into()), now),
            ServerMessage::Sfu(FromSfu::Totals { totals }) => {
                let event = self.totals_requests.handle_answer(totals)?;
                self.event_queue.push(event);
            }
        }
        Ok(())
    }

    fn handle_requests(&mut self, now: Instant) -> Result<(), Error> {
        let Pending { publications, key_frames, limits, last_rates, totals } = self.requests.take();
        if limits.is_some() || last_rates.is_some() {
            let settings = self.media.set_bandwidth(limits, last_rates);
            self.sfu.handle(Input::Downlink(settings), now);
        }
        for (slot, publication) in publications {
            match publication {
                Publication::Published { layers, queue } => {
                    self.media.publish(slot, &layers, queue);
                    if !self.sfu.caps().sender_feedback {
                        self.set_demand(all_layers(slot, &layers));
                    }
                    let codec = kind_of(slot).into();
                    self.sfu.handle(Input::Publish(TrackSpec { slot, codec, layers }), now);
                }
                Publication::Unpublished => {
                    self.media.unpublish(slot);
                    self.sfu.handle(Input::Unpublish(slot), now);
                }
            }
        }
        for track in key_frames {
            self.media.want_key_frame(track);
        }
        if totals {
            self.totals_requests.handle_request();
            self.send(&ClientMessage::Sfu(ToSfu::Count))?;
        }
        Ok(())
    }

    fn handle_report(&mut self, transport: TransportId, report: Report, now: Instant) -> Result<(), Error> {
        match report {
            Report::Event(peer::Event::State(state)) => {
                self.media.handle_state(transport, state, &mut self.event_queue, now)?;
                self.sfu.handle(Input::TransportState { transport, state }, now);
            }
            Report::Event(peer::Event::Candidate(candidate)) => {
                self.sfu.handle(Input::Candidate { transport, candidate }, now);
            }
            Report::Event(peer::Event::Failed) => self.replace_transports(now)?,
            Report::Feedback(feedback) => self.media.handle_feedback(transport, feedback, &mut self.event_queue),
            Report::Estimate => self.media.report_estimate(&mut self.event_queue),
        }
        Ok(())
    }

    /// Queues a message for the server. A lost connection is not an error here: the reader reports it to the
    /// meeting.
    fn send(&self, message: &ClientMessage) -> Result<(), Error> {
        match self.server.send(message) {
            Err(signalling::Error::Lost) | Ok(()) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Executes the orders of the SFU's dialect, and passes on the queued events.
    async fn execute_all(&mut self) -> Result<(), Error> {
        while let Some(output) = self.sfu.poll() {
            self.execute(output).await?;
        }
        self.event_queue.push_all()
    }

    async fn execute(&mut self, output: Output) -> Result<(), Error> {
        let now = Instant::now();
        match output {
            Output::Connect { url, headers } => self.sfu_connection.open(url, headers),
            Output::Signal(bytes) => self.send_signal(bytes)?,
            Output::Offer { transport, plan } => {
                let Local { sdp, mids } = self.media.offer(transport, &plan).await?;
                self.sfu.handle(Input::Local { transport, sdp, mids }, now);
            }
            Output::Apply { transport, sdp, .. } if self.restart_if_forgotten(transport, &sdp, now).await? => {}
            Output::Apply { transport, sdp, kind } => {
                let local = self.media.apply(transport, sdp, kind, &mut self.event_queue).await?;
                if let Some(Local { sdp, mids }) = local {
                    self.sfu.handle(Input::Local { transport, sdp, mids }, now);
                }
            }
            Output::TunnelToken { transport, token } => self.media.transports.set_tunnel_token(transport, token)?,
            Output::TurnServers { transport, access } => {
                self.media.transports.set_turn_access(transport, access).await?;
            }
            Output::AddCandidate { transport, candidate } => self.media.add_candidate(transport, candidate).await?,
            Output::Track(incoming) => self.media.begin(incoming, &mut self.event_queue, now),
            Output::TrackEnded(track) => self.media.end(track, &mut self.event_queue),
            Output::SharedVoices { transport, mids } => {
                self.media.share_voices(transport, &mids, &mut self.event_queue, now);
            }
            Output::SoundLoss { percent, max_bitrate } => {
                self.event_queue.push(Event::SoundLoss { percent, max_bitrate });
            }
            Output::LayersChanged(track, layers) => self.event_queue.push(Event::LayersChanged(track, layers)),
            Output::Downlink(report) => self.event_queue.push(Event::Downlink(report)),
            Output::TrackDemand(layers) => self.set_demand(layers),
            Output::Failed(reason) => return Err(Error::Negotiation(reason)),
        }
        Ok(())
    }

    fn set_demand(&mut self, demand: TrackDemand) {
        self.media.set_demand(&demand);
        self.event_queue.push(Event::DemandChanged(demand));
    }

    /// Sends signalling to the SFU's own server if the dialect ordered a connection to it, otherwise through our
    /// server.
    fn send_signal(&self, bytes: Bytes) -> Result<(), Error> {
        if self.sfu_connection.is_ordered() {
            self.sfu_connection.send(bytes);
            return Ok(());
        }
        self.send(&ClientMessage::Sfu(ToSfu::Signal(Blob(bytes.into()))))
    }

    /// Sends the dialect's last messages.
    fn leave_sfu(&mut self) {
        self.sfu.handle(Input::Leave, Instant::now());
        while let Some(output) = self.sfu.poll() {
            if let Output::Signal(bytes) = output {
                // The session ends in any case.
                self.send_signal(bytes).ok();
            }
        }
    }

    async fn handle_event(&mut self, event: Event, now: Instant) -> Result<(), Error> {
        if let Event::Meeting(meeting::Event::Entered { me } | meeting::Event::Reconnected { me }) = &event {
            let before = self.me.replace(*me);
            if self.keeps_media && before != Some(*me) {
                // The transports belong to the participant that this client was.
                if let Some(local) = self.server.path().0 {
                    self.restart_media(local.ip(), now).await?;
                }
            }
        }
        match &event {
            // An SFU with its own connection has not noticed anything.
            Event::Meeting(meeting::Event::Reconnected { .. }) if self.sfu_connection.is_ordered() => {}
            Event::Meeting(meeting::Event::Entered { me } | meeting::Event::Reconnected { me }) => {
                self.sfu.handle(Input::Entered(*me), now);
            }
            Event::Meeting(meeting::Event::Members(members)) => self.media.set_members(members, &mut self.event_queue),
            Event::Meeting(meeting::Event::Ended(_)) => self.over = true,
            // Its transports belong to a participant that is no member any more.
            Event::Meeting(meeting::Event::Lobby(LobbyEvent::SentBack)) => {
                self.me = None;
                self.media.end_all(&mut self.event_queue);
            }
            Event::Meeting(_)
            | Event::Rekeyed(_)
            | Event::Track { .. }
            | Event::TrackEnded(_)
            | Event::LayersChanged(..)
            | Event::DemandChanged(_)
            | Event::SoundLoss { .. }
            | Event::Downlink(_)
            | Event::InboundStats(_)
            | Event::KeyFrameWanted { .. }
            | Event::Estimate { .. }
            | Event::Connected
            | Event::MediaPath(_)
            | Event::Totals(_)
            | Event::Failed(_) => {}
        }
        self.event_queue.push(event);
        Ok(())
    }
}

/// Returns a request for all layers of an own track, with all their temporal layers.
fn all_layers(slot: Slot, layers: &[SpatialLayer]) -> TrackDemand {
    let wanted = layers.iter().map(|layer| DemandedLayer {
        spatial: layer.spatial,
        temporal_layers: MAX_TEMPORAL_LAYERS,
        max_bitrate: None,
    });
    TrackDemand { slot, wanted: wanted.collect() }
}

/// Waits for the next event of the connection when the keys thread has room for it. Until then the socket is not read, so
/// that TCP slows the server down. Cancel-safe.
async fn next_event(inbox: &Inbox, server: &mut ServerConnection) -> ServerEvent {
    inbox.room().await;
    server.next().await
}

/// The maximum number of temporal layers of a spatial layer.
const MAX_TEMPORAL_LAYERS: u8 = 3;

/// The interval at which the estimate and old keys are checked.
const TICK: Duration = Duration::from_millis(100);

/// How long closing may take, for each connection and for the last events.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);
