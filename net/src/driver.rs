//! The one task of a session: it owns the meeting, the SFU's dialect, the connection to the server and the peer
//! connection, and moves bytes between them. Rules are the machines' business; here is only the loop.

mod media;
mod outbox;

use crate::error::Error;
use crate::meeting::{self, Meeting};
use crate::peer::{self, Peer};
use crate::session::{Config, Event, Order};
use crate::sfu::{self, Input, Output, Sfu};
use crate::signalling::{Incoming, Wire};
use crypto::KeyRing;
use media::Media;
use outbox::Outbox;
use proto::{Blob, ClientMessage, FromSfu, ServerMessage, TileWish, ToSfu};
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
        let _ = events.send_timeout(Event::Failed(error), FAREWELL).await;
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
    Peer(peer::Event),
    Feedback(peer::Feedback),
    Room,
    Time,
}

impl Driver {
    async fn open(config: Config, ends: Ends, wire: Wire) -> Result<Self, Error> {
        let Config { entry, host, port, fingerprint, ring, pool } = config;
        // Media go the way that signalling goes.
        let (peer, states, feedback) = Box::pin(Peer::open(wire.local().ip(), pool, ends.paths)).await?;
        Ok(Self {
            meeting: Meeting::new(entry, Instant::now()),
            sfu: Box::new(sfu::native::Native::default()),
            wire,
            media: Media::new(peer, states, feedback),
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
        let Self { wire, media, outbox, .. } = self;
        media.close().await;
        wire.close(FAREWELL).await;
        outbox.flush(FAREWELL).await;
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
            Some(event) = self.media.states.recv() => Wake::Peer(event),
            Some(feedback) = self.media.feedback.recv() => Wake::Feedback(feedback),
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
            Wake::Peer(event) => self.media.handle_state(event, &mut self.outbox, now)?,
            Wake::Feedback(feedback) => self.media.handle_feedback(feedback, &mut self.outbox),
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
                self.sfu.handle(Input::Publish { slot, layers }, now);
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

    /// Lets the machines say all they have to say.
    async fn drain(&mut self) -> Result<(), Error> {
        self.drain_meeting()?;
        while let Some(output) = self.sfu.poll() {
            let now = Instant::now();
            match output {
                Output::Signal(bytes) => {
                    self.wire.send(&ClientMessage::Sfu(ToSfu::Signal(Blob(bytes.into()))))?;
                }
                Output::Offer(plan) => {
                    let peer::Offer { sdp, placed } = self.media.offer(&plan).await?;
                    self.sfu.handle(Input::Offered { sdp, placed }, now);
                }
                Output::Answer(sdp) => {
                    self.media.answer(sdp, &mut self.outbox).await?;
                    self.sfu.handle(Input::Answered, now);
                }
                Output::Track(incoming) => self.media.begin(incoming, &mut self.outbox, now),
                Output::TrackEnded { track, mid } => self.media.end(track, &mid, &mut self.outbox),
                Output::SenderLayers(layers) => self.outbox.push(Event::LayersWanted(layers)),
                Output::Failed(why) => return Err(Error::Negotiation(why)),
            }
        }
        self.outbox.push_all()
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

/// The next order; never again once the handles are gone.
async fn next_order(orders: &mut Option<mpsc::Receiver<Order>>) -> Option<Order> {
    match orders {
        Some(orders) => orders.recv().await,
        None => std::future::pending().await,
    }
}

/// The longest sleep: estimates and old keys are looked at this often.
const TICK: Duration = Duration::from_millis(100);

/// How long the good-bye may take, for the server and for the reader of events each.
const FAREWELL: Duration = Duration::from_millis(500);
