//! One line of the chat.

use std::time::SystemTime;

use accesskit::Role;
use engine::chat::{Body, Line, Reaction, Status};
use iced::widget::{Column, Row, column, container, row};
use iced::{Alignment, Length};

use super::{Menu, Message, has_actions, text_of, vote};
use crate::kit::{Element, Icon, elided, icon, press, region, text};
use crate::model::MeetingModel;
use crate::model::chat::links;
use crate::screen::Context;
use crate::theme::{self, ICON_SMALL, Look, SPACE_S, SPACE_XS, TARGET, Tone};

/// Draws a line. A long text is cut unless `whole` is true: a text with thousands of lines hides no other.
pub(super) fn view<'a>(
    line: &'a Line,
    whole: bool,
    (model, open): (&'a MeetingModel, Option<Menu>),
    context: &Context,
) -> Element<'a, Message> {
    let (name, private, notes) = (author(line, context), private(line, context), notes(line, context));
    let inside = column![head(line, &name, (model, open), context)]
        .push(private.as_deref().map(private_mark))
        .push((!notes.is_empty()).then(|| note(&notes.join(" · "), Tone::Dim)))
        .push(quote(line, model, context))
        .push(body(line, whole, context))
        .push(whole_button(line, whole, context))
        .push(line.vote.as_ref().map(|vote| vote::view(line, vote, model, context)))
        .extend(text_of(line).into_iter().flat_map(links).map(|link| link_button(link, context)))
        .push(reactions(line, context))
        .push(status(line, context));
    let inside = container(inside.spacing(SPACE_XS)).padding([SPACE_S, SPACE_S]).width(Length::Fill);
    let label = std::iter::once(name).chain(private).chain(notes).chain(std::iter::once(words(line, context)));
    let label = label.chain(line.vote.as_ref().map(|vote| vote::state(line, vote, context)));
    region(Role::ListItem, &label.collect::<Vec<_>>().join(", "), inside)
}

fn author(line: &Line, context: &Context) -> String {
    if line.me { context.language.with("chat-you", &[("name", line.name.as_str().into())]) } else { line.name.clone() }
}

/// The words of a line: its text, or how it was removed.
fn words(line: &Line, context: &Context) -> String {
    match &line.body {
        Body::Text(text) => text.as_str().to_owned(),
        Body::Deleted => context.text("chat-deleted"),
        Body::RemovedBy(name) => context.language.with("chat-removed-by", &[("name", name.as_str().into())]),
    }
}

/// The author, the time, and the button of the menu.
fn head<'a>(
    line: &'a Line,
    name: &str,
    (model, open): (&MeetingModel, Option<Menu>),
    context: &Context,
) -> Element<'a, Message> {
    let label = context.language.with("chat-more", &[("name", line.name.as_str().into())]);
    let more = has_actions(line, model).then(|| {
        let menu = Menu::Line(line.id);
        let symbol = container(icon(Icon::More).size(ICON_SMALL)).center(TARGET);
        let more = press(symbol, &label, Some(Message::MenuPressed(menu))).expanded(open == Some(menu));
        Element::from(more.id(menu_id(line)).look(Look::Quiet).square(TARGET))
    });
    let time = text::caption(age(line.time, context)).style(text::tone(Tone::Dim));
    row![container(Element::from(elided(name).strong())).width(Length::Fill), time]
        .push(more)
        .spacing(SPACE_S)
        .height(TARGET)
        .align_y(Alignment::Center)
        .into()
}

/// The id of the control that opens the menu of a line.
pub(super) fn menu_id(line: &Line) -> String {
    format!("chat-line-{}-{:x}", line.id.device, line.id.counter)
}

/// How long ago a line was written.
fn age(time: u64, context: &Context) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let minutes = now.saturating_sub(time) / 60;
    match (minutes, minutes / 60) {
        (0, _) => context.text("chat-now"),
        (_, 0) => context.language.with("chat-minutes", &[("count", minutes.into())]),
        (_, hours) => context.language.with("chat-hours", &[("count", hours.into())]),
    }
}

/// What a reader must know of a line, besides its text.
fn notes(line: &Line, context: &Context) -> Vec<String> {
    let named = |id, name: &str| context.language.with(id, &[("name", name.into())]);
    let edited = (line.edited && text_of(line).is_some()).then(|| context.text("chat-edited"));
    let passed_on = line
        .passed_on
        .as_ref()
        .map(|how| named(if how.proved { "chat-passed-on" } else { "chat-passed-on-unproved" }, &how.by));
    edited.into_iter().chain(passed_on).collect()
}

/// Whether a line is private, in words.
fn private(line: &Line, context: &Context) -> Option<String> {
    let peer = line.private.as_ref()?;
    let to = || context.language.with("chat-private-to", &[("name", peer.name.as_str().into())]);
    Some(if line.me { to() } else { context.text("chat-private") })
}

/// The same with its symbol, so that no private line looks like one for everyone.
fn private_mark<'a>(words: &str) -> Element<'a, Message> {
    let sign = icon(Icon::Lock).size(ICON_SMALL).tone(Tone::Accent);
    row![sign, note(words, Tone::Accent)].spacing(SPACE_XS).align_y(Alignment::Center).into()
}

fn note<'a>(words: &str, tone: Tone) -> Element<'a, Message> {
    text::caption(words.to_owned()).style(text::tone(tone)).width(Length::Fill).into()
}

/// The line to which it replies.
fn quote<'a>(line: &Line, model: &MeetingModel, context: &Context) -> Option<Element<'a, Message>> {
    let quoted = model.chat.find(line.reply?).filter(|quoted| quoted.private == line.private);
    let words = quoted.map_or_else(
        || context.text("chat-reply-gone"),
        |quoted| format!("{}: {}", quoted.name, words(quoted, context).replace('\n', " ")),
    );
    let words = Element::from(elided(words).caption().tone(Tone::Dim).width(Length::Fill));
    let inside = row![icon(Icon::Reply).size(ICON_SMALL).tone(Tone::Dim), words].spacing(SPACE_XS);
    let inside = inside.align_y(Alignment::Center);
    Some(container(inside).padding([SPACE_XS, SPACE_S]).width(Length::Fill).style(theme::inset).into())
}

fn body<'a>(line: &'a Line, whole: bool, context: &Context) -> Element<'a, Message> {
    match text_of(line) {
        Some(words) if whole => text::small(words).width(Length::Fill).into(),
        Some(words) => text::small(beginning(words)).width(Length::Fill).into(),
        None => text::small(words(line, context)).style(text::tone(Tone::Dim)).width(Length::Fill).into(),
    }
}

/// The part of a text that is shown at first.
fn beginning(words: &str) -> &str {
    let by_lines = words.match_indices('\n').nth(MAX_ROWS - 1).map_or(words.len(), |(at, _)| at);
    let by_length = words.char_indices().nth(MAX_LENGTH).map_or(words.len(), |(at, _)| at);
    words[..by_lines.min(by_length)].trim_end()
}

/// Shows all of a long text, or its beginning only.
fn whole_button<'a>(line: &Line, whole: bool, context: &Context) -> Option<Element<'a, Message>> {
    let words = text_of(line)?;
    (beginning(words).len() < words.len()).then(|| {
        let word = text::caption(context.text(if whole { "chat-less" } else { "chat-whole" }));
        let button = press(word, "", Some(Message::WholePressed(line.id))).expanded(whole).padding([0.0, SPACE_S]);
        row![Element::from(button.id(format!("{}-whole", menu_id(line))))].into()
    })
}

/// The button of a link. Nothing is fetched before the user has confirmed the link.
fn link_button<'a>(link: &str, context: &Context) -> Element<'a, Message> {
    let name = context.language.with("chat-open-link", &[("link", link.into())]);
    let words = Element::from(elided(link).tone(Tone::Accent).width(Length::Fill));
    let inside = row![icon(Icon::Link).size(ICON_SMALL).tone(Tone::Accent), words].spacing(SPACE_S);
    let button = press(inside.align_y(Alignment::Center), &name, Some(Message::LinkPressed(link.to_owned())));
    button.look(Look::Item).width(Length::Fill).opens_dialog().padding([SPACE_XS, SPACE_S]).into()
}

/// The symbol and the text id of a reaction.
pub(super) const fn reaction(reaction: Reaction) -> (Icon, &'static str) {
    match reaction {
        Reaction::Like => (Icon::Like, "chat-react-like"),
        Reaction::Heart => (Icon::Heart, "chat-react-heart"),
        Reaction::Laugh => (Icon::Laugh, "chat-react-laugh"),
        Reaction::Surprised => (Icon::Surprised, "chat-react-surprised"),
        Reaction::Celebrate => (Icon::Celebrate, "chat-react-celebrate"),
    }
}

/// The reactions, each with the number of people. A press adds or takes back the own one.
fn reactions<'a>(line: &Line, context: &Context) -> Option<Element<'a, Message>> {
    let chips = Reaction::ALL.into_iter().filter_map(|kind| {
        let reacted: Vec<_> = line.reactions.iter().filter(|one| one.reaction == kind).collect();
        let mine = reacted.iter().any(|one| one.me);
        let (symbol, id) = reaction(kind);
        let names = reacted.iter().take(MAX_NAMES).map(|one| one.name.as_str()).collect::<Vec<_>>().join(", ");
        let names = if reacted.len() > MAX_NAMES { format!("{names}…") } else { names };
        let name = [("reaction", context.text(id).into()), ("names", names.into())];
        let name = context.language.with("chat-reacted", &name);
        let inside = row![icon(symbol).size(ICON_SMALL), text::caption(reacted.len().to_string())].spacing(SPACE_XS);
        let chip = press(inside.align_y(Alignment::Center), &name, Some(Message::ReactPressed(line.id, kind)));
        (!reacted.is_empty()).then(|| chip.toggled(mine).look(Look::Plain).padding([0.0, SPACE_S]).into())
    });
    let chips: Vec<_> = chips.collect();
    (!chips.is_empty()).then(|| Row::with_children(chips).spacing(SPACE_XS).wrap().into())
}

/// Whether the line was sent.
fn status<'a>(line: &Line, context: &Context) -> Option<Element<'a, Message>> {
    match line.status {
        Status::Sent => None,
        Status::Sending => Some(note(&context.text("chat-sending"), Tone::Dim)),
        Status::Failed => {
            let button = |word, message| {
                Element::from(press(text::caption(context.text(word)), "", Some(message)).padding([0.0, SPACE_S]))
            };
            let words = row![
                icon(Icon::Warning).size(ICON_SMALL).tone(Tone::Danger),
                text::caption(context.text("chat-failed")).style(text::tone(Tone::Danger)),
                button("chat-retry", Message::RetryPressed(line.id)),
                button("chat-discard", Message::DeletePressed(line.id)),
            ];
            Some(Column::new().push(words.spacing(SPACE_S).align_y(Alignment::Center)).into())
        }
    }
}

/// How much of a text is shown at first: characters, and lines as its author has broken them.
const MAX_LENGTH: usize = 800;
const MAX_ROWS: usize = 15;
/// How many names of those who reacted the same way are listed.
const MAX_NAMES: usize = 20;
