//! Meeting control, and how messages become bytes.
//!
//! A client sends [`Up`] to the delivery service, which sends [`Down`]. [`crate::ClientMessage`] and
//! [`crate::ServerMessage`] also carry what is for and from the SFU. Fields are numbered, and a reader skips fields
//! that it does not know; it answers an unknown message with [`Problem::Malformed`].

use crate::{Epoch, MAX_BLOB, MAX_KNOCK, MAX_MEMBERS, MAX_MESSAGE, MAX_WELCOMES, MeetingId, ParticipantId, Position};
use minicbor::{CborLen, Decode, Encode};

/// Bytes that only participants can read. The server stores and relays them; it has no use for them.
#[derive(Clone, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
#[cbor(transparent)]
pub struct Blob(#[cbor(with = "minicbor::bytes")] pub Vec<u8>);

impl std::fmt::Debug for Blob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Blob({} B)", self.0.len())
    }
}

/// A Welcome (RFC 9420, section 12.4.3.1) for those who knocked. MLS makes one for all whom a commit adds, so it travels once.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
pub struct Welcome {
    /// Who is let in.
    #[n(0)]
    pub to: Vec<ParticipantId>,
    /// The Welcome, sealed by MLS.
    #[n(1)]
    pub blob: Blob,
}

/// One entry of a meeting's log. Every member sees the same entries in the same order.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
pub enum Entry {
    /// A commit that won its epoch.
    #[n(0)]
    Commit {
        /// Who made it.
        #[n(0)]
        from: ParticipantId,
        /// The log's epoch that it ends: how many commits came before it.
        #[n(1)]
        epoch: Epoch,
        /// The MLS commit.
        #[n(2)]
        blob: Blob,
    },
    /// An MLS application message.
    #[n(1)]
    Told {
        /// Who said it.
        #[n(0)]
        from: ParticipantId,
        /// The log's epoch in which its sender sealed it.
        #[n(1)]
        epoch: Epoch,
        /// The MLS application message.
        #[n(2)]
        blob: Blob,
    },
    /// A member has left, or its connection is dead for good: its leaf may be removed. Also follows a commit at once for each
    /// of its welcomes whose receiver no longer waits.
    #[n(2)]
    Gone {
        /// Who.
        #[n(0)]
        participant: ParticipantId,
    },
}

/// Meeting control from a client. The numbers 8 and 11 are those of [`crate::ToSfu`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
pub enum Up {
    /// First of all. Answered by [`Down::Hello`], or by [`Problem::Version`] and the end.
    #[n(0)]
    Hello {
        /// The client's [`crate::VERSION`].
        #[n(0)]
        version: u16,
    },
    /// Opens a meeting whose only member is the caller, at epoch 0. Answered by [`Down::Created`].
    #[n(1)]
    Create {
        /// Which; must be new.
        #[n(0)]
        meeting: MeetingId,
        /// The public key that knocks are sealed to.
        #[n(1)]
        admission_key: Blob,
    },
    /// Asks for a meeting's admission key. Answered by [`Down::AdmissionKey`].
    #[n(2)]
    Approach {
        /// Which.
        #[n(0)]
        meeting: MeetingId,
    },
    /// Asks to be let in. Answered by [`Down::Admitted`] or [`Down::Refused`], whenever a member decides.
    #[n(3)]
    Knock {
        /// Which.
        #[n(0)]
        meeting: MeetingId,
        /// The request, sealed to the admission key.
        #[n(1)]
        request: Blob,
    },
    /// A member refuses somebody who knocked.
    #[n(4)]
    Refuse {
        /// Who.
        #[n(0)]
        participant: ParticipantId,
        /// Why; told to them.
        #[n(1)]
        why: Refusal,
    },
    /// A member's commit: accepted if `epoch` is the current one, else [`Down::Lost`].
    #[n(5)]
    Commit {
        /// The log's epoch that it ends: how many commits the log holds so far.
        #[n(0)]
        epoch: Epoch,
        /// The MLS commit.
        #[n(1)]
        blob: Blob,
        /// Whom it lets in.
        #[n(2)]
        welcomes: Vec<Welcome>,
        /// Whom it puts out.
        #[n(3)]
        removed: Vec<ParticipantId>,
    },
    /// A member's application message, to be put in the log.
    #[n(6)]
    Tell {
        /// The log's epoch in which it was sealed.
        #[n(0)]
        epoch: Epoch,
        /// The MLS application message.
        #[n(1)]
        blob: Blob,
    },
    /// Good-bye. The socket closes behind it.
    #[n(7)]
    Leave,
    /// Answers [`Down::Ping`]. A client that stays silent is taken for dead.
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
        /// What this connection is called in whatever meeting it enters.
        #[n(1)]
        participant: ParticipantId,
    },
    /// The meeting is open and the caller is in it.
    #[n(1)]
    Created,
    /// Answers [`Up::Approach`].
    #[n(2)]
    AdmissionKey {
        /// The public key that knocks are sealed to.
        #[n(0)]
        admission_key: Blob,
    },
    /// To members: somebody knocks. A new member hears of all who still wait when it enters.
    #[n(3)]
    Knocked {
        /// Who.
        #[n(0)]
        participant: ParticipantId,
        /// The request, sealed to the admission key.
        #[n(1)]
        request: Blob,
    },
    /// To members: somebody who knocked has given up.
    #[n(4)]
    Withdrew {
        /// Who.
        #[n(0)]
        participant: ParticipantId,
    },
    /// To somebody who knocked: the door is open. Entries from `position` on follow.
    #[n(5)]
    Admitted {
        /// The MLS Welcome.
        #[n(0)]
        welcome: Blob,
        /// The first entry after the commit that let the joiner in.
        #[n(1)]
        position: Position,
        /// The log's epoch at that entry: how many commits came before it.
        #[n(2)]
        epoch: Epoch,
        /// Members whose [`Entry::Gone`] lies before that entry, and whose leaf no commit has removed yet.
        #[n(3)]
        gone: Vec<ParticipantId>,
    },
    /// To somebody who knocked: a member said no.
    #[n(6)]
    Refused {
        /// Why.
        #[n(0)]
        why: Refusal,
    },
    /// To members: the next entry of the log.
    #[n(7)]
    Log {
        /// Its place.
        #[n(0)]
        position: Position,
        /// The entry.
        #[n(1)]
        entry: Entry,
    },
    /// To a committer: another commit won this epoch. Its entry came before.
    #[n(8)]
    Lost {
        /// The log's epoch now.
        #[n(0)]
        epoch: Epoch,
    },
    /// To somebody whom a commit put out. The socket closes behind it.
    #[n(9)]
    Removed,
    /// Are you there?
    #[n(13)]
    Ping,
    /// Something did not work.
    #[n(15)]
    Problem {
        /// What.
        #[n(0)]
        problem: Problem,
    },
}

/// Why a member does not let somebody in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
#[cbor(index_only)]
pub enum Refusal {
    /// The one who decides does not want it, or the request is not what the link asks for.
    #[n(0)]
    Declined,
    /// Nobody is left who may let anybody in.
    #[n(1)]
    Unattended,
}

/// Why the server does not do as asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode, CborLen, thiserror::Error)]
#[cbor(index_only)]
pub enum Problem {
    /// The client's version is not spoken here.
    #[n(0)]
    #[error("the server speaks another version of the protocol")]
    Version,
    /// There is no such meeting, or it has ended.
    #[n(1)]
    #[error("the meeting has ended or never was")]
    NoMeeting,
    /// [`Up::Create`] named a meeting that exists.
    #[n(2)]
    #[error("the meeting exists already")]
    MeetingExists,
    /// The meeting holds as many members as the server allows.
    #[n(3)]
    #[error("the meeting is full")]
    MeetingFull,
    /// The server holds as many meetings as it allows.
    #[n(4)]
    #[error("the server is full")]
    ServerFull,
    /// The message is none, is too long, or does not fit what came before.
    #[n(5)]
    #[error("the server did not understand this client")]
    Malformed,
    /// Too many messages in too short a time.
    #[n(6)]
    #[error("this client says too much at once")]
    TooFast,
    /// The server is stopping.
    #[n(7)]
    #[error("the server is stopping")]
    Draining,
}

/// Bytes that are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a message of this protocol")]
pub struct Malformed;

/// The bytes of a message.
///
/// # Panics
/// Never: writing to memory does not fail.
#[must_use]
pub fn encode<M: Encode<()>>(message: &M) -> Vec<u8> {
    minicbor::to_vec(message).expect("writing to memory does not fail")
}

/// The message that `bytes` hold. Looks at the length first; allocates no more than a small multiple of it.
///
/// # Errors
/// [`Malformed`] for anything but exactly one message within the limits.
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

/// True where `message` keeps every limit, so that the other end will read it.
#[must_use]
pub fn is_sendable<M: CborLen<()> + Limited>(message: &M) -> bool {
    message.within_limits() && minicbor::len(message) <= MAX_MESSAGE
}

/// A message that knows how long its parts may be.
pub trait Limited {
    /// True where every part keeps its limit.
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
            Self::Log { entry: Entry::Commit { blob, .. } | Entry::Told { blob, .. }, .. } => fits(blob),
            Self::Log { entry: Entry::Gone { .. }, .. }
            | Self::Hello { .. }
            | Self::Created
            | Self::Withdrew { .. }
            | Self::Refused { .. }
            | Self::Lost { .. }
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
    fn messages_come_back_as_they_went() {
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
        let entry = Entry::Told { from: ParticipantId(1), epoch: Epoch(2), blob: Blob(vec![9; 300]) };
        let down = Down::Log { position: Position(4), entry };
        assert_eq!(decode::<Down>(&encode(&down)), Ok(down));
    }

    #[test]
    fn an_old_peer_skips_fields_that_it_does_not_know() {
        // Hello {0: version} with one field more.
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
    fn limits_hold() {
        let long = Up::Tell { epoch: Epoch(0), blob: Blob(vec![0; MAX_BLOB + 1]) };
        assert_eq!(decode::<Up>(&encode(&long)), Err(Malformed));
        let knock = |length| Up::Knock { meeting: MeetingId([0; 16]), request: Blob(vec![0; length]) };
        assert!(decode::<Up>(&encode(&knock(MAX_KNOCK))).is_ok());
        assert_eq!(decode::<Up>(&encode(&knock(MAX_KNOCK + 1))), Err(Malformed));
    }

    #[test]
    fn what_is_sendable_is_what_the_other_end_reads() {
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
    fn a_commit_lets_in_no_more_than_its_limit_in_however_many_welcomes() {
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
    fn an_admission_names_no_more_of_the_gone_than_a_meeting_holds() {
        let admitted = |gone| Down::Admitted { welcome: Blob(vec![1]), position: Position(9), epoch: Epoch(3), gone };
        let message = admitted(ids(MAX_MEMBERS));
        assert_eq!(decode::<Down>(&encode(&message)), Ok(message));
        assert_eq!(decode::<Down>(&encode(&admitted(ids(MAX_MEMBERS + 1)))), Err(Malformed));
    }

    fn ids(count: usize) -> Vec<ParticipantId> {
        (0..count as u64).map(ParticipantId).collect()
    }

    #[test]
    fn a_length_that_lies_allocates_nothing() {
        // Tell {epoch 0, blob of 2^40 bytes} in a dozen bytes.
        let lie = [0x82, 0x06, 0x82, 0x00, 0x5b, 0, 0, 1, 0, 0, 0, 0, 0];
        assert_eq!(decode::<Up>(&lie), Err(Malformed));
    }
}
