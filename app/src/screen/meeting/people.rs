//! The panel with the participants.

use accesskit::Role;
use engine::{MeetingFlags, Microphone, Person, Quality, Slot};
use iced::widget::{Column, column, container, row, scrollable};
use iced::{Alignment, Background, Border, Length};

use super::{Meeting, Message, address, identity, moderation_view, rules, verify_view, waiting_room};
use crate::kit::{Element, Icon, bars, elided, icon, press, region, text};
use crate::model::initials;
use crate::model::rights::may_invite;
use crate::screen::{Context, icon_button};
use crate::theme::{self, ICON_SMALL, Look, ON_AVATAR, SPACE_L, SPACE_S, SPACE_XS, TARGET, TARGET_FORM, Tone};

/// The content of the panel: who waits, the participants, the settings of the meeting, and a button to copy the invitation link.
pub(super) fn panel<'a>(screen: &'a Meeting, context: &Context) -> Element<'a, Message> {
    let lines = screen.model.people.iter().map(|person| line(screen, person, context));
    let list = Column::with_children(lines).spacing(2.0).padding([0.0, SPACE_S]);
    let list = region(Role::List, &context.text("people-title"), list);
    let invite = may_invite(screen.model.me()).then(|| {
        let invite = icon_button(Icon::Link, context.text("people-invite"), "", Some(Message::CopyPressed));
        Element::from(invite.id("invite").width(Length::Fill).height(TARGET_FORM))
    });
    let words = text::caption(context.text(invite_text(screen))).style(text::tone(Tone::Dim));
    let foot = container(column![].push(invite).push(words).spacing(SPACE_S)).padding(SPACE_L);
    let waiting = waiting_room::list(&screen.model, context).map(|list| list.map(Message::WaitingRoom));
    let queue = moderation_view::queue(screen, context).map(|queue| container(queue).padding([0.0, SPACE_S]));
    let controls = moderation_view::controls(screen, context);
    let controls = controls.map(|controls| Element::from(container(controls).padding([0.0, SPACE_L])));
    let (scrolled, fixed) = if context.size.height < MIN_HEIGHT { (controls, None) } else { (None, controls) };
    let address = address::view(&screen.address, &screen.model, context).filter(|_| may_invite(screen.model.me()));
    let address = address.map(|choice| container(choice.map(Message::Address)).padding([0.0, SPACE_L]));
    let rules = rules::section(screen, context);
    let inside = column![].push(waiting).push(queue).push(list).push(rules).push(scrolled).push(address);
    let inside = inside.spacing(SPACE_L);
    column![scrollable(inside).height(Length::Fill)].push(fixed).push(foot).into()
}

/// The id of the words that say what the link leads to, or why we cannot copy it.
fn invite_text(screen: &Meeting) -> &'static str {
    let flags = screen.model.lobby.flags;
    if !may_invite(screen.model.me()) {
        "people-invite-right"
    } else if !screen.model.has_organiser() {
        "people-invite-unattended"
    } else if flags.contains(MeetingFlags::LOCKED) {
        "people-invite-locked"
    } else if flags.contains(MeetingFlags::WAITING_ROOM) {
        "people-invite-waiting"
    } else {
        "people-invite-text"
    }
}

/// If the window is lower, the controls of managers scroll with the list. In logical pixels.
const MIN_HEIGHT: f32 = 640.0;

fn line<'a>(screen: &Meeting, person: &Person, context: &Context) -> Element<'a, Message> {
    let microphone = if person.me { screen.model.microphone } else { person.microphone };
    let name = if person.me {
        context.language.with("tile-you", &[("name", person.name.as_str().into())])
    } else {
        person.name.clone()
    };
    let below = below(screen, person, context);
    let forbidden = !person.rights.allow(Slot::Microphone);
    let mark = screen.model.name_marks.get(&person.id).map(|mark| context.text(mark.text()));
    let known = identity::sentence(person, &screen.model, context);
    let title = row![].push(identity::sign(person, &screen.model)).push(Element::from(elided(name.clone()).strong()));
    let words = column![title.spacing(SPACE_XS).align_y(Alignment::Center)]
        .push(identity::badge(person, &screen.model, context))
        .push(Element::from(elided(below).caption().tone(Tone::Dim)))
        .push(mark.clone().map(|mark| text::caption(mark).style(text::tone(Tone::Warn))));
    let (symbol, tone, state) = match microphone {
        Microphone::On => (Icon::Microphone, Tone::Dim, None),
        Microphone::Muted if forbidden => (Icon::MicrophoneOff, Tone::Danger, Some("tile-muted-by")),
        Microphone::Muted => (Icon::MicrophoneOff, Tone::Danger, Some("tile-muted")),
        Microphone::Off => (Icon::MicrophoneOff, Tone::Dim, Some("tile-no-microphone")),
    };
    let shares = if person.me { screen.model.sharing } else { person.screen };
    let quality = screen.model.second.as_ref().and_then(|second| second.quality.get(&person.id).copied());
    let mut line = row![avatar(person), words.width(Length::Fill)]
        .push(screen.model.moderation.place(person.id).map(moderation_view::hand_sign))
        .push(quality.map(bars))
        .push(verify_view::badge(screen, person.id))
        .push(shares.then(|| icon(Icon::Share).size(ICON_SMALL).tone(Tone::Accent)))
        .push(icon(symbol).size(ICON_SMALL).tone(tone));
    line = line.push(moderation_view::menu_button(screen, person, context));
    if screen.model.may_remove(person) {
        line = line.push(remove(person, context));
    }
    let line = column![line.spacing(SPACE_S).align_y(Alignment::Center)]
        .push(identity::alarm(person, &screen.model, context))
        .spacing(SPACE_XS);
    let line = container(line).padding([SPACE_XS + 2.0, SPACE_S]);
    let camera = (!person.rights.allow(Slot::Camera)).then_some("tile-camera-by");
    let hand = screen.model.moderation.place(person.id).map(|_| "tile-hand");
    let states = state.into_iter().chain(hand).chain(camera);
    let states = states.chain(shares.then_some("tile-sharing")).chain(quality.map(quality_text));
    let named = std::iter::once(name).chain(known).chain(mark).collect::<Vec<_>>().join(", ");
    let states = states.chain(verify_view::badge_text(screen, person.id));
    let states = states.map(|state| context.text(state)).chain(role_in_words(screen, person, context));
    let label = states.fold(named, |label, state| format!("{label}, {state}"));
    region(Role::ListItem, &label, line)
}

/// The role, for assistive tools: the line below the name is short.
fn role_in_words(screen: &Meeting, person: &Person, context: &Context) -> Option<String> {
    match (person.role, order_of(screen, person)) {
        (_, Some(order)) => Some(context.language.with("people-succession-name", &[("order", order.into())])),
        (engine::Role::CoOrganiser, None) => Some(context.text("people-co-organiser")),
        (engine::Role::Presenter, None) => Some(context.text("people-presenter")),
        (engine::Role::Guest, None) => Some(context.text("people-guest")),
        (engine::Role::Organiser | engine::Role::Participant, None) => None,
    }
}

/// The place of a co-organiser in the order of succession.
fn order_of(screen: &Meeting, person: &Person) -> Option<usize> {
    screen.model.moderation.order_of(person, &screen.model.people)
}

/// The line below a name: the role, or the device of those without one. All see who takes over if the organiser leaves, and
/// who was muted by an organiser.
fn below(screen: &Meeting, person: &Person, context: &Context) -> String {
    let role = match person.role {
        engine::Role::Organiser => Some("people-organiser"),
        engine::Role::CoOrganiser => Some("people-co-organiser"),
        engine::Role::Presenter => Some("people-presenter"),
        engine::Role::Guest => Some("people-guest"),
        engine::Role::Participant => None,
    };
    let muted = !person.rights.allow(Slot::Microphone);
    let first = match (role, order_of(screen, person)) {
        (_, Some(order)) => context.language.with("people-succession", &[("order", order.into())]),
        (Some(role), None) => context.text(role),
        (None, None) => {
            let key = person.device.split_whitespace().take(3).collect::<Vec<_>>().join(" ");
            context.language.with("people-device", &[("key", key.into())])
        }
    };
    if muted { format!("{} · {first}", context.text("people-muted")) } else { first }
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
