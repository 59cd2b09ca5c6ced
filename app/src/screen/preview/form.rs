//! The form of the preview: the name, the devices with their problems, and the join button.

use accesskit::Role;
use engine::{MeetingFlags, NoticeKind};
use iced::widget::{column, row};
use iced::{Alignment, Length};

use super::{Menu, Message, NAME, Preview, Purpose, connection};
use crate::kit::field::Field;
use crate::kit::{Element, Icon, field, icon, meter, press, region, text};
use crate::model::{Device, Kind, Notice};
use crate::screen::{Context, check, device_name, select};
use crate::theme::{ICON_SMALL, Look, SPACE_L, SPACE_S, SPACE_XS, TARGET, TARGET_BAR, Tone};

/// The form, with the join button at its end or without it.
pub(super) fn form<'a>(screen: &'a Preview, with_enter: bool, context: &Context) -> Element<'a, Message> {
    let error = screen.name_error().filter(|_| screen.submitted).map(|id| context.text(id));
    let name = field(Field {
        id: NAME,
        label: context.text("preview-name"),
        labelled: true,
        value: &screen.name,
        placeholder: context.text("preview-name-placeholder"),
        required: true,
        error,
        beside: None,
        paste: context.text("action-paste"),
        on_input: Message::NameTyped,
        on_submit: Some(Message::EnterPressed),
    });
    let level = if screen.is_microphone_on() { screen.level } else { 0.0 };
    let camera = column![device_select(screen, Kind::Camera, context)].push(camera_problem(screen, context));
    let microphone =
        column![device_select(screen, Kind::Microphone, context), meter(&context.text("preview-level"), level)];
    let encrypted = row![
        icon(Icon::Lock).size(ICON_SMALL).tone(Tone::Good),
        text::caption(context.text("preview-encrypted")).style(text::tone(Tone::Dim)).width(Length::Fill)
    ];
    column![
        name,
        camera.spacing(SPACE_S),
        microphone.push(microphone_problem(screen, context)).spacing(SPACE_S),
        device_select(screen, Kind::Speaker, context),
    ]
    .push(connection::test(screen, context))
    .push(rules(screen, context))
    .push(with_enter.then(|| column![enter(screen, context), enter_chat(screen, context)].spacing(SPACE_XS)))
    .push(encrypted.spacing(SPACE_S))
    .spacing(SPACE_L)
    .into()
}

/// What is set in a new meeting from its start; `None` for a meeting that exists.
fn rules<'a>(screen: &Preview, context: &Context) -> Option<Element<'a, Message>> {
    let flag = |flag: MeetingFlags, id: &'static str| {
        let on = screen.flags.contains(flag);
        let switch = check(&context.text(id), Role::CheckBox, on, Message::FlagPressed(flag, !on));
        Element::from(switch.id(id).height(TARGET))
    };
    let rules =
        row![flag(MeetingFlags::WAITING_ROOM, "preview-waiting-room"), flag(MeetingFlags::LOCKED, "preview-lock")];
    let rules = region(Role::Group, &context.text("lobby-rules"), rules);
    (screen.purpose == Purpose::Start).then_some(rules)
}

/// The join button.
pub(super) fn enter<'a>(screen: &Preview, context: &Context) -> Element<'a, Message> {
    let words = match screen.purpose {
        Purpose::Start => context.text("preview-start"),
        Purpose::Join { .. } => context.text("preview-join"),
    };
    let button = press(text::strong(words), "", Some(Message::EnterPressed)).id("enter").look(Look::Primary);
    button.width(Length::Fill).height(TARGET_BAR).into()
}

/// The button that joins with the chat only.
pub(super) fn enter_chat<'a>(screen: &Preview, context: &Context) -> Element<'a, Message> {
    let words = match screen.purpose {
        Purpose::Start => context.text("preview-start-chat"),
        Purpose::Join { .. } => context.text("preview-join-chat"),
    };
    let button = press(text::strong(words), "", Some(Message::ChatOnlyPressed)).id("enter-chat").look(Look::Quiet);
    let button = button.description(Some(context.text("preview-chat-text")));
    button.width(Length::Fill).height(TARGET).into()
}

/// The problem with the camera, if any.
fn camera_problem<'a>(screen: &Preview, context: &Context) -> Option<Element<'a, Message>> {
    let found = Notice::from(screen.camera_problem()?.clone());
    let words = (found.sentence(context.language), found.advice(context.language));
    Some(problem(words, Kind::Camera, context))
}

/// The problem with the sound, if any.
fn microphone_problem<'a>(screen: &Preview, context: &Context) -> Option<Element<'a, Message>> {
    let words = microphone_problem_words(screen, screen.microphone_problem()?, context);
    Some(problem(words, Kind::Microphone, context))
}

/// The sentence and the advice of a problem with the sound. A missing microphone has another text than one that cannot be
/// opened.
pub(super) fn microphone_problem_words(
    screen: &Preview,
    found: &engine::Notice,
    context: &Context,
) -> (String, String) {
    let none = screen.devices.present(Kind::Microphone).is_empty()
        && screen.devices.chosen(Kind::Microphone) == Device::Default;
    if found.kind == NoticeKind::NoMicrophone && none {
        return (context.text("preview-microphone-none"), context.text("preview-microphone-none.advice"));
    }
    let found = Notice::from(found.clone());
    (found.sentence(context.language), found.advice(context.language))
}

/// The field that opens the menu of the devices of a kind.
fn device_select<'a>(screen: &Preview, kind: Kind, context: &Context) -> Element<'a, Message> {
    let (id, label) = select_ids(kind);
    let value = device_name(&screen.devices, kind, &screen.devices.chosen(kind), context);
    let open = screen.menu == Some(Menu::Devices(kind));
    select(id, context.text(label), &value, open, Message::MenuPressed(Menu::Devices(kind)))
}

/// The text of a problem, its advice, and a button to check again.
fn problem<'a>((sentence, advice): (String, String), kind: Kind, context: &Context) -> Element<'a, Message> {
    let advice = text::caption(advice).style(text::tone(Tone::Dim));
    let (again, name) = match kind {
        Kind::Camera => ("again-camera", "preview-again-camera"),
        Kind::Microphone | Kind::Speaker => ("again-sound", "preview-again-microphone"),
    };
    let button =
        press(text::strong(context.text("preview-again")), &context.text(name), Some(Message::RetryPressed(kind)));
    let sentence = text::caption(sentence).style(text::tone(Tone::Warn)).width(Length::Fill);
    let symbol = icon(Icon::Warning).size(ICON_SMALL).tone(Tone::Warn);
    // The button is beside the sentence, so that the form with two problems fits a low window.
    let head = row![symbol, sentence, Element::from(button.id(again))].spacing(SPACE_S).align_y(Alignment::Center);
    column![head, advice].spacing(SPACE_XS).into()
}

/// The ids of the field and of its label.
pub(super) fn select_ids(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Camera => ("choose-camera", "preview-camera"),
        Kind::Microphone => ("choose-microphone", "preview-microphone"),
        Kind::Speaker => ("choose-speaker", "preview-speaker"),
    }
}
