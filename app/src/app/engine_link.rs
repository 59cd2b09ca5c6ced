//! Turns actions of the meeting's screen into commands for the engine, and events of the engine into messages.

use engine::{Command, Event, Events};
use iced::Task;
use iced::futures::{Stream, stream};

use super::message::Message;
use crate::model::{ContentHints, Kind};
use crate::screen::meeting::{self, chat};
use crate::screen::preferences::Preference;
use crate::session::Attempt;

/// The command for an action of the meeting's screen; `None` if it does not concern the engine.
pub fn command(action: &meeting::Action) -> Option<Command> {
    Some(match action {
        meeting::Action::Mute(muted) => Command::Mute(*muted),
        meeting::Action::Camera(on) => Command::Camera(*on),
        meeting::Action::Share(screen) => Command::Share(screen.clone()),
        meeting::Action::Remove(id) => Command::Remove(*id),
        meeting::Action::Choose(kind, device) => match kind {
            Kind::Camera => Command::ChooseCamera(device.camera()),
            Kind::Microphone => Command::ChooseMicrophone(device.sound()),
            Kind::Speaker => Command::ChooseSpeaker(device.sound()),
        },
        meeting::Action::SetWishes(tiles) => Command::SetWishes(tiles.clone()),
        meeting::Action::Leave => Command::Leave,
        meeting::Action::End => Command::End,
        meeting::Action::Decide(decision) => decision.command(),
        meeting::Action::Moderation(action) => return action.command(),
        meeting::Action::Verify(command) => Command::Verify(*command),
        meeting::Action::Prefer(Preference::SignLanguage(on)) => {
            ContentHints { sign_language: *on, ..ContentHints::default() }.camera()
        }
        meeting::Action::Prefer(Preference::VideoClip(on)) => {
            ContentHints { video_clip: *on, ..ContentHints::default() }.screen()
        }
        meeting::Action::Chat(chat::Action::Command(command)) => Command::Chat(command.clone()),
        meeting::Action::Chat(chat::Action::KeepForLater(set)) => {
            Command::SetFlags { flags: engine::MeetingFlags::CHAT_HISTORY, set: *set }
        }
        meeting::Action::Chat(_)
        | meeting::Action::None
        | meeting::Action::Host
        | meeting::Action::Copy(_)
        | meeting::Action::Notify(_)
        | meeting::Action::Notice(_)
        | meeting::Action::ExportStatistics
        | meeting::Action::ListMonitors
        | meeting::Action::FullScreen
        | meeting::Action::ShowShortcuts
        | meeting::Action::Prefer(
            Preference::Language(_) | Preference::Theme(_) | Preference::KnockSound(_) | Preference::Bandwidth(_),
        ) => {
            return None;
        }
    })
}

/// Turns the engine's events into messages until the engine has ended.
pub fn listen(attempt: Attempt, events: Events) -> Task<Message> {
    Task::run(shown_events(events), move |event| Message::Engine(attempt, Box::new(event)))
}

/// The events that change what the window shows. Each message redraws it. The level of the microphone changes ten times a
/// second, but the meeting shows no level.
pub fn shown_events(events: Events) -> impl Stream<Item = Event> {
    stream::unfold(events, async |mut events| {
        loop {
            let event = events.recv().await?;
            if !matches!(event, Event::Level(_)) {
                return Some((event, events));
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::{ContentHint, Slot};

    #[test]
    fn a_preference_about_pictures_changes_the_running_meeting() {
        let hint = |preference| {
            let command = command(&meeting::Action::Prefer(preference));
            command.and_then(
                |command| if let Command::SetContentHint(slot, hint) = command { Some((slot, hint)) } else { None },
            )
        };
        assert_eq!(hint(Preference::SignLanguage(true)), Some((Slot::Camera, ContentHint::Signing)));
        assert_eq!(hint(Preference::SignLanguage(false)), Some((Slot::Camera, ContentHint::Balanced)));
        assert_eq!(hint(Preference::VideoClip(true)), Some((Slot::Screen, ContentHint::Motion)));
        assert_eq!(hint(Preference::VideoClip(false)), Some((Slot::Screen, ContentHint::Detail)));
        assert_eq!(hint(Preference::Theme(crate::theme::Choice::Dark)), None);
    }
}
