//! Meeting control messages.
//!
//! A client sends [`Up`] to the delivery service, which sends [`Down`]. [`crate::ClientMessage`] and
//! [`crate::ServerMessage`] also carry the SFU's messages. Fields are numbered, and a reader skips fields that it does
//! not know. The server answers an unknown message with [`Problem::Malformed`].

use crate::encoding::{Limited, fits, is_short};
use crate::{
    Blob, Epoch, MAX_CHAIN, MAX_COMMAND, MAX_LOBBY, MAX_MEMBERS, MAX_RELAY, MAX_TREE, MAX_TREE_PART, MAX_WELCOMES,
    MeetingId, MemberBeacon, ParticipantId, Position, Problem, PublicKey, Refusal, ResumeToken, Signature,
    SignedCommand,
};
use minicbor::{CborLen, Decode, Encode};

/// A Welcome (RFC 9420, section 12.4.3.1). MLS creates one for all members that a commit adds, so it is sent once.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
pub struct Welcome {
    /// The new members.
    #[n(0)]
    pub to: Vec<ParticipantId>,
    /// The MLS Welcome.
    #[n(1)]
    pub blob: Blob,
}

/// One entry of a meeting's log. Every member sees the same entries in the same order.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
pub enum LogEntry {
    /// A member's commit that the server accepted for its epoch.
    #[n(0)]
    Commit {
        /// The committer.
        #[n(0)]
        from: ParticipantId,
        /// The log's epoch that it ends: the number of commits before it.
        #[n(1)]
        epoch: Epoch,
        /// The MLS commit.
        #[n(2)]
        blob: Blob,
    },
    /// An MLS application message.
    #[n(1)]
    Told {
        /// The sender.
        #[n(0)]
        from: ParticipantId,
        /// The log's epoch in which it was sealed.
        #[n(1)]
        epoch: Epoch,
        /// The MLS application message.
        #[n(2)]
        blob: Blob,
    },
    /// A member has left, was expelled, or has been absent for too long, so its leaf may be removed. This is also logged
    /// directly after a commit for each receiver of its Welcomes that no longer waits.
    #[n(2)]
    Gone {
        /// The member.
        #[n(0)]
        participant: ParticipantId,
        /// The manager whose command removed it; `None` if it left, was absent, or broke a rule of the server.
        #[n(1)]
        by: Option<ParticipantId>,
    },
    /// A manager's command that belongs to the log: the [`crate::ManagerCommand::Commit`] that the server accepted for
    /// its epoch, or a [`crate::ManagerCommand::Void`].
    #[n(3)]
    Managed {
        /// The command with its proof.
        #[n(0)]
        signed: SignedCommand,
    },
}

/// A member whose [`LogEntry::Gone`] the log holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
pub struct GoneMember {
    /// The member.
    #[n(0)]
    pub participant: ParticipantId,
    /// As in [`LogEntry::Gone`].
    #[n(1)]
    pub by: Option<ParticipantId>,
}

/// Meeting control from a client. The numbers 8 and 11 are those of [`crate::ToSfu`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
pub enum Up {
    /// The first message. Answered by [`Down::Hello`], or by [`Problem::Version`] and the end of the connection.
    #[n(0)]
    Hello {
        /// The client's [`crate::VERSION`].
        #[n(0)]
        version: u16,
    },
    /// Opens a meeting at epoch 0 whose only member is the client. Answered by [`Down::Created`].
    #[n(1)]
    Create {
        /// The new meeting's id.
        #[n(0)]
        meeting: MeetingId,
        /// The public key that knocks are sealed to.
        #[n(1)]
        admission_key: Blob,
        /// The public key that verifies the commands of the meeting's managers.
        #[cbor(n(2), with = "minicbor::bytes")]
        authority: PublicKey,
    },
    /// Requests a meeting's admission key. Answered by [`Down::AdmissionKey`].
    #[n(2)]
    Approach {
        /// The meeting.
        #[n(0)]
        meeting: MeetingId,
    },
    /// Requests admission. Answered by [`Down::Admitted`] or [`Down::Refused`] when a member decides.
    #[n(3)]
    Knock {
        /// The meeting.
        #[n(0)]
        meeting: MeetingId,
        /// The request, sealed to the admission key.
        #[n(1)]
        request: Blob,
    },
    /// A manager's command. If the signature is not the current authority's, or the counter is not higher than that of
    /// the sender's last command, the server answers [`Problem::NotAuthorised`]. A command that the authority before the
    /// last rotation signed has no effect, and is answered by [`Down::CommitTooLate`].
    #[n(4)]
    Manage {
        /// Rises with each command of a participant.
        #[n(0)]
        counter: u64,
        /// The encoded [`crate::ManagerCommand`].
        #[n(1)]
        command: Blob,
        /// The authority's signature over [`crate::signed::command`].
        #[cbor(n(2), with = "minicbor::bytes")]
        signature: Signature,
        /// The Welcomes for the members that a [`crate::ManagerCommand::Commit`] adds. Empty for other commands.
        #[n(3)]
        welcomes: Vec<Welcome>,
    },
    /// A member's commit: an update of its own keys, or the removal of members that the server reported gone. The server
    /// accepts it if `epoch` is the log's current epoch and no manager has to commit first, else it answers
    /// [`Down::CommitTooLate`].
    #[n(5)]
    Commit {
        /// The log's epoch that it ends: the number of commits in the log so far.
        #[n(0)]
        epoch: Epoch,
        /// The MLS commit.
        #[n(1)]
        blob: Blob,
        /// The members that it removes. The server has reported each of them gone.
        #[n(2)]
        removed: Vec<ParticipantId>,
        /// The Welcome for organisers that come back ([`Down::Returned`]).
        #[n(3)]
        welcome: Option<Welcome>,
    },
    /// A member's application message for the log.
    #[n(6)]
    Tell {
        /// The log's epoch in which it was sealed.
        #[n(0)]
        epoch: Epoch,
        /// The MLS application message.
        #[n(1)]
        blob: Blob,
    },
    /// The client leaves, and closes the socket.
    #[n(7)]
    Leave,
    /// An organiser that left comes back. Answered by [`Down::Admitted`] when a member has committed the request.
    #[n(9)]
    Return {
        /// The meeting.
        #[n(0)]
        meeting: MeetingId,
        /// The MLS key package.
        #[n(1)]
        request: Blob,
        /// The authority's signature over [`crate::signed::return_request`].
        #[cbor(n(2), with = "minicbor::bytes")]
        signature: Signature,
    },
    /// Answers [`Down::Ping`]. The server disconnects a client that does not answer.
    #[n(10)]
    Pong {
        /// The position of the next log entry that the client expects. The server drops the entries before it. A client
        /// that is in no meeting sends 0.
        #[n(0)]
        position: Position,
    },
    /// A member whose connection was lost continues on this one, as the same participant. Answered by
    /// [`Down::Resumed`], or by [`Problem::NotResumable`].
    #[n(12)]
    Resume {
        /// The meeting.
        #[n(0)]
        meeting: MeetingId,
        /// The member's id. It replaces the one in this connection's [`Down::Hello`].
        #[n(1)]
        participant: ParticipantId,
        /// The token from [`Down::Created`] or [`Down::Admitted`].
        #[n(2)]
        token: ResumeToken,
        /// The position of the next log entry that the client expects.
        #[n(3)]
        position: Position,
    },
    /// What a member says about the state of its group. The server passes it to the other members, at most
    /// [`crate::MAX_BEACONS_PER_SECOND`]; it drops further ones.
    #[n(16)]
    Beacon {
        /// The signed statement.
        #[n(0)]
        beacon: MemberBeacon,
    },
    /// A message of a waiting client to the managers. The server ignores it from a client that is a member meanwhile.
    #[n(13)]
    Lobby {
        /// The message, sealed for the managers that have opened the knock.
        #[n(0)]
        blob: Blob,
    },
    /// A part of the sealed ratchet tree for the receivers of the Welcomes in the member's next message with Welcomes. The server
    /// sends all parts, in order, to each of them that it admits ([`Down::Tree`]).
    #[n(14)]
    Tree {
        /// True for the first part. Parts that were sent before it are dropped.
        #[n(0)]
        first: bool,
        /// The part.
        #[n(1)]
        part: Blob,
    },
    /// A message of a member to the others that is not in the log. The server may drop it.
    #[n(17)]
    Relay {
        /// The sealed message.
        #[n(0)]
        blob: Blob,
    },
}

/// Meeting control from a server. The numbers 10 and 14 are those of [`crate::FromSfu`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
pub enum Down {
    /// Answers [`Up::Hello`].
    #[n(0)]
    Hello {
        /// The server's [`crate::VERSION`].
        #[n(0)]
        version: u16,
        /// The client's id in any meeting that it enters on this connection.
        #[n(1)]
        participant: ParticipantId,
        /// The server's time, in seconds since 1970-01-01 UTC.
        #[n(2)]
        time: u64,
    },
    /// Answers [`Up::Create`]: the meeting is open, and the client is a member.
    #[n(1)]
    Created {
        /// For [`Up::Resume`].
        #[n(0)]
        resume: ResumeToken,
    },
    /// Answers [`Up::Approach`].
    #[n(2)]
    AdmissionKey {
        /// The public key that knocks are sealed to.
        #[n(0)]
        admission_key: Blob,
        /// The chain of the meeting's authorities: the first authority 32 | SHA-256 of the first admission key 32 | then
        /// 128 bytes for each rotation.
        #[n(1)]
        chain: Blob,
    },
    /// To managers: a client requests admission. A member whose first signed command of an authority arrives gets one for each client
    /// that still waits.
    #[n(3)]
    Knocked {
        /// Who.
        #[n(0)]
        participant: ParticipantId,
        /// The request, sealed to the admission key.
        #[n(1)]
        request: Blob,
    },
    /// To members: a client that waited for admission has left.
    #[n(4)]
    Withdrew {
        /// Who.
        #[n(0)]
        participant: ParticipantId,
    },
    /// To a waiting client: it is a member now. Entries from `position` on follow.
    #[n(5)]
    Admitted {
        /// The MLS Welcome.
        #[n(0)]
        welcome: Blob,
        /// The first entry after the commit that added the client.
        #[n(1)]
        position: Position,
        /// The log's epoch at that entry: the number of commits before it.
        #[n(2)]
        epoch: Epoch,
        /// Members whose [`LogEntry::Gone`] is before that entry, and whose leaf no commit has removed yet.
        #[n(3)]
        gone: Vec<GoneMember>,
        /// For [`Up::Resume`].
        #[n(4)]
        resume: ResumeToken,
        /// The length in bytes of the sealed ratchet tree, which follows at once in [`Down::Tree`]. 0 if the Welcome contains it.
        #[n(5)]
        tree: u32,
    },
    /// To a client that knocked: a manager refused, or the meeting is locked.
    #[n(6)]
    Refused {
        /// The reason.
        #[n(0)]
        why: Refusal,
    },
    /// To members: the next entry of the log.
    #[n(7)]
    Log {
        /// Its position.
        #[n(0)]
        position: Position,
        /// The entry.
        #[n(1)]
        entry: LogEntry,
    },
    /// To a member: its commit, or its command of an earlier authority, was not accepted. Either another commit was
    /// accepted for this epoch, and its entry was sent before; or `epoch` is the commit's own epoch, and a member has to
    /// wait before it commits again: 2 s after its last commit, and while a manager's commit is awaited.
    #[n(8)]
    CommitTooLate {
        /// The log's epoch now.
        #[n(0)]
        epoch: Epoch,
    },
    /// To a member that a manager removed. The server then closes the socket.
    #[n(9)]
    Removed {
        /// The [`crate::ManagerCommand::Expel`], `Void` or `Commit` that names the member.
        #[n(0)]
        signed: SignedCommand,
    },
    /// Answers [`Up::Resume`]. The log's entries from the client's position on follow, then, for managers, each client that waits, and
    /// each member that is absent. The SFU has forgotten the client.
    #[n(11)]
    Resumed,
    /// To members: an organiser that left asks to come back. A new member gets one for each that still waits.
    #[n(12)]
    Returned {
        /// The organiser's new id.
        #[n(0)]
        participant: ParticipantId,
        /// The MLS key package.
        #[n(1)]
        request: Blob,
        /// The authority's signature over [`crate::signed::return_request`].
        #[cbor(n(2), with = "minicbor::bytes")]
        signature: Signature,
    },
    /// Asks for [`Up::Pong`].
    #[n(13)]
    Ping,
    /// An error.
    #[n(15)]
    Problem {
        /// The error.
        #[n(0)]
        problem: Problem,
    },
    /// To members except the sender: a manager's [`crate::ManagerCommand::Beacon`]. It is not in the log.
    #[n(16)]
    Beacon {
        /// The command with its proof.
        #[n(0)]
        signed: SignedCommand,
    },
    /// To members except the sender: what a member says about the state of its group. It is not in the log.
    #[n(24)]
    MemberBeacon {
        /// The member, by the server. The signature shows whether that is true.
        #[n(0)]
        from: ParticipantId,
        /// The signed statement.
        #[n(1)]
        beacon: MemberBeacon,
    },
    /// To members: the connection of a member was lost, or the member has resumed. It is not in the log. A new member
    /// gets one for each member that is absent.
    #[n(17)]
    Presence {
        /// The member.
        #[n(0)]
        participant: ParticipantId,
        /// Whether the member is connected.
        #[n(1)]
        connected: bool,
    },
    /// To a member: entries of the log that it does not get. They are application messages of members that sent too
    /// much for how fast this client reads.
    #[n(18)]
    Skipped {
        /// The position of the first one.
        #[n(0)]
        position: Position,
        /// How many.
        #[n(1)]
        count: u64,
    },
    /// To members: a manager has ended the meeting. The server then closes the socket.
    #[n(19)]
    Ended {
        /// The [`crate::ManagerCommand::End`] with its proof.
        #[n(0)]
        signed: SignedCommand,
    },
    /// To a waiting client: a message of a manager. To the managers, the sender included: a message of a waiting client, or of
    /// a manager to it. It is not in the log.
    #[n(20)]
    Lobby {
        /// The waiting client.
        #[n(0)]
        participant: ParticipantId,
        /// The sender: the waiting client or a manager.
        #[n(1)]
        from: ParticipantId,
        /// The sealed message.
        #[n(2)]
        blob: Blob,
    },
    /// To a new member: the next part of the sealed ratchet tree. The parts follow its [`Down::Admitted`], before any other message
    /// but [`Down::Ping`].
    #[n(21)]
    Tree {
        /// The part.
        #[n(0)]
        part: Blob,
    },
    /// To members: a message of another member that is not in the log.
    #[n(22)]
    Relayed {
        /// The sender.
        #[n(0)]
        from: ParticipantId,
        /// The sealed message.
        #[n(1)]
        blob: Blob,
    },
}

impl Limited for Up {
    fn within_limits(&self) -> bool {
        match self {
            Self::Create { admission_key: blob, .. }
            | Self::Knock { request: blob, .. }
            | Self::Return { request: blob, .. } => is_short(blob),
            Self::Tell { blob, .. } => fits(blob),
            Self::Lobby { blob } => blob.0.len() <= MAX_LOBBY,
            Self::Tree { part, .. } => is_tree_part(part),
            Self::Relay { blob } => blob.0.len() <= MAX_RELAY,
            Self::Manage { command, welcomes, .. } => command.0.len() <= MAX_COMMAND && are_few(welcomes),
            Self::Commit { blob, removed, welcome, .. } => {
                fits(blob) && are_few(welcome.as_slice()) && removed.len() <= MAX_MEMBERS
            }
            Self::Hello { .. }
            | Self::Approach { .. }
            | Self::Resume { .. }
            | Self::Leave
            | Self::Beacon { .. }
            | Self::Pong { .. } => true,
        }
    }
}

impl Limited for Down {
    fn within_limits(&self) -> bool {
        match self {
            Self::AdmissionKey { admission_key, chain } => is_short(admission_key) && chain.0.len() <= MAX_CHAIN,
            Self::Knocked { request: blob, .. } | Self::Returned { request: blob, .. } => is_short(blob),
            Self::Admitted { welcome, gone, tree, .. } => {
                fits(welcome) && gone.len() <= MAX_MEMBERS && usize::try_from(*tree).is_ok_and(|tree| tree <= MAX_TREE)
            }
            Self::Tree { part } => is_tree_part(part),
            Self::Log { entry: LogEntry::Commit { blob, .. } | LogEntry::Told { blob, .. }, .. } => fits(blob),
            Self::Log { entry: LogEntry::Managed { signed }, .. }
            | Self::Removed { signed }
            | Self::Beacon { signed }
            | Self::Ended { signed } => signed.within_limits(),
            Self::Lobby { blob, .. } => blob.0.len() <= MAX_LOBBY,
            Self::Relayed { blob, .. } => blob.0.len() <= MAX_RELAY,
            Self::Log { entry: LogEntry::Gone { .. }, .. }
            | Self::Hello { .. }
            | Self::Created { .. }
            | Self::Withdrew { .. }
            | Self::Refused { .. }
            | Self::CommitTooLate { .. }
            | Self::Resumed
            | Self::MemberBeacon { .. }
            | Self::Presence { .. }
            | Self::Skipped { .. }
            | Self::Ping
            | Self::Problem { .. } => true,
        }
    }
}

/// Returns true if the part is not empty, so that the parts of a tree are few.
fn is_tree_part(part: &Blob) -> bool {
    (1..=MAX_TREE_PART).contains(&part.0.len())
}

/// Returns true if the Welcomes admit at most [`MAX_WELCOMES`], and each is within its limit.
fn are_few(welcomes: &[Welcome]) -> bool {
    welcomes.iter().map(|welcome| welcome.to.len().max(1)).sum::<usize>() <= MAX_WELCOMES
        && welcomes.iter().all(|welcome| fits(&welcome.blob))
}

#[cfg(test)]
mod tests;
