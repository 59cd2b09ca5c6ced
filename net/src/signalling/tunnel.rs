//! Opens each WebSocket that carries datagrams: that of a media tunnel, which [`crate::tunnel`] uses, and that of a path test.

use super::endpoint::ServerEndpoint;
use super::error::{Error, websocket_error};
use super::socket::{ByteStream, Socket, authority, limit_send_buffer};
use proto::{MAX_TUNNEL_MESSAGE, PATH_TEST_PATH, TUNNEL_PATH};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio_tungstenite::client_async_with_config;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderValue, header};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use webrtc::runtime::Runtime;

/// Opens a media tunnel to `server`. The server has given us `token` in an answer.
///
/// # Errors
/// Returns the [`Error`] of the step that failed.
pub async fn open_tunnel(server: &ServerEndpoint, token: &str, stack: &Arc<dyn Runtime>) -> Result<Socket, Error> {
    // `proto` has checked the token's characters.
    let value = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| Error::Name(server.host.clone()))?;
    Ok(open(server, TUNNEL_PATH, Some(value), stack).await?.0)
}

/// Opens the WebSocket of a path test. Also returns the addresses of [`ServerEndpoint::connect`].
///
/// # Errors
/// Returns the [`Error`] of the step that failed.
pub async fn open_path_test(
    server: &ServerEndpoint,
    stack: &Arc<dyn Runtime>,
) -> Result<(Socket, (SocketAddr, SocketAddr)), Error> {
    open(server, PATH_TEST_PATH, None, stack).await
}

async fn open(
    server: &ServerEndpoint,
    path: &str,
    authorization: Option<HeaderValue>,
    stack: &Arc<dyn Runtime>,
) -> Result<(Socket, (SocketAddr, SocketAddr)), Error> {
    let (stream, addresses) = server.connect(stack).await?;
    limit_send_buffer(stream.get_ref().0);
    let url = format!("wss://{}{path}", authority(server.bare_host(), server.port));
    let mut request = url.into_client_request().map_err(websocket_error)?;
    if let Some(value) = authorization {
        request.headers_mut().insert(header::AUTHORIZATION, value);
    }
    let limits = WebSocketConfig::default()
        .max_message_size(Some(MAX_TUNNEL_MESSAGE))
        .max_frame_size(Some(MAX_TUNNEL_MESSAGE))
        .write_buffer_size(0);
    let stream: Box<dyn ByteStream> = Box::new(stream);
    let (socket, _) = client_async_with_config(request, stream, Some(limits)).await.map_err(websocket_error)?;
    Ok((socket, addresses))
}
