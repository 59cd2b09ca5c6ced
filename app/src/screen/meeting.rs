//! The meeting: faces first, a thin bar above and below, one panel at the side.

mod bar;
mod lock;
mod panel;
mod strip;
mod tiles;

use std::time::Instant;

use accesskit::Role;
use engine::{Event, Microphone, ParticipantId, TileWish};
use iced::widget::{column, container, row, space};
use iced::{Alignment, Length, Padding};

use super::notice;
use super::preferences::{self, Part, Preference};
use super::{Context, device_lines, menu, menu_heading};
use crate::announce::Announcement;
use crate::kit::modal::Question;
use crate::kit::popup::Hanging;
use crate::kit::{Element, Icon, Shortcut, fade, icon, modal, popup, press, region, text};
use crate::model::{Device, Devices, Kind, Meeting as Model, Notice, NoticeKind};
use crate::pictures::Pictures;
use crate::stage::stage;
use crate::theme::{self, BAR_BOTTOM, BAR_TOP, Look, PANEL, SPACE_L, SPACE_M, SPACE_S, SPACE_XL, Tone};

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
    question: Option<ParticipantId>,
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
    RemovePressed(ParticipantId),
    /// "Remove" was confirmed.
    RemoveConfirmed,
    /// The question was closed.
    QuestionClosed,
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
    Resized(Vec<TileWish>),
    /// There is no GPU to draw with.
    DrawnSlowly,
    /// The space bar was pressed (true) or let go.
    Talked(bool),
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
    Remove(ParticipantId),
    /// Use another device.
    Choose(Kind, Device),
    /// Ask for pictures of these sizes.
    Wish(Vec<TileWish>),
    /// Say this once.
    Tell(NoticeKind),
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
        Self { model, devices, since: None, panel: None, menu: None, question: None, talking: false }
    }

    /// Handles an event of the engine. Returns what assistive tools announce.
    pub fn handle_event(&mut self, event: &Event, now: Instant) -> Vec<Announcement> {
        if let Event::Entered { .. } = event {
            self.since = Some(now);
        }
        self.model.handle_event(event)
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
            Message::RemovePressed(id) => self.question = Some(id),
            Message::RemoveConfirmed => return self.question.take().map_or(Action::None, Action::Remove),
            Message::QuestionClosed => self.question = None,
            Message::MenuPressed(menu) => self.menu = if self.menu == Some(menu) { None } else { Some(menu) },
            Message::MenuClosed => self.menu = None,
            Message::Chosen(kind, device) => return self.choose(kind, device),
            Message::Preferred(preference) => {
                self.menu = None;
                return Action::Prefer(preference);
            }
            Message::WordsConfirmed => self.model.verified = self.model.lock.as_ref().map(|lock| lock.epoch),
            Message::Resized(wishes) => return Action::Wish(wishes),
            Message::DrawnSlowly => return Action::Tell(NoticeKind::NoGpu),
            Message::Talked(on) => return self.talk(on),
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
            Shortcut::Talk(on) => Message::Talked(on),
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
        if self.menu.take().is_none() && self.question.take().is_none() {
            self.panel = None;
        }
    }

    /// The screen. `reported` is everything that was reported in this meeting.
    pub fn view<'a>(&'a self, context: &Context, pictures: &Pictures, reported: &'a [Notice]) -> Element<'a, Message> {
        let held = context.still || self.menu.is_some();
        let top = fade(self.top_bar(context, reported.len()), held);
        let bottom = fade(self.bottom_bar(context), held);
        let tiles = tiles::tiles(&self.model, context, pictures);
        let stage = stage(&context.say("meeting-stage"), tiles, context.scale)
            .on_wishes(Message::Resized)
            .on_software(Message::DrawnSlowly);
        let stage = region(Role::Main, &context.say("meeting-stage"), stage);
        let mut middle = row![].spacing(SPACE_S).padding([0.0, SPACE_S]).height(Length::Fill);
        middle = middle.push(stage);
        middle = middle.push(self.panel.map(|panel| self.panel(panel, context, reported)));
        // As wide as the window: beside a panel there may be no room for words.
        let wide = |line| container(line).padding([0.0, SPACE_S]);
        let page = column![].push(self.sharing(context).map(wide)).push(middle).push(self.strip(context).map(wide));
        let page = column![top, page.spacing(SPACE_S).height(Length::Fill), bottom];
        let page = container(page).width(Length::Fill).height(Length::Fill).style(theme::page);
        let page = popup(page, self.menu.map(|menu| self.hanging(menu, context)));
        modal(page, self.question(context))
    }

    fn panel<'a>(&'a self, panel: Panel, context: &Context, reported: &'a [Notice]) -> Element<'a, Message> {
        let (title, inside) = match panel {
            Panel::People => (context.say("people-title"), self.people_panel(context)),
            Panel::Lock => (context.say("lock-title"), self.lock_panel(context)),
            Panel::Notices => (context.say("meeting-notices"), notice::list(reported, context)),
        };
        let close = press(
            container(icon(Icon::Close)).center(theme::TARGET),
            &context.say("action-close"),
            Some(Message::PanelPressed(panel)),
        );
        let close = close.id("panel-close").look(Look::Quiet).square(theme::TARGET);
        let head =
            row![text::heading(title.clone()).width(Length::Fill), Element::from(close)].align_y(Alignment::Center);
        let head = container(head).padding(Padding::from([SPACE_S, SPACE_S]).left(SPACE_L));
        let inside = column![head, inside].height(Length::Fill);
        region(Role::Region, &title, container(inside).width(PANEL).height(Length::Fill).style(theme::panel))
    }

    fn hanging(&self, which: Menu, context: &Context) -> Hanging<'_, Message> {
        let lines = |kind| device_lines(&self.devices, kind, context, Message::Chosen);
        let mut list = column![];
        let (anchor, label) = match which {
            Menu::Sound => {
                list = list.push(menu_heading(context.say("preview-microphone"))).extend(lines(Kind::Microphone));
                list = list.push(menu_heading(context.say("preview-speaker"))).extend(lines(Kind::Speaker));
                (bar::SOUND_MENU, context.say("meeting-choose-microphone"))
            }
            Menu::Camera => {
                list = list.push(menu_heading(context.say("preview-camera"))).extend(lines(Kind::Camera));
                (bar::CAMERA_MENU, context.say("meeting-choose-camera"))
            }
            Menu::Preferences => {
                return preferences::hanging(Part::Both, context, Message::Preferred, Message::MenuClosed);
            }
        };
        Hanging { anchor, label, content: menu(list), on_close: Message::MenuClosed }
    }

    fn question(&self, context: &Context) -> Option<Question<'_, Message>> {
        let person = self.model.person(self.question?)?;
        let named = |id| context.language.with(id, &[("name", person.name.as_str().into())]);
        let cancel = press(text::strong(context.say("action-cancel")), "", Some(Message::QuestionClosed)).id("cancel");
        let remove = press(text::strong(context.say("people-remove-confirm")), "", Some(Message::RemoveConfirmed));
        let buttons = row![
            space().width(Length::Fill),
            Element::from(cancel.height(theme::TARGET_FORM)),
            Element::from(remove.id("confirm").look(Look::Danger).height(theme::TARGET_FORM)),
        ];
        let label = named("people-remove-title");
        let words =
            column![text::title(label.clone()), text::small(named("people-remove-text")).style(text::tone(Tone::Dim))];
        let inside = column![words.spacing(SPACE_S), buttons.spacing(SPACE_M)].spacing(SPACE_XL);
        let inside = container(inside).padding(SPACE_XL).width(Length::Fill).style(theme::dialog);
        Some(Question { label, content: inside.into(), on_close: Message::QuestionClosed })
    }
}

/// The share of a window that the bars take.
pub fn chrome(height: f32) -> f32 {
    (BAR_TOP + BAR_BOTTOM) / height
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::{Lock, Words};

    fn meeting(microphone: Microphone) -> Meeting {
        Meeting::new(Model { microphone, ..Model::default() }, Devices::default())
    }

    #[test]
    fn the_bars_take_less_than_an_eighth() {
        assert!(chrome(720.0) <= 0.12);
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
        assert_eq!(muted.update(Message::Talked(true)), Action::Mute(false));
        assert_eq!(muted.update(Message::Talked(false)), Action::Mute(true));
        let mut open = meeting(Microphone::On);
        assert_eq!(open.update(Message::Talked(true)), Action::None);
        assert_eq!(open.update(Message::Talked(false)), Action::None, "letting go does not mute who was not muted");
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
        meeting.model.lock = Some(Lock { epoch: 4, words: Words::of(&[0; 17]).unwrap(), suite: "suite" });
        meeting.update(Message::WordsConfirmed);
        assert_eq!(meeting.model.verified, Some(4));
    }

    #[test]
    fn removing_is_asked_first() {
        let mut meeting = meeting(Microphone::On);
        assert_eq!(meeting.update(Message::RemovePressed(ParticipantId(7))), Action::None);
        assert_eq!(meeting.update(Message::RemoveConfirmed), Action::Remove(ParticipantId(7)));
        assert_eq!(meeting.update(Message::RemoveConfirmed), Action::None);
    }
}
