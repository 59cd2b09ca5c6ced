//! A simulated member whose camera nobody wants: it asks to join with real keys, publishes its tracks, and answers the server. It processes no commit, so it costs little.

use super::transport::Transport;
use anyhow::Result;
use crypto::{Identity, Invitation, Profile};
use proto::{Blob, Down, ParticipantId, Position, Up, VERSION};
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::mpsc;

/// Joins, reports it to `entered`, and stays until the connection ends.
pub async fn join_and_stay(invitation: Invitation, server: SocketAddr, entered: mpsc::Sender<()>) -> Result<()> {
    let mut transport = Transport::connect(server).await?;
    let (mut me, mut position) = (ParticipantId(0), Position(0));
    transport.send(Up::Hello { version: VERSION }).await?;
    loop {
        let Some(message) = transport.next(Instant::now() + TICK).await? else { continue };
        match message {
            Down::Hello { participant, .. } => {
                me = participant;
                transport.send(Up::Approach { meeting: invitation.meeting }).await?;
            }
            Down::AdmissionKey { admission_key, chain } => {
                let (identity, profile) = (Identity::generate()?, Profile::new("crowd")?);
                let now = SystemTime::now();
                let (_, request) = crypto::knock(&invitation, &admission_key.0, &chain.0, &identity, profile, me, now)?;
                transport.send(Up::Knock { meeting: invitation.meeting, request: Blob(request) }).await?;
            }
            Down::Admitted { .. } => {
                transport.publish().await?;
                // The bench may not wait for it any more.
                let _ = entered.send(()).await;
            }
            Down::Log { position: at, .. } => position = Position(at.0 + 1),
            Down::Skipped { position: at, count } => position = Position(at.0 + count),
            Down::Ping => transport.send(Up::Pong { position }).await?,
            Down::Created { .. }
            | Down::Knocked { .. }
            | Down::Withdrew { .. }
            | Down::Lobby { .. }
            | Down::Relayed { .. }
            | Down::Tree { .. }
            | Down::Refused { .. }
            | Down::CommitTooLate { .. }
            | Down::Removed { .. }
            | Down::Resumed
            | Down::Returned { .. }
            | Down::Problem { .. }
            | Down::Beacon { .. }
            | Down::MemberBeacon { .. }
            | Down::Presence { .. }
            | Down::Ended { .. } => {}
        }
    }
}

/// How often the timers of its endpoint are checked.
const TICK: Duration = Duration::from_millis(100);
