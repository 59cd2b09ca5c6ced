//! What the app does for the chat: copies, saves, opens links.

use std::time::SystemTime;

use engine::Zeroizing;
use iced::Task;

use super::export;
use super::message::Message;
use crate::locale::Language;
use crate::model::MeetingModel;
use crate::model::chat::transcript;
use crate::model::{Notice, NoticeKind};
use crate::screen::meeting::chat::Action;
use crate::{background, browser};

/// Carries out an action of the chat that does not concern the engine.
pub(super) fn carry_out(action: Action, model: &MeetingModel, language: Language) -> Task<Message> {
    match action {
        Action::Copy(text) => iced::clipboard::write(text),
        Action::Open(link) => background::run(move || browser::open(&link).err()).then(|error| {
            let Some(error) = error else { return Task::none() };
            let notice = Notice { kind: NoticeKind::NoBrowser, file: None, detail: error.to_string() };
            Task::done(Message::Notify(notice))
        }),
        Action::Export => text(model, language).map_or_else(Task::none, export::chat),
        Action::None | Action::Menu(_) | Action::Command(_) | Action::KeepForLater(_) => Task::none(),
    }
}

fn text(model: &MeetingModel, language: Language) -> Option<Zeroizing<String>> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    Some(transcript(model.chat.lines(), &model.me()?.name, now, language))
}
