//! A network path that loses datagrams in a pseudo-random order.

use std::future::Future;
use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;
use webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, RecvMeta, Runtime, TokioRuntime,
    Transmit,
};

/// A tokio runtime whose UDP sockets lose one datagram in `one_in` in each direction, after the first `FIRST_PASSED`.
#[derive(Debug)]
pub struct Lossy {
    one_in: u32,
    /// True if all datagrams are lost.
    blocked: Arc<AtomicBool>,
    local: OnceLock<SocketAddr>,
}

impl Lossy {
    /// Returns a path that loses one datagram in `one_in`.
    pub fn one_in(one_in: u32) -> Arc<Self> {
        Arc::new(Self { one_in, blocked: Arc::default(), local: OnceLock::new() })
    }

    /// Returns a path that loses no datagram.
    pub fn lossless() -> Arc<Self> {
        Self::one_in(u32::MAX)
    }

    /// Loses all datagrams from now on, or only those that it would lose otherwise.
    pub fn block(&self, all: bool) {
        self.blocked.store(all, Ordering::Relaxed);
    }

    /// Returns the client's address; `None` until its socket is bound.
    pub fn local(&self) -> Option<SocketAddr> {
        self.local.get().copied()
    }
}

static TOKIO: TokioRuntime = TokioRuntime;

type Task<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

impl Runtime for Lossy {
    fn spawn(&self, future: Task<'static, ()>) -> Box<dyn JoinHandle> {
        TOKIO.spawn(future)
    }

    fn wrap_udp_socket(&self, socket: UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        let _ = self.local.set(socket.local_addr()?);
        let inner = TOKIO.wrap_udp_socket(socket)?;
        let (one_in, blocked) = (self.one_in, Arc::clone(&self.blocked));
        Ok(Arc::new(Socket { inner, one_in, blocked, seed: AtomicU32::new(1), passed: AtomicU32::new(0) }))
    }

    fn wrap_tcp_listener(&self, listener: TcpListener) -> io::Result<Arc<dyn AsyncTcpListener>> {
        TOKIO.wrap_tcp_listener(listener)
    }

    fn connect_tcp(&self, remote: SocketAddr) -> Task<'_, io::Result<Arc<dyn AsyncTcpStream>>> {
        TOKIO.connect_tcp(remote)
    }

    fn resolve_host<'a>(&'a self, host: &'a str) -> Task<'a, io::Result<Vec<SocketAddr>>> {
        TOKIO.resolve_host(host)
    }

    fn sleep(&self, duration: Duration) -> Task<'static, ()> {
        TOKIO.sleep(duration)
    }

    fn interval(&self, period: Duration) -> Box<dyn AsyncInterval> {
        TOKIO.interval(period)
    }

    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + '_>>) {
        TOKIO.block_on(future);
    }
}

#[derive(Debug)]
struct Socket {
    inner: Arc<dyn AsyncUdpSocket>,
    one_in: u32,
    blocked: Arc<AtomicBool>,
    seed: AtomicU32,
    passed: AtomicU32,
}

/// The number of datagrams that pass before the loss begins. They are for handshakes, which repeat a lost datagram only
/// after seconds.
const FIRST_PASSED: u32 = 60;

impl Socket {
    fn loses(&self) -> bool {
        if self.blocked.load(Ordering::Relaxed) {
            return true;
        }
        if self.passed.fetch_add(1, Ordering::Relaxed) < FIRST_PASSED {
            return false;
        }
        let next = |seed: u32| Some(seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
        let seed = self.seed.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).unwrap_or(0);
        (seed >> 8).is_multiple_of(self.one_in)
    }
}

impl AsyncUdpSocket for Socket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }

    fn poll_send(&self, cx: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        if self.loses() {
            return Poll::Ready(Ok(transmit.contents.len()));
        }
        self.inner.poll_send(cx, transmit)
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        loop {
            let received = self.inner.poll_recv(cx, bufs, meta);
            if matches!(received, Poll::Ready(Ok(_))) && self.loses() {
                continue;
            }
            return received;
        }
    }
}
