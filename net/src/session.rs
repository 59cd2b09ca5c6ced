//! The handle of a running session. Everything on it returns at once, from any thread.

use crate::driver;
use crate::error::Error;
use crate::frame_sender::{FrameSender, Queue, frame_sender};
use crate::meeting;
use crate::sfu::Sfu;
use crate::sfu::native::Native;
use crypto::{KeyRing, ReceivedFrame};
use media::{Bitrate, BufferPool};
use proto::{Epoch, Kind, SenderLayers, Slot, SpatialLayer, TileWish, Totals, TrackId};
use std::sync::{Arc, OnceLock};
use tokio::sync::{mpsc, watch};
use webrtc::runtime::{Runtime, TokioRuntime};

/// Where to go, as whom, and with which shared parts.
pub struct Config {
    /// Which meeting, and how to come in.
    pub entry: meeting::Entry,
    /// The server's name or address.
    pub host: String,
    /// Its port, the same for TCP and UDP.
    pub port: u16,
    /// SHA-256 of its certificate, where the invitation names one. Without, the system's authorities decide.
    pub fingerprint: Option<[u8; 32]>,
    /// Where new keys are put, before anything else learns of them.
    pub ring: KeyRing,
    /// Buffers for frames that arrive.
    pub pool: BufferPool,
}

/// What happens in a session. The last one is a meeting's end, refusal or removal, or [`Event::Failed`]; then the channel
/// closes.
pub enum Event {
    /// Something in the meeting. Its keys do not come here but as [`Event::Rekeyed`].
    Meeting(meeting::Event),
    /// The keys of a new epoch are in the key ring.
    Rekeyed(Epoch),
    /// Somebody's track arrives. Read it on a thread of its own.
    Track {
        /// Whose, and which.
        track: TrackId,
        /// Sound or pictures.
        kind: Kind,
        /// Its layers, smallest first.
        layers: Vec<SpatialLayer>,
        /// Its frames. A reader that is too slow loses frames until a key frame, which is asked for.
        frames: media::Receiver<ReceivedFrame>,
    },
    /// The track arrives no more; its queue has ended.
    TrackEnded(TrackId),
    /// What the receivers want of an own track.
    LayersWanted(SenderLayers),
    /// A receiver needs a key frame of this layer.
    KeyFrameWanted {
        /// Of which track.
        slot: Slot,
        /// Of which layer.
        spatial: u8,
    },
    /// What the uplink is thought to carry, when that has changed by a twentieth.
    Estimate(Bitrate),
    /// Media flow. Before that, what is sent is dropped.
    Connected,
    /// What the server counted for this meeting.
    Totals(Totals),
    /// The session broke.
    Failed(Error),
}

/// Too many orders wait, or the session is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the session takes no more orders")]
pub struct Busy;

/// What the handle asks of the driver.
pub(crate) enum Order {
    Meeting(meeting::Command),
    Publish { slot: Slot, layers: Vec<SpatialLayer>, queue: Queue },
    Unpublish(Slot),
    KeyFrame(TrackId),
    Count,
}

/// A running session. Clones are the same one; when the last is dropped, it says good-bye.
#[derive(Clone)]
pub struct Session {
    orders: mpsc::Sender<Order>,
    wishes: Arc<watch::Sender<Vec<TileWish>>>,
    link: Arc<OnceLock<String>>,
}

/// Starts a session on `runtime`, and tells what happens in it. The channel holds [`MAX_EVENTS`]; the driver keeps some
/// thousand more for a reader that pauses, then gives up with [`Error::Stalled`].
#[must_use]
pub fn start(config: Config, runtime: &tokio::runtime::Handle) -> (Session, mpsc::Receiver<Event>) {
    start_over(config, runtime, Arc::new(TokioRuntime))
}

/// As [`start`], with media that go by the sockets of `paths`: another carrier of datagrams, or a path that a test impairs.
#[must_use]
pub fn start_over(
    config: Config,
    runtime: &tokio::runtime::Handle,
    paths: Arc<dyn Runtime>,
) -> (Session, mpsc::Receiver<Event>) {
    start_with(config, runtime, paths, Box::new(Native::default()))
}

/// As [`start_over`], with another dialect than that of our own server.
#[must_use]
pub fn start_with(
    config: Config,
    runtime: &tokio::runtime::Handle,
    paths: Arc<dyn Runtime>,
    sfu: Box<dyn Sfu>,
) -> (Session, mpsc::Receiver<Event>) {
    let (orders, inbox) = mpsc::channel(MAX_ORDERS);
    let (wishes, newest) = watch::channel(Vec::new());
    let (events, outbox) = mpsc::channel(MAX_EVENTS);
    let link = Arc::new(OnceLock::new());
    let ends = driver::Ends { orders: inbox, wishes: newest, events, link: Arc::clone(&link), paths, sfu };
    runtime.spawn(driver::run(config, ends));
    (Session { orders, wishes: Arc::new(wishes), link }, outbox)
}

impl Session {
    /// Does something in the meeting.
    ///
    /// # Errors
    /// [`Busy`] where the order was not taken.
    pub fn send(&self, command: meeting::Command) -> Result<(), Busy> {
        self.order(Order::Meeting(command))
    }

    /// Sends a track from now on, or sends it in other layers than before. Sound has no layers. Frames put in before media
    /// flow are dropped; a key frame is asked for when they do. An outlet that is closed from the start says that the
    /// session takes no more orders.
    #[must_use]
    pub fn publish(&self, slot: Slot, layers: Vec<SpatialLayer>) -> FrameSender {
        let (frame_sender, queue) = frame_sender();
        // Refused, the queue's other end is dropped with the order.
        let _ = self.order(Order::Publish { slot, layers, queue });
        frame_sender
    }

    /// Sends the track of `slot` no more.
    pub fn unpublish(&self, slot: Slot) {
        let _ = self.order(Order::Unpublish(slot));
    }

    /// Says how large the tracks are shown. The last list wins, however fast they come.
    pub fn wishes(&self, tiles: Vec<TileWish>) {
        self.wishes.send_replace(tiles);
    }

    /// The decoder of `track` cannot go on without a key frame.
    pub fn key_frame(&self, track: TrackId) {
        let _ = self.order(Order::KeyFrame(track));
    }

    /// Asks for [`Event::Totals`].
    pub fn count(&self) {
        let _ = self.order(Order::Count);
    }

    /// The link that lets others in, once this client is in.
    #[must_use]
    pub fn link(&self) -> Option<String> {
        self.link.get().cloned()
    }

    fn order(&self, order: Order) -> Result<(), Busy> {
        self.orders.try_send(order).map_err(|_| {
            tracing::warn!("an order to the session was lost");
            Busy
        })
    }
}

/// Orders that may wait.
const MAX_ORDERS: usize = 256;

/// Events that wait for their reader in the channel.
pub const MAX_EVENTS: usize = 256;
