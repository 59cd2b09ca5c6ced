//! A server that presents the tracks of one member as those of another one: it stands between one client and the real server.

use super::false_server::Socket;
use super::wire::connect_tls;
use anyhow::Result;
use futures_util::{SinkExt, StreamExt};
use proto::{Blob, ClientMessage, ClientSignal, FromSfu, ParticipantId, ServerMessage, ServerSignal, ToSfu};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use tokio_tungstenite::tungstenite::Message;

/// The two members whose tracks are exchanged; `None` while the server is honest.
pub type Swap = Arc<Mutex<Option<(ParticipantId, ParticipantId)>>>;

/// Forwards the messages of a client and of the server, and exchanges the owners of tracks in them.
///
/// # Errors
/// Returns an error if a connection ends, or a message cannot be decoded.
pub async fn relay(client: Socket, server: SocketAddr, swap: Swap) -> Result<()> {
    let tls = connect_tls(Ipv4Addr::LOCALHOST.into(), server).await?;
    let (server, _) = tokio_tungstenite::client_async(format!("wss://{server}/v1"), tls).await?;
    let ((mut to_client, mut from_client), (mut to_server, mut from_server)) = (client.split(), server.split());
    let up = async {
        while let Some(message) = from_client.next().await {
            to_server.send(swapped_up(message?, &swap)?).await?;
        }
        anyhow::Ok(())
    };
    let down = async {
        while let Some(message) = from_server.next().await {
            to_client.send(swapped_down(message?, &swap)?).await?;
        }
        anyhow::Ok(())
    };
    tokio::select! {
        ended = up => ended,
        ended = down => ended,
    }
}

fn other(id: ParticipantId, swap: &Swap) -> ParticipantId {
    match *swap.lock().unwrap_or_else(PoisonError::into_inner) {
        Some((victim, insider)) if id == victim => insider,
        Some((victim, insider)) if id == insider => victim,
        Some(_) | None => id,
    }
}

fn swapped_up(message: Message, swap: &Swap) -> Result<Message> {
    let Message::Binary(bytes) = &message else { return Ok(message) };
    let Ok(ClientMessage::Sfu(ToSfu::Signal(signal))) = proto::decode(bytes) else { return Ok(message) };
    let mut signal: ClientSignal = proto::decode_signal(&signal.0)?;
    match &mut signal {
        ClientSignal::Offer { subscriptions, .. } => {
            for one in subscriptions {
                one.track.owner = other(one.track.owner, swap);
            }
        }
        ClientSignal::Wishes { tiles } => {
            for one in tiles {
                one.track.owner = other(one.track.owner, swap);
            }
        }
    }
    let message = ClientMessage::Sfu(ToSfu::Signal(Blob(proto::encode(&signal))));
    Ok(Message::Binary(proto::encode(&message).into()))
}

fn swapped_down(message: Message, swap: &Swap) -> Result<Message> {
    let Message::Binary(bytes) = &message else { return Ok(message) };
    let Ok(ServerMessage::Sfu(FromSfu::Signal(signal))) = proto::decode(bytes) else { return Ok(message) };
    let mut signal: ServerSignal = proto::decode_signal(&signal.0)?;
    if let ServerSignal::Tracks { owner, .. } = &mut signal {
        *owner = other(*owner, swap);
    }
    Ok(Message::Binary(proto::encode(&ServerMessage::Sfu(FromSfu::Signal(Blob(proto::encode(&signal))))).into()))
}
