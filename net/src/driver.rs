//! The one task of a session: it owns the meeting, the SFU's dialect, the connections to servers and the transports of
//! media, and moves bytes between them. Decisions are those of the two machines.

mod media;
mod outbox;
mod sfu_connection;

use crate::error::Error;
use crate::meeting::{self, Meeting};
use crate::peer;
use crate::session::{Config, Event, Order};
use crate::sfu::{Input, Output, Sfu, TrackSpec, TransportId, kind_of};
use crate::signalling::{Incoming, Wire};
use bytes::Bytes;
use crypto::KeyRing;
use media::{Local, Media, Report};
use outbox::Outbox;
use proto::{
    Blob, ClientMessage, FromSfu, SenderLayers, ServerMessage, Slot, SpatialLayer, TileWish, ToSfu, WantedLayer,
};
use sfu_connection::{SfuConnection, SfuEvent};
use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use webrtc::runtime::Runtime;

/// The session's ends of what the handle holds.
pub struct Ends {
    pub orders: mpsc::Receiver<Order>,
    pub wishes: watch::Receiver<Vec<TileWish>>,
    pub events: mpsc::Sender<Event>,
    pub link: Arc<OnceLock<String>>,
    pub paths: Arc<dyn Runtime>,
    pub sfu: Box<dyn Sfu>,
}

/// Runs a session to its end.
pub async fn run(config: Config, ends: Ends) {
    let ring = config.ring.clone();
    let events = ends.events.clone();
    let end = session(config, ends).await;
    ring.clear();
    if let Err(error) = end {
        tracing::info!(%error, fault = ?error.fault(), "session failed");
        // A reader that has gone, or has stopped, misses nothing.
        let _ = events.send_timeout(Event::Failed(error), CLOSE_TIMEOUT).await;
    }
}

async fn session(config: Config, ends: Ends) -> Result<(), Error> {
    let wire = tokio::select! {
        wire = Wire::connect(&config.host, config.port, config.fingerprint) => wire?,
        // Nobody listens any more: nobody wants to get in.
        () = ends.events.closed() => return Ok(()),
    };
    Driver::open(config, ends, wire).await?.run().await
}

struct Driver {
    meeting: Meeting,
    sfu: Box<dyn Sfu>,
    /// The connection to a server of the SFU's own, if its dialect ordered one.
    sfu_connection: SfuConnection,
    wire: Wire,
    media: Media,
    orders: Option<mpsc::Receiver<Order>>,
    wishes: watch::Receiver<Vec<TileWish>>,
    outbox: Outbox,
    ring: KeyRing,
    link: Arc<OnceLock<String>>,
    address: Address,
    /// When estimates and old keys are looked at next, whatever else happens.
    tick: Instant,
    over: bool,
}

/// The server, as the invitation names it.
struct Address {
    host: String,
    port: u16,
    fingerprint: Option<[u8; 32]>,
}

/// What woke the loop.
enum Wake {
    Incoming(Incoming),
    Order(Option<Order>),
    Wishes,
    Media(TransportId, Report),
    Sfu(SfuEvent),
    Room,
    Time,
}

impl Driver {
    async fn open(config: Config, ends: Ends, wire: Wire) -> Result<Self, Error> {
        let Config { entry, host, port, fingerprint, ring, pool } = config;
        // Media go the way that signalling goes.
        let transports = ends.sfu.caps().topology.transports();
        let media = Media::open(transports, wire.local().ip(), pool, ends.paths).await?;
        Ok(Self {
            meeting: Meeting::new(entry, Instant::now()),
            sfu: ends.sfu,
            sfu_connection: SfuConnection::default(),
            wire,
            media,
            orders: Some(ends.orders),
            wishes: ends.wishes,
            outbox: Outbox::new(ends.events),
            ring,
            link: ends.link,
            address: Address { host, port, fingerprint },
            tick: Instant::now() + TICK,
            over: false,
        })
    }

    async fn run(mut self) -> Result<(), Error> {
        let result = self.work().await;
        self.drain_meeting().ok();
        self.leave_sfu();
        let Self { wire, media, outbox, sfu_connection, .. } = self;
        sfu_connection.close(CLOSE_TIMEOUT).await;
        media.close().await;
        wire.close(CLOSE_TIMEOUT).await;
        outbox.flush(CLOSE_TIMEOUT).await;
        result
    }

    async fn work(&mut self) -> Result<(), Error> {
        loop {
            self.drain().await?;
            if self.over {
                return Ok(());
            }
            let wake = self.wait().await;
            if self.handle(wake, Instant::now())?.is_break() {
                return Ok(());
            }
        }
    }

    /// Waits for anything. Every branch may be dropped while it waits.
    async fn wait(&mut self) -> Wake {
        let deadline = tokio::time::Instant::from_std(self.deadline());
        let waiting = self.outbox.is_waiting();
        tokio::select! {
            heard = self.wire.next() => Wake::Incoming(heard),
            order = next_order(&mut self.orders) => Wake::Order(order),
            Ok(()) = self.wishes.changed() => Wake::Wishes,
            (transport, report) = self.media.next() => Wake::Media(transport, report),
            event = self.sfu_connection.next() => Wake::Sfu(event),
            () = self.outbox.room(), if waiting => Wake::Room,
            () = tokio::time::sleep_until(deadline) => Wake::Time,
        }
    }

    fn deadline(&self) -> Instant {
        let due = [self.meeting.poll_timeout(), self.sfu.poll_timeout()];
        due.into_iter().flatten().fold(self.tick, Instant::min)
    }

    fn handle(&mut self, wake: Wake, now: Instant) -> Result<ControlFlow<()>, Error> {
        match wake {
            Wake::Incoming(Incoming::Message(message)) => self.handle_message(message, now),
            Wake::Incoming(Incoming::Malformed) => self.meeting.handle_malformed(),
            Wake::Incoming(Incoming::Closed) => self.meeting.handle_disconnected(),
            Wake::Order(Some(order)) => self.handle_order(order, now)?,
            // The last handle is gone: good-bye.
            Wake::Order(None) => {
                self.orders = None;
                self.meeting.handle_command(meeting::Command::Leave, now);
            }
            Wake::Wishes => {
                let tiles = self.wishes.borrow_and_update().clone();
                self.sfu.handle(Input::Wishes(tiles), now);
            }
            Wake::Media(transport, report) => self.handle_report(transport, report, now)?,
            Wake::Sfu(SfuEvent::Connected) => self.sfu.handle(Input::Connected, now),
            Wake::Sfu(SfuEvent::Signal(bytes)) => self.sfu.handle(Input::Signal(bytes), now),
            Wake::Sfu(SfuEvent::Lost) => self.sfu.handle(Input::SignalLost, now),
            Wake::Room => {}
            Wake::Time => {
                self.tick = now + TICK;
                self.meeting.handle_timeout(now);
                self.sfu.handle(Input::Timeout, now);
                self.ring.expire(now);
                self.media.handle_timeout(&mut self.outbox, now)?;
            }
        }
        Ok(if self.outbox.is_closed() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }

    fn handle_message(&mut self, message: ServerMessage, now: Instant) {
        match message {
            ServerMessage::Meeting(message) => self.meeting.handle_message(message, now),
            ServerMessage::Sfu(FromSfu::Signal(blob)) => self.sfu.handle(Input::Signal(blob.0.into()), now),
            ServerMessage::Sfu(FromSfu::Totals { totals }) => self.outbox.push(Event::Totals(totals)),
        }
    }

    fn handle_order(&mut self, order: Order, now: Instant) -> Result<(), Error> {
        match order {
            Order::Meeting(command) => self.meeting.handle_command(command, now),
            Order::Publish { slot, layers, queue } => {
                self.media.publish(slot, &layers, queue);
                if !self.sfu.caps().sender_feedback {
                    self.outbox.push(Event::LayersWanted(all_layers(slot, &layers)));
                }
                let codec = kind_of(slot).into();
                self.sfu.handle(Input::Publish(TrackSpec { slot, codec, layers }), now);
            }
            Order::Unpublish(slot) => {
                self.media.unpublish(slot);
                self.sfu.handle(Input::Unpublish(slot), now);
            }
            Order::KeyFrame(track) => self.media.want_key_frame(track),
            Order::Count => self.wire.send(&ClientMessage::Sfu(ToSfu::Count))?,
        }
        Ok(())
    }

    fn handle_report(&mut self, transport: TransportId, report: Report, now: Instant) -> Result<(), Error> {
        match report {
            Report::Event(peer::Event::State(state)) => {
                self.media.handle_state(transport, state, &mut self.outbox, now)?;
                self.sfu.handle(Input::TransportState { transport, state }, now);
            }
            Report::Event(peer::Event::Candidate(candidate)) => {
                self.sfu.handle(Input::Candidate { transport, candidate }, now);
            }
            Report::Event(peer::Event::Failed) => return Err(Error::NoMedia),
            Report::Feedback(feedback) => self.media.handle_feedback(transport, feedback, &mut self.outbox),
        }
        Ok(())
    }

    /// Carries out what the machines order.
    async fn drain(&mut self) -> Result<(), Error> {
        self.drain_meeting()?;
        while let Some(output) = self.sfu.poll() {
            self.obey(output).await?;
        }
        self.outbox.push_all()
    }

    async fn obey(&mut self, output: Output) -> Result<(), Error> {
        let now = Instant::now();
        match output {
            Output::Connect { url, headers } => self.sfu_connection.open(url, headers),
            Output::Signal(bytes) => self.send_signal(bytes)?,
            Output::Offer { transport, plan } => {
                let Local { sdp, mids } = self.media.offer(transport, &plan).await?;
                self.sfu.handle(Input::Local { transport, sdp, mids }, now);
            }
            Output::Apply { transport, sdp, kind } => {
                let local = self.media.apply(transport, sdp, kind, &mut self.outbox).await?;
                if let Some(Local { sdp, mids }) = local {
                    self.sfu.handle(Input::Local { transport, sdp, mids }, now);
                }
            }
            Output::AddCandidate { transport, candidate } => self.media.add_candidate(transport, candidate).await?,
            Output::Track(incoming) => self.media.begin(incoming, &mut self.outbox, now),
            Output::TrackEnded(track) => self.media.end(track, &mut self.outbox),
            Output::SenderLayers(layers) => self.outbox.push(Event::LayersWanted(layers)),
            Output::Failed(reason) => return Err(Error::Negotiation(reason)),
        }
        Ok(())
    }

    /// Signalling goes to the SFU's own server if there is one, else through ours.
    fn send_signal(&self, bytes: Bytes) -> Result<(), Error> {
        if self.sfu_connection.is_ordered() {
            self.sfu_connection.send(bytes);
            return Ok(());
        }
        Ok(self.wire.send(&ClientMessage::Sfu(ToSfu::Signal(Blob(bytes.into()))))?)
    }

    /// Lets the dialect say goodbye.
    fn leave_sfu(&mut self) {
        self.sfu.handle(Input::Leave, Instant::now());
        while let Some(output) = self.sfu.poll() {
            if let Output::Signal(bytes) = output {
                // The session ends in any case.
                self.send_signal(bytes).ok();
            }
        }
    }

    fn drain_meeting(&mut self) -> Result<(), Error> {
        while let Some(event) = self.meeting.poll_event() {
            self.handle_event(event);
        }
        let mut sent = Ok(());
        while let Some(message) = self.meeting.poll_transmit() {
            sent = sent.and_then(|()| self.wire.send(&ClientMessage::Meeting(message)));
        }
        // A connection that broke is told by the meeting, once the reading end sees it.
        match sent {
            Err(crate::signalling::Error::Lost) | Ok(()) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn handle_event(&mut self, event: meeting::Event) {
        let now = Instant::now();
        match event {
            meeting::Event::Keys { keys, removed, leaves, epoch } => {
                self.ring.install(keys, &leaves, &removed, now);
                self.outbox.push(Event::Rekeyed(epoch));
            }
            meeting::Event::Entered { me } => {
                self.sfu.handle(Input::Entered(me), now);
                let Address { host, port, fingerprint } = &self.address;
                if let Some(invitation) = self.meeting.invitation(host, *port, *fingerprint) {
                    // Set once: a session enters once.
                    let _ = self.link.set(invitation.to_string());
                }
                self.outbox.push(Event::Meeting(meeting::Event::Entered { me }));
            }
            last @ (meeting::Event::Refused | meeting::Event::Removed | meeting::Event::Ended(_)) => {
                self.over = true;
                self.outbox.push(Event::Meeting(last));
            }
            event @ (meeting::Event::Approaching
            | meeting::Event::Knocking
            | meeting::Event::Members(_)
            | meeting::Event::Joined(_)
            | meeting::Event::Left { .. }
            | meeting::Event::Words(_)
            | meeting::Event::Notice(_)) => self.outbox.push(Event::Meeting(event)),
        }
    }
}

/// All layers of a track that is sent, with all their temporal layers.
fn all_layers(slot: Slot, layers: &[SpatialLayer]) -> SenderLayers {
    let wanted =
        layers.iter().map(|layer| WantedLayer { spatial: layer.spatial, temporal_layers: MAX_TEMPORAL_LAYERS });
    SenderLayers { slot, wanted: wanted.collect() }
}

/// The next order; never again once the handles are gone.
async fn next_order(orders: &mut Option<mpsc::Receiver<Order>>) -> Option<Order> {
    match orders {
        Some(orders) => orders.recv().await,
        None => std::future::pending().await,
    }
}

/// Temporal layers of a spatial layer.
const MAX_TEMPORAL_LAYERS: u8 = 3;

/// The longest sleep: estimates and old keys are looked at this often.
const TICK: Duration = Duration::from_millis(100);

/// How long closing may take, for each connection and for the reader of events.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);
