//! What happens in the window.

use std::time::Instant;

use engine::certificate::Roots;
use engine::device_list::Lists;
use iced::{Size, theme};

use super::options::Options;
use crate::model::Notice;
use crate::network::NetworkStatus;
use crate::pins;
use crate::preview_session;
use crate::recent::Memory;
use crate::screen::{end_dialog, ended, entering, home, meeting, notice, preview};
use crate::session::{Attempt, Started};

/// What happened.
pub enum Message {
    /// The window has another size, in logical pixels.
    Resized(Size),
    /// The window has another scale, in physical pixels per logical pixel.
    Rescaled(f32),
    /// The user can see the window (true), or cannot: it is minimised or covered.
    WindowSeen(bool),
    /// The user asks to close the window.
    CloseRequested,
    /// The system asks the program to stop.
    StopRequested,
    /// On the dialog that asks before a meeting ends.
    EndDialog(end_dialog::Message),
    /// The system changed between dark and light.
    SystemTheme(theme::Mode),
    /// Time passed.
    Tick(Instant),
    /// On the home screen.
    Home(home::Message),
    /// On the preview.
    Preview(preview::Message),
    /// On the screen that is shown while entering.
    Entering(entering::Message),
    /// In the meeting.
    Meeting(meeting::Message),
    /// After the meeting.
    Ended(ended::Message),
    /// The list of keyboard shortcuts is opened (true) or closed.
    ShortcutsShown(bool),
    /// On a notice.
    Notice(notice::Message),
    /// Shows a notice: work on another thread has ended.
    Notify(Notice),
    /// Devices were plugged in or unplugged, or are listed for the first time.
    DevicesListed(Lists),
    /// The file of preferences was read. It and the options decide the first screen.
    Loaded(Box<(Memory, Options)>),
    /// The file of known devices and the organisations that are trusted were read.
    DevicesLoaded(Box<(pins::Loaded, Roots)>),
    /// The network that this computer is in, at first and at each change.
    NetworkChanged(NetworkStatus),
    /// The preview's devices report an event.
    PreviewEvent(preview_session::Event),
    /// The engine of an attempt has started, or could not start: the error is the cause.
    Started(Attempt, Box<Result<Started, String>>),
    /// The engine of an attempt reports an event.
    Engine(Attempt, Box<engine::Event>),
}
