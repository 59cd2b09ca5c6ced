//! The panel with the participants.

use accesskit::Role;
use engine::{Microphone, Person, Quality};
use iced::widget::{Column, column, container, row, scrollable};
use iced::{Alignment, Background, Border, Length};

use super::{Meeting, Message, address};
use crate::kit::{Element, Icon, bars, elided, icon, press, region, text};
use crate::model::initials;
use crate::screen::{Context, icon_button};
use crate::theme::{self, ICON_SMALL, Look, ON_AVATAR, SPACE_L, SPACE_M, SPACE_S, SPACE_XS, TARGET, TARGET_FORM, Tone};

/// The content of the panel: the participants, and a button to copy the invitation link.
pub(super) fn panel<'a>(screen: &'a Meeting, context: &Context) -> Element<'a, Message> {
    let lines = screen.model.people.iter().map(|person| line(screen, person, context));
    let list = Column::with_children(lines).spacing(2.0).padding([0.0, SPACE_S]);
    let list = region(Role::List, &context.text("people-title"), list);
    let invite = icon_button(Icon::Link, context.text("people-invite"), "", Some(Message::CopyPressed));
    let invite = invite.id("invite").width(Length::Fill).height(TARGET_FORM);
    let words = if screen.model.has_organiser() { "people-invite-text" } else { "people-invite-unattended" };
    let words = text::caption(context.text(words)).style(text::tone(Tone::Dim));
    let foot = container(column![Element::from(invite), words].spacing(SPACE_S)).padding(SPACE_L);
    let address = address::view(&screen.address, &screen.model, context);
    let address = address.map(|choice| container(choice.map(Message::Address)).padding([0.0, SPACE_L]));
    let inside = column![list].push(address).spacing(SPACE_L);
    column![scrollable(inside).height(Length::Fill), foot].into()
}

fn line<'a>(screen: &Meeting, person: &Person, context: &Context) -> Element<'a, Message> {
    let microphone = if person.me { screen.model.microphone } else { person.microphone };
    let name = if person.me {
        context.language.with("tile-you", &[("name", person.name.as_str().into())])
    } else {
        person.name.clone()
    };
    let below = if person.is_organiser() {
        context.text("people-organiser")
    } else {
        let key = person.device.split_whitespace().take(3).collect::<Vec<_>>().join(" ");
        context.language.with("people-device", &[("key", key.into())])
    };
    let mark = screen.model.name_marks.get(&person.id).map(|mark| context.text(mark.text()));
    let sign = mark.is_some().then(|| icon(Icon::Warning).size(ICON_SMALL).tone(Tone::Warn));
    let title = row![].push(sign).push(Element::from(elided(name.clone()).strong()));
    let words = column![
        title.spacing(SPACE_XS).align_y(Alignment::Center),
        Element::from(elided(below).caption().tone(Tone::Dim))
    ]
    .push(mark.clone().map(|mark| text::caption(mark).style(text::tone(Tone::Warn))));
    let (symbol, tone, state) = match microphone {
        Microphone::On => (Icon::Microphone, Tone::Dim, None),
        Microphone::Muted => (Icon::MicrophoneOff, Tone::Danger, Some("tile-muted")),
        Microphone::Off => (Icon::MicrophoneOff, Tone::Dim, Some("tile-no-microphone")),
    };
    let shares = if person.me { screen.model.sharing } else { person.screen };
    let quality = screen.model.second.as_ref().and_then(|second| second.quality.get(&person.id).copied());
    let mut line = row![avatar(person), words.width(Length::Fill)]
        .push(quality.map(bars))
        .push(shares.then(|| icon(Icon::Share).size(ICON_SMALL).tone(Tone::Accent)))
        .push(icon(symbol).size(ICON_SMALL).tone(tone));
    if screen.model.may_remove(person) {
        line = line.push(remove(person, context));
    }
    let line = container(line.spacing(SPACE_M).align_y(Alignment::Center)).padding([SPACE_XS + 2.0, SPACE_S]);
    let states = state.into_iter().chain(shares.then_some("tile-sharing")).chain(quality.map(quality_text));
    let named = std::iter::once(name).chain(mark).collect::<Vec<_>>().join(", ");
    let label = states.fold(named, |label, state| format!("{label}, {}", context.text(state)));
    region(Role::ListItem, &label, line)
}

/// The text id of a quality, for assistive tools.
const fn quality_text(quality: Quality) -> &'static str {
    match quality {
        Quality::Poor => "quality-poor",
        Quality::Fair => "quality-fair",
        Quality::Good => "quality-good",
    }
}

fn remove<'a>(person: &Person, context: &Context) -> Element<'a, Message> {
    let name = context.language.with("people-remove", &[("name", person.name.as_str().into())]);
    let symbol = container(icon(Icon::Remove).size(ICON_SMALL)).center(TARGET);
    let button = press(symbol, &name, Some(Message::RemovePressed(person.id)));
    button.id(format!("remove-{:016x}", person.id.0)).look(Look::Quiet).square(TARGET).opens_dialog().into()
}

/// A disc with the initials, in the same colour on all clients.
fn avatar<'a>(person: &Person) -> Element<'a, Message> {
    let colour = theme::avatar(person.id.0);
    let letters = text::caption(initials(&person.name)).color(ON_AVATAR).font(theme::SEMIBOLD);
    container(letters)
        .center(TARGET)
        .style(move |_| container::Style {
            background: Some(Background::Color(colour)),
            border: Border { radius: (TARGET / 2.0).into(), ..Border::default() },
            ..container::Style::default()
        })
        .into()
}
