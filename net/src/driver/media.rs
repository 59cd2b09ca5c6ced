//! The driver's media side: which encoder's queue goes to which lane, which stream to which reader.

use super::outbox::Outbox;
use crate::error::Error;
use crate::event::Event;
use crate::frame_sender::Queue;
use crate::peer::send_stream::SendStream;
use crate::peer::{self, Feedback, Offer, Peer, lock};
use crate::sfu::{Incoming, Plan, kind_of};
use crate::task::{self, Task};
use ::media::{Bitrate, bounded};
use proto::{Kind, Slot, SpatialLayer, TrackId};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use webrtc::runtime::Runtime;

pub struct Media {
    /// What happens on the connection.
    pub states: mpsc::Receiver<peer::Event>,
    /// What the other side says of what we send.
    pub feedback: mpsc::Receiver<Feedback>,
    peer: Peer,
    /// Runs the tasks that send.
    stack: Arc<dyn Runtime>,
    flowing: watch::Sender<bool>,
    published: BTreeMap<Slot, Published>,
    incoming: HashMap<TrackId, String>,
    /// The first answer's time, until media flow.
    answered: Option<Instant>,
    estimate: Bitrate,
}

struct Published {
    layers: Vec<u8>,
    /// Until the lane is there.
    queue: Option<Queue>,
    pump: Option<Task>,
    /// True once an answer knows the track.
    agreed: bool,
}

impl Media {
    pub fn new((peer, states, feedback): peer::Opened, stack: Arc<dyn Runtime>) -> Self {
        Self {
            states,
            feedback,
            peer,
            stack,
            flowing: watch::Sender::new(false),
            published: BTreeMap::new(),
            incoming: HashMap::new(),
            answered: None,
            estimate: Bitrate::ZERO,
        }
    }

    /// Takes frames for `slot` from `queue`, and no longer from an older one.
    pub fn publish(&mut self, slot: Slot, layers: &[SpatialLayer], queue: Queue) {
        self.unpublish(slot);
        let layers = layers.iter().map(|layer| layer.spatial).collect();
        self.published.insert(slot, Published { layers, queue: Some(queue), pump: None, agreed: false });
        self.start_pumps();
    }

    pub fn unpublish(&mut self, slot: Slot) {
        if let Some(pump) = self.published.remove(&slot).and_then(|published| published.pump) {
            pump.abort();
        }
    }

    pub async fn offer(&mut self, plan: &Plan) -> Result<Offer, Error> {
        let offer = self.peer.offer(plan).await?;
        self.start_pumps();
        Ok(offer)
    }

    pub async fn answer(&mut self, sdp: String, outbox: &mut Outbox) -> Result<(), Error> {
        self.peer.answer(sdp).await.map_err(|error| {
            tracing::debug!(%error, "answer refused");
            Error::Negotiation("the server's answer makes no sense")
        })?;
        self.answered.get_or_insert_with(Instant::now);
        // What was sent of a new track before the server knew it is lost.
        self.ask_for_key_frames(outbox, |published| !published.agreed);
        for published in self.published.values_mut() {
            published.agreed = true;
        }
        Ok(())
    }

    pub fn begin(&mut self, incoming: Incoming, outbox: &mut Outbox, now: Instant) {
        let Incoming { track, kind, layers, mid } = incoming;
        let limit = match kind {
            Kind::Audio => MAX_SOUND,
            Kind::Video => MAX_PICTURES,
        };
        let (sender, frames) = bounded(limit);
        if !lock(self.peer.rtp_receiver()).assign(&mid, track.slot, kind, sender, now) {
            tracing::warn!(?track, mid, "the answer names no source for a track");
        }
        self.incoming.insert(track, mid);
        outbox.push(Event::Track { track, kind, layers, frames });
    }

    pub fn end(&mut self, track: TrackId, mid: &str, outbox: &mut Outbox) {
        lock(self.peer.rtp_receiver()).release(mid);
        self.incoming.remove(&track);
        outbox.push(Event::TrackEnded(track));
    }

    pub fn want_key_frame(&self, track: TrackId) {
        if let Some(mid) = self.incoming.get(&track) {
            lock(self.peer.rtp_receiver()).want_key_frame(mid);
        }
    }

    pub fn handle_state(&mut self, event: peer::Event, outbox: &mut Outbox, now: Instant) -> Result<(), Error> {
        match event {
            peer::Event::Connected => {
                let took = self.answered.map(|at| now.saturating_duration_since(at));
                tracing::info!(?took, "media flow");
                self.flowing.send_replace(true);
                outbox.push(Event::Connected);
                self.ask_for_key_frames(outbox, |published| published.agreed);
                Ok(())
            }
            peer::Event::Interrupted => {
                tracing::warn!("media are interrupted");
                Ok(())
            }
            peer::Event::Failed => Err(Error::NoMedia),
        }
    }

    pub fn handle_feedback(&mut self, feedback: Feedback, outbox: &mut Outbox) {
        match feedback {
            Feedback::KeyFrameWanted(ssrc) => {
                let layer = self.peer.layer_of(ssrc).filter(|(slot, _)| kind_of(*slot) == Kind::Video);
                if let Some((slot, spatial)) = layer {
                    outbox.push(Event::KeyFrameWanted { slot, spatial });
                }
            }
            Feedback::Acknowledged(ssrc) => self.peer.acknowledge(ssrc),
        }
    }

    pub fn handle_timeout(&mut self, outbox: &mut Outbox, now: Instant) -> Result<(), Error> {
        let estimate = self.peer.estimate().bitrate();
        if estimate.as_bps().abs_diff(self.estimate.as_bps()) * 20 > self.estimate.as_bps() {
            self.estimate = estimate;
            outbox.push(Event::Estimate(estimate));
        }
        let waited = self.answered.filter(|_| !*self.flowing.borrow());
        if waited.is_some_and(|since| now.saturating_duration_since(since) > CONNECT_LIMIT) {
            return Err(Error::NoMedia);
        }
        Ok(())
    }

    pub async fn close(self) {
        let counts = lock(self.peer.rtp_receiver()).counts();
        tracing::debug!(?counts, "media end");
        self.published.values().filter_map(|published| published.pump.as_ref()).for_each(Task::abort);
        self.peer.close().await;
    }

    fn ask_for_key_frames(&self, outbox: &mut Outbox, of: impl Fn(&Published) -> bool) {
        for (slot, published) in self.published.iter().filter(|(_, published)| of(published)) {
            for spatial in &published.layers {
                outbox.push(Event::KeyFrameWanted { slot: *slot, spatial: *spatial });
            }
        }
    }

    fn start_pumps(&mut self) {
        for (slot, published) in &mut self.published {
            let Some(send_stream) = self.peer.send_stream(*slot) else { continue };
            if let Some(queue) = published.queue.take() {
                let pump = pump(Arc::clone(send_stream), queue, self.flowing.subscribe(), self.peer.echo());
                published.pump = Some(task::spawn(&self.stack, pump));
            }
        }
    }
}

/// Moves the frames of one slot. While media do not flow yet, they go nowhere. A layer that lost a frame for want of room
/// is told about as if a receiver had lost it.
async fn pump(
    send_stream: Arc<SendStream>,
    mut queue: Queue,
    flowing: watch::Receiver<bool>,
    echo: mpsc::Sender<Feedback>,
) {
    let mut packets = Vec::new();
    while let Some(frame) = queue.next().await {
        if *flowing.borrow() {
            send_stream.send(frame, &mut packets).await;
        }
        for ssrc in queue.take_shut().filter_map(|layer| send_stream.source(layer)) {
            if echo.try_send(Feedback::KeyFrameWanted(ssrc)).is_err() {
                tracing::debug!(ssrc, "feedback lost");
            }
        }
    }
}

/// Bytes of sound that wait for their reader: a second and a half.
const MAX_SOUND: usize = 16 << 10;

/// Bytes of pictures that wait for their reader: two seconds of the largest layer.
const MAX_PICTURES: usize = 1 << 20;

/// How long the transport may take from the answer on.
const CONNECT_LIMIT: Duration = Duration::from_secs(15);
