//! The commands of a meeting's managers: those that hold the authority key.

use crate::encoding::{Limited, fits, is_short};
use crate::{
    AUTHORITY_BYTES, Blob, Epoch, MAX_COMMAND, MAX_LOBBY, MAX_MEMBERS, Malformed, ParticipantId, ROTATION_BYTES,
    Refusal, SIGNATURE_BYTES,
};
use minicbor::{CborLen, Decode, Encode};

/// A public Ed25519 key (RFC 8032).
pub type PublicKey = [u8; AUTHORITY_BYTES];

/// An Ed25519 signature (RFC 8032).
pub type Signature = [u8; SIGNATURE_BYTES];

/// A command of a manager. [`crate::Up::Manage`] carries its encoding with the authority's signature.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
pub enum ManagerCommand {
    /// A commit. It may add and remove anybody, and competes only with commits of other managers for its epoch. Its
    /// Welcomes travel beside the command in [`crate::Up::Manage`].
    #[n(0)]
    Commit {
        /// The log's epoch that it ends: the number of commits in the log so far.
        #[n(0)]
        epoch: Epoch,
        /// The MLS commit.
        #[n(1)]
        blob: Blob,
        /// The members that it removes.
        #[n(2)]
        removed: Vec<ParticipantId>,
        /// The next authority and admission key. They are in force from this commit on: the server accepts both or
        /// neither.
        #[n(3)]
        rotation: Option<NextAuthority>,
    },
    /// Refuses a request for admission.
    #[n(1)]
    Refuse {
        /// The refused client.
        #[n(0)]
        participant: ParticipantId,
        /// The reason. The server forwards it to the client.
        #[n(1)]
        why: Refusal,
    },
    /// Closes a member's connection. It cannot resume. The commit that removes its leaf follows.
    #[n(2)]
    Expel {
        /// The member.
        #[n(0)]
        participant: ParticipantId,
    },
    /// A member's commit is invalid. All members skip it, and the server closes the member's connection.
    #[n(3)]
    Void {
        /// The log's epoch that the commit ended.
        #[n(0)]
        epoch: Epoch,
        /// The committer.
        #[n(1)]
        participant: ParticipantId,
    },
    /// Locks or unlocks the meeting. The server answers a knock on a locked meeting with [`Refusal::Locked`].
    #[n(5)]
    Lock {
        /// Whether the meeting is locked.
        #[n(0)]
        locked: bool,
    },
    /// The state of the group as the manager sees it.
    #[n(6)]
    Beacon {
        /// The log's epoch.
        #[n(0)]
        epoch: Epoch,
        /// The MLS epoch after the commits before `epoch`.
        #[n(1)]
        mls_epoch: u64,
        /// The SHA-256 of the confirmed transcript hash (RFC 9420, section 8.2) of that MLS epoch.
        #[cbor(n(2), with = "minicbor::bytes")]
        transcript: [u8; 32],
    },
    /// Ends the meeting for everybody.
    #[n(7)]
    End,
    /// A message to a waiting client. The server sends it to that client and to all managers ([`crate::Down::Lobby`]).
    #[n(8)]
    Lobby {
        /// The waiting client.
        #[n(0)]
        participant: ParticipantId,
        /// The message, sealed for that client and the managers.
        #[n(1)]
        blob: Blob,
    },
}

/// The next authority and admission key of a meeting.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
pub struct NextAuthority {
    /// The new authority 32 | SHA-256 of the new admission key 32 | signature 64 of the authority before it over
    /// [`crate::signed::rotation`].
    #[cbor(n(0), with = "minicbor::bytes")]
    pub rotation: [u8; ROTATION_BYTES],
    /// The new public key that knocks are sealed to.
    #[n(1)]
    pub admission_key: Blob,
}

/// A manager's command as the server passes it on, with the proof that each member checks.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
pub struct SignedCommand {
    /// The sender.
    #[n(0)]
    pub from: ParticipantId,
    /// The counter of the command.
    #[n(1)]
    pub counter: u64,
    /// The encoded [`ManagerCommand`].
    #[n(2)]
    pub command: Blob,
    /// The authority's signature over [`crate::signed::command`].
    #[cbor(n(3), with = "minicbor::bytes")]
    pub signature: Signature,
}

impl SignedCommand {
    /// Decodes the command. Does not check the signature.
    ///
    /// # Errors
    /// Returns [`Malformed`] if the bytes are not a command within the limits.
    pub fn decode(&self) -> Result<ManagerCommand, Malformed> {
        crate::decode(&self.command.0)
    }
}

impl Limited for ManagerCommand {
    fn within_limits(&self) -> bool {
        match self {
            Self::Commit { blob, removed, rotation, .. } => {
                let is_short = |next: &NextAuthority| is_short(&next.admission_key);
                fits(blob) && removed.len() <= MAX_MEMBERS && rotation.as_ref().is_none_or(is_short)
            }
            Self::Lobby { blob, .. } => blob.0.len() <= MAX_LOBBY,
            Self::Refuse { .. }
            | Self::Expel { .. }
            | Self::Void { .. }
            | Self::Lock { .. }
            | Self::Beacon { .. }
            | Self::End => true,
        }
    }
}

impl Limited for SignedCommand {
    fn within_limits(&self) -> bool {
        self.command.0.len() <= MAX_COMMAND
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MAX_BLOB, MAX_KNOCK, decode, encode};

    fn next(length: usize) -> NextAuthority {
        NextAuthority { rotation: [7; ROTATION_BYTES], admission_key: Blob(vec![8; length]) }
    }

    #[test]
    fn commands_round_trip() {
        let participant = ParticipantId(u64::MAX);
        let commit = |rotation| {
            let blob = Blob(vec![1, 2]);
            ManagerCommand::Commit { epoch: Epoch(3), blob, removed: vec![participant], rotation }
        };
        let commands = [
            commit(None),
            commit(Some(NextAuthority { rotation: [7; ROTATION_BYTES], admission_key: Blob(vec![8; 1_216]) })),
            ManagerCommand::Refuse { participant, why: Refusal::Clock { ahead: -7_200 } },
            ManagerCommand::Expel { participant },
            ManagerCommand::Void { epoch: Epoch(9), participant },
            ManagerCommand::Lock { locked: true },
            ManagerCommand::Beacon { epoch: Epoch(4), mls_epoch: 3, transcript: [5; 32] },
            ManagerCommand::End,
            ManagerCommand::Lobby { participant, blob: Blob(vec![4; MAX_LOBBY]) },
        ];
        for command in commands {
            let bytes = encode(&command);
            assert_eq!(decode::<ManagerCommand>(&bytes), Ok(command.clone()));
            for length in 0..bytes.len() {
                assert_eq!(decode::<ManagerCommand>(&bytes[..length]), Err(Malformed));
            }
            let signed = SignedCommand { from: participant, counter: 1, command: Blob(bytes), signature: [6; 64] };
            assert_eq!(signed.decode(), Ok(command));
        }
    }

    #[test]
    fn a_command_above_a_limit_is_malformed() {
        let commit = |length, removed| ManagerCommand::Commit {
            epoch: Epoch(u64::MAX),
            blob: Blob(vec![0; length]),
            removed: vec![ParticipantId(u64::MAX); removed],
            rotation: Some(next(MAX_KNOCK)),
        };
        let longest = encode(&commit(MAX_BLOB, MAX_MEMBERS));
        assert!(longest.len() <= MAX_COMMAND, "{} bytes", longest.len());
        assert!(decode::<ManagerCommand>(&longest).is_ok());
        for (length, removed) in [(MAX_BLOB + 1, 0), (0, MAX_MEMBERS + 1)] {
            assert_eq!(decode::<ManagerCommand>(&encode(&commit(length, removed))), Err(Malformed));
        }
        let long = ManagerCommand::Lobby { participant: ParticipantId(1), blob: Blob(vec![0; MAX_LOBBY + 1]) };
        assert_eq!(decode::<ManagerCommand>(&encode(&long)), Err(Malformed));
        let mut rotate = commit(0, 0);
        let ManagerCommand::Commit { rotation, .. } = &mut rotate else { unreachable!() };
        *rotation = Some(next(MAX_KNOCK + 1));
        assert_eq!(decode::<ManagerCommand>(&encode(&rotate)), Err(Malformed));
    }

    #[test]
    fn a_rotation_has_one_length() {
        let bytes = minicbor::to_vec(next(0)).unwrap();
        // {0: 128 bytes, 1: no bytes}.
        assert_eq!(bytes[..3], [0x82, 0x58, 128]);
        let mut short = bytes.clone();
        short[2] = 127;
        short.remove(3);
        assert!(minicbor::decode::<NextAuthority>(&bytes).is_ok());
        assert!(minicbor::decode::<NextAuthority>(&short).is_err());
    }
}
