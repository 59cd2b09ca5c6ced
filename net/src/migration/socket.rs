//! The stack's UDP socket, whose datagrams take the path of the moment. The stack sees one local address.

use super::shared::Shared;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use webrtc::runtime::{AsyncUdpSocket, RecvMeta, Transmit};

/// The socket.
#[derive(Debug)]
pub struct MigratingSocket {
    /// The socket that the stack has opened.
    pub first: Arc<dyn AsyncUdpSocket>,
    pub shared: Arc<Shared>,
}

impl AsyncUdpSocket for MigratingSocket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.first.local_addr()
    }

    fn max_gso_segments(&self) -> usize {
        self.first.max_gso_segments()
    }

    fn max_gro_segments(&self) -> usize {
        self.first.max_gro_segments()
    }

    fn poll_send(&self, context: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        self.shared.poll_send(context, transmit)
    }

    fn poll_recv(
        &self,
        context: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        self.shared.poll_recv(context, buffers, meta)
    }
}
