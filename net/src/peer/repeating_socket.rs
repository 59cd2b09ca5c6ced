//! A UDP socket that repeats the datagrams of DTLS handshakes ([`FlightRepeater`]).

use super::flight_repeater::{Datagram, DatagramKind, FlightRepeater};
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use webrtc::runtime::{AsyncUdpSocket, RecvMeta, Runtime, Transmit};

/// The socket. A task repeats its datagrams. The task ends after the handshake, or if the socket is dropped.
#[derive(Debug)]
pub struct RepeatingSocket {
    inner: Arc<dyn AsyncUdpSocket>,
    /// True after the first datagram of media was sent.
    handshake_over: AtomicBool,
    handshake: mpsc::Sender<Datagram>,
}

impl RepeatingSocket {
    /// Returns a socket that sends and receives on `inner`. The caller must be in the runtime.
    pub fn open(inner: Arc<dyn AsyncUdpSocket>, runtime: &Arc<dyn Runtime>) -> Arc<Self> {
        let (handshake, sent) = mpsc::channel(MAX_WAITING);
        let socket = Arc::new(Self { inner, handshake_over: AtomicBool::new(false), handshake });
        let task = repeat(Arc::downgrade(&socket), sent, Arc::clone(runtime));
        // The task goes on without its handle.
        drop(runtime.spawn(Box::pin(task)));
        socket
    }

    fn handle_sent(&self, transmit: &Transmit<'_>) {
        match DatagramKind::of(transmit.contents) {
            DatagramKind::Handshake => {
                let size = transmit.segment_size.unwrap_or(transmit.contents.len()).max(1);
                for bytes in transmit.contents.chunks(size) {
                    let datagram = Datagram { to: transmit.destination, bytes: bytes.to_vec() };
                    // If the channel is full, only the stack repeats the datagram.
                    let _ = self.handshake.try_send(datagram);
                }
            }
            DatagramKind::HandshakeOver => self.handshake_over.store(true, Ordering::Relaxed),
            DatagramKind::Other => {}
        }
    }
}

impl AsyncUdpSocket for RepeatingSocket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }

    fn poll_send(&self, cx: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        let sent = self.inner.poll_send(cx, transmit);
        if matches!(sent, Poll::Ready(Ok(_))) && !self.handshake_over.load(Ordering::Relaxed) {
            self.handle_sent(transmit);
        }
        sent
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        self.inner.poll_recv(cx, bufs, meta)
    }

    fn max_gso_segments(&self) -> usize {
        self.inner.max_gso_segments()
    }

    fn max_gro_segments(&self) -> usize {
        self.inner.max_gro_segments()
    }
}

/// Repeats datagrams until the handshake is over or the socket is dropped.
async fn repeat(socket: Weak<RepeatingSocket>, mut sent: mpsc::Receiver<Datagram>, runtime: Arc<dyn Runtime>) {
    let mut repeater = FlightRepeater::default();
    loop {
        let wait = repeater.poll_timeout().map(|due| due.saturating_duration_since(Instant::now()));
        let timer = runtime.sleep(wait.unwrap_or(Duration::ZERO));
        tokio::select! {
            datagram = sent.recv() => match datagram {
                Some(datagram) => repeater.handle_sent(datagram, Instant::now()),
                None => return,
            },
            () = timer, if wait.is_some() => {
                let Some(socket) = socket.upgrade().filter(|socket| !socket.handshake_over.load(Ordering::Relaxed)) else { return };
                for datagram in repeater.poll(Instant::now()) {
                    if let Err(error) = socket.inner.send_to(&datagram.bytes, datagram.to).await {
                        tracing::debug!(%error, "handshake datagram not repeated");
                    }
                }
            }
        }
    }
}

/// The maximum number of datagrams that wait for the task.
const MAX_WAITING: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::UdpSocket;
    use webrtc::runtime::TokioRuntime;

    #[test]
    fn a_handshake_datagram_is_repeated_until_media_flow() {
        let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        tokio.block_on(async {
            let bind = || {
                let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
                socket.set_nonblocking(true).unwrap();
                socket
            };
            let runtime: Arc<dyn Runtime> = Arc::new(TokioRuntime);
            let socket = RepeatingSocket::open(runtime.wrap_udp_socket(bind()).unwrap(), &runtime);
            let other = runtime.wrap_udp_socket(bind()).unwrap();
            let to = other.local_addr().unwrap();
            socket.send_to(&[22, 1], to).await.unwrap();
            socket.send_to(&[0, 2], to).await.unwrap();
            let mut buffer = [0; 16];
            let mut received = Vec::new();
            for _ in 0..4 {
                let length = other.recv_from(&mut buffer).await.unwrap().0;
                received.push(buffer[..length].to_vec());
            }
            assert_eq!(received, [[22, 1], [0, 2], [22, 1], [22, 1]]);
            socket.send_to(&[0x80, 3], to).await.unwrap();
            assert_eq!(other.recv_from(&mut buffer).await.unwrap().0, 2);
            assert_eq!(buffer[..2], [0x80, 3]);
            // The task ends when its timer fires, and the channel closes.
            socket.handshake.closed().await;
        });
    }
}
