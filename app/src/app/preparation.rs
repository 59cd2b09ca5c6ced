//! What the user prepares on the preview: which meeting, with which devices.

use std::sync::Arc;

use engine::device_list::Lists;
use engine::{ConnectionTest, ConnectionTestEvent, PathTestError, Reason, Setup};
use iced::Task;
use iced::futures::channel::mpsc;

use super::entry::Purpose;
use super::message::Message;
use super::screens::Screen;
use crate::announce::Announcement;
use crate::locale::Language;
use crate::model::{Device, Devices, Kind, Notice};
use crate::pictures::Pictures;
use crate::preview_session::{Event, PreviewSession};
use crate::screen::preview::{self, Picture, Preview};
use crate::session::Starter;

/// The preview's devices, and what the user chose. The choice is kept when the preview ends.
#[derive(Default)]
pub struct Preparation {
    /// What is plugged in and chosen.
    pub devices: Devices,
    purpose: Option<Purpose>,
    session: Option<PreviewSession>,
    /// The test of the connection that runs.
    test: Option<ConnectionTest>,
}

impl Preparation {
    /// Opens the devices for a preview.
    pub fn start(&mut self, purpose: Purpose, name: String, pictures: Pictures) -> (Preview, Task<Message>) {
        let screen = Preview::new(purpose.of_preview(), name, self.devices.clone());
        let (camera, microphone) = (device(&screen, Kind::Camera), device(&screen, Kind::Microphone));
        let (session, events) = PreviewSession::start(camera, microphone, pictures);
        self.session = Some(session);
        self.purpose = Some(purpose);
        (screen, Task::run(events, Message::PreviewEvent))
    }

    /// Opens the device of this kind that is chosen on the preview now, or closes it if none is chosen.
    pub fn reopen(&mut self, screen: &Preview, kind: Kind) {
        self.devices = screen.devices.clone();
        if let Some(session) = &self.session {
            session.choose(kind, device(screen, kind));
        }
    }

    /// Records what is plugged in.
    fn set_present(&mut self, lists: &Lists) {
        for (kind, present) in by_kind(lists) {
            self.devices.set_present(kind, present.clone());
        }
    }

    /// Shows what is plugged in on the preview, and opens a device that was missing.
    fn show_present(&mut self, screen: &mut Preview, lists: &Lists) {
        for (kind, present) in by_kind(lists) {
            if screen.set_present(kind, present.clone()) {
                let _ = screen.update(preview::Message::RetryPressed(kind));
                self.reopen(screen, kind);
            }
        }
    }

    /// Shows what is plugged in now.
    pub fn devices_listed(&mut self, lists: &Lists, screen: &mut Screen) {
        self.set_present(lists);
        match screen {
            Screen::Preview(screen) => self.show_present(screen, lists),
            Screen::Meeting(screen) => {
                for (kind, present) in by_kind(lists) {
                    screen.devices.set_present(kind, present.clone());
                }
            }
            Screen::Home(_) | Screen::Ended(_) => {}
        }
    }

    /// Shows an event of the devices on the preview. Returns what to announce.
    pub fn handle_event(event: Event, screen: &mut Screen, language: Language) -> Option<Announcement> {
        let Screen::Preview(screen) = screen else { return None };
        match event {
            Event::Level(level) => screen.level = level,
            Event::Picture => screen.picture = Picture::Shown,
            Event::Notice(problem) => {
                let said = Notice::from(problem.clone()).announcement(language);
                screen.report_problem(problem);
                return Some(Announcement::Sentence(said));
            }
        }
        None
    }

    /// The meeting, the name and the devices to enter with. `None` before the first preview.
    pub fn finish(&mut self, screen: &Preview, name: String, chat_first: bool) -> Option<(Arc<dyn Starter>, Setup)> {
        self.devices = screen.devices.clone();
        // If the camera is off or has a problem, the meeting does not open it and report the problem again. A meeting that
        // begins with the chat opens none, and keeps the one that is chosen for later.
        let is_wanted = screen.is_camera_on() || chat_first;
        let camera = if is_wanted { self.devices.chosen(Kind::Camera) } else { Device::Off };
        let setup = Setup {
            name,
            camera: camera.camera(),
            microphone: self.devices.chosen(Kind::Microphone).sound(),
            speaker: self.devices.chosen(Kind::Speaker).sound(),
            screen: false,
            muted: !screen.microphone,
            chat_first,
            // Found when the meeting starts, on a thread that may block.
            proxy: engine::ProxySettings::default(),
            bandwidth: engine::Bandwidth::default(),
            flags: screen.flags,
        };
        Some((Arc::new(self.purpose.clone()?), setup))
    }

    /// Records the devices of a meeting that is entered without a preview, so that its menus show them as chosen.
    pub fn choose(&mut self, setup: &Setup) {
        self.devices.choose(Kind::Camera, (&setup.camera).into());
        self.devices.choose(Kind::Microphone, (&setup.microphone).into());
        self.devices.choose(Kind::Speaker, (&setup.speaker).into());
    }

    /// Starts a test of the connection to the server of the link. A test that runs ends.
    pub fn start_test(&mut self, number: u32) -> Task<Message> {
        let Some(Purpose::Join { invitation, .. }) = &self.purpose else { return Task::none() };
        let (mut events, outbox) = mpsc::channel(MAX_TEST_EVENTS);
        // A test has fewer events than fit.
        let started = ConnectionTest::start(invitation, crate::proxy::for_host, move |event| {
            let _ = events.try_send(event);
        });
        let report = move |event| Message::Preview(preview::Message::TestReported(number, event));
        match started {
            Ok(test) => {
                self.test = Some(test);
                Task::run(outbox, report)
            }
            Err(error) => {
                let error = PathTestError::Unreachable(Reason::Here(error.to_string()));
                Task::done(report(ConnectionTestEvent::Ended(Err(error))))
            }
        }
    }

    /// Ends the test of the connection.
    pub fn cancel_test(&mut self) {
        self.test = None;
    }

    /// Takes out the open devices. The caller closes them. Ends the test of the connection.
    pub fn take_session(&mut self) -> Option<PreviewSession> {
        self.cancel_test();
        self.session.take()
    }
}

/// Room for all events of a test.
const MAX_TEST_EVENTS: usize = 64;

/// The lists by the kind of device.
fn by_kind(lists: &Lists) -> [(Kind, &Vec<engine::device_list::Device>); 3] {
    [(Kind::Camera, &lists.cameras), (Kind::Microphone, &lists.microphones), (Kind::Speaker, &lists.speakers)]
}

/// The device of this kind that the preview opens.
fn device(screen: &Preview, kind: Kind) -> Device {
    if kind == Kind::Camera && !screen.camera { Device::Off } else { screen.devices.chosen(kind) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::{MeetingFlags, Microphone};

    #[test]
    fn a_meeting_that_begins_with_the_chat_opens_no_device_and_keeps_those_that_are_chosen() {
        let mut preparation = Preparation { purpose: Some(Purpose::Start), ..Preparation::default() };
        let mut screen = Preview::new(preview::Purpose::Start, "Anne".into(), Devices::default());
        screen.camera = false;
        screen.flags = MeetingFlags::WAITING_ROOM;
        let mut setup = |chat_first| preparation.finish(&screen, "Anne".into(), chat_first).expect("a preview").1;
        let chat = setup(true);
        assert!(!chat.opens_camera() && chat.first_microphone() == Microphone::Muted);
        assert_eq!((chat.camera, chat.flags), (engine::Choice::Device(None), MeetingFlags::WAITING_ROOM));
        let usual = setup(false);
        assert_eq!((usual.camera.clone(), usual.first_microphone()), (engine::Choice::Off, Microphone::On));
    }
}
