//! Before entering: how one looks, how one sounds, under which name, with which devices.

use accesskit::Role;
use iced::widget::{column, container, row, scrollable};
use iced::{Alignment, Length, Padding};

use super::{Context, device_lines, device_name, home, menu, select};
use crate::kit::field::Field;
use crate::kit::popup::Hanging;
use crate::kit::{Element, Icon, Press, Shortcut, field, icon, meter, popup, press, region, text};
use crate::model::{Device, Devices, Kind, NoticeKind, SELF, initials};
use crate::pictures::Pictures;
use crate::stage::{Tile, stage};
use crate::theme::{self, ICON_SMALL, Look, SPACE_L, SPACE_M, SPACE_S, SPACE_XL, TARGET_BAR, TARGET_FORM, Tone};

/// Which meeting is being prepared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A new one.
    Start,
    /// One of somebody else, on this server.
    Join {
        /// The server.
        host: String,
    },
}

/// Whether there is a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Picture {
    /// The device is being opened.
    #[default]
    Opening,
    /// It is there.
    Shown,
    /// No camera.
    Missing,
}

/// What the screen remembers.
#[derive(Clone, Debug)]
pub struct Preview {
    /// Which meeting.
    pub purpose: Purpose,
    /// The name as typed.
    pub name: String,
    /// The microphone will be open.
    pub microphone: bool,
    /// The camera will be on.
    pub camera: bool,
    /// What is plugged in and chosen.
    pub devices: Devices,
    /// What the microphone hears, 0.0 to 1.0.
    pub level: f32,
    /// Whether there is a picture.
    pub picture: Picture,
    /// Why there is no picture, or no sound.
    troubles: Vec<NoticeKind>,
    /// "Enter" was pressed once: from now a missing name is said.
    tried: bool,
    menu: Option<Kind>,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Message {
    /// Back was pressed.
    BackPressed,
    /// The name's text changed.
    NameTyped(String),
    /// The microphone button was pressed.
    MicrophonePressed,
    /// The camera button was pressed.
    CameraPressed,
    /// A menu of devices was opened or closed.
    DevicesPressed(Kind),
    /// A menu was closed.
    MenuClosed,
    /// A device was chosen.
    Chosen(Kind, Device),
    /// "Enter" was pressed.
    EnterPressed,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    None,
    /// Back home.
    Back,
    /// Open other devices.
    Reopen,
    /// Enter the meeting under this name.
    Enter(String),
}

/// The longest name, in characters.
const LONGEST: usize = 64;

impl Preview {
    /// For this meeting, under the name of the last time.
    pub fn new(purpose: Purpose, name: String, devices: Devices) -> Self {
        let camera = devices.chosen(Kind::Camera) != Device::Off;
        let microphone = devices.chosen(Kind::Microphone) != Device::Off;
        Self {
            purpose,
            name,
            microphone,
            camera,
            devices,
            level: 0.0,
            picture: Picture::Opening,
            troubles: Vec::new(),
            tried: false,
            menu: None,
        }
    }

    /// A device cannot be used: said where the device is chosen, so that nothing covers the way in.
    pub fn trouble(&mut self, kind: NoticeKind) {
        if is_blind(kind) {
            self.picture = Picture::Missing;
        }
        if !self.troubles.contains(&kind) {
            self.troubles.push(kind);
        }
    }

    /// Takes in what happened.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::BackPressed => return Action::Back,
            Message::NameTyped(name) => self.name = name,
            Message::MicrophonePressed => self.microphone = !self.microphone,
            Message::CameraPressed => {
                self.camera = !self.camera;
                self.picture = Picture::Opening;
                self.troubles.retain(|trouble| !is_blind(*trouble));
                return Action::Reopen;
            }
            Message::DevicesPressed(kind) => self.menu = if self.menu == Some(kind) { None } else { Some(kind) },
            Message::MenuClosed => self.menu = None,
            Message::Chosen(kind, device) => return self.choose(kind, device),
            Message::EnterPressed => {
                self.tried = true;
                if self.complaint().is_none() {
                    return Action::Enter(self.name.trim().to_owned());
                }
            }
        }
        Action::None
    }

    /// What a shortcut means here.
    pub fn shortcut(&self, shortcut: Shortcut) -> Option<Message> {
        match shortcut {
            Shortcut::Mute => Some(Message::MicrophonePressed),
            Shortcut::Camera => Some(Message::CameraPressed),
            Shortcut::Close if self.menu.is_some() => Some(Message::MenuClosed),
            Shortcut::Close => Some(Message::BackPressed),
            Shortcut::Share | Shortcut::People | Shortcut::FullScreen | Shortcut::Talk(_) => None,
        }
    }

    fn choose(&mut self, kind: Kind, device: Device) -> Action {
        self.menu = None;
        self.troubles.retain(|trouble| is_blind(*trouble) != (kind == Kind::Camera));
        match kind {
            Kind::Camera => {
                self.camera = device != Device::Off;
                self.picture = Picture::Opening;
            }
            Kind::Microphone => self.microphone = device != Device::Off,
            Kind::Speaker => {}
        }
        self.devices.choose(kind, device);
        Action::Reopen
    }

    /// The id of what is wrong with the name.
    fn complaint(&self) -> Option<&'static str> {
        let name = self.name.trim();
        if name.is_empty() {
            Some("preview-name-empty")
        } else {
            (name.chars().count() > LONGEST).then_some("preview-name-long")
        }
    }

    /// The screen.
    pub fn view(&self, context: &Context, pictures: &Pictures) -> Element<'_, Message> {
        let (title, place) = match &self.purpose {
            Purpose::Start => (context.say("preview-start-title"), context.say("preview-here")),
            Purpose::Join { host } => {
                let place = context.language.with("preview-on-host", &[("host", host.as_str().into())]);
                (context.say("preview-join-title"), place)
            }
        };
        let heading = region(Role::Banner, &title, home::heading(context, title.clone(), place, Message::BackPressed));
        let body = scrollable(self.body(context, pictures)).height(Length::Fill);
        let page = column![heading, region(Role::Main, &title, body)];
        let page = container(page).width(Length::Fill).height(Length::Fill).style(theme::page);
        popup(page, self.menu.map(|kind| self.hanging(kind, context)))
    }

    fn body(&self, context: &Context, pictures: &Pictures) -> Element<'_, Message> {
        let room = context.size.width - 2.0 * SPACE_XL;
        let side = room > FORM + SPACE_XL + LEAST_PICTURE;
        let width = if side { room - FORM - SPACE_XL } else { room };
        // Never so tall that the fields below it, or the way in, are out of sight.
        let width = width.min(WIDEST_PICTURE).min(context.size.height * TALLEST_PICTURE * crate::grid::SHAPE);
        let left = column![self.picture(width, context, pictures), self.toggles(context)].spacing(SPACE_L).width(width);
        let form = self.form(context);
        let body: Element<'_, Message> = if side {
            row![left, container(form).width(FORM)].spacing(SPACE_XL).into()
        } else {
            column![left, container(form).width(width.max(FORM))].spacing(SPACE_XL).align_x(Alignment::Center).into()
        };
        // In a tall window the whole hangs a little above the middle.
        let used = width / crate::grid::SHAPE + TARGET_BAR + HEADING + 2.0 * SPACE_L;
        let above = if side { ((context.size.height - used) * 0.4).max(SPACE_L) } else { SPACE_L };
        container(body).center_x(Length::Fill).padding(Padding::from([SPACE_L, SPACE_XL]).top(above)).into()
    }

    fn picture(&self, width: f32, context: &Context, pictures: &Pictures) -> Element<'_, Message> {
        let tile = Tile {
            view: SELF,
            label: context.say("preview-picture"),
            name: "".into(),
            initials: initials(&self.name).into(),
            colour: theme::AVATARS[9],
            muted: !self.microphone,
            speaking: false,
            mirrored: true,
            feed: self.camera.then(|| pictures.feed(SELF)),
        };
        let height = width / crate::grid::SHAPE;
        let blind = self.troubles.iter().find(|trouble| is_blind(**trouble)).map(|trouble| trouble.id());
        let words = match (self.camera, self.picture) {
            (false, _) => Some("preview-camera-off"),
            (true, Picture::Missing) => Some(blind.unwrap_or("preview-camera-none")),
            (true, Picture::Opening) => Some("preview-camera-wait"),
            (true, Picture::Shown) => None,
        };
        let words = words.map(|id| {
            let words = container(text::small(context.say(id))).padding([SPACE_S - 2.0, SPACE_M]).style(theme::scrim);
            container(words)
                .width(Length::Fill)
                .height(Length::Fill)
                .align_bottom(height)
                .align_x(Alignment::Center)
                .padding(SPACE_L)
        });
        let stage = Element::from(stage(&context.say("preview-picture"), vec![tile], context.scale));
        let layers = iced::widget::Stack::new().push(stage).push(words.map(Element::from));
        container(layers).width(width).height(height).into()
    }

    fn toggles(&self, context: &Context) -> Element<'_, Message> {
        let microphone = switch(
            (Icon::Microphone, Icon::MicrophoneOff),
            self.microphone,
            (context.say("meeting-mute-on"), context.say("meeting-mute-off")),
        );
        let microphone = microphone.id("microphone");
        let camera = switch(
            (Icon::Camera, Icon::CameraOff),
            self.camera,
            (context.say("meeting-camera-on"), context.say("meeting-camera-off")),
        );
        let microphone =
            press_with(microphone, &context.say("meeting-mute-name"), !self.microphone, Message::MicrophonePressed);
        let camera =
            press_with(camera.id("camera"), &context.say("meeting-camera-name"), self.camera, Message::CameraPressed);
        container(row![microphone, camera].spacing(SPACE_S)).center_x(Length::Fill).into()
    }

    fn form(&self, context: &Context) -> Element<'_, Message> {
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
        let level = if self.microphone { self.level } else { 0.0 };
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
            self.select(Kind::Camera, context),
            microphone.push(self.sound_trouble(context)).spacing(SPACE_S),
            self.select(Kind::Speaker, context),
            Element::from(enter),
            sealed.spacing(SPACE_S),
        ]
        .spacing(SPACE_L)
        .into()
    }

    /// What is wrong with the sound, and what to do.
    fn sound_trouble(&self, context: &Context) -> Option<Element<'_, Message>> {
        let trouble = self.troubles.iter().find(|trouble| !is_blind(**trouble))?;
        let advice = text::caption(context.say(&format!("{}.advice", trouble.id()))).style(text::tone(Tone::Dim));
        let words = column![text::caption(context.say(trouble.id())).style(text::tone(Tone::Warn)), advice];
        let sign = icon(Icon::Warning).size(ICON_SMALL).tone(Tone::Warn);
        Some(row![sign, words.width(Length::Fill)].spacing(SPACE_S).into())
    }

    fn select(&self, kind: Kind, context: &Context) -> Element<'_, Message> {
        let (id, label) = names(kind);
        let value = device_name(&self.devices, kind, &self.devices.chosen(kind), context);
        select(id, context.say(label), &value, self.menu == Some(kind), Message::DevicesPressed(kind))
    }

    fn hanging(&self, kind: Kind, context: &Context) -> Hanging<'_, Message> {
        let (anchor, label) = names(kind);
        let lines = device_lines(&self.devices, kind, context, Message::Chosen);
        let inside = menu(iced::widget::Column::with_children(lines));
        Hanging { anchor, label: context.say(label), content: inside, on_close: Message::MenuClosed }
    }
}

/// The picture's share of the window's height.
const TALLEST_PICTURE: f32 = 0.6;
/// Height of the line with the way back.
const HEADING: f32 = 56.0;
/// Whether a trouble means that there is no picture.
const fn is_blind(kind: NoticeKind) -> bool {
    matches!(kind, NoticeKind::NoCamera | NoticeKind::CameraTaken | NoticeKind::CameraLost | NoticeKind::BadFile)
}

/// Width of the column of fields.
const FORM: f32 = 330.0;
/// A narrower picture than this goes above the fields.
const LEAST_PICTURE: f32 = 380.0;
/// The picture needs to be no wider than this.
const WIDEST_PICTURE: f32 = 760.0;

fn names(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Camera => ("choose-camera", "preview-camera"),
        Kind::Microphone => ("choose-microphone", "preview-microphone"),
        Kind::Speaker => ("choose-speaker", "preview-speaker"),
    }
}

/// A round-cornered switch of the bar: its sign and its word say the state.
fn switch<'a>((sign, off): (Icon, Icon), on: bool, (word, word_off): (String, String)) -> Switch<'a> {
    let look = if on { Look::Bar } else { Look::BarOff };
    let (sign, word) = if on { (sign, word) } else { (off, word_off) };
    let inside = row![icon(sign), text::strong(word)].spacing(SPACE_S).align_y(Alignment::Center);
    Switch { content: inside.into(), look, id: "" }
}

struct Switch<'a> {
    content: Element<'a, Message>,
    look: Look,
    id: &'static str,
}

impl Switch<'_> {
    fn id(self, id: &'static str) -> Self {
        Self { id, ..self }
    }
}

fn press_with<'a>(switch: Switch<'a>, name: &str, toggled: bool, message: Message) -> Element<'a, Message> {
    let control: Press<'a, Message> = press(switch.content, name, Some(message));
    let padding = [0.0, SPACE_L];
    control.id(switch.id).toggled(toggled).look(switch.look).height(TARGET_BAR.max(TARGET_FORM)).padding(padding).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preview(name: &str) -> Preview {
        Preview::new(Purpose::Start, name.into(), Devices::default())
    }

    #[test]
    fn nobody_enters_without_a_name() {
        for (name, expected) in [
            ("", Action::None),
            ("   ", Action::None),
            (" Anne ", Action::Enter("Anne".into())),
            (&"x".repeat(65), Action::None),
            (&"é".repeat(64), Action::Enter("é".repeat(64))),
        ] {
            assert_eq!(preview(name).update(Message::EnterPressed), expected, "{name:?}");
        }
    }

    #[test]
    fn a_chosen_camera_is_opened_and_on() {
        let mut preview = preview("Anne");
        preview.camera = false;
        assert_eq!(preview.update(Message::Chosen(Kind::Camera, Device::Synthetic)), Action::Reopen);
        assert!(preview.camera);
        assert_eq!(preview.update(Message::Chosen(Kind::Camera, Device::Off)), Action::Reopen);
        assert!(!preview.camera);
    }
}
