//! A server that changes one message: the member that gets it cannot follow the group, and joins again by itself.

use crate::client::{Client, State};
use crate::{opened, run, server, stranger};
use anyhow::Result;
use futures_util::{SinkExt, StreamExt};
use net::meeting::Command;
use proto::{Blob, Down, LogEntry, ServerMessage};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tests::attack::false_server::{FalseServer, Socket};
use tokio_tungstenite::tungstenite::Message;

/// Forwards the messages of a client and of the server. If `armed`, replaces the next commit of a member by garbage.
async fn relay(client: Socket, server: SocketAddr, armed: Arc<AtomicBool>) -> Result<()> {
    let tls = stranger::connect_tls(server).await;
    let (server, _) = tokio_tungstenite::client_async(format!("wss://{server}/v1"), tls).await?;
    let ((mut to_client, mut from_client), (mut to_server, mut from_server)) = (client.split(), server.split());
    let up = async {
        while let Some(message) = from_client.next().await {
            to_server.send(message?).await?;
        }
        anyhow::Ok(())
    };
    let down = async {
        while let Some(message) = from_server.next().await {
            to_client.send(spoil(message?, &armed)).await?;
        }
        anyhow::Ok(())
    };
    tokio::select! {
        ended = up => ended,
        ended = down => ended,
    }
}

fn spoil(message: Message, armed: &AtomicBool) -> Message {
    if let Message::Binary(bytes) = &message
        && let Ok(ServerMessage::Meeting(Down::Log { position, entry: LogEntry::Commit { from, epoch, .. } })) =
            proto::decode(bytes)
        && armed.swap(false, Ordering::Relaxed)
    {
        let entry = LogEntry::Commit { from, epoch, blob: Blob(vec![0]) };
        return Message::Binary(proto::encode(&ServerMessage::Meeting(Down::Log { position, entry })).into());
    }
    message
}

/// In version 2, such a member was out of the meeting for good.
#[test]
fn a_member_that_is_cut_off_from_the_group_joins_again_by_itself() {
    run(async {
        let server = server().await;
        let organiser = Client::create(&server, "organiser");
        organiser.until("it is a member", |state| state.entered.is_some()).await;
        let armed = Arc::new(AtomicBool::new(false));
        let (address, shared) = (server.address(), Arc::clone(&armed));
        let hostile = FalseServer::start(move |socket| relay(socket, address, Arc::clone(&shared))).await.unwrap();
        let guest = Client::join(&hostile.link(&organiser.link()).unwrap(), "guest");
        let other = Client::join(&organiser.link(), "other");
        for client in [&organiser, &guest, &other] {
            client.until("all are members", |state| state.members.len() == 3).await;
        }
        let me = guest.me();
        armed.store(true, Ordering::Relaxed);
        other.session.send(Command::Refresh).unwrap();
        guest.until("it notices", |state| state.reconnecting == 1).await;
        assert!(!armed.load(Ordering::Relaxed));
        let back = |state: &State| state.reconnected == 1 && state.members.len() == 3;
        guest.until_within(Duration::from_secs(30), "it is back", back).await;
        assert_ne!(guest.me(), me, "as another participant");
        for (viewer, sender) in [(&guest, &organiser), (&organiser, &guest)] {
            let camera = sender.camera();
            let so_far = viewer.look(|state| opened(state, camera));
            viewer.until("pictures arrive again", |state| opened(state, camera) > so_far + 25).await;
            viewer.look(|state| assert_eq!(state.over, None));
        }
    });
}
