//! An SFU and its clients in one process: the real SFU and real transports at both ends, on a simulated clock and
//! network.

mod client;
mod playback;
mod tcp_flow;

pub use client::Client;
pub use playback::{HeardSecond, SoundFrame};
pub use tcp_flow::TcpFlow;

use crate::impairment::{ImpairedLink, Impairment, UDP_HEADER_BYTES};
use proto::{
    Blob, ClientSignal, Kind, MeetingId, ParticipantId, Published, Slot, SpatialLayer, Subscription, TileWish, ToSfu,
    TrackId,
};
use server::sfu::{Command, Context, Sfu};
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};
use str0m::media::MediaKind;
use str0m::net::Transmit;
use tcp_flow::SEGMENT_BYTES;

/// An SFU with one meeting.
pub struct Simulation {
    /// The SFU.
    pub sfu: Sfu,
    /// The clients. The index is the participant id.
    pub clients: Vec<Client>,
    /// The simulated time.
    pub now: Instant,
    /// Called with the number of each datagram, in both directions. The datagram is lost if it returns true.
    pub loses: fn(u64) -> bool,
    /// Datagrams on their way to the SFU, each with its source.
    to_server: Vec<(SocketAddr, Vec<u8>)>,
    /// The downlinks of clients that have an impaired one.
    downlinks: HashMap<usize, ImpairedLink<LinkPacket>>,
    /// The TCP connections beside the datagrams on these downlinks.
    flows: HashMap<usize, TcpFlow>,
    datagrams: u64,
    began: Instant,
    next_sound: Instant,
    observer: Box<dyn Observer>,
}

/// A packet on a downlink.
#[derive(Clone, Debug)]
enum LinkPacket {
    Datagram(Vec<u8>),
    /// A segment of TCP, with its number.
    Segment(u64),
}

/// Watches the work of the SFU.
pub trait Observer {
    /// Runs `work`, in which the SFU handles datagrams and timers. Returns the datagrams to send.
    fn serve(&mut self, work: &mut dyn FnMut() -> Vec<Transmit>) -> Vec<Transmit>;
}

/// Only runs the work.
struct NoObserver;

impl Observer for NoObserver {
    fn serve(&mut self, work: &mut dyn FnMut() -> Vec<Transmit>) -> Vec<Transmit> {
        work()
    }
}

impl Simulation {
    /// Returns an empty meeting, or `None` if the transport stack does not start.
    #[must_use]
    pub fn new() -> Option<Self> {
        Self::observed(Box::new(NoObserver))
    }

    /// Returns an empty meeting whose SFU is watched.
    #[must_use]
    pub fn observed(observer: Box<dyn Observer>) -> Option<Self> {
        let now = Instant::now();
        let sfu = Sfu::new(Context::new(vec![SERVER])?, now);
        let clients = Vec::new();
        Some(Self {
            sfu,
            clients,
            now,
            loses: |_| false,
            to_server: Vec::new(),
            downlinks: HashMap::new(),
            flows: HashMap::new(),
            datagrams: 0,
            began: now,
            next_sound: now,
            observer,
        })
    }

    /// Returns what client 1 heard of client 0 in each second since `start`.
    ///
    /// # Errors
    /// Returns an error if memory is exhausted.
    pub fn heard(&self, start: Instant) -> anyhow::Result<Vec<HeardSecond>> {
        playback::play(&self.clients[0], &self.clients[1], start, self.now)
    }

    /// Adds a client, and returns its index.
    pub fn join(&mut self) -> usize {
        let index = self.clients.len();
        let port = FIRST_PORT.saturating_add(u16::try_from(index).unwrap_or(u16::MAX));
        self.clients.push(Client::new(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port), self.now));
        self.command(Command::Join { meeting: MEETING, participant: id(index) });
        index
    }

    /// Handles that a client has another connection for messages.
    pub fn rejoin(&mut self, index: usize) {
        self.command(Command::Join { meeting: MEETING, participant: id(index) });
    }

    /// Impairs the downlink of a client from now on.
    pub fn impair(&mut self, index: usize, impairment: Impairment) {
        match self.downlinks.get_mut(&index) {
            Some(link) => link.set(impairment),
            None => _ = self.downlinks.insert(index, ImpairedLink::new(impairment, 1)),
        }
    }

    /// Starts a TCP connection that sends as much as it can over the impaired downlink of a client.
    pub fn start_flow(&mut self, index: usize) {
        self.flows.insert(index, TcpFlow::new(self.now));
    }

    /// Ends the TCP connection on the downlink of a client. Returns the bytes that it carried.
    pub fn end_flow(&mut self, index: usize) -> u64 {
        self.flows.remove(&index).map_or(0, |flow| flow.carried)
    }

    /// Returns what the SFU forwarded.
    #[must_use]
    pub fn totals(&self) -> proto::Totals {
        self.sfu.totals(MEETING).unwrap_or_default()
    }

    /// Publishes a camera with these layers.
    pub fn publish(&mut self, index: usize, layers: &[SpatialLayer]) {
        let mid = self.clients[index].add_camera(layers);
        let published = Published { slot: Slot::Camera, kind: Kind::Video, mid, layers: layers.to_vec() };
        self.clients[index].published.push(published);
        self.offer(index);
    }

    /// Publishes a microphone.
    pub fn publish_microphone(&mut self, index: usize) {
        let mid = self.clients[index].add_microphone();
        let published = Published { slot: Slot::Microphone, kind: Kind::Audio, mid, layers: Vec::new() };
        self.clients[index].published.push(published);
        self.offer(index);
    }

    /// Subscribes to the camera of `owner`.
    pub fn subscribe(&mut self, index: usize, owner: usize) {
        self.receive_from(index, camera(owner), MediaKind::Video);
    }

    /// Subscribes to the microphone of `owner`.
    pub fn listen(&mut self, index: usize, owner: usize) {
        self.receive_from(index, TrackId { owner: id(owner), slot: Slot::Microphone }, MediaKind::Audio);
    }

    /// Receives whoever speaks on `count` media descriptions.
    pub fn share_voices(&mut self, index: usize, count: usize) {
        for _ in 0..count {
            let mid = self.clients[index].add_receiver(MediaKind::Audio);
            self.clients[index].voices.push(mid);
            self.offer(index);
        }
    }

    fn receive_from(&mut self, index: usize, track: TrackId, kind: MediaKind) {
        let mid = self.clients[index].add_receiver(kind);
        let subscription = Subscription { mid, track };
        self.clients[index].subscriptions.push(subscription);
        self.offer(index);
    }

    /// Sets the size in which a client shows a camera. A tile of width 0 is hidden.
    pub fn wish(&mut self, index: usize, owner: usize, (width, height): (u16, u16), frames_per_second: u8) {
        let track = camera(owner);
        let hidden = width == 0;
        let tile = TileWish { track, width, height, frames_per_second, priority: 1, hidden };
        self.signal(index, &ClientSignal::Wishes { tiles: vec![tile] });
    }

    /// Sends a client's offer, and passes it the answer.
    pub fn offer(&mut self, index: usize) {
        let client = &mut self.clients[index];
        let Some(sdp) = client.offer() else { return };
        client.last_offer.clone_from(&sdp);
        let (published, subscriptions) = (client.published.clone(), client.subscriptions.clone());
        let (number, voices, downlink) = (client.offers, client.voices.clone(), client.downlink);
        let offer = ClientSignal::Offer { number, sdp, published, subscriptions, voices, downlink };
        self.signal(index, &offer);
    }

    /// Makes a client offer its camera or stop it, according to [`Client::published`].
    pub fn change(&mut self, index: usize) {
        self.clients[index].update_camera();
        self.offer(index);
    }

    /// Offers the same session description again, with other subscriptions.
    pub fn receive(&mut self, index: usize, subscriptions: Vec<Subscription>) {
        let (sdp, downlink) = (self.clients[index].last_offer.clone(), self.clients[index].downlink);
        let (published, voices) = (Vec::new(), Vec::new());
        self.signal(index, &ClientSignal::Offer { number: 99, sdp, published, subscriptions, voices, downlink });
    }

    /// Passes a client's signal to the SFU.
    pub fn signal(&mut self, index: usize, signal: &ClientSignal) {
        let message = ToSfu::Signal(Blob(proto::encode(signal)));
        self.command(Command::Message { participant: id(index), message });
    }

    /// Passes a command to the SFU, and its messages to the clients.
    pub fn command(&mut self, command: Command) {
        self.sfu.handle_command(command, self.now);
        self.deliver_messages();
    }

    /// Sends a camera's frames for `length`.
    pub fn send_for(&mut self, index: usize, length: Duration) {
        let end = self.now + length;
        while self.now < end {
            self.clients[index].send_frame(self.now);
            let next = self.now + FRAME;
            while self.now < next {
                // A packet of sound every 20 ms, except in the last of each five seconds.
                if self.now >= self.next_sound {
                    self.next_sound = self.now + SOUND_INTERVAL;
                    if self.now.saturating_duration_since(self.began).as_secs() % 5 < 4 {
                        self.clients[index].speak(self.now);
                    } else {
                        self.clients[index].end_speech(self.now);
                    }
                }
                self.step(next.min(self.next_sound).saturating_duration_since(self.now));
            }
        }
    }

    /// Runs until `done` returns true. Returns false if it does not within `limit`.
    pub fn run_until(&mut self, limit: Duration, done: impl Fn(&Self) -> bool) -> bool {
        let end = self.now + limit;
        while self.now < end && !done(self) {
            self.step(STEP);
        }
        done(self)
    }

    /// Runs for `length`. Each datagram takes one `STEP`.
    pub fn step(&mut self, length: Duration) {
        let end = self.now + length;
        while self.now < end {
            self.now = end.min(self.now + STEP);
            for client in &mut self.clients {
                let source = client.address();
                for (_, bytes) in client.poll(self.now) {
                    self.datagrams += 1;
                    if !(self.loses)(self.datagrams) {
                        self.to_server.push((source, bytes));
                    }
                }
            }
            self.serve();
            self.deliver_messages();
        }
    }

    fn serve(&mut self) {
        let Self { sfu, to_server, now, .. } = self;
        let mut work = || {
            for (source, bytes) in to_server.drain(..) {
                sfu.handle_datagram(source, SERVER, &bytes, *now);
            }
            sfu.advance(*now);
            if sfu.poll_timeout() <= *now {
                sfu.handle_timeout(*now);
            }
            std::iter::from_fn(|| sfu.poll_transmit()).collect()
        };
        for transmit in self.observer.serve(&mut work) {
            self.datagrams += 1;
            let client = usize::from(transmit.destination.port().saturating_sub(FIRST_PORT));
            if let Some(client) = self.clients.get_mut(client) {
                client.datagrams.push((self.now, transmit.contents.len() + UDP_HEADER_BYTES));
            }
            if (self.loses)(self.datagrams) {
                continue;
            }
            if let Some(link) = self.downlinks.get_mut(&client) {
                let packet = LinkPacket::Datagram(transmit.contents.to_vec());
                link.send(packet, transmit.contents.len() + UDP_HEADER_BYTES, self.now);
            } else if let Some(client) = self.clients.get_mut(client) {
                client.handle_datagram(SERVER, &transmit.contents, self.now);
            }
        }
        self.serve_downlinks();
    }

    fn serve_downlinks(&mut self) {
        for (index, link) in &mut self.downlinks {
            let Some(client) = self.clients.get_mut(*index) else { continue };
            let mut flow = self.flows.get_mut(index);
            while let Some(segment) = flow.as_mut().and_then(|flow| flow.poll_segment(self.now)) {
                link.send(LinkPacket::Segment(segment), SEGMENT_BYTES, self.now);
            }
            while let Some(packet) = link.receive(self.now) {
                match (packet, &mut flow) {
                    (LinkPacket::Datagram(bytes), _) => client.handle_datagram(SERVER, &bytes, self.now),
                    (LinkPacket::Segment(number), Some(flow)) => flow.handle_acknowledgement(number, self.now),
                    (LinkPacket::Segment(_), None) => {}
                }
            }
        }
    }

    fn deliver_messages(&mut self) {
        assert_eq!(self.sfu.metrics().failed_meetings, 0, "the SFU has caught a panic");
        while let Some((participant, reply)) = self.sfu.poll_reply() {
            let index = usize::try_from(participant.0).ok();
            let Some(client) = index.and_then(|index| self.clients.get_mut(index)) else { continue };
            client.handle_reply(reply);
        }
    }
}

/// Returns an offer without subscriptions.
#[must_use]
pub fn offer_of(number: u32, sdp: &str, published: Vec<Published>) -> ClientSignal {
    ClientSignal::Offer {
        number,
        sdp: sdp.to_owned(),
        published,
        subscriptions: Vec::new(),
        voices: Vec::new(),
        downlink: None,
    }
}

/// Returns a client's participant id.
#[must_use]
pub fn id(index: usize) -> ParticipantId {
    ParticipantId(index as u64)
}

/// Returns the id of a client's camera.
#[must_use]
pub fn camera(owner: usize) -> TrackId {
    TrackId { owner: id(owner), slot: Slot::Camera }
}

/// The layers of a camera of 720 lines.
pub const LAYERS: [SpatialLayer; 3] = [
    SpatialLayer { spatial: 0, width: 320, height: 180, bitrate: 150_000 },
    SpatialLayer { spatial: 1, width: 640, height: 360, bitrate: 500_000 },
    SpatialLayer { spatial: 2, width: 1_280, height: 720, bitrate: 1_500_000 },
];

const MEETING: MeetingId = MeetingId([7; 16]);

/// The address of the SFU.
const SERVER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 7_443);

/// The port of client 0. The others follow.
const FIRST_PORT: u16 = 10_000;

/// How long a datagram takes, and the step of the simulated clock.
const STEP: Duration = Duration::from_millis(1);

/// The time between two packets of sound.
const SOUND_INTERVAL: Duration = Duration::from_millis(20);

/// The time between two frames of a camera.
const FRAME: Duration = Duration::from_micros(33_333);
