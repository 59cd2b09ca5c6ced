//! What the user is told about the others' groups, and the user's commands.

use crypto::emoji::{Emoji, Phrase};
use proto::ParticipantId;

/// Something that shows whether all are in the same group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The agreement about the group, if other members differ, or are not heard, than before. While somebody differs, managers
    /// admit nobody.
    Agreement(Agreement),
    /// This client had another group than a manager, and joins again. Its other members may be in a fork as well.
    OtherGroup {
        /// The manager.
        manager: ParticipantId,
    },
    /// The state of a comparison of pictures.
    Emoji(EmojiCheck),
    /// The state of a spoken challenge.
    Phrase(PhraseCheck),
}

/// A command of the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Compares pictures with all who are connected. [`Event::Emoji`] follows.
    CompareEmoji,
    /// Asks a member to read a phrase aloud. [`Event::Phrase`] follows.
    AskForPhrase(ParticipantId),
}

/// Whether the other members have the same group as this one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agreement {
    /// Members whose beacons name the same state of the group.
    pub agree: Vec<ParticipantId>,
    /// Members whose beacons name another state. Not empty means that the group is forked, or that one of them lies.
    pub differ: Vec<ParticipantId>,
    /// Members of whom nothing has been heard for too long, although the server reports them as connected, or as absent for longer
    /// than it keeps a place.
    pub unheard: Vec<ParticipantId>,
    /// Members whose beacons name the same state, and another number of the epoch. The server has given one side a wrong number, or
    /// they lie. The group is not forked.
    pub misnumbered: Vec<ParticipantId>,
}

impl Agreement {
    /// Returns true if there is nothing to warn about.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.differ.is_empty() && self.unheard.is_empty() && self.misnumbered.is_empty()
    }
}

/// The state of a comparison of pictures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EmojiCheck {
    /// It runs.
    Running {
        /// Who began.
        by: ParticipantId,
        /// Who has not answered yet.
        waiting: Vec<ParticipantId>,
    },
    /// All have these pictures, unless somebody intercepts the meeting.
    Done {
        /// Who began.
        by: ParticipantId,
        /// The pictures.
        emoji: Emoji,
        /// Who takes part, in the order of their ids.
        participants: Vec<ParticipantId>,
    },
    /// There are no pictures.
    Failed(EmojiFailure),
    /// The keys have changed since, so the pictures mean nothing any more.
    Outdated,
}

/// Why a comparison has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EmojiFailure {
    /// These participants have not answered in time.
    Silent(Vec<ParticipantId>),
    /// This participant has not kept to what it had committed to.
    Wrong(ParticipantId),
    /// The keys have changed meanwhile.
    KeysChanged,
    /// More than [`super::MAX_PARTICIPANTS`] people are connected.
    TooMany,
    /// Nobody else is connected.
    Alone,
    /// Another comparison runs, or the last one has just begun.
    TooSoon,
}

/// The state of a challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PhraseCheck {
    /// This client has asked, and waits for the other program.
    Asked(ParticipantId),
    /// The member reads these words aloud.
    Listen {
        /// The member.
        who: ParticipantId,
        /// The words.
        phrase: Phrase,
    },
    /// A member asks this user to read these words aloud.
    Read {
        /// Who asks.
        by: ParticipantId,
        /// The words.
        phrase: Phrase,
    },
    /// The program of the member has not answered in time, or not as it had to, or the keys have changed meanwhile.
    Failed(ParticipantId),
}
