//! How somebody enters a meeting: where, as whom, with which devices.

use audio::Choice as AudioChoice;
use crypto::Invitation;
use std::path::PathBuf;

/// Which meeting.
#[derive(Clone, Debug)]
pub enum Entry {
    /// A new one on a server.
    Create {
        /// The server's name or address, as others reach it.
        host: String,
        /// Its TCP port.
        port: u16,
        /// SHA-256 of the server's certificate where no authority vouches for it.
        fingerprint: Option<[u8; 32]>,
    },
    /// One that a link names.
    Join(Invitation),
}

/// A camera.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// None.
    #[default]
    Off,
    /// A moving pattern that carries its frame number.
    Synthetic,
    /// A device, by its identifier; the first one where none is named.
    Device(Option<String>),
    /// An MP4 or Y4M file, in a loop at its own rate.
    File(PathBuf),
}

/// As whom, and with which devices.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The name the others see; travels sealed.
    pub name: String,
    /// What the others see.
    pub camera: Choice,
    /// What the others hear.
    pub microphone: AudioChoice,
    /// Where the others are heard.
    pub speaker: AudioChoice,
    /// True shares the screen from the start.
    pub screen: bool,
    /// True enters with the microphone closed.
    pub muted: bool,
}
