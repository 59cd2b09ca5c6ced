//! A member that has a newcomer's key package, and a server that helps it, lead the newcomer into another group.

#![expect(clippy::disallowed_methods, reason = "Mallory is a hostile client")]

use crate::client::{Client, State};
use crate::{meeting, opened, run, server};
use anyhow::{Context, Result};
use crypto::group::hostile;
use crypto::{Group, Identity, Invitation, KnockRequest, ManagerKeys, MeetingPolicy, Profile, knock};
use futures_util::{SinkExt, StreamExt};
use proto::{Blob, ClientMessage, Down, LogEntry, ManagerCommand, ParticipantId, Position, Reason, ServerMessage, Up};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};
use tests::attack::false_server::{FalseServer, Socket};
use tests::attack::wire::{Received, Wire, another_address};
use tokio::sync::oneshot;
use tokio_tungstenite::tungstenite::Message;

/// A member with real keys that keeps the key packages of others.
struct Mallory {
    wire: Wire,
    identity: Identity,
    me: ParticipantId,
    group: Group,
    /// The position of the next log entry.
    position: Position,
}

impl Mallory {
    async fn join(link: &str, server: SocketAddr) -> Self {
        let invitation: Invitation = link.parse().unwrap();
        let mut wire = Wire::greeted(another_address(), server).await.unwrap();
        let (me, meeting, identity) = (wire.me.unwrap(), invitation.meeting, Identity::generate().unwrap());
        wire.send(&Up::Approach { meeting }).await;
        let key = wire.wait_for(STEP, |message| matches!(message, Down::AdmissionKey { .. })).await;
        let Some(Down::AdmissionKey { admission_key, chain }) = key else { panic!("no admission key") };
        let (profile, now) = (Profile::new("Mallory").unwrap(), SystemTime::now());
        let made = knock(&invitation, &admission_key.0, &chain.0, &identity, profile, me, now);
        let (joiner, request) = made.unwrap();
        wire.send(&Up::Knock { meeting, request: Blob(request) }).await;
        let admitted = wire.wait_for(STEP, |message| matches!(message, Down::Admitted { .. })).await;
        let Some(Down::Admitted { welcome, position, tree, .. }) = admitted else { panic!("not admitted") };
        let mut sealed = Vec::new();
        while sealed.len() < tree as usize {
            let part = wire.wait_for(STEP, |message| matches!(message, Down::Tree { .. })).await;
            let Some(Down::Tree { part }) = part else { panic!("no tree") };
            sealed.extend(part.0);
        }
        Self { wire, identity, me, group: joiner.enter(&welcome.0, &sealed).unwrap(), position }
    }

    /// Follows the group until a commit adds somebody, and returns the key package.
    async fn key_package(&mut self) -> KnockRequest {
        let deadline = tokio::time::Instant::now() + STEP;
        loop {
            let Received::Message(message) = self.wire.next(deadline).await else { panic!("nobody was added") };
            match message {
                ServerMessage::Meeting(Down::Ping) => self.wire.send(&Up::Pong { position: self.position }).await,
                ServerMessage::Meeting(Down::Log { position, entry }) => {
                    self.position = Position(position.0 + 1);
                    let added = commit_in(entry).map(|commit| hostile::merge(&mut self.group, &commit.0).unwrap());
                    if let Some(package) = added.into_iter().flatten().next() {
                        return package;
                    }
                }
                ServerMessage::Meeting(_) | ServerMessage::Sfu(_) => {}
            }
        }
    }

    /// Returns a policy that names Mallory as organiser, signed by an authority of its own.
    fn own_policy(&self) -> MeetingPolicy {
        let (keys, profile) = (ManagerKeys::new().unwrap(), Profile::new("Organiser").unwrap());
        let group = Group::create(&self.identity, profile, self.me, &keys, SystemTime::now()).unwrap();
        group.policy().clone()
    }

    /// Returns a Welcome to a group of Mallory that has the meeting's id.
    fn lure(&self, package: KnockRequest, policy: &MeetingPolicy) -> Blob {
        let meeting = self.group.policy().chain().meeting();
        let sender = (&self.identity, self.me);
        Blob(hostile::welcome_to_another_group(package, (meeting, policy), sender, SystemTime::now()).unwrap())
    }
}

fn commit_in(entry: LogEntry) -> Option<Blob> {
    match entry {
        LogEntry::Commit { blob, .. } => Some(blob),
        LogEntry::Managed { signed } => match signed.decode() {
            Ok(ManagerCommand::Commit { blob, .. }) => Some(blob),
            Ok(_) | Err(_) => None,
        },
        LogEntry::Told { .. } | LogEntry::Gone { .. } => None,
    }
}

/// A Welcome that replaces the organiser's, once it is known.
type FalseWelcome = Arc<Mutex<Option<oneshot::Receiver<Blob>>>>;

/// Passes everything between a client and the real server, but replaces the Welcome.
async fn relay(mut socket: Socket, real: SocketAddr, welcome: FalseWelcome) -> Result<()> {
    let mut wire = Wire::connect(another_address(), real).await?;
    loop {
        let far = tokio::time::Instant::now() + Duration::from_mins(1);
        tokio::select! {
            message = socket.next() => if let Message::Binary(bytes) = message.context("closed")?? {
                let _: ClientMessage = proto::decode(&bytes)?;
                wire.send_bytes(bytes.to_vec()).await;
            },
            received = wire.next(far) => {
                let Received::Message(message) = received else { return Ok(()) };
                let message = replace_welcome(message, &welcome).await?;
                socket.send(Message::Binary(proto::encode(&message).into())).await?;
            }
        }
    }
}

async fn replace_welcome(message: ServerMessage, welcome: &FalseWelcome) -> Result<ServerMessage> {
    let ServerMessage::Meeting(Down::Admitted { position, epoch, gone, resume, .. }) = &message else {
        return Ok(message);
    };
    let Some(known) = welcome.lock().unwrap().take() else { return Ok(message) };
    let (position, epoch, gone, resume) = (*position, *epoch, gone.clone(), *resume);
    Ok(ServerMessage::Meeting(Down::Admitted { welcome: known.await?, position, epoch, gone, resume, tree: 0 }))
}

/// Starts a server that replaces the next Welcome by `welcome`, or passes on all of them if it is `None`.
async fn relay_to(real: SocketAddr, welcome: Option<oneshot::Receiver<Blob>>) -> FalseServer {
    let welcome = Arc::new(Mutex::new(welcome));
    FalseServer::start(move |socket| relay(socket, real, Arc::clone(&welcome))).await.unwrap()
}

/// In version 2 of the protocol, the link did not bind the group to its maker. The newcomer entered the false group and took
/// it for the meeting.
#[test]
fn a_member_with_a_key_package_and_the_server_cannot_lure_its_owner_into_another_group() {
    run(async {
        let server = server().await;
        let clients = meeting(&server, 2).await;
        let mut mallory = Mallory::join(&clients[0].link(), server.address()).await;
        // As organiser of another authority, and as member of this one.
        for policy in [mallory.own_policy(), mallory.group.policy().clone()] {
            let (sender, receiver) = oneshot::channel();
            let relay = relay_to(server.address(), Some(receiver)).await;
            let guest = Client::join(&relay.link(&clients[0].link()).unwrap(), "guest");
            let package = mallory.key_package().await;
            sender.send(mallory.lure(package, &policy)).unwrap();
            let decided = |state: &State| state.over.is_some() || state.entered.is_some();
            guest.until("it refuses the group", decided).await;
            guest.look(|state| {
                assert!(state.entered.is_none(), "it entered the false group");
                assert_eq!(state.over, Some(Reason::Forged.to_string()));
            });
        }
        // Over the same kind of server, the organiser's Welcome leads into the meeting.
        let relay = relay_to(server.address(), None).await;
        let guest = Client::join(&relay.link(&clients[0].link()).unwrap(), "guest");
        let (organiser, camera) = (clients[0].me(), clients[0].camera());
        guest.until("it enters the meeting", |state| state.members.contains(&organiser)).await;
        guest.until("it receives the organiser", |state| opened(state, camera) > 10).await;
        let (me, camera) = (guest.me(), guest.camera());
        clients[0].until("the organiser receives it", |state| opened(state, camera) > 10).await;
        clients[1].until("the others know it", |state| state.members.contains(&me)).await;
    });
}

/// How long one step may take.
const STEP: Duration = Duration::from_secs(20);
