//! The one peer connection of a session: what the SFU machine orders becomes transceivers, offers and packets.
//!
//! Everything that must be negotiated is here; packets themselves go by [`exchange::Exchange`] and [`lane::SendStream`].

mod estimate;
mod exchange;
mod runtime;
pub mod send_stream;
mod stack;

pub use estimate::Estimate;
pub use exchange::{Feedback, lock};

use crate::rtp::description::{self, Section};
use crate::rtp::rtp_receiver::RtpReceiver;
use crate::sfu::{Placed, Plan};
use exchange::Exchange;
use media::BufferPool;
use proto::{Kind, Slot};
use rtc::peer_connection::configuration::RTCConfigurationBuilder;
use rtc::peer_connection::sdp::RTCSessionDescription;
use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;
use rtc::rtp_transceiver::{RTCRtpTransceiverDirection, RTCRtpTransceiverInit};
use rtc::shared::error::Error as StackError;
use send_stream::SendStream;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc;
use webrtc::media_stream::track_remote::TrackRemote;
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCPeerConnectionState,
};
use webrtc::rtp_transceiver::RtpTransceiver;
use webrtc::runtime::Runtime;

/// The stack refused.
#[derive(Debug, thiserror::Error)]
#[error("the media transport failed: {0}")]
pub struct Error(#[from] StackError);

/// What happens on the connection by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Media can flow.
    Connected,
    /// Nothing has come through for some seconds; it may yet.
    Interrupted,
    /// It will not work again.
    Failed,
}

/// An offer, and where its parts stand in it.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The session description.
    pub sdp: String,
    /// The `mid`s.
    pub placed: Placed,
}

/// The peer connection.
pub struct Peer {
    connection: Arc<dyn PeerConnection>,
    rtp_receiver: Arc<Mutex<RtpReceiver>>,
    estimate: Estimate,
    feedback: mpsc::Sender<Feedback>,
    send_streams: BTreeMap<Slot, Arc<SendStream>>,
    receivers: Vec<(Kind, Arc<dyn RtpTransceiver>)>,
    closed: AtomicBool,
}

/// A new peer, what happens on it, and what the other side says of what we send.
pub type Opened = (Peer, mpsc::Receiver<Event>, mpsc::Receiver<Feedback>);

impl Peer {
    /// Opens a connection that will send from `address` by the sockets of `runtime`. Nothing is sent before the first
    /// answer. Call it on a tokio runtime, which will run the stack's own task.
    ///
    /// # Errors
    /// [`Error`] where no socket can be had.
    pub async fn open(address: IpAddr, pool: BufferPool, runtime: Arc<dyn Runtime>) -> Result<Opened, Error> {
        let rtp_receiver = Arc::new(Mutex::new(RtpReceiver::new(pool)));
        let (feedback, heard) = mpsc::channel(MAX_FEEDBACK);
        let (states, events) = mpsc::channel(MAX_EVENTS);
        let (estimator, estimate) = estimate::Estimator::new();
        let exchange = Exchange::new(Arc::clone(&rtp_receiver), feedback.clone(), random_ssrc());
        let build = PeerConnectionBuilder::new()
            .with_configuration(RTCConfigurationBuilder::new().build())
            .with_media_engine(stack::media()?)
            .with_setting_engine(stack::settings(address))
            .with_interceptor_registry(stack::interceptors(exchange, estimator))
            .with_handler(Arc::new(Handler { states }))
            .with_runtime(Arc::new(runtime::LargeSocketBuffers(runtime)))
            .with_udp_addrs(vec![SocketAddr::new(address, 0)])
            .build();
        // The stack's futures are large.
        let connection: Arc<dyn PeerConnection> = Arc::new(Box::pin(build).await?);
        let peer = Self {
            connection,
            rtp_receiver,
            estimate,
            feedback,
            send_streams: BTreeMap::new(),
            receivers: Vec::new(),
            closed: AtomicBool::new(false),
        };
        Ok((peer, events, heard))
    }

    /// Adds what `plan` has more than before, and makes an offer of all.
    ///
    /// # Errors
    /// [`Error`] where the stack refuses.
    pub async fn offer(&mut self, plan: &Plan) -> Result<Offer, Error> {
        for (slot, kind) in &plan.send {
            if !self.send_streams.contains_key(slot) {
                let send_stream = SendStream::open(&*self.connection, *slot, *kind).await?;
                self.send_streams.insert(*slot, Arc::new(send_stream));
            }
        }
        for (kind, wanted) in [(Kind::Audio, plan.receive_audio), (Kind::Video, plan.receive_video)] {
            while self.receivers.iter().filter(|(other, _)| *other == kind).count() < wanted {
                let receiver =
                    self.connection.add_transceiver_from_kind(codec_kind(kind), Some(receive_only())).await?;
                self.receivers.push((kind, receiver));
            }
        }
        let offer = self.connection.create_offer(None).await?;
        self.connection.set_local_description(offer.clone()).await?;
        let sdp = self.connection.local_description().await.map_or(offer.sdp, |description| description.sdp);
        Ok(Offer { sdp, placed: self.placed().await? })
    }

    /// Takes the answer to the last offer.
    ///
    /// # Errors
    /// [`Error`] where it is none.
    pub async fn answer(&mut self, sdp: String) -> Result<(), Error> {
        let sections = description::sections(&sdp);
        let sending = self.sending(&sections).await?;
        self.connection.set_remote_description(RTCSessionDescription::answer(sdp)?).await?;
        lock(&self.rtp_receiver).declare(&sections);
        for (send_stream, section) in sending {
            send_stream.agree(section);
        }
        Ok(())
    }

    /// The receiving machine, shared with the stack's task.
    pub fn rtp_receiver(&self) -> &Arc<Mutex<RtpReceiver>> {
        &self.rtp_receiver
    }

    /// What the path is thought to carry.
    pub fn estimate(&self) -> &Estimate {
        &self.estimate
    }

    /// Where this side can speak up as if the other one had.
    pub fn echo(&self) -> mpsc::Sender<Feedback> {
        self.feedback.clone()
    }

    /// What sends the track of `slot`, once it was in an offer.
    pub fn send_stream(&self, slot: Slot) -> Option<&Arc<SendStream>> {
        self.send_streams.get(&slot)
    }

    /// Whose source `ssrc` is, and of which layer.
    pub fn layer_of(&self, ssrc: u32) -> Option<(Slot, u8)> {
        self.send_streams.iter().find_map(|(slot, send_stream)| send_stream.layer_of(ssrc).map(|layer| (*slot, layer)))
    }

    /// The other side knows `ssrc`.
    pub fn acknowledge(&self, ssrc: u32) {
        self.send_streams.values().for_each(|send_stream| send_stream.acknowledge(ssrc));
    }

    /// Closes the connection and its sockets; at most a tenth of a second.
    pub async fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
        if let Err(error) = self.connection.close().await {
            tracing::debug!(%error, "peer connection did not close well");
        }
    }

    async fn placed(&self) -> Result<Placed, Error> {
        let mut placed = Placed::default();
        for (slot, send_stream) in &self.send_streams {
            placed.send.push((*slot, send_stream.mid().await?));
        }
        for (kind, receiver) in &self.receivers {
            let mid = receiver.mid().await?.unwrap_or_default();
            match kind {
                Kind::Audio => placed.receive_audio.push(mid),
                Kind::Video => placed.receive_video.push(mid),
            }
        }
        Ok(placed)
    }

    async fn sending<'a>(&self, sections: &'a [Section]) -> Result<Vec<(Arc<SendStream>, &'a Section)>, Error> {
        let mut sending = Vec::new();
        for send_stream in self.send_streams.values() {
            let mid = send_stream.mid().await?;
            let section = sections.iter().find(|section| section.mid == mid);
            sending.extend(section.map(|section| (Arc::clone(send_stream), section)));
        }
        Ok(sending)
    }
}

impl Drop for Peer {
    /// The stack's task runs on until it is told to stop: a connection that is only dropped would stay for ever.
    fn drop(&mut self) {
        if self.closed.load(Ordering::Relaxed) {
            return;
        }
        let connection = Arc::clone(&self.connection);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { connection.close().await });
        }
    }
}

/// Hears what happens on the connection. It holds nothing but the way to say so: a leaked handler would keep no session.
struct Handler {
    states: mpsc::Sender<Event>,
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        tracing::debug!(%state, "peer connection");
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "the stack's states may grow; the others are on the way to these"
        )]
        let event = match state {
            RTCPeerConnectionState::Connected => Event::Connected,
            RTCPeerConnectionState::Disconnected => Event::Interrupted,
            RTCPeerConnectionState::Failed => Event::Failed,
            _ => return,
        };
        // The stack's task must not wait for the session's: that one may be waiting for it.
        if self.states.try_send(event).is_err() {
            tracing::warn!(?event, "nobody listens to the peer connection");
        }
    }

    /// Packets do not come this way: see [`Exchange`].
    async fn on_track(&self, _track: Arc<dyn TrackRemote>) {}
}

fn receive_only() -> RTCRtpTransceiverInit {
    RTCRtpTransceiverInit {
        direction: RTCRtpTransceiverDirection::Recvonly,
        streams: Vec::new(),
        send_encodings: Vec::new(),
    }
}

fn codec_kind(kind: Kind) -> RtpCodecKind {
    match kind {
        Kind::Audio => RtpCodecKind::Audio,
        Kind::Video => RtpCodecKind::Video,
    }
}

/// A source's number (RFC 3550, section 8): never zero, which some stacks take for none.
fn random_ssrc() -> u32 {
    crate::random::number().max(1)
}

/// States that may wait for the session's task.
const MAX_EVENTS: usize = 32;

/// Feedback that may wait for it.
const MAX_FEEDBACK: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use webrtc::runtime::TokioRuntime;

    fn block<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
    }

    async fn open() -> Opened {
        Peer::open([127, 0, 0, 1].into(), BufferPool::new(1), Arc::new(TokioRuntime)).await.unwrap()
    }

    #[test]
    fn an_offer_has_three_simulcast_streams_and_what_packets_need() {
        block(async {
            let (mut peer, _events, _feedback) = open().await;
            let plan = Plan {
                send: vec![(Slot::Microphone, Kind::Audio), (Slot::Camera, Kind::Video)],
                receive_audio: 1,
                receive_video: 2,
            };
            let Offer { sdp, placed } = peer.offer(&plan).await.unwrap();
            let sections = description::sections(&sdp);
            assert_eq!(sections.len(), 5);
            assert_eq!((placed.send.len(), placed.receive_audio.len(), placed.receive_video.len()), (2, 1, 2));
            let camera = sections.iter().find(|section| section.mid == placed.send[1].1).unwrap();
            assert!(camera.extensions.mid.is_some() && camera.extensions.rid.is_some());
            assert!(camera.extensions.descriptor.is_some() && camera.payload_types == [102, 103]);
            assert!(sdp.contains("a=simulcast:send 0;1;2"));
            assert!(sdp.contains("repaired-rtp-stream-id"));
            assert!(!sdp.contains(".local"), "no name service");
            peer.close().await;
        });
    }

    /// webrtc#906: connections that kept their handler, and with it everything.
    #[test]
    fn nothing_of_a_closed_or_dropped_peer_is_left() {
        for closes in [true, false] {
            block(async {
                let (peer, mut events, mut feedback) = open().await;
                let rtp_receiver = Arc::downgrade(peer.rtp_receiver());
                if closes {
                    peer.close().await;
                }
                drop(peer);
                // The handler held the one end, the interceptors the other: both are dropped, and all they held.
                let gone = async { (events.recv().await, feedback.recv().await) };
                let gone = tokio::time::timeout(Duration::from_secs(5), gone).await;
                assert_eq!(gone.expect("the stack let go"), (None, None));
                assert!(rtp_receiver.upgrade().is_none());
            });
        }
    }

    #[test]
    fn an_answer_that_is_none_is_an_error_and_no_panic() {
        block(async {
            let (mut peer, _events, _feedback) = open().await;
            let plan = Plan { receive_video: 1, ..Plan::default() };
            peer.offer(&plan).await.unwrap();
            for nonsense in ["", "v=0", "m=video", "\u{0}\u{ff}", &"a=".repeat(9_999)] {
                assert!(peer.answer(nonsense.to_owned()).await.is_err(), "{nonsense:?}");
            }
            peer.close().await;
        });
    }
}
