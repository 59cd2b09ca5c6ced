//! A network path that loses datagrams in a pseudo-random order, or carries those to the client over an impaired link.

use net::SocketRuntime;
use std::future::Future;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;
use tests::impairment::{ImpairedLink, Impairment, UDP_HEADER_BYTES};
use tokio::time::Sleep;
use webrtc::runtime::{AsyncUdpSocket, RecvMeta, Runtime, TokioRuntime, Transmit};

/// A network path that loses datagrams in each direction, and carries those to the client over a link.
#[derive(Debug)]
pub struct Lossy {
    /// Lost datagrams of a thousand.
    lost: u32,
    seed: u32,
    /// True if all datagrams are lost.
    blocked: Arc<AtomicBool>,
    /// The only address that datagrams come from and go to.
    only: OnceLock<SocketAddr>,
    /// The link to the client. `None` for a direct one.
    downlink: Option<Downlink>,
    local: OnceLock<SocketAddr>,
}

/// Datagrams on their way to the client.
type Downlink = Arc<Mutex<ImpairedLink<(Vec<u8>, RecvMeta)>>>;

impl Lossy {
    /// Returns a path that loses `lost` datagrams of a thousand, in an order that depends on `seed`.
    pub fn new(lost: u32, seed: u32) -> Arc<Self> {
        Arc::new(Self {
            lost,
            seed,
            blocked: Arc::default(),
            only: OnceLock::new(),
            downlink: None,
            local: OnceLock::new(),
        })
    }

    /// Returns a path whose datagrams to the client are carried by an impaired link.
    pub fn impaired(impairment: Impairment) -> Arc<Self> {
        let downlink = Arc::new(Mutex::new(ImpairedLink::new(impairment, 1)));
        let (blocked, only, local) = (Arc::default(), OnceLock::new(), OnceLock::new());
        Arc::new(Self { lost: 0, seed: 1, blocked, only, downlink: Some(downlink), local })
    }

    /// Changes the link to the client.
    pub fn change(&self, impairment: Impairment) {
        let link = self.downlink.as_ref().expect("it is an impaired path");
        link.lock().unwrap_or_else(PoisonError::into_inner).set(impairment);
    }

    /// Returns a path that loses no datagram.
    pub fn lossless() -> Arc<Self> {
        Self::new(0, 1)
    }

    /// Loses all datagrams from now on, or only those that it would lose otherwise.
    pub fn block(&self, all: bool) {
        self.blocked.store(all, Ordering::Relaxed);
    }

    /// Loses all datagrams except those to and from `address`.
    pub fn allow_only(&self, address: SocketAddr) {
        self.only.set(address).expect("it is called once");
    }

    /// Returns a tokio runtime whose UDP sockets are on this path.
    pub fn runtime(self: Arc<Self>) -> Arc<dyn Runtime> {
        Arc::new(SocketRuntime::new(Arc::new(TokioRuntime), move |socket, tokio| {
            let _ = self.local.set(socket.local_addr()?);
            let inner = tokio.wrap_udp_socket(socket)?;
            if let Some(link) = self.downlink.clone() {
                return Ok(Arc::new(Impaired { inner, link, timer: Mutex::new(None) }));
            }
            let (lost, blocked, only) = (self.lost, Arc::clone(&self.blocked), self.only.get().copied());
            Ok(Arc::new(Socket { inner, lost, blocked, only, random: AtomicU32::new(self.seed) }))
        }))
    }

    /// Returns the client's address; `None` until its socket is bound.
    pub fn local(&self) -> Option<SocketAddr> {
        self.local.get().copied()
    }
}

#[derive(Debug)]
struct Socket {
    inner: Arc<dyn AsyncUdpSocket>,
    lost: u32,
    blocked: Arc<AtomicBool>,
    only: Option<SocketAddr>,
    random: AtomicU32,
}

impl Socket {
    fn loses(&self, remote: Option<SocketAddr>) -> bool {
        if self.blocked.load(Ordering::Relaxed) || self.only.is_some() && remote != self.only {
            return true;
        }
        let next = |number: u32| Some(number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
        let number = self.random.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).unwrap_or(0);
        (number >> 8) % 1_000 < self.lost
    }

    /// Moves the datagrams that are not lost to the beginning of `buffer`, which the system may have filled with several. Returns
    /// their length.
    fn keep(&self, buffer: &mut [u8], meta: RecvMeta) -> usize {
        let (stride, mut kept) = (meta.stride.max(1), 0);
        for start in (0..meta.len).step_by(stride) {
            let end = meta.len.min(start + stride);
            if !self.loses(Some(meta.addr)) {
                buffer.copy_within(start..end, kept);
                kept += end - start;
            }
        }
        kept
    }
}

impl AsyncUdpSocket for Socket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }

    // The stack provides room for so many datagrams.
    fn max_gro_segments(&self) -> usize {
        self.inner.max_gro_segments()
    }

    fn poll_send(&self, cx: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        if self.loses(Some(transmit.destination)) {
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
            let received = self.inner.poll_recv(cx, &mut bufs[..1], &mut meta[..1]);
            if !matches!(received, Poll::Ready(Ok(_))) {
                return received;
            }
            meta[0].len = self.keep(&mut bufs[0], meta[0]);
            if meta[0].len > 0 {
                return received;
            }
        }
    }
}

/// A socket that receives over a link.
#[derive(Debug)]
struct Impaired {
    inner: Arc<dyn AsyncUdpSocket>,
    link: Downlink,
    /// Wakes the task that receives when the next datagram arrives.
    timer: Mutex<Option<Pin<Box<Sleep>>>>,
}

impl Impaired {
    /// Puts the datagrams of the socket on the link.
    fn fill(&self, cx: &mut Context<'_>, link: &mut ImpairedLink<(Vec<u8>, RecvMeta)>) -> io::Result<()> {
        let mut buffer = vec![0; 1 << 16];
        loop {
            let mut meta = [RecvMeta::default()];
            match self.inner.poll_recv(cx, &mut [IoSliceMut::new(&mut buffer)], &mut meta) {
                Poll::Ready(received) => {
                    received?;
                    let [meta] = meta;
                    for datagram in buffer[..meta.len].chunks(meta.stride.max(1)) {
                        let mut one = meta;
                        (one.len, one.stride) = (datagram.len(), datagram.len());
                        link.send((datagram.to_vec(), one), datagram.len() + UDP_HEADER_BYTES, Instant::now());
                    }
                }
                Poll::Pending => return Ok(()),
            }
        }
    }
}

impl AsyncUdpSocket for Impaired {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }

    fn poll_send(&self, cx: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        self.inner.poll_send(cx, transmit)
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let mut link = self.link.lock().unwrap_or_else(PoisonError::into_inner);
        self.fill(cx, &mut link)?;
        let mut timer = self.timer.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some((datagram, one)) = link.receive(Instant::now()) {
                bufs[0][..datagram.len()].copy_from_slice(&datagram);
                meta[0] = one;
                return Poll::Ready(Ok(1));
            }
            let Some(at) = link.next_arrival() else { return Poll::Pending };
            let sleep = timer.insert(Box::pin(tokio::time::sleep_until(at.into())));
            if sleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }
}
