//! Moves bytes between an SFU and the sockets, on its own thread.

use crate::media_socket::{ReceiveBuffer, SendBatch};
use crate::media_sockets::MediaSockets;
use crate::outbox::Outbox;
use crate::path_test::PathTests;
use crate::receive_queue::{ReceiveQueue, ReceivedDatagrams};
use crate::sfu::{ClientAddress, Command, Context, Reply, Sfu, ThreadAddresses};
use crate::tunnel::{self, ArrivalPath, Endpoints, SendPath, Tunnels, is_virtual};
use proto::{Blob, Down, FromSfu, ParticipantId, Problem};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::mpsc;

/// A message to the thread.
pub enum Message {
    /// A command for the SFU. [`Command::Join`] comes with the participant's outbox.
    Command(Command, Option<Outbox>),
    /// Calls a function that reads the state of the SFU.
    Read(Box<dyn FnOnce(&Sfu) + Send>),
    /// Makes the next step of a meeting panic.
    #[cfg(test)]
    InjectPanic(proto::MeetingId),
}

/// Where the datagrams of a thread come from.
pub enum DatagramSource {
    /// From the sockets, if this is the only media thread. It also answers the datagrams of path tests.
    Sockets(Box<ReceiveBuffer>, Arc<PathTests>),
    /// From the thread that receives. The buffer is swapped with that of the queue, so taking datagrams allocates nothing.
    Queue(Arc<ReceiveQueue>, ReceivedDatagrams),
}

/// The state of one media thread: the SFU of its meetings, and the channels and sockets that it serves.
pub struct SfuThread {
    sfu: Sfu,
    sockets: MediaSockets,
    outboxes: HashMap<ParticipantId, Outbox>,
    inbox: mpsc::Receiver<Message>,
    tunnels: Tunnels,
    tunnel_events: mpsc::Receiver<tunnel::Event>,
    /// The datagrams that the next system call sends.
    batch: SendBatch,
}

impl DatagramSource {
    /// Creates the source of the only media thread.
    pub fn sockets(path_tests: Arc<PathTests>) -> Self {
        Self::Sockets(Box::default(), path_tests)
    }

    /// Waits for datagrams. Cancel-safe.
    async fn ready(&self, sockets: &MediaSockets) {
        match self {
            Self::Sockets(..) => sockets.readable().await,
            Self::Queue(queue, _) => queue.ready().await,
        }
    }
}

impl SfuThread {
    /// Creates the state of a thread without meetings.
    pub fn new(
        context: Context,
        sockets: MediaSockets,
        addresses: ThreadAddresses,
        (inbox, tunnel_events): (mpsc::Receiver<Message>, mpsc::Receiver<tunnel::Event>),
    ) -> Self {
        Self {
            sfu: Sfu::new(context, Instant::now()),
            sockets,
            outboxes: HashMap::new(),
            inbox,
            tunnels: Tunnels::new(addresses),
            tunnel_events,
            batch: SendBatch::default(),
        }
    }

    /// Runs until all senders of messages are dropped.
    pub async fn run(mut self, mut source: DatagramSource) {
        loop {
            let timeout = self.sfu.poll_timeout();
            tokio::select! {
                message = self.inbox.recv() => match message {
                    Some(message) => self.handle(message),
                    None => break,
                },
                () = source.ready(&self.sockets) => self.receive(&mut source),
                Some(event) = self.tunnel_events.recv() => self.handle_tunnel(event),
                () = tokio::time::sleep_until(timeout.into()) => {}
            }
            self.advance();
        }
        tracing::debug!("the media thread ends");
    }

    /// Runs the timers that are due, and sends what the SFU has produced.
    fn advance(&mut self) {
        let now = Instant::now();
        if self.sfu.poll_timeout() <= now {
            self.sfu.handle_timeout(now);
        } else {
            self.sfu.advance(now);
        }
        self.flush(None, now);
    }

    fn handle(&mut self, message: Message) {
        match message {
            Message::Command(Command::Join { meeting, participant }, Some(outbox)) => {
                let opened = outbox.arrived_at.map(|address| self.sockets.open(address)).unwrap_or_default();
                for address in opened {
                    self.sfu.add_socket(address);
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

    /// Receives a bounded number of datagrams, so that timers are not delayed.
    fn receive(&mut self, source: &mut DatagramSource) {
        match source {
            DatagramSource::Sockets(received, path_tests) => self.receive_from_sockets(received, path_tests),
            DatagramSource::Queue(queue, taken) => {
                queue.take(taken);
                let mut now = Instant::now();
                for (number, (endpoints, datagram)) in (1..).zip(taken.iter()) {
                    self.handle_udp(endpoints, datagram, now);
                    if number % MAX_DATAGRAMS_AT_ONCE == 0 {
                        self.advance();
                        now = Instant::now();
                    }
                }
            }
        }
    }

    fn receive_from_sockets(&mut self, received: &mut ReceiveBuffer, path_tests: &PathTests) {
        for index in 0..self.sockets.known().len() {
            let Some(socket) = self.sockets.known().get(index).map(Arc::clone) else { continue };
            let mut handled = 0;
            while handled < MAX_DATAGRAMS_AT_ONCE && socket.receive(received) {
                let (local, now) = (socket.address(), Instant::now());
                for (remote, datagram) in received.datagrams() {
                    match path_tests.answer(remote, datagram, now) {
                        Some(answer) => socket.send_one(&answer, remote),
                        None => self.handle_udp(Endpoints { local, remote }, datagram, now),
                    }
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
        self.flush(Some(ArrivalPath::Udp(participant, endpoints)), now);
    }

    fn handle_tunnel(&mut self, event: tunnel::Event) {
        let participant = match event {
            tunnel::Event::Datagrams { participant, tunnel, message } => {
                let Some(identity) = self.tunnels.identity(participant, tunnel) else { return };
                let now = Instant::now();
                for datagram in proto::datagrams(&message).into_iter().flatten() {
                    self.sfu.handle_datagram(identity.remote, identity.local, datagram, now);
                    self.flush(Some(ArrivalPath::Tunnel(participant)), now);
                }
                return;
            }
            tunnel::Event::Opened { participant, tunnel, queue, accepted } => {
                let addresses = self.sfu.addresses_of(participant);
                if let Some((local, known)) = addresses {
                    let known = known.map(|(local, remote)| Endpoints { local, remote });
                    self.tunnels.open((participant, tunnel), queue, known, (local, Instant::now()));
                }
                // The connection may be gone. Its end follows.
                let _ = accepted.send(addresses.is_some());
                participant
            }
            tunnel::Event::Path { participant, tunnel, path } => {
                self.tunnels.set_path(participant, tunnel, path);
                participant
            }
            tunnel::Event::Closed { participant, tunnel } => {
                self.tunnels.close(participant, tunnel);
                participant
            }
        };
        self.sfu.set_tunnelled(participant, self.tunnels.is_path_of(participant));
    }

    /// Sends what the SFU has produced. `arrival` is the path of the datagram that it has just handled, if its sender has a
    /// tunnel.
    fn flush(&mut self, arrival: Option<ArrivalPath>, now: Instant) {
        while let Some(mut transmit) = self.sfu.poll_transmit() {
            if !self.tunnels.is_empty() {
                match self.tunnels.send(transmit.destination, &transmit.contents, arrival, now) {
                    SendPath::Unchanged => {}
                    SendPath::Udp(Endpoints { local, remote }) => {
                        (transmit.source, transmit.destination) = (local, remote);
                    }
                    SendPath::Tunnel => continue,
                }
            }
            // The effect is the same as a loss in the network: the receiver requests the packet again.
            let Some(socket) = self.sockets.find(transmit.source) else {
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
        let unsent = self.sockets.find(source).map_or(0, |socket| socket.send(&mut self.batch));
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

/// After this many datagrams of one socket, or of the queue, timers run. The last batch may exceed it.
const MAX_DATAGRAMS_AT_ONCE: usize = tunnel::MAX_DATAGRAMS;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbox::outbox;
    use proto::MeetingId;
    use std::net::Ipv4Addr;

    #[tokio::test]
    async fn timers_run_between_the_datagrams_of_one_tunnel_message() {
        let sockets = MediaSockets::bind((Ipv4Addr::LOCALHOST, 0).into(), tokio::runtime::Handle::current()).unwrap();
        let context = Context::new(sockets.addresses()).unwrap();
        let ((_messages, inbox), (_events, tunnel_events)) = (mpsc::channel(1), mpsc::channel(1));
        let mut thread = SfuThread::new(context, sockets, ThreadAddresses::default(), (inbox, tunnel_events));
        let (participant, tunnel) = (ParticipantId(1), 7);
        let join = Command::Join { meeting: MeetingId([1; 16]), participant };
        thread.handle(Message::Command(join, Some(outbox(16, 16_000).0)));
        let (accepted, mut answer) = tokio::sync::oneshot::channel();
        thread.handle_tunnel(tunnel::Event::Opened { participant, tunnel, queue: Arc::default(), accepted });
        assert_eq!(answer.try_recv(), Ok(true));

        let received = |thread: &SfuThread| thread.sfu.metrics().received.packets;
        let (start, mut steps) = (received(&thread), 0);
        for event in tunnel::datagrams(participant, tunnel, [0, 1, 0x80].repeat(5_000).into()) {
            let before = received(&thread);
            thread.handle_tunnel(event);
            assert!(
                received(&thread) - before <= 128,
                "the loop runs timers and reads the other queues after each event"
            );
            steps += 1;
        }
        assert_eq!((received(&thread) - start, steps), (5_000, 40), "none is lost");
    }
}
