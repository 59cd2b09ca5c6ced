//! One peer connection: negotiation of what is sent and received on it.
//!
//! Packets go through [`interceptor::RtpInterceptor`] and [`send_stream::SendStream`].

mod dlrr_responder;
mod error;
mod estimate;
mod flight_repeater;
mod interceptor;
mod pacing;
mod repeating_socket;
mod runtime;
pub mod send_stream;
mod stack;
mod with_rtx;

pub use error::Error;
pub use estimate::Estimate;
pub use interceptor::{Feedback, lock};
pub use runtime::enlarge_buffers;

use crate::rtp::description::{self, Section};
use crate::rtp::rtp_receiver::RtpReceiver;
use crate::sfu::{IceCandidate, Mids, Plan, TransportState};
use interceptor::RtpInterceptor;
use media::BufferPool;
use pacing::Pacing;
use proto::{Kind, Slot};
use rtc::peer_connection::configuration::{RTCConfigurationBuilder, RTCIceServer};
use rtc::peer_connection::sdp::RTCSessionDescription;
use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;
use rtc::rtp_transceiver::{RTCRtpTransceiverDirection, RTCRtpTransceiverInit};
use send_stream::SendStream;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc;
use webrtc::media_stream::track_remote::TrackRemote;
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCIceCandidateInit, RTCPeerConnectionIceEvent,
    RTCPeerConnectionState,
};
use webrtc::rtp_transceiver::RtpTransceiver;
use webrtc::runtime::Runtime;

/// An event of the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Its state has changed.
    State(TransportState),
    /// It has failed and will not recover.
    Failed,
    /// It has found a local ICE candidate.
    Candidate(IceCandidate),
}

/// An offer, and the `mid`s of its media descriptions.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The session description.
    pub sdp: String,
    /// The `mid`s.
    pub mids: Mids,
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

/// A new peer, its events, and the remote side's feedback on what it sends.
pub type Opened = (Peer, mpsc::Receiver<Event>, mpsc::Receiver<Feedback>);

impl Peer {
    /// Opens a connection that sends from `address` on sockets of `runtime`. Nothing is sent before the first answer.
    /// The caller must be in a tokio runtime, which runs the stack's own task.
    ///
    /// # Errors
    /// Returns [`Error`] if no socket can be opened.
    pub async fn open(address: IpAddr, pool: BufferPool, runtime: Arc<dyn Runtime>) -> Result<Opened, Error> {
        let rtp_receiver = Arc::new(Mutex::new(RtpReceiver::new(pool)));
        let (feedback, feedbacks) = mpsc::channel(MAX_FEEDBACK);
        let (reports, events) = mpsc::channel(MAX_EVENTS);
        let (estimator, send_side, estimate) = estimate::estimator();
        let pacing = Pacing::new(send_side);
        let interceptor =
            RtpInterceptor::new(Arc::clone(&rtp_receiver), feedback.clone(), crate::random::ssrc(), pacing);
        let build = PeerConnectionBuilder::new()
            .with_configuration(RTCConfigurationBuilder::new().build())
            .with_media_engine(stack::media()?)
            .with_setting_engine(stack::settings(address))
            .with_interceptor_registry(stack::interceptors(interceptor, estimator))
            .with_handler(Arc::new(Handler { events: reports }))
            .with_runtime(runtime::peer_runtime(runtime))
            .with_udp_addrs(vec![SocketAddr::new(address, 0)])
            .build();
        // The stack's future is large, so it is boxed.
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
        Ok((peer, events, feedbacks))
    }

    /// Adds the streams that are new in `plan`, and creates an offer of all streams.
    ///
    /// # Errors
    /// Returns [`Error`] if the stack refuses.
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
        Ok(Offer { sdp, mids: self.mids().await? })
    }

    /// Applies the answer to the last offer.
    ///
    /// # Errors
    /// Returns [`Error`] if it is not an answer.
    pub async fn answer(&mut self, sdp: String) -> Result<(), Error> {
        let sections = description::sections(&sdp);
        let sending = self.sending(&sections).await?;
        // Before the stack binds the streams, so that the start probe can begin then.
        if let Some(stream) = sending.iter().find_map(|(send_stream, section)| send_stream.identifiers(section)) {
            self.estimate.allow_start_probe(stream);
        }
        self.connection.set_remote_description(RTCSessionDescription::answer(sdp)?).await?;
        lock(&self.rtp_receiver).declare(&sections);
        for (send_stream, section) in sending {
            send_stream.agree(section);
        }
        Ok(())
    }

    /// Applies an offer of the remote side, and creates the answer to it.
    ///
    /// # Errors
    /// Returns [`Error`] if the stack refuses the offer.
    pub async fn accept(&mut self, sdp: String) -> Result<String, Error> {
        let sections = description::sections(&sdp);
        self.connection.set_remote_description(RTCSessionDescription::offer(sdp)?).await?;
        let answer = self.connection.create_answer(None).await?;
        self.connection.set_local_description(answer.clone()).await?;
        lock(&self.rtp_receiver).declare(&sections);
        Ok(self.connection.local_description().await.map_or(answer.sdp, |description| description.sdp))
    }

    /// Sets the TURN servers. The next offer adds relay candidates of these servers, and keeps the other candidates.
    ///
    /// # Errors
    /// Returns [`Error`] if the stack refuses.
    pub async fn set_ice_servers(&self, servers: Vec<RTCIceServer>) -> Result<(), Error> {
        let configuration = RTCConfigurationBuilder::new().with_ice_servers(servers).build();
        Ok(self.connection.set_configuration(configuration).await?)
    }

    /// Adds an ICE candidate of the remote side.
    ///
    /// # Errors
    /// Returns [`Error`] if the stack refuses the candidate.
    pub async fn add_candidate(&self, candidate: IceCandidate) -> Result<(), Error> {
        let IceCandidate { candidate, mid } = candidate;
        let init = RTCIceCandidateInit { candidate, sdp_mid: mid, ..RTCIceCandidateInit::default() };
        Ok(self.connection.add_ice_candidate(init).await?)
    }

    /// Returns the RTP receiver, which the stack's task shares.
    pub fn rtp_receiver(&self) -> &Arc<Mutex<RtpReceiver>> {
        &self.rtp_receiver
    }

    /// Returns the estimate of the path's capacity.
    pub fn estimate(&self) -> &Estimate {
        &self.estimate
    }

    /// Returns a sender of feedback: what is sent on it is handled as if the remote side had sent it.
    pub fn echo(&self) -> mpsc::Sender<Feedback> {
        self.feedback.clone()
    }

    /// Returns the stream that sends the track of `slot`, or `None` if it was in no offer yet.
    pub fn send_stream(&self, slot: Slot) -> Option<&Arc<SendStream>> {
        self.send_streams.get(&slot)
    }

    /// Returns the slot and layer that are sent with `ssrc`.
    pub fn layer_of(&self, ssrc: u32) -> Option<(Slot, u8)> {
        self.send_streams.iter().find_map(|(slot, send_stream)| send_stream.layer_of(ssrc).map(|layer| (*slot, layer)))
    }

    /// Records that the remote side has received packets with `ssrc`.
    pub fn acknowledge(&self, ssrc: u32) {
        self.send_streams.values().for_each(|send_stream| send_stream.acknowledge(ssrc));
    }

    /// Closes the connection and its sockets. Takes at most 100 ms.
    pub async fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
        if let Err(error) = self.connection.close().await {
            tracing::debug!(%error, "peer connection not closed properly");
        }
    }

    async fn mids(&self) -> Result<Mids, Error> {
        let mut mids = Mids::default();
        for (slot, send_stream) in &self.send_streams {
            mids.send.push((*slot, send_stream.mid().await?));
        }
        for (kind, receiver) in &self.receivers {
            let mid = receiver.mid().await?.unwrap_or_default();
            match kind {
                Kind::Audio => mids.receive_audio.push(mid),
                Kind::Video => mids.receive_video.push(mid),
            }
        }
        Ok(mids)
    }

    /// Returns each stream that is sent with its media description in the answer.
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
    /// Closes the connection. The stack's task runs until then, so without this a dropped connection would never end.
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

/// Reports events of the connection. It owns only a channel, so that a handler that the stack leaks keeps nothing else
/// in memory.
struct Handler {
    events: mpsc::Sender<Event>,
}

impl Handler {
    /// Queues an event without waiting. If the stack's task waited for the driver here, both could wait for each other.
    fn report(&self, event: Event) {
        if let Err(error) = self.events.try_send(event) {
            tracing::warn!(%error, "event of the peer connection lost");
        }
    }
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        tracing::debug!(%state, "peer connection");
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "the stack may add states, and the other ones need no reaction"
        )]
        let event = match state {
            RTCPeerConnectionState::Connected => Event::State(TransportState::Connected),
            RTCPeerConnectionState::Disconnected => Event::State(TransportState::Interrupted),
            RTCPeerConnectionState::Failed => Event::Failed,
            _ => return,
        };
        self.report(event);
    }

    async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
        match event.candidate.to_json() {
            Ok(RTCIceCandidateInit { candidate, sdp_mid, .. }) => {
                self.report(Event::Candidate(IceCandidate { candidate, mid: sdp_mid }));
            }
            Err(error) => tracing::debug!(%error, "local candidate skipped"),
        }
    }

    /// Does nothing: [`RtpInterceptor`] receives the packets.
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

/// The maximum number of events that wait for the session's task.
const MAX_EVENTS: usize = 32;

/// The maximum number of feedback messages that wait for the session's task.
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
    fn an_offer_has_three_simulcast_streams_and_the_header_extensions() {
        block(async {
            let (mut peer, _events, _feedback) = open().await;
            let plan = Plan {
                send: vec![(Slot::Microphone, Kind::Audio), (Slot::Camera, Kind::Video)],
                receive_audio: 1,
                receive_video: 2,
            };
            let Offer { sdp, mids } = peer.offer(&plan).await.unwrap();
            let sections = description::sections(&sdp);
            assert_eq!(sections.len(), 5);
            assert_eq!((mids.send.len(), mids.receive_audio.len(), mids.receive_video.len()), (2, 1, 2));
            let camera = sections.iter().find(|section| section.mid == mids.send[1].1).unwrap();
            assert!(camera.extensions.mid.is_some() && camera.extensions.rid.is_some());
            assert!(camera.extensions.descriptor.is_some() && camera.payload_types == [102, 103]);
            assert!(sdp.contains("a=simulcast:send 0;1;2"));
            assert!(sdp.contains("repaired-rtp-stream-id"));
            assert!(!sdp.contains(".local"), "no mDNS names");
            peer.close().await;
        });
    }

    #[test]
    fn a_media_description_of_an_offer_is_within_its_limit() {
        block(async {
            let (mut peer, _events, _feedback) = open().await;
            let plan = Plan { receive_audio: 1, receive_video: 8, ..Plan::default() };
            let before = peer.offer(&plan).await.unwrap().sdp.len();
            let more = Plan { receive_video: 18, ..plan };
            let each = (peer.offer(&more).await.unwrap().sdp.len() - before) / 10;
            // The names are longer if there are a thousand.
            assert!(each + 8 <= proto::MAX_DESCRIPTION_BYTES, "{each} bytes");
            peer.close().await;
        });
    }

    /// In webrtc#906, closed connections leaked their handler and everything that it owned.
    #[test]
    fn a_closed_or_dropped_peer_frees_all_its_state() {
        for closes in [true, false] {
            block(async {
                let (peer, mut events, mut feedback) = open().await;
                let rtp_receiver = Arc::downgrade(peer.rtp_receiver());
                if closes {
                    peer.close().await;
                }
                drop(peer);
                // The handler owns one sender and the interceptors the other, so both channels close when these are
                // dropped.
                let gone = async { (events.recv().await, feedback.recv().await) };
                let gone = tokio::time::timeout(Duration::from_secs(5), gone).await;
                assert_eq!(gone.expect("the stack drops its senders"), (None, None));
                assert!(rtp_receiver.upgrade().is_none());
            });
        }
    }

    #[test]
    fn a_malformed_answer_is_an_error_and_does_not_panic() {
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
