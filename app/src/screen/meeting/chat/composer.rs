//! The lower part of the panel: what the user writes, and to whom.

use accesskit::Role;
use engine::Rights;
use iced::widget::{Row, column, container, row};
use iced::{Alignment, Length};

use super::{Chat, FIELD, Menu, Message, Purpose, has, text_of, typing};
use crate::kit::{Area, Element, Icon, elided, icon, press, region, text, text_area};
use crate::model::MeetingModel;
use crate::screen::Context;
use crate::theme::{ICON_SMALL, Look, SPACE_L, SPACE_S, SPACE_XS, TARGET, TARGET_FORM, Tone};

/// The id of the control that chooses the reader.
pub(super) const TO: &str = "chat-to";

/// Draws it.
pub(super) fn view<'a>(
    chat: &'a Chat,
    model: &'a MeetingModel,
    open: Option<Menu>,
    context: &Context,
) -> Element<'a, Message> {
    let dim = |id: &str| Element::from(text::caption(context.text(id)).style(text::tone(Tone::Dim)));
    if !has(model, Rights::CHAT) {
        return container(dim("chat-no-right")).padding(SPACE_L).into();
    }
    let private = chat.to.is_some();
    // Who decides about the rule has it above the list.
    let decides = model.me().is_some_and(|me| me.role.is_manager());
    let rule = if model.chat.is_kept_for_later() { "chat-kept" } else { "chat-not-kept" };
    let inside = column![]
        .push(purpose(chat, model, context))
        .push(suggestions(chat, model, context))
        .push((!matches!(chat.purpose, Purpose::Edit(_))).then(|| recipient(chat, open, context)))
        .push(input(chat, model, context))
        .push((!private && !matches!(chat.purpose, Purpose::Edit(_))).then(|| typing::choice(&chat.typing, context)))
        .push((!private && !decides).then(|| dim(rule)));
    container(inside.spacing(SPACE_S)).padding([SPACE_S, SPACE_L]).width(Length::Fill).into()
}

/// The line to which the text replies, or which it replaces.
fn purpose<'a>(chat: &Chat, model: &'a MeetingModel, context: &Context) -> Option<Element<'a, Message>> {
    let (id, symbol) = match chat.purpose {
        Purpose::New => return None,
        Purpose::Reply(id) => (id, Icon::Reply),
        Purpose::Edit(id) => (id, Icon::Chat),
    };
    let line = model.chat.find(id)?;
    let title = match chat.purpose {
        Purpose::Edit(_) => context.text("chat-editing"),
        Purpose::New | Purpose::Reply(_) => {
            context.language.with("chat-replying", &[("name", line.name.as_str().into())])
        }
    };
    let quoted = text_of(line).unwrap_or_default().replace('\n', " ");
    let words = column![
        Element::from(elided(title).caption().strong()),
        Element::from(elided(quoted).caption().tone(Tone::Dim).width(Length::Fill)),
    ];
    let cancel = container(icon(Icon::Close).size(ICON_SMALL)).center(TARGET);
    let cancel = press(cancel, &context.text("action-cancel"), Some(Message::Cancelled));
    let cancel = Element::from(cancel.id("chat-cancel").look(Look::Quiet).square(TARGET));
    let inside = row![icon(symbol).size(ICON_SMALL).tone(Tone::Accent), words.width(Length::Fill), cancel];
    Some(inside.spacing(SPACE_S).align_y(Alignment::Center).into())
}

/// The people who can be mentioned.
fn suggestions<'a>(chat: &Chat, model: &'a MeetingModel, context: &Context) -> Option<Element<'a, Message>> {
    let people = chat.suggestions(model);
    if people.is_empty() || chat.to.is_some() {
        return None;
    }
    let buttons = people.into_iter().map(|person| {
        let name = context.language.with("chat-mention", &[("name", person.name.as_str().into())]);
        let words = text::caption(format!("@{}", person.name));
        let button = press(words, &name, Some(Message::MentionPressed(person.id)));
        button.id(format!("chat-mention-{:016x}", person.id.0)).padding([0.0, SPACE_S]).into()
    });
    let buttons = Row::with_children(buttons).spacing(SPACE_XS).wrap();
    Some(region(Role::Group, &context.text("chat-mention-list"), buttons))
}

/// Who gets the text.
fn recipient<'a>(chat: &Chat, open: Option<Menu>, context: &Context) -> Element<'a, Message> {
    let name = chat.to.as_ref().map_or_else(|| context.text("chat-to-everyone"), |to| to.name.clone());
    let label = format!("{}, {}: {name}", context.text("chat-to-change"), context.text("chat-to"));
    let (tone, symbol) = if chat.to.is_some() { (Tone::Accent, Icon::Lock) } else { (Tone::Dim, Icon::People) };
    let inside = row![
        text::caption(context.text("chat-to")).style(text::tone(Tone::Dim)),
        icon(symbol).size(ICON_SMALL).tone(tone),
        Element::from(elided(name).caption().strong().width(Length::Fill)),
        icon(Icon::Down).size(ICON_SMALL),
    ];
    let inside = inside.spacing(SPACE_S).align_y(Alignment::Center);
    let control = press(inside, &label, Some(Message::MenuPressed(Menu::To)));
    control.id(TO).expanded(open == Some(Menu::To)).look(Look::Field).width(Length::Fill).into()
}

/// The field and the button that sends.
fn input<'a>(chat: &'a Chat, model: &MeetingModel, context: &Context) -> Element<'a, Message> {
    let named = |id, name: &str| context.language.with(id, &[("name", name.into())]);
    let placeholder = chat
        .to
        .as_ref()
        .map_or_else(|| context.text("chat-placeholder"), |to| named("chat-placeholder-private", &to.name));
    let missing = chat.missing(model).map(|to| named("chat-to-left", &to.name));
    let error = missing.or_else(|| chat.is_too_long().then(|| context.text("chat-too-long")));
    let ready = !chat.draft.text().trim().is_empty() && error.is_none();
    let send = container(icon(Icon::Send)).center(TARGET_FORM);
    let send = press(send, &context.text("chat-send"), ready.then_some(Message::Submitted));
    let look = if ready { Look::Primary } else { Look::Plain };
    text_area(Area {
        id: FIELD,
        label: context.text("chat-field"),
        draft: &chat.draft,
        placeholder,
        error,
        paste: context.text("action-paste"),
        beside: Some(send.id("chat-send").look(look).square(TARGET_FORM).into()),
        on_change: Message::Typed,
        on_submit: Message::Submitted,
    })
}
