//! Shown while joining: the steps up to the current one, and a button to cancel. While the organiser decides, also what the
//! organiser's side has received, and a chat with it.

use std::time::{Duration, Instant};

use accesskit::Role;
use engine::Step;
use iced::widget::{column, container, row, scrollable};
use iced::{Alignment, Length};

use super::Context;
use super::lobby_chat::{Place, chat};
use crate::kit::{Element, Icon, heading, icon, press, region, text};
use crate::model::lobby::{Holder, Waiting};
use crate::theme::{self, ICON_LARGE, ICON_SMALL, SPACE_L, SPACE_M, SPACE_S, SPACE_XL, TARGET_FORM, Tone};

/// User input.
#[derive(Clone, Debug)]
pub enum Message {
    /// "Cancel" was pressed, or Escape.
    CancelPressed,
    /// The text to the organiser changed.
    Typed(String),
    /// The text to the organiser is complete.
    Submitted,
}

/// The screen. It has no state. If the user `creates` the meeting, there is nothing to find and nobody to wait for, so it
/// shows no steps.
pub fn view<'a>(step: Step, creates: bool, context: &Context) -> Element<'a, Message> {
    let title = context.text(if creates { "enter-starting" } else { "preview-join-title" });
    card(&title, (!creates).then(|| steps(step, context)), context)
}

/// The screen while the organiser decides.
pub fn waiting<'a>(waiting: &'a Waiting, context: &Context) -> Element<'a, Message> {
    let since = |id, since: Option<Instant>| {
        let passed = since.map_or(Duration::ZERO, |since| context.now.saturating_duration_since(since));
        context.language.with(id, &[("minutes", (passed.as_secs() / 60).into())])
    };
    let line = |symbol, tone, words| {
        let words = text::small(words).width(Length::Fill);
        row![icon(symbol).size(ICON_SMALL).tone(tone), words].spacing(SPACE_M).align_y(Alignment::Center)
    };
    let status = match waiting.holder {
        Holder::Organiser => line(Icon::Check, Tone::Good, since("lobby-received", waiting.received)),
        Holder::CoOrganiser => line(Icon::Check, Tone::Good, since("lobby-received-co", waiting.received)),
        Holder::Nobody => line(Icon::Info, Tone::Accent, context.text("lobby-not-received")),
        Holder::Left => line(Icon::Warning, Tone::Warn, context.text("lobby-nobody")),
    };
    let sent = line(Icon::Clock, Tone::Accent, since("lobby-sent", waiting.sent));
    let back = waiting.sent_back.then(|| line(Icon::Info, Tone::Warn, context.text("lobby-you-sent-back")));
    // Only a manager knows whether there is a waiting room. None has said so before it has the request.
    let title =
        if waiting.holder == Holder::Nobody && !waiting.sent_back { "enter-joining" } else { "lobby-waiting-title" };
    let place = Place {
        id: "lobby-text",
        waiting: "",
        label: context.text("lobby-write"),
        on_input: Message::Typed,
        on_submit: Message::Submitted,
    };
    let only = text::caption(context.text("lobby-write-text")).style(text::tone(Tone::Dim));
    let inside = column![]
        .push(back)
        .push(sent)
        .push(status)
        .push(chat(&waiting.chat, place, context))
        .push(only)
        .spacing(SPACE_M);
    card(&context.text(title), Some(inside.into()), context)
}

/// The screen while the organiser comes back to the meeting. Any participant lets the organiser in, so it shows no steps.
pub fn returning<'a>(context: &Context) -> Element<'a, Message> {
    card(&context.text("enter-returning"), None, context)
}

fn card<'a>(title: &str, steps: Option<Element<'a, Message>>, context: &Context) -> Element<'a, Message> {
    let symbol = container(icon(Icon::Lock).size(ICON_LARGE)).padding(SPACE_M).style(theme::tinted(Tone::Accent));
    let hint = text::small(context.text("enter-text")).style(text::tone(Tone::Dim));
    let cancel = press(text::strong(context.text("enter-cancel")), "", Some(Message::CancelPressed));
    let cancel = cancel.id("cancel").width(Length::Fill).height(TARGET_FORM);
    let head = row![symbol, column![heading(1, text::title(title.to_owned())), hint].width(Length::Fill)];
    let head = head.spacing(SPACE_L).align_y(Alignment::Center);
    let card = column![head].push(steps).push(Element::from(cancel)).spacing(SPACE_XL);
    let card = container(card).padding(SPACE_XL + SPACE_S).max_width(WIDTH).style(theme::card);
    let card = scrollable(container(card).center_x(Length::Fill));
    let page = container(card).center(Length::Fill).padding(SPACE_L).style(theme::page);
    region(Role::Main, title, page)
}

/// The steps of joining up to the current one.
fn steps<'a>(step: Step, context: &Context) -> Element<'a, Message> {
    let steps = [
        (Step::Connecting, "enter-connecting"),
        (Step::Approaching, "enter-approaching"),
        (Step::Knocking, "enter-knocking"),
    ];
    let at = steps.iter().position(|(known, _)| *known == step).unwrap_or(steps.len());
    let mut lines = column![].spacing(SPACE_M);
    for (index, (_, id)) in steps.iter().enumerate().take(at + 1) {
        let (symbol, tone) = if index < at { (Icon::Check, Tone::Good) } else { (Icon::Clock, Tone::Accent) };
        let words = text::small(context.text(id)).width(Length::Fill);
        let words = if index < at { words.style(text::tone(Tone::Dim)) } else { words };
        lines = lines
            .push(row![icon(symbol).size(ICON_SMALL).tone(tone), words].spacing(SPACE_M).align_y(Alignment::Center));
    }
    lines.into()
}

/// The maximum width of the card, in logical pixels.
const WIDTH: f32 = 484.0;
