//! The meeting: faces first, a thin bar above and below, one panel at the side.

mod banner;
mod bar;
mod lock;
mod people;
mod tiles;
mod view;

use std::time::Instant;

use super::preferences::Preference;
use crate::kit::Shortcut;
use crate::model::{Device, Devices, Kind, Meeting as Model, Microphone, NoticeKind, PersonId, Wish};

/// What the screen remembers.
#[derive(Clone, Debug)]
pub struct Meeting {
    /// What it shows.
    pub model: Model,
    /// What is plugged in and chosen.
    pub devices: Devices,
    /// When we came in.
    pub since: Option<Instant>,
    panel: Option<Panel>,
    menu: Option<Menu>,
    removing: Option<PersonId>,
    talking: bool,
}

/// What is open at the side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Panel {
    /// Who is here.
    People,
    /// The keys and the words.
    Lock,
    /// What was reported.
    Notices,
}

/// Which menu of the bars is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Menu {
    /// Microphones and speakers.
    Sound,
    /// Cameras.
    Camera,
    /// Languages and themes.
    Preferences,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Message {
    /// The microphone button was pressed.
    MutePressed,
    /// The camera button was pressed.
    CameraPressed,
    /// The share button was pressed.
    SharePressed,
    /// A panel was opened or closed.
    PanelPressed(Panel),
    /// "Copy link" was pressed.
    CopyPressed,
    /// "Leave" was pressed.
    LeavePressed,
    /// "Full screen" was pressed.
    FullScreenPressed,
    /// "Remove" was pressed beside a name.
    RemovePressed(PersonId),
    /// "Remove" was confirmed.
    RemoveConfirmed,
    /// The question was closed.
    DialogClosed,
    /// A menu of the bar was opened or closed.
    MenuPressed(Menu),
    /// A menu was closed.
    MenuClosed,
    /// A device was chosen.
    Chosen(Kind, Device),
    /// A language or a theme was chosen.
    Preferred(Preference),
    /// The words were compared.
    WordsConfirmed,
    /// The tiles have other sizes.
    Resized(Vec<Wish>),
    /// There is no GPU to draw with.
    SoftwareDrawn,
    /// The space bar was pressed (true) or let go.
    TalkKeyChanged(bool),
    /// Escape: the topmost closes.
    Escaped,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    None,
    /// Close (true) or open the microphone.
    Mute(bool),
    /// Show the camera, or not.
    Camera(bool),
    /// Show the screen, or not.
    Share(bool),
    /// Put the link into the clipboard.
    Copy(String),
    /// Put somebody out.
    Remove(PersonId),
    /// Use another device.
    Choose(Kind, Device),
    /// Ask for pictures of these sizes.
    RequestSizes(Vec<Wish>),
    /// Say this once.
    Notify(NoticeKind),
    /// Go to full screen, or back.
    FullScreen,
    /// Speak, or look, like this.
    Prefer(Preference),
    /// Leave.
    Leave,
}

impl Meeting {
    /// A meeting as it is now.
    pub fn new(model: Model, devices: Devices) -> Self {
        Self { model, devices, since: None, panel: None, menu: None, removing: None, talking: false }
    }

    /// Opens a panel.
    pub fn open(&mut self, panel: Panel) {
        self.panel = Some(panel);
    }

    /// Takes in what happened.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::MutePressed => return self.mute(self.model.microphone == Microphone::On),
            Message::CameraPressed => {
                self.model.camera = !self.model.camera; // shown at once; the engine takes it back if it cannot
                return Action::Camera(self.model.camera);
            }
            Message::SharePressed => {
                self.model.sharing = !self.model.sharing;
                return Action::Share(self.model.sharing);
            }
            Message::PanelPressed(panel) => self.panel = if self.panel == Some(panel) { None } else { Some(panel) },
            Message::CopyPressed => return Action::Copy(self.model.link.clone()),
            Message::LeavePressed => return Action::Leave,
            Message::FullScreenPressed => return Action::FullScreen,
            Message::RemovePressed(id) => self.removing = Some(id),
            Message::RemoveConfirmed => return self.removing.take().map_or(Action::None, Action::Remove),
            Message::DialogClosed => self.removing = None,
            Message::MenuPressed(menu) => self.menu = if self.menu == Some(menu) { None } else { Some(menu) },
            Message::MenuClosed => self.menu = None,
            Message::Chosen(kind, device) => return self.choose(kind, device),
            Message::Preferred(preference) => {
                self.menu = None;
                return Action::Prefer(preference);
            }
            Message::WordsConfirmed => self.model.verified = self.model.lock.as_ref().map(|lock| lock.epoch),
            Message::Resized(wishes) => return Action::RequestSizes(wishes),
            Message::SoftwareDrawn => return Action::Notify(NoticeKind::NoGpu),
            Message::TalkKeyChanged(on) => return self.talk(on),
            Message::Escaped => self.escape(),
        }
        Action::None
    }

    /// What a shortcut means here.
    pub fn shortcut(shortcut: Shortcut) -> Option<Message> {
        Some(match shortcut {
            Shortcut::Mute => Message::MutePressed,
            Shortcut::Camera => Message::CameraPressed,
            Shortcut::Share => Message::SharePressed,
            Shortcut::People => Message::PanelPressed(Panel::People),
            Shortcut::FullScreen => Message::FullScreenPressed,
            Shortcut::Close => Message::Escaped,
            Shortcut::PushToTalk(on) => Message::TalkKeyChanged(on),
        })
    }

    fn mute(&mut self, muted: bool) -> Action {
        if self.model.microphone == Microphone::Off {
            return Action::None;
        }
        self.model.microphone = if muted { Microphone::Muted } else { Microphone::On };
        Action::Mute(muted)
    }

    /// The space bar opens a closed microphone while it is held, and nothing else.
    fn talk(&mut self, on: bool) -> Action {
        match (on, self.talking, self.model.microphone) {
            (true, false, Microphone::Muted) => {
                self.talking = true;
                self.mute(false)
            }
            (false, true, _) => {
                self.talking = false;
                self.mute(true)
            }
            _ => Action::None,
        }
    }

    fn choose(&mut self, kind: Kind, device: Device) -> Action {
        self.menu = None;
        self.devices.choose(kind, device.clone());
        Action::Choose(kind, device)
    }

    fn escape(&mut self) {
        if self.menu.take().is_none() && self.removing.take().is_none() {
            self.panel = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Lock;

    fn meeting(microphone: Microphone) -> Meeting {
        Meeting::new(Model { microphone, ..Model::default() }, Devices::default())
    }

    #[test]
    fn a_button_shows_its_new_state_at_once() {
        let mut meeting = meeting(Microphone::On);
        assert_eq!(meeting.update(Message::MutePressed), Action::Mute(true));
        assert_eq!(meeting.model.microphone, Microphone::Muted);
        assert_eq!(meeting.update(Message::MutePressed), Action::Mute(false));
        assert_eq!(meeting.model.microphone, Microphone::On);
    }

    #[test]
    fn a_machine_without_microphone_cannot_be_unmuted() {
        let mut meeting = meeting(Microphone::Off);
        assert_eq!(meeting.update(Message::MutePressed), Action::None);
        assert_eq!(meeting.model.microphone, Microphone::Off);
    }

    #[test]
    fn the_space_bar_talks_only_while_muted() {
        let mut muted = meeting(Microphone::Muted);
        assert_eq!(muted.update(Message::TalkKeyChanged(true)), Action::Mute(false));
        assert_eq!(muted.update(Message::TalkKeyChanged(false)), Action::Mute(true));
        let mut open = meeting(Microphone::On);
        assert_eq!(open.update(Message::TalkKeyChanged(true)), Action::None);
        assert_eq!(
            open.update(Message::TalkKeyChanged(false)),
            Action::None,
            "letting go does not mute who was not muted"
        );
    }

    #[test]
    fn escape_closes_the_topmost() {
        let mut meeting = meeting(Microphone::On);
        meeting.open(Panel::People);
        meeting.update(Message::MenuPressed(Menu::Camera));
        meeting.update(Message::Escaped);
        assert_eq!((meeting.menu, meeting.panel), (None, Some(Panel::People)));
        meeting.update(Message::Escaped);
        assert_eq!(meeting.panel, None);
    }

    #[test]
    fn words_are_confirmed_for_one_epoch() {
        let mut meeting = meeting(Microphone::On);
        meeting.update(Message::WordsConfirmed);
        assert_eq!(meeting.model.verified, None, "there is nothing to confirm yet");
        meeting.model.lock = Some(Lock { epoch: 4, words: [Vec::new(), Vec::new()], suite: String::new() });
        meeting.update(Message::WordsConfirmed);
        assert_eq!(meeting.model.verified, Some(4));
    }

    #[test]
    fn removing_is_asked_first() {
        let mut meeting = meeting(Microphone::On);
        assert_eq!(meeting.update(Message::RemovePressed(PersonId(7))), Action::None);
        assert_eq!(meeting.update(Message::RemoveConfirmed), Action::Remove(PersonId(7)));
        assert_eq!(meeting.update(Message::RemoveConfirmed), Action::None);
    }
}
