//! What happens in the window.

use std::time::Instant;

use iced::{Size, theme};

use crate::preview_session;
use crate::screen::{ended, entering, home, meeting, notice, preview};
use crate::session::{Attempt, Started};

/// What happened.
pub enum Message {
    /// The window has another size, in logical pixels.
    Resized(Size),
    /// The window has another scale, in physical pixels for each logical one.
    Rescaled(f32),
    /// The user closes the window.
    CloseRequested,
    /// The system changed between dark and light.
    SystemTheme(theme::Mode),
    /// Time passed.
    Tick(Instant),
    /// On the home screen.
    Home(home::Message),
    /// On the preview.
    Preview(preview::Message),
    /// While entering.
    Entering(entering::Message),
    /// In the meeting.
    Meeting(meeting::Message),
    /// After the meeting.
    Ended(ended::Message),
    /// On a notice.
    Notice(notice::Message),
    /// The preview's devices report something.
    PreviewEvent(preview_session::Event),
    /// The engine of a try has started, or cannot start: the cause.
    Started(Attempt, Box<Result<Started, String>>),
    /// The engine of a try reports something.
    Engine(Attempt, Box<engine::Event>),
}
