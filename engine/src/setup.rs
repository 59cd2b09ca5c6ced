//! The choices for entering a meeting: the meeting, the name and the devices.

use crate::bandwidth::Bandwidth;
use audio::Choice as AudioChoice;
use crypto::Invitation;
use net::ProxySettings;
use net::meeting::Microphone;
use proto::MeetingFlags;
use std::path::PathBuf;

/// The meeting to enter.
#[derive(Clone, Debug)]
pub enum Entry {
    /// Creates a meeting on a server.
    Create {
        /// The server's name or address, as others reach it.
        host: String,
        /// Its TCP port.
        port: u16,
        /// SHA-256 of the server's certificate. `None` if the system's certificate authorities have signed it.
        fingerprint: Option<[u8; 32]>,
    },
    /// Joins the meeting of a link.
    Join(Invitation),
}

/// The state by which an organiser rejoins a meeting that this program has left or lost. [`crate::Engine::close`]
/// returns it. It holds the meeting's keys, which are wiped when it is dropped.
pub struct RejoinState {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) fingerprint: Option<crypto::Fingerprint>,
    pub(crate) entry: net::meeting::Entry,
}

/// The camera to use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// None.
    #[default]
    Off,
    /// A moving pattern that carries its frame number.
    Synthetic,
    /// A device by its identifier, or the first one.
    Device(Option<String>),
    /// An MP4 or Y4M file, played in a loop at its own rate.
    File(PathBuf),
}

/// A screen to share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Screen {
    /// All monitors, as one picture.
    #[default]
    Whole,
    /// The monitor with this id, from [`crate::device_list::monitors`].
    Monitor(String),
}

/// The name and the devices for a meeting.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The name that the others see. The server does not see it.
    pub name: String,
    /// The camera.
    pub camera: Choice,
    /// The microphone.
    pub microphone: AudioChoice,
    /// The speaker.
    pub speaker: AudioChoice,
    /// True shares the screen from the start.
    pub screen: bool,
    /// True enters muted.
    pub muted: bool,
    /// True opens no camera, no microphone and no screen at the start. The commands that unmute, and that switch the camera
    /// on, open them.
    pub chat_first: bool,
    /// The proxy on the way to the server.
    pub proxy: ProxySettings,
    /// How much of the network may be used, and what it carried before.
    pub bandwidth: Bandwidth,
    /// Flags that are set in a meeting that this client creates, as soon as it is open: the waiting room, the lock.
    pub flags: MeetingFlags,
}

impl Setup {
    /// Returns the state of the microphone before it is muted, unmuted or changed.
    #[must_use]
    pub fn first_microphone(&self) -> Microphone {
        match (&self.microphone, self.muted || self.chat_first) {
            (AudioChoice::Off, _) => Microphone::Off,
            (_, true) => Microphone::Muted,
            (_, false) => Microphone::On,
        }
    }

    /// Returns true if the camera is opened at the start.
    #[must_use]
    pub fn opens_camera(&self) -> bool {
        self.camera != Choice::Off && !self.chat_first
    }

    /// Returns true if the screen is shared from the start.
    #[must_use]
    pub fn shares_screen(&self) -> bool {
        self.screen && !self.chat_first
    }
}
