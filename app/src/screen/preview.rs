//! Before entering: how one looks, how one sounds, under which name, with which devices.

mod form;

use accesskit::Role;
use engine::NoticeKind;
use iced::widget::{column, container, row, scrollable};
use iced::{Alignment, Length, Padding};

use super::preferences::{self, Part, Preference};
use super::{Context, device_lines, menu, worded};
use crate::kit::popup::Hanging;
use crate::kit::{Element, Icon, Press, Shortcut, elided, icon, popup, press, region, text};
use crate::model::{Device, Devices, Kind, View, initials, sentence};
use crate::pictures::Pictures;
use crate::stage::{Tile, stage};
use crate::theme::{self, Look, SPACE_L, SPACE_M, SPACE_S, SPACE_XL, TARGET_BAR, Tone};

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
    menu: Option<Menu>,
}

/// What hangs on a control of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Menu {
    /// Devices of a kind.
    Devices(Kind),
    /// Languages or themes.
    Preferences(Part),
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
    /// A menu was opened or closed.
    MenuPressed(Menu),
    /// A menu was closed.
    MenuClosed,
    /// A device was chosen.
    Chosen(Kind, Device),
    /// "Look again" was pressed where a device is missing.
    AgainPressed(Kind),
    /// A language or a theme was chosen.
    Preferred(Preference),
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
    /// Open the device of this kind that is chosen now, or close it.
    Reopen(Kind),
    /// Look for what is plugged in, then open the device of this kind.
    LookAgain(Kind),
    /// Speak, or look, like this.
    Prefer(Preference),
    /// Enter the meeting under this name.
    Enter(String),
}

/// The longest name, in characters.
const MAX_NAME_CHARS: usize = 64;

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

    /// Whether the others will see us: the camera is wanted, and there is one.
    pub fn is_seen(&self) -> bool {
        self.camera && self.blind().is_none()
    }

    /// Whether the others will hear us: the microphone is wanted, and there is one.
    pub fn is_heard(&self) -> bool {
        self.microphone && self.silent().is_none()
    }

    /// Why there is no picture, if something is wrong with it.
    fn blind(&self) -> Option<NoticeKind> {
        self.troubles.iter().copied().find(|trouble| is_blind(*trouble))
    }

    /// Why there is no sound, if something is wrong with it.
    fn silent(&self) -> Option<NoticeKind> {
        self.troubles.iter().copied().find(|trouble| !is_blind(*trouble))
    }

    /// Takes in what happened.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::BackPressed => Action::Back,
            Message::NameTyped(name) => {
                self.name = name;
                Action::None
            }
            Message::MicrophonePressed => self.press_microphone(),
            Message::CameraPressed => self.press_camera(),
            Message::MenuPressed(menu) => {
                self.menu = (self.menu != Some(menu)).then_some(menu);
                Action::None
            }
            Message::MenuClosed => {
                self.menu = None;
                Action::None
            }
            Message::Chosen(kind, device) => self.choose(kind, device),
            Message::AgainPressed(kind) => {
                self.forgive(kind);
                Action::LookAgain(kind)
            }
            Message::Preferred(preference) => {
                self.menu = None;
                Action::Prefer(preference)
            }
            Message::EnterPressed => self.enter(),
        }
    }

    fn press_microphone(&mut self) -> Action {
        match self.silent() {
            Some(kind) if is_absent(kind) => Action::None,
            Some(_) => {
                self.microphone = true;
                self.forgive(Kind::Microphone);
                Action::Reopen(Kind::Microphone)
            }
            None => {
                self.microphone = !self.microphone;
                Action::None
            }
        }
    }

    fn press_camera(&mut self) -> Action {
        match self.blind() {
            Some(kind) if is_absent(kind) => return Action::None,
            // What failed looks off: pressed, it tries again.
            Some(_) => self.camera = true,
            None => self.camera = !self.camera,
        }
        self.forgive(Kind::Camera);
        Action::Reopen(Kind::Camera)
    }

    fn enter(&mut self) -> Action {
        self.tried = true;
        if self.complaint().is_some() { Action::None } else { Action::Enter(self.name.trim().to_owned()) }
    }

    /// Another device, or another try: what was wrong is wrong no longer, until it is told again.
    fn forgive(&mut self, kind: Kind) {
        self.troubles.retain(|trouble| is_blind(*trouble) != (kind == Kind::Camera));
        if kind == Kind::Camera {
            self.picture = Picture::Opening;
        }
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
        match kind {
            Kind::Camera => self.camera = device != Device::Off,
            Kind::Microphone => self.microphone = device != Device::Off,
            Kind::Speaker => {}
        }
        if kind != Kind::Speaker {
            self.forgive(kind);
        }
        self.devices.choose(kind, device);
        Action::Reopen(kind)
    }

    /// The id of what is wrong with the name.
    fn complaint(&self) -> Option<&'static str> {
        let name = self.name.trim();
        if name.is_empty() {
            Some("preview-name-empty")
        } else {
            (name.chars().count() > MAX_NAME_CHARS).then_some("preview-name-long")
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
        let heading = region(Role::Banner, &title, self.heading(title.clone(), place, context));
        let body = scrollable(self.body(context, pictures)).height(Length::Fill);
        let page = column![heading, region(Role::Main, &title, body)];
        let page = container(page).width(Length::Fill).height(Length::Fill).style(theme::page);
        popup(page, self.menu.map(|menu| self.hanging(menu, context)))
    }

    /// The way back, where one is, and how the client speaks and looks.
    fn heading(&self, title: String, place: String, context: &Context) -> Element<'_, Message> {
        let back = worded(Icon::Back, context.say("action-back"), "", Some(Message::BackPressed));
        let back = back.id("back").look(Look::Quiet);
        // In a small window the place gives way: it is said again where it matters, in the link.
        let place = (context.size.width >= NARROW).then(|| Element::from(elided(place).tone(Tone::Dim)));
        let words = row![Element::from(elided(title).title())].push(place).spacing(SPACE_M).align_y(Alignment::Center);
        let open = self.menu.and_then(|menu| if let Menu::Preferences(part) = menu { Some(part) } else { None });
        let controls = preferences::controls(context, open, |part| Message::MenuPressed(Menu::Preferences(part)));
        let bar = row![Element::from(back), container(words).width(Length::Fill), controls];
        container(bar.spacing(SPACE_L).align_y(Alignment::Center)).padding([SPACE_M, SPACE_L]).into()
    }

    fn body(&self, context: &Context, pictures: &Pictures) -> Element<'_, Message> {
        let room = context.size.width - 2.0 * SPACE_XL;
        let side = room > FORM + SPACE_XL + MIN_PICTURE;
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
            view: View::Own,
            label: context.say("preview-picture"),
            name: "".into(),
            initials: initials(&self.name).into(),
            colour: theme::AVATARS[9],
            muted: !self.is_heard(),
            speaking: false,
            mirrored: true,
            feed: self.is_seen().then(|| pictures.feed(View::Own)),
        };
        let height = width / crate::grid::SHAPE;
        let words = match (self.camera, self.blind(), self.picture) {
            (_, Some(kind), _) => Some(sentence::notice(kind)),
            (false, None, _) => Some("preview-camera-off"),
            (true, None, Picture::Missing) => Some("preview-camera-none"),
            (true, None, Picture::Opening) => Some("preview-camera-wait"),
            (true, None, Picture::Shown) => None,
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

    /// The two switches show what is so: a device that is not there cannot be on.
    fn toggles(&self, context: &Context) -> Element<'_, Message> {
        let absent = |kind: Option<NoticeKind>| kind.filter(|kind| is_absent(*kind));
        let microphone = Switch {
            id: "microphone",
            signs: (Icon::Microphone, Icon::MicrophoneOff),
            words: ("meeting-mute-on", "meeting-mute-off", "meeting-mute-none"),
            name: "meeting-mute-name",
            on: self.is_heard(),
            // This switch mutes: pressed in, it is off.
            toggled: !self.is_heard(),
            absent: absent(self.silent()).map(|kind| self.sound_words(kind)),
            pressed: Message::MicrophonePressed,
        };
        let camera = Switch {
            id: "camera",
            signs: (Icon::Camera, Icon::CameraOff),
            words: ("meeting-camera-on", "meeting-camera-off", "meeting-camera-none"),
            name: "meeting-camera-name",
            on: self.is_seen(),
            toggled: self.is_seen(),
            absent: absent(self.blind()).map(sentence::notice),
            pressed: Message::CameraPressed,
        };
        let both = row![microphone.view(context), camera.view(context)].spacing(SPACE_S);
        container(both).center_x(Length::Fill).into()
    }

    fn hanging(&self, which: Menu, context: &Context) -> Hanging<'_, Message> {
        let kind = match which {
            Menu::Devices(kind) => kind,
            Menu::Preferences(part) => {
                return preferences::hanging(part, context, Message::Preferred, Message::MenuClosed);
            }
        };
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
    use NoticeKind::{BadFile, CameraFailed, CameraLost, CameraTaken, FileFormat, NoCamera};
    matches!(kind, NoCamera | CameraTaken | CameraLost | CameraFailed | BadFile | FileFormat)
}

/// Whether a trouble means that there is nothing to switch on.
const fn is_absent(kind: NoticeKind) -> bool {
    matches!(kind, NoticeKind::NoCamera | NoticeKind::NoSound | NoticeKind::NoMicrophone)
}

/// Below this width of the window the heading says less.
const NARROW: f32 = 760.0;
/// Width of the column of fields.
const FORM: f32 = 330.0;
/// A narrower picture than this goes above the fields.
const MIN_PICTURE: f32 = 380.0;
/// The picture needs to be no wider than this.
const WIDEST_PICTURE: f32 = 760.0;

fn names(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Camera => ("choose-camera", "preview-camera"),
        Kind::Microphone => ("choose-microphone", "preview-microphone"),
        Kind::Speaker => ("choose-speaker", "preview-speaker"),
    }
}

/// A switch of the bar: its sign and its word say the state.
struct Switch {
    id: &'static str,
    signs: (Icon, Icon),
    /// On, off, and nothing to switch.
    words: (&'static str, &'static str, &'static str),
    name: &'static str,
    on: bool,
    toggled: bool,
    /// Why there is nothing to switch on.
    absent: Option<&'static str>,
    pressed: Message,
}

impl Switch {
    fn view<'a>(self, context: &Context) -> Element<'a, Message> {
        let (sign, word) = match (self.on, self.absent) {
            (true, _) => (self.signs.0, self.words.0),
            (false, None) => (self.signs.1, self.words.1),
            (false, Some(_)) => (self.signs.1, self.words.2),
        };
        let inside = row![icon(sign), text::strong(context.say(word))].spacing(SPACE_S).align_y(Alignment::Center);
        let message = self.absent.is_none().then_some(self.pressed);
        let control: Press<'a, Message> = press(inside, &context.say(self.name), message);
        let control = control.id(self.id).toggled(self.toggled).description(self.absent.map(|id| context.say(id)));
        let look = if self.on { Look::Bar } else { Look::BarOff };
        control.look(look).height(TARGET_BAR).padding([0.0, SPACE_L]).into()
    }
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
        assert_eq!(preview.update(Message::Chosen(Kind::Camera, Device::Synthetic)), Action::Reopen(Kind::Camera));
        assert!(preview.is_seen());
        assert_eq!(preview.update(Message::Chosen(Kind::Camera, Device::Off)), Action::Reopen(Kind::Camera));
        assert!(!preview.is_seen());
    }

    #[test]
    fn what_is_not_there_is_not_on() {
        let mut preview = preview("Anne");
        assert!(preview.is_seen() && preview.is_heard());
        preview.trouble(NoticeKind::NoCamera);
        preview.trouble(NoticeKind::NoMicrophone);
        assert!(!preview.is_seen() && !preview.is_heard());
        assert_eq!(preview.update(Message::CameraPressed), Action::None, "there is nothing to switch on");
        assert_eq!(preview.update(Message::MicrophonePressed), Action::None);
        assert_eq!(preview.update(Message::AgainPressed(Kind::Camera)), Action::LookAgain(Kind::Camera));
        assert!(preview.is_seen() && !preview.is_heard(), "one device was looked for, not the other");
    }

    #[test]
    fn a_camera_that_was_taken_is_tried_again_when_it_is_pressed() {
        let mut preview = preview("Anne");
        preview.trouble(NoticeKind::CameraTaken);
        assert!(!preview.is_seen());
        assert_eq!(preview.update(Message::CameraPressed), Action::Reopen(Kind::Camera));
        assert!(preview.is_seen());
    }
}
