//! The content hints of the pictures that we send, as the user chose them.

use engine::{Command, ContentHint, Slot};

/// The user's choices of content hints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ContentHints {
    /// The camera shows sign language: its frame rate stays high.
    pub sign_language: bool,
    /// The shared screen shows a video clip: its frame rate matters more than its detail.
    pub video_clip: bool,
}

impl ContentHints {
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
