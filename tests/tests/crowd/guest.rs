//! A minimal member: it knocks with real keys, is admitted, and answers pings. It processes no commit.

use crypto::{Identity, Invitation, Profile};
use futures_util::{SinkExt, StreamExt};
use proto::{Blob, ClientMessage, Down, ParticipantId, Position, ServerMessage, Up, VERSION};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::SystemTime;
use tests::attack::wire::connect_tls;
use tokio_tungstenite::tungstenite::Message;

/// Joins by a link and stays until the runtime ends.
pub async fn join_and_stay(link: String) {
    let invitation: Invitation = link.parse().unwrap();
    let address = SocketAddr::new(invitation.host.parse().unwrap(), invitation.port);
    let tls = connect_tls(Ipv4Addr::LOCALHOST.into(), address).await.unwrap();
    let (mut socket, _) = tokio_tungstenite::client_async(format!("wss://{address}/v1"), tls).await.unwrap();
    let (mut me, mut position) = (ParticipantId(0), Position(0));
    let mut answer = Some(Up::Hello { version: VERSION });
    loop {
        if let Some(message) = answer.take() {
            socket.send(Message::Binary(proto::encode(&ClientMessage::Meeting(message)).into())).await.unwrap();
        }
        // The server ends the connection after the test.
        let Some(Ok(Message::Binary(bytes))) = socket.next().await else { return };
        // A longer message is a commit or a Welcome, which this member does not read.
        if bytes.len() > MAX_READ {
            continue;
        }
        let ServerMessage::Meeting(message) = proto::decode(&bytes).unwrap() else { continue };
        match message {
            Down::Hello { participant, .. } => {
                me = participant;
                answer = Some(Up::Approach { meeting: invitation.meeting });
            }
            Down::AdmissionKey { admission_key, chain } => {
                answer = Some(knock(&invitation, &admission_key, &chain, me));
            }
            Down::Log { position: at, .. } => position = Position(at.0 + 1),
            Down::Skipped { position: at, count } => position = Position(at.0 + count),
            Down::Ping => answer = Some(Up::Pong { position }),
            Down::Created { .. }
            | Down::Knocked { .. }
            | Down::Withdrew { .. }
            | Down::Lobby { .. }
            | Down::Relayed { .. }
            | Down::Admitted { .. }
            | Down::Tree { .. }
            | Down::Refused { .. }
            | Down::CommitTooLate { .. }
            | Down::Removed { .. }
            | Down::Resumed
            | Down::Returned { .. }
            | Down::Beacon { .. }
            | Down::MemberBeacon { .. }
            | Down::Presence { .. }
            | Down::Ended { .. }
            | Down::Problem { .. } => {}
        }
    }
}

fn knock(invitation: &Invitation, admission_key: &Blob, chain: &Blob, me: ParticipantId) -> Up {
    let (identity, profile) = (Identity::generate().unwrap(), Profile::new("guest").unwrap());
    let now = SystemTime::now();
    let (_, request) = crypto::knock(invitation, &admission_key.0, &chain.0, &identity, profile, me, now).unwrap();
    Up::Knock { meeting: invitation.meeting, request: Blob(request) }
}

/// The longest message that is read: an admission key has about 1.3 kB.
const MAX_READ: usize = 4_096;
