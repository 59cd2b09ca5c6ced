//! Moves bytes between the SFU's core and its sockets, on a thread of its own.

use super::{Order, PeerContext, Reply, Sfu};
use crate::Error;
use crate::outbox::Outbox;
use proto::{Blob, Down, FromSfu, MeetingId, ParticipantId, Problem, Totals};
use socket2::{Domain, Protocol, Socket, Type};
use std::collections::HashMap;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::task::Poll;
use std::thread::JoinHandle;
use std::time::Instant;
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, oneshot};

/// What the SFU's thread is told.
#[derive(Debug)]
pub enum Message {
    /// Something for the core; with the way to a participant that joins.
    Order(Order, Option<Outbox>),
    /// Asks for a meeting's totals.
    Totals(MeetingId, oneshot::Sender<Option<Totals>>),
}

/// Starts the thread. It ends when every sender of messages is gone.
///
/// # Errors
/// [`Error::Listen`] where no socket can be had, [`Error::Media`] where the stack does not start.
pub fn start(listen: SocketAddr) -> Result<(mpsc::Sender<Message>, JoinHandle<()>), Error> {
    let sockets = bind(listen).map_err(|error| Error::Listen { address: listen, source: error })?;
    let addresses: Vec<SocketAddr> = sockets.iter().map(|(address, _)| *address).collect();
    let ground = PeerContext::new(addresses).ok_or(Error::Media)?;
    let (sender, inbox) = mpsc::channel(MAX_MESSAGES);
    let run = move || {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return tracing::error!(%error, "the media thread does not start"),
        };
        runtime.block_on(async {
            match Driver::new(ground, sockets, inbox) {
                Ok(driver) => driver.run().await,
                Err(error) => tracing::error!(%error, "the media sockets do not start"),
            }
        });
    };
    let thread = std::thread::Builder::new().name("sfu".into()).spawn(run).map_err(|_| Error::Media)?;
    Ok((sender, thread))
}

struct Driver {
    sfu: Sfu,
    sockets: Vec<(SocketAddr, UdpSocket)>,
    outboxes: HashMap<ParticipantId, Outbox>,
    inbox: mpsc::Receiver<Message>,
    unsent: u64,
}

impl Driver {
    fn new(
        ground: PeerContext,
        sockets: Vec<(SocketAddr, std::net::UdpSocket)>,
        inbox: mpsc::Receiver<Message>,
    ) -> io::Result<Self> {
        let sockets = sockets
            .into_iter()
            .map(|(address, socket)| Ok((address, UdpSocket::from_std(socket)?)))
            .collect::<io::Result<_>>()?;
        Ok(Self { sfu: Sfu::new(ground, Instant::now()), sockets, outboxes: HashMap::new(), inbox, unsent: 0 })
    }

    async fn run(mut self) {
        let mut buffer = vec![0; BUFFER];
        loop {
            let wake = self.sfu.poll_timeout();
            tokio::select! {
                message = self.inbox.recv() => match message {
                    Some(message) => self.handle(message),
                    None => break,
                },
                () = readable(&self.sockets) => self.receive(&mut buffer),
                () = tokio::time::sleep_until(wake.into()) => {}
            }
            let now = Instant::now();
            if self.sfu.poll_timeout() <= now {
                self.sfu.handle_timeout(now);
            }
            self.flush();
        }
        tracing::debug!(unsent = self.unsent, "media ended");
    }

    fn handle(&mut self, message: Message) {
        match message {
            Message::Order(order, outbox) => {
                if let (Order::Join { participant, .. }, Some(outbox)) = (&order, outbox) {
                    self.outboxes.insert(*participant, outbox);
                }
                let gone = if let Order::Leave { participant } = &order { Some(*participant) } else { None };
                self.sfu.handle_order(order, Instant::now());
                if let Some(participant) = gone {
                    self.outboxes.remove(&participant);
                }
            }
            Message::Totals(meeting, answer) => {
                // Whoever asked may have given up waiting.
                let _ = answer.send(self.sfu.totals(meeting));
            }
        }
    }

    /// Takes what has come, a bounded number at a time: timers must have their turn.
    fn receive(&mut self, buffer: &mut [u8]) {
        for index in 0..self.sockets.len() {
            for _ in 0..MAX_AT_ONCE {
                let (address, socket) = &self.sockets[index];
                // An error is the echo of something unreachable, or there is nothing more to read.
                let Ok((length, source)) = socket.try_recv_from(buffer) else { break };
                let destination = *address;
                self.sfu.handle_datagram(source, destination, &buffer[..length], Instant::now());
                self.flush();
            }
        }
    }

    fn flush(&mut self) {
        while let Some(transmit) = self.sfu.poll_transmit() {
            let socket = self.sockets.iter().find(|(address, _)| *address == transmit.source);
            let sent = socket.map(|(_, socket)| socket.try_send_to(&transmit.contents, transmit.destination));
            // A full buffer is a loss on the way, as any other: receivers ask again.
            self.unsent += u64::from(!matches!(sent, Some(Ok(_))));
        }
        while let Some((participant, reply)) = self.sfu.poll_said() {
            if let Some(outbox) = self.outboxes.get(&participant) {
                send(outbox, reply);
            }
        }
    }
}

/// Sends `reply`. The delivery service sees the end of a connection that is closed here as any other end.
fn send(outbox: &Outbox, reply: Reply) {
    let say = |message: &FromSfu| outbox.say(proto::encode(message).into());
    match reply {
        Reply::Signal(signal) => say(&FromSfu::Signal(Blob(proto::encode(&signal)))),
        Reply::Totals(totals) => say(&FromSfu::Totals { totals }),
        Reply::Malformed => {
            outbox.say(proto::encode(&Down::Problem { problem: Problem::Malformed }).into());
            outbox.finish();
        }
    }
}

/// Waits until one of the sockets has something to read.
async fn readable(sockets: &[(SocketAddr, UdpSocket)]) {
    poll_fn(|context| {
        let ready = sockets.iter().any(|(_, socket)| socket.poll_recv_ready(context).is_ready());
        if ready { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// One socket on each address by which the server can be reached: with one for all of them nobody would know which
/// address a datagram came to, and ICE needs to.
fn bind(listen: SocketAddr) -> io::Result<Vec<(SocketAddr, std::net::UdpSocket)>> {
    let addresses = if listen.ip().is_unspecified() { super::address::reachable(listen) } else { vec![listen.ip()] };
    let mut sockets = Vec::new();
    for ip in addresses {
        let wished = SocketAddr::new(ip, listen.port());
        // The port may be taken: any other will do, the candidates name it.
        match open(wished).or_else(|_| open(SocketAddr::new(ip, 0))) {
            Ok(socket) => sockets.push((socket.local_addr()?, socket)),
            Err(error) => tracing::debug!(%error, "an address without media"),
        }
    }
    if sockets.is_empty() { Err(io::ErrorKind::AddrNotAvailable.into()) } else { Ok(sockets) }
}

fn open(address: SocketAddr) -> io::Result<std::net::UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    // Where the system allows less, it gives what it allows.
    let _ = socket.set_recv_buffer_size(SOCKET_BUFFER);
    let _ = socket.set_send_buffer_size(SOCKET_BUFFER);
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// Messages that may wait for the thread.
const MAX_MESSAGES: usize = 1_024;

/// Datagrams taken from one socket before timers have their turn.
const MAX_AT_ONCE: usize = 128;

/// Longer than any datagram of ours, so that a longer one is seen to be.
const BUFFER: usize = 2_048;

/// Bytes that the system may hold for a socket: a burst of key frames.
const SOCKET_BUFFER: usize = 4 << 20;
