//! A lobby chat: the last lines, and a field to write.

use accesskit::Role;
use engine::LobbyAuthor;
use iced::widget::{Column, column};
use iced::{Alignment, Length};

use super::Context;
use crate::kit::field::{Field, field};
use crate::kit::{Element, press, region, text};
use crate::model::lobby::{Conversation, Line};
use crate::theme::{Look, SPACE_S, SPACE_XS, TARGET_FORM, Tone};

/// What a chat needs to know of its place.
pub(crate) struct Place<'a, Message> {
    /// The id of the field.
    pub id: &'static str,
    /// The name of the person who waits.
    pub waiting: &'a str,
    /// The label of the field.
    pub label: String,
    /// The message of typing.
    pub on_input: fn(String) -> Message,
    /// The message of Enter and of the button.
    pub on_submit: Message,
}

/// The chat.
pub(crate) fn chat<'a, Message: Clone + 'a>(
    chat: &'a Conversation,
    place: Place<'a, Message>,
    context: &Context,
) -> Element<'a, Message> {
    let hidden = chat.lines.len().saturating_sub(MAX_SHOWN);
    let lines = chat.lines[hidden..].iter().map(|line| shown(line, place.waiting, context));
    let list = (!chat.lines.is_empty()).then(|| {
        let lines = Column::with_children(lines).spacing(SPACE_XS).width(Length::Fill);
        region(Role::Log, &context.text("lobby-chat"), lines)
    });
    let send = press(text::strong(context.text("lobby-send")), "", Some(place.on_submit.clone()));
    let send = send.id(format!("{}-send", place.id)).look(Look::Plain).height(TARGET_FORM);
    let typed = field(Field {
        id: place.id,
        label: place.label.clone(),
        labelled: false,
        value: &chat.draft,
        placeholder: place.label,
        paste: context.text("action-paste"),
        required: false,
        error: chat.failed.then(|| context.text("lobby-not-sent")),
        beside: Some(send.into()),
        on_input: place.on_input,
        on_submit: Some(place.on_submit),
    });
    column![].push(list).push(typed).spacing(SPACE_S).align_x(Alignment::Start).into()
}

fn shown<'a, Message: 'a>(line: &'a Line, waiting: &str, context: &Context) -> Element<'a, Message> {
    let (author, tone) = match line.author {
        LobbyAuthor::Me => (context.text("lobby-you"), Tone::Dim),
        LobbyAuthor::Waiting => (waiting.to_owned(), Tone::Accent),
        LobbyAuthor::Manager(_) => (context.text("lobby-organiser"), Tone::Accent),
    };
    let label = format!("{author}, {}", line.text);
    let author = text::caption(author).style(text::tone(tone));
    let words = column![author, text::small(line.text.as_str()).width(Length::Fill)];
    region(Role::ListItem, &label, words)
}

/// The maximum number of lines that are shown.
const MAX_SHOWN: usize = 8;
