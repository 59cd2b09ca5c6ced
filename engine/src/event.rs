//! What the interface tells the engine, and what it hears back.

use crate::{AudioChoice, Choice};
use crypto::Words;
use net::meeting::Microphone;
pub use proto::{Fault, Reason};
use proto::{ParticipantId, TileWish};
use std::time::Duration;

/// What a person at the controls wants.
#[derive(Clone, Debug)]
pub enum Command {
    /// True mutes the microphone: from then nothing that it hears leaves this machine.
    Mute(bool),
    /// True shows the camera to the others, false closes the device.
    Camera(bool),
    /// True shows the screen to the others.
    Share(bool),
    /// Uses another camera from now on.
    ChooseCamera(Choice),
    /// Uses another microphone from now on.
    ChooseMicrophone(AudioChoice),
    /// Uses another loudspeaker from now on.
    ChooseSpeaker(AudioChoice),
    /// How large each picture is shown now; tracks that are not named are hidden and cost nothing.
    Tiles(Vec<TileWish>),
    /// Puts somebody out of the meeting; the organiser's right.
    Remove(ParticipantId),
    /// Asks the server for its totals: answered by [`Event::Totals`].
    Count,
    /// Leaves: answered by [`Event::Ended`].
    Leave,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// How far entering has come.
    Progress(Step),
    /// We are in.
    Entered {
        /// Our own number in this meeting.
        me: ParticipantId,
        /// The link that lets others in, secret included: for the clipboard, never for a log.
        link: String,
        /// True where this device manages the meeting.
        organiser: bool,
    },
    /// Everybody in the room, ourselves first, then in the order they came.
    People(Vec<Person>),
    /// The group's keys changed.
    Locked(Lock),
    /// Who speaks now, loudest first. Sent when it changes.
    Speaking(Vec<ParticipantId>),
    /// Our own microphone, at most ten times a second while it moves: 0.0 silence to 1.0 full scale.
    Level(f32),
    /// What our own microphone does now.
    Microphone(Microphone),
    /// True while our camera is seen by the others.
    Camera(bool),
    /// True while our screen is seen by the others.
    Sharing(bool),
    /// Something to tell the person; the meeting goes on.
    Notice(Notice),
    /// What the server moved.
    Totals(Totals),
    /// The meeting is over for us. Nothing follows.
    Ended(Reason),
}

/// A stage of entering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Looking for the server.
    Connecting,
    /// The server answered; asking for the meeting.
    Approaching,
    /// Our request is with the people inside.
    Knocking,
}

/// Somebody in the room.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts about a person, each shown by itself")]
pub struct Person {
    /// Number in this meeting.
    pub id: ParticipantId,
    /// The name the person chose.
    pub name: String,
    /// True for ourselves.
    pub me: bool,
    /// True for whoever manages the meeting.
    pub organiser: bool,
    /// Fingerprint of the device's long-term key, in groups of hexadecimal digits.
    pub device: String,
    /// What the microphone does.
    pub microphone: Microphone,
    /// True while the camera is sent.
    pub camera: bool,
    /// True while the screen is sent.
    pub screen: bool,
}

/// The state of the group's keys, from the group alone.
#[derive(Clone, Debug)]
pub struct Lock {
    /// Counts every change of keys.
    pub epoch: u64,
    /// Everybody who sees the same twelve words holds the same keys.
    pub words: Words,
    /// The cipher suite in force, by its registered name.
    pub suite: &'static str,
}

/// Something to tell the person.
#[derive(Clone, Debug)]
pub struct Notice {
    /// What.
    pub kind: NoticeKind,
    /// The cause in the words of whoever reported it (English, for the details line).
    pub detail: String,
}

/// What there is to tell. The interface has a sentence for each: what, whose fault, what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NoticeKind {
    /// No camera was found.
    NoCamera,
    /// Another program holds the camera.
    CameraTaken,
    /// The camera was unplugged, or stopped.
    CameraLost,
    /// A camera is there, and does not open: the system forbids it, or it offers nothing that can be read.
    CameraFailed,
    /// There is no sound device at all: the meeting goes on silently.
    NoSound,
    /// The microphone could not be opened; listening goes on.
    NoMicrophone,
    /// The loudspeaker could not be opened; speaking goes on.
    NoSpeaker,
    /// A microphone or loudspeaker was unplugged.
    SoundLost,
    /// A media file cannot be read, or is damaged.
    BadFile,
    /// A camera's file is of a kind that is not played here; the detail is its name and what it holds.
    FileFormat,
    /// The screen cannot be shared.
    NoScreen,
    /// Nobody answers at the door yet.
    StillWaiting,
    /// Nobody who is inside may let people in.
    NobodyAdmits,
    /// This machine is too slow for what it sends: a layer was dropped.
    Overloaded,
    /// A participant's pictures cannot be opened or decoded.
    PeerUnreadable,
    /// A command came too fast or was refused.
    Refused,
}

impl NoticeKind {
    /// Whose fault it is.
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
            | Self::SoundLost
            | Self::BadFile
            | Self::FileFormat
            | Self::NoScreen
            | Self::Overloaded
            | Self::Refused => Fault::Here,
            Self::StillWaiting | Self::NobodyAdmits | Self::PeerUnreadable => Fault::Peer,
        }
    }
}

/// What the server moved for this meeting, and how long ago it said so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// RTP packets that came in.
    pub packets_in: u64,
    /// RTP packets that went out.
    pub packets_out: u64,
    /// How many times a sender was told that nobody wants a layer any more.
    pub layers_stopped: u64,
    /// Time since the meeting was entered.
    pub at: Duration,
}
