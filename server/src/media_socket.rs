//! UDP sockets that receive and send in batches. A system call and the way through the network stack cost more than all other
//! work on a packet.
//!
//! On Linux, one call receives up to 32 datagrams (`recvmmsg`, UDP GRO), and one call sends up to 64 datagrams of one size to one
//! address (UDP GSO): the packets of a picture have one size. Windows has the same for sending. Elsewhere each datagram is one
//! call.

use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit as Batch, UdpSocketState};
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::task;
use str0m::net::Transmit;
use tokio::io::Interest;
use tokio::net::UdpSocket;

/// A socket at one address.
#[derive(Debug)]
pub struct MediaSocket {
    address: SocketAddr,
    socket: UdpSocket,
    state: UdpSocketState,
}

/// The datagrams that one call has received.
#[derive(Debug)]
pub struct ReceiveBuffer {
    buffer: Box<[u8]>,
    metas: [RecvMeta; BATCH_SIZE],
    count: usize,
}

/// Datagrams of one size that wait for a call that sends them all to one address.
#[derive(Debug, Default)]
pub struct SendBatch {
    /// The first datagram. It is copied only if another one follows.
    first: Option<Transmit>,
    buffer: Vec<u8>,
    /// The number of datagrams.
    count: usize,
    /// Bytes of each datagram. Only the last one may be smaller.
    size: usize,
}

impl MediaSocket {
    /// Takes a bound socket that does not block.
    ///
    /// # Errors
    /// Returns the system's error if the socket cannot be used.
    pub fn new(socket: std::net::UdpSocket) -> io::Result<Self> {
        let (address, state) = (socket.local_addr()?, UdpSocketState::new((&socket).into())?);
        Ok(Self { address, socket: UdpSocket::from_std(socket)?, state })
    }

    /// Returns its address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns whether it may have received something. If not, the task of `context` is woken later.
    pub fn poll_readable(&self, context: &mut task::Context<'_>) -> bool {
        self.socket.poll_recv_ready(context).is_ready()
    }

    /// Waits until datagrams can be sent.
    ///
    /// # Errors
    /// Returns the system's error if it does not watch the socket.
    pub async fn writable(&self) -> io::Result<()> {
        self.socket.writable().await
    }

    /// Receives the datagrams that wait, at most one batch. Returns false if none waits, or if the socket reports an ICMP reply
    /// to an earlier datagram.
    pub fn receive(&self, received: &mut ReceiveBuffer) -> bool {
        let ReceiveBuffer { buffer, metas, count } = received;
        *count = 0;
        let mut chunks = buffer.chunks_exact_mut(BUFFER_BYTES);
        let mut slices: [IoSliceMut<'_>; BATCH_SIZE] =
            std::array::from_fn(|_| IoSliceMut::new(chunks.next().unwrap_or_default()));
        let receive = || self.state.recv((&self.socket).into(), &mut slices, metas);
        *count = self.socket.try_io(Interest::READABLE, receive).unwrap_or(0);
        *count > 0
    }

    /// Sends one datagram. If that fails, the effect is the same as a loss in the network.
    pub fn send_one(&self, datagram: &[u8], destination: SocketAddr) {
        let _ = self.socket.try_send_to(datagram, destination);
    }

    /// Sends the datagrams of `batch`, and empties it. Returns how many could not be sent.
    pub fn send(&self, batch: &mut SendBatch) -> usize {
        let Some(first) = batch.first.take() else { return 0 };
        let count = std::mem::take(&mut batch.count);
        if count == 1 {
            return usize::from(self.socket.try_send_to(&first.contents, first.destination).is_err());
        }
        let unsent = self.send_all(first.destination, &batch.buffer, batch.size, count);
        batch.buffer.clear();
        unsent
    }

    fn send_all(&self, destination: SocketAddr, contents: &[u8], size: usize, count: usize) -> usize {
        let batch = Batch { destination, ecn: None, contents, segment_size: Some(size), src_ip: None };
        let sent = self.socket.try_io(Interest::WRITABLE, || self.state.try_send((&self.socket).into(), &batch));
        match sent {
            Ok(()) => 0,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => count,
            // Some network adapters cannot do it. From then on, `max_gso_segments` is 1.
            Err(_) => contents.chunks(size).filter(|one| self.socket.try_send_to(one, destination).is_err()).count(),
        }
    }

    /// Returns how many datagrams one call can send.
    fn max_datagrams(&self) -> usize {
        self.state.max_gso_segments().min(MAX_DATAGRAMS)
    }
}

impl Default for ReceiveBuffer {
    /// Returns room for one batch.
    fn default() -> Self {
        let metas = [RecvMeta::default(); BATCH_SIZE];
        Self { buffer: vec![0; BUFFER_BYTES * BATCH_SIZE].into(), metas, count: 0 }
    }
}

impl ReceiveBuffer {
    /// Returns the datagrams, each with its source.
    pub fn datagrams(&self) -> impl Iterator<Item = (SocketAddr, &[u8])> {
        self.buffer.chunks_exact(BUFFER_BYTES).zip(&self.metas[..self.count]).flat_map(|(buffer, meta)| {
            // The system joins datagrams of one size that came from one address.
            let datagrams = buffer[..meta.len.min(BUFFER_BYTES)].chunks(meta.stride.max(1));
            datagrams.map(move |datagram| (meta.addr, datagram))
        })
    }
}

impl SendBatch {
    /// Returns whether a datagram can be added: it goes from `socket` to the same address as the others, and has their size or
    /// less.
    pub fn takes(&self, transmit: &Transmit, socket: &MediaSocket) -> bool {
        let Some(first) = &self.first else { return true };
        let length = transmit.contents.len();
        transmit.destination == first.destination
            && transmit.source == first.source
            && length <= self.size
            && length > 0
            && self.is_open()
            && self.count < socket.max_datagrams()
            && (self.count + 1) * self.size <= MAX_BATCH_BYTES
    }

    /// Returns whether the last datagram has the size of the others. None may follow a smaller one.
    fn is_open(&self) -> bool {
        self.count == 1 || self.buffer.len() == self.count * self.size
    }

    /// Adds a datagram, which [`SendBatch::takes`] allows.
    pub fn push(&mut self, transmit: Transmit) {
        let Some(first) = &self.first else {
            (self.size, self.count, self.first) = (transmit.contents.len(), 1, Some(transmit));
            return;
        };
        if self.count == 1 {
            self.buffer.extend_from_slice(&first.contents);
        }
        self.buffer.extend_from_slice(&transmit.contents);
        self.count += 1;
    }

    /// Returns the address from which the datagrams are sent, or `None` if there is none.
    pub fn source(&self) -> Option<SocketAddr> {
        self.first.as_ref().map(|first| first.source)
    }
}

/// Room for the datagrams that the system joins: at most 64 KiB.
const BUFFER_BYTES: usize = 1 << 16;

/// The maximum bytes of one call: less than a datagram of IPv4 can have.
const MAX_BATCH_BYTES: usize = 60_000;

/// The maximum number of datagrams of one call. Linux allows 64, and since 6.9 128.
const MAX_DATAGRAMS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use std::time::Duration;
    use str0m::net::Protocol;

    fn bind() -> MediaSocket {
        let socket = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.set_nonblocking(true).unwrap();
        MediaSocket::new(socket).unwrap()
    }

    fn datagram(from: &MediaSocket, to: &MediaSocket, length: usize, first: u8) -> Transmit {
        let mut contents = vec![7; length];
        contents[0] = first;
        Transmit { proto: Protocol::Udp, source: from.address, destination: to.address, contents: contents.into() }
    }

    /// Sends all as the media thread does. Returns the number of calls.
    fn send_all(from: &MediaSocket, transmits: Vec<Transmit>) -> usize {
        let (mut batch, mut calls) = (SendBatch::default(), 0);
        for transmit in transmits {
            if !batch.takes(&transmit, from) {
                assert_eq!(from.send(&mut batch), 0);
                calls += 1;
            }
            batch.push(transmit);
        }
        assert_eq!(from.send(&mut batch), 0);
        assert_eq!((batch.source(), from.send(&mut batch)), (None, 0), "nothing is left");
        calls + 1
    }

    async fn receive(socket: &MediaSocket, count: usize) -> Vec<(SocketAddr, usize, u8)> {
        let (mut received, mut all) = (ReceiveBuffer::default(), Vec::new());
        while all.len() < count {
            let readable = std::future::poll_fn(|context| {
                if socket.poll_readable(context) { task::Poll::Ready(()) } else { task::Poll::Pending }
            });
            tokio::time::timeout(Duration::from_secs(20), readable).await.expect("all datagrams arrive");
            while socket.receive(&mut received) {
                all.extend(received.datagrams().map(|(source, bytes)| (source, bytes.len(), bytes[0])));
            }
        }
        all
    }

    #[tokio::test]
    async fn datagrams_of_one_size_to_one_address_are_sent_with_one_call_and_arrive_unchanged() {
        let (from, to, other) = (bind(), bind(), bind());
        from.writable().await.unwrap();
        let lengths = [1_000, 1_000, 900, 1_000, 1_000, 1_000, 1];
        let transmits = (0_u8..).zip(lengths).map(|(index, length)| datagram(&from, &to, length, index)).collect();
        let calls = send_all(&from, transmits);
        assert!(calls == 2 || from.max_datagrams() == 1, "{calls} calls");
        let expected: Vec<_> = (0_u8..).zip(lengths).map(|(index, length)| (from.address, length, index)).collect();
        assert_eq!(receive(&to, lengths.len()).await, expected);

        let transmits = [&to, &other, &to].map(|socket| datagram(&from, socket, 500, 1)).into();
        assert_eq!(send_all(&from, transmits), 3, "each address has its own calls");
        assert_eq!((receive(&to, 2).await.len(), receive(&other, 1).await.len()), (2, 1));
    }

    #[tokio::test]
    async fn a_batch_is_bounded_and_a_smaller_datagram_ends_it() {
        let (from, to) = (bind(), bind());
        from.writable().await.unwrap();
        let transmits = (0..90).map(|_| datagram(&from, &to, 1_200, 1)).collect();
        let calls = send_all(&from, transmits);
        assert!(calls >= 2, "{calls} calls for 108,000 bytes");
        assert_eq!(receive(&to, 90).await.len(), 90);
        let mut batch = SendBatch::default();
        batch.push(datagram(&from, &to, 100, 1));
        assert!(!batch.takes(&datagram(&from, &to, 101, 1), &from), "larger");
        if from.max_datagrams() > 1 {
            assert!(batch.takes(&datagram(&from, &to, 50, 1), &from));
            batch.push(datagram(&from, &to, 50, 1));
            assert!(!batch.takes(&datagram(&from, &to, 50, 1), &from), "a smaller one was the last");
        }
    }
}
