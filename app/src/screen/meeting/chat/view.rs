//! The panel: the lines, a search, and the field; its menus and its dialog.

use accesskit::Role;
use engine::chat::{Line, Reaction, Status};
use engine::{Rights, chat::LineId};
use iced::widget::{Column, Row, column, container, row, scrollable, space};
use iced::{Alignment, Length};

use super::composer::{self, TO};
use super::{Chat, Menu, Message, SEARCH, has, line, may_ask, may_copy, may_remove, may_save, typing, vote_form};
use crate::kit::field::{Field, field};
use crate::kit::{Element, Icon, icon, modal, popup, press, region, text};
use crate::model::MeetingModel;
use crate::model::chat::Item;
use crate::screen::confirmation::{self, Texts};
use crate::screen::meeting::{self, Meeting};
use crate::screen::{Context, check, choice, menu, menu_heading};
use crate::theme::{ICON_SMALL, Look, SPACE_L, SPACE_M, SPACE_S, SPACE_XS, TARGET, Tone};

/// The content of the panel.
pub(crate) fn panel<'a>(screen: &'a Meeting, context: &Context) -> Element<'a, meeting::Message> {
    let (chat, model) = (&screen.chat, &screen.model);
    let open = if let Some(meeting::Menu::Chat(menu)) = screen.menu { Some(menu) } else { None };
    let tools = tools(chat, model, context);
    let inside = if let Some(form) = &chat.form {
        column![tools, vote_form::view(form, context).map(Message::Form)]
    } else {
        column![tools]
            .push(search(chat, context))
            .push(list(chat, model, open, context))
            .push(typing::view(model, context))
            .push(composer::view(chat, model, open, context))
    };
    Element::from(inside.height(Length::Fill)).map(meeting::Message::Chat)
}

/// The buttons above the list.
fn tools<'a>(chat: &Chat, model: &MeetingModel, context: &Context) -> Element<'a, Message> {
    let button = |symbol, id: &str, message| {
        press(container(icon(symbol).size(ICON_SMALL)).center(TARGET), &context.text(id), message)
            .id(id.to_owned())
            .look(Look::Quiet)
            .square(TARGET)
    };
    let can_save = may_save(model) && !model.chat.lines().is_empty();
    let save = button(Icon::Save, "chat-export", can_save.then_some(Message::ExportPressed));
    let why = match (has(model, Rights::RECORD), model.chat.may_be_recorded()) {
        (false, _) => Some(context.text("chat-export-right")),
        (true, false) => Some(context.text("chat-export-off")),
        (true, true) => None,
    };
    let find = button(Icon::Search, "chat-search-button", Some(Message::SearchPressed));
    let keep = model.me().is_some_and(|me| me.role.is_manager()) && has(model, Rights::CHAT);
    let kept = model.chat.is_kept_for_later();
    let keep = if keep {
        let keep = check(&context.text("chat-keep"), Role::CheckBox, kept, Message::KeepPressed(!kept));
        Element::from(keep.id("chat-keep").width(Length::Fill))
    } else {
        space().width(Length::Fill).into()
    };
    let vote = may_ask(model).then(|| {
        let vote = button(Icon::Vote, "vote-start", Some(Message::VotePressed));
        Element::from(vote.toggled(chat.form.is_some()))
    });
    let buttons = row![keep].push(vote).push(Element::from(find.toggled(chat.search.is_some())));
    let buttons = buttons.push(Element::from(save.description(why)));
    buttons.spacing(SPACE_XS).align_y(Alignment::Center).padding([0.0, SPACE_S]).into()
}

fn search<'a>(chat: &'a Chat, context: &Context) -> Option<Element<'a, Message>> {
    let typed = field(Field {
        id: SEARCH,
        label: context.text("chat-search"),
        labelled: false,
        value: chat.search.as_ref()?,
        placeholder: context.text("chat-search"),
        paste: context.text("action-paste"),
        required: false,
        error: None,
        beside: None,
        on_input: Message::SearchTyped,
        on_submit: None,
    });
    Some(container(typed).padding([SPACE_XS, SPACE_L]).into())
}

/// The newest lines. Only they are laid out: a layout of all would take long.
fn list<'a>(chat: &Chat, model: &'a MeetingModel, open: Option<Menu>, context: &Context) -> Element<'a, Message> {
    let query = chat.search.as_deref().unwrap_or_default();
    let items = model.chat.items(query);
    let hidden = items.len().saturating_sub(chat.shown);
    let earlier = (hidden > 0).then(|| {
        let words = text::caption(context.text("chat-earlier"));
        let button = press(words, "", Some(Message::EarlierPressed)).id("chat-earlier");
        Element::from(button.width(Length::Fill))
    });
    let empty = items.is_empty().then(|| {
        let id = if query.is_empty() { "chat-empty" } else { "chat-none-found" };
        let words = text::small(context.text(id)).style(text::tone(Tone::Dim));
        Element::from(container(words).padding(SPACE_S))
    });
    let lines = items.into_iter().skip(hidden).map(|item| match item {
        Item::Line(line) => line::view(line, chat.whole.contains(&line.id), (model, open), context),
        Item::Gap => {
            let words = text::caption(context.text("chat-gap")).style(text::tone(Tone::Warn)).width(Length::Fill);
            let sign = icon(Icon::Warning).size(ICON_SMALL).tone(Tone::Warn);
            let inside = container(row![sign, words].spacing(SPACE_S)).padding([SPACE_XS, SPACE_S]);
            region(Role::ListItem, &context.text("chat-gap"), inside)
        }
    });
    let lines = region(Role::List, &context.text("chat-list"), Column::with_children(lines).spacing(SPACE_XS));
    let inside = column![].push(earlier).push(empty).push(lines).padding([0.0, SPACE_S]).spacing(SPACE_XS);
    scrollable(inside).anchor_bottom().width(Length::Fill).height(Length::Fill).into()
}

/// The open menu.
pub(crate) fn popup_menu<'a>(screen: &'a Meeting, which: Menu, context: &Context) -> popup::Menu<'a, meeting::Message> {
    let model = &screen.model;
    let on_close = meeting::Message::MenuClosed;
    match which {
        Menu::To => {
            let inside = menu(recipients(&screen.chat, model, context)).map(meeting::Message::Chat);
            popup::Menu { anchor: TO.into(), label: context.text("chat-to-change"), content: inside, on_close }
        }
        Menu::Line(id) => {
            let found = model.chat.find(id);
            let name = found.map(|line| line.name.clone()).unwrap_or_default();
            let anchor = found.map(line::menu_id).unwrap_or_default();
            let items = found.map_or_else(|| column![], |line| actions(line, model, context));
            let inside = menu(items).map(meeting::Message::Chat);
            let label = context.language.with("chat-more", &[("name", name.into())]);
            popup::Menu { anchor: anchor.into(), label, content: inside, on_close }
        }
    }
}

type Items<'a> = Column<'a, Message, crate::theme::Theme, iced::Renderer>;

fn recipients<'a>(chat: &Chat, model: &MeetingModel, context: &Context) -> Items<'a> {
    let everyone = choice(&context.text("chat-to-everyone"), chat.to.is_none(), Message::ToChosen(None));
    let to = chat.to.as_ref().and_then(|to| to.find(model)).map(|person| person.id);
    let others = model.people.iter().filter(|person| !person.me);
    let others = others.map(|person| choice(&person.name, to == Some(person.id), Message::ToChosen(Some(person.id))));
    column![menu_heading(context.text("chat-to")), everyone].extend(others)
}

/// What can be done with a line.
fn actions<'a>(line: &Line, model: &MeetingModel, context: &Context) -> Items<'a> {
    let id = line.id;
    let item = |word: &str, message: Message| {
        let label = context.text(word);
        let button = press(text::small(label.clone()), &label, Some(message)).role(Role::MenuItem);
        Element::from(button.look(Look::Item).width(Length::Fill).padding([SPACE_XS, SPACE_M]))
    };
    let (sent, writes) = (line.status == Status::Sent, has(model, Rights::CHAT));
    let remove = if line.me { "chat-delete" } else { "chat-remove" };
    column![]
        .push((sent && has(model, Rights::REACT)).then(|| reactions(id, context)))
        .push((sent && writes).then(|| item("chat-reply", Message::ReplyPressed(id))))
        .push((sent && line.me && writes && line.vote.is_none()).then(|| item("chat-edit", Message::EditPressed(id))))
        .push(may_copy(line, model).then(|| item("chat-copy", Message::CopyPressed(id))))
        .push(may_remove(line, model).then(|| item(remove, Message::DeletePressed(id))))
}

fn reactions<'a>(id: LineId, context: &Context) -> Element<'a, Message> {
    let buttons = Reaction::ALL.into_iter().map(|kind| {
        let (symbol, word) = line::reaction(kind);
        let inside = container(icon(symbol)).center(TARGET);
        let button = press(inside, &context.text(word), Some(Message::ReactPressed(id, kind))).role(Role::MenuItem);
        button.look(Look::Quiet).square(TARGET).into()
    });
    Row::with_children(buttons).spacing(SPACE_XS).padding([0.0, SPACE_S]).into()
}

/// Asks before a link is opened. The whole address is shown.
pub(crate) fn link_dialog<'a>(chat: &Chat, context: &Context) -> Option<modal::Dialog<'a, meeting::Message>> {
    let link = chat.link.as_deref()?;
    let texts = Texts {
        title: context.text("chat-link-title"),
        meaning: context.language.with("chat-link-text", &[("link", link.into())]),
        confirm: context.text("chat-link-confirm"),
    };
    let message = meeting::Message::Chat;
    Some(confirmation::question(texts, message(Message::LinkConfirmed), message(Message::DialogClosed), context))
}
