//! The controls of managers: a menu for each participant, muting all, the queue of hands, and the dialogs.

use engine::{ParticipantId, Person, Rights};
use iced::widget::{Column, column, container, row};
use iced::{Alignment, Length};

use super::moderation::{Confirmation, Message, may_stop};
use super::{Meeting, Message as Input, rights_view};
use crate::kit::{Element, Icon, Shortcut, elided, icon, modal, popup, press, region, text};
use crate::model::moderation::{PersonAction, actions, may_mute_all};
use crate::screen::confirmation::{self, Texts};
use crate::screen::{Context, icon_button, menu, shortcuts};
use crate::theme::{self, ICON_SMALL, Look, SPACE_L, SPACE_M, SPACE_S, SPACE_XS, TARGET, TARGET_FORM, Tone};

/// The dialog that asks before the meeting is handed over or stopped, or the one with the rights of a participant.
pub(super) fn dialog<'a>(screen: &Meeting, context: &Context) -> Option<modal::Dialog<'a, Input>> {
    let Some(confirming) = screen.moderation.confirming() else {
        return rights_view::dialog(screen, context);
    };
    let texts = match confirming {
        Confirmation::Stop => Texts {
            title: context.text("stop-title"),
            meaning: {
                let keys = shortcuts::keys(Shortcut::StopEverything, context.language);
                context.language.with("stop-text", &[("keys", keys.as_str().into())])
            },
            confirm: context.text("stop-confirm"),
        },
        Confirmation::HandOver(id) => {
            let person = screen.model.person(id)?;
            let named = |id| context.language.with(id, &[("name", person.name.as_str().into())]);
            Texts {
                title: named("hand-over-title"),
                meaning: named("hand-over-text"),
                confirm: context.text("hand-over-confirm"),
            }
        }
    };
    Some(confirmation::dialog(texts, Input::Moderation(Message::Confirmed), Input::DialogClosed, context))
}

/// The control that opens the menu of a participant; `None` if there is nothing to do.
pub(super) fn menu_button<'a>(screen: &Meeting, person: &Person, context: &Context) -> Option<Element<'a, Input>> {
    if person_actions(screen, person).is_empty() {
        return None;
    }
    let name = context.language.with("person-menu", &[("name", person.name.as_str().into())]);
    let open = screen.menu == Some(super::Menu::Person(person.id));
    let symbol = container(icon(Icon::More).size(ICON_SMALL)).center(TARGET);
    let button = press(symbol, &name, Some(Input::Moderation(Message::MenuPressed(person.id))));
    Some(button.id(anchor(person.id)).expanded(open).look(Look::Quiet).square(TARGET).into())
}

fn person_actions(screen: &Meeting, person: &Person) -> Vec<PersonAction> {
    let hand_is_up = screen.model.moderation.place(person.id).is_some();
    screen.model.me().map(|me| actions(me, person, hand_is_up)).unwrap_or_default()
}

fn anchor(id: ParticipantId) -> String {
    format!("person-{:016x}", id.0)
}

/// The menu of a participant. It is empty if the participant has left.
pub(super) fn person_menu<'a>(screen: &Meeting, id: ParticipantId, context: &Context) -> popup::Menu<'a, Input> {
    let person = screen.model.person(id);
    let items = person.map(|person| person_actions(screen, person)).unwrap_or_default();
    let item = |action: PersonAction| {
        let label = context.text(action.text());
        let line = text::small(label.clone()).width(Length::Fill);
        let button = press(line, &label, Some(Input::Moderation(Message::Chosen(id, action))));
        let button = button.role(accesskit::Role::MenuItem).look(Look::Item).width(Length::Fill);
        Element::from(button.padding([SPACE_XS, SPACE_S]))
    };
    let name = person.map(|person| person.name.as_str()).unwrap_or_default();
    popup::Menu {
        anchor: anchor(id).into(),
        label: context.language.with("person-menu", &[("name", name.into())]),
        content: menu(Column::with_children(items.into_iter().map(item))),
        on_close: Input::MenuClosed,
    }
}

/// The buttons of managers below the list: mute all, let everyone speak, stop everything. `None` for others.
pub(super) fn controls<'a>(screen: &Meeting, context: &Context) -> Option<Element<'a, Input>> {
    let me = screen.model.me()?;
    let button = |symbol, id: &'static str, message| {
        icon_button(symbol, context.text(id), "", Some(Input::Moderation(message))).id(id).height(TARGET_FORM)
    };
    let below = || screen.model.people.iter().filter(|person| !person.role.is_manager());
    let all = may_mute_all(me).then(|| {
        let is_muted = |person: &Person| !person.rights.contains(Rights::MICROPHONE);
        let mute = below().any(|person| !is_muted(person)) || below().count() == 0;
        let allow = below().any(is_muted);
        let mute = mute.then(|| button(Icon::MicrophoneOff, "people-mute-all", Message::AllPressed(false)));
        let allow = allow.then(|| button(Icon::Microphone, "people-allow-all", Message::AllPressed(true)));
        let full = |button: crate::kit::Press<'a, Input>| Element::from(button.width(Length::Fill));
        column![].push(mute.map(full)).push(allow.map(full)).spacing(SPACE_S)
    });
    let stop = may_stop(&screen.model).then(|| {
        let button = button(Icon::Stop, "stop-everything", Message::StopPressed);
        Element::from(button.opens_dialog().width(Length::Fill))
    });
    (all.is_some() || stop.is_some()).then(|| column![].push(all).push(stop).spacing(SPACE_S).into())
}

/// The queue of hands; `None` if all are down.
pub(super) fn queue<'a>(screen: &Meeting, context: &Context) -> Option<Element<'a, Input>> {
    let hands = &screen.model.moderation.hands;
    if hands.is_empty() {
        return None;
    }
    let manages = screen.model.me().is_some_and(|me| me.role.is_manager());
    let lines = (1..).zip(hands).filter_map(|(place, id)| {
        let person = screen.model.person(*id)?;
        let label =
            context.language.with("hands-line", &[("place", place.into()), ("name", person.name.as_str().into())]);
        let lower = (manages || person.me).then(|| lower(person, context));
        let line = row![
            container(text::strong(place.to_string())).width(SPACE_L),
            Element::from(elided(person.name.clone()).width(Length::Fill))
        ];
        let line = line.push(lower).spacing(SPACE_S).align_y(Alignment::Center);
        Some(region(accesskit::Role::ListItem, &label, line))
    });
    let title = context.language.with("hands-title", &[("count", hands.len().into())]);
    let head = row![icon(Icon::Hand).size(ICON_SMALL), text::strong(title.clone()).width(Length::Fill)];
    let all = (manages && hands.len() > 1).then(|| {
        let message = Input::Moderation(Message::AllLowered);
        let button = press(text::small(context.text("hands-lower-all")), "", Some(message)).id("lower-all");
        Element::from(button.look(Look::Quiet))
    });
    let head = head.push(all).spacing(SPACE_S).align_y(Alignment::Center);
    let list = region(accesskit::Role::List, &title, Column::with_children(lines).spacing(2.0));
    let inside = column![head, list].spacing(SPACE_XS);
    Some(container(inside).padding([SPACE_S, SPACE_M]).width(Length::Fill).style(theme::inset).into())
}

fn lower<'a>(person: &Person, context: &Context) -> Element<'a, Input> {
    let name = context.language.with("hands-lower", &[("name", person.name.as_str().into())]);
    let message = if person.me { Message::HandPressed } else { Message::Chosen(person.id, PersonAction::LowerHand) };
    let symbol = container(icon(Icon::Close).size(ICON_SMALL)).center(TARGET);
    let button = press(symbol, &name, Some(Input::Moderation(message)));
    button.id(format!("lower-{:016x}", person.id.0)).look(Look::Quiet).square(TARGET).into()
}

/// The sign of a raised hand with its place, beside a name.
pub(super) fn hand_sign<'a>(place: usize) -> Element<'a, Input> {
    let number = text::caption(place.to_string()).style(text::tone(Tone::Accent));
    row![icon(Icon::Hand).size(ICON_SMALL).tone(Tone::Accent), number].align_y(Alignment::Center).into()
}
