//! The UDP socket of the stack. It sends by the active path and receives from all. The stack sees one local address.

use super::paths::Paths;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use webrtc::runtime::{AsyncUdpSocket, RecvMeta, Transmit};

/// The UDP socket of the stack.
#[derive(Debug)]
pub struct MigratingSocket {
    /// The socket that the stack has opened.
    pub first: Arc<dyn AsyncUdpSocket>,
    pub paths: Arc<Paths>,
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
        self.paths.poll_send(context, transmit)
    }

    fn poll_recv(
        &self,
        context: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        self.paths.poll_recv(context, buffers, meta)
    }
}
