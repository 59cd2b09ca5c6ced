//! A stranger that can reach the server. It accepts every certificate, and sends raw bytes.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use tests::attack::wire;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Connects by TLS from this machine.
pub async fn connect_tls(address: SocketAddr) -> wire::Tls {
    wire::connect_tls(Ipv4Addr::LOCALHOST.into(), address).await.unwrap()
}

/// Connects, opens a WebSocket, and sends `bytes` on it unchanged. Returns whether the server closed the connection within
/// ten seconds.
pub async fn send_raw(address: SocketAddr, bytes: &[u8]) -> bool {
    let mut tls = connect_tls(address).await;
    let hello = format!(
        "GET /v1 HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    );
    tls.write_all(hello.as_bytes()).await.unwrap();
    // The server may close the connection before all bytes are sent.
    let _ = tls.write_all(bytes).await;
    is_closed(&mut tls).await
}

/// Returns whether the other end closes within ten seconds.
pub async fn is_closed(stream: &mut (impl AsyncReadExt + Unpin)) -> bool {
    let mut read = [0; 4_096];
    let drain = async { while stream.read(&mut read).await.is_ok_and(|length| length > 0) {} };
    tokio::time::timeout(Duration::from_secs(10), drain).await.is_ok()
}

/// Returns a WebSocket frame of a client (RFC 6455, section 5.2) with this first byte, claimed length and body.
pub fn frame(first: u8, claims: u64, body: &[u8]) -> Vec<u8> {
    // The second byte is the mask bit, and the length or a code for a longer length.
    let mut frame = vec![first];
    match (u8::try_from(claims), u16::try_from(claims)) {
        (Ok(short @ ..=125), _) => frame.push(0x80 | short),
        (_, Ok(medium)) => {
            frame.push(0xfe);
            frame.extend(medium.to_be_bytes());
        }
        _ => {
            frame.push(0xff);
            frame.extend(claims.to_be_bytes());
        }
    }
    // A mask of zeros does not change the body.
    frame.extend([0; 4]);
    frame.extend(body);
    frame
}
