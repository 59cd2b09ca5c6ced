//! The main task of a session. It owns the SFU's dialect, the connection to the server and the peer connection, and moves
//! messages between them and the keys thread, which owns the meeting. It decides nothing and computes no cryptography.

mod media;
mod outbox;

use crate::config::Config;
use crate::error::Error;
use crate::event::Event;
use crate::keys_thread::{Address, Inbox, Input as KeysInput, KeysThread, Output as KeysOutput, Setup};
use crate::media_requests::{self, Pending, Publication};
use crate::meeting;
use crate::peer::{self, Peer};
use crate::sfu::{self, Input, Output, Sfu};
use crate::signalling::{self, Incoming, Wire};
use crypto::KeyRing;
use media::Media;
use outbox::Outbox;
use proto::{Blob, ClientMessage, FromSfu, ServerMessage, TileWish, ToSfu};
use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use webrtc::runtime::Runtime;

/// The session's ends of the queues that the handle writes to.
pub struct Ends {
    pub commands: mpsc::Receiver<meeting::Command>,
    pub requests: media_requests::Receiver,
    pub wishes: watch::Receiver<Vec<TileWish>>,
    pub events: mpsc::Sender<Event>,
    pub link: Arc<OnceLock<String>>,
    pub stack: Arc<dyn Runtime>,
}

/// Runs a session to its end.
pub async fn run(config: Config, ends: Ends) {
    let ring = config.ring.clone();
    let events = ends.events.clone();
    let end = session(config, ends).await;
    ring.clear();
    if let Err(error) = end {
        tracing::info!(%error, fault = ?error.fault(), "session failed");
        // The program may have stopped reading.
        let _ = events.send_timeout(Event::Failed(error), FAREWELL).await;
    }
}

async fn session(config: Config, ends: Ends) -> Result<(), Error> {
    let wire = tokio::select! {
        wire = Wire::connect(&config.host, config.port, config.fingerprint, &ends.stack) => wire?,
        // The program does not read events any more.
        () = ends.events.closed() => return Ok(()),
    };
    Driver::open(config, ends, wire).await?.run().await
}

struct Driver {
    keys: KeysThread,
    sfu: Box<dyn Sfu>,
    wire: Wire,
    /// False once the connection to the server is closed.
    connected: bool,
    media: Media,
    requests: media_requests::Receiver,
    wishes: watch::Receiver<Vec<TileWish>>,
    outbox: Outbox,
    ring: KeyRing,
    /// When the estimate and old keys are checked next.
    tick: Instant,
    /// True after the meeting's last event.
    over: bool,
}

/// What woke the loop.
enum Wake {
    Incoming(Incoming),
    Keys(Option<KeysOutput>),
    Requests,
    Wishes,
    Peer(peer::Event),
    Feedback(peer::Feedback),
    Room,
    Time,
}

impl Driver {
    async fn open(config: Config, ends: Ends, wire: Wire) -> Result<Self, Error> {
        let Config { entry, host, port, fingerprint, ring, pool } = config;
        let Ends { commands, requests, wishes, events, link, stack } = ends;
        // Media use the network interface that signalling uses.
        let opened = Box::pin(Peer::open(wire.local().ip(), pool, Arc::clone(&stack))).await?;
        let address = Address { host, port, fingerprint };
        let setup = Setup { commands, ring: ring.clone(), address, link };
        Ok(Self {
            keys: KeysThread::spawn(entry, setup)?,
            sfu: Box::new(sfu::native::Native::default()),
            wire,
            connected: true,
            media: Media::new(opened, stack),
            requests,
            wishes,
            outbox: Outbox::new(events),
            ring,
            tick: Instant::now() + TICK,
            over: false,
        })
    }

    async fn run(mut self) -> Result<(), Error> {
        let result = self.work().await;
        let Self { keys, wire, media, outbox, .. } = self;
        // The last messages, `Leave` among them. If the connection is lost, they are lost with it.
        let closed = keys.close(|message| drop(wire.send(&ClientMessage::Meeting(message)))).await;
        media.close().await;
        wire.close(FAREWELL).await;
        outbox.flush(FAREWELL).await;
        // A panic of the thread is why its outputs ended.
        closed.and(result)
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

    /// Waits for the next thing to handle. Each branch is cancel-safe.
    async fn wait(&mut self) -> Wake {
        let deadline = tokio::time::Instant::from_std(self.deadline());
        let waiting = self.outbox.is_waiting();
        tokio::select! {
            incoming = next_incoming(&self.keys.inbox, &mut self.wire), if self.connected => Wake::Incoming(incoming),
            output = self.keys.outputs.recv() => Wake::Keys(output),
            () = self.requests.changed() => Wake::Requests,
            Ok(()) = self.wishes.changed() => Wake::Wishes,
            Some(event) = self.media.states.recv() => Wake::Peer(event),
            Some(feedback) = self.media.feedback.recv() => Wake::Feedback(feedback),
            () = self.outbox.room(), if waiting => Wake::Room,
            () = tokio::time::sleep_until(deadline) => Wake::Time,
        }
    }

    fn deadline(&self) -> Instant {
        self.sfu.poll_timeout().map_or(self.tick, |due| due.min(self.tick))
    }

    fn handle(&mut self, wake: Wake, now: Instant) -> Result<ControlFlow<()>, Error> {
        match wake {
            Wake::Incoming(Incoming::Message(message)) => self.handle_message(message, now),
            Wake::Incoming(Incoming::Malformed) => self.keys.inbox.send(KeysInput::Malformed),
            Wake::Incoming(Incoming::Closed) => {
                self.connected = false;
                self.keys.inbox.send(KeysInput::Disconnected);
            }
            Wake::Keys(Some(KeysOutput::Send(message))) => self.send(&ClientMessage::Meeting(message))?,
            Wake::Keys(Some(KeysOutput::Event(event))) => self.handle_event(event, now),
            // The thread ended without a last event.
            Wake::Keys(None) => return Err(Error::KeysThread),
            Wake::Requests => self.handle_requests(now)?,
            Wake::Wishes => {
                let tiles = self.wishes.borrow_and_update().clone();
                self.sfu.handle(Input::Wishes(tiles), now);
            }
            Wake::Peer(event) => self.media.handle_state(event, &mut self.outbox, now)?,
            Wake::Feedback(feedback) => self.media.handle_feedback(feedback, &mut self.outbox),
            Wake::Room => {}
            Wake::Time => {
                self.tick = now + TICK;
                self.sfu.handle(Input::Timeout, now);
                self.ring.expire(now);
                self.media.handle_timeout(&mut self.outbox, now)?;
            }
        }
        Ok(if self.outbox.is_closed() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }

    /// Routes a message to the keys thread or to the SFU's dialect.
    fn handle_message(&mut self, message: ServerMessage, now: Instant) {
        match message {
            ServerMessage::Meeting(message) => self.keys.inbox.send(KeysInput::Message(message)),
            ServerMessage::Sfu(FromSfu::Signal(blob)) => self.sfu.handle(Input::Signal(blob.0.into()), now),
            ServerMessage::Sfu(FromSfu::Totals { totals }) => self.outbox.push(Event::Totals(totals)),
        }
    }

    fn handle_requests(&mut self, now: Instant) -> Result<(), Error> {
        let Pending { publications, key_frames, totals } = self.requests.take();
        for (slot, publication) in publications {
            match publication {
                Publication::Published { layers, queue } => {
                    self.media.publish(slot, &layers, queue);
                    self.sfu.handle(Input::Publish { slot, layers }, now);
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
        if totals { self.send(&ClientMessage::Sfu(ToSfu::Count)) } else { Ok(()) }
    }

    /// Queues a message for the server. A lost connection is no error here: the meeting ends once the reading side
    /// notices.
    fn send(&self, message: &ClientMessage) -> Result<(), Error> {
        match self.wire.send(message) {
            Err(signalling::Error::Lost) | Ok(()) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Does everything that the SFU's dialect wants done, and hands events over.
    async fn drain(&mut self) -> Result<(), Error> {
        while let Some(output) = self.sfu.poll() {
            let now = Instant::now();
            match output {
                Output::Signal(bytes) => self.send(&ClientMessage::Sfu(ToSfu::Signal(Blob(bytes.into()))))?,
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

    fn handle_event(&mut self, event: Event, now: Instant) {
        match &event {
            Event::Meeting(meeting::Event::Entered { me }) => self.sfu.handle(Input::Entered(*me), now),
            Event::Meeting(meeting::Event::Ended(_)) => self.over = true,
            Event::Meeting(_)
            | Event::Rekeyed(_)
            | Event::Track { .. }
            | Event::TrackEnded(_)
            | Event::LayersWanted(_)
            | Event::KeyFrameWanted { .. }
            | Event::Estimate(_)
            | Event::Connected
            | Event::Totals(_)
            | Event::Failed(_) => {}
        }
        self.outbox.push(event);
    }
}

/// Reads the next message of the server, if the keys thread has room for it. Otherwise the socket is not read, so the
/// server has to wait. May be dropped at any time: nothing is lost.
async fn next_incoming(inbox: &Inbox, wire: &mut Wire) -> Incoming {
    inbox.room().await;
    wire.next().await
}

/// The longest sleep: estimates and old keys are looked at this often.
const TICK: Duration = Duration::from_millis(100);

/// How long the good-bye may take, for the server and for the reader of events each.
const FAREWELL: Duration = Duration::from_millis(500);
