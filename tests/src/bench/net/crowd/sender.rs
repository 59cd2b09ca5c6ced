//! A simulated sender with real keys: it is a member of the group, and seals the pictures of the footage.

use super::footage::{Footage, INTERVAL, Position};
use super::transport::Transport;
use anyhow::Result;
use crypto::{Fingerprint, Invitation, KeyRing, Sealer};
use media::{BufferPool, Clock};
use net::meeting::{Command, Entry, Event, MediaState, Meeting};
use proto::Slot;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::mpsc;

/// A sender.
pub struct Sender {
    meeting: Meeting,
    transport: Transport,
    ring: KeyRing,
    sealer: Sealer,
    footage: Arc<Footage>,
    position: Position,
    pool: BufferPool,
    clock: Clock,
    number: u64,
}

impl Sender {
    /// Connects to the server.
    pub async fn connect(entry: Entry, server: SocketAddr, footage: Arc<Footage>) -> Result<Self> {
        let transport = Transport::connect(server).await?;
        let mut meeting = Meeting::new(entry, Box::new(|_| SystemTime::now()), Instant::now());
        meeting.handle_command(Command::Announce(MediaState { camera: true, ..MediaState::default() }), Instant::now());
        let ring = KeyRing::new();
        let sealer = Sealer::new(ring.clone(), Slot::Camera);
        // The times in its frames are compared with those of the client's process.
        let (position, pool, clock) = (Position::default(), BufferPool::new(4), engine::clock::system());
        Ok(Self { meeting, transport, ring, sealer, footage, position, pool, clock, number: 0 })
    }

    /// Enters the meeting, and sends as long as somebody wants its camera. Passes the link to `entered` as soon as it is a member. Ends
    /// with the connection.
    pub async fn run(
        mut self,
        server: SocketAddr,
        certificate: Fingerprint,
        entered: mpsc::Sender<Invitation>,
    ) -> Result<()> {
        let mut next_frame = Instant::now();
        loop {
            while let Some(event) = self.meeting.poll_event() {
                match event {
                    Event::Entered { .. } => {
                        self.transport.publish().await?;
                        let (host, port) = (server.ip().to_string(), server.port());
                        if let Some(link) = self.meeting.invitation(&host, port, Some(certificate)) {
                            // The bench may not wait for it any more.
                            let _ = entered.send(link).await;
                        }
                    }
                    Event::Keys { keys, removed, leaves, .. } => {
                        let leaves: Vec<_> = leaves.into_iter().map(|(leaf, _)| leaf).collect();
                        self.ring.install(keys, &leaves, &removed, Instant::now());
                    }
                    Event::Ended(reason) => anyhow::bail!("the meeting ended for a sender: {reason}"),
                    Event::Approaching
                    | Event::Knocking
                    | Event::Members(_)
                    | Event::Joined(_)
                    | Event::Left { .. }
                    | Event::Words(_)
                    | Event::Reconnecting
                    | Event::Reconnected { .. }
                    | Event::AsksToJoin { .. }
                    | Event::StoppedAsking(_)
                    | Event::Lobby(_)
                    | Event::Policy(_)
                    | Event::Chat(_)
                    | Event::Verification(_)
                    | Event::OwnRightsChanged { .. }
                    | Event::Hands(_)
                    | Event::HandLowered { .. }
                    | Event::Malformed { .. }
                    | Event::LinkChanged
                    | Event::Notice(_) => {}
                }
            }
            while let Some(message) = self.meeting.poll_transmit() {
                self.transport.send(message).await?;
            }
            if Instant::now() >= next_frame {
                next_frame = (next_frame + INTERVAL).max(Instant::now());
                self.send_frame();
            }
            let until = self.meeting.poll_timeout().map_or(next_frame, |due| due.min(next_frame));
            if let Some(message) = self.transport.next(until).await? {
                self.meeting.handle_message(message, Instant::now());
            }
            if self.meeting.poll_timeout().is_some_and(|due| due <= Instant::now()) {
                self.meeting.handle_timeout(Instant::now());
            }
        }
    }

    fn send_frame(&mut self) {
        if !self.transport.is_wanted() {
            return;
        }
        let key = self.transport.needs_key();
        self.number += 1;
        let picture = self.footage.next(&mut self.position, key, self.number, self.clock.now(), &self.pool);
        if let Ok(sealed) = self.sealer.seal(picture) {
            self.transport.send_frame(&sealed);
        }
        self.ring.expire(Instant::now());
    }
}

/// How long a sender may take to become a member.
pub const ENTER_TIMEOUT: Duration = Duration::from_mins(1);
