//! A stream that counts what is read from it. The WebSocket library returns complete messages only, so unfinished ones
//! are bounded here.

use crate::quota::Meter;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use tokio_tungstenite::WebSocketStream;

/// The WebSocket of a connection.
pub type Socket = WebSocketStream<MeteredStream<TlsStream<TcpStream>>>;

/// A stream whose reads fail if its [`Meter`] allows no more bytes.
pub struct MeteredStream<S> {
    stream: S,
    meter: Arc<Meter>,
}

impl<S> MeteredStream<S> {
    /// Returns a stream that counts what is read from `stream`.
    pub fn new(stream: S, meter: Arc<Meter>) -> Self {
        Self { stream, meter }
    }

    /// Returns the stream.
    pub fn get_ref(&self) -> &S {
        &self.stream
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for MeteredStream<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = std::task::ready!(Pin::new(&mut self.stream).poll_read(cx, buffer));
        let read = buffer.filled().len().saturating_sub(before);
        if self.meter.add(read) { Poll::Ready(result) } else { Poll::Ready(Err(io::ErrorKind::QuotaExceeded.into())) }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for MeteredStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Bytes that may be read beyond the message that is being read.
pub const READ_AHEAD: usize = 16 << 10;
