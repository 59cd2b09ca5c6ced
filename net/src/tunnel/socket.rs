//! The stack's UDP sockets, some of whose datagrams go through the tunnel.

use super::shared::Shared;
use std::future::Future;
use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, RecvMeta, Runtime, Transmit,
};

/// A runtime whose UDP sockets use a tunnel if UDP does not work.
#[derive(Debug)]
pub struct TunnelRuntime {
    inner: Arc<dyn Runtime>,
    shared: Arc<Shared>,
}

type Task<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

impl TunnelRuntime {
    /// Returns a runtime that does everything else as `inner` does it.
    pub fn new(inner: Arc<dyn Runtime>, shared: Arc<Shared>) -> Self {
        Self { inner, shared }
    }
}

impl Runtime for TunnelRuntime {
    fn spawn(&self, future: Task<'static, ()>) -> Box<dyn JoinHandle> {
        self.inner.spawn(future)
    }

    fn wrap_udp_socket(&self, socket: UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        let inner = self.inner.wrap_udp_socket(socket)?;
        Ok(Arc::new(TunnelSocket { inner, shared: Arc::clone(&self.shared) }))
    }

    fn wrap_tcp_listener(&self, listener: TcpListener) -> io::Result<Arc<dyn AsyncTcpListener>> {
        self.inner.wrap_tcp_listener(listener)
    }

    fn connect_tcp(&self, remote: SocketAddr) -> Task<'_, io::Result<Arc<dyn AsyncTcpStream>>> {
        self.inner.connect_tcp(remote)
    }

    fn resolve_host<'a>(&'a self, host: &'a str) -> Task<'a, io::Result<Vec<SocketAddr>>> {
        self.inner.resolve_host(host)
    }

    fn sleep(&self, duration: Duration) -> Task<'static, ()> {
        self.inner.sleep(duration)
    }

    fn interval(&self, period: Duration) -> Box<dyn AsyncInterval> {
        self.inner.interval(period)
    }

    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + '_>>) {
        self.inner.block_on(future);
    }

    fn now(&self) -> Instant {
        self.inner.now()
    }

    fn name(&self) -> &'static str {
        self.inner.name()
    }
}

/// A UDP socket whose datagrams go by UDP, through the tunnel, or both.
#[derive(Debug)]
struct TunnelSocket {
    inner: Arc<dyn AsyncUdpSocket>,
    shared: Arc<Shared>,
}

impl AsyncUdpSocket for TunnelSocket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }

    fn max_gso_segments(&self) -> usize {
        self.inner.max_gso_segments()
    }

    fn max_gro_segments(&self) -> usize {
        self.inner.max_gro_segments()
    }

    fn poll_send(&self, cx: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        let Transmit { destination, contents, segment_size, .. } = *transmit;
        let route = self.shared.send(destination, contents, segment_size, Instant::now());
        if !route.udp {
            return Poll::Ready(Ok(contents.len()));
        }
        let sent = self.inner.poll_send(cx, transmit);
        // If it is on its way through the tunnel, another call would send it there twice.
        if route.tls { Poll::Ready(Ok(contents.len())) } else { sent }
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let (Some(buffer), Some(first)) = (bufs.first_mut(), meta.first_mut()) else { return Poll::Ready(Ok(0)) };
        if let Some((length, address)) = self.shared.receive(buffer, cx.waker(), Instant::now()) {
            *first = RecvMeta::default();
            (first.addr, first.len, first.stride) = (address, length, length);
            return Poll::Ready(Ok(1));
        }
        loop {
            let received = self.inner.poll_recv(cx, bufs, meta);
            let Poll::Ready(Ok(count)) = received else { return received };
            let mut delivers = count != 1;
            for (buffer, meta) in bufs.iter().zip(&*meta).take(count) {
                let length = meta.len.min(meta.stride);
                let datagram = buffer.get(..length).unwrap_or_default();
                // Datagrams that the system has joined are all delivered.
                delivers |= self.shared.handle_udp(meta.addr, datagram) || length < meta.len;
            }
            if delivers {
                return Poll::Ready(Ok(count));
            }
        }
    }
}
