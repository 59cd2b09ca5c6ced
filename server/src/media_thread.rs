//! Moves bytes between the SFU and its sockets, on its own thread.

use crate::media_access::MediaAccess;
use crate::media_socket::{MediaSocket, ReceiveBuffer, SendBatch};
use crate::outbox::Outbox;
use crate::sfu::{ClientAddress, Command, Context, Reply, Sfu};
use crate::tunnel::{self, Arrival, Departure, Endpoints, Tunnels, is_virtual};
use crate::{Error, Limits, addresses};
use proto::{Blob, Down, FromSfu, ParticipantId, Problem};
use socket2::{Domain, Protocol, Socket, Type};
use std::collections::HashMap;
use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::task::Poll;
use std::thread::JoinHandle;
use std::time::Instant;
use tokio::sync::{mpsc, oneshot};

/// A message to the thread.
pub enum Message {
    /// A command for the SFU. [`Command::Join`] comes with the participant's outbox.
    Command(Command, Option<Outbox>),
    /// Calls a function with the SFU, which it reads.
    Read(Box<dyn FnOnce(&Sfu) + Send>),
    /// Lets the next step of a meeting panic.
    #[cfg(test)]
    InjectPanic(proto::MeetingId),
}

/// A running media thread. It ends when all senders of messages are dropped.
pub struct MediaThread {
    /// Sends messages to the thread.
    pub messages: mpsc::Sender<Message>,
    /// Sends events of media tunnels to the thread.
    pub tunnels: mpsc::Sender<tunnel::Event>,
    /// Closed when the thread ends, also by a panic.
    pub ended: oneshot::Receiver<Infallible>,
    /// Joins the thread.
    pub thread: JoinHandle<()>,
}

/// Starts the thread. `public` are addresses of other machines that forward to the sockets; `access` is what members get in
/// answers.
///
/// # Errors
/// Returns [`Error::Listen`] if no socket can be bound, and [`Error::Media`] if the thread or the stack does not start.
pub fn start(
    listen: SocketAddr,
    public: Vec<IpAddr>,
    limits: &Limits,
    access: MediaAccess,
) -> Result<MediaThread, Error> {
    let sockets = bind(listen).map_err(|error| Error::Listen { address: listen, source: error })?;
    let addresses: Vec<SocketAddr> = sockets.iter().filter_map(|socket| socket.local_addr().ok()).collect();
    tracing::info!(sockets = sockets.len(), "media sockets bound");
    tracing::debug!(?addresses, "media addresses");
    let context = Context::new(addresses).ok_or(Error::Media)?.with_public(public).with_limits(limits);
    let context = context.with_access(access);
    let (messages, inbox) = mpsc::channel(MAX_MESSAGES);
    let (tunnels, tunnel_events) = mpsc::channel(MAX_TUNNEL_EVENTS);
    let (end, ended) = oneshot::channel();
    let run = move || {
        // Dropped at the end of the thread.
        let _end = end;
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return tracing::error!(%error, "the media thread did not start"),
        };
        runtime.block_on(async {
            match Driver::new(context, sockets, listen.port(), (inbox, tunnel_events)) {
                Ok(driver) => driver.run().await,
                Err(error) => tracing::error!(%error, "the media sockets cannot be used"),
            }
        });
    };
    let thread = std::thread::Builder::new().name("sfu".into()).spawn(run).map_err(|_| Error::Media)?;
    Ok(MediaThread { messages, tunnels, ended, thread })
}

struct Driver {
    sfu: Sfu,
    sockets: Vec<MediaSocket>,
    /// The port of further sockets.
    port: u16,
    outboxes: HashMap<ParticipantId, Outbox>,
    inbox: mpsc::Receiver<Message>,
    tunnels: Tunnels,
    tunnel_events: mpsc::Receiver<tunnel::Event>,
    /// The datagrams that are sent with the next call of the system.
    batch: SendBatch,
}

impl Driver {
    fn new(
        context: Context,
        sockets: Vec<std::net::UdpSocket>,
        port: u16,
        (inbox, tunnel_events): (mpsc::Receiver<Message>, mpsc::Receiver<tunnel::Event>),
    ) -> io::Result<Self> {
        let sockets = sockets.into_iter().map(MediaSocket::new).collect::<io::Result<_>>()?;
        Ok(Self {
            sfu: Sfu::new(context, Instant::now()),
            sockets,
            port,
            outboxes: HashMap::new(),
            inbox,
            tunnels: Tunnels::default(),
            tunnel_events,
            batch: SendBatch::default(),
        })
    }

    async fn run(mut self) {
        let mut received = ReceiveBuffer::default();
        loop {
            let timeout = self.sfu.poll_timeout();
            tokio::select! {
                message = self.inbox.recv() => match message {
                    Some(message) => self.handle(message),
                    None => break,
                },
                () = readable(&self.sockets) => self.receive(&mut received),
                Some(event) = self.tunnel_events.recv() => self.handle_tunnel(event),
                () = tokio::time::sleep_until(timeout.into()) => {}
            }
            let now = Instant::now();
            if self.sfu.poll_timeout() <= now {
                self.sfu.handle_timeout(now);
            } else {
                self.sfu.advance(now);
            }
            self.flush(None, now);
        }
        tracing::debug!("the media thread ends");
    }

    fn handle(&mut self, message: Message) {
        match message {
            Message::Command(Command::Join { meeting, participant }, Some(outbox)) => {
                if let Some(address) = outbox.arrived_at {
                    self.open_socket(address);
                }
                let from = ClientAddress { arrived_at: outbox.arrived_at, origin: outbox.origin };
                self.tunnels.remove(participant);
                self.sfu.join(meeting, participant, from, Instant::now());
                self.outboxes.insert(participant, outbox);
            }
            Message::Command(command, _) => {
                let leaving = if let Command::Leave { participant } = &command { Some(*participant) } else { None };
                self.sfu.handle_command(command, Instant::now());
                if let Some(participant) = leaving {
                    self.outboxes.remove(&participant);
                    self.tunnels.remove(participant);
                }
            }
            Message::Read(read) => read(&self.sfu),
            #[cfg(test)]
            Message::InjectPanic(meeting) => self.sfu.inject_panic(meeting),
        }
    }

    /// Opens a socket at an address of this machine if there is none: an interface that came up later, or another
    /// loopback address.
    fn open_socket(&mut self, address: IpAddr) {
        if self.sockets.len() >= MAX_SOCKETS || self.sockets.iter().any(|socket| socket.address().ip() == address) {
            return;
        }
        match open_any_port(address, self.port).and_then(MediaSocket::new) {
            Ok(socket) => {
                self.sfu.add_socket(socket.address());
                self.sockets.push(socket);
            }
            Err(error) => tracing::warn!(%error, "cannot bind a media socket on the address by which a client came"),
        }
    }

    /// Receives a bounded number of datagrams, so that timers are not delayed.
    fn receive(&mut self, received: &mut ReceiveBuffer) {
        for index in 0..self.sockets.len() {
            let mut handled = 0;
            while handled < MAX_DATAGRAMS_AT_ONCE && self.sockets[index].receive(received) {
                let (local, now) = (self.sockets[index].address(), Instant::now());
                for (remote, datagram) in received.datagrams() {
                    self.handle_udp(Endpoints { local, remote }, datagram, now);
                    handled += 1;
                }
                // A call that has received only empty datagrams counts, too.
                handled += 1;
                self.sfu.advance(now);
                self.flush(None, now);
            }
        }
    }

    /// Handles a datagram that came to a socket. If its sender has a tunnel, the datagrams to the sender are sent at once, because
    /// their path depends on how this datagram came.
    fn handle_udp(&mut self, endpoints: Endpoints, datagram: &[u8], now: Instant) {
        let Endpoints { local, remote } = endpoints;
        if is_virtual(remote) {
            return;
        }
        if self.tunnels.is_empty() {
            return self.sfu.handle_datagram(remote, local, datagram, now);
        }
        let named = || self.sfu.sender_of_check(remote, datagram, now);
        let Some((participant, identity)) = self.tunnels.find_sender(remote, datagram, now, named) else {
            return self.sfu.handle_datagram(remote, local, datagram, now);
        };
        self.flush(None, now);
        self.sfu.handle_datagram(identity.remote, identity.local, datagram, now);
        self.flush(Some(Arrival::Udp(participant, endpoints)), now);
    }

    fn handle_tunnel(&mut self, event: tunnel::Event) {
        match event {
            tunnel::Event::Opened { participant, tunnel, queue, accepted } => {
                let addresses = self.sfu.addresses_of(participant);
                if let Some((local, known)) = addresses {
                    let known = known.map(|(local, remote)| Endpoints { local, remote });
                    self.tunnels.open((participant, tunnel), queue, known, (local, Instant::now()));
                }
                // The connection may be gone. Its end follows.
                let _ = accepted.send(addresses.is_some());
            }
            tunnel::Event::Datagrams { participant, tunnel, message } => {
                let Some(identity) = self.tunnels.identity(participant, tunnel) else { return };
                let now = Instant::now();
                for datagram in proto::datagrams(&message).into_iter().flatten() {
                    self.sfu.handle_datagram(identity.remote, identity.local, datagram, now);
                    self.flush(Some(Arrival::Tunnel(participant)), now);
                }
            }
            tunnel::Event::Path { participant, tunnel, path } => self.tunnels.set_path(participant, tunnel, path),
            tunnel::Event::Closed { participant, tunnel } => self.tunnels.close(participant, tunnel),
        }
    }

    /// Sends what the SFU has produced. `arrival` is the path of the datagram that it has just handled, if its sender has a
    /// tunnel.
    fn flush(&mut self, arrival: Option<Arrival>, now: Instant) {
        while let Some(mut transmit) = self.sfu.poll_transmit() {
            if !self.tunnels.is_empty() {
                match self.tunnels.send(transmit.destination, &transmit.contents, arrival, now) {
                    Departure::Unchanged => {}
                    Departure::Udp(Endpoints { local, remote }) => {
                        (transmit.source, transmit.destination) = (local, remote);
                    }
                    Departure::Tunnel => continue,
                }
            }
            let socket = self.sockets.iter().find(|socket| socket.address() == transmit.source);
            // The effect is the same as a loss in the network: the receiver requests the packet again.
            let Some(socket) = socket else {
                self.sfu.count_unsent(1);
                continue;
            };
            if !self.batch.takes(&transmit, socket) {
                self.send_batch();
            }
            self.batch.push(transmit);
        }
        self.send_batch();
        while let Some((participant, reply)) = self.sfu.poll_reply() {
            if reply == Reply::Failed {
                self.tunnels.remove(participant);
            }
            if let Some(outbox) = self.outboxes.get(&participant) {
                send(outbox, reply);
            }
        }
    }

    fn send_batch(&mut self) {
        let Some(source) = self.batch.source() else { return };
        let socket = self.sockets.iter().find(|socket| socket.address() == source);
        let unsent = socket.map_or(0, |socket| socket.send(&mut self.batch));
        self.sfu.count_unsent(unsent as u64);
    }
}

/// Sends `reply`. If that closes the connection, the connection's task reports the end to the delivery service.
fn send(outbox: &Outbox, reply: Reply) {
    match reply {
        Reply::Signal(signal) => {
            outbox.send(proto::encode(&FromSfu::Signal(Blob(proto::encode(&signal)))).into());
        }
        Reply::Totals(totals) => outbox.send(proto::encode(&FromSfu::Totals { totals }).into()),
        Reply::Malformed => close(outbox, Problem::Malformed),
        Reply::TooFast => close(outbox, Problem::TooFast),
        Reply::Failed => outbox.disconnect(),
    }
}

fn close(outbox: &Outbox, problem: Problem) {
    outbox.send(proto::encode(&Down::Problem { problem }).into());
    outbox.close();
}

/// Waits until one of the sockets is readable.
async fn readable(sockets: &[MediaSocket]) {
    poll_fn(|context| {
        let ready = sockets.iter().any(|socket| socket.poll_readable(context));
        if ready { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// Binds one socket on each address by which the server can be reached, and on the loopback address for clients on this
/// machine. A socket on the unspecified address does not report the destination address of a datagram, which ICE needs.
fn bind(listen: SocketAddr) -> io::Result<Vec<std::net::UdpSocket>> {
    let mut ips = addresses::candidates(listen.ip());
    if listen.ip().is_unspecified() && !ips.contains(&Ipv4Addr::LOCALHOST.into()) {
        ips.push(Ipv4Addr::LOCALHOST.into());
    }
    let mut sockets = Vec::new();
    for ip in ips.into_iter().take(MAX_SOCKETS) {
        match open_any_port(ip, listen.port()) {
            Ok(socket) => sockets.push(socket),
            Err(error) => tracing::warn!(%error, "cannot bind a media socket on one of this machine's addresses"),
        }
    }
    if sockets.is_empty() { Err(io::ErrorKind::AddrNotAvailable.into()) } else { Ok(sockets) }
}

/// Opens a socket on `port`, or on any free port if that one is taken. Clients learn the port from the ICE candidates.
fn open_any_port(ip: IpAddr, port: u16) -> io::Result<std::net::UdpSocket> {
    open(SocketAddr::new(ip, port)).or_else(|_| {
        let socket = open(SocketAddr::new(ip, 0))?;
        let used = socket.local_addr()?.port();
        tracing::warn!(wanted = port, used, "the UDP port is taken, media use another one");
        Ok(socket)
    })
}

fn open(address: SocketAddr) -> io::Result<std::net::UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    // The system may set a smaller size. That is not an error.
    let _ = socket.set_recv_buffer_size(SOCKET_BUFFER_BYTES);
    let _ = socket.set_send_buffer_size(SOCKET_BUFFER_BYTES);
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// Messages that may wait for the thread.
const MAX_MESSAGES: usize = 1_024;

/// Events of all tunnels that may wait for the thread: at most 1 MiB of datagrams.
const MAX_TUNNEL_EVENTS: usize = 64;

/// The maximum number of media sockets. A computer has fewer addresses, except loopback addresses.
const MAX_SOCKETS: usize = 64;

/// After this many datagrams of one socket, timers run. The last batch may exceed it.
const MAX_DATAGRAMS_AT_ONCE: usize = 128;

/// Bytes that the system may buffer for a socket. A burst of key frames fits.
const SOCKET_BUFFER_BYTES: usize = 4 << 20;
