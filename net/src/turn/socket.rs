//! The stack's UDP sockets, whose datagrams to virtual addresses go to TURN servers.

use super::address::is_virtual;
use super::links::{Departure, Links};
use crate::received_batch::retain_datagrams;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;
use webrtc::runtime::{AsyncUdpSocket, RecvMeta, Transmit};

/// A UDP socket whose datagrams to virtual addresses go to TURN servers.
#[derive(Debug)]
pub struct TurnSocket {
    pub inner: Arc<dyn AsyncUdpSocket>,
    pub links: Arc<Links>,
}

/// Returns whether the stack may get a datagram of UDP. `server` is `None` if the source is no TURN server.
fn accepts(server: Option<&Links>, source: SocketAddr, datagram: &[u8]) -> bool {
    let is_authentic = server.and_then(|links| links.accepts(source, datagram));
    // The first byte of `ChannelData` is 0x40 to 0x7f. The stack would believe that its TURN server has sent it.
    !is_virtual(source) && is_authentic.unwrap_or(!matches!(datagram.first(), Some(0x40..=0x7f)))
}

impl AsyncUdpSocket for TurnSocket {
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
        let Transmit { destination, ecn, contents, segment_size, src_ip } = *transmit;
        match self.links.send(destination, contents, segment_size, Instant::now()) {
            Departure::Unchanged => self.inner.poll_send(cx, transmit),
            Departure::Udp(destination, amended) => {
                let contents = amended.as_deref().unwrap_or(contents);
                self.inner.poll_send(cx, &Transmit { destination, ecn, contents, segment_size, src_ip })
            }
            Departure::Handled => Poll::Ready(Ok(contents.len())),
        }
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let (Some(buffer), Some(first)) = (bufs.first_mut(), meta.first_mut()) else { return Poll::Ready(Ok(0)) };
        if let Some((length, address)) = self.links.receive(buffer, cx.waker(), Instant::now()) {
            *first = RecvMeta::default();
            (first.addr, first.len, first.stride) = (address, length, length);
            return Poll::Ready(Ok(1));
        }
        loop {
            let received = self.inner.poll_recv(cx, bufs, meta);
            let Poll::Ready(Ok(count)) = received else { return received };
            let mut accepted = count == 0;
            for (buffer, meta) in bufs.iter_mut().zip(meta.iter_mut()).take(count) {
                let source = meta.addr;
                let address = self.links.address_of(source);
                let server = address.map(|_| &*self.links);
                accepted |= retain_datagrams(buffer, meta, |datagram| accepts(server, source, datagram));
                meta.addr = address.unwrap_or(source);
            }
            if accepted {
                return Poll::Ready(Ok(count));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::turn::address::virtual_address;
    use proto::TurnServer;

    #[test]
    fn a_datagram_that_looks_like_one_of_a_turn_server_is_dropped_if_somebody_else_sends_it() {
        let address = virtual_address(0, [127, 0, 0, 1].into()).unwrap();
        let (real, other) = (SocketAddr::from(([192, 0, 2, 7], 3_478)), SocketAddr::from(([192, 0, 2, 8], 3_478)));
        let links = Links::default();
        links.open(0, address, &TurnServer::parse("turn:a.example").unwrap());
        links.resolve(0, Some(real));
        let accepted = |source, first: u8| accepts(Some(&links), source, &[first]);
        assert!(accepted(real, 0x40) && accepted(real, 1));
        assert!(!accepted(other, 0x40) && accepted(other, 0x80));
        assert!(!accepted(address, 0x40) && !accepted(address, 1), "forged");
        assert_eq!((links.address_of(real), links.address_of(other)), (Some(address), None));
    }
}
