//! The tracks that this client publishes: the queues of their encoders, the tasks that send, and what they can use of the bandwidth.

use super::event_queue::EventQueue;
use crate::event::Event;
use crate::frame_sender::FrameQueue;
use crate::peer::send_stream::SendStream;
use crate::peer::{Estimate, Feedback, Peer};
use crate::sfu::kind_of;
use crate::task::{self, Task};
use ::media::Bitrate;
use proto::{Kind, Slot, SpatialLayer, TrackDemand};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::{Mutex, mpsc, watch};
use webrtc::runtime::Runtime;

/// The published tracks. `peer` is the connection on which they are sent, or `None` if there is none now.
pub struct PublishedTracks {
    tracks: BTreeMap<Slot, Published>,
    /// True after the primary transport connected.
    flowing: watch::Sender<bool>,
    /// Runs the tasks that send.
    stack: Arc<dyn Runtime>,
}

struct Published {
    layers: Vec<SpatialLayer>,
    /// The sum of the full bitrates of the layers that have a viewer, as far as a viewer has room for them.
    wanted: Bitrate,
    /// The task that sends holds the lock.
    queue: Arc<Mutex<FrameQueue>>,
    send_task: Option<Task>,
    /// True after an answer that covers the track.
    agreed: bool,
}

impl PublishedTracks {
    /// Returns a value without tracks, whose tasks will run on `stack`.
    pub fn new(stack: Arc<dyn Runtime>) -> Self {
        Self { tracks: BTreeMap::new(), flowing: watch::Sender::new(false), stack }
    }

    /// Sends the frames of `queue` as the track of `slot`, instead of those of the queue before.
    pub fn publish(&mut self, slot: Slot, layers: &[SpatialLayer], queue: FrameQueue, peer: Option<&Peer>) {
        self.unpublish(slot, peer);
        let queue = Arc::new(Mutex::new(queue));
        let published =
            Published { layers: layers.to_vec(), wanted: Bitrate::ZERO, queue, send_task: None, agreed: false };
        self.tracks.insert(slot, published);
        self.start_send_tasks(peer);
    }

    /// Ends the track of `slot`.
    pub fn unpublish(&mut self, slot: Slot, peer: Option<&Peer>) {
        if let Some(send_task) = self.tracks.remove(&slot).and_then(|published| published.send_task) {
            send_task.abort();
        }
        self.update_wanted(peer);
    }

    /// Starts the tasks of the tracks that have a stream on `peer` and no task yet.
    pub fn start_send_tasks(&mut self, peer: Option<&Peer>) {
        let Some(peer) = peer else { return };
        for (slot, published) in &mut self.tracks {
            let Some(send_stream) = peer.send_stream(*slot) else { continue };
            if published.send_task.is_none() {
                let queue = Arc::clone(&published.queue);
                // Audio never waits for room.
                let pace = (kind_of(*slot) == Kind::Video).then(|| peer.estimate().clone());
                let send_task = send_task(Arc::clone(send_stream), queue, self.flowing.subscribe(), peer.echo(), pace);
                published.send_task = Some(task::spawn(&self.stack, send_task));
            }
        }
    }

    /// Stops sending until there are other transports.
    pub fn restart(&mut self) {
        for Published { send_task, agreed, .. } in self.tracks.values_mut() {
            if let Some(send_task) = send_task.take() {
                send_task.abort();
            }
            *agreed = false;
        }
        self.flowing.send_replace(false);
    }

    /// Handles an answer that covers all tracks.
    pub fn handle_answer(&mut self, event_queue: &mut EventQueue) {
        // The server drops packets of a track that it does not know yet, so a new track needs a key frame now.
        self.request_key_frames(event_queue, |published| !published.agreed);
        for published in self.tracks.values_mut() {
            published.agreed = true;
        }
    }

    /// Handles that the primary transport has connected. Frames are sent from now on.
    pub fn handle_connected(&self, event_queue: &mut EventQueue) {
        self.flowing.send_replace(true);
        self.request_key_frames(event_queue, |published| published.agreed);
    }

    /// Sets which layers of a track have a viewer.
    pub fn set_demand(&mut self, demand: &TrackDemand, peer: Option<&Peer>) {
        let Some(published) = self.tracks.get_mut(&demand.slot) else { return };
        let rate = |layer: &SpatialLayer| {
            let wanted = demand.wanted.iter().find(|wanted| wanted.spatial == layer.spatial)?;
            Some(Bitrate::bps(wanted.max_bitrate.map_or(layer.bitrate, |limit| limit.min(layer.bitrate)).into()))
        };
        published.wanted = published.layers.iter().filter_map(rate).sum();
        self.update_wanted(peer);
    }

    /// Tells the estimator of `peer` the highest bitrate that the tracks can use. It probes for no more.
    pub fn update_wanted(&self, peer: Option<&Peer>) {
        if let Some(peer) = peer {
            peer.estimate().set_wanted(self.wanted());
        }
    }

    /// Returns the highest bitrate that the tracks can use, with headers and sound. Zero if no picture has a viewer.
    fn wanted(&self) -> Bitrate {
        let pictures: Bitrate = self.tracks.values().map(|published| published.wanted).sum();
        let with_headers = Bitrate::bps(pictures.as_bps() * WANTED_PERCENT / 100);
        if pictures == Bitrate::ZERO { pictures } else { with_headers + SOUND }
    }

    /// Ends all tasks.
    pub fn abort(&self) {
        self.tracks.values().filter_map(|published| published.send_task.as_ref()).for_each(Task::abort);
    }

    fn request_key_frames(&self, event_queue: &mut EventQueue, of: impl Fn(&Published) -> bool) {
        for (slot, published) in self.tracks.iter().filter(|(_, published)| of(published)) {
            for layer in &published.layers {
                event_queue.push(Event::KeyFrameWanted { slot: *slot, spatial: layer.spatial });
            }
        }
    }
}

/// Sends the frames of one slot, and drops them until the transport is connected. If the queue was full and dropped a
/// frame of a layer, requests a key frame of that layer, as a receiver would. With `pace`, waits while the pacer has no
/// room, so that frames queue where they can be dropped.
async fn send_task(
    send_stream: Arc<SendStream>,
    queue: Arc<Mutex<FrameQueue>>,
    flowing: watch::Receiver<bool>,
    echo: mpsc::Sender<Feedback>,
    mut pace: Option<Estimate>,
) {
    let mut packets = Vec::new();
    // After a restart, the task before ends at its next await point.
    let mut queue = queue.lock().await;
    while let Some(frame) = queue.next().await {
        if let Some(estimate) = &mut pace {
            queue.set_rate(estimate.bitrate());
            estimate.wait_for_room().await;
        }
        if *flowing.borrow() {
            send_stream.send(frame, &mut packets).await;
        }
        for ssrc in queue.take_newly_stopped().filter_map(|layer| send_stream.source(layer)) {
            if echo.try_send(Feedback::KeyFrameWanted(ssrc)).is_err() {
                tracing::debug!(ssrc, "feedback lost");
            }
        }
    }
}

/// What pictures can use with headers and retransmissions, in percent of their bitrates.
const WANTED_PERCENT: u64 = 110;

/// What a voice takes with its headers.
const SOUND: Bitrate = Bitrate::kbps(50);
