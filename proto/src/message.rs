//! Meeting control messages and their encoding.
//!
//! A client sends [`Up`] to the delivery service, which sends [`Down`]. [`crate::ClientMessage`] and
//! [`crate::ServerMessage`] also carry the SFU's messages. Fields are numbered, and a reader skips fields that it does
//! not know. The server answers an unknown message with [`Problem::Malformed`].

use crate::{Epoch, MAX_BLOB, MAX_KNOCK, MAX_MEMBERS, MAX_MESSAGE, MAX_WELCOMES, MeetingId, ParticipantId, Position};
use minicbor::{CborLen, Decode, Encode};

/// Encrypted bytes that only participants can read. The server stores and relays them.
#[derive(Clone, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
#[cbor(transparent)]
pub struct Blob(#[cbor(with = "minicbor::bytes")] pub Vec<u8>);

impl std::fmt::Debug for Blob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Blob({} B)", self.0.len())
    }
}

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
    /// The commit that the server accepted for its epoch.
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
    /// A member has left or its connection has ended, so its leaf may be removed. This is also logged directly after a
    /// commit for each receiver of its Welcomes that no longer waits.
    #[n(2)]
    Gone {
        /// The member.
        #[n(0)]
        participant: ParticipantId,
    },
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
    /// A member refuses a request for admission.
    #[n(4)]
    Refuse {
        /// The refused client.
        #[n(0)]
        participant: ParticipantId,
        /// The reason. The server forwards it to the client.
        #[n(1)]
        why: Refusal,
    },
    /// A member's commit. The server accepts it if `epoch` is the log's current epoch, else it answers [`Down::CommitTooLate`].
    #[n(5)]
    Commit {
        /// The log's epoch that it ends: the number of commits in the log so far.
        #[n(0)]
        epoch: Epoch,
        /// The MLS commit.
        #[n(1)]
        blob: Blob,
        /// The members that it adds.
        #[n(2)]
        welcomes: Vec<Welcome>,
        /// The members that it removes.
        #[n(3)]
        removed: Vec<ParticipantId>,
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
    /// Answers [`Down::Ping`]. The server disconnects a client that does not answer.
    #[n(10)]
    Pong,
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
    },
    /// Answers [`Up::Create`]: the meeting is open, and the client is a member.
    #[n(1)]
    Created,
    /// Answers [`Up::Approach`].
    #[n(2)]
    AdmissionKey {
        /// The public key that knocks are sealed to.
        #[n(0)]
        admission_key: Blob,
    },
    /// To members: a client requests admission. A new member gets one for each client that still waits.
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
        gone: Vec<ParticipantId>,
    },
    /// To a waiting client: a member refused.
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
    /// To a committer: another commit was accepted for this epoch. Its entry was sent before.
    #[n(8)]
    CommitTooLate {
        /// The log's epoch now.
        #[n(0)]
        epoch: Epoch,
    },
    /// To a member that a commit removed. The server then closes the socket.
    #[n(9)]
    Removed,
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
}

/// The reason why a member refuses a request for admission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
#[cbor(index_only)]
pub enum Refusal {
    /// The organiser declined, or the request does not match the link.
    #[n(0)]
    Declined,
    /// No organiser is left.
    #[n(1)]
    Unattended,
}

/// The reason why the server rejects a message. It then closes the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode, CborLen, thiserror::Error)]
#[cbor(index_only)]
pub enum Problem {
    /// The server does not support the client's version.
    #[n(0)]
    #[error("the server uses another version of the protocol")]
    Version,
    /// There is no such meeting, or it has ended.
    #[n(1)]
    #[error("the meeting does not exist or has ended")]
    NoMeeting,
    /// [`Up::Create`] named a meeting that exists.
    #[n(2)]
    #[error("the meeting exists already")]
    MeetingExists,
    /// The meeting has as many members as the server allows.
    #[n(3)]
    #[error("the meeting is full")]
    MeetingFull,
    /// The server has as many meetings as it allows.
    #[n(4)]
    #[error("the server is full")]
    ServerFull,
    /// The message is invalid or too long, or the state of the connection does not allow it.
    #[n(5)]
    #[error("the server rejected a message of this client as invalid")]
    Malformed,
    /// The client sent too many messages or bytes in a short time.
    #[n(6)]
    #[error("this client sends too many messages")]
    TooFast,
    /// The server is stopping.
    #[n(7)]
    #[error("the server is stopping")]
    Draining,
}

/// The error that bytes are not a valid message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a message of this protocol")]
pub struct Malformed;

/// Encodes a message.
///
/// # Panics
/// Never: writing to memory does not fail.
#[must_use]
pub fn encode<M: Encode<()>>(message: &M) -> Vec<u8> {
    minicbor::to_vec(message).expect("writing to memory does not fail")
}

/// Decodes a message. Checks the length first, and allocates at most a small multiple of it.
///
/// # Errors
/// Returns [`Malformed`] if `bytes` are not exactly one message within the limits.
pub fn decode<M: for<'b> Decode<'b, ()> + Limited>(bytes: &[u8]) -> Result<M, Malformed> {
    if bytes.len() > MAX_MESSAGE {
        return Err(Malformed);
    }
    let mut decoder = minicbor::Decoder::new(bytes);
    let message: M = decoder.decode().map_err(|_| Malformed)?;
    if decoder.position() != bytes.len() || !message.within_limits() {
        return Err(Malformed);
    }
    Ok(message)
}

/// Returns true if `message` is within all limits, so that the receiver accepts it.
#[must_use]
pub fn is_sendable<M: CborLen<()> + Limited>(message: &M) -> bool {
    message.within_limits() && minicbor::len(message) <= MAX_MESSAGE
}

/// A message whose parts have limits.
pub trait Limited {
    /// Returns true if every part is within its limit.
    fn within_limits(&self) -> bool;
}

impl Limited for Up {
    fn within_limits(&self) -> bool {
        match self {
            Self::Create { admission_key: blob, .. } | Self::Knock { request: blob, .. } => is_short(blob),
            Self::Tell { blob, .. } => fits(blob),
            Self::Commit { blob, welcomes, removed, .. } => {
                fits(blob)
                    && welcomes.iter().map(|welcome| welcome.to.len().max(1)).sum::<usize>() <= MAX_WELCOMES
                    && welcomes.iter().all(|welcome| fits(&welcome.blob))
                    && removed.len() <= MAX_MEMBERS
            }
            Self::Hello { .. } | Self::Approach { .. } | Self::Refuse { .. } | Self::Leave | Self::Pong => true,
        }
    }
}

impl Limited for Down {
    fn within_limits(&self) -> bool {
        match self {
            Self::AdmissionKey { admission_key: blob } | Self::Knocked { request: blob, .. } => is_short(blob),
            Self::Admitted { welcome, gone, .. } => fits(welcome) && gone.len() <= MAX_MEMBERS,
            Self::Log { entry: LogEntry::Commit { blob, .. } | LogEntry::Told { blob, .. }, .. } => fits(blob),
            Self::Log { entry: LogEntry::Gone { .. }, .. }
            | Self::Hello { .. }
            | Self::Created
            | Self::Withdrew { .. }
            | Self::Refused { .. }
            | Self::CommitTooLate { .. }
            | Self::Removed
            | Self::Ping
            | Self::Problem { .. } => true,
        }
    }
}

fn fits(blob: &Blob) -> bool {
    blob.0.len() <= MAX_BLOB
}

fn is_short(blob: &Blob) -> bool {
    blob.0.len() <= MAX_KNOCK
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::VERSION;

    #[test]
    fn messages_round_trip() {
        let up = [
            Up::Hello { version: VERSION },
            Up::Commit {
                epoch: Epoch(3),
                blob: Blob(vec![1, 2]),
                welcomes: vec![Welcome { to: vec![ParticipantId(7)], blob: Blob(vec![3]) }],
                removed: vec![ParticipantId(9)],
            },
            Up::Leave,
        ];
        for message in up {
            assert_eq!(decode::<Up>(&encode(&message)), Ok(message));
        }
        let entry = LogEntry::Told { from: ParticipantId(1), epoch: Epoch(2), blob: Blob(vec![9; 300]) };
        let down = Down::Log { position: Position(4), entry };
        assert_eq!(decode::<Down>(&encode(&down)), Ok(down));
    }

    #[test]
    fn an_old_peer_skips_fields_that_it_does_not_know() {
        // Hello {0: version} with an additional field.
        let newer = [0x82, 0x00, 0x82, 0x01, 0x18, 0x2a];
        assert_eq!(decode::<Up>(&newer), Ok(Up::Hello { version: 1 }));
    }

    #[test]
    fn every_truncation_and_any_trailing_byte_is_refused() {
        let bytes = encode(&Up::Tell { epoch: Epoch(70_000), blob: Blob(vec![1; 300]) });
        for length in 0..bytes.len() {
            assert_eq!(decode::<Up>(&bytes[..length]), Err(Malformed));
        }
        assert_eq!(decode::<Up>(&[bytes, vec![0]].concat()), Err(Malformed));
    }

    #[test]
    fn a_message_above_a_limit_is_malformed() {
        let long = Up::Tell { epoch: Epoch(0), blob: Blob(vec![0; MAX_BLOB + 1]) };
        assert_eq!(decode::<Up>(&encode(&long)), Err(Malformed));
        let knock = |length| Up::Knock { meeting: MeetingId([0; 16]), request: Blob(vec![0; length]) };
        assert!(decode::<Up>(&encode(&knock(MAX_KNOCK))).is_ok());
        assert_eq!(decode::<Up>(&encode(&knock(MAX_KNOCK + 1))), Err(Malformed));
    }

    #[test]
    fn sendable_messages_are_those_that_the_receiver_accepts() {
        let commit = |count| Up::Commit {
            epoch: Epoch(0),
            blob: Blob(Vec::new()),
            welcomes: vec![Welcome { to: ids(1), blob: Blob(vec![0; MAX_BLOB]) }; count],
            removed: Vec::new(),
        };
        for count in [1, 2] {
            let message = commit(count);
            assert_eq!(is_sendable(&message), decode::<Up>(&encode(&message)).is_ok());
        }
        assert!(is_sendable(&commit(1)) && !is_sendable(&commit(2)));
    }

    #[test]
    fn a_commit_cannot_exceed_the_limit_of_new_members_with_several_welcomes() {
        let commit = |sizes: &[usize]| Up::Commit {
            epoch: Epoch(0),
            blob: Blob(vec![1]),
            welcomes: sizes.iter().map(|&size| Welcome { to: ids(size), blob: Blob(vec![2]) }).collect(),
            removed: Vec::new(),
        };
        assert!(decode::<Up>(&encode(&commit(&[MAX_WELCOMES]))).is_ok());
        assert_eq!(decode::<Up>(&encode(&commit(&[MAX_WELCOMES, 1]))), Err(Malformed));
        assert_eq!(decode::<Up>(&encode(&commit(&[0; MAX_WELCOMES + 1]))), Err(Malformed));
    }

    #[test]
    fn an_admission_names_at_most_as_many_gone_members_as_a_meeting_has() {
        let admitted = |gone| Down::Admitted { welcome: Blob(vec![1]), position: Position(9), epoch: Epoch(3), gone };
        let message = admitted(ids(MAX_MEMBERS));
        assert_eq!(decode::<Down>(&encode(&message)), Ok(message));
        assert_eq!(decode::<Down>(&encode(&admitted(ids(MAX_MEMBERS + 1)))), Err(Malformed));
    }

    fn ids(count: usize) -> Vec<ParticipantId> {
        (0..count as u64).map(ParticipantId).collect()
    }

    #[test]
    fn a_declared_length_beyond_the_message_is_malformed() {
        // Tell {epoch 0, blob of 2^40 bytes} in a dozen bytes.
        let wrong = [0x82, 0x06, 0x82, 0x00, 0x5b, 0, 0, 1, 0, 0, 0, 0, 0];
        assert_eq!(decode::<Up>(&wrong), Err(Malformed));
    }
}
