//! A runtime for the stack that enlarges the buffers of UDP sockets, so that a burst of packets is not dropped, and that repeats
//! the datagrams of DTLS handshakes, so that a connection is made although packets are lost.

use super::repeating_socket::RepeatingSocket;
use crate::socket_runtime::SocketRuntime;
use std::net::UdpSocket;
use std::sync::Arc;
use webrtc::runtime::Runtime;

/// Returns a runtime on `inner` that enlarges the buffers of its UDP sockets, and repeats the handshakes on them.
pub fn peer_runtime(inner: Arc<dyn Runtime>) -> Arc<dyn Runtime> {
    Arc::new(SocketRuntime::new(inner, |socket, inner| {
        enlarge_buffers(&socket);
        Ok(RepeatingSocket::open(inner.wrap_udp_socket(socket)?, inner))
    }))
}

/// Asks the system for buffers that hold a key frame of every participant. Smaller buffers are not an error.
pub fn enlarge_buffers(socket: &UdpSocket) {
    let socket = socket2::SockRef::from(socket);
    let asked = socket.set_recv_buffer_size(RECEIVE_BUFFER).and(socket.set_send_buffer_size(SEND_BUFFER));
    if let Err(error) = asked {
        tracing::debug!(%error, "socket buffers not enlarged");
    }
    tracing::debug!(receive = ?socket.recv_buffer_size(), send = ?socket.send_buffer_size(), "socket buffers");
}

/// Bytes that the system may buffer until the stack reads them.
const RECEIVE_BUFFER: usize = 4 << 20;

/// Bytes that the system may buffer until they are sent.
const SEND_BUFFER: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_with_small_buffers_gets_larger_ones() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        // Every system allows more than this.
        let small = socket2::SockRef::from(&socket);
        small.set_recv_buffer_size(8 << 10).unwrap();
        small.set_send_buffer_size(8 << 10).unwrap();
        let (receive, send) = (small.recv_buffer_size().unwrap(), small.send_buffer_size().unwrap());
        let same = socket.try_clone().unwrap();
        let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let _context = tokio.enter();
        let runtime = peer_runtime(Arc::new(webrtc::runtime::TokioRuntime));
        let _wrapped = runtime.wrap_udp_socket(socket).unwrap();
        let large = socket2::SockRef::from(&same);
        assert!(large.recv_buffer_size().unwrap() > receive && large.send_buffer_size().unwrap() > send);
    }
}
