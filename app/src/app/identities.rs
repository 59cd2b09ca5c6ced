//! The file of known devices and the organisations that are trusted: read when a meeting begins. The file is written when somebody is
//! met.

use engine::certificate::Roots;
use iced::Task;

use super::message::Message;
use super::notifications::Notifications;
use super::screens::Screen;
use crate::locale::Language;
use crate::model::{MeetingModel, Notice, NoticeKind};
use crate::pins::{self, Loaded, PinsFile};
use crate::recent::Listing;
use crate::{background, organisations};

/// Reads the file. [`Message::DevicesLoaded`] follows.
pub(super) fn load() -> Task<Message> {
    let read = || (PinsFile::of_user().load(), organisations::trusted());
    background::run(read).map(|loaded| Message::DevicesLoaded(Box::new(loaded)))
}

/// Handles the content of the file, and says what follows from it.
pub(super) fn handle_loaded(
    screen: &mut Screen,
    listing: Listing,
    (notifications, language): (&mut Notifications, Language),
    (loaded, roots): (Loaded, Roots),
) -> Task<Message> {
    let Screen::Meeting(meeting) = screen else { return Task::none() };
    let announcements = meeting.model.set_known_devices(loaded.pins, pins::today(), roots);
    let damaged = Notice { kind: NoticeKind::DevicesDamaged, file: None, detail: String::new() };
    let notices = meeting.model.identities.take_notices().into_iter().chain(loaded.damaged.then_some(damaged));
    for announcement in announcements {
        notifications.announce(announcement);
    }
    for notice in notices {
        notifications.notify(notice, language);
    }
    save_met(screen, listing)
}

/// Writes down who was met, if the meeting may be remembered. No message follows.
pub(super) fn save_met(screen: &mut Screen, listing: Listing) -> Task<Message> {
    match screen {
        Screen::Meeting(meeting) if listing != Listing::Unlisted => save(&mut meeting.model),
        Screen::Meeting(_) | Screen::Home(_) | Screen::Preview(_) | Screen::Ended(_) => Task::none(),
    }
}

/// Writes down who was met. No message follows.
pub(super) fn save(model: &mut MeetingModel) -> Task<Message> {
    let met = model.identities.take_unsaved();
    if met.is_empty() {
        return Task::none();
    }
    background::run(move || PinsFile::of_user().add(&met)).discard()
}
