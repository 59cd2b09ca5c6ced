//! How many packets a second one core forwards: real transports at both ends, the real core in the middle.
//!
//! The clients live in memory and their work is not counted. What is counted is the core from a datagram in to
//! datagrams out (SRTP, switching, rewriting, pacing, feedback), and their way into a socket.

mod client;

pub use client::{Bits, Client, l1t3};

use crate::Error;
use crate::sfu::{Order, PeerContext, Reply, Sfu};
use proto::{
    Blob, ClientSignal, Kind, MeetingId, ParticipantId, Published, Slot, SpatialLayer, Subscription, TileWish, ToSfu,
    TrackId,
};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

/// What to run.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Receivers of the one camera.
    pub receivers: usize,
    /// For how long it sends, in its own time.
    pub length: Duration,
}

/// What came of it.
#[derive(Clone, Copy, Debug)]
pub struct Report {
    /// Packets that the core took.
    pub packets_in: u64,
    /// Packets that it sent on.
    pub packets_out: u64,
    /// How long the core was at it: this thread's time on a core where the system tells, else by the clock.
    pub busy: Duration,
}

impl Report {
    /// Packets forwarded a second a core.
    pub fn packets_per_second(&self) -> f64 {
        let packets = u32::try_from(self.packets_out).unwrap_or(u32::MAX);
        f64::from(packets) / self.busy.as_secs_f64().max(f64::MIN_POSITIVE)
    }
}

/// Runs `load`: a camera of 720 lines in three layers at 30 pictures a second, of which everybody receives the largest.
///
/// # Errors
/// [`Error::Media`] where a transport does not come up.
pub fn forward(load: &Load) -> Result<Report, Error> {
    let mut world = World::new().ok_or(Error::Media)?;
    let camera = world.join();
    world.publish(camera, &LAYERS);
    for _ in 0..load.receivers {
        let receiver = world.join();
        world.subscribe(receiver, camera);
        world.wish(receiver, camera, (1_280, 720), 30);
    }
    let ready = world.run_until(Duration::from_secs(10), |world| world.clients.iter().all(Client::connected));
    if !ready {
        return Err(Error::Media);
    }
    // Estimators find the room that there is before anything is counted.
    world.send_for(camera, Duration::from_secs(3));
    let before = world.totals();
    world.busy = Duration::ZERO;
    world.send_for(camera, load.length);
    let after = world.totals();
    Ok(Report {
        packets_in: after.packets_in - before.packets_in,
        packets_out: after.packets_out - before.packets_out,
        busy: world.busy,
    })
}

/// A core and its clients in one meeting, on a clock of their own.
pub(crate) struct World {
    pub sfu: Sfu,
    pub clients: Vec<Client>,
    pub now: Instant,
    /// How long the core was at work.
    pub busy: Duration,
    /// Datagrams from clients that are on their way: whose, and what.
    to_server: Vec<(SocketAddr, Vec<u8>)>,
    /// Loses the n-th datagram, either way, that this says yes to.
    pub lose: fn(u64) -> bool,
    sent: u64,
    sink: Option<(UdpSocket, SocketAddr)>,
}

impl World {
    /// An empty meeting. None where the transport stack does not start.
    pub fn new() -> Option<Self> {
        let now = Instant::now();
        let sfu = Sfu::new(PeerContext::new(vec![SERVER])?, now);
        let sink = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).ok().and_then(|socket| {
            socket.set_nonblocking(true).ok()?;
            let address = socket.local_addr().ok()?;
            Some((socket, address))
        });
        Some(Self {
            sfu,
            clients: Vec::new(),
            now,
            busy: Duration::ZERO,
            to_server: Vec::new(),
            lose: |_| false,
            sent: 0,
            sink,
        })
    }

    /// Lets another client in; the index is its name.
    pub fn join(&mut self) -> usize {
        let index = self.clients.len();
        let address = SocketAddr::new(
            Ipv4Addr::LOCALHOST.into(),
            FIRST_PORT.saturating_add(u16::try_from(index).unwrap_or(u16::MAX)),
        );
        self.clients.push(Client::new(address, self.now));
        self.order(Order::Join { meeting: MEETING, participant: id(index) });
        index
    }

    /// What the core moved.
    pub fn totals(&self) -> proto::Totals {
        self.sfu.totals(MEETING).unwrap_or_default()
    }

    /// Offers a camera with these layers.
    pub fn publish(&mut self, index: usize, layers: &[SpatialLayer]) {
        let rates: Vec<u32> = layers.iter().map(|layer| layer.bitrate).collect();
        let mid = self.clients[index].add_camera(&rates);
        let published = Published { slot: Slot::Camera, kind: Kind::Video, mid, layers: layers.to_vec() };
        self.clients[index].published.push(published);
        self.offer(index);
    }

    /// Offers to receive somebody's camera.
    pub fn subscribe(&mut self, index: usize, owner: usize) {
        let mid = self.clients[index].add_receiver();
        let subscription = Subscription { mid, track: camera(owner) };
        self.clients[index].subscriptions.push(subscription);
        self.offer(index);
    }

    /// Says how large a client shows a camera; without pixels it is hidden.
    pub fn wish(&mut self, index: usize, owner: usize, (width, height): (u16, u16), frames_per_second: u8) {
        let track = camera(owner);
        let paused = width == 0;
        let tile = TileWish { track, width, height, frames_per_second, priority: 1, paused };
        self.signal(index, &ClientSignal::Wishes { tiles: vec![tile] });
    }

    /// Offers what a client has, and hands it the answer.
    pub fn offer(&mut self, index: usize) {
        let client = &mut self.clients[index];
        let Some(sdp) = client.offer() else { return };
        client.described.clone_from(&sdp);
        let (published, subscriptions) = (client.published.clone(), client.subscriptions.clone());
        let offer = ClientSignal::Offer { number: client.offers, sdp, published, subscriptions };
        self.signal(index, &offer);
    }

    /// Tells the core that a client sends its camera anew or no more, as [`Client::published`] has it.
    #[cfg(test)]
    pub fn change(&mut self, index: usize) {
        self.clients[index].renew();
        self.offer(index);
    }

    /// Offers the same descriptions again, to receive this.
    #[cfg(test)]
    pub fn receive(&mut self, index: usize, subscriptions: Vec<Subscription>) {
        let sdp = self.clients[index].described.clone();
        self.signal(index, &ClientSignal::Offer { number: 99, sdp, published: vec![], subscriptions });
    }

    /// Hands the core a client's signal, and takes what it has to say.
    pub fn signal(&mut self, index: usize, signal: &ClientSignal) {
        let request = ToSfu::Signal(Blob(proto::encode(signal)));
        self.order(Order::Request { participant: id(index), request });
    }

    /// Tells the core something, and takes what it has to say.
    pub fn order(&mut self, order: Order) {
        self.sfu.handle_order(order, self.now);
        self.hear();
    }

    /// Sends a camera's pictures for so long.
    pub fn send_for(&mut self, index: usize, length: Duration) {
        let end = self.now + length;
        while self.now < end {
            self.clients[index].send_frame(self.now);
            self.step(FRAME);
        }
    }

    /// Goes on until `done`; false where that does not come.
    pub fn run_until(&mut self, patience: Duration, done: impl Fn(&Self) -> bool) -> bool {
        let end = self.now + patience;
        while self.now < end && !done(self) {
            self.step(STEP);
        }
        done(self)
    }

    /// Goes on for so long, with everything delivered after [`STEP`].
    pub fn step(&mut self, length: Duration) {
        let end = self.now + length;
        while self.now < end {
            self.now = end.min(self.now + STEP);
            for client in &mut self.clients {
                let source = client.address();
                for (_, bytes) in client.poll(self.now) {
                    self.sent += 1;
                    if !(self.lose)(self.sent) {
                        self.to_server.push((source, bytes));
                    }
                }
            }
            self.serve();
            self.hear();
        }
    }

    /// What is measured: the core takes what came, and its output goes into a socket.
    fn serve(&mut self) {
        let mut out = Vec::new();
        let began = Stopwatch::start();
        for (source, bytes) in self.to_server.drain(..) {
            self.sfu.handle_datagram(source, SERVER, &bytes, self.now);
        }
        if self.sfu.poll_timeout() <= self.now {
            self.sfu.handle_timeout(self.now);
        }
        while let Some(transmit) = self.sfu.poll_transmit() {
            if let Some((socket, address)) = &self.sink {
                // Nobody reads: the system throws away what is too much, after the same work.
                let _ = socket.send_to(&transmit.contents, address);
            }
            out.push(transmit);
        }
        self.busy += began.elapsed();
        for transmit in out {
            self.sent += 1;
            let client = usize::from(transmit.destination.port().saturating_sub(FIRST_PORT));
            if !(self.lose)(self.sent)
                && let Some(client) = self.clients.get_mut(client)
            {
                client.take(SERVER, &transmit.contents, self.now);
            }
        }
    }

    fn hear(&mut self) {
        while let Some((participant, message)) = self.sfu.poll_said() {
            let index = usize::try_from(participant.0).ok();
            let Some(client) = index.and_then(|index| self.clients.get_mut(index)) else { continue };
            if let Reply::Signal(signal) = message {
                client.hear(signal);
            }
        }
    }
}

/// Measures this thread's time on a core where Linux tells it, else the clock's.
struct Stopwatch(Result<u64, Instant>);

impl Stopwatch {
    fn start() -> Self {
        Self(on_core().ok_or_else(Instant::now))
    }

    fn elapsed(&self) -> Duration {
        match self.0 {
            Ok(began) => Duration::from_nanos(on_core().unwrap_or(began).saturating_sub(began)),
            Err(began) => began.elapsed(),
        }
    }
}

/// Nanoseconds that this thread has been on a core.
fn on_core() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse().ok()
}

/// What a client goes by: its index.
pub(crate) fn id(index: usize) -> ParticipantId {
    ParticipantId(index as u64)
}

/// A client's camera.
pub(crate) fn camera(owner: usize) -> TrackId {
    TrackId { owner: id(owner), slot: Slot::Camera }
}

/// The one meeting.
const MEETING: MeetingId = MeetingId([7; 16]);

/// The usual ladder.
pub const LAYERS: [SpatialLayer; 3] = [
    SpatialLayer { spatial: 0, width: 320, height: 180, bitrate: 150_000 },
    SpatialLayer { spatial: 1, width: 640, height: 360, bitrate: 500_000 },
    SpatialLayer { spatial: 2, width: 1_280, height: 720, bitrate: 1_500_000 },
];

/// Where the core is.
const SERVER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 7_443);

/// Clients have ports from here on.
const FIRST_PORT: u16 = 10_000;

/// One way between a client and the core.
const STEP: Duration = Duration::from_millis(1);

/// Between two pictures.
const FRAME: Duration = Duration::from_micros(33_333);
