//! The fields of the preview: the name, the devices and what is wrong with them, the way in.

use engine::NoticeKind;
use iced::widget::{column, container, row};
use iced::{Length, Padding};

use super::{Menu, Message, Preview, Purpose, names};
use crate::kit::field::Field;
use crate::kit::{Element, Icon, field, icon, meter, press, text};
use crate::model::{Device, Kind, sentence};
use crate::screen::{Context, device_name, select};
use crate::theme::{ICON_SMALL, Look, SPACE_L, SPACE_S, SPACE_XS, TARGET_BAR, Tone};

impl Preview {
    pub(super) fn form(&self, context: &Context) -> Element<'_, Message> {
        let error = self.complaint().filter(|_| self.tried).map(|id| context.say(id));
        let name = field(Field {
            id: "name",
            label: context.say("preview-name"),
            labelled: true,
            value: &self.name,
            placeholder: context.say("preview-name-placeholder"),
            error,
            beside: None,
            on_input: Message::NameTyped,
            on_submit: Some(Message::EnterPressed),
        });
        let level = if self.is_heard() { self.level } else { 0.0 };
        let camera = column![self.select(Kind::Camera, context)].push(self.camera_trouble(context));
        let microphone = column![self.select(Kind::Microphone, context), meter(&context.say("preview-level"), level)];
        let enter = match self.purpose {
            Purpose::Start => context.say("preview-start"),
            Purpose::Join { .. } => context.say("preview-join"),
        };
        let enter = press(text::strong(enter), "", Some(Message::EnterPressed))
            .id("enter")
            .look(Look::Primary)
            .width(Length::Fill)
            .height(TARGET_BAR);
        let sealed = row![
            icon(Icon::Lock).size(ICON_SMALL).tone(Tone::Good),
            text::caption(context.say("preview-sealed")).style(text::tone(Tone::Dim)).width(Length::Fill)
        ];
        column![
            name,
            camera.spacing(SPACE_S),
            microphone.push(self.sound_trouble(context)).spacing(SPACE_S),
            self.select(Kind::Speaker, context),
            Element::from(enter),
            sealed.spacing(SPACE_S),
        ]
        .spacing(SPACE_L)
        .into()
    }

    /// What is wrong with the picture, and what to do.
    fn camera_trouble(&self, context: &Context) -> Option<Element<'_, Message>> {
        self.blind().map(|kind| trouble(sentence::notice(kind), Kind::Camera, context))
    }

    /// What is wrong with the sound, and what to do.
    fn sound_trouble(&self, context: &Context) -> Option<Element<'_, Message>> {
        self.silent().map(|kind| trouble(self.sound_words(kind), Kind::Microphone, context))
    }

    /// The id of what is wrong with the sound: one that does not open is something else than none at all.
    pub(super) fn sound_words(&self, kind: NoticeKind) -> &'static str {
        let none = self.devices.present(Kind::Microphone).is_empty()
            && self.devices.chosen(Kind::Microphone) == Device::Default;
        if kind == NoticeKind::NoMicrophone && none { "preview-microphone-none" } else { sentence::notice(kind) }
    }

    fn select(&self, kind: Kind, context: &Context) -> Element<'_, Message> {
        let (id, label) = names(kind);
        let value = device_name(&self.devices, kind, &self.devices.chosen(kind), context);
        let open = self.menu == Some(Menu::Devices(kind));
        select(id, context.say(label), &value, open, Message::MenuPressed(Menu::Devices(kind)))
    }
}

/// The sentence with this id, its advice, and a button to look again.
fn trouble<'a>(id: &str, kind: Kind, context: &Context) -> Element<'a, Message> {
    let advice = text::caption(context.say(&format!("{id}.advice"))).style(text::tone(Tone::Dim));
    let (again, name) = match kind {
        Kind::Camera => ("again-camera", "preview-again-camera"),
        Kind::Microphone | Kind::Speaker => ("again-sound", "preview-again-microphone"),
    };
    let button =
        press(text::strong(context.say("preview-again")), &context.say(name), Some(Message::AgainPressed(kind)));
    let words = column![
        text::caption(context.say(id)).style(text::tone(Tone::Warn)),
        advice,
        container(Element::from(button.id(again))).padding(Padding::ZERO.top(SPACE_XS))
    ];
    let sign = icon(Icon::Warning).size(ICON_SMALL).tone(Tone::Warn);
    row![sign, words.width(Length::Fill)].spacing(SPACE_S).into()
}
