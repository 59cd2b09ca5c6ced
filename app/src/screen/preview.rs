//! Shown before a meeting: the camera picture, the devices and the name.

mod connection;
mod connection_test;
mod form;
mod view;

pub use connection_test::ConnectionTestState;

use engine::{ConnectionTestEvent, MeetingFlags, Notice, NoticeKind};

use super::preferences::{Part, Preference};
use crate::kit::{Shortcut, focus};
use crate::model::{Device, Devices, Kind};

/// The meeting that the preview is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A new meeting.
    Start,
    /// An existing meeting on this server.
    Join {
        /// The host of the server.
        host: String,
    },
}

/// The state of the camera picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Picture {
    /// The camera is starting.
    #[default]
    Opening,
    /// The picture is shown.
    Shown,
    /// The camera does not work, so there is no picture.
    Missing,
}

/// The state of the screen.
#[derive(Clone, Debug)]
pub struct Preview {
    /// The meeting.
    pub purpose: Purpose,
    /// The text of the name field.
    pub name: String,
    /// The user wants the microphone on.
    pub microphone: bool,
    /// The user wants the camera on.
    pub camera: bool,
    /// The available and the chosen devices.
    pub devices: Devices,
    /// What is set in a new meeting from its start.
    pub flags: MeetingFlags,
    /// The level of the microphone, 0.0 to 1.0.
    pub level: f32,
    /// The camera picture.
    pub picture: Picture,
    /// Why there is no picture or no sound. Each kind is listed once.
    problems: Vec<Notice>,
    /// The join button was pressed once: an invalid name is shown as an error.
    submitted: bool,
    menu: Option<Menu>,
    /// The test of the connection.
    pub test: ConnectionTestState,
    /// The last request to move the focus: to the name, at first and if it is invalid.
    pub focus: Option<focus::Request>,
}

/// The menus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Menu {
    /// The devices of a kind.
    Devices(Kind),
    /// The languages or the themes.
    Preferences(Part),
}

/// User input.
#[derive(Clone, Debug)]
pub enum Message {
    /// Back was pressed.
    BackPressed,
    /// The text of the name field changed.
    NameTyped(String),
    /// The microphone button was pressed.
    MicrophonePressed,
    /// The camera button was pressed.
    CameraPressed,
    /// The control of a menu was pressed, which opens or closes the menu.
    MenuPressed(Menu),
    /// The open menu was closed by a key or by a click elsewhere.
    MenuClosed,
    /// A device was chosen.
    Chosen(Kind, Device),
    /// "Check again" was pressed for a device with a problem.
    RetryPressed(Kind),
    /// A language or a theme was chosen.
    Preferred(Preference),
    /// The button that tests the connection, or cancels the test, was pressed.
    TestPressed,
    /// The test with this number reports an event.
    TestReported(u32, ConnectionTestEvent),
    /// A rule of the new meeting is to be set (true) or cleared.
    FlagPressed(MeetingFlags, bool),
    /// The join button was pressed.
    EnterPressed,
    /// The button that starts or joins with the chat only was pressed.
    ChatOnlyPressed,
}

/// What the app must do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    None,
    /// Return to the home screen.
    Back,
    /// Open the chosen device of this kind, or close it.
    Reopen(Kind),
    /// Apply this preference.
    Prefer(Preference),
    /// Test the connection; the test has this number.
    Test(u32),
    /// End the test of the connection.
    CancelTest,
    /// Announce the result of the test.
    AnnounceTest,
    /// Join or start the meeting.
    Enter {
        /// The name of the user.
        name: String,
        /// Open no camera and no microphone, and show the chat.
        chat_first: bool,
    },
}

/// The id of the name field.
const NAME: &str = "name";
/// The maximum length of a name, in characters.
const MAX_NAME_CHARS: usize = 64;

impl Preview {
    /// Creates the screen. `name` is the name that was used last.
    pub fn new(purpose: Purpose, name: String, devices: Devices) -> Self {
        let camera = devices.chosen(Kind::Camera) != Device::Off;
        let microphone = devices.chosen(Kind::Microphone) != Device::Off;
        Self {
            purpose,
            name,
            microphone,
            camera,
            devices,
            flags: MeetingFlags::NONE,
            level: 0.0,
            picture: Picture::Opening,
            problems: Vec::new(),
            submitted: false,
            menu: None,
            test: ConnectionTestState::default(),
            focus: Some(focus::Request::to(NAME)),
        }
    }

    /// Records that a device cannot be used. The problem is shown below the field of the device.
    pub fn report_problem(&mut self, problem: Notice) {
        if is_camera_problem(problem.kind) {
            self.picture = Picture::Missing;
        }
        if self.problems.iter().all(|known| known.kind != problem.kind) {
            self.problems.push(problem);
        }
    }

    /// Whether the camera will be on in the meeting: the user wants it, and it works.
    pub fn is_camera_on(&self) -> bool {
        self.camera && self.camera_problem().is_none()
    }

    /// Whether the microphone will be on in the meeting: the user wants it, and it works.
    pub fn is_microphone_on(&self) -> bool {
        self.microphone && self.microphone_problem().is_none()
    }

    /// The problem with the camera, if any.
    fn camera_problem(&self) -> Option<&Notice> {
        self.problems.iter().find(|problem| is_camera_problem(problem.kind))
    }

    /// The problem with the sound, if any.
    fn microphone_problem(&self) -> Option<&Notice> {
        self.problems.iter().find(|problem| !is_camera_problem(problem.kind))
    }

    /// Handles user input.
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
                Action::Reopen(kind)
            }
            Message::Preferred(preference) => {
                self.menu = None;
                Action::Prefer(preference)
            }
            Message::TestPressed => self.test.press().map_or(Action::CancelTest, Action::Test),
            Message::TestReported(number, event) => {
                if self.test.handle_event(number, event) {
                    Action::AnnounceTest
                } else {
                    Action::None
                }
            }
            Message::FlagPressed(flag, set) => {
                self.flags = self.flags.with(flag, set);
                Action::None
            }
            Message::EnterPressed => self.enter(false),
            Message::ChatOnlyPressed => self.enter(true),
        }
    }

    fn press_microphone(&mut self) -> Action {
        match self.microphone_problem() {
            Some(problem) if is_missing(problem.kind) => Action::None,
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
            Some(problem) if is_missing(problem.kind) => return Action::None,
            // A camera that failed is shown as off, so a press tries it again.
            Some(_) => self.camera = true,
            None => self.camera = !self.camera,
        }
        self.clear_problem(Kind::Camera);
        Action::Reopen(Kind::Camera)
    }

    fn enter(&mut self, chat_first: bool) -> Action {
        self.submitted = true;
        if self.name_error().is_some() {
            self.focus = Some(focus::Request::to(NAME));
            return Action::None;
        }
        Action::Enter { name: self.name.trim().to_owned(), chat_first }
    }

    /// Removes the problems of a kind of device, before another attempt.
    fn clear_problem(&mut self, kind: Kind) {
        self.problems.retain(|problem| is_camera_problem(problem.kind) != (kind == Kind::Camera));
        if kind == Kind::Camera {
            self.picture = Picture::Opening;
        }
    }

    /// Replaces the list of a kind. Returns true if its first device was plugged in after one was missing, so that it can
    /// be opened now.
    pub fn set_present(&mut self, kind: Kind, present: Vec<engine::device_list::Device>) -> bool {
        let is_first = self.devices.present(kind).is_empty() && !present.is_empty();
        self.devices.set_present(kind, present);
        let problem = match kind {
            Kind::Camera => self.camera_problem(),
            Kind::Microphone => self.microphone_problem(),
            Kind::Speaker => None,
        };
        is_first && problem.is_some_and(|problem| is_missing(problem.kind))
    }

    /// The message of a shortcut.
    pub fn shortcut(&self, shortcut: Shortcut) -> Option<Message> {
        match shortcut {
            Shortcut::Mute => Some(Message::MicrophonePressed),
            Shortcut::Camera => Some(Message::CameraPressed),
            Shortcut::Close if self.menu.is_some() => Some(Message::MenuClosed),
            Shortcut::Close if self.test.is_running() => Some(Message::TestPressed),
            Shortcut::Close => Some(Message::BackPressed),
            Shortcut::Share
            | Shortcut::People
            | Shortcut::Statistics
            | Shortcut::Chat
            | Shortcut::Hand
            | Shortcut::StopEverything
            | Shortcut::Leave
            | Shortcut::FullScreen
            | Shortcut::List
            | Shortcut::PushToTalk(_) => None,
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

    /// The text id of the problem with the name, if any.
    fn name_error(&self) -> Option<&'static str> {
        let name = self.name.trim();
        if name.is_empty() {
            Some("preview-name-empty")
        } else {
            (name.chars().count() > MAX_NAME_CHARS).then_some("preview-name-long")
        }
    }
}

/// Whether a problem concerns the camera.
const fn is_camera_problem(kind: NoticeKind) -> bool {
    use NoticeKind::{BadFile, CameraFailed, CameraLost, CameraTaken, FileFormat, MissingFile, NoCamera};
    matches!(kind, NoCamera | CameraTaken | CameraLost | CameraFailed | MissingFile | BadFile | FileFormat)
}

/// Whether a problem means that there is no device to switch on.
const fn is_missing(kind: NoticeKind) -> bool {
    matches!(kind, NoticeKind::NoCamera | NoticeKind::NoSound | NoticeKind::NoMicrophone | NoticeKind::SoundRefused)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(kind: NoticeKind) -> Notice {
        Notice { kind, file: None, detail: String::new() }
    }

    fn preview(name: &str) -> Preview {
        Preview::new(Purpose::Start, name.into(), Devices::default())
    }

    #[test]
    fn a_valid_name_is_required_to_join() {
        for (name, expected) in [
            ("", None),
            ("   ", None),
            (" Anne ", Some("Anne".to_owned())),
            (&"x".repeat(65), None),
            (&"é".repeat(64), Some("é".repeat(64))),
        ] {
            for (message, chat_first) in [(Message::EnterPressed, false), (Message::ChatOnlyPressed, true)] {
                let entered = expected.clone().map(|name| Action::Enter { name, chat_first });
                assert_eq!(preview(name).update(message), entered.unwrap_or(Action::None), "{name:?}");
            }
        }
    }

    #[test]
    fn choosing_a_camera_opens_it_and_switches_it_on() {
        let mut preview = preview("Anne");
        preview.camera = false;
        assert_eq!(preview.update(Message::Chosen(Kind::Camera, Device::Synthetic)), Action::Reopen(Kind::Camera));
        assert!(preview.is_camera_on());
        assert_eq!(preview.update(Message::Chosen(Kind::Camera, Device::Off)), Action::Reopen(Kind::Camera));
        assert!(!preview.is_camera_on());
    }

    #[test]
    fn a_missing_device_is_off() {
        let mut preview = preview("Anne");
        assert!(preview.is_camera_on() && preview.is_microphone_on());
        preview.report_problem(problem(NoticeKind::NoCamera));
        preview.report_problem(problem(NoticeKind::NoMicrophone));
        assert!(!preview.is_camera_on() && !preview.is_microphone_on());
        assert_eq!(preview.update(Message::CameraPressed), Action::None, "there is no device to switch on");
        assert_eq!(preview.update(Message::MicrophonePressed), Action::None);
        assert_eq!(preview.update(Message::RetryPressed(Kind::Camera)), Action::Reopen(Kind::Camera));
        assert!(preview.is_camera_on() && !preview.is_microphone_on(), "only the camera was checked again");
    }

    #[test]
    fn a_device_that_is_plugged_in_after_one_was_missing_can_be_opened() {
        let device = |id: &str| engine::device_list::Device { id: id.into(), name: id.into() };
        let mut preview = preview("Anne");
        assert!(!preview.set_present(Kind::Microphone, Vec::new()));
        assert!(!preview.set_present(Kind::Camera, vec![device("0")]), "the camera works");
        preview.report_problem(problem(NoticeKind::NoMicrophone));
        assert!(preview.set_present(Kind::Microphone, vec![device("a")]));
        assert!(!preview.set_present(Kind::Microphone, vec![device("a"), device("b")]), "it was tried already");
        assert_eq!(preview.devices.present(Kind::Microphone).len(), 2);
    }

    #[test]
    fn pressing_a_camera_that_was_in_use_tries_it_again() {
        let mut preview = preview("Anne");
        preview.report_problem(problem(NoticeKind::CameraTaken));
        assert!(!preview.is_camera_on());
        assert_eq!(preview.update(Message::CameraPressed), Action::Reopen(Kind::Camera));
        assert!(preview.is_camera_on());
    }
}
