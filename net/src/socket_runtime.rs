//! A runtime for the WebRTC stack that wraps its UDP sockets.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use webrtc::runtime::{AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, Runtime};

/// Makes the UDP sockets of a [`SocketRuntime`] by a function, and passes everything else on to another runtime.
pub struct SocketRuntime<F> {
    inner: Arc<dyn Runtime>,
    wrap: F,
}

type Task<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

impl<F> SocketRuntime<F>
where
    F: Fn(UdpSocket, &Arc<dyn Runtime>) -> io::Result<Arc<dyn AsyncUdpSocket>> + Send + Sync + 'static,
{
    /// Returns a runtime on `inner`. `wrap` gets each UDP socket and `inner`.
    #[must_use]
    pub const fn new(inner: Arc<dyn Runtime>, wrap: F) -> Self {
        Self { inner, wrap }
    }
}

impl<F> fmt::Debug for SocketRuntime<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SocketRuntime").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl<F> Runtime for SocketRuntime<F>
where
    F: Fn(UdpSocket, &Arc<dyn Runtime>) -> io::Result<Arc<dyn AsyncUdpSocket>> + Send + Sync + 'static,
{
    fn spawn(&self, future: Task<'static, ()>) -> Box<dyn JoinHandle> {
        self.inner.spawn(future)
    }

    fn wrap_udp_socket(&self, socket: UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        (self.wrap)(socket, &self.inner)
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
