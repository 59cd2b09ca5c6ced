//! The screen of a meeting: its state and how it changes. The modules below this one draw it.

mod accept_device;
mod address;
mod banner;
mod bar;
pub mod chat;
mod confirm_leave;
mod identity;
pub mod leave;
mod leave_dialog;
mod lock;
pub mod moderation;
mod moderation_view;
mod people;
mod picker;
mod rights;
mod rights_view;
mod rules;
mod share;
mod statistics;
#[cfg(test)]
mod tests;
mod tiles;
pub mod verify;
mod verify_view;
mod view;
pub mod waiting_room;

use std::time::Instant;

use engine::verification::{self, PhraseCheck};
use engine::{Event, LobbyEvent, Microphone, ParticipantId, Screen, SecretLink, Slot, TileWish, device_list};

use super::asking;
use super::notice;
use super::preferences::{Part, Preference};
use crate::announce::Announcement;
use crate::kit::{Shortcut, focus};
use crate::model::rights::may_invite;
use crate::model::{ContentHints, Device, Devices, Kind, MeetingModel, Notice, NoticeKind};
use leave::Answer;
use picker::Picker;

/// The state of the screen.
#[derive(Clone, Debug)]
pub struct Meeting {
    /// What the screen shows of the meeting.
    pub model: MeetingModel,
    /// The available and the chosen devices.
    pub devices: Devices,
    /// When the user entered the meeting; `None` before that.
    pub since: Option<Instant>,
    panel: Option<Panel>,
    menu: Option<Menu>,
    /// The participant whose removal is to be confirmed.
    removing: Option<ParticipantId>,
    /// The choice of a screen to share, while it is open.
    picker: Option<Picker>,
    /// What the user is asked before leaving; `None` if no such dialog is open.
    leaving: Option<LeaveQuestion>,
    /// The user has chosen to end the meeting for everybody.
    pub ends: bool,
    /// The space bar is held to talk.
    talking: bool,
    /// The choice of the address in the link.
    address: address::Address,
    /// The chat.
    pub chat: chat::Chat,
    /// The controls of managers.
    moderation: moderation::Moderation,
    /// The content hints of the pictures that we send.
    pub content_hints: ContentHints,
}

/// What the user is asked before leaving.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LeaveQuestion {
    /// How to leave: some answers end the meeting for others.
    How,
    /// Whether to leave, because the shortcut may be pressed by mistake.
    Whether,
}

/// The panels at the side of the stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Panel {
    /// The participants.
    People,
    /// The chat.
    Chat,
    /// The security of the meeting.
    Lock,
    /// The notifications.
    Notices,
    /// The statistics.
    Statistics,
}

/// The menus of the bars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Menu {
    /// Microphones and speakers.
    Sound,
    /// Cameras.
    Camera,
    /// Language and appearance, or the bandwidth.
    Preferences(Part),
    /// A menu of the chat.
    Chat(chat::Menu),
    /// What we may do to a participant.
    Person(ParticipantId),
}

/// User input.
#[derive(Clone, Debug)]
pub enum Message {
    /// The microphone button was pressed.
    MutePressed,
    /// The camera button was pressed.
    CameraPressed,
    /// The share button was pressed: asks which screen to share, or stops sharing.
    SharePressed,
    /// The monitors were listed; an error is the cause.
    MonitorsListed(Result<Vec<device_list::Monitor>, String>),
    /// The monitor with this index was chosen.
    MonitorPressed(usize),
    /// "Share" was pressed in the dialog.
    ShareConfirmed,
    /// The control of a panel was pressed, which opens or closes the panel.
    PanelPressed(Panel),
    /// "Export as CSV" was pressed.
    ExportPressed,
    /// "Copy link" was pressed.
    CopyPressed,
    /// The address in the link is being chosen.
    Address(address::Message),
    /// "Leave" was pressed: leaves, or asks how.
    LeavePressed,
    /// The shortcut to leave was pressed, which asks first.
    LeaveKeyPressed,
    /// The button of the keyboard shortcuts was pressed.
    ShortcutsPressed,
    /// The dialog that asks how to leave was answered.
    LeaveAnswered(Answer),
    /// Somebody who asks to join was answered.
    Answered(asking::Answer),
    /// "Full screen" was pressed.
    FullScreenPressed,
    /// "Remove" was pressed beside a name.
    RemovePressed(ParticipantId),
    /// "Remove" was confirmed.
    RemoveConfirmed,
    /// The dialog was closed.
    DialogClosed,
    /// The control of a menu was pressed, which opens or closes the menu.
    MenuPressed(Menu),
    /// The open menu was closed by a key or by a click elsewhere.
    MenuClosed,
    /// A device was chosen.
    Chosen(Kind, Device),
    /// A preference was changed.
    Preferred(Preference),
    /// "The words match" (true) or "The words differ" was pressed.
    WordsCompared(bool),
    /// The wishes of the tiles changed.
    WishesChanged(Vec<TileWish>),
    /// The stage is drawn without a GPU.
    SoftwareDrawn,
    /// The space bar was pressed (true) or released (false).
    TalkKeyChanged(bool),
    /// Escape was pressed: closes the topmost menu, dialog or panel.
    Escaped,
    /// A press on a notification.
    Notice(notice::Message),
    /// About the waiting room.
    WaitingRoom(waiting_room::Message),
    /// Something in the chat.
    Chat(chat::Message),
    /// Something for the controls of managers, or for our hand.
    Moderation(moderation::Message),
    /// The device of a participant was accepted as another one of that person.
    DeviceAccepted(ParticipantId),
    /// Pictures to compare, or a phrase to read aloud.
    Verify(verify::Message),
}

/// What the app must do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    None,
    /// Mute (true) or unmute the microphone.
    Mute(bool),
    /// Switch the camera on (true) or off.
    Camera(bool),
    /// List the monitors. The answer is [`Message::MonitorsListed`].
    ListMonitors,
    /// Share this screen, or stop sharing.
    Share(Option<Screen>),
    /// Copy this link to the clipboard.
    Copy(SecretLink),
    /// Write the statistics to a file.
    ExportStatistics,
    /// Remove a participant.
    Remove(ParticipantId),
    /// Use this device.
    Choose(Kind, Device),
    /// Request video for these tiles.
    SetWishes(Vec<TileWish>),
    /// Show this notification.
    Notify(Notice),
    /// Handle a press on a notification.
    Notice(notice::Message),
    /// Enter or leave full screen.
    FullScreen,
    /// Show the keyboard shortcuts.
    ShowShortcuts,
    /// Apply this preference.
    Prefer(Preference),
    /// Do something for the chat.
    Chat(chat::Action),
    /// Do what a manager wants, or raise our hand.
    Moderation(moderation::Action),
    /// Leave the meeting.
    Leave,
    /// End the meeting for everybody.
    End,
    /// Stay in the meeting without picture and sound, and show the home screen.
    Host,
    /// Carry out a decision about the waiting room.
    Decide(waiting_room::Decision),
    /// Compare pictures, or ask for a phrase.
    Verify(engine::verification::Command),
}

impl Meeting {
    /// Creates the screen.
    pub fn new(model: MeetingModel, devices: Devices) -> Self {
        Self {
            model,
            devices,
            since: None,
            panel: None,
            menu: None,
            removing: None,
            picker: None,
            leaving: None,
            ends: false,
            talking: false,
            address: address::Address::default(),
            chat: chat::Chat::default(),
            moderation: moderation::Moderation::default(),
            content_hints: ContentHints::default(),
        }
    }

    /// Handles an event of the engine. Returns what assistive tools announce.
    pub fn handle_event(&mut self, event: &Event, now: Instant) -> Vec<Announcement> {
        if let Event::Entered { .. } = event {
            self.since = Some(now);
            if self.panel == Some(Panel::Chat) {
                self.open(Panel::Chat); // so that it gets the focus now that it is shown
            }
        }
        if let Event::Notice(engine::Notice { kind: engine::NoticeKind::Reconnected, .. }) = event {
            self.model.reconnected_at = Some(now);
        }
        if let Event::People(people) = event {
            self.model.note_returns(people, now);
            let is_here = |id: &ParticipantId| people.iter().any(|person| person.id == *id);
            self.moderation.handle_people(people);
            self.menu = self.menu.filter(|menu| !matches!(menu, Menu::Person(id) if !is_here(id)));
        }
        if let Event::Notice(notice) = event {
            self.moderation.handle_notice(notice.kind);
        }
        if let Event::Notice(notice) = event
            && is_refusal(notice.kind)
        {
            self.ends = false;
            self.model.moderation.wished = None;
        }
        if let Event::Lobby(LobbyEvent::SentBack) = event {
            self.since = None;
            self.hide();
        }
        if let Event::Verification(verification::Event::Phrase(PhraseCheck::Read { .. })) = event {
            self.open(Panel::Lock);
        }
        let announcements = self.model.handle_event(event);
        self.model.note_requests(event, now);
        self.model.chat.set_open(self.panel == Some(Panel::Chat));
        announcements
    }

    /// The last request to move the focus; `None` if there was none.
    pub fn focus(&self) -> Option<focus::Request> {
        self.address.focus.max(self.chat.focus)
    }

    /// Opens a panel.
    pub fn open(&mut self, panel: Panel) {
        self.panel = Some(panel);
        self.model.chat.set_open(panel == Panel::Chat);
        if panel == Panel::Chat {
            self.chat.open();
        }
    }

    fn close_panel(&mut self) {
        self.panel = None;
        self.model.chat.set_open(false);
    }

    fn update_chat(&mut self, message: chat::Message) -> Action {
        match self.chat.update(message, &self.model) {
            chat::Action::None => self.menu = None,
            chat::Action::Menu(menu) => return self.update(Message::MenuPressed(Menu::Chat(menu))),
            action @ (chat::Action::Command(_)
            | chat::Action::KeepForLater(_)
            | chat::Action::Copy(_)
            | chat::Action::Open(_)
            | chat::Action::Export) => {
                self.menu = None;
                return Action::Chat(action);
            }
        }
        Action::None
    }

    /// Handles user input.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::MutePressed => return self.mute(self.model.microphone == Microphone::On),
            Message::CameraPressed if !self.model.camera && !self.model.may_send(Slot::Camera) => {
                return forbidden(Slot::Camera);
            }
            Message::CameraPressed => {
                self.model.camera_missing = false;
                self.model.camera = !self.model.camera; // shown at once; the engine reverts it on failure
                return Action::Camera(self.model.camera);
            }
            Message::SharePressed => return self.press_share(),
            Message::MonitorsListed(found) => return self.show_monitors(found),
            Message::MonitorPressed(index) => {
                if let Some(picker) = &mut self.picker {
                    picker.choose(index);
                }
            }
            Message::ShareConfirmed => return self.share(),
            Message::PanelPressed(panel) if self.panel == Some(panel) => self.close_panel(),
            Message::PanelPressed(panel) => self.open(panel),
            Message::ExportPressed => return Action::ExportStatistics,
            Message::CopyPressed if !may_invite(self.model.me()) => {}
            Message::CopyPressed => return Action::Copy(self.model.link.clone()),
            Message::Address(message) => self.address.update(message, &mut self.model),
            Message::LeavePressed => return self.press_leave(),
            Message::LeaveKeyPressed => self.ask_before_leaving(),
            Message::ShortcutsPressed => return Action::ShowShortcuts,
            Message::LeaveAnswered(answer) => return self.leave(answer),
            Message::Answered(answer) => {
                self.model.remove_asker(answer.id);
                return Action::Decide(answer.into());
            }
            Message::FullScreenPressed => return Action::FullScreen,
            Message::RemovePressed(id) => self.removing = Some(id),
            Message::RemoveConfirmed => return self.removing.take().map_or(Action::None, Action::Remove),
            Message::DialogClosed => self.close_dialogs(),
            Message::MenuPressed(menu) => self.menu = if self.menu == Some(menu) { None } else { Some(menu) },
            Message::MenuClosed => self.menu = None,
            Message::Chosen(kind, device) => return self.choose(kind, device),
            Message::Preferred(preference) => return self.prefer(preference),
            Message::WordsCompared(equal) => self.model.compared(equal),
            Message::WishesChanged(wishes) => return Action::SetWishes(wishes),
            Message::SoftwareDrawn => return notify(NoticeKind::NoGpu, String::new()),
            Message::TalkKeyChanged(on) => return self.talk(on),
            Message::Escaped => self.escape(),
            Message::Notice(message) => return Action::Notice(message),
            Message::WaitingRoom(message) => return decide(self, message),
            Message::Chat(message) => return self.update_chat(message),
            Message::Moderation(message) => return self.moderate(message),
            Message::DeviceAccepted(id) => self.model.accept_device(id),
            Message::Verify(message) => {
                return verify::update(&mut self.model.verification, message).map_or(Action::None, Action::Verify);
            }
        }
        Action::None
    }

    /// The message of a shortcut.
    pub fn shortcut(shortcut: Shortcut) -> Option<Message> {
        Some(match shortcut {
            Shortcut::Mute => Message::MutePressed,
            Shortcut::Camera => Message::CameraPressed,
            Shortcut::Share => Message::SharePressed,
            Shortcut::People => Message::PanelPressed(Panel::People),
            Shortcut::Chat => Message::PanelPressed(Panel::Chat),
            Shortcut::Statistics => Message::PanelPressed(Panel::Statistics),
            Shortcut::Hand => Message::Moderation(moderation::Message::HandPressed),
            Shortcut::StopEverything => Message::Moderation(moderation::Message::StopPressed),
            Shortcut::Leave => Message::LeaveKeyPressed,
            Shortcut::FullScreen => Message::FullScreenPressed,
            Shortcut::List => Message::ShortcutsPressed,
            Shortcut::Close => Message::Escaped,
            Shortcut::PushToTalk(on) => Message::TalkKeyChanged(on),
        })
    }

    fn moderate(&mut self, message: moderation::Message) -> Action {
        match self.moderation.update(message, &mut self.model) {
            moderation::Action::None => self.menu = None,
            moderation::Action::Menu(id) => return self.update(Message::MenuPressed(Menu::Person(id))),
            moderation::Action::SendBack(id) => {
                self.menu = None;
                return self.update(Message::WaitingRoom(waiting_room::Message::SendBackPressed(id)));
            }
            action @ (moderation::Action::Floor(_)
            | moderation::Action::RaiseHand(_)
            | moderation::Action::LowerHand(_)
            | moderation::Action::SetRole(..)
            | moderation::Action::SetRights(..)
            | moderation::Action::SetFlags(..)
            | moderation::Action::SetDefaultRole(_)
            | moderation::Action::HandOver(_)
            | moderation::Action::StopEverything) => {
                self.menu = None;
                return Action::Moderation(action);
            }
        }
        Action::None
    }

    fn prefer(&mut self, preference: Preference) -> Action {
        match preference {
            Preference::Language(_) | Preference::Theme(_) | Preference::Bandwidth(_) => self.menu = None,
            Preference::KnockSound(on) => (self.menu, self.model.lobby.choices.knock_sound) = (None, on),
            Preference::SignLanguage(on) => (self.menu, self.content_hints.sign_language) = (None, on),
            Preference::VideoClip(on) => self.content_hints.video_clip = on,
        }
        Action::Prefer(preference)
    }

    fn mute(&mut self, muted: bool) -> Action {
        if self.model.microphone == Microphone::Off {
            return Action::None;
        }
        if !muted && !self.model.may_send(Slot::Microphone) {
            return forbidden(Slot::Microphone);
        }
        self.model.microphone = if muted { Microphone::Muted } else { Microphone::On };
        Action::Mute(muted)
    }

    /// Push to talk: unmutes while the space bar is held, if the microphone is muted.
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

    /// Stops sharing, or asks which screen to share. A press never shares anything by itself.
    fn press_share(&mut self) -> Action {
        if self.model.sharing {
            self.model.sharing = false;
            return Action::Share(None);
        }
        if !self.model.may_send(Slot::Screen) {
            return forbidden(Slot::Screen);
        }
        self.picker = Some(Picker::default());
        Action::ListMonitors
    }

    fn show_monitors(&mut self, found: Result<Vec<device_list::Monitor>, String>) -> Action {
        let Some(picker) = &mut self.picker else { return Action::None };
        match found {
            Ok(monitors) if !monitors.is_empty() => picker.show(monitors),
            Ok(_) => {
                self.picker = None;
                return notify(engine::NoticeKind::NoScreen.into(), String::new());
            }
            Err(detail) => {
                self.picker = None;
                return notify(engine::NoticeKind::NoScreen.into(), detail);
            }
        }
        Action::None
    }

    fn share(&mut self) -> Action {
        let Some(id) = self.picker.take().and_then(Picker::into_chosen) else { return Action::None };
        self.model.sharing = true;
        Action::Share(Some(Screen::Monitor(id)))
    }

    fn press_leave(&mut self) -> Action {
        if leave::answers(&self.model).is_empty() {
            return Action::Leave;
        }
        self.ask_before_leaving();
        Action::None
    }

    fn ask_before_leaving(&mut self) {
        let whether = leave::answers(&self.model).is_empty();
        self.close_dialogs();
        self.leaving = Some(if whether { LeaveQuestion::Whether } else { LeaveQuestion::How });
    }

    fn leave(&mut self, answer: Answer) -> Action {
        self.leaving = None;
        match answer {
            Answer::Leave => Action::Leave,
            Answer::End => {
                self.ends = true;
                // Without a connection nobody can be told; the server on this computer stops then.
                if self.model.reconnecting { Action::Leave } else { Action::End }
            }
            Answer::Host => Action::Host,
        }
    }

    /// Prepares for the background: closes what is open, and shows our camera and screen as off.
    pub fn hide(&mut self) {
        self.close_dialogs();
        self.menu = None;
        (self.talking, self.model.camera, self.model.sharing) = (false, false, false);
    }

    fn close_dialogs(&mut self) {
        (self.removing, self.picker, self.leaving, self.chat.link) = (None, None, None, None);
        self.model.lobby.sending_back = None;
        self.moderation = moderation::Moderation::default();
    }

    fn choose(&mut self, kind: Kind, device: Device) -> Action {
        self.menu = None;
        self.model.camera_missing &= kind != Kind::Camera;
        self.devices.choose(kind, device.clone());
        Action::Choose(kind, device)
    }

    fn escape(&mut self) {
        if self.menu.take().is_some() {
            return;
        }
        let asks_to_send_back = self.model.lobby.sending_back.is_some();
        let asks =
            self.leaving.is_some() || self.removing.is_some() || self.picker.is_some() || self.moderation.is_asking();
        if asks || asks_to_send_back || self.chat.link.is_some() {
            self.close_dialogs();
        } else {
            self.close_panel();
        }
    }
}

/// Handles user input about the waiting room.
fn decide(meeting: &mut Meeting, message: waiting_room::Message) -> Action {
    if let waiting_room::Message::ReplyPressed(_) = message {
        meeting.open(Panel::People);
    }
    waiting_room::update(&mut meeting.model, message).map_or(Action::None, Action::Decide)
}

/// Whether a command of ours, such as the one that ends the meeting, was not carried out.
fn is_refusal(kind: engine::NoticeKind) -> bool {
    matches!(kind, engine::NoticeKind::NotAllowed | engine::NoticeKind::Refused)
}

fn notify(kind: NoticeKind, detail: String) -> Action {
    Action::Notify(Notice { kind, file: None, detail })
}

/// Says that an organiser must allow this first. A shortcut reaches it although the button is disabled.
fn forbidden(slot: Slot) -> Action {
    notify(NoticeKind::Forbidden(slot), String::new())
}

/// Whether there is no camera to switch on.
fn lacks_camera(meeting: &Meeting) -> bool {
    !meeting.model.camera && (meeting.model.camera_missing || meeting.devices.lacks(Kind::Camera))
}
