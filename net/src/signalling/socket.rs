//! A WebSocket over any stream.

use proto::TUNNEL_UNSENT;
use socket2::SockRef;
use std::io;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;

/// A WebSocket.
pub type Socket = WebSocketStream<Box<dyn ByteStream>>;

/// TCP, or TLS over it.
pub trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for S {}

/// Returns `host:port`, with brackets around an IPv6 address.
pub fn authority(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// Keeps the delay in the kernel low: what is not sent yet waits in our queue, where old datagrams are dropped.
pub fn limit_send_buffer(stream: &TcpStream) {
    if let Err(error) = limit_unsent(&SockRef::from(stream)) {
        tracing::debug!(%error, "the send buffer of a media connection was not limited");
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn limit_unsent(socket: &SockRef<'_>) -> io::Result<()> {
    socket.set_tcp_notsent_lowat(TUNNEL_UNSENT)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn limit_unsent(socket: &SockRef<'_>) -> io::Result<()> {
    socket.set_send_buffer_size(8 * TUNNEL_UNSENT as usize)
}
