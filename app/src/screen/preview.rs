//! Before entering: how one looks, how one sounds, under which name, with which devices.

mod form;
mod view;

use super::preferences::{Part, Preference};
use crate::kit::Shortcut;
use crate::model::{Device, Devices, Kind, NoticeKind};

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
    problems: Vec<NoticeKind>,
    /// "Enter" was pressed once: from now a missing name is said.
    submitted: bool,
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
    RetryPressed(Kind),
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
    Rescan(Kind),
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
            problems: Vec::new(),
            submitted: false,
            menu: None,
        }
    }

    /// A device cannot be used: said where the device is chosen, so that nothing covers the way in.
    pub fn report_problem(&mut self, kind: NoticeKind) {
        if is_camera_problem(kind) {
            self.picture = Picture::Missing;
        }
        if !self.problems.contains(&kind) {
            self.problems.push(kind);
        }
    }

    /// Whether the others will see us: the camera is wanted, and there is one.
    pub fn is_camera_on(&self) -> bool {
        self.camera && self.camera_problem().is_none()
    }

    /// Whether the others will hear us: the microphone is wanted, and there is one.
    pub fn is_microphone_on(&self) -> bool {
        self.microphone && self.microphone_problem().is_none()
    }

    /// Why there is no picture, if something is wrong with it.
    fn camera_problem(&self) -> Option<NoticeKind> {
        self.problems.iter().copied().find(|problem| is_camera_problem(*problem))
    }

    /// Why there is no sound, if something is wrong with it.
    fn microphone_problem(&self) -> Option<NoticeKind> {
        self.problems.iter().copied().find(|problem| !is_camera_problem(*problem))
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
            Message::RetryPressed(kind) => {
                self.clear_problem(kind);
                Action::Rescan(kind)
            }
            Message::Preferred(preference) => {
                self.menu = None;
                Action::Prefer(preference)
            }
            Message::EnterPressed => self.enter(),
        }
    }

    fn press_microphone(&mut self) -> Action {
        match self.microphone_problem() {
            Some(kind) if is_missing(kind) => Action::None,
            Some(_) => {
                self.microphone = true;
                self.clear_problem(Kind::Microphone);
                Action::Reopen(Kind::Microphone)
            }
            None => {
                self.microphone = !self.microphone;
                Action::None
            }
        }
    }

    fn press_camera(&mut self) -> Action {
        match self.camera_problem() {
            Some(kind) if is_missing(kind) => return Action::None,
            // What failed looks off: pressed, it tries again.
            Some(_) => self.camera = true,
            None => self.camera = !self.camera,
        }
        self.clear_problem(Kind::Camera);
        Action::Reopen(Kind::Camera)
    }

    fn enter(&mut self) -> Action {
        self.submitted = true;
        if self.name_error().is_some() { Action::None } else { Action::Enter(self.name.trim().to_owned()) }
    }

    /// Another device, or another try: what was wrong is wrong no longer, until it is told again.
    fn clear_problem(&mut self, kind: Kind) {
        self.problems.retain(|problem| is_camera_problem(*problem) != (kind == Kind::Camera));
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
            Shortcut::Share | Shortcut::People | Shortcut::FullScreen | Shortcut::PushToTalk(_) => None,
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
            self.clear_problem(kind);
        }
        self.devices.choose(kind, device);
        Action::Reopen(kind)
    }

    /// The id of what is wrong with the name.
    fn name_error(&self) -> Option<&'static str> {
        let name = self.name.trim();
        if name.is_empty() {
            Some("preview-name-empty")
        } else {
            (name.chars().count() > MAX_NAME_CHARS).then_some("preview-name-long")
        }
    }
}

/// Whether a trouble means that there is no picture.
const fn is_camera_problem(kind: NoticeKind) -> bool {
    use NoticeKind::{BadFile, CameraFailed, CameraLost, CameraTaken, FileFormat, NoCamera};
    matches!(kind, NoCamera | CameraTaken | CameraLost | CameraFailed | BadFile | FileFormat)
}

/// Whether a trouble means that there is nothing to switch on.
const fn is_missing(kind: NoticeKind) -> bool {
    matches!(kind, NoticeKind::NoCamera | NoticeKind::NoSound | NoticeKind::NoMicrophone)
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
        assert!(preview.is_camera_on());
        assert_eq!(preview.update(Message::Chosen(Kind::Camera, Device::Off)), Action::Reopen(Kind::Camera));
        assert!(!preview.is_camera_on());
    }

    #[test]
    fn what_is_not_there_is_not_on() {
        let mut preview = preview("Anne");
        assert!(preview.is_camera_on() && preview.is_microphone_on());
        preview.report_problem(NoticeKind::NoCamera);
        preview.report_problem(NoticeKind::NoMicrophone);
        assert!(!preview.is_camera_on() && !preview.is_microphone_on());
        assert_eq!(preview.update(Message::CameraPressed), Action::None, "there is nothing to switch on");
        assert_eq!(preview.update(Message::MicrophonePressed), Action::None);
        assert_eq!(preview.update(Message::RetryPressed(Kind::Camera)), Action::Rescan(Kind::Camera));
        assert!(preview.is_camera_on() && !preview.is_microphone_on(), "one device was looked for, not the other");
    }

    #[test]
    fn a_camera_that_was_taken_is_tried_again_when_it_is_pressed() {
        let mut preview = preview("Anne");
        preview.report_problem(NoticeKind::CameraTaken);
        assert!(!preview.is_camera_on());
        assert_eq!(preview.update(Message::CameraPressed), Action::Reopen(Kind::Camera));
        assert!(preview.is_camera_on());
    }
}
