//! A hostile guest: a real member with real keys that can send any message.

use super::catalogue::Facts;
use super::wire::{Received, Wire};
use anyhow::{Context, Result, bail};
use crypto::group::hostile::Named;
use crypto::{Identity, Invitation, ManagerKeys, MediaKeys, Profile};
use net::meeting::chat::{self, LineId};
use net::meeting::hostile::{Breach, FalseBeacon, Succession};
use net::meeting::{Entry, Event, Meeting, hostile};
use proto::{
    Blob, Down, Epoch, LogEntry, ManagerCommand, ParticipantId, Position, Problem, ResumeToken, ServerMessage, Up,
    VERSION, Welcome,
};
use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, SystemTime};
use tokio::time::{Instant, MissedTickBehavior, interval};

/// A member of the meeting.
pub struct Guest {
    /// What it knows.
    pub facts: Facts,
    /// Its connection.
    pub wire: Wire,
    /// What it saw.
    pub seen: Seen,
    /// The media keys of its epochs, the newest last.
    pub epochs: Vec<MediaKeys>,
    /// The secrets that all members of the epoch share in which it was admitted.
    pub secrets: Vec<Named>,
    /// Its Welcome, and the parts of the tree so far.
    admission: (Blob, Vec<u8>),
    /// Its state in the meeting.
    meeting: Box<Meeting>,
}

/// What a guest saw.
#[derive(Debug, Default)]
pub struct Seen {
    /// The clients that knocked.
    pub knocked: Vec<ParticipantId>,
    /// The votes of others, the newest last.
    pub votes: Vec<LineId>,
    /// The application messages of others, the newest last.
    pub told: VecDeque<Blob>,
    /// The last request of an organiser to come back, as the organiser sent it.
    pub returned: Option<Up>,
    /// Whether a manager has removed it, as the server says.
    pub removed: bool,
    /// Whether the connection is closed.
    pub closed: bool,
    /// Why the server rejected a message.
    pub problem: Option<Problem>,
}

impl Seen {
    /// Returns whether the server has disconnected it.
    pub fn is_out(&self) -> bool {
        self.closed || self.removed || self.problem.is_some()
    }

    /// Describes what the server did with its last message.
    pub fn outcome(&self) -> String {
        match self.problem {
            Some(problem) => format!("disconnected: {problem:?}"),
            None if self.removed => "expelled by the organiser".into(),
            None if self.closed => "disconnected".into(),
            None => "no effect".into(),
        }
    }
}

impl Guest {
    /// Joins by a link, from an address of this machine. `server` is the server itself, not a proxy before it.
    ///
    /// # Errors
    /// Returns an error if it is not admitted.
    pub async fn join(link: &str, from: IpAddr, server: SocketAddr) -> Result<Self> {
        let identity = Identity::generate()?;
        Self::join_as(link, from, server, identity).await
    }

    /// As [`Self::join`], with a device.
    ///
    /// # Errors
    /// Returns an error if it is not admitted.
    pub async fn join_as(link: &str, from: IpAddr, server: SocketAddr, identity: Identity) -> Result<Self> {
        let mut guest = Self::connect(link, from, server, identity).await?;
        guest.enter().await?;
        Ok(guest)
    }

    /// Knocks. The id is in the facts. [`Self::enter`] goes on.
    ///
    /// # Errors
    /// Returns an error if the server does not answer.
    pub async fn knock(link: &str, from: IpAddr, server: SocketAddr) -> Result<Self> {
        let mut guest = Self::connect(link, from, server, Identity::generate()?).await?;
        let before = guest.facts.request.clone();
        if !guest.listen(JOIN_TIMEOUT, |guest| guest.facts.request != before).await {
            bail!("it has not knocked, closed: {}", guest.seen.closed);
        }
        Ok(guest)
    }

    async fn connect(link: &str, from: IpAddr, server: SocketAddr, identity: Identity) -> Result<Self> {
        let invitation: Invitation = link.parse()?;
        let facts = Facts::of_meeting(invitation.meeting);
        let entry = Entry::Join { invitation, identity, profile: Profile::new("Mallory")? };
        let meeting = Box::new(Meeting::new(entry, Box::new(|_| SystemTime::now()), std::time::Instant::now()));
        let wire = Wire::connect(from, server).await?;
        let (epochs, secrets, admission) = (Vec::new(), Vec::new(), (Blob(Vec::new()), Vec::new()));
        Ok(Self { facts, wire, seen: Seen::default(), epochs, secrets, admission, meeting })
    }

    /// Waits until it is a member.
    ///
    /// # Errors
    /// Returns an error if it is not admitted.
    pub async fn enter(&mut self) -> Result<()> {
        self.listen(JOIN_TIMEOUT, |guest| guest.meeting.me().is_some() || guest.meeting.is_over()).await;
        if self.meeting.me().is_none() {
            bail!("not admitted, closed: {}", self.seen.closed);
        }
        // The members are known with the next event.
        self.listen(Duration::from_millis(50), |guest| !guest.facts.others.is_empty()).await;
        Ok(())
    }

    /// Sends an application message to the other members, with its real keys. Returns false if it cannot.
    #[expect(clippy::disallowed_methods, reason = "it is a hostile client")]
    pub async fn tell(&mut self, forged: &hostile::Forged) -> bool {
        let Some(message) = hostile::seal(&mut self.meeting, forged) else { return false };
        self.wire.send(&message).await;
        true
    }

    /// Sends a commit that breaks a rule, with the real key of its leaf. Returns false if it cannot.
    #[expect(clippy::disallowed_methods, reason = "it is a hostile client")]
    pub async fn commit(&mut self, breach: Breach) -> bool {
        let Some(message) = hostile::commit(&mut self.meeting, breach, SystemTime::now()) else { return false };
        self.wire.send(&message).await;
        true
    }

    /// Has the organiser disconnected, and tries to succeed it. Returns false if it cannot.
    pub async fn succeed(&mut self, how: Succession) -> bool {
        let Some(messages) = hostile::succeed(&mut self.meeting, how) else { return false };
        for message in messages {
            self.wire.send(&message).await;
        }
        true
    }

    /// Sends an update of its keys that some members cannot read. Returns false if it cannot.
    #[expect(clippy::disallowed_methods, reason = "it is a hostile client")]
    pub async fn spoil(&mut self, victims: &[ParticipantId]) -> bool {
        let now = std::time::Instant::now();
        let Some(message) = hostile::half_valid(&mut self.meeting, victims, now) else { return false };
        self.wire.send(&message).await;
        true
    }

    /// Returns true if it has the keys of a manager.
    pub fn has_keys(&self) -> bool {
        hostile::has_keys(&self.meeting)
    }

    /// Sends a beacon that lies, signed with the real key of its leaf. Returns false if it cannot.
    pub async fn lie(&mut self, lie: FalseBeacon, counter: u64) -> bool {
        let Some(message) = hostile::false_beacon(&self.meeting, lie, counter) else { return false };
        self.wire.send(&message).await;
        true
    }

    /// Returns messages of the lobby chat to `manager` that no honest program sends. Empty if it does not wait.
    pub fn lobby_messages(&self, manager: ParticipantId) -> Vec<hostile::ForgedText> {
        hostile::lobby_messages(&self.meeting, self.facts.me, manager)
    }

    /// Sends the application messages of others that it has got again.
    pub async fn repeat_others(&mut self) {
        for blob in std::mem::take(&mut self.seen.told) {
            self.wire.send(&Up::Tell { epoch: self.facts.epoch, blob }).await;
        }
    }

    /// Returns its own id.
    pub fn me(&self) -> Option<ParticipantId> {
        self.meeting.me()
    }

    /// Behaves as a member until `done`, for at most `limit`. Returns whether it is done.
    pub async fn listen(&mut self, limit: Duration, done: impl Fn(&Self) -> bool) -> bool {
        let deadline = Instant::now() + limit;
        loop {
            self.flush().await;
            if done(self) {
                return true;
            }
            match self.wire.next(deadline).await {
                Received::Message(ServerMessage::Meeting(message)) => {
                    self.note(&message);
                    self.note_secrets(&message);
                    self.meeting.handle_message(message, std::time::Instant::now());
                }
                Received::Message(ServerMessage::Sfu(_)) => {}
                Received::Closed => {
                    self.seen.closed = true;
                    return done(self);
                }
                Received::Nothing => return false,
            }
        }
    }

    /// Returns messages of the chat against a line of another member, with what is special about each.
    pub fn hostile_chat(&self, line: LineId, name: &str, to: ParticipantId) -> Vec<chat::hostile::Forged> {
        chat::hostile::messages(&self.meeting, line, name, to)
    }

    /// Returns messages against a vote of another member. `own` is the number of its own ballot.
    pub fn against_vote(&self, vote: LineId, own: u64) -> Vec<chat::hostile::Forged> {
        chat::hostile::against_vote(&self.meeting, vote, own)
    }

    /// Returns private messages for a member whose key it has got.
    pub fn hostile_private(&mut self, line: LineId, to: ParticipantId) -> Vec<chat::hostile::Forged> {
        chat::hostile::private_messages(&mut self.meeting, line, Some(to))
    }

    /// Returns a valid ballot.
    pub fn ballot(&self, vote: LineId, choice: u8, number: u64) -> Option<Vec<u8>> {
        chat::hostile::ballot_of(&self.meeting, vote, choice, number)
    }

    /// Sends any bytes as a text that it types. Returns false if it cannot encrypt.
    pub async fn send_typing(&mut self, count: u64, body: &[u8]) -> bool {
        let Some(message) = chat::hostile::relay(&self.meeting, count, body) else { return false };
        self.wire.send(&message).await;
        true
    }

    /// Sends any bytes as a message of the chat, in the current epoch. Returns false if it cannot encrypt.
    pub async fn send_chat(&mut self, body: Vec<u8>) -> bool {
        let Some(message) = chat::hostile::seal(&mut self.meeting, body) else { return false };
        self.wire.send(&message).await;
        true
    }

    /// Waits until it knows the current epoch, so that its commits are accepted.
    ///
    /// # Errors
    /// Returns an error if the connection is closed.
    pub async fn catch_up(&mut self) -> Result<()> {
        self.listen(Duration::from_millis(30), |_| false).await;
        if self.seen.closed {
            bail!("the connection is closed");
        }
        Ok(())
    }

    /// Answers each organiser that comes back with a false Welcome, at once and again if it was too late, until the
    /// connection is closed. Returns how many answers it has sent, and what it saw.
    pub async fn keep_organisers_out(mut self) -> (usize, Seen) {
        // The server disconnects a client that sends more than 50 messages a second.
        let (mut target, mut answers, mut pace) = (None, 0, interval(ANSWER_INTERVAL));
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let message = match self.wire.next(Instant::now() + JOIN_TIMEOUT).await {
                Received::Message(ServerMessage::Meeting(message)) => message,
                Received::Message(ServerMessage::Sfu(_)) | Received::Nothing => continue,
                Received::Closed => return (answers, self.seen),
            };
            self.note(&message);
            if let Down::Returned { participant, .. } = message {
                target = Some(participant);
            } else if let Down::Log { entry: LogEntry::Gone { participant, .. }, .. } = message {
                target.take_if(|target| *target == participant);
            }
            if message == Down::Ping {
                self.wire.send(&Up::Pong { position: self.facts.position }).await;
            }
            let is_due = matches!(message, Down::Returned { .. } | Down::CommitTooLate { .. });
            if let Some(target) = target.filter(|_| is_due) {
                pace.tick().await;
                let welcome = Some(Welcome { to: vec![target], blob: Blob(vec![0; 500]) });
                let (epoch, blob) = (self.facts.epoch, Blob(vec![0; 300]));
                self.wire.send(&Up::Commit { epoch, blob, removed: Vec::new(), welcome }).await;
                answers += 1;
            }
        }
    }

    async fn flush(&mut self) {
        while let Some(event) = self.meeting.poll_event() {
            if let Event::Members(members) = event {
                self.facts.others = members.iter().filter(|member| !member.me).map(|member| member.id).collect();
            } else if let Event::Chat(chat::Event::Lines(lines)) = event {
                let votes = lines.iter().filter(|line| !line.me && line.vote.is_some()).map(|line| line.id);
                let new: Vec<_> = votes.filter(|id| !self.seen.votes.contains(id)).collect();
                self.seen.votes.extend(new);
            } else if let Event::Keys { keys, .. } = event {
                self.epochs.push(keys);
            }
        }
        while let Some(message) = self.meeting.poll_transmit() {
            if let Up::Knock { request, .. } = &message {
                self.facts.request = request.clone();
            }
            self.wire.send(&message).await;
        }
        if let Some(me) = self.wire.me {
            self.facts.me = me;
        }
    }

    /// Opens the secrets of the epoch that begins with its admission, once it has the whole tree.
    #[expect(clippy::disallowed_methods, reason = "a test searches for them in another process")]
    fn note_secrets(&mut self, message: &Down) {
        let (welcome, tree) = &mut self.admission;
        if let Down::Admitted { welcome: new, .. } = message {
            (*welcome, *tree) = (new.clone(), Vec::new());
        } else if let Down::Tree { part } = message {
            tree.extend_from_slice(&part.0);
            // Fails before the last part.
            let secrets = hostile::epoch_secrets(&self.meeting, &welcome.0, tree);
            if !secrets.is_empty() {
                self.secrets = secrets;
            }
        }
    }

    /// Remembers what the attacks use.
    fn note(&mut self, message: &Down) {
        match message {
            Down::Admitted { position, epoch, resume, .. } => {
                (self.facts.position, self.facts.epoch, self.facts.token) = (*position, *epoch, *resume);
            }
            Down::AdmissionKey { admission_key, chain } => {
                self.facts.admission = Some((admission_key.clone(), chain.clone()));
            }
            Down::Log { position, entry } => {
                self.facts.position = Position(position.0 + 1);
                match entry {
                    LogEntry::Commit { epoch, .. } => self.facts.epoch = epoch.next(),
                    LogEntry::Managed { signed } => {
                        if let Ok(ManagerCommand::Commit { epoch, .. }) = signed.decode() {
                            self.facts.epoch = epoch.next();
                        }
                        self.facts.signed = Some(signed.clone());
                    }
                    LogEntry::Told { from, blob, .. } if *from != self.facts.me => {
                        if self.seen.told.len() == MAX_TOLD {
                            self.seen.told.pop_front();
                        }
                        self.seen.told.push_back(blob.clone());
                    }
                    LogEntry::Told { .. } | LogEntry::Gone { .. } => {}
                }
            }
            Down::Beacon { signed } => self.facts.signed = Some(signed.clone()),
            Down::Knocked { participant, .. } => self.seen.knocked.push(*participant),
            Down::Returned { request, signature, .. } => {
                let (meeting, request, signature) = (self.facts.meeting, request.clone(), *signature);
                self.seen.returned = Some(Up::Return { meeting, request, signature });
            }
            Down::Removed { .. } => self.seen.removed = true,
            Down::Problem { problem } => self.seen.problem = Some(*problem),
            Down::CommitTooLate { epoch } => self.facts.epoch = *epoch,
            Down::Hello { .. }
            | Down::Created { .. }
            | Down::Withdrew { .. }
            | Down::Refused { .. }
            | Down::Resumed
            | Down::Ping
            | Down::Presence { .. }
            | Down::MemberBeacon { .. }
            | Down::Skipped { .. }
            | Down::Lobby { .. }
            | Down::Relayed { .. }
            | Down::Tree { .. }
            | Down::Ended { .. } => {}
        }
    }
}

/// Returns a member of a meeting of its own, without a server.
///
/// # Errors
/// Returns an error if the system has no random numbers.
pub fn alone() -> Result<Meeting> {
    let (keys, identity, now) = (ManagerKeys::new()?, Identity::generate()?, std::time::Instant::now());
    let entry = Entry::Create { keys, identity, profile: Profile::new("Mallory")? };
    let mut meeting = Meeting::new(entry, Box::new(|_| SystemTime::now()), now);
    meeting.handle_message(Down::Hello { version: VERSION, participant: ParticipantId(1), time: 0 }, now);
    meeting.handle_message(Down::Created { resume: ResumeToken([1; 32]) }, now);
    Ok(meeting)
}

/// Returns a commit that no member can merge.
pub fn void(epoch: Epoch) -> Up {
    Up::Commit { epoch, blob: Blob(vec![0]), removed: Vec::new(), welcome: None }
}

/// Opens a connection of a client that knows the link, and knocks with a request that is valid, but for another connection.
///
/// # Errors
/// Returns an error if the server does not accept the connection.
pub async fn knock(from: IpAddr, server: SocketAddr, facts: &Facts) -> Result<Wire> {
    let mut wire = Wire::greeted(from, server).await?;
    wire.send(&Up::Approach { meeting: facts.meeting }).await;
    let key = wire.wait_for(JOIN_TIMEOUT, |message| matches!(message, Down::AdmissionKey { .. })).await;
    key.context("no admission key")?;
    wire.send(&Up::Knock { meeting: facts.meeting, request: facts.request.clone() }).await;
    Ok(wire)
}

/// The newest messages of others that it keeps.
const MAX_TOLD: usize = 16;

/// Between two answers to an organiser that comes back.
const ANSWER_INTERVAL: Duration = Duration::from_millis(22);

/// How long an admission may take on a busy machine.
const JOIN_TIMEOUT: Duration = Duration::from_secs(20);
