//! What matters most in the pictures that we send, as the user chose it.

use engine::{Command, ContentHint, Slot};

/// The choices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hints {
    /// The camera shows sign language: its frame rate stays high.
    pub sign_language: bool,
    /// The shared screen shows a video clip: its frame rate matters more than its detail.
    pub video_clip: bool,
}

impl Hints {
    /// The command that applies the choice for the camera.
    pub const fn camera(self) -> Command {
        let hint = if self.sign_language { ContentHint::Signing } else { ContentHint::Balanced };
        Command::SetContentHint(Slot::Camera, hint)
    }

    /// The command that applies the choice for the screen.
    pub const fn screen(self) -> Command {
        let hint = if self.video_clip { ContentHint::Motion } else { ContentHint::Detail };
        Command::SetContentHint(Slot::Screen, hint)
    }
}
