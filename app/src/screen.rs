//! The screens. Each is a module with five names: its state, `Message`, `Action`, `update` and `view`. A screen uses no
//! other screen and does no I/O: `app` carries out its actions.

pub mod asking;
mod confirmation;
pub mod end_dialog;
pub mod ended;
pub mod entering;
pub mod home;
mod lobby_chat;
pub mod meeting;
pub mod notice;
pub mod preferences;
pub mod preview;
pub(crate) mod shortcuts;

use std::time::Instant;

use accesskit::Role;
use iced::widget::{Column, column, container, row, scrollable, space};
use iced::{Alignment, Length, Size};

use crate::kit::{Element, Icon, Press, elided, icon, press, text};
use crate::locale::Language;
use crate::model::bandwidth::Bandwidth;
use crate::model::{Device, Devices, Kind};
use crate::theme::{self, Choice, ICON_SMALL, Look, SPACE_S, SPACE_XS, TARGET_FORM};

/// What a view needs to know about its window.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// The language of the user.
    pub language: Language,
    /// The chosen theme.
    pub theme: Choice,
    /// How much of the network may be used.
    pub bandwidth: Bandwidth,
    /// Animations are off.
    pub reduced_motion: bool,
    /// The size of the window, in logical pixels.
    pub size: Size,
    /// Physical pixels per logical pixel.
    pub scale: f32,
    /// The current time.
    pub now: Instant,
}

impl Context {
    /// The text with this id in the language of the user.
    pub fn text(&self, id: &str) -> String {
        self.language.text(id)
    }
}

/// A menu item that is one of several choices.
pub(crate) fn choice<'a, Message: Clone + 'a>(label: &str, chosen: bool, message: Message) -> Element<'a, Message> {
    let mark: Element<'a, Message> =
        if chosen { icon(Icon::Check).size(ICON_SMALL).into() } else { space().width(ICON_SMALL).into() };
    let line = row![mark, Element::from(elided(label).width(Length::Fill))].spacing(SPACE_S).align_y(Alignment::Center);
    press(line, label, Some(message))
        .role(Role::MenuItemRadio)
        .toggled(chosen)
        .look(Look::Item)
        .width(Length::Fill)
        .padding([SPACE_XS, SPACE_S])
        .into()
}

/// A line that is on or off: an item of a menu, or a check box of a dialog. The label can have several lines.
pub(crate) fn check<'a, Message: Clone + 'a>(
    label: &str,
    role: Role,
    on: bool,
    message: Message,
) -> Press<'a, Message> {
    check_if(label, role, on, Some(message))
}

/// Works like [`check`]. Without a message, the line cannot be used.
pub(crate) fn check_if<'a, Message: Clone + 'a>(
    label: &str,
    role: Role,
    on: bool,
    message: Option<Message>,
) -> Press<'a, Message> {
    let mark: Element<'a, Message> =
        if on { icon(Icon::Check).size(ICON_SMALL).into() } else { space().width(ICON_SMALL).into() };
    let mark = container(mark).center(CHECK_BOX);
    let mark = if role == Role::CheckBox { mark.style(theme::check_box) } else { mark };
    let line =
        row![mark, text::small(label.to_owned()).width(Length::Fill)].spacing(SPACE_S).align_y(Alignment::Center);
    press(line, label, message).role(role).toggled(on).look(Look::Item).width(Length::Fill).padding([SPACE_XS, SPACE_S])
}

/// The side of a check box, in logical pixels.
const CHECK_BOX: f32 = 20.0;

/// The frame of a menu around its items.
pub(crate) fn menu<'a, Message: 'a>(lines: Column<'a, Message, theme::Theme, iced::Renderer>) -> Element<'a, Message> {
    // In a low window, a long menu scrolls.
    container(scrollable(lines.spacing(2.0))).width(MENU_WIDTH).padding(SPACE_XS + 2.0).style(theme::menu).into()
}

/// The width of a menu, in logical pixels.
const MENU_WIDTH: f32 = 290.0;

/// A heading inside a menu.
pub(crate) fn menu_heading<'a, Message: 'a>(heading: String) -> Element<'a, Message> {
    container(text::caption(heading).style(text::tone(theme::Tone::Dim))).padding([SPACE_XS, SPACE_S]).into()
}

/// The name of a device in a menu. The default camera is the first one, so it has the name of that camera.
pub(crate) fn device_name(devices: &Devices, kind: Kind, device: &Device, context: &Context) -> String {
    match device {
        Device::Off if kind == Kind::Camera => context.text("device-none-camera"),
        Device::Off => context.text("device-none-sound"),
        Device::Default if kind == Kind::Camera && devices.lacks(kind) => context.text("meeting-camera-none"),
        Device::Default if kind == Kind::Microphone && devices.lacks(kind) => context.text("meeting-mute-none"),
        Device::Default => devices
            .present(kind)
            .first()
            .filter(|_| kind == Kind::Camera)
            .map_or_else(|| context.text(default_device(kind)), |first| first.name.clone()),
        Device::Synthetic => context.text("device-synthetic"),
        Device::Named(id) => {
            let known = devices.present(kind).iter().find(|present| present.id == *id);
            let missing = || {
                let name = devices.name_of_missing(id);
                context.language.with("device-unplugged", &[("name", name.into())])
            };
            known.map_or_else(missing, |present| present.name.clone())
        }
        Device::File(path) => {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            context.language.with("device-file", &[("name", name.into())])
        }
    }
}

/// The id of the text for the default device of a kind.
const fn default_device(kind: Kind) -> &'static str {
    match kind {
        Kind::Camera => "device-default-camera",
        Kind::Microphone => "device-default-microphone",
        Kind::Speaker => "device-default-speaker",
    }
}

/// The items of a menu of devices.
pub(crate) fn device_lines<'a, Message: Clone + 'a>(
    devices: &Devices,
    kind: Kind,
    context: &Context,
    chosen: impl Fn(Kind, Device) -> Message,
) -> Vec<Element<'a, Message>> {
    let mut lines = Vec::new();
    for device in devices.choices(kind) {
        // The default camera is the first one, which is listed by its name.
        if kind == Kind::Camera && device == Device::Default && !devices.present(kind).is_empty() {
            continue;
        }
        let current = devices.chosen(kind);
        let is_current = device == current
            || (kind == Kind::Camera
                && current == Device::Default
                && devices.present(kind).first().is_some_and(|first| device == Device::Named(first.id.clone())));
        lines.push(choice(&device_name(devices, kind, &device, context), is_current, chosen(kind, device)));
    }
    lines
}

/// A labelled field that shows the current choice and opens a menu.
pub(crate) fn select<'a, Message: Clone + 'a>(
    id: &'static str,
    label: String,
    value: &str,
    open: bool,
    message: Message,
) -> Element<'a, Message> {
    let line = row![Element::from(elided(value).width(Length::Fill)), icon(Icon::Down).size(ICON_SMALL)]
        .spacing(SPACE_S)
        .align_y(Alignment::Center);
    let control = press(line, &format!("{label}, {value}"), Some(message))
        .id(id)
        .expanded(open)
        .look(Look::Field)
        .width(Length::Fill)
        .height(TARGET_FORM);
    column![text::strong(label), Element::from(control)].spacing(SPACE_XS + 2.0).into()
}

/// A button with an icon and a text. `name` is its accessible name; if it is empty, the text is the name.
pub(crate) fn icon_button<'a, Message: Clone + 'a>(
    symbol: Icon,
    label: String,
    name: &str,
    message: Option<Message>,
) -> Press<'a, Message> {
    let content = row![icon(symbol), text::strong(label)].spacing(SPACE_S).align_y(Alignment::Center);
    press(content, name, message)
}
