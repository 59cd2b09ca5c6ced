//! Sends and receives the datagrams of a path test, by UDP or through the test's WebSocket.

use crate::signalling::Socket;
use crate::task::{self, Task};
use futures_util::stream::SplitStream;
use futures_util::{SinkExt, StreamExt};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use webrtc::runtime::{AsyncUdpSocket, RecvMeta, Runtime};

/// The transport of the datagrams of a path test.
pub enum ProbeTransport {
    /// By UDP to these addresses.
    Udp { socket: Arc<dyn AsyncUdpSocket>, servers: Vec<SocketAddr>, buffer: Vec<u8>, received: VecDeque<Received> },
    /// Through the WebSocket.
    Tls { outgoing: mpsc::Sender<Message>, writer: Task, incoming: SplitStream<Socket>, received: VecDeque<Received> },
}

/// A datagram, and its source address if it came by UDP.
type Received = (Option<SocketAddr>, Vec<u8>);

impl ProbeTransport {
    /// Returns a transport by UDP from `local` to all of `servers`.
    ///
    /// # Errors
    /// Returns the system's error if no socket can be opened.
    pub fn udp(local: IpAddr, servers: Vec<SocketAddr>, stack: &Arc<dyn Runtime>) -> io::Result<Self> {
        let socket = UdpSocket::bind((local, 0))?;
        socket.set_nonblocking(true)?;
        let socket = stack.wrap_udp_socket(socket)?;
        Ok(Self::Udp { socket, servers, buffer: vec![0; MAX_RECEIVED], received: VecDeque::new() })
    }

    /// Returns a transport through the WebSocket of the test.
    pub fn tls(socket: Socket, stack: &Arc<dyn Runtime>) -> Self {
        let (mut sink, incoming) = socket.split();
        let (outgoing, mut queue) = mpsc::channel::<Message>(MAX_WAITING);
        // Writing waits for the network, and must not delay reading.
        let writer = task::spawn(stack, async move {
            while let Some(message) = queue.recv().await {
                if sink.send(message).await.is_err() {
                    return;
                }
            }
        });
        Self::Tls { outgoing, writer, incoming, received: VecDeque::new() }
    }

    /// Returns the addresses of the server by UDP, or one `None` for the WebSocket.
    pub fn destinations(&self) -> Vec<Option<SocketAddr>> {
        match self {
            Self::Udp { servers, .. } => servers.iter().copied().map(Some).collect(),
            Self::Tls { .. } => vec![None],
        }
    }

    /// Sends a datagram to one of [`ProbeTransport::destinations`]. It is dropped if the queue is full.
    pub async fn send(&mut self, datagram: &[u8], destination: Option<SocketAddr>) {
        match self {
            Self::Udp { socket, .. } => {
                if let Some(server) = destination {
                    // An error is a loss: the network of an address may be unreachable.
                    let _ = socket.send_to(datagram, server).await;
                }
            }
            Self::Tls { outgoing, .. } => {
                let length = u16::try_from(datagram.len()).unwrap_or(u16::MAX).to_be_bytes();
                let message = [&length[..], datagram].concat();
                let _ = outgoing.try_send(Message::Binary(message.into()));
            }
        }
    }

    /// Uses only this address of the server from now on.
    pub fn use_only(&mut self, address: Option<SocketAddr>) {
        if let (Self::Udp { servers, .. }, Some(address)) = (self, address) {
            *servers = vec![address];
        }
    }

    /// Waits for the next datagram. Cancel-safe.
    ///
    /// # Errors
    /// Returns an error if the socket fails or the WebSocket ends.
    pub async fn next(&mut self) -> io::Result<Received> {
        match self {
            Self::Udp { socket, servers, buffer, received } => loop {
                if let Some(datagram) = received.pop_front() {
                    return Ok(datagram);
                }
                let (from, found) = receive(&**socket, buffer).await?;
                if servers.contains(&from) {
                    received.extend(found.into_iter().map(|datagram| (Some(from), datagram)));
                }
            },
            Self::Tls { incoming, received, .. } => loop {
                if let Some(datagram) = received.pop_front() {
                    return Ok(datagram);
                }
                match incoming.next().await {
                    Some(Ok(Message::Binary(message))) => {
                        let datagrams = proto::datagrams(&message).map_err(|_| io::ErrorKind::InvalidData)?;
                        received.extend(datagrams.map(|datagram| (None, datagram.to_vec())));
                    }
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    Some(Ok(Message::Text(_) | Message::Frame(_))) => return Err(io::ErrorKind::InvalidData.into()),
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(io::ErrorKind::ConnectionAborted.into()),
                }
            },
        }
    }
}

impl Drop for ProbeTransport {
    fn drop(&mut self) {
        if let Self::Tls { writer, .. } = self {
            writer.abort();
        }
    }
}

/// Receives datagrams from one address. The system may pass several of one size together (UDP GRO).
async fn receive(socket: &dyn AsyncUdpSocket, buffer: &mut [u8]) -> io::Result<(SocketAddr, Vec<Vec<u8>>)> {
    let mut metas = [RecvMeta::default()];
    let received = poll_fn(|context| {
        let mut buffers = [IoSliceMut::new(buffer)];
        socket.poll_recv(context, &mut buffers, &mut metas)
    });
    let [meta] = match received.await {
        Ok(_) => metas,
        // ICMP errors for earlier datagrams, such as port unreachable.
        Err(error) if is_transient(&error) => return Ok((([0, 0, 0, 0], 0).into(), Vec::new())),
        Err(error) => return Err(error),
    };
    let bytes = buffer.get(..meta.len).unwrap_or_default();
    Ok((meta.addr, bytes.chunks(meta.stride.max(1)).map(<[u8]>::to_vec).collect()))
}

fn is_transient(error: &io::Error) -> bool {
    use io::ErrorKind::{
        ConnectionRefused, ConnectionReset, HostUnreachable, Interrupted, NetworkUnreachable, TimedOut,
    };
    [ConnectionRefused, ConnectionReset, HostUnreachable, Interrupted, NetworkUnreachable, TimedOut]
        .contains(&error.kind())
}

/// The size of the buffer for datagrams that the system passes together.
const MAX_RECEIVED: usize = 1 << 16;

/// The maximum number of datagrams that wait for the WebSocket: 200 ms at the highest rate.
const MAX_WAITING: usize = 64;
