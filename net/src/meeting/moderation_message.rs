//! The application messages of floor control and of raised hands.

use minicbor::{CborLen, Decode, Encode};
use proto::{ParticipantId, Position, Rights};

/// Whom an order is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FloorTarget {
    /// All people who are no managers, also those who come later.
    Everyone,
    /// One member.
    Person(ParticipantId),
}

/// What a manager wants: that somebody may send sound or pictures, or may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FloorOrder {
    /// Whom it is about.
    pub target: FloorTarget,
    /// The rights, of [`Rights::MEDIA`]. Others are ignored. The two rights to share go together.
    pub rights: Rights,
    /// True gives the rights, false takes them. Nobody's microphone or camera is switched on by it.
    pub allow: bool,
}

/// An application message of floor control.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, CborLen)]
pub(super) enum FloorMessage {
    /// An order.
    #[n(0)]
    Set {
        /// Greater than that of each order that counts for the author, and than the MLS epoch times 65,536.
        #[n(0)]
        lamport: u64,
        /// The member; `None` means [`FloorTarget::Everyone`].
        #[n(1)]
        target: Option<ParticipantId>,
        /// The bits of the rights.
        #[n(2)]
        rights: u32,
        /// True gives the rights.
        #[n(3)]
        allow: bool,
    },
}

/// An application message about hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, CborLen)]
pub(super) enum HandMessage {
    /// The author raises its hand, or announces to those who joined that it is up.
    #[n(0)]
    Raise {
        /// The position of the message that raised it; `None` if it is this one.
        #[n(0)]
        since: Option<Position>,
    },
    /// The author lowers its hand.
    #[n(1)]
    Lower,
    /// A manager lowers the hand of a member who is not of a higher role.
    #[n(2)]
    LowerOf {
        /// The member.
        #[n(0)]
        participant: ParticipantId,
    },
    /// A manager lowers the hands of all who are not of a higher role.
    #[n(3)]
    LowerAll,
}
