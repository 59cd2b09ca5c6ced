//! The stack's UDP sockets, some of whose datagrams go through the tunnel.

use super::shared::Shared;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;
use webrtc::runtime::{AsyncUdpSocket, RecvMeta, Transmit};

/// A UDP socket whose datagrams go by UDP, through the tunnel, or both.
#[derive(Debug)]
pub struct TunnelSocket {
    pub inner: Arc<dyn AsyncUdpSocket>,
    pub shared: Arc<Shared>,
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
            let now = Instant::now();
            let mut delivers = count != 1;
            for (buffer, meta) in bufs.iter().zip(&*meta).take(count) {
                let length = meta.len.min(meta.stride);
                let datagram = buffer.get(..length).unwrap_or_default();
                // Datagrams that the system has joined are all delivered.
                delivers |= self.shared.handle_udp(meta.addr, datagram, now) || length < meta.len;
            }
            if delivers {
                return Poll::Ready(Ok(count));
            }
        }
    }
}
