//! Commands of the screens to the engine, and events of the engine to the screens.

use crate::bandwidth::BandwidthLimits;
use crate::stats::timeline::Second;
use crate::{Choice, Screen};
use audio::Choice as AudioChoice;
use codec::adapt::ContentHint;
use crypto::{Authorship, CertificateChain, SecretLink, Words};
use net::meeting::{Evidence, FloorOrder, LobbyEvent, Microphone, PolicyState, chat, verification};
pub use proto::{Fault, Reason, Refusal};
use proto::{MeetingFlags, ParticipantId, Rights, Role, Slot, TileWish, Totals, TrackId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// An action of the user.
#[derive(Clone, Debug)]
pub enum Command {
    /// True mutes the microphone. Then no audio is sent.
    Mute(bool),
    /// True opens the camera and sends its pictures. False closes it.
    Camera(bool),
    /// Shares this screen, instead of the one that is shared now. `None` stops sharing.
    Share(Option<Screen>),
    /// Changes to another camera.
    ChooseCamera(Choice),
    /// Changes to another microphone.
    ChooseMicrophone(AudioChoice),
    /// Changes to another speaker.
    ChooseSpeaker(AudioChoice),
    /// The size at which each picture is shown now. A track that is not listed is hidden, and is not received.
    SetWishes(Vec<TileWish>),
    /// Sets what matters most in the pictures of our camera or screen.
    SetContentHint(Slot, ContentHint),
    /// Sets how much of the network may be used.
    SetBandwidth(BandwidthLimits),
    /// Removes a participant of a lower role from the meeting. Needs [`Rights::REMOVE`].
    Remove(ParticipantId),
    /// Lets a participant of [`Event::AsksToJoin`] in. Needs [`Rights::ADMIT`].
    Admit(ParticipantId),
    /// Declines a participant of [`Event::AsksToJoin`], who learns the reason. Needs [`Rights::ADMIT`].
    Decline(ParticipantId, Refusal),
    /// Sets the role of a participant of a lower role, to one that is lower than our own. Needs [`Rights::SET_ROLE`].
    SetRole(ParticipantId, Role),
    /// Grants rights that we have to a participant of a lower role. Needs [`Rights::DELEGATE`].
    GrantRights(ParticipantId, Rights),
    /// Withdraws rights from a participant of a lower role. Needs [`Rights::DELEGATE`].
    WithdrawRights(ParticipantId, Rights),
    /// Makes a participant the organiser. Only the organiser may do this, and is the first co-organiser then.
    HandOver(ParticipantId),
    /// Sets or clears flags of the meeting. Only managers may do this, with the right that each flag is about.
    SetFlags {
        /// The flags.
        flags: MeetingFlags,
        /// Whether they are set.
        set: bool,
    },
    /// Sets the role of all who have no role or right of their own: participants who come later, and those who are here. It is
    /// below co-organiser. Needs [`Rights::SET_ROLE`].
    SetDefaultRole(Role),
    /// Does something in the chat.
    Chat(chat::Command),
    /// Compares pictures with all who are connected, or asks a participant for a phrase. [`Event::Verification`] follows.
    Verify(verification::Command),
    /// Stops or allows the microphone, the camera or the share of participants of lower roles. Nothing of theirs is switched
    /// on by it. Needs [`Rights::DELEGATE`], and for everyone also [`Rights::SET_ROLE`].
    Floor(FloorOrder),
    /// Raises (true) or lowers our hand. Needs [`Rights::REACT`].
    RaiseHand(bool),
    /// Lowers the hand of a participant, or all hands. Only managers may do this.
    LowerHand(Option<ParticipantId>),
    /// Switches everything of ours off, turns the waiting room on, sends everybody else back to it, and changes the keys and
    /// the link. Only the organiser may do this.
    StopEverything,
    /// Asks the server for its totals. The answer is [`Event::Totals`].
    RequestTotals,
    /// Leaves the meeting. [`Event::Ended`] follows.
    Leave,
    /// Ends the meeting for everybody. Only the organiser may do this, and only while connected. [`Event::Ended`] follows.
    End,
    /// Lets these participants of [`Event::AsksToJoin`] in: those whom the user saw. Needs [`Rights::ADMIT`].
    AdmitAll(Vec<ParticipantId>),
    /// Sends a participant of a lower role back to the waiting room, which is turned on. Needs [`Rights::ADMIT`] and
    /// [`Rights::REMOVE`].
    SendBack(ParticipantId),
    /// Changes the link to join this meeting. Needs [`Rights::ADMIT`].
    ChangeLink,
    /// Plays a short sound, because somebody asks to join. The others do not hear it.
    PlayKnock,
    /// Writes in a lobby chat. [`Event::Lobby`] follows.
    WriteLobby {
        /// The participant of [`Event::AsksToJoin`]; `None` if we wait ourselves.
        to: Option<ParticipantId>,
        /// The text.
        text: String,
    },
}

/// Something that happened in the meeting.
#[derive(Clone, Debug)]
pub enum Event {
    /// This client has reached a step of entering the meeting.
    Progress(Step),
    /// This client is in the meeting.
    Entered {
        /// Our own id in this meeting.
        me: ParticipantId,
        /// The link to join this meeting.
        link: SecretLink,
        /// True if this device created the meeting.
        organiser: bool,
    },
    /// The link to join this meeting has changed: a manager removed somebody, or changed it. Managers decide on each request
    /// that is made with the old link.
    LinkChanged {
        /// The new link.
        link: SecretLink,
    },
    /// A participant asks to join, and no rule lets it in: the meeting has a waiting room, or the link is from before a
    /// removal. Only who may admit gets this event, and decides with [`Command::Admit`] or [`Command::Decline`].
    AsksToJoin {
        /// The participant's id in this meeting.
        id: ParticipantId,
        /// The name that the person chose. Nobody has verified it.
        name: String,
        /// What we know of the person.
        evidence: Evidence,
    },
    /// A participant of [`Event::AsksToJoin`] was let in or declined, or has given up.
    StoppedAsking(ParticipantId),
    /// All people in the meeting, ourselves first, then in the order of their leaves.
    People(Vec<Person>),
    /// The meeting's flags and the order of succession. [`Event::People`] has the role and the rights of each person.
    Policy(PolicyState),
    /// Something happened in the chat.
    Chat(chat::Event),
    /// Our role or our rights have changed. What we may no longer send is switched off already.
    OwnRightsChanged(RightsChange),
    /// The people whose hands are up, in order. Sent on each change.
    Hands(Vec<ParticipantId>),
    /// A manager lowered our hand.
    HandLowered {
        /// Who did it; `None` if that is not known.
        by: Option<Manager>,
    },
    /// The group's keys changed.
    Locked(KeyState),
    /// The people who speak now, loudest first. Sent on each change.
    Speaking(Vec<ParticipantId>),
    /// The level of our own microphone, at most ten times a second: 0.0 is silence, 1.0 full scale.
    Level(f32),
    /// The state of our own microphone.
    Microphone(Microphone),
    /// True if the others see our camera.
    Camera(bool),
    /// True if the others see our screen.
    Sharing(bool),
    /// What happened in the last second, if it differs from the second before.
    Second(Arc<Second>),
    /// A notice for the user. The meeting continues.
    Notice(Notice),
    /// The received tracks whose frames are dropped, because their owner has not signed them. Sent on each change.
    DoubtedTracks(BTreeMap<TrackId, Authorship>),
    /// The server's totals for this meeting.
    Totals(Totals),
    /// What happens in the waiting room, on both sides. After [`LobbyEvent::SentBack`] we are not in the meeting any more, our
    /// camera and our shared screen are closed, and our microphone is muted.
    Lobby(LobbyEvent),
    /// Something that shows whether all are in the same group.
    Verification(verification::Event),
    /// The meeting has ended for us, and every device is closed. This is the last event.
    Ended(Reason),
}

/// A step of entering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Connecting to the server.
    Connecting,
    /// Connected, and requesting to enter the meeting.
    Approaching,
    /// In the waiting room, until the organiser decides.
    Knocking,
}

/// A person in the meeting.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts about a person, each shown by itself")]
pub struct Person {
    /// The person's id in this meeting.
    pub id: ParticipantId,
    /// The name the person chose.
    pub name: String,
    /// True for ourselves.
    pub me: bool,
    /// The role, by the meeting's policy.
    pub role: Role,
    /// The effective rights, by the meeting's policy.
    pub rights: Rights,
    /// Fingerprint of the device's long-term key, in groups of hexadecimal digits.
    pub device: String,
    /// Certificates of that key by an organisation. Not verified: the screens do that with the organisations that this computer trusts.
    pub certificate: Option<CertificateChain>,
    /// The state of the microphone.
    pub microphone: Microphone,
    /// True while the camera is sent.
    pub camera: bool,
    /// True while the screen is sent.
    pub screen: bool,
    /// False while the person's connection to the server is lost. It may come back.
    pub connected: bool,
}

impl Person {
    /// Returns true for the organiser.
    #[must_use]
    pub fn is_organiser(&self) -> bool {
        self.role == Role::Organiser
    }

    /// Returns true if this person may remove `other` from the meeting.
    #[must_use]
    pub fn may_remove(&self, other: &Self) -> bool {
        self.id != other.id && self.rights.contains(Rights::REMOVE) && self.role.is_above(other.role)
    }
}

/// A change of our own role or rights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RightsChange {
    /// Who did it; `None` if that is not known.
    pub by: Option<Manager>,
    /// The role and the rights before.
    pub before: (Role, Rights),
    /// The role and the rights now.
    pub now: (Role, Rights),
}

/// Somebody who has changed something for us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manager {
    /// The name.
    pub name: String,
    /// The role.
    pub role: Role,
}

/// The state of the group's keys.
#[derive(Clone, Debug)]
pub struct KeyState {
    /// The MLS epoch, which counts the changes of keys.
    pub epoch: u64,
    /// Twelve words. People who see the same words have the same keys.
    pub words: Words,
    /// The registered name of the cipher suite.
    pub suite: &'static str,
}

/// Something that the user should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What happened.
    pub kind: NoticeKind,
    /// The name of the file that it is about, without its folder; `None` if it is not about a file.
    pub file: Option<String>,
    /// For the details line: the cause as the failing part reports it, in English; the person's name for `NotRemoved`,
    /// `ChangeRejected` and `KeysUnreadable`; file name and format for `FileFormat`.
    pub detail: String,
}

/// The subject of a notice. The screens have a sentence for each: what happened, where the cause is, what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NoticeKind {
    /// No camera was found.
    NoCamera,
    /// Another program uses the camera.
    CameraTaken,
    /// The camera was unplugged, or stopped.
    CameraLost,
    /// A camera exists but cannot be opened, because the system denies access or its format is not supported.
    CameraFailed,
    /// There is no audio device. The meeting continues without audio.
    NoSound,
    /// The microphone could not be opened. The speaker works.
    NoMicrophone,
    /// The speaker could not be opened. The microphone works.
    NoSpeaker,
    /// The sound server refuses this program.
    SoundRefused,
    /// A microphone or speaker was unplugged, or stopped.
    SoundLost,
    /// A microphone or speaker that was lost or missing is there, or another one replaces it. The detail names it.
    SoundBack,
    /// A media file does not exist. The detail is its path.
    MissingFile,
    /// A media file cannot be read or written, or is damaged. The detail is its name, a colon and the cause.
    BadFile,
    /// A media file has a format that cannot be played. The detail is its name, and the format in brackets.
    FileFormat,
    /// A sound file has a format that cannot be played. The detail is its name and format.
    SoundFormat,
    /// A file cannot be written.
    NotWritten,
    /// A file cannot be written, because its disk is full.
    DiskFull,
    /// The screen cannot be shared.
    NoScreen,
    /// The screen has a pixel format that cannot be shared.
    ScreenFormat,
    /// The pictures of a source are too narrow to be sent. The detail is their size.
    TooNarrow,
    /// Nobody has answered our request to join yet.
    StillWaiting,
    /// No organiser is in the meeting to admit people.
    NobodyAdmits,
    /// This machine is too slow to encode all pictures, so a layer is sent at a lower frame rate.
    Overloaded,
    /// An encoder or decoder failed and was replaced. The detail names both and the reason.
    CodecReplaced,
    /// One of our picture tracks has no encoder left. It is no longer sent, and its device is closed.
    TrackFailed,
    /// A participant's pictures cannot be opened or decoded.
    PeerUnreadable,
    /// We requested something that we have no right to.
    NotAllowed,
    /// We requested a change for a participant whose role is not lower than ours.
    NotBelow,
    /// We requested a change for a participant who has left.
    PersonLeft,
    /// We granted a right that the participant's role cannot have.
    RightImpossible,
    /// The meeting has roles for as many people as it can.
    TooManyRoles,
    /// We are a manager, but the keys of the meeting have not arrived yet.
    KeysMissing,
    /// A member could not be removed. The detail is the member's name.
    NotRemoved,
    /// A member's change of the meeting is invalid or against its rules, and was rejected. The detail is the member's
    /// name.
    ChangeRejected,
    /// We could not read the keys that a member's app sent. The detail is the member's name.
    KeysUnreadable,
    /// A member could not read the keys that another one's app sent. The detail has both names, the author's first.
    KeysReported,
    /// The connection to the server is lost. The client tries to come back by itself.
    Reconnecting,
    /// The client is back in the meeting.
    Reconnected,
    /// Somebody asked to join with a link from before a removal, and was refused. The detail is the name.
    OldLinkRefused,
    /// This computer's clock and the server's differ by more than an hour. The detail says by how much this one is ahead.
    WrongClock,
    /// A command was not accepted, because too many commands waited.
    Refused,
    /// Somebody else sends pictures or sound in a member's name. The detail is the member's name.
    Forged,
    /// The link of the meeting could not be changed.
    LinkNotChanged,
}

impl NoticeKind {
    /// Returns where the cause is.
    #[must_use]
    pub const fn fault(self) -> Fault {
        match self {
            Self::NoCamera
            | Self::CameraTaken
            | Self::CameraLost
            | Self::CameraFailed
            | Self::NoSound
            | Self::NoMicrophone
            | Self::NoSpeaker
            | Self::SoundRefused
            | Self::SoundLost
            | Self::SoundBack
            | Self::MissingFile
            | Self::BadFile
            | Self::FileFormat
            | Self::SoundFormat
            | Self::NotWritten
            | Self::DiskFull
            | Self::NoScreen
            | Self::ScreenFormat
            | Self::TooNarrow
            | Self::Overloaded
            | Self::CodecReplaced
            | Self::TrackFailed
            | Self::NotAllowed
            | Self::NotBelow
            | Self::PersonLeft
            | Self::RightImpossible
            | Self::TooManyRoles
            | Self::NotRemoved
            | Self::WrongClock
            | Self::LinkNotChanged
            | Self::Refused => Fault::Here,
            Self::Reconnecting | Self::Reconnected => Fault::Network,
            Self::OldLinkRefused => Fault::Link,
            Self::Forged => Fault::Server,
            Self::StillWaiting
            | Self::NobodyAdmits
            | Self::PeerUnreadable
            | Self::ChangeRejected
            | Self::KeysUnreadable
            | Self::KeysReported
            | Self::KeysMissing => Fault::Peer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_link() {
        let link = || SecretLink::from("conclave://host:1/#c2VjcmV0");
        for event in [
            Event::Entered { me: ParticipantId(1), link: link(), organiser: true },
            Event::LinkChanged { link: link() },
        ] {
            let shown = format!("{event:?}");
            assert!(!shown.contains("c2VjcmV0") && shown.contains("SecretLink(..)"), "{shown}");
        }
    }
}
