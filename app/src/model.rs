//! What the screens show: plain values, no engine, no window. `session` is the one file that fills them.

mod device;

pub use device::{Device, Devices, Kind, Offer};

/// Somebody's number in a meeting: the same for everybody in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonId(pub u64);

/// What a microphone does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Microphone {
    /// There is none.
    #[default]
    Off,
    /// Closed.
    Muted,
    /// Open.
    On,
}

/// Somebody in the room.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Person {
    /// Number in this meeting.
    pub id: PersonId,
    /// The name that the person chose.
    pub name: String,
    /// Ourselves.
    pub me: bool,
    /// Manages the meeting.
    pub organiser: bool,
    /// The fingerprint of the device's key, for reading out.
    pub device: String,
    /// What the microphone does.
    pub microphone: Microphone,
    /// The camera is sent.
    pub camera: bool,
    /// The screen is sent.
    pub screen: bool,
}

impl Person {
    /// One or two letters for who has no picture.
    pub fn initials(&self) -> String {
        initials(&self.name)
    }
}

/// The first letters of the first and the last word of a name.
pub fn initials(name: &str) -> String {
    let mut words = name.split(|letter: char| letter.is_whitespace() || letter == '-').filter_map(|word| {
        let first = word.chars().find(|letter| letter.is_alphanumeric())?;
        Some(first.to_uppercase().to_string())
    });
    let first = words.next().unwrap_or_else(|| "?".to_owned());
    words.next_back().map_or(first.clone(), |last| first + &last)
}

/// How far entering has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Step {
    /// Looking for the server.
    #[default]
    Connecting,
    /// Asking for the meeting.
    Approaching,
    /// The request is with the people inside.
    Knocking,
    /// In the room.
    Inside,
}

/// The state of the group's keys, from the group alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// Counts every change of keys.
    pub epoch: u64,
    /// The words of this epoch in each language, in the order of `Language::ALL`.
    pub words: [Vec<String>; 2],
    /// The cipher suite's registered name.
    pub suite: String,
}

/// What the lock says: three shapes when the meeting is closed, one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockState {
    /// No keys yet.
    Open,
    /// Closed.
    Closed,
    /// Closed, and the words of this very epoch were compared.
    Verified,
    /// Closed, but somebody came or went since the words were compared.
    Attention,
}

/// One meeting as its screen shows it.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Meeting {
    /// How far entering has come.
    pub step: Step,
    /// The link that lets others in.
    pub link: String,
    /// This device manages the meeting.
    pub organiser: bool,
    /// Everybody in the room, ourselves first.
    pub people: Vec<Person>,
    /// Who speaks now.
    pub speaking: Vec<PersonId>,
    /// The keys.
    pub lock: Option<Lock>,
    /// The epoch whose words were compared.
    pub verified: Option<u64>,
    /// Our microphone.
    pub microphone: Microphone,
    /// What it hears, 0.0 to 1.0.
    pub level: f32,
    /// Our camera is seen.
    pub camera: bool,
    /// Our screen is seen.
    pub sharing: bool,
    /// This device's key is forgotten with the program: no keychain keeps it.
    pub passing: bool,
}

impl Meeting {
    /// What the lock says now.
    pub fn lock_state(&self) -> LockState {
        match (&self.lock, self.verified) {
            (None, _) => LockState::Open,
            (Some(_), None) => LockState::Closed,
            (Some(lock), Some(epoch)) if lock.epoch == epoch => LockState::Verified,
            (Some(_), Some(_)) => LockState::Attention,
        }
    }

    /// Somebody in the room.
    pub fn person(&self, id: PersonId) -> Option<&Person> {
        self.people.iter().find(|person| person.id == id)
    }

    /// Whether somebody is inside who may let others in.
    pub fn is_attended(&self) -> bool {
        self.people.iter().any(|person| person.organiser)
    }

    /// How many see what we show.
    pub fn viewers(&self) -> usize {
        self.people.iter().filter(|person| !person.me).count()
    }

    /// Ourselves, once we are in.
    pub fn me(&self) -> Option<&Person> {
        self.people.iter().find(|person| person.me)
    }
}

/// Something to tell; each has a sentence and an advice: `notice-…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NoticeKind {
    /// No camera was found.
    NoCamera,
    /// Another program holds the camera.
    CameraTaken,
    /// The camera was unplugged.
    CameraLost,
    /// A camera is there, and does not open.
    CameraFailed,
    /// No sound device at all.
    NoSound,
    /// The microphone could not be opened.
    NoMicrophone,
    /// The speaker could not be opened.
    NoSpeaker,
    /// A sound device was unplugged.
    SoundLost,
    /// A media file cannot be read.
    BadFile,
    /// A media file is of a kind that is not played.
    FileFormat,
    /// The screen cannot be shared.
    NoScreen,
    /// Nobody answers at the door.
    StillWaiting,
    /// Nobody inside may let people in: for who waits outside.
    NobodyAdmits,
    /// The same, for who is inside: the organiser has left.
    OrganiserLeft,
    /// This machine is too slow.
    Overloaded,
    /// An encoder or decoder failed, and another one took over.
    CodecReplaced,
    /// Our own pictures cannot be encoded any more.
    TrackFailed,
    /// Somebody's pictures cannot be opened.
    PeerUnreadable,
    /// A command was refused.
    Refused,
    /// There is no usable graphics card.
    NoGpu,
    /// This device's key cannot be kept.
    NoKeychain,
    /// The link is in the clipboard.
    LinkCopied,
}

impl NoticeKind {
    /// All of them.
    pub const ALL: [Self; 22] = [
        Self::NoCamera,
        Self::CameraTaken,
        Self::CameraLost,
        Self::CameraFailed,
        Self::NoSound,
        Self::NoMicrophone,
        Self::NoSpeaker,
        Self::SoundLost,
        Self::BadFile,
        Self::FileFormat,
        Self::NoScreen,
        Self::StillWaiting,
        Self::NobodyAdmits,
        Self::OrganiserLeft,
        Self::Overloaded,
        Self::CodecReplaced,
        Self::TrackFailed,
        Self::PeerUnreadable,
        Self::Refused,
        Self::NoGpu,
        Self::NoKeychain,
        Self::LinkCopied,
    ];

    /// The id of its sentence; the advice is its attribute.
    pub const fn id(self) -> &'static str {
        match self {
            Self::NoCamera => "notice-no-camera",
            Self::CameraTaken => "notice-camera-taken",
            Self::CameraLost => "notice-camera-lost",
            Self::CameraFailed => "notice-camera-failed",
            Self::NoSound => "notice-no-sound",
            Self::NoMicrophone => "notice-no-microphone",
            Self::NoSpeaker => "notice-no-speaker",
            Self::SoundLost => "notice-sound-lost",
            Self::BadFile => "notice-bad-file",
            Self::FileFormat => "notice-file-format",
            Self::NoScreen => "notice-no-screen",
            Self::StillWaiting => "notice-still-waiting",
            Self::NobodyAdmits => "notice-nobody-admits",
            Self::OrganiserLeft => "notice-organiser-left",
            Self::Overloaded => "notice-overloaded",
            Self::CodecReplaced => "notice-codec-replaced",
            Self::TrackFailed => "notice-track-failed",
            Self::PeerUnreadable => "notice-peer-unreadable",
            Self::Refused => "notice-refused",
            Self::NoGpu => "notice-no-gpu",
            Self::NoKeychain => "notice-no-keychain",
            Self::LinkCopied => "notice-link-copied",
        }
    }

    /// Whether it is only listed: nothing can be done about it now, and no face is covered for it.
    pub const fn is_quiet(self) -> bool {
        matches!(self, Self::NoGpu | Self::NoKeychain | Self::CodecReplaced)
    }
}

/// Whose fault something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This computer.
    Here,
    /// The way to the server.
    Network,
    /// The server.
    Server,
    /// The link, or who sent it.
    Link,
    /// Somebody else in the meeting.
    Peer,
}

impl Fault {
    /// The id of its name.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Here => "fault-here",
            Self::Network => "fault-network",
            Self::Server => "fault-server",
            Self::Link => "fault-link",
            Self::Peer => "fault-peer",
        }
    }
}

/// Why a meeting is over for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// We left.
    Left,
    /// The organiser put us out.
    Removed,
    /// Somebody inside said no.
    Refused,
    /// Nobody is left inside who could say yes.
    Unattended,
    /// It has ended, or never was.
    NoMeeting,
    /// The server cannot be reached.
    Unreachable,
    /// The certificate is not the one the link names.
    Certificate,
    /// The server speaks another version.
    Version,
    /// The server stopped answering.
    ServerSilent,
    /// No room left.
    Full,
    /// The server is stopping.
    Draining,
    /// The server broke the protocol.
    Server,
    /// The keys are not the ones the link names.
    Forged,
    /// Something failed here.
    Here,
}

impl Ending {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Left,
        Self::Removed,
        Self::Refused,
        Self::Unattended,
        Self::NoMeeting,
        Self::Unreachable,
        Self::Certificate,
        Self::Version,
        Self::ServerSilent,
        Self::Full,
        Self::Draining,
        Self::Server,
        Self::Forged,
        Self::Here,
    ];

    /// The id of its sentence; the advice is its attribute.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Left => "ended-left",
            Self::Removed => "ended-removed",
            Self::Refused => "ended-refused",
            Self::Unattended => "ended-unattended",
            Self::NoMeeting => "ended-no-meeting",
            Self::Unreachable => "ended-unreachable",
            Self::Certificate => "ended-certificate",
            Self::Version => "ended-version",
            Self::ServerSilent => "ended-server-silent",
            Self::Full => "ended-full",
            Self::Draining => "ended-draining",
            Self::Server => "ended-server",
            Self::Forged => "ended-forged",
            Self::Here => "ended-here",
        }
    }

    /// Whose fault it is; `None` where nothing went wrong.
    pub const fn fault(self) -> Option<Fault> {
        match self {
            Self::Left => None,
            Self::Removed | Self::Refused | Self::Unattended => Some(Fault::Peer),
            Self::NoMeeting => Some(Fault::Link),
            Self::Unreachable => Some(Fault::Network),
            Self::Certificate
            | Self::Version
            | Self::ServerSilent
            | Self::Full
            | Self::Draining
            | Self::Server
            | Self::Forged => Some(Fault::Server),
            Self::Here => Some(Fault::Here),
        }
    }

    /// Whether trying again can help.
    pub const fn can_try_again(self) -> bool {
        match self {
            Self::Unattended
            | Self::Unreachable
            | Self::ServerSilent
            | Self::Full
            | Self::Draining
            | Self::Server
            | Self::Here => true,
            Self::Left
            | Self::Removed
            | Self::Refused
            | Self::NoMeeting
            | Self::Certificate
            | Self::Version
            | Self::Forged => false,
        }
    }
}

/// What is wrong with a link; each has a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkProblem {
    /// Something else.
    NotALink,
    /// Cut off.
    Truncated,
    /// Of another version.
    Version,
    /// No server in it.
    Host,
    /// Changed on its way.
    Damaged,
}

impl LinkProblem {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::NotALink, Self::Truncated, Self::Version, Self::Host, Self::Damaged];

    /// The id of its sentence.
    pub const fn id(self) -> &'static str {
        match self {
            Self::NotALink => "link-not-a-link",
            Self::Truncated => "link-truncated",
            Self::Version => "link-version",
            Self::Host => "link-host",
            Self::Damaged => "link-damaged",
        }
    }
}

/// What a picture shows of somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shows {
    /// The face.
    Camera,
    /// The screen.
    Screen,
}

/// A stream of pictures: whose, and of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct View {
    /// Whose.
    pub person: PersonId,
    /// Of what.
    pub shows: Shows,
}

/// Our own camera: before we have a number, and after.
pub const SELF: View = View { person: PersonId(0), shows: Shows::Camera };

/// How large a stream is shown, in physical pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Which stream.
    pub view: View,
    /// Width of the tile.
    pub width: u16,
    /// Height of the tile.
    pub height: u16,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_come_from_any_name() {
        for (name, expected) in [
            ("Anne Martin", "AM"),
            ("Bob", "B"),
            ("Jean-Pierre de la Tour", "JT"),
            ("élodie", "É"),
            ("  ", "?"),
            ("", "?"),
            ("(guest) 42", "G4"),
            ("李 明", "李明"),
        ] {
            assert_eq!(initials(name), expected, "{name:?}");
        }
    }

    #[test]
    fn a_room_without_its_organiser_is_unattended() {
        let person = |id, me, organiser| Person {
            id: PersonId(id),
            name: "Anne".into(),
            me,
            organiser,
            device: String::new(),
            microphone: Microphone::On,
            camera: false,
            screen: false,
        };
        let mut meeting =
            Meeting { people: vec![person(1, true, false), person(2, false, true)], ..Meeting::default() };
        assert_eq!((meeting.is_attended(), meeting.viewers()), (true, 1));
        meeting.people.pop();
        assert_eq!((meeting.is_attended(), meeting.viewers()), (false, 0));
    }

    #[test]
    fn the_lock_cannot_lie() {
        let lock = |epoch| Some(Lock { epoch, words: [Vec::new(), Vec::new()], suite: String::new() });
        let mut meeting = Meeting::default();
        assert_eq!(meeting.lock_state(), LockState::Open);
        meeting.verified = Some(1);
        assert_eq!(meeting.lock_state(), LockState::Open, "nothing to have compared");
        meeting = Meeting { lock: lock(1), verified: None, ..meeting };
        assert_eq!(meeting.lock_state(), LockState::Closed);
        meeting.verified = Some(1);
        assert_eq!(meeting.lock_state(), LockState::Verified);
        meeting.lock = lock(2);
        assert_eq!(meeting.lock_state(), LockState::Attention, "somebody came: the words are new");
    }

    #[test]
    fn a_file_that_was_chosen_stays_a_choice() {
        let mut devices = Devices::default();
        devices.set_offers(Kind::Camera, vec![Offer { id: "0".into(), name: "Webcam".into() }]);
        devices.choose(Kind::Camera, Device::File("a.mp4".into()));
        let file = Device::File("a.mp4".into());
        let expected = [Device::Default, Device::Named("0".into()), file, Device::Synthetic, Device::Off];
        assert_eq!(devices.choices(Kind::Camera), expected);
        assert_eq!(devices.choices(Kind::Speaker), [Device::Default, Device::Off]);
    }
}
